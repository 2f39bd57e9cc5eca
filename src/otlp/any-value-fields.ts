/**
 * Tags of the fields of attributes, for the readers and writers of them.
 * Source: opentelemetry-proto v1.11, common/v1/common.proto.
 *
 *     KeyValue      1 key (string)  2 value (AnyValue)
 *     AnyValue      1 string  2 bool  3 int (varint)  4 double  5 ArrayValue  6 KeyValueList  7 bytes
 *     ArrayValue    1 values (AnyValue, repeated)
 *     KeyValueList  1 values (KeyValue, repeated)
 */
import { field } from './wire-reader.js';

export const KEY = field.delimited(1);
export const VALUE = field.delimited(2);

export const STRING = field.delimited(1);
export const BOOL = field.varint(2);
export const INT = field.varint(3);
export const DOUBLE = field.fixed64(4);
export const ARRAY = field.delimited(5);
export const MAP = field.delimited(6);
export const BYTES = field.delimited(7);

/** Of an ArrayValue and of a KeyValueList. */
export const ITEM = field.delimited(1);
