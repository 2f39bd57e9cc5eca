/**
 * OTLP/JSON to protobuf.
 * Sources: https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding (1.9); behaviour of the OpenTelemetry
 * Collector (pdata 1.65), which accepts more than the specification:
 *
 * - keys in lowerCamelCase or as in the .proto file; unknown ones are skipped, whatever their value
 * - ids as hex of any case, empty or all zero for "none"; bytes as standard base64 with padding
 * - 64-bit integers as numbers or texts; no fractions, no exponents, no overflow
 * - enums as numbers, also unknown ones, or as their proto names
 * - doubles also as texts, including NaN and Infinity
 * - null for a message, a list, a text, an id or bytes; not for numbers, booleans and enums
 * - anything after the object is ignored; the whole request may be `null`
 */
import { isZeroId, writeHex } from './ids.js';
import { JsonCursor } from './json-cursor.js';
import { MAX_VALUE_DEPTH } from './malformed-error.js';
import { ANY_VALUE, REQUESTS, type SignalName } from './messages.js';
import type { FieldDef, MessageDef } from './schema.js';
import { WireType } from './wire-reader.js';
import { WireWriter } from './wire-writer.js';

export { InvalidJsonError } from './json-cursor.js';

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** Encodes an OTLP/JSON request. Throws `InvalidJsonError`, which says where (`path`) and what is wrong. */
export function fromJson(signal: SignalName, json: string | Uint8Array): Uint8Array {
  const text = typeof json === 'string' ? json : decoder.decode(json);
  const cursor = new JsonCursor(text);
  const writer = new WireWriter(Math.max(256, text.length >> 1));
  readMessage(cursor, writer, REQUESTS[signal], 0);
  return writer.finish();
}

/** `depth` counts nested AnyValues. */
function readMessage(cursor: JsonCursor, writer: WireWriter, def: MessageDef, depth: number): void {
  const kind = cursor.peek();
  if (kind === 'null') {
    cursor.word('null');
    return;
  }
  if (kind !== 'object') cursor.fail(`${article(def.name)} must be an object, found ${kind}.`);
  const inner = def === ANY_VALUE ? depth + 1 : depth;
  if (inner > MAX_VALUE_DEPTH + 1) cursor.fail(`Values are nested deeper than ${MAX_VALUE_DEPTH}.`);
  cursor.open();
  for (let key = cursor.key(true); key !== undefined; key = cursor.key(false)) {
    const found = def.byName.get(key);
    if (found === undefined) {
      cursor.skip();
      continue;
    }
    cursor.path.push(key);
    if (found.repeated) readList(cursor, writer, found, inner);
    else readField(cursor, writer, found, inner);
    cursor.path.pop();
  }
}

function readList(cursor: JsonCursor, writer: WireWriter, found: FieldDef, depth: number): void {
  const kind = cursor.peek();
  if (kind === 'null') {
    cursor.word('null');
    return;
  }
  if (kind !== 'array') cursor.fail(`A list is expected, found ${kind}.`);
  cursor.open();
  const packedTag = (found.number << 3) | WireType.delimited;
  const packed = found.packed ? writer.open(packedTag, 1) : -1;
  const contentAt = writer.pos;
  let index = 0;
  for (let more = cursor.element(true); more; more = cursor.element(false)) {
    cursor.path.push(index++);
    if (found.packed) writeScalar(cursor, writer, found);
    else if (found.message !== undefined) readField(cursor, writer, found, depth);
    else {
      writer.varint((found.number << 3) | found.wireType);
      writeScalar(cursor, writer, found);
    }
    cursor.path.pop();
  }
  if (packed < 0) return;
  if (writer.pos === contentAt) writer.cancel(packedTag, packed);
  else writer.close(packed);
}

function readField(cursor: JsonCursor, writer: WireWriter, found: FieldDef, depth: number): void {
  const tag = ((found.number << 3) | found.wireType) >>> 0;
  if (found.message !== undefined) {
    const mark = writer.open(tag, 2);
    readMessage(cursor, writer, found.message, depth);
    writer.close(mark);
    return;
  }
  const before = writer.pos;
  writer.varint(tag);
  const isDefault = writeScalar(cursor, writer, found);
  if (isDefault && found.presence === 'implicit') writer.pos = before;
}

/** Writes a value without its tag. True when it is the default, which a field without presence leaves out. */
function writeScalar(cursor: JsonCursor, writer: WireWriter, found: FieldDef): boolean {
  switch (found.type) {
    case 'string': {
      const text = readText(cursor);
      writer.string(text);
      return text === '';
    }
    case 'bytes': {
      const bytes = readBase64(cursor);
      writer.delimited(bytes);
      return bytes.length === 0;
    }
    case 'traceId':
    case 'spanId':
    case 'profileId':
      return writeId(cursor, writer, found.idBytes);
    case 'bool':
      return writeBool(cursor, writer);
    case 'enum': {
      const value = readEnum(cursor, found);
      writer.int64(value);
      return value === 0;
    }
    case 'double': {
      const value = readDouble(cursor);
      writer.double(value);
      return value === 0 && !Object.is(value, -0);
    }
    case 'int32':
    case 'int64':
    case 'sfixed64':
    case 'sint32':
    case 'uint32':
    case 'fixed32':
    case 'uint64':
    case 'fixed64':
      return writeInteger(cursor, writer, found.type);
    case 'message':
      throw new TypeError('A message is not a scalar.');
  }
}

