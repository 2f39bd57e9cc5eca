/**
 * Attribute values (`AnyValue`, `KeyValue`) read from bytes.
 * Source: opentelemetry-proto v1.11, common/v1/common.proto (field numbers: any-value-fields.ts).
 */
import { ARRAY, BOOL, BYTES, DOUBLE, INT, ITEM, KEY, MAP, STRING, VALUE } from './any-value-fields.js';
import { contentStart, fieldEnd, tagAt } from './field-end.js';
import { MAX_VALUE_DEPTH, MalformedError } from './malformed-error.js';
import { copyOf, readKeyText, readText } from './text.js';
import { WireReader } from './wire-reader.js';

/**
 * A value as JavaScript sees it. Integers are `number` when that is exact and `bigint` otherwise, so an int and a double
 * of the same value look alike: whoever must tell them apart uses OTLP/JSON or the bytes. `null` is an empty AnyValue.
 */
export type AttributeValue =
  | string
  | number
  | bigint
  | boolean
  | null
  | Uint8Array
  | readonly AttributeValue[]
  | { readonly [key: string]: AttributeValue };

export type Attributes = Readonly<Record<string, AttributeValue>>;

/** The signed 64-bit integer with these halves: a `number` when exact, else a `bigint`. */
export function intFrom(hi: number, lo: number): number | bigint {
  const high = hi | 0;
  if (high >= -0x20_0000 && high < 0x20_0000) {
    const value = high * 0x1_0000_0000 + lo;
    if (Number.isSafeInteger(value)) return value;
  }
  return (BigInt(high) << 32n) | BigInt(lo);
}

/** Reads the AnyValue in `bytes[start, end)`. The last of several values wins, as in every protobuf decoder. */
export function readAnyValue(bytes: Uint8Array, start: number, end: number, depth = 0): AttributeValue {
  // Nearly every value is one short text (`0a LENGTH text`) or a small int (`18 varint`).
  if (end - start >= 2) {
    const first = bytes[start]!;
    const second = bytes[start + 1]!;
    if (first === STRING && second < 0x80 && start + 2 + second === end)
      return readText(bytes, start + 2, end);
    if (first === INT) {
      if (end - start === 2 && second < 0x80) return second;
      if (end - start === 3 && second >= 0x80 && bytes[start + 2]! < 0x80) {
        return (second & 0x7f) | (bytes[start + 2]! << 7);
      }
    }
  }
  if (depth > MAX_VALUE_DEPTH) {
    throw new MalformedError('ERR_OTLP_DEPTH', `Values are nested deeper than ${MAX_VALUE_DEPTH}.`, start);
  }
  const reader = new WireReader(bytes, start, end);
  let value: AttributeValue = null;
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
        value = intFrom(reader.hi, reader.lo);
        break;
      case DOUBLE:
        value = reader.double();
        break;
      case ARRAY:
        value = readArray(bytes, reader.start, reader.pos, depth + 1);
        break;
      case MAP:
        value = readMap(bytes, reader.start, reader.pos, depth + 1);
        break;
      case BYTES:
        value = copyOf(bytes, reader.start, reader.pos);
        break;
    }
  }
  return value;
}

function readArray(bytes: Uint8Array, start: number, end: number, depth: number): AttributeValue[] {
  const reader = new WireReader(bytes, start, end);
  const values: AttributeValue[] = [];
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
    if (tag === ITEM) values.push(readAnyValue(bytes, reader.start, reader.pos, depth));
  }
  return values;
}

function readMap(bytes: Uint8Array, start: number, end: number, depth: number): Attributes {
  const reader = new WireReader(bytes, start, end);
  const map: Record<string, AttributeValue> = {};
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
    if (tag === ITEM) readKeyValue(bytes, reader.start, reader.pos, map, depth);
  }
  return map;
}

