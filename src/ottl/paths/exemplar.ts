import { field } from '../../otlp/wire-reader.js';
import type { Access, OttlContext } from '../context.js';
import { expectGo } from '../values.js';
import { attribute, attributeMap, id, idText, int64, time } from './fields.js';
import { lookUp, type PathParts, type PathResult } from './look-up.js';

const { delimited, fixed64 } = field;
const AS_DOUBLE = fixed64(3);
const AS_INT = fixed64(6);
const ATTRIBUTES = delimited(7);

const exemplar = (context: OttlContext) => context.exemplar!;

export const exemplarPath = (parts: PathParts): PathResult =>
  lookUp(parts, {
    time_unix_nano: int64(exemplar, fixed64(2)),
    time: time(exemplar, fixed64(2)),
    double_value: doubleValue,
    int_value: intValue,
    trace_id: id(exemplar, delimited(5), 16),
    'trace_id.string': idText(exemplar, delimited(5), 16),
    span_id: id(exemplar, delimited(4), 8),
    'span_id.string': idText(exemplar, delimited(4), 8),
    filtered_attributes: (keys) =>
      keys.length === 0
        ? attributeMap(exemplar, () => ATTRIBUTES)
        : attribute(exemplar, () => ATTRIBUTES, keys),
  });

const doubleValue: Access = {
  get: (context) => exemplar(context).double(AS_DOUBLE) ?? 0,
  set: (context, value) => {
    const number = expectGo<number>(value, 'float64');
    exemplar(context).remove(AS_INT);
    exemplar(context).setDouble(AS_DOUBLE, number);
  },
};

const intValue: Access = {
  get: (context) => BigInt.asIntN(64, exemplar(context).uint64(AS_INT)),
  set: (context, value) => {
    const number = expectGo<bigint>(value, 'int64');
    exemplar(context).remove(AS_DOUBLE);
    exemplar(context).setInteger(AS_INT, number);
  },
};
