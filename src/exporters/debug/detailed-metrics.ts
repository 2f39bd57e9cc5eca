/** Every field of a metric, in the format of the Collector's `verbosity: detailed`. */
import { attributeLines } from './attribute-lines.js';
import { fixedText, timeText } from './go-format.js';
import type {
  DistributionPoint,
  Exemplar,
  ExponentialPoint,
  HistogramPoint,
  JsonDouble,
  Metric,
  NumberPoint,
  SummaryPoint,
} from './otlp-json.js';

const TEMPORALITIES = ['Unspecified', 'Delta', 'Cumulative'];

export function metricLines(metric: Metric): string[] {
  const { gauge, sum, histogram, exponentialHistogram, summary } = metric;
  const temporality = sum ?? histogram ?? exponentialHistogram;
  return [
    'Descriptor:',
    `     -> Name: ${metric.name ?? ''}`,
    `     -> Description: ${metric.description ?? ''}`,
    `     -> Unit: ${metric.unit ?? ''}`,
    `     -> DataType: ${typeName(metric)}`,
    ...attributeLines('     -> Metadata', metric.metadata),
    ...(sum === undefined ? [] : [`     -> IsMonotonic: ${sum.isMonotonic ?? false}`]),
    ...(temporality === undefined
      ? []
      : [`     -> AggregationTemporality: ${TEMPORALITIES[temporality.aggregationTemporality ?? 0] ?? ''}`]),
    ...pointLines('NumberDataPoints', gauge?.dataPoints ?? sum?.dataPoints, numberLines),
    ...pointLines('HistogramDataPoints', histogram?.dataPoints, histogramLines),
    ...pointLines('ExponentialHistogramDataPoints', exponentialHistogram?.dataPoints, exponentialLines),
    ...pointLines('SummaryDataPoints', summary?.dataPoints, summaryLines),
  ];
}

function typeName(metric: Metric): string {
  if (metric.gauge !== undefined) return 'Gauge';
  if (metric.sum !== undefined) return 'Sum';
  if (metric.histogram !== undefined) return 'Histogram';
  if (metric.exponentialHistogram !== undefined) return 'ExponentialHistogram';
  return metric.summary === undefined ? 'Empty' : 'Summary';
}

function pointLines<P extends NumberPoint>(
  noun: string,
  points: readonly P[] = [],
  linesOf: (point: P) => string[],
): string[] {
  return points.flatMap((point, index) => [
    `${noun} #${index}`,
    ...attributeLines('Data point attributes', point.attributes),
    `StartTimestamp: ${timeText(point.startTimeUnixNano)}`,
    `Timestamp: ${timeText(point.timeUnixNano)}`,
    ...linesOf(point),
    ...exemplarLines(point.exemplars),
  ]);
}

const numberLines = ({ asInt, asDouble }: NumberPoint): string[] =>
  asInt !== undefined ? [`Value: ${asInt}`] : asDouble !== undefined ? [`Value: ${fixedText(asDouble)}`] : [];

function distributionLines({ count = '0', sum, min, max }: DistributionPoint): string[] {
  const optional = (name: string, value: JsonDouble | undefined): string[] =>
    value === undefined ? [] : [`${name}: ${fixedText(value)}`];
  return [`Count: ${count}`, ...optional('Sum', sum), ...optional('Min', min), ...optional('Max', max)];
}

function histogramLines(point: HistogramPoint): string[] {
  return [
    ...distributionLines(point),
    ...(point.explicitBounds ?? []).map((bound, index) => `ExplicitBounds #${index}: ${fixedText(bound)}`),
    ...(point.bucketCounts ?? []).map((count, index) => `Buckets #${index}, Count: ${count}`),
  ];
}

/** Bounds of bucket i are base^i and base^(i+1), base = 2^(2^-scale). */
function exponentialLines(point: ExponentialPoint): string[] {
  const { scale = 0, zeroCount = '0', positive = {}, negative = {} } = point;
  const factor = Math.LN2 * 2 ** -scale;
  const boundsOf = (index: number): [string, string] => [
    fixedText(Math.exp(index * factor)),
    fixedText(Math.exp((index + 1) * factor)),
  ];
  const below = (negative.bucketCounts ?? []).map((count, index) => {
    const [lower, upper] = boundsOf((negative.offset ?? 0) + index);
    return `Bucket [-${upper}, -${lower}), Count: ${count}`;
  });
  const above = (positive.bucketCounts ?? []).map((count, index) => {
    const [lower, upper] = boundsOf((positive.offset ?? 0) + index);
    return `Bucket (${lower}, ${upper}], Count: ${count}`;
  });
  const zero = zeroCount === '0' ? [] : [`Bucket [0, 0], Count: ${zeroCount}`];
  return [...distributionLines(point), ...below.reverse(), ...zero, ...above];
}

function summaryLines({ count = '0', sum = 0, quantileValues = [] }: SummaryPoint): string[] {
  return [
    `Count: ${count}`,
    `Sum: ${fixedText(sum)}`,
    ...quantileValues.map(
      ({ quantile = 0, value = 0 }, index) =>
        `QuantileValue #${index}: Quantile ${fixedText(quantile)}, Value ${fixedText(value)}`,
    ),
  ];
}

function exemplarLines(exemplars: readonly Exemplar[] = []): string[] {
  if (exemplars.length === 0) return [];
  return [
    'Exemplars:',
    ...exemplars.flatMap((exemplar, index) => [
      `Exemplar #${index}`,
      `     -> Trace ID: ${exemplar.traceId ?? ''}`,
      `     -> Span ID: ${exemplar.spanId ?? ''}`,
      `     -> Timestamp: ${timeText(exemplar.timeUnixNano)}`,
      ...numberLines(exemplar).map((line) => `     -> ${line}`),
      ...attributeLines('     -> FilteredAttributes', exemplar.filteredAttributes),
    ]),
  ];
}
