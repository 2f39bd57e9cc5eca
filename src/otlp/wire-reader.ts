/**
 * Cursor over protobuf's wire format.
 * Source: https://protobuf.dev/programming-guides/encoding/
 *
 * One reader is meant to be reused for many messages: it allocates nothing but strings. Every read is checked against
 * `end`, and `end` never exceeds the array, so hostile bytes end in a `MalformedError` and never in a read out of range.
 * 64-bit integers are given as two unsigned 32-bit halves; a `bigint` would cost an allocation for each.
 */
import { MalformedError } from './malformed-error.js';

/** What the low three bits of a tag say about the bytes that follow. */
export const WireType = {
  varint: 0,
  fixed64: 1,
  delimited: 2,
  startGroup: 3,
  endGroup: 4,
  fixed32: 5,
} as const;

/** `field number << 3 | wire type`, as an unsigned 32-bit number. */
export const tagOf = (fieldNumber: number, wireType: number): number => ((fieldNumber << 3) | wireType) >>> 0;

const TWO_32 = 0x1_0000_0000;
const EMPTY = new Uint8Array(0);

/** Longest text that is decoded byte by byte; above it the call into native code is cheaper. */
const SHORT_TEXT = 24;

export class WireReader {
  bytes: Uint8Array = EMPTY;
  pos = 0;
  end = 0;
  /** After `delimited()`: where its content begins. It ends at `pos`. */
  start = 0;
  /** After `varint()` and `fixed64()`: the value's halves, unsigned. */
  hi = 0;
  lo = 0;

  constructor(bytes: Uint8Array = EMPTY, start = 0, end = bytes.length) {
    this.reset(bytes, start, end);
  }

  /** Points the reader at `bytes[start, end)`. */
  reset(bytes: Uint8Array, start = 0, end = bytes.length): this {
    if (!(start >= 0 && start <= end && end <= bytes.length)) {
      throw new RangeError(`[${start}, ${end}) is outside of ${bytes.length} bytes`);
    }
    this.bytes = bytes;
    this.pos = start;
    this.end = end;
    return this;
  }

  /** The next tag, or 0 at the end of the message. */
  tag(): number {
    if (this.pos >= this.end) return 0;
    const first = this.bytes[this.pos]!;
    if (first >= 0x80 || first < 8) return this.#longTag();
    this.pos++;
    return first;
  }