/** Reads the KeyValue in `bytes[start, end)` into `into`. The last of several values of one key wins. */
export function readKeyValue(
  bytes: Uint8Array,
  start: number,
  end: number,
  into: Record<string, AttributeValue>,
  depth = 0,
): void {
  // `0a KEYLENGTH key 12 VALUELENGTH value`, as every encoder writes it.
  const keyEnd = start + 2 + (end - start > 2 ? bytes[start + 1]! : 0);
  if (keyEnd + 2 <= end && bytes[start] === KEY && bytes[start + 1]! < 0x80 && bytes[keyEnd] === VALUE) {
    if (bytes[keyEnd + 1]! < 0x80 && keyEnd + 2 + bytes[keyEnd + 1]! === end) {
      setOwn(into, readKeyText(bytes, start + 2, keyEnd), readAnyValue(bytes, keyEnd + 2, end, depth));
      return;
    }
  }
  const reader = new WireReader(bytes, start, end);
  let key = '';
  let value: AttributeValue = null;
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
    if (tag === KEY) key = readKeyText(bytes, reader.start, reader.pos);
    else if (tag === VALUE) value = readAnyValue(bytes, reader.start, reader.pos, depth);
  }
  setOwn(into, key, value);
}

/** Sets an own property even when the key is `__proto__`, which a hostile sender may choose. */
function setOwn(target: Record<string, AttributeValue>, key: string, value: AttributeValue): void {
  if (key === '__proto__') {
    Object.defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true });
  } else target[key] = value;
}

/**
 * Reads all attributes among the fields of the message `bytes[start, end)`, whose attribute field has tag
 * `attributeTag`.
 */
export function readAttributes(
  bytes: Uint8Array,
  start: number,
  end: number,
  attributeTag: number,
  into: Record<string, AttributeValue> = {},
): Record<string, AttributeValue> {
  const reader = new WireReader(bytes, start, end);
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
    if (tag === attributeTag) readKeyValue(bytes, reader.start, reader.pos, into);
  }
  return into;
}

/**
 * Looks for one attribute among the fields of the message `bytes[start, end)` without building the others.
 *
 * `key` is UTF-8 (see `keyBytes`). Gives undefined when the key does not occur, and the last one's value when it occurs
 * more than once: an appended value replaces the one before it.
 */
export function findAttribute(
  bytes: Uint8Array,
  start: number,
  end: number,
  attributeTag: number,
  key: Uint8Array,
): AttributeValue | undefined {
  const size = key.length;
  let found: AttributeValue | undefined;
  let next = 0;
  for (let at = start; at < end; at = next) {
    next = fieldEnd(bytes, at, end);
    const first = bytes[at]!;
    if ((first < 0x80 ? first : tagAt(bytes, at, end)) !== attributeTag) continue;
    const from = contentStart(bytes, at);
    // Every encoder writes the key first: a key of another length or text ends the comparison here. The full reading
    // below decides when the message starts otherwise.
    if (next - from > 2 && bytes[from] === KEY) {
      const length = bytes[from + 1]!;
      const valueAt = from + 2 + length;
      if (length < 0x80 && valueAt < next && bytes[valueAt] === VALUE) {
        if (length !== size || !startsWith(bytes, from + 2, key)) continue;
        const valueLength = bytes[valueAt + 1]!;
        if (valueLength < 0x80 && valueAt + 2 + valueLength === next) {
          found = readAnyValue(bytes, valueAt + 2, next);
          continue;
        }
      }
    }
    const value = readIfKey(bytes, from, next, key);
    if (value !== undefined) found = value;
  }
  return found;
}

function readIfKey(
  bytes: Uint8Array,
  start: number,
  end: number,
  key: Uint8Array,
): AttributeValue | undefined {
  const reader = new WireReader(bytes, start, end);
  let matches = key.length === 0;
  let valueAt = -1;
  let valueEnd = 0;
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
    if (tag === KEY)
      matches = reader.pos - reader.start === key.length && startsWith(bytes, reader.start, key);
    else if (tag === VALUE) {
      valueAt = reader.start;
      valueEnd = reader.pos;
    }
  }
  if (!matches) return undefined;
  return valueAt < 0 ? null : readAnyValue(bytes, valueAt, valueEnd);
}

function startsWith(bytes: Uint8Array, at: number, key: Uint8Array): boolean {
  for (let index = 0; index < key.length; index++) if (bytes[at + index] !== key[index]) return false;
  return true;
}

/** Keys that were asked for before, in UTF-8. Bounded: keys come from our own code and from configuration. */
const keys = new Map<string, Uint8Array>();
const MAX_KEYS = 4096;
const encoder = new TextEncoder();

/** UTF-8 of an attribute key, cached. */
export function keyBytes(key: string): Uint8Array {
  let bytes = keys.get(key);
  if (bytes === undefined) {
    bytes = encoder.encode(key);
    if (keys.size >= MAX_KEYS) keys.clear();
    keys.set(key, bytes);
  }
  return bytes;
}
