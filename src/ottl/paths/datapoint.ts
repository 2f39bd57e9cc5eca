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
import { expectGo, GoList, OttlError, type OttlValue, typeName } from '../values.js';
import { attribute, attributeMap, int64, time } from './fields.js';
import { lookUp, type PathParts, type PathResult } from './look-up.js';
import { onePart, partList } from './parts.js';

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
const EXPONENTIAL_TYPE = 'pmetric.ExponentialHistogramDataPoint';
const BUCKETS_TYPE = 'pmetric.ExponentialHistogramDataPointBuckets';

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
    value_double: only(NUMBERS, 'pmetric.NumberDataPoint', {
      get: (node) => node.double(AS_DOUBLE) ?? 0,
      check: (value) => expectGo<number>(value, 'float64'),
      set: (node, value) => {
        node.remove(AS_INT);
        node.setDouble(AS_DOUBLE, value);
      },
    }),
    value_int: only(NUMBERS, 'pmetric.NumberDataPoint', {
      get: (node) => BigInt.asIntN(64, node.uint64(AS_INT)),
      check: (value) => expectGo<bigint>(value, 'int64'),
      set: (node, value) => {
        node.remove(AS_DOUBLE);
        node.setInteger(AS_INT, value);
      },
    }),
    flags: {
      get: (context) => BigInt(point(context).uint32(context.metricKind!.flags)),
      set: (context, value) =>
        point(context).setInteger(
          context.metricKind!.flags,
          BigInt.asUintN(32, expectGo<bigint>(value, 'int64')),
        ),
    },
    count: only(WITH_COUNT, undefined, integer(COUNT)),
    sum: only(WITH_COUNT, undefined, double(SUM)),
    bucket_counts: only(
      ['histogram'],
      'pmetric.HistogramDataPoint',
      counts(BUCKET_COUNTS, readFixed64s, packFixed64s),
    ),
    explicit_bounds: only(['histogram'], 'pmetric.HistogramDataPoint', {
      get: (node) => GoList.named('[]float64', readDoubles(node.content(EXPLICIT_BOUNDS))),
      set: (node, value) => {
        if (value === null) node.remove(EXPLICIT_BOUNDS);
        else node.setContent(EXPLICIT_BOUNDS, packDoubles(doublesOf(value)));
      },
    }),
    scale: only(EXPONENTIAL, EXPONENTIAL_TYPE, zigzag(SCALE)),
    zero_count: only(EXPONENTIAL, EXPONENTIAL_TYPE, integer(ZERO_COUNT)),
    positive: buckets(POSITIVE),
    'positive.offset': only(EXPONENTIAL, EXPONENTIAL_TYPE, inside(POSITIVE, zigzag(OFFSET))),
    'positive.bucket_counts': only(EXPONENTIAL, EXPONENTIAL_TYPE, inside(POSITIVE, bucketList)),
    negative: buckets(NEGATIVE),
    'negative.offset': only(EXPONENTIAL, EXPONENTIAL_TYPE, inside(NEGATIVE, zigzag(OFFSET))),
    'negative.bucket_counts': only(EXPONENTIAL, EXPONENTIAL_TYPE, inside(NEGATIVE, bucketList)),
    quantile_values: partList(
      (context) =>
        context.metricKind!.name === 'summary'
          ? { node: point(context), tag: QUANTILES, goType: 'pmetric.SummaryDataPointValueAtQuantileSlice' }
          : undefined,
      wrongType('pmetric.SummaryDataPoint'),
    ),
    exemplars: partList((context) => {
      const tag = context.metricKind!.exemplars;
      return tag === undefined ? undefined : { node: point(context), tag, goType: 'pmetric.ExemplarSlice' };
    }, unsupported),
  });

const wrongType = (goType: string) => (context: OttlContext) =>
  `expects ${goType} but got ${context.metricKind!.pointType}`;

const unsupported = ({ metricKind }: OttlContext) => `unsupported data point type: ${metricKind!.pointType}`;

