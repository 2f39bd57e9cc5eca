/**
 * Attribute values (`AnyValue`, `KeyValue`) read from bytes.
 * Source: opentelemetry-proto v1.11, common/v1/common.proto.
 *
 *     KeyValue      1 key (string)  2 value (AnyValue)
 *     AnyValue      1 string  2 bool  3 int (varint)  4 double  5 ArrayValue  6 KeyValueList  7 bytes
 *     ArrayValue    1 values (AnyValue, repeated)
 *     KeyValueList  1 values (KeyValue, repeated)
 */
import { MAX_VALUE_DEPTH, MalformedError } from './malformed-error.js';
import { readText, WireReader, WireType } from './wire-reader.js';

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

const KEY = (1 << 3) | WireType.delimited;
const VALUE = (2 << 3) | WireType.delimited;
const STRING = (1 << 3) | WireType.delimited;
const BOOL = (2 << 3) | WireType.varint;
const INT = (3 << 3) | WireType.varint;
const DOUBLE = (4 << 3) | WireType.fixed64;
const ARRAY = (5 << 3) | WireType.delimited;
const MAP = (6 << 3) | WireType.delimited;
const BYTES = (7 << 3) | WireType.delimited;
const ITEM = (1 << 3) | WireType.delimited;

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
  if (depth > MAX_VALUE_DEPTH) {
    throw new MalformedError('ERR_OTLP_DEPTH', `Values are nested deeper than ${MAX_VALUE_DEPTH}.`, start);
  }
  const reader = new WireReader(bytes, start, end);
  let value: AttributeValue = null;
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    switch (tag) {
      case STRING:
        value = reader.string();
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
        reader.delimited();
        value = readArray(bytes, reader.start, reader.pos, depth + 1);
        break;
      case MAP:
        reader.delimited();
        value = readMap(bytes, reader.start, reader.pos, depth + 1);
        break;
      case BYTES:
        reader.delimited();
        value = bytes.slice(reader.start, reader.pos);
        break;
      default:
        reader.skip(tag);
    }
  }
  return value;
}

function readArray(bytes: Uint8Array, start: number, end: number, depth: number): AttributeValue[] {
  const reader = new WireReader(bytes, start, end);
  const values: AttributeValue[] = [];
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === ITEM) {
      reader.delimited();
      values.push(readAnyValue(bytes, reader.start, reader.pos, depth));
    } else reader.skip(tag);
  }
  return values;
}

function readMap(bytes: Uint8Array, start: number, end: number, depth: number): Attributes {
  const reader = new WireReader(bytes, start, end);
  const map: Record<string, AttributeValue> = {};
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === ITEM) {
      reader.delimited();
      readKeyValue(bytes, reader.start, reader.pos, map, depth);
    } else reader.skip(tag);
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
  const reader = new WireReader(bytes, start, end);
  let key = '';
  let value: AttributeValue = null;
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === KEY) key = reader.string();
    else if (tag === VALUE) {
      reader.delimited();
      value = readAnyValue(bytes, reader.start, reader.pos, depth);
    } else reader.skip(tag);
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
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === attributeTag) {
      reader.delimited();
      readKeyValue(bytes, reader.start, reader.pos, into);
    } else reader.skip(tag);
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
  const reader = new WireReader(bytes, start, end);
  let found: AttributeValue | undefined;
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag !== attributeTag) {
      reader.skip(tag);
      continue;
    }
    const from = reader.delimited();
    // Every encoder writes the key first: a key of another length or text ends the comparison here. The full reading
    // below decides when the message starts otherwise.
    if (bytes[from] === KEY && reader.pos - from > 2) {
      const length = bytes[from + 1]!;
      const next = from + 2 + length;
      if (length < 0x80 && bytes[next] === VALUE && next < reader.pos) {
        if (length !== key.length || !startsWith(bytes, from + 2, key)) continue;
      }
    }
    const value = readIfKey(bytes, from, reader.pos, key);
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
  let value: AttributeValue = null;
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === KEY) {
      const from = reader.delimited();
      matches = reader.pos - from === key.length && startsWith(bytes, from, key);
    } else if (tag === VALUE) {
      reader.delimited();
      if (matches) value = readAnyValue(bytes, reader.start, reader.pos);
    } else reader.skip(tag);
  }
  return matches ? value : undefined;
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

/** Text of the KeyValue's key in `bytes[start, end)`, for callers that only list keys. */
export function readKey(bytes: Uint8Array, start: number, end: number): string {
  const reader = new WireReader(bytes, start, end);
  let key = '';
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === KEY) {
      const from = reader.delimited();
      key = readText(bytes, from, reader.pos);
    } else reader.skip(tag);
  }
  return key;
}
