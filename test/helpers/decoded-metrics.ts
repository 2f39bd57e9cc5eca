import type { MetricBatch } from '../../src/metrics/aggregator.js';
import {
  type DecodedExponentialHistogramPoint,
  type DecodedHistogramPoint,
  type DecodedMetric,
  type DecodedNumberPoint,
  decodeMetrics,
} from '../../src/otlp/decode.js';

export type AnyPoint = Partial<
  DecodedNumberPoint & DecodedHistogramPoint & DecodedExponentialHistogramPoint
> &
  Pick<DecodedNumberPoint, 'attributes' | 'startTimeUnixNano' | 'timeUnixNano'>;

/** A metric of one resource in one batch. */
export interface FlatMetric extends DecodedMetric {
  readonly resource: Readonly<Record<string, unknown>>;
  readonly scope: string;
  readonly points: readonly AnyPoint[];
}

/** Everything in `batches`, in order. */
export function flatMetrics(batches: readonly Pick<MetricBatch, 'bytes'>[]): FlatMetric[] {
  return batches.flatMap(({ bytes }) =>
    decodeMetrics(bytes).resourceMetrics.flatMap(({ resource, scopeMetrics }) =>
      scopeMetrics.flatMap(({ scope, metrics }) =>
        metrics.map((metric) => ({
          ...metric,
          resource: resource.attributes,
          scope: scope.name,
          points: pointsOf(metric),
        })),
      ),
    ),
  );
}

const pointsOf = ({ gauge, sum, histogram, exponentialHistogram }: DecodedMetric): readonly AnyPoint[] =>
  (gauge ?? sum ?? histogram ?? exponentialHistogram)?.dataPoints ?? [];

/** The points of the metric called `name`, of the last time each series was sent. */
export function lastPoints(batches: readonly Pick<MetricBatch, 'bytes'>[], name: string): AnyPoint[] {
  const last = new Map<string, AnyPoint>();
  for (const metric of flatMetrics(batches)) {
    if (metric.name !== name) continue;
    for (const point of metric.points) {
      const key = JSON.stringify([metric.resource, point.attributes, String(point.startTimeUnixNano)]);
      last.set(key, point);
    }
  }
  return [...last.values()];
}

/** Measurements of a histogram, all series together. */
export const totalCount = (points: readonly AnyPoint[]): number =>
  points.reduce((sum, { count = 0n }) => sum + Number(count), 0);

/** The sum of a counter, all series together. */
export const totalValue = (points: readonly AnyPoint[]): number =>
  points.reduce((sum, { asInt, asDouble }) => sum + Number(asInt ?? asDouble ?? 0), 0);
