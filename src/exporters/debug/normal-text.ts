/** One line for each span, data point or log record, in the format of the Collector's `verbosity: normal`. */
import { attributeTexts, fixedText, shortText, valueText } from './go-format.js';
import {
  type DistributionPoint,
  type ExponentialPoint,
  type Groups,
  type HistogramPoint,
  type LogRecord,
  type LogsJson,
  logGroups,
  type Metric,
  type MetricsJson,
  metricGroups,
  type NumberPoint,
  type Scope,
  type Span,
  type SummaryPoint,
  spanGroups,
  type TracesJson,
} from './otlp-json.js';

export const normalTraces = (json: TracesJson): string => normalGroups('Traces', spanGroups(json), spanLines);
export const normalMetrics = (json: MetricsJson): string =>
  normalGroups('Metrics', metricGroups(json), metricLines);
export const normalLogs = (json: LogsJson): string => normalGroups('Log', logGroups(json), logLines);

export function normalGroups<T>(
  noun: string,
  groups: readonly Groups<T>[],
  linesOf: (item: T) => string[],
): string {
  const lines = groups.flatMap(({ resource, schemaUrl, scopes }, index) => [
    `Resource${noun} #${index}${bracketed(schemaUrl)}${spaced(attributeTexts(resource.attributes))}`,
    ...scopes.flatMap(({ scope, schemaUrl: scopeUrl, items }, number) => [
      `Scope${noun} #${number}${scopeText(scope, scopeUrl)}${spaced(attributeTexts(scope.attributes))}`,
      ...items.flatMap(linesOf),
    ]),
  ]);
  return lines.map((line) => `${line}\n`).join('');
}

function spanLines({ name = '', traceId = '', spanId = '', attributes }: Span): string[] {
  return [`${name} ${traceId} ${spanId}${spaced(attributeTexts(attributes))}`];
}

function logLines({ body, attributes }: LogRecord): string[] {
  return [`${valueText(body)} ${attributeTexts(attributes).join(' ')}`];
}

function metricLines(metric: Metric): string[] {
  const { name = '' } = metric;
  const linesOf = <P extends { readonly attributes?: NumberPoint['attributes'] }>(
    points: readonly P[] | undefined,
    textOfPoint: (point: P) => string,
  ): string[] =>
    (points ?? []).map(
      (point) => `${name}{${attributeTexts(point.attributes).join(',')}} ${textOfPoint(point)}`,
    );
  return [
    ...linesOf(metric.gauge?.dataPoints, numberText),
    ...linesOf(metric.sum?.dataPoints, numberText),
    ...linesOf(metric.histogram?.dataPoints, histogramText),
    ...linesOf(metric.exponentialHistogram?.dataPoints, exponentialText),
    ...linesOf(metric.summary?.dataPoints, summaryText),
  ];
}

const numberText = ({ asInt, asDouble }: NumberPoint): string =>
  asInt ?? (asDouble === undefined ? '' : shortText(asDouble));

function distributionText({ count = '0', sum, min, max }: DistributionPoint): string {
  const parts = [
    `count=${count}`,
    ...(sum === undefined ? [] : [`sum=${shortText(sum)}`]),
    ...(min === undefined ? [] : [`min=${shortText(min)}`]),
    ...(max === undefined ? [] : [`max=${shortText(max)}`]),
  ];
  return parts.join(' ');
}

function histogramText(point: HistogramPoint): string {
  const buckets = (point.bucketCounts ?? []).map((count, index) => {
    const bound = point.explicitBounds?.[index];
    return bound === undefined ? count : `le${shortText(bound)}=${count}`;
  });
  return distributionText(point) + spaced(buckets);
}

function exponentialText(point: ExponentialPoint): string {
  const { scale = 0, zeroCount = '0', positive = {}, negative = {} } = point;
  const factor = Math.LN2 * 2 ** -scale;
  const below = (negative.bucketCounts ?? []).map(
    (count, index) => `le${shortText(-Math.exp(((negative.offset ?? 0) + index) * factor))}=${count}`,
  );
  const above = (positive.bucketCounts ?? []).map(
    (count, index) => `le${shortText(Math.exp(((positive.offset ?? 0) + index + 1) * factor))}=${count}`,
  );
  const zero = zeroCount === '0' ? [] : [`zero=${zeroCount}`];
  return distributionText(point) + spaced([...below.reverse(), ...zero, ...above]);
}

function summaryText({ count = '0', sum = 0, quantileValues = [] }: SummaryPoint): string {
  const quantiles = quantileValues.map(
    ({ quantile = 0, value = 0 }) => `q${shortText(quantile)}=${shortText(value)}`,
  );
  return `count=${count} sum=${fixedText(sum)}${spaced(quantiles)}`;
}

function scopeText({ name = '', version = '' }: Scope, schemaUrl: string): string {
  const named = name + (version === '' ? '' : `@${version}`);
  return (named === '' ? '' : ` ${named}`) + bracketed(schemaUrl);
}

const bracketed = (schemaUrl: string): string => (schemaUrl === '' ? '' : ` [${schemaUrl}]`);
const spaced = (parts: readonly string[]): string => (parts.length === 0 ? '' : ` ${parts.join(' ')}`);