const buckets = (tag: number): Access =>
  onePart(
    (context) =>
      context.metricKind!.name === 'exponential_histogram'
        ? { node: point(context), tag, goType: BUCKETS_TYPE }
        : undefined,
    BUCKETS_TYPE,
    wrongType(EXPONENTIAL_TYPE),
  );

/** An access to a field of a message. `check`, where there is one, comes before anything about the message. */
interface Part<T extends OttlValue> {
  readonly get: (node: MessageNode) => OttlValue;
  readonly check?: (value: OttlValue) => T;
  readonly set: (node: MessageNode, value: T) => void;
}

/** Data points of other kinds don't have it: nil, and setting it is an error that names `goType`. */
function only<T extends OttlValue>(
  kinds: readonly Kind[],
  goType: string | undefined,
  part: Part<T>,
): Access {
  const has = (context: OttlContext) => kinds.includes(context.metricKind!.name);
  const refuse = goType === undefined ? unsupported : wrongType(goType);
  return {
    get: (context) => (has(context) ? part.get(point(context)) : null),
    set: (context, value) => {
      const checked = part.check === undefined ? (value as T) : part.check(value);
      if (!has(context)) throw new OttlError(refuse(context));
      part.set(point(context), checked);
    },
  };
}

/** The same in a nested message. */
function inside<T extends OttlValue>(tag: number, part: Part<T>): Part<T> {
  return {
    ...part,
    get: (node) => part.get(node.child(tag)),
    set: (node, value) => part.set(node.child(tag), value),
  };
}

function integer(tag: number): Part<bigint> {
  return {
    get: (node) => BigInt.asIntN(64, node.uint64(tag)),
    check: (value) => expectGo<bigint>(value, 'int64'),
    set: (node, value) => node.setInteger(tag, value),
  };
}

function double(tag: number): Part<number> {
  return {
    get: (node) => node.double(tag) ?? 0,
    check: (value) => expectGo<number>(value, 'float64'),
    set: (node, value) => node.setDouble(tag, value),
  };
}

/** A `sint32`. */
function zigzag(tag: number): Part<bigint> {
  return {
    get: (node) => {
      const bits = node.uint32(tag);
      return BigInt((bits >>> 1) ^ -(bits & 1));
    },
    check: (value) => expectGo<bigint>(value, 'int64'),
    set: (node, value) => {
      const number = Number(BigInt.asIntN(32, value));
      node.setInteger(tag, BigInt(((number << 1) ^ (number >> 31)) >>> 0));
    },
  };
}

/** A list of unsigned ints, written as `pack` does. */
function counts(
  tag: number,
  read: (content: Uint8Array) => bigint[],
  pack: (values: readonly bigint[]) => Uint8Array,
): Part<OttlValue> {
  return {
    get: (node) => GoList.named('[]uint64', read(node.content(tag))),
    set: (node, value) => {
      if (value === null) node.remove(tag);
      else node.setContent(tag, pack(intsOf(value)));
    },
  };
}

const bucketList = counts(BUCKETS, readVarints, packVarints);

function intsOf(value: OttlValue): bigint[] {
  if (!Array.isArray(value)) {
    throw new OttlError(`cannot set a slice of ${typeName(value)} from a value type: uint64`);
  }
  const what = value instanceof GoList ? 'a slice of uint64' : 'slice of uint64';
  return value.map((one) => {
    if (typeof one === 'bigint') return one;
    throw new OttlError(`invalid value type provided for ${what}: ${rawTypeName(one)}, expected int64`);
  });
}

function doublesOf(value: OttlValue): number[] {
  if (!Array.isArray(value)) {
    throw new OttlError(`invalid type provided for setting a slice of ${typeName(value)}: float64`);
  }
  const what = value instanceof GoList ? 'float64' : '[]float64';
  return value.map((one) => {
    if (typeof one === 'number') return one;
    throw new OttlError(`invalid value type provided for a slice of ${what}: ${rawTypeName(one)}`);
  });
}

const rawTypeName = (value: OttlValue): string => (value === null ? '<nil>' : typeName(value));
