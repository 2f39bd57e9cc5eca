/** New metrics beside the one that a statement is about. */
import { MessageNode } from '../../../otlp/message-node.js';
import { DATA_POINT, type MetricKind } from '../../../otlp/metric-points.js';
import { field } from '../../../otlp/wire-reader.js';
import type { OttlContext } from '../../context.js';
import { OttlError } from '../../values.js';

const METRIC = field.delimited(2);
const START = field.fixed64(2);
const TIME = field.fixed64(3);
const ATTRIBUTES = field.delimited(7);

export const NAME = field.delimited(1);
export const DESCRIPTION = field.delimited(2);
export const UNIT = field.delimited(3);
export const GAUGE = field.delimited(5);
export const SUM = field.delimited(7);
export const HISTOGRAM = field.delimited(9);
export const TEMPORALITY = field.varint(2);
export const MONOTONIC = field.varint(3);
/** Of a number data point. */
export const AS_DOUBLE = field.fixed64(4);
export const AS_INT = field.fixed64(6);
/** Of a histogram, exponential histogram or summary data point. */
export const COUNT = field.fixed64(4);
export const TOTAL = field.fixed64(5);

const EMPTY = new Uint8Array(0);

/** Most metrics in a scope that statements add to: one that copies its own copies ends here. */
const MAX_METRICS = 100_000;

export const emptyNode = (): MessageNode => new MessageNode(EMPTY);

/** Adds `metric` behind the others of its scope; statements see it as well when their turn comes. */
export function appendMetric({ scopeGroup }: OttlContext, metric: MessageNode): void {
  if (scopeGroup!.slots().length >= MAX_METRICS) {
    throw new OttlError(
      `a scope with ${MAX_METRICS} metrics gets no more of them; does the statement copy its own copies?`,
    );
  }
  appendMessage(scopeGroup!, METRIC, metric);
}

export function appendMessage(parent: MessageNode, tag: number, message: MessageNode): void {
  const content = message.encode();
  parent.append(tag, (writer) => {
    writer.varint(tag);
    writer.delimited(content);
  });
}

/** A metric with the description and unit of `like`. */
export function metricLike(like: MessageNode, name: string, unit = like.text(UNIT)): MessageNode {
  const metric = emptyNode();
  metric.setText(NAME, name);
  if (like.has(DESCRIPTION)) metric.setText(DESCRIPTION, like.text(DESCRIPTION));
  if (unit !== '') metric.setText(UNIT, unit);
  return metric;
}

/** A number data point with the times and attributes of `like`, which is of `kind`. */
export function numberPointLike(like: MessageNode, kind: MetricKind): MessageNode {
  const point = emptyNode();
  for (const tag of [START, TIME]) if (like.has(tag)) point.setInteger(tag, like.uint64(tag));
  for (const attribute of like.children(kind.attributes)) appendMessage(point, ATTRIBUTES, attribute);
  return point;
}

/** Sets the data of a metric: what kind it is, and its points. */
export function setData(
  metric: MessageNode,
  tag: number,
  points: readonly MessageNode[],
  settings: { readonly temporality?: bigint; readonly isMonotonic?: boolean } = {},
): void {
  const data = emptyNode();
  for (const point of points) appendMessage(data, DATA_POINT, point);
  if (settings.temporality !== undefined) data.setInteger(TEMPORALITY, settings.temporality);
  if (settings.isMonotonic === true) data.setInteger(MONOTONIC, 1n);
  metric.setContent(tag, data.encode());
}

/** The numbers of `delta` and `cumulative`; an `Error` for other words. */
export function temporalityNamed(word: string): bigint {
  if (word === 'delta') return 1n;
  if (word === 'cumulative') return 2n;
  throw new Error(`unknown aggregation temporality: ${word}`);
}
