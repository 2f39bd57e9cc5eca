/**
 * `convert_exponential_histogram_to_histogram`: buckets of exponential width into buckets with given bounds, as the
 * Collector deals them out. Source: transformprocessor README. Like there, only positive buckets take part.
 */
import { MessageNode } from '../../../otlp/message-node.js';
import { DATA_POINT, kindOfMetric, type MetricKind } from '../../../otlp/metric-points.js';
import { packDoubles, packFixed64s, readVarints } from '../../../otlp/packed.js';
import { field } from '../../../otlp/wire-reader.js';
import type { EditorDef } from '../function.js';
import {
  appendMessage,
  COUNT,
  DESCRIPTION,
  emptyNode,
  HISTOGRAM,
  NAME,
  setData,
  TEMPORALITY,
  TOTAL,
  UNIT,
} from './build.js';

const SCALE = field.varint(6);
const ZERO_COUNT = field.fixed64(7);
const POSITIVE = field.delimited(8);
const OFFSET = field.varint(1);
const BUCKETS = field.delimited(2);
const EXEMPLARS = field.delimited(11);
const EXPONENTIAL_MIN = field.fixed64(12);
const EXPONENTIAL_MAX = field.fixed64(13);
const TIMES = [field.fixed64(2), field.fixed64(3)];
const HISTOGRAM_COUNTS = field.delimited(6);
const HISTOGRAM_BOUNDS = field.delimited(7);
const HISTOGRAM_EXEMPLARS = field.delimited(8);
const HISTOGRAM_ATTRIBUTES = field.delimited(9);
const HISTOGRAM_MIN = field.fixed64(11);
const HISTOGRAM_MAX = field.fixed64(12);

interface Bucket {
  readonly count: bigint;
  readonly lower: number;
  readonly upper: number;
}

/** Adds the count of a bucket that does not fit between two bounds to `counts`. */
type Distribution = (bucket: Bucket, bounds: readonly number[], counts: bigint[]) => void;

/** Index of the first bound that is not below `value`; the last one when all are. */
function boundAbove(value: number, bounds: readonly number[]): number {
  const index = bounds.findIndex((bound) => value <= bound);
  return index < 0 ? bounds.length - 1 : index;
}

const DISTRIBUTIONS: Readonly<Record<string, Distribution>> = {
  upper: ({ count, upper }, bounds, counts) => {
    counts[boundAbove(upper, bounds)]! += count;
  },
  midpoint: ({ count, upper, lower }, bounds, counts) => {
    const middle = (upper + lower) / 2;
    const index = bounds.findIndex((bound) => middle <= bound);
    counts[index < 0 ? bounds.length - 1 : Math.max(index - 1, 0)]! += count;
  },
  random: ({ count, upper, lower }, bounds, counts) => {
    const start = boundAbove(lower, bounds);
    const end = boundAbove(upper, bounds);
    if (end <= start) {
      counts[start]! += count;
      return;
    }
    let left = count;
    for (let index = start; index <= end; index++) {
      const from = Math.max(index === 0 ? lower : bounds[index - 1]!, lower);
      const share = Math.max(0, (Math.min(bounds[index]!, upper) - from) / (upper - lower));
      const some = BigInt(Math.floor(Math.random() * Math.floor(Number(count) * share)));
      counts[index]! += some;
      left -= some;
    }
    // In a bounded number of throws, however much is left.
    for (const handful = left / 1000n + 1n; left > 0n; left -= handful) {
      const some = left < handful ? left : handful;
      counts[start + Math.floor(Math.random() * (end - start + 1))]! += some;
    }
  },
  uniform: ({ count, upper, lower }, bounds, counts) => {
    const start = boundAbove(lower, bounds);
    const end = boundAbove(upper, bounds);
    if (end <= start) {
      counts[start]! += count;
      return;
    }
    const parts = BigInt(end - start + 1);
    let rest = count % parts;
    for (let index = start; index <= end; index++) {
      counts[index]! += count / parts + (rest-- > 0n ? 1n : 0n);
    }
  },
};

export const EXPLICIT: Readonly<Record<string, EditorDef>> = {
  convert_exponential_histogram_to_histogram: {
    parameters: ['distribution_fn', 'explicit_bounds'],
    build: (args) => {
      const name = args.literalText(0) || 'random';
      const bounds = args.literalDoubles(1);
      const distribute = Object.hasOwn(DISTRIBUTIONS, name) ? DISTRIBUTIONS[name] : undefined;
      if (distribute === undefined) {
        throw new Error(
          `invalid conversion function: ${name}, must be one of [upper, midpoint, random, uniform]`,
        );
      }
      if (bounds.length === 0) throw new Error('explicit bounds cannot be empty: []');
      return ({ item }) => {
        const kind = kindOfMetric(item!);
        if (kind?.name !== 'exponential_histogram') return;
        const data = item!.child(kind.tag);
        const temporality = BigInt(data.uint32(TEMPORALITY));
        const points = data.children(DATA_POINT).map((point) => convert(point, kind, bounds, distribute));
        const kept = [NAME, DESCRIPTION, UNIT];
        item!.replaceSlots(item!.slots().filter(({ tag }) => kept.includes(tag)));
        setData(item!, HISTOGRAM, points, { temporality });
      };
    },
  },
};

function convert(
  point: MessageNode,
  kind: MetricKind,
  bounds: readonly number[],
  distribute: Distribution,
): MessageNode {
  const made = emptyNode();
  for (const tag of TIMES) if (point.has(tag)) made.setInteger(tag, point.uint64(tag));
  made.setInteger(COUNT, point.uint64(COUNT));
  made.setDouble(TOTAL, point.double(TOTAL) ?? 0);
  made.setDouble(HISTOGRAM_MIN, point.double(EXPONENTIAL_MIN) ?? 0);
  made.setDouble(HISTOGRAM_MAX, point.double(EXPONENTIAL_MAX) ?? 0);
  for (const exemplar of point.children(EXEMPLARS)) appendMessage(made, HISTOGRAM_EXEMPLARS, exemplar);
  for (const attribute of point.children(kind.attributes))
    appendMessage(made, HISTOGRAM_ATTRIBUTES, attribute);
  made.setContent(HISTOGRAM_BOUNDS, packDoubles(bounds));
  made.setContent(HISTOGRAM_COUNTS, packFixed64s(countsOf(point, bounds, distribute)));
  return made;
}

function countsOf(point: MessageNode, bounds: readonly number[], distribute: Distribution): bigint[] {
  const last = bounds.length - 1;
  const counts = bounds.map(() => 0n);
  const zeros = point.uint64(ZERO_COUNT);
  if (bounds[0] === 0) counts[0]! += zeros;
  const positive = new MessageNode(point.content(POSITIVE));
  const factor = Math.LN2 * 2 ** -unzigzag(point.uint32(SCALE));
  const offset = unzigzag(positive.uint32(OFFSET));
  for (const [position, count] of readVarints(positive.content(BUCKETS)).entries()) {
    const index = offset + position;
    const bucket = { count, upper: Math.exp((index + 1) * factor), lower: Math.exp(index * factor) };
    if (bucket.lower > bounds[last]!) {
      counts[last]! += count;
      continue;
    }
    const fits = bounds.findIndex(
      (bound, at) => at > 0 && bucket.lower > bounds[at - 1]! && bucket.upper <= bound,
    );
    if (fits > 0) counts[fits - 1]! += count;
    else distribute(bucket, bounds, counts);
  }
  return counts;
}

/** The value of a `sint32`. */
export const unzigzag = (bits: number): number => (bits >>> 1) ^ -(bits & 1);
