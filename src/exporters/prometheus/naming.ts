/**
 * Names of metrics and labels as a Prometheus knows them.
 * Source: https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/#otlp-metric-points-to-prometheus
 */
import type { PrometheusConfig, TranslationStrategy } from './config.js';

export type PrometheusType = 'counter' | 'gauge' | 'histogram' | 'summary';

const UNITS: Readonly<Record<string, string>> = {
  d: 'days',
  h: 'hours',
  min: 'minutes',
  s: 'seconds',
  ms: 'milliseconds',
  us: 'microseconds',
  ns: 'nanoseconds',
  By: 'bytes',
  KiBy: 'kibibytes',
  MiBy: 'mebibytes',
  GiBy: 'gibibytes',
  TiBy: 'tibibytes',
  KBy: 'kilobytes',
  MBy: 'megabytes',
  GBy: 'gigabytes',
  TBy: 'terabytes',
  m: 'meters',
  V: 'volts',
  A: 'amperes',
  J: 'joules',
  W: 'watts',
  g: 'grams',
  Cel: 'celsius',
  Hz: 'hertz',
  '1': '',
  '%': 'percent',
};
const PER_UNITS: Readonly<Record<string, string>> = {
  s: 'second',
  m: 'minute',
  h: 'hour',
  d: 'day',
  w: 'week',
  mo: 'month',
  y: 'year',
};

export const strategyOf = ({
  translation_strategy,
  add_metric_suffixes,
}: PrometheusConfig): TranslationStrategy =>
  translation_strategy ||
  (add_metric_suffixes ? 'UnderscoreEscapingWithSuffixes' : 'UnderscoreEscapingWithoutSuffixes');

export class Naming {
  readonly #namespace: string;
  readonly #hasSuffixes: boolean;
  /** Names keep what is not `[a-zA-Z0-9_:]`. */
  readonly isUtf8: boolean;

  constructor(strategy: TranslationStrategy, namespace: string) {
    this.isUtf8 = strategy === 'NoUTF8EscapingWithSuffixes' || strategy === 'NoTranslation';
    this.#hasSuffixes =
      strategy === 'UnderscoreEscapingWithSuffixes' || strategy === 'NoUTF8EscapingWithSuffixes';
    this.#namespace = this.isUtf8 ? namespace : words(namespace).join('_');
  }

  /** '' when nothing is left of the name. */
  metric(name: string, unit: string, type: PrometheusType): string {
    if (this.isUtf8) return this.#utf8(name, unit, type);
    const tokens = this.#hasSuffixes
      ? withSuffixes(words(name), unit, type)
      : name.split(/[^a-zA-Z0-9:_]+/).filter((part) => part !== '');
    if (tokens.length === 0) return '';
    const joined = [...(this.#namespace === '' ? [] : [this.#namespace]), ...tokens].join('_');
    return /^\d/.test(joined) ? `_${joined}` : joined;
  }

  label(name: string): string {
    return this.isUtf8 ? name : escapeLabelName(name);
  }

  #utf8(name: string, unit: string, type: PrometheusType): string {
    let full = this.#namespace === '' ? name : `${this.#namespace}_${name}`;
    if (!this.#hasSuffixes) return full;
    const [main, per] = unitSuffixes(unit);
    const last = type === 'counter' ? 'total' : type === 'gauge' && unit === '1' ? 'ratio' : '';
    for (const suffix of [last, per]) full = withoutSuffix(full, suffix);
    const suffixes = [full.endsWith(main) ? '' : main, per, last].filter((suffix) => suffix !== '');
    return [full, ...suffixes].join('_');
  }
}

/** `{`…`}` are annotations and no unit. */
function unitSuffixes(unit: string): readonly [main: string, per: string] {
  const [main = '', per = ''] = unit.split('/', 2).map((part) => part.trim());
  const mainText = main.includes('{') ? '' : (UNITS[main] ?? words(main).join('_'));
  const perText = per.includes('{') ? '' : (PER_UNITS[per] ?? words(per).join('_'));
  return [mainText, perText === '' ? '' : `per_${perText}`];
}

function withSuffixes(tokens: readonly string[], unit: string, type: PrometheusType): readonly string[] {
  const [main, per] = unitSuffixes(unit);
  const named = [...tokens];
  for (const suffix of [main, per]) if (suffix !== '' && !named.includes(suffix)) named.push(suffix);
  const last = type === 'counter' ? 'total' : type === 'gauge' && unit === '1' ? 'ratio' : undefined;
  return last === undefined ? named : [...named.filter((token) => token !== last), last];
}

const withoutSuffix = (name: string, suffix: string): string =>
  suffix !== '' && name.endsWith(suffix) && name.length > suffix.length + 1
    ? name.slice(0, -(suffix.length + 1))
    : name;

const words = (text: string): string[] => text.split(/[^a-zA-Z0-9:]+/).filter((part) => part !== '');

/** A metric's name for readers that know no others. */
export const escapeMetricName = (name: string): string => {
  const escaped = name.replaceAll(/[^a-zA-Z0-9_:]/g, '_');
  return /^\d/.test(escaped) ? `_${escaped}` : escaped;
};

export const escapeLabelName = (name: string): string => {
  const escaped = name.replaceAll(/[^a-zA-Z0-9_]/g, '_');
  return /^\d/.test(escaped) ? `key_${escaped}` : escaped;
};

export const isPlainName = (name: string): boolean => /^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(name);
