/**
 * Cursor over the fields of a protobuf message.
 * Source: https://protobuf.dev/programming-guides/encoding/
 *
 *     for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
 *       if (tag === NAME) name = reader.text();
 *     }
 *
 * `next` steps over a whole field, whatever it is, and tells where its value lies; the value is read only if it is
 * wanted. One reader is meant to be reused for many messages; it allocates nothing. Every step is checked against `end`,
 * which never exceeds the array, so hostile bytes end in a `MalformedError` and never in a read out of range. 64-bit
 * integers are given as two unsigned 32-bit halves; a `bigint` would cost an allocation for each.
 *
 * Measured (AMD EPYC, Node 20): 4 ns for a field; 12 ns when reading tag, length and value were separate calls.
 */
import { MalformedError } from './malformed-error.js';
import { readText } from './text.js';

/** What the low three bits of a tag say about the bytes that follow. */
export const WireType = {
  varint: 0,
  fixed64: 1,
  delimited: 2,
  startGroup: 3,
  endGroup: 4,
  fixed32: 5,
} as const;

/** Tags (`field number << 3 | wire type`), spelled like the .proto file. */
export const field = {
  varint: (number: number): number => ((number << 3) | WireType.varint) >>> 0,
  fixed64: (number: number): number => ((number << 3) | WireType.fixed64) >>> 0,
  delimited: (number: number): number => ((number << 3) | WireType.delimited) >>> 0,
  fixed32: (number: number): number => ((number << 3) | WireType.fixed32) >>> 0,
} as const;

const TWO_32 = 0x1_0000_0000;
const EMPTY = new Uint8Array(0);

export class WireReader {
  bytes: Uint8Array = EMPTY;
  /** Where the next field begins; after `next()` that is also where the value of this field ends. */
  pos = 0;
  end = 0;
  /** After `next()`: where the value begins, for a length-delimited field its content. */
  start = 0;
  /** After `varint()` and `fixed64()`: the value's halves, unsigned. */
  hi = 0;
  lo = 0;

  constructor(bytes: Uint8Array = EMPTY, start = 0, end = bytes.length) {
    this.reset(bytes, start, end);
  }

  /** Points the reader at the message in `bytes[start, end)`. */
  reset(bytes: Uint8Array, start = 0, end = bytes.length): this {
    if (!(start >= 0 && start <= end && end <= bytes.length)) {
      throw new RangeError(`[${start}, ${end}) is outside of ${bytes.length} bytes`);
    }
    this.bytes = bytes;
    this.pos = start;
    this.end = end;
    return this;
  }

  /** Steps over the next field and gives its tag, or 0 at the end. Its value is `[start, pos)`. */
  next(): number {
    const { bytes, end } = this;
    let pos = this.pos;
    if (pos >= end) return 0;
    let tag = bytes[pos++]!;
    // `nextSlowly` is for everything rare, odd or broken.
    if (pos >= end) return nextSlowly(this);
    if (tag >= 0x80) {
      const second = bytes[pos++]!;
      if (second >= 0x80 || second === 0 || pos >= end) return nextSlowly(this);
      tag = (tag & 0x7f) | (second << 7);
    } else if (tag < 8) return nextSlowly(this);
    // Literals: with names V8 makes no jump table, and a field costs twice as much.
    switch (tag & 7) {
      case 2: {
        let length = bytes[pos++]!;
        if (length >= 0x80) {
          if (pos >= end) return nextSlowly(this);
          const second = bytes[pos++]!;
          if (second >= 0x80) return nextSlowly(this);
          length = (length & 0x7f) | (second << 7);
        }
        if (length > end - pos) return nextSlowly(this);
        this.start = pos;
        this.pos = pos + length;
        return tag;
      }
      case 0:
        this.start = pos;
        if (bytes[pos++]! >= 0x80) pos = endOfVarint(bytes, pos, end);
        this.pos = pos;
        return tag;
      case 1:
        if (end - pos < 8) return nextSlowly(this);
        this.start = pos;
        this.pos = pos + 8;
        return tag;
      case 5:
        if (end - pos < 4) return nextSlowly(this);
        this.start = pos;
        this.pos = pos + 4;
        return tag;
      default:
        return nextSlowly(this);
    }
  }

  /** Makes `[start, end)` the value to read, for values that lie without a tag (packed lists). */
  pointAt(start: number, end: number): void {
    this.start = start;
    this.pos = end;
  }

  // Values of the field that `next` stepped over. The caller knows its wire type from the tag.

  /** Reads a varint of up to 64 bits into `hi` and `lo`. */
  varint(): void {
    const first = this.bytes[this.start]!;
    if (first < 0x80) {
      this.lo = first;
      this.hi = 0;
      return;
    }
    const after = this.pos;
    this.pos = this.start;
    readVarint(this);
    this.pos = after;
  }

  /** The low 32 bits of a varint, unsigned. */
  varint32(): number {
    const first = this.bytes[this.start]!;
    if (first < 0x80) return first;
    this.varint();
    return this.lo;
  }

  /** Reads eight bytes, little endian, into `hi` and `lo`. */
  fixed64(): void {
    const { bytes, start } = this;
    this.lo =
      (bytes[start]! | (bytes[start + 1]! << 8) | (bytes[start + 2]! << 16) | (bytes[start + 3]! << 24)) >>>
      0;
    this.hi =
      (bytes[start + 4]! |
        (bytes[start + 5]! << 8) |
        (bytes[start + 6]! << 16) |
        (bytes[start + 7]! << 24)) >>>
      0;
  }