  #longTag(): number {
    const at = this.pos;
    const second = at + 1 < this.end ? this.bytes[at + 1]! : 0x80;
    if (second < 0x80) {
      const tag = (this.bytes[at]! & 0x7f) | (second << 7);
      if (tag >= 8) {
        this.pos = at + 2;
        return tag;
      }
    }
    this.varint();
    if (this.hi !== 0 || this.lo < 8) {
      const field = (this.hi * TWO_32 + this.lo - (this.lo & 7)) / 8;
      throw new MalformedError('ERR_OTLP_TAG', `proto: illegal field=${field}`, at);
    }
    return this.lo;
  }

  /** Reads up to 64 bits into `hi` and `lo`. */
  varint(): void {
    const { bytes, end } = this;
    let pos = this.pos;
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
        this.lo = lo >>> 0;
        this.hi = hi >>> 0;
        this.pos = pos;
        return;
      }
    }
    throw new MalformedError('ERR_OTLP_VARINT', 'proto: integer overflow', pos);
  }

  /** Reads a varint and gives its low 32 bits, unsigned. */
  varint32(): number {
    if (this.pos < this.end) {
      const byte = this.bytes[this.pos]!;
      if (byte < 0x80) {
        this.pos++;
        return byte;
      }
    }
    this.varint();
    return this.lo;
  }

  /** Reads eight bytes, little endian, into `hi` and `lo`. */
  fixed64(): void {
    const { bytes, pos } = this;
    if (pos + 8 > this.end) throw new MalformedError('ERR_OTLP_TRUNCATED', 'unexpected EOF', this.end);
    this.lo =
      (bytes[pos]! | (bytes[pos + 1]! << 8) | (bytes[pos + 2]! << 16) | (bytes[pos + 3]! << 24)) >>> 0;
    this.hi =
      (bytes[pos + 4]! | (bytes[pos + 5]! << 8) | (bytes[pos + 6]! << 16) | (bytes[pos + 7]! << 24)) >>> 0;
    this.pos = pos + 8;
  }

  /** Reads four bytes, little endian, unsigned. */
  fixed32(): number {
    const { bytes, pos } = this;
    if (pos + 4 > this.end) throw new MalformedError('ERR_OTLP_TRUNCATED', 'unexpected EOF', this.end);
    this.pos = pos + 4;
    return (bytes[pos]! | (bytes[pos + 1]! << 8) | (bytes[pos + 2]! << 16) | (bytes[pos + 3]! << 24)) >>> 0;
  }

  /** Reads an IEEE 754 double. */
  double(): number {
    this.fixed64();
    return doubleFrom(this.hi, this.lo);
  }

  /** Steps over a length and its content; the content is `[start, pos)`. Gives `start`. */
  delimited(): number {
    const at = this.pos;
    const first = at < this.end ? this.bytes[at]! : 0x80;
    let length: number;
    if (first < 0x80) {
      this.pos = at + 1;
      length = first;
    } else {
      this.varint();
      if (this.hi >= 0x8000_0000) {
        throw new MalformedError('ERR_OTLP_LENGTH', 'proto: negative length found during unmarshaling', at);
      }
      length = this.hi * TWO_32 + this.lo;
    }
    const start = this.pos;
    if (length > this.end - start) throw new MalformedError('ERR_OTLP_TRUNCATED', 'unexpected EOF', at);
    this.start = start;
    this.pos = start + length;
    return start;
  }

  /** Steps over the value of a field that the caller does not know or want. Groups are skipped whole. */
  skip(tag: number): void {
    switch (tag & 7) {
      case WireType.delimited:
        this.delimited();
        return;
      case WireType.varint:
        this.varint32();
        return;
      case WireType.fixed64:
        this.#advance(8);
        return;
      case WireType.fixed32:
        this.#advance(4);
        return;
      case WireType.startGroup:
        this.#skipGroup();
        return;
      case WireType.endGroup:
        throw new MalformedError('ERR_OTLP_GROUP', 'proto: unexpected end of group', this.pos);
      default:
        throw new MalformedError('ERR_OTLP_WIRE_TYPE', `proto: illegal wireType ${tag & 7}`, this.pos);
    }
  }

  #advance(count: number): void {
    if (this.pos + count > this.end) {
      throw new MalformedError('ERR_OTLP_TRUNCATED', 'unexpected EOF', this.end);
    }
    this.pos += count;
  }

  /** Groups nest; a counter instead of recursion keeps hostile nesting off the stack. */
  #skipGroup(): void {
    for (let depth = 1; depth > 0; ) {
      const tag = this.tag();
      if (tag === 0) throw new MalformedError('ERR_OTLP_TRUNCATED', 'unexpected EOF', this.end);
      const type = tag & 7;
      if (type === WireType.startGroup) depth++;
      else if (type === WireType.endGroup) depth--;
      else this.skip(tag);
    }
  }

  /** Reads a length-delimited UTF-8 text. Invalid sequences become U+FFFD. */
  string(): string {
    const start = this.delimited();
    return readText(this.bytes, start, this.pos);
  }
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

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** The text in `bytes[start, end)`, UTF-8. Invalid sequences become U+FFFD. */
export function readText(bytes: Uint8Array, start: number, end: number): string {
  if (end - start <= SHORT_TEXT) {
    let text = '';
    let pos = start;
    for (; pos < end; pos++) {
      const byte = bytes[pos]!;
      if (byte >= 0x80) break;
      text += String.fromCharCode(byte);
    }
    if (pos === end) return text;
  }
  return decoder.decode(bytes.subarray(start, end));
}