type IntegerType = 'int32' | 'int64' | 'sfixed64' | 'sint32' | 'uint32' | 'fixed32' | 'uint64' | 'fixed64';

const RANGES: Readonly<Record<IntegerType, readonly [bigint, bigint]>> = {
  int32: [-(2n ** 31n), 2n ** 31n - 1n],
  sint32: [-(2n ** 31n), 2n ** 31n - 1n],
  uint32: [0n, 2n ** 32n - 1n],
  fixed32: [0n, 2n ** 32n - 1n],
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
  sfixed64: [-(2n ** 63n), 2n ** 63n - 1n],
  uint64: [0n, 2n ** 64n - 1n],
  fixed64: [0n, 2n ** 64n - 1n],
};

function writeInteger(cursor: JsonCursor, writer: WireWriter, type: IntegerType): boolean {
  const value = readInteger(cursor, type);
  switch (type) {
    case 'fixed64':
    case 'sfixed64':
      writer.fixed64(Number((value >> 32n) & 0xffff_ffffn), Number(value & 0xffff_ffffn));
      break;
    case 'fixed32':
      writer.fixed32(Number(value));
      break;
    case 'sint32': {
      const small = Number(value);
      writer.varint(((small << 1) ^ (small >> 31)) >>> 0);
      break;
    }
    default:
      writer.int64(value);
  }
  return value === 0n;
}

function readInteger(cursor: JsonCursor, type: IntegerType): bigint {
  const kind = cursor.peek();
  let text: string;
  if (kind === 'number') text = cursor.number();
  else if (kind === 'string') text = cursor.string();
  else return cursor.fail(`An integer is expected, found ${kind}.`);
  if (!/^[+-]?\d+$/.test(text)) return cursor.fail(`An integer is expected, found ${shorten(text)}.`);
  // The longest number in range has 20 digits; leading zeros aside, more cannot fit.
  const value =
    text.length > 400 ? RANGES.uint64[1] + 1n : BigInt(text.startsWith('+') ? text.slice(1) : text);
  const [least, most] = RANGES[type];
  if (value < least || value > most) return cursor.fail(`${shorten(text)} is out of range for ${type}.`);
  return value;
}

function readEnum(cursor: JsonCursor, found: FieldDef): number {
  const kind = cursor.peek();
  if (kind === 'number') return Number(readInteger(cursor, 'int32'));
  if (kind !== 'string') return cursor.fail(`An enum's number or name is expected, found ${kind}.`);
  const name = cursor.string();
  const names = found.enumNumbers ?? {};
  const value = Object.hasOwn(names, name) ? names[name] : undefined;
  return value ?? cursor.fail(`Unknown name ${shorten(name)}; known: ${Object.keys(names).join(', ')}.`);
}

function readDouble(cursor: JsonCursor): number {
  const kind = cursor.peek();
  let text: string;
  if (kind === 'number') text = cursor.number();
  else if (kind === 'string') text = cursor.string();
  else return cursor.fail(`A number is expected, found ${kind}.`);
  const word = /^([+-]?)(?:inf|infinity)$/i.exec(text);
  if (word !== null) return word[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  if (/^nan$/i.test(text)) return Number.NaN;
  if (!/^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(text)) {
    return cursor.fail(`A number is expected, found ${shorten(text)}.`);
  }
  const value = Number(text);
  return Number.isFinite(value) ? value : cursor.fail(`${shorten(text)} is out of range for a double.`);
}

function writeBool(cursor: JsonCursor, writer: WireWriter): boolean {
  const kind = cursor.peek();
  if (kind !== 'true' && kind !== 'false') cursor.fail(`true or false is expected, found ${kind}.`);
  else cursor.word(kind);
  writer.varint(kind === 'true' ? 1 : 0);
  return kind === 'false';
}

function readText(cursor: JsonCursor): string {
  const kind = cursor.peek();
  if (kind === 'string') return cursor.string();
  if (kind !== 'null') return cursor.fail(`A text is expected, found ${kind}.`);
  cursor.word('null');
  return '';
}

function writeId(cursor: JsonCursor, writer: WireWriter, byteCount: number): boolean {
  const text = readText(cursor);
  if (text === '') {
    writer.varint(0);
    return true;
  }
  writer.reserve(byteCount + 1);
  const start = writer.pos + 1;
  if (text.length !== 2 * byteCount || !writeHex(text, writer.bytes, start)) {
    return cursor.fail(`An id must be ${2 * byteCount} hexadecimal digits, found ${shorten(text)}.`);
  }
  writer.bytes[writer.pos] = byteCount;
  writer.pos = start + byteCount;
  return isZeroId(writer.bytes, start, writer.pos);
}

function readBase64(cursor: JsonCursor): Uint8Array {
  // Go's decoder, which Collectors use, skips line breaks.
  const text = readText(cursor).replace(/[\r\n]/g, '');
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) {
    return cursor.fail('Bytes must be standard base64 with padding.');
  }
  return Buffer.from(text, 'base64');
}

const shorten = (text: string): string => JSON.stringify(text.length > 60 ? `${text.slice(0, 57)}...` : text);
const article = (name: string): string => `${/^[AEIOU]/.test(name) ? 'An' : 'A'} ${name}`;