  /** Four bytes, little endian, unsigned. */
  fixed32(): number {
    const { bytes, start } = this;
    return (
      (bytes[start]! | (bytes[start + 1]! << 8) | (bytes[start + 2]! << 16) | (bytes[start + 3]! << 24)) >>> 0
    );
  }

  /** An IEEE 754 double. */
  double(): number {
    this.fixed64();
    return doubleFrom(this.hi, this.lo);
  }

  /** A UTF-8 text. Invalid sequences become U+FFFD. */
  text(): string {
    return readText(this.bytes, this.start, this.pos);
  }
}

/** The position after a varint whose first byte, before `at`, said that there are more. */
function endOfVarint(bytes: Uint8Array, at: number, end: number): number {
  const limit = at + 9;
  for (let pos = at; pos < end; pos++) {
    if (bytes[pos]! < 0x80) return pos + 1;
    if (pos + 1 === limit) throw new MalformedError('ERR_OTLP_VARINT', 'proto: integer overflow', pos);
  }
  throw new MalformedError('ERR_OTLP_TRUNCATED', 'unexpected EOF', end);
}

function nextSlowly(reader: WireReader): number {
  const at = reader.pos;
  const tag = readTag(reader);
  switch (tag & 7) {
    case WireType.delimited:
      stepOverContent(reader);
      break;
    case WireType.varint:
      reader.start = reader.pos;
      readVarint(reader);
      break;
    case WireType.fixed64:
      step(reader, 8);
      break;
    case WireType.fixed32:
      step(reader, 4);
      break;
    case WireType.startGroup:
      stepOverGroup(reader);
      break;
    case WireType.endGroup:
      throw new MalformedError('ERR_OTLP_GROUP', 'proto: unexpected end of group', at);
    default:
      throw new MalformedError('ERR_OTLP_WIRE_TYPE', `proto: illegal wireType ${tag & 7}`, at);
  }
  return tag;
}

function readTag(reader: WireReader): number {
  const at = reader.pos;
  readVarint(reader);
  if (reader.hi !== 0 || reader.lo < 8) {
    const number = Math.floor((reader.hi * TWO_32 + reader.lo) / 8);
    throw new MalformedError('ERR_OTLP_TAG', `proto: illegal field=${number}`, at);
  }
  return reader.lo;
}

/** Reads up to 64 bits at `pos` into `hi` and `lo` and steps over them. */
function readVarint(reader: WireReader): void {
  const { bytes, end } = reader;
  let pos = reader.pos;
  let lo = 0;
  let hi = 0;
  for (let shift = 0; shift < 70; shift += 7) {
    if (pos >= end) throw new MalformedError('ERR_OTLP_TRUNCATED', 'unexpected EOF', pos);
    const byte = bytes[pos++]!;
    const bits = byte & 0x7f;
    if (shift < 28) lo |= bits << shift;
    else if (shift === 28) {
      lo |= bits << 28;
      hi |= bits >>> 4;
    } else hi |= bits << (shift - 32);
    if (byte < 0x80) {
      reader.lo = lo >>> 0;
      reader.hi = hi >>> 0;
      reader.pos = pos;
      return;
    }
  }
  throw new MalformedError('ERR_OTLP_VARINT', 'proto: integer overflow', pos);
}

function stepOverContent(reader: WireReader): void {
  const at = reader.pos;
  readVarint(reader);
  if (reader.hi >= 0x8000_0000) {
    throw new MalformedError('ERR_OTLP_LENGTH', 'proto: negative length found during unmarshaling', at);
  }
  if (reader.hi !== 0 || reader.lo > reader.end - reader.pos) {
    throw new MalformedError('ERR_OTLP_TRUNCATED', 'unexpected EOF', reader.end);
  }
  // `| 0`: one position that V8 takes for a double makes all positions doubles, and every loop half as fast.
  step(reader, reader.lo | 0);
}

function step(reader: WireReader, count: number): void {
  if (count > reader.end - reader.pos) {
    throw new MalformedError('ERR_OTLP_TRUNCATED', 'unexpected EOF', reader.end);
  }
  reader.start = reader.pos;
  reader.pos += count;
}

/** Groups nest; a counter instead of recursion keeps hostile nesting off the stack. */
function stepOverGroup(reader: WireReader): void {
  const start = reader.pos;
  for (let depth = 1; depth > 0; ) {
    if (reader.pos >= reader.end)
      throw new MalformedError('ERR_OTLP_TRUNCATED', 'unexpected EOF', reader.end);
    const before = reader.pos;
    const type = readTag(reader) & 7;
    if (type === WireType.startGroup) depth++;
    else if (type === WireType.endGroup) depth--;
    else {
      reader.pos = before;
      nextSlowly(reader);
    }
  }
  reader.start = start;
}

const halves = new Uint32Array(2);
const asDouble = new Float64Array(halves.buffer);
/** Index of the low half in `halves`: 0 on little-endian machines, which is every machine Node runs on but s390x. */
const LOW = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1 ? 0 : 1;

/** The double whose bits are `hi` and `lo`. */
export function doubleFrom(hi: number, lo: number): number {
  halves[LOW] = lo;
  halves[1 - LOW] = hi;
  return asDouble[0]!;
}

/** The bits of `value` as unsigned halves. */
export function doubleHalves(value: number): { readonly hi: number; readonly lo: number } {
  asDouble[0] = value;
  return { hi: halves[1 - LOW]!, lo: halves[LOW]! };
}
