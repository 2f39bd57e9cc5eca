/**
 * The fields of any message, found by its definition: shared by full decoding and OTLP/JSON.
 *
 * protobuf lets fields come in any order, repeated ones apart from each other, single ones more than once (the last one
 * wins, messages are merged), and scalars of a list packed or not. All of that is settled here.
 */
import { MalformedError } from './malformed-error.js';
import type { FieldDef, MessageDef, ScalarType } from './schema.js';
import { copyOf, hexText, readText } from './text.js';
import { WireReader, WireType } from './wire-reader.js';

/** 64-bit integers are `bigint`, ids are hex texts, enums are numbers. */
export type Scalar = string | number | bigint | boolean | Uint8Array;

/**
 * Where the values of each field lie, by `FieldDef.index`: start, end, start, end, ... of values (contents, for
 * length-delimited ones). Single scalars have one pair, the last. Fields of the wrong wire type are skipped like unknown
 * ones.
 */
export function locateFields(
  def: MessageDef,
  bytes: Uint8Array,
  start: number,
  end: number,
): (number[] | undefined)[] {
  const places = new Array<number[] | undefined>(def.fields.length);
  const chosen: (FieldDef | undefined)[] = [];
  const reader = new WireReader(bytes, start, end);
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
    const wireType = tag & 7;
    const found = def.byNumber[tag >>> 3];
    if (found === undefined) continue;
    const isPacked = found.packed && wireType === WireType.delimited;
    if (wireType !== found.wireType && !isPacked) continue;
    if (found.oneof > 0) {
      const other = chosen[found.oneof];
      if (other !== undefined && other !== found) places[other.index] = undefined;
      chosen[found.oneof] = found;
    }
    const before = places[found.index];
    if (before === undefined || (!found.repeated && found.type !== 'message')) {
      places[found.index] = [reader.start, reader.pos];
    } else before.push(reader.start, reader.pos);
  }
  return places;
}

/** The content of a single message field; several occurrences are merged, which is concatenation. */
export function mergedMessage(
  bytes: Uint8Array,
  places: readonly number[],
): { bytes: Uint8Array; start: number; end: number } {
  if (places.length === 2) return { bytes, start: places[0]!, end: places[1]! };
  const parts: Uint8Array[] = [];
  for (let index = 0; index < places.length; index += 2) {
    parts.push(bytes.subarray(places[index]!, places[index + 1]!));
  }
  const merged = new Uint8Array(Buffer.concat(parts));
  return { bytes: merged, start: 0, end: merged.length };
}

/** Reads the values of a repeated scalar field. */
export function readScalars(found: FieldDef, bytes: Uint8Array, places: readonly number[]): Scalar[] {
  const values: Scalar[] = [];
  for (let index = 0; index < places.length; index += 2) {
    const start = places[index]!;
    const end = places[index + 1]!;
    if (found.wireType === WireType.delimited) {
      values.push(readScalar(found.type, bytes, start, end));
      continue;
    }
    // One value of its own lies like a packed run of one.
    forEachPacked(found, bytes, start, end, (at, until) => {
      values.push(readScalar(found.type, bytes, at, until));
    });
  }
  return values;
}

/** Calls `visit` with the place of each value in a packed run. */
export function forEachPacked(
  found: FieldDef,
  bytes: Uint8Array,
  start: number,
  end: number,
  visit: (start: number, end: number) => void,
): void {
  const width = found.wireType === WireType.fixed64 ? 8 : found.wireType === WireType.fixed32 ? 4 : 0;
  for (let at = start; at < end; ) {
    let until = at + width;
    if (width === 0) {
      while (until < end && bytes[until]! >= 0x80) until++;
      until++;
      if (until - at > 10) throw new MalformedError('ERR_OTLP_VARINT', 'proto: integer overflow', at);
    }
    if (until > end) throw new MalformedError('ERR_OTLP_TRUNCATED', 'unexpected EOF', at);
    visit(at, until);
    at = until;
  }
}

/** Reads one scalar that lies in `bytes[start, end)`. */
export function readScalar(
  type: ScalarType | 'message',
  bytes: Uint8Array,
  start: number,
  end: number,
): Scalar {
  const reader = new WireReader(bytes, start, end);
  reader.pointAt(start, end);
  switch (type) {
    case 'string':
      return readText(bytes, start, end);
    case 'bytes':
      return copyOf(bytes, start, end);
    case 'traceId':
    case 'spanId':
    case 'profileId':
      return readId(type, bytes, start, end);
    case 'bool':
      reader.varint();
      return (reader.hi | reader.lo) !== 0;
    case 'int32':
    case 'enum':
      return reader.varint32() | 0;
    case 'uint32':
      return reader.varint32();
    case 'sint32': {
      const zigzag = reader.varint32();
      return (zigzag >>> 1) ^ -(zigzag & 1);
    }
    case 'int64':
      reader.varint();
      return signed(reader);
    case 'uint64':
      reader.varint();
      return unsigned(reader);
    case 'fixed64':
      reader.fixed64();
      return unsigned(reader);
    case 'sfixed64':
      reader.fixed64();
      return signed(reader);
    case 'fixed32':
      return reader.fixed32();
    case 'double':
      return reader.double();
    case 'message':
      throw new TypeError('A message is not a scalar.');
  }
}

function readId(
  type: 'traceId' | 'spanId' | 'profileId',
  bytes: Uint8Array,
  start: number,
  end: number,
): string {
  const length = end - start;
  if (length !== 0 && length !== (type === 'spanId' ? 8 : 16)) {
    throw new MalformedError('ERR_OTLP_ID_LENGTH', `unmarshal: invalid ${type} length`, start);
  }
  return hexText(bytes, start, end);
}

const unsigned = (reader: WireReader): bigint => (BigInt(reader.hi) << 32n) | BigInt(reader.lo);
const signed = (reader: WireReader): bigint => (BigInt(reader.hi | 0) << 32n) | BigInt(reader.lo);
