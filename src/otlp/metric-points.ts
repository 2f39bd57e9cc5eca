/**
 * The five kinds of data a metric may hold, and their data points.
 * Source: opentelemetry-proto v1.11, metrics/v1/metrics.proto.
 */
import type { MessageNode } from './message-node.js';
import { field } from './wire-reader.js';

/** Where a kind of data lies in a Metric and what its data points look like. */
export interface MetricKind {
  readonly name: 'gauge' | 'sum' | 'histogram' | 'exponential_histogram' | 'summary';
  /** Tag of the data in the Metric. */
  readonly tag: number;
  /** Tag of the attributes in a data point. */
  readonly attributes: number;
  /** Tag of the flags in a data point. */
  readonly flags: number;
  /** Tag of the exemplars in a data point; summaries have none. */
  readonly exemplars: number | undefined;
  /** pdata's name of a data point's type, as error sentences show it. */
  readonly pointType: string;
}

export const METRIC_KINDS: readonly MetricKind[] = [
  {
    name: 'gauge',
    tag: field.delimited(5),
    attributes: field.delimited(7),
    flags: field.varint(8),
    exemplars: field.delimited(5),
    pointType: 'pmetric.NumberDataPoint',
  },
  {
    name: 'sum',
    tag: field.delimited(7),
    attributes: field.delimited(7),
    flags: field.varint(8),
    exemplars: field.delimited(5),
    pointType: 'pmetric.NumberDataPoint',
  },
  {
    name: 'histogram',
    tag: field.delimited(9),
    attributes: field.delimited(9),
    flags: field.varint(10),
    exemplars: field.delimited(8),
    pointType: 'pmetric.HistogramDataPoint',
  },
  {
    name: 'exponential_histogram',
    tag: field.delimited(10),
    attributes: field.delimited(1),
    flags: field.varint(10),
    exemplars: field.delimited(11),
    pointType: 'pmetric.ExponentialHistogramDataPoint',
  },
  {
    name: 'summary',
    tag: field.delimited(11),
    attributes: field.delimited(7),
    flags: field.varint(8),
    exemplars: undefined,
    pointType: 'pmetric.SummaryDataPoint',
  },
];

/** Tag of the data points in each kind of data. */
export const DATA_POINT = field.delimited(1);

/** The kind of data that `metric` holds, or undefined. */
export const kindOfMetric = (metric: MessageNode): MetricKind | undefined =>
  METRIC_KINDS.find(({ tag }) => metric.has(tag));

/** Visits every data point of a Metric. */
export function forEachPoint(
  metric: MessageNode,
  visit: (point: MessageNode, kind: MetricKind, data: MessageNode) => void,
): void {
  const kind = kindOfMetric(metric);
  if (kind === undefined) return;
  const data = metric.child(kind.tag);
  for (const point of data.children(DATA_POINT)) visit(point, kind, data);
}
