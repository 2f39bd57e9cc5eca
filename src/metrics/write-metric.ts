import {
  type ExponentialHistogramPointInput,
  type HistogramPointInput,
  type MetricsWriter,
  type NumberPointInput,
  Temporality,
} from '../otlp/metrics-writer.js';
import type { Time64 } from '../otlp/time.js';
import type { MetricDefinition } from './definition.js';
import { HistogramSeries, NumberSeries, type Series } from './series.js';

/** Writes `points`, which are series of `metric`, as one Metric. Takes their exemplars. */
export function writeMetric(
  writer: MetricsWriter,
  metric: MetricDefinition,
  points: readonly Series[],
  temporality: Temporality,
  time: Time64,
): void {
  switch (metric.kind) {
    case 'histogram': {
      const histograms = points.filter((point) => point instanceof HistogramSeries);
      const hasExtremes = temporality === Temporality.delta;
      if (histograms[0]?.exponential === undefined) {
        writer.histogram(
          { ...metric, temporality },
          histograms.map((series) => explicitPoint(series, time, hasExtremes)),
        );
      } else {
        writer.exponentialHistogram(
          { ...metric, temporality },
          histograms.map((series) => exponentialPoint(series, time, hasExtremes)),
        );
      }
      return;
    }
    case 'gauge':
      writer.gauge(metric, numberPoints(points, metric, time));
      return;
    default:
      writer.sum(
        { ...metric, temporality, isMonotonic: metric.kind === 'counter' },
        numberPoints(points, metric, time),
      );
  }
}

const numberPoints = (
  points: readonly Series[],
  metric: MetricDefinition,
  time: Time64,
): NumberPointInput[] =>
  points
    .filter((point) => point instanceof NumberSeries)
    .map(({ attributes, start, value }) => ({
      encodedAttributes: attributes,
      startTime: metric.kind === 'gauge' ? undefined : start,
      time,
      ...(metric.isDouble === true || !Number.isSafeInteger(value) ? { asDouble: value } : { asInt: value }),
    }));

/** The extremes of a cumulative point are those of its whole life, which nobody asks for. */
const extremes = ({ min, max, count }: HistogramSeries, wanted: boolean): { min?: number; max?: number } =>
  wanted && count > 0 ? { min, max } : {};

const explicitPoint = (series: HistogramSeries, time: Time64, hasExtremes: boolean): HistogramPointInput => ({
  encodedAttributes: series.attributes,
  startTime: series.start,
  time,
  count: series.count,
  sum: series.sum,
  ...extremes(series, hasExtremes),
  bucketCounts: series.bucketCounts!,
  explicitBounds: series.bounds!,
  exemplars: series.takeExemplars(),
});

function exponentialPoint(
  series: HistogramSeries,
  time: Time64,
  hasExtremes: boolean,
): ExponentialHistogramPointInput {
  const { scale, offset, counts } = series.exponential!;
  return {
    encodedAttributes: series.attributes,
    startTime: series.start,
    time,
    count: series.count,
    sum: series.sum,
    ...extremes(series, hasExtremes),
    scale,
    zeroCount: series.zeroCount,
    positive: { offset, bucketCounts: counts },
    exemplars: series.takeExemplars(),
  };
}
