/**
 * The page that is scraped. Sources: https://prometheus.io/docs/instrumenting/exposition_formats/ (text 0.0.4 and 1.0.0)
 * and https://github.com/prometheus/OpenMetrics/blob/v1.0.0/specification/OpenMetrics.md.
 */
import type { Family } from './families.js';
import { quote } from './labels.js';
import { escapeMetricName, isPlainName } from './naming.js';
import type { Exemplar, HistogramSeries, Series } from './series.js';

export interface Format {
  readonly openMetrics: boolean;
  /** The reader knows names that are not plain. */
  readonly utf8: boolean;
  readonly timestamps: boolean;
}

/** What the reader of `accept` gets. */
export function formatFor(
  accept: string,
  offers: { readonly openMetrics: boolean; readonly utf8: boolean; readonly timestamps: boolean },
): Format {
  return {
    openMetrics: offers.openMetrics && accept.includes('application/openmetrics-text'),
    utf8: offers.utf8 && accept.includes('escaping=allow-utf-8'),
    timestamps: offers.timestamps,
  };
}

export function contentType({ openMetrics, utf8 }: Format): string {
  const escaping = utf8 ? 'allow-utf-8' : 'underscores';
  return openMetrics
    ? `application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=${escaping}`
    : `text/plain; version=${utf8 ? '1.0.0' : '0.0.4'}; charset=utf-8; escaping=${escaping}`;
}

/** In pieces of one family each. */
export function* renderPage(families: readonly Family[], format: Format): Iterable<string> {
  for (const family of families) yield renderFamily(family, format);
  if (format.openMetrics) yield '# EOF\n';
}

function renderFamily({ name: translated, type, help, series }: Family, format: Format): string {
  const name = format.utf8 ? translated : escapeMetricName(translated);
  // OpenMetrics: a counter's family has no `_total`, its samples always do.
  const isCounter = format.openMetrics && type === 'counter';
  const familyName = isCounter ? name.replace(/_total$/, '') : name;
  const shown = isPlainName(familyName) ? familyName : quote(familyName);
  const lines = [`# HELP ${shown} ${helpText(help, format)}\n# TYPE ${shown} ${type}\n`];
  const sampleName = isCounter ? `${familyName}_total` : name;
  for (const one of series.values()) lines.push(renderSeries(sampleName, one, type, format));
  return lines.join('');
}

const helpText = (help: string, { openMetrics }: Format): string => {
  const escaped = help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
  return openMetrics ? escaped.replaceAll('"', '\\"') : escaped;
};

function renderSeries(name: string, series: Series, type: Family['type'], format: Format): string {
  const labels = format.utf8 ? series.labels : series.plainLabels;
  const line = (suffix: string, extra: string, value: number, exemplar?: Exemplar): string =>
    `${sample(name + suffix, labels, extra)} ${numberText(value)}${time(series, format)}${exemplarText(exemplar, format)}\n`;
  switch (series.kind) {
    case 'number':
      return line('', '', series.value, type === 'counter' ? series.exemplars.at(-1) : undefined);
    case 'summary': {
      const quantiles = series.quantiles.map(([quantile, value]) =>
        line('', `quantile=${quote(numberText(quantile))}`, value),
      );
      return [...quantiles, line('_sum', '', series.sum), line('_count', '', series.count)].join('');
    }
    default:
      return renderHistogram(series, line, format);
  }
}

function renderHistogram(
  series: HistogramSeries,
  line: (suffix: string, extra: string, value: number, exemplar?: Exemplar) => string,
  { openMetrics }: Format,
): string {
  const { bounds, counts, exemplars } = series;
  const lines: string[] = [];
  let below = 0;
  for (let index = 0; index <= bounds.length; index++) {
    const upTo = bounds[index] ?? Number.POSITIVE_INFINITY;
    const above = index === 0 ? Number.NEGATIVE_INFINITY : bounds[index - 1]!;
    below = index === bounds.length ? series.count : below + counts[index]!;
    const exemplar = exemplars.findLast(({ value }) => value > above && value <= upTo);
    lines.push(line('_bucket', `le=${quote(boundText(upTo, openMetrics))}`, below, exemplar));
  }
  if (!Number.isNaN(series.sum)) lines.push(line('_sum', '', series.sum));
  lines.push(line('_count', '', series.count));
  return lines.join('');
}

function sample(name: string, labels: string, extra: string): string {
  const inner = [isPlainName(name) ? '' : quote(name), labels, extra].filter((part) => part !== '').join(',');
  const outer = isPlainName(name) ? name : '';
  return inner === '' ? outer : `${outer}{${inner}}`;
}

function time({ time: ns }: Series, { timestamps, openMetrics }: Format): string {
  if (!timestamps) return '';
  const ms = Number(ns / 1_000_000n);
  return openMetrics ? ` ${ms / 1000}` : ` ${ms}`;
}

const exemplarText = (exemplar: Exemplar | undefined, { openMetrics }: Format): string =>
  exemplar === undefined || !openMetrics
    ? ''
    : ` # {${exemplar.labels}} ${numberText(exemplar.value)} ${exemplar.seconds}`;

/** OpenMetrics wants `1.0` where others write `1`, so that both are one series. */
const boundText = (bound: number, openMetrics: boolean): string =>
  openMetrics && Number.isInteger(bound) ? bound.toFixed(1) : numberText(bound);

function numberText(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  if (value === Number.NEGATIVE_INFINITY) return '-Inf';
  return String(value);
}
