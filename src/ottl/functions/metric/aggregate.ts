/** `aggregate_on_attributes`, `aggregate_on_attribute_value`. Source: transformprocessor README. */
import { asString, truncateToInt64 } from '../../../go/values.js';
import { getAttributes, retainAttributes, setAttribute } from '../../../otlp/attribute-edit.js';
import type { MessageNode } from '../../../otlp/message-node.js';
import { DATA_POINT, kindOfMetric, type MetricKind } from '../../../otlp/metric-points.js';
import { field } from '../../../otlp/wire-reader.js';
import { OttlError } from '../../values.js';
import type { Arguments } from '../arguments.js';
import type { EditorDef } from '../function.js';
import { AS_DOUBLE, AS_INT, TEMPORALITY } from './build.js';
import { mergeExponentialPoint, mergeHistogramPoint } from './merge-points.js';

const START = field.fixed64(2);
const TIME = field.fixed64(3);
const DELTA = 1;

const FUNCTIONS = ['sum', 'mean', 'min', 'max', 'median', 'count'] as const;
type Aggregation = (typeof FUNCTIONS)[number];

export const AGGREGATIONS: Readonly<Record<string, EditorDef>> = {
  aggregate_on_attributes: {
    parameters: ['aggregationFunction', 'attributes?'],
    build: (args) => {
      const aggregation = aggregationIn(args);
      const kept = args.has(1) ? new Set(args.literalTexts(1)) : undefined;
      return ({ item }) => {
        const kind = kindOfMetric(item!);
        if (kind === undefined) return;
        if (kind.name === 'summary') {
          throw new OttlError('aggregate_on_attributes does not support aggregating Summary metrics');
        }
        if (kept !== undefined) {
          for (const point of item!.child(kind.tag).children(DATA_POINT)) {
            retainAttributes(point, kind.attributes, (key) => kept.has(key));
          }
        }
        aggregate(item!, kind, aggregation);
      };
    },
  },
  aggregate_on_attribute_value: {
    parameters: ['aggregationFunction', 'attribute', 'values', 'newValue'],
    build: (args) => {
      const aggregation = aggregationIn(args);
      const key = args.literalText(1);
      const values = new Set(args.literalTexts(2));
      const newValue = args.literalText(3);
      return ({ item }) => {
        const kind = kindOfMetric(item!);
        // Summaries can't be added up; they stay as they are.
        if (kind === undefined || kind.name === 'summary') return;
        for (const point of item!.child(kind.tag).children(DATA_POINT)) {
          const value = getAttributes(point, kind.attributes).get(key);
          if (typeof value === 'string' && values.has(value))
            setAttribute(point, kind.attributes, key, newValue);
        }
        aggregate(item!, kind, aggregation);
      };
    },
  },
};

function aggregationIn(args: Arguments): Aggregation {
  const name = args.literalText(0);
  const aggregation = FUNCTIONS.find((one) => one === name);
  if (aggregation !== undefined) return aggregation;
  throw new Error(
    `invalid aggregation function: 'unsupported function: '${name}'', valid options: ${FUNCTIONS.join(', ')}`,
  );
}

/** Makes one point of all that have the same attributes and time. The first one stays, in its place. */
function aggregate(metric: MessageNode, kind: MetricKind, aggregation: Aggregation): void {
  const data = metric.child(kind.tag);
  const isDelta = kind.name !== 'gauge' && data.uint32(TEMPORALITY) === DELTA;
  const groups = new Map<string, MessageNode[]>();
  for (const point of data.children(DATA_POINT)) {
    const key = keyOf(point, kind, isDelta);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [point]);
    else group.push(point);
  }
  const first = new Set<MessageNode>();
  for (const points of groups.values()) {
    const [into, ...others] = points as [MessageNode, ...MessageNode[]];
    first.add(into);
    if (others.length === 0) continue;
    if (kind.name === 'histogram') for (const other of others) mergeHistogramPoint(into, other);
    else if (kind.name === 'exponential_histogram')
      for (const other of others) mergeExponentialPoint(into, other);
    else mergeNumbers(into, others, aggregation);
    const starts = points.map((point) => point.uint64(START));
    const earliest = starts.reduce((least, start) => (start < least ? start : least));
    if (earliest < into.uint64(START)) into.setInteger(START, earliest);
  }
  data.retain(DATA_POINT, (point) => first.has(point));
}

/** What two points must have in common besides attributes and time. */
const ALSO_COMMON: Readonly<Partial<Record<MetricKind['name'], readonly number[]>>> = {
  histogram: [field.delimited(7)],
  exponential_histogram: [field.varint(6)],
};
const MIN_MAX: Readonly<Partial<Record<MetricKind['name'], readonly number[]>>> = {
  histogram: [field.fixed64(11), field.fixed64(12)],
  exponential_histogram: [field.fixed64(12), field.fixed64(13)],
};

function keyOf(point: MessageNode, kind: MetricKind, isDelta: boolean): string {
  const parts: unknown[] = [asString(getAttributes(point, kind.attributes)), String(point.uint64(TIME))];
  if (isDelta) parts.push(String(point.uint64(START)));
  for (const tag of ALSO_COMMON[kind.name] ?? []) {
    parts.push((tag & 7) === 2 ? Buffer.from(point.content(tag)).toString('base64') : point.uint32(tag));
  }
  const minMax = MIN_MAX[kind.name];
  if (minMax !== undefined) parts.push(...minMax.map((tag) => point.has(tag)), point.uint32(kind.flags));
  return JSON.stringify(parts);
}

function mergeNumbers(into: MessageNode, others: readonly MessageNode[], aggregation: Aggregation): void {
  if (into.has(AS_DOUBLE)) {
    const values = [into, ...others].map((point) => point.double(AS_DOUBLE) ?? Number(intOf(point)));
    into.setDouble(AS_DOUBLE, ofDoubles(values, aggregation));
  } else if (into.has(AS_INT)) {
    const values = [into, ...others].map((point) =>
      // As the Collector does: a double is cut, but counts as nothing in sums.
      point.has(AS_DOUBLE)
        ? aggregation === 'sum' || aggregation === 'mean'
          ? 0n
          : truncateToInt64(point.double(AS_DOUBLE)!)
        : intOf(point),
    );
    into.setInteger(AS_INT, ofInts(values, aggregation));
  }
}

const intOf = (point: MessageNode): bigint => BigInt.asIntN(64, point.uint64(AS_INT));

function ofDoubles(values: readonly number[], aggregation: Aggregation): number {
  const sum = () => values.reduce((total, value) => total + value, 0);
  switch (aggregation) {
    case 'sum':
      return sum();
    case 'mean':
      return sum() / values.length;
    case 'min':
      return Math.min(...values);
    case 'max':
      return Math.max(...values);
    case 'count':
      return values.length;
    case 'median': {
      const sorted = [...values].sort((a, b) => a - b);
      const middle = sorted.length >> 1;
      return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
    }
  }
}

function ofInts(values: readonly bigint[], aggregation: Aggregation): bigint {
  const sorted = [...values].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  const sum = () =>
    BigInt.asIntN(
      64,
      values.reduce((total, value) => total + value, 0n),
    );
  const middle = sorted.length >> 1;
  switch (aggregation) {
    case 'sum':
      return sum();
    case 'mean':
      return sum() / BigInt(values.length);
    case 'min':
      return sorted[0]!;
    case 'max':
      return sorted.at(-1)!;
    case 'count':
      return BigInt(values.length);
    case 'median':
      return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2n;
  }
}
