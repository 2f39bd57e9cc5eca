import type { MessageNode } from '../../otlp/message-node.js';
import { DATA_POINT, kindOfMetric, METRIC_KINDS } from '../../otlp/metric-points.js';
import { field } from '../../otlp/wire-reader.js';
import type { Access, OttlContext } from '../context.js';
import { expectGo } from '../values.js';
import { attribute, attributeMap, text } from './fields.js';
import { lookUp, type PathParts, type PathResult } from './look-up.js';
import { partList } from './parts.js';

const TEMPORALITY = field.varint(2);
const IS_MONOTONIC = field.varint(3);
const METADATA = field.delimited(12);

const metric = (context: OttlContext) => context.item!;

export const metricPath = (parts: PathParts): PathResult =>
  lookUp(parts, {
    name: text(metric, field.delimited(1)),
    description: text(metric, field.delimited(2)),
    unit: text(metric, field.delimited(3)),
    type: {
      get: (context) => {
        const kind = kindOfMetric(metric(context));
        return kind === undefined ? 0n : BigInt(METRIC_KINDS.indexOf(kind) + 1);
      },
      // Setting it does nothing: there is no sensible way to turn any kind into any other.
      set: () => {},
    },
    aggregation_temporality: temporality,
    is_monotonic: monotonic,
    data_points: partList(
      (context) => {
        const kind = kindOfMetric(metric(context));
        if (kind === undefined) return undefined;
        return { node: metric(context).child(kind.tag), tag: DATA_POINT, goType: `${kind.pointType}Slice` };
      },
      () => undefined,
    ),
    metadata: (keys) =>
      keys.length === 0 ? attributeMap(metric, () => METADATA) : attribute(metric, () => METADATA, keys),
  });

function dataOf(node: MessageNode, ...names: readonly string[]): MessageNode | undefined {
  const kind = kindOfMetric(node);
  if (kind === undefined || (names.length > 0 && !names.includes(kind.name))) return undefined;
  return node.child(kind.tag);
}

/** Sums and histograms have one; for others it is nil, and setting it does nothing. */
const temporality: Access = {
  get: (context) => {
    const data = dataOf(metric(context), 'sum', 'histogram', 'exponential_histogram');
    return data === undefined ? null : BigInt(data.uint32(TEMPORALITY));
  },
  set: (context, value) => {
    const number = expectGo<bigint>(value, 'int64');
    dataOf(metric(context), 'sum', 'histogram', 'exponential_histogram')?.setInteger(
      TEMPORALITY,
      BigInt.asUintN(31, number),
    );
  },
};

const monotonic: Access = {
  get: (context) => {
    const data = dataOf(metric(context), 'sum');
    return data === undefined ? null : data.uint32(IS_MONOTONIC) !== 0;
  },
  set: (context, value) => {
    const isMonotonic = expectGo<boolean>(value, 'bool');
    dataOf(metric(context), 'sum')?.setInteger(IS_MONOTONIC, isMonotonic ? 1n : 0n);
  },
};
