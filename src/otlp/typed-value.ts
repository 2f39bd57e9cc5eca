/**
 * Attribute values that keep their type: an int is a `bigint` and a double is a `number`, so what was read can be
 * written again as what it was. For code that edits attributes; `any-value.ts` is faster and nicer for readers.
 * Source: opentelemetry-proto v1.11, common/v1/common.proto (field numbers: any-value-fields.ts).
 */
import { ARRAY, BOOL, BYTES, DOUBLE, INT, ITEM, KEY, MAP, STRING, VALUE } from './any-value-fields.js';
import { MAX_VALUE_DEPTH, MalformedError } from './malformed-error.js';
import { copyOf, readKeyText, readText } from './text.js';
import { WireReader } from './wire-reader.js';
import type { WireWriter } from './wire-writer.js';

/** `null` is an empty AnyValue. Maps keep the order of their keys; of several values of a key the last one counts. */
export type TypedValue =
  | string
  | bigint
  | number
  | boolean
  | null
  | Uint8Array
  | TypedValue[]
  | Map<string, TypedValue>;

/** Reads the AnyValue in `bytes[start, end)`. Throws `MalformedError`. */
export function readTypedValue(bytes: Uint8Array, start: number, end: number, depth = 0): TypedValue {
  if (end - start >= 2 && bytes[start] === STRING) {
    const length = bytes[start + 1]!;
    if (length < 0x80 && start + 2 + length === end) return readText(bytes, start + 2, end);
  }
  if (depth > MAX_VALUE_DEPTH) {
    throw new MalformedError('ERR_OTLP_DEPTH', `Values are nested deeper than ${MAX_VALUE_DEPTH}.`, start);
  }
  const reader = new WireReader(bytes, start, end);
  let value: TypedValue = null;
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
    switch (tag) {
      case STRING:
        value = reader.text();
        break;
      case BOOL:
        reader.varint();
        value = (reader.lo | reader.hi) !== 0;
        break;
      case INT:
        reader.varint();
        value = signed64(reader.hi, reader.lo);
        break;
      case DOUBLE:
        value = reader.double();
        break;
      case ARRAY:
        value = readItems(bytes, reader.start, reader.pos, depth + 1);
        break;
      case MAP:
        value = new Map();
        readEntries(bytes, reader.start, reader.pos, ITEM, value, depth + 1);
        break;
      case BYTES:
        value = copyOf(bytes, reader.start, reader.pos);
        break;
    }
  }
  return value;
}

function readItems(bytes: Uint8Array, start: number, end: number, depth: number): TypedValue[] {
  const reader = new WireReader(bytes, start, end);
  const values: TypedValue[] = [];
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
    if (tag === ITEM) values.push(readTypedValue(bytes, reader.start, reader.pos, depth));
  }
  return values;
}

/** Reads every KeyValue among the fields `tag` of the message `bytes[start, end)` into `into`. */
export function readEntries(
  bytes: Uint8Array,
  start: number,
  end: number,
  tag: number,
  into: Map<string, TypedValue>,
  depth = 0,
): void {
  const reader = new WireReader(bytes, start, end);
  for (let found = reader.next(); found !== 0; found = reader.next()) {
    if (found === tag) readEntry(bytes, reader.start, reader.pos, into, depth);
  }
}

/** Reads the KeyValue `bytes[start, end)` into `into`. */
export function readEntry(
  bytes: Uint8Array,
  start: number,
  end: number,
  into: Map<string, TypedValue>,
  depth = 0,
): void {
  const reader = new WireReader(bytes, start, end);
  let key = '';
  let value: TypedValue = null;
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
    if (tag === KEY) key = readKeyText(bytes, reader.start, reader.pos);
    else if (tag === VALUE) value = readTypedValue(bytes, reader.start, reader.pos, depth);
  }
  into.set(key, value);
}

/** Writes the fields of an AnyValue into the current message. Throws `RangeError` when nested too deep. */
export function writeTypedValue(writer: WireWriter, value: TypedValue, depth = 0): void {
  switch (typeof value) {
    case 'string':
      writer.stringField(STRING, value);
      return;
    case 'bigint':
      writer.varint(INT);
      writer.int64(value);
      return;
    case 'number':
      writer.doubleField(DOUBLE, value);
      return;
    case 'boolean':
      writer.varintField(BOOL, value ? 1 : 0);
      return;
  }
  if (value === null) return;
  if (depth >= MAX_VALUE_DEPTH) throw new RangeError(`Values are nested deeper than ${MAX_VALUE_DEPTH}.`);
  if (value instanceof Uint8Array) {
    writer.bytesField(BYTES, value);
    return;
  }
  const isMap = value instanceof Map;
  const mark = writer.open(isMap ? MAP : ARRAY, 1);
  if (isMap) for (const [key, item] of value) writeEntry(writer, ITEM, key, item, depth + 1);
  else {
    for (const item of value) {
      const itemMark = writer.open(ITEM, 1);
      writeTypedValue(writer, item, depth + 1);
      writer.close(itemMark);
    }
  }
  writer.close(mark);
}

/** Writes a KeyValue as a field with `tag` of the current message. */
export function writeEntry(writer: WireWriter, tag: number, key: string, value: TypedValue, depth = 0): void {
  const mark = writer.open(tag, 1);
  writer.stringField(KEY, key);
  const valueMark = writer.open(VALUE, 1);
  writeTypedValue(writer, value, depth);
  writer.close(valueMark);
  writer.close(mark);
}

/** The signed 64-bit integer with these halves. */
export const signed64 = (hi: number, lo: number): bigint => (BigInt(hi | 0) << 32n) | BigInt(lo >>> 0);

/** The Collector's name (pdata's) of the type of a value. */
export function kindName(value: TypedValue): string {
  switch (typeof value) {
    case 'string':
      return 'Str';
    case 'bigint':
      return 'Int';
    case 'number':
      return 'Double';
    case 'boolean':
      return 'Bool';
  }
  if (value === null) return 'Empty';
  if (value instanceof Uint8Array) return 'Bytes';
  return Array.isArray(value) ? 'Slice' : 'Map';
}
