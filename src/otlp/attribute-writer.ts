/**
 * Attributes (`KeyValue`, `AnyValue`) straight to bytes.
 * Source: opentelemetry-proto v1.11, common/v1/common.proto (field numbers: any-value-fields.ts).
 */
import { ARRAY, BOOL, BYTES, DOUBLE, INT, ITEM, KEY, MAP, STRING, VALUE } from './any-value-fields.js';
import { MAX_VALUE_DEPTH } from './malformed-error.js';
import { varintSize, type WireWriter } from './wire-writer.js';

/**
 * What may be written as an attribute's value.
 *
 * A `number` becomes an int when it is a safe integer and a double otherwise; `{ double: 1 }` forces a double. `bigint`
 * is an int of 64 bits. Arrays may mix types. `null` is an empty value. `{ map: ... }` is a KeyValueList.
 */
export type AttributeInput =
  | string
  | number
  | bigint
  | boolean
  | null
  | Uint8Array
  | { readonly double: number }
  | { readonly map: AttributesInput }
  | readonly AttributeInput[];

/** Entries whose value is undefined are left out. */
export type AttributesInput = Readonly<Record<string, AttributeInput | undefined>>;

/** Encoded key fields (tag, length, UTF-8). Bounded, since keys may come from users' data. */
const keyFields = new Map<string, Uint8Array>();
const MAX_KEYS = 4096;
const MAX_CACHED_KEY = 256;
const encoder = new TextEncoder();

function keyField(key: string): Uint8Array {
  const cached = keyFields.get(key);
  if (cached !== undefined) return cached;
  const text = encoder.encode(key);
  const lengthSize = varintSize(text.length);
  const bytes = new Uint8Array(1 + lengthSize + text.length);
  bytes[0] = KEY;
  let rest = text.length;
  for (let index = 1; index <= lengthSize; index++, rest >>>= 7) {
    bytes[index] = (rest & 0x7f) | (index < lengthSize ? 0x80 : 0);
  }
  bytes.set(text, 1 + lengthSize);
  if (key.length <= MAX_CACHED_KEY) {
    if (keyFields.size >= MAX_KEYS) keyFields.clear();
    keyFields.set(key, bytes);
  }
  return bytes;
}

/** Writes every attribute as a field with `tag` of the current message. */
export function writeAttributes(writer: WireWriter, tag: number, attributes: AttributesInput): void {
  for (const key in attributes) {
    const value = attributes[key];
    if (value !== undefined) writeAttribute(writer, tag, key, value);
  }
}

/** Writes one attribute as a field with `tag` of the current message. */
export function writeAttribute(writer: WireWriter, tag: number, key: string, value: AttributeInput): void {
  const encodedKey = keyField(key);
  if (encodedKey.length + longestValue(value) <= 120) {
    writeShort(writer, tag, encodedKey, value);
    return;
  }
  const mark = writer.open(tag, 2);
  writer.raw(encodedKey);
  const valueMark = writer.open(VALUE, 2);
  writeAnyValue(writer, value);
  writer.close(valueMark);
  writer.close(mark);
}

/** At least the bytes of the encoded value, or 1000 where looking would take longer than it saves. */
function longestValue(value: AttributeInput): number {
  if (typeof value === 'string') return 3 * value.length + 2;
  if (typeof value !== 'object') return 11;
  return value !== null && 'double' in value ? 9 : 1000;
}

/** The usual attribute, a short scalar: its lengths fit one byte each whatever the value is, so nothing ever moves. */
function writeShort(writer: WireWriter, tag: number, encodedKey: Uint8Array, value: AttributeInput): void {
  writer.reserve(160);
  writer.varint(tag);
  const { bytes } = writer;
  const at = writer.pos;
  const keyLength = encodedKey.length;
  for (let index = 0; index < keyLength; index++) bytes[at + 1 + index] = encodedKey[index]!;
  const valueAt = at + 2 + keyLength;
  bytes[valueAt - 1] = VALUE;
  writer.pos = valueAt + 1;
  writeAnyValue(writer, value);
  // 160 bytes are enough for a tag and 120 bytes, so the array is still the same.
  bytes[valueAt] = writer.pos - valueAt - 1;
  bytes[at] = writer.pos - at - 1;
}

/** Writes the fields of an AnyValue into the current message. Throws `RangeError` when nested too deep. */
export function writeAnyValue(writer: WireWriter, value: AttributeInput, depth = 0): void {
  switch (typeof value) {
    case 'string':
      writer.stringField(STRING, value);
      return;
    case 'number':
      if (Number.isSafeInteger(value) && !Object.is(value, -0)) {
        writer.varint(INT);
        writer.int64(value);
      } else writer.doubleField(DOUBLE, value);
      return;
    case 'boolean':
      writer.varintField(BOOL, value ? 1 : 0);
      return;
    case 'bigint':
      writer.varint(INT);
      writer.int64(value);
      return;
    default:
      if (value !== null) writeObject(writer, value, depth);
  }
}

function writeObject(writer: WireWriter, value: Exclude<AttributeInput & object, null>, depth: number): void {
  if (depth >= MAX_VALUE_DEPTH) throw new RangeError(`Values are nested deeper than ${MAX_VALUE_DEPTH}.`);
  if (value instanceof Uint8Array) {
    writer.bytesField(BYTES, value);
    return;
  }
  if (isArray(value)) {
    const mark = writer.open(ARRAY, 1);
    for (const item of value) {
      const itemMark = writer.open(ITEM, 1);
      writeAnyValue(writer, item, depth + 1);
      writer.close(itemMark);
    }
    writer.close(mark);
    return;
  }
  if ('double' in value) {
    writer.doubleField(DOUBLE, value.double);
    return;
  }
  const mark = writer.open(MAP, 1);
  for (const key in value.map) {
    const entry = value.map[key];
    if (entry === undefined) continue;
    const entryMark = writer.open(ITEM, 1);
    writer.raw(keyField(key));
    const valueMark = writer.open(VALUE, 1);
    writeAnyValue(writer, entry, depth + 1);
    writer.close(valueMark);
    writer.close(entryMark);
  }
  writer.close(mark);
}

/** `Array.isArray` does not narrow readonly arrays. */
const isArray = (value: object): value is readonly AttributeInput[] => Array.isArray(value);
