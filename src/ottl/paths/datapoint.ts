import type { MessageNode } from '../../otlp/message-node.js';
import type { MetricKind } from '../../otlp/metric-points.js';
import {
  packDoubles,
  packFixed64s,
  packVarints,
  readDoubles,
  readFixed64s,
  readVarints,
} from '../../otlp/packed.js';
import { field } from '../../otlp/wire-reader.js';
import type { Access, OttlContext } from '../context.js';
import { expectInt, OttlError, type OttlValue, typeName } from '../values.js';
import { attribute, attributeMap, int64, readOnly, time } from './fields.js';
import { lookUp, type PathParts, type PathResult } from './look-up.js';

const { delimited, fixed64, varint } = field;
const AS_DOUBLE = fixed64(4);
const AS_INT = fixed64(6);
const COUNT = fixed64(4);
const SUM = fixed64(5);
const BUCKET_COUNTS = delimited(6);
const EXPLICIT_BOUNDS = delimited(7);
const SCALE = varint(6);
const ZERO_COUNT = fixed64(7);
const QUANTILES = delimited(6);
const POSITIVE = delimited(8);
const NEGATIVE = delimited(9);
const OFFSET = varint(1);
const BUCKETS = delimited(2);

type Kind = MetricKind['name'];
const NUMBERS: readonly Kind[] = ['gauge', 'sum'];
const WITH_COUNT: readonly Kind[] = ['histogram', 'exponential_histogram', 'summary'];
const EXPONENTIAL: readonly Kind[] = ['exponential_histogram'];

const point = (context: OttlContext) => context.part!;
const attributesTag = (context: OttlContext) => context.metricKind!.attributes;

export const datapointPath = (parts: PathParts): PathResult =>
  lookUp(parts, {
    attributes: (keys) =>
      keys.length === 0 ? attributeMap(point, attributesTag) : attribute(point, attributesTag, keys),
    start_time_unix_nano: int64(point, fixed64(2)),
    time_unix_nano: int64(point, fixed64(3)),
    start_time: time(point, fixed64(2)),
    time: time(point, fixed64(3)),
    value_double: only(NUMBERS, {
      get: (node) => node.double(AS_DOUBLE) ?? 0,
      set: (node, value) => {
        const number = expectDouble(value);
        node.remove(AS_INT);
        node.setDouble(AS_DOUBLE, number);
      },
    }),
    value_int: only(NUMBERS, {
      get: (node) => BigInt.asIntN(64, node.uint64(AS_INT)),
      set: (node, value) => {
        const number = expectInt(value);
        node.remove(AS_DOUBLE);
        node.setInteger(AS_INT, number);
      },
    }),
    flags: {
      get: (context) => BigInt(point(context).uint32(context.metricKind!.flags)),
      set: (context, value) =>
        point(context).setInteger(context.metricKind!.flags, BigInt.asUintN(32, expectInt(value))),
    },
    count: only(WITH_COUNT, integer(COUNT)),
    sum: only(WITH_COUNT, double(SUM)),
    bucket_counts: only(['histogram'], {
      get: (node) => readFixed64s(node.content(BUCKET_COUNTS)),
      set: (node, value) => node.setContent(BUCKET_COUNTS, packFixed64s(listOf(value).map(expectInt))),
    }),
    explicit_bounds: only(['histogram'], {
      get: (node) => readDoubles(node.content(EXPLICIT_BOUNDS)),
      set: (node, value) => node.setContent(EXPLICIT_BOUNDS, packDoubles(listOf(value).map(expectDouble))),
    }),
    scale: only(EXPONENTIAL, zigzag(SCALE)),
    zero_count: only(EXPONENTIAL, integer(ZERO_COUNT)),
    'positive.offset': only(EXPONENTIAL, inside(POSITIVE, zigzag(OFFSET))),
    'positive.bucket_counts': only(EXPONENTIAL, inside(POSITIVE, bucketList)),
    'negative.offset': only(EXPONENTIAL, inside(NEGATIVE, zigzag(OFFSET))),
    'negative.bucket_counts': only(EXPONENTIAL, inside(NEGATIVE, bucketList)),
    quantile_values: readOnly('quantile_values', (context) =>
      context.metricKind!.name === 'summary' ? countOf(point(context), QUANTILES) : null,
    ),
    exemplars: readOnly('exemplars', (context) => {
      const tag = EXEMPLARS[context.metricKind!.name];
      return tag === undefined ? null : countOf(point(context), tag);
    }),
  });

const EXEMPLARS: Readonly<Partial<Record<Kind, number>>> = {
  gauge: delimited(5),
  sum: delimited(5),
  histogram: delimited(8),
  exponential_histogram: delimited(11),
};

const countOf = (node: MessageNode, tag: number): null[] =>
  new Array<null>(node.children(tag).length).fill(null);

/** An access to a field of a message. */
interface Part {
  readonly get: (node: MessageNode) => OttlValue;
  readonly set: (node: MessageNode, value: OttlValue) => void;
}

/** Data points of other kinds don't have it: nil, and setting it does nothing. */
function only(kinds: readonly Kind[], part: Part): Access {
  const has = (context: OttlContext) => kinds.includes(context.metricKind!.name);
  return {
    get: (context) => (has(context) ? part.get(point(context)) : null),
    set: (context, value) => {
      if (has(context)) part.set(point(context), value);
    },
  };
}

/** The same in a nested message. */
function inside(tag: number, part: Part): Part {
  return {
    get: (node) => part.get(node.child(tag)),
    set: (node, value) => part.set(node.child(tag), value),
  };
}

function integer(tag: number): Part {
  return {
    get: (node) => BigInt.asIntN(64, node.uint64(tag)),
    set: (node, value) => node.setInteger(tag, expectInt(value)),
  };
}

function double(tag: number): Part {
  return {
    get: (node) => node.double(tag) ?? 0,
    set: (node, value) => node.setDouble(tag, expectDouble(value)),
  };
}

/** A `sint32`. */
function zigzag(tag: number): Part {
  return {
    get: (node) => {
      const bits = node.uint32(tag);
      return BigInt((bits >>> 1) ^ -(bits & 1));
    },
    set: (node, value) => {
      const number = Number(BigInt.asIntN(32, expectInt(value)));
      node.setInteger(tag, BigInt(((number << 1) ^ (number >> 31)) >>> 0));
    },
  };
}

const bucketList: Part = {
  get: (node) => readVarints(node.content(BUCKETS)),
  set: (node, value) => node.setContent(BUCKETS, packVarints(listOf(value).map(expectInt))),
};

function listOf(value: OttlValue): readonly OttlValue[] {
  if (!Array.isArray(value)) throw new OttlError(`expects a list but got ${typeName(value)}`);
  return value;
}

function expectDouble(value: OttlValue): number {
  if (typeof value !== 'number') throw new OttlError(`expects float64 but got ${typeName(value)}`);
  return value;
}
