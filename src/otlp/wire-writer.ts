/**
 * Builds protobuf's wire format front to back in one growing array.
 * Source: https://protobuf.dev/programming-guides/encoding/
 *
 * The length of a nested message stands before its content but is known only after it. `open` leaves room for the
 * length, `close` fills it in and moves the content when the guess was wrong. Output is canonical: shortest varints.
 *
 * Fields with a default value are the caller's decision; the writer writes what it is told.
 */
import { writeHex } from './ids.js';
import type { Time64 } from './time.js';
import { doubleHalves } from './wire-reader.js';

const TWO_32 = 0x1_0000_0000;
const encoder = new TextEncoder();
/** Longest text that is encoded character by character; above it the call into native code is cheaper. */
const SHORT_TEXT = 48;

/** Number of bytes of `value` (unsigned, below 2^53) as a varint. */
export function varintSize(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x20_0000) return 3;
  if (value < 0x1000_0000) return 4;
  let size = 5;
  for (let rest = value / 0x8_0000_0000; rest >= 1; rest /= 0x80) size++;
  return size;
}

/** Writes `value` (unsigned, below 2^53) as a varint and gives the position after it. */
export function putVarint(target: Uint8Array, at: number, value: number): number {
  let pos = at;
  let rest = value;
  while (rest >= 0x1000_0000) {
    target[pos++] = (rest % 0x80) | 0x80;
    rest = Math.floor(rest / 0x80);
  }
  while (rest >= 0x80) {
    target[pos++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  target[pos++] = rest;
  return pos;
}

/** Marks hold a position in 30 bits. OTLP requests are three orders of magnitude smaller. */
const MAX_BYTES = 2 ** 29;

export class WireWriter {
  /** The output so far is `bytes[0, pos)`. Replaced when it grows: do not keep it across calls. */
  bytes: Uint8Array;
  pos = 0;

  constructor(initialBytes = 1024) {
    this.bytes = new Uint8Array(initialBytes);
  }

  /** Forgets the output and keeps the memory. */
  reset(): void {
    this.pos = 0;
  }

  /** A copy of the output. */
  finish(): Uint8Array {
    return this.bytes.slice(0, this.pos);
  }

  /** Makes room for `count` more bytes. */
  reserve(count: number): void {
    if (this.pos + count > this.bytes.length) this.#grow(count);
  }

  #grow(count: number): void {
    if (this.pos + count > MAX_BYTES) throw new RangeError(`A message must not exceed ${MAX_BYTES} bytes.`);
    const larger = new Uint8Array(Math.max(this.bytes.length * 2, this.pos + count));
    larger.set(this.bytes.subarray(0, this.pos));
    this.bytes = larger;
  }

  /** Unsigned, below 2^53. */
  varint(value: number): void {
    this.reserve(10);
    if (value < 0x80) this.bytes[this.pos++] = value;
    else this.pos = putVarint(this.bytes, this.pos, value);
  }

  /** 64 bits given as halves, of which only the low 32 bits count. */
  varint64(hi: number, lo: number): void {
    this.reserve(10);
    const { bytes } = this;
    let low = lo >>> 0;
    let high = hi >>> 0;
    let pos = this.pos;
    while (high !== 0) {
      bytes[pos++] = (low & 0x7f) | 0x80;
      low = ((low >>> 7) | (high << 25)) >>> 0;
      high >>>= 7;
    }
    while (low >= 0x80) {
      bytes[pos++] = (low & 0x7f) | 0x80;
      low >>>= 7;
    }
    bytes[pos++] = low;
    this.pos = pos;
  }

  /** A signed integer as two's complement of 64 bits (`int32`, `int64`, enums). Must be a safe integer or a bigint. */
  int64(value: number | bigint): void {
    if (typeof value === 'bigint') {
      this.varint64(Number((value >> 32n) & 0xffff_ffffn), Number(value & 0xffff_ffffn));
    } else if (value >= 0) this.varint(value);
    else this.varint64(Math.floor(value / TWO_32), value);
  }

  fixed64(hi: number, lo: number): void {
    this.reserve(8);
    const { bytes, pos } = this;
    bytes[pos] = lo;
    bytes[pos + 1] = lo >>> 8;
    bytes[pos + 2] = lo >>> 16;
    bytes[pos + 3] = lo >>> 24;
    bytes[pos + 4] = hi;
    bytes[pos + 5] = hi >>> 8;
    bytes[pos + 6] = hi >>> 16;
    bytes[pos + 7] = hi >>> 24;
    this.pos = pos + 8;
  }

  fixed32(value: number): void {
    this.reserve(4);
    const { bytes, pos } = this;
    bytes[pos] = value;
    bytes[pos + 1] = value >>> 8;
    bytes[pos + 2] = value >>> 16;
    bytes[pos + 3] = value >>> 24;
    this.pos = pos + 4;
  }

  double(value: number): void {
    const { hi, lo } = doubleHalves(value);
    this.fixed64(hi, lo);
  }

  /** Bytes as they are, without a length. */
  raw(source: Uint8Array): void {
    this.reserve(source.length);
    const { bytes, pos } = this;
    if (source.length <= 48) for (let i = 0; i < source.length; i++) bytes[pos + i] = source[i]!;
    else bytes.set(source, pos);
    this.pos = pos + source.length;
  }

  /** Length and bytes. */
  delimited(source: Uint8Array): void {
    this.varint(source.length);
    this.raw(source);
  }

  /** Length and UTF-8. Lone surrogates become U+FFFD. */
  string(text: string): void {
    const length = text.length;
    if (length > SHORT_TEXT) {
      this.#longString(text);
      return;
    }
    // At most 3 * 48 = 144 bytes: one or two bytes of length.
    this.reserve(2 + 3 * length);
    const { bytes } = this;
    const at = this.pos;
    let pos = at + 1;
    for (let index = 0; index < length; index++) {
      const code = text.charCodeAt(index);
      if (code >= 0x80) {
        this.#longString(text);
        return;
      }
      bytes[pos++] = code;
    }
    bytes[at] = length;
    this.pos = pos;
  }

  #longString(text: string): void {
    this.reserve(10 + 3 * text.length);
    const at = this.pos;
    const room = varintSize(text.length);
    const written = encoder.encodeInto(text, this.bytes.subarray(at + room)).written;
    const needed = varintSize(written);
    if (needed !== room) this.bytes.copyWithin(at + needed, at + room, at + room + written);
    putVarint(this.bytes, at, written);
    this.pos = at + needed + written;
  }

  /**
   * Begins a length-delimited field and gives the mark for `close`. `room` is the number of bytes its length will
   * probably take: 1 for messages below 128 bytes, 2 below 16 KiB, 3 below 2 MiB. A wrong guess costs a move.
   */
  open(tag: number, room: 1 | 2 | 3): number {
    this.varint(tag);
    this.reserve(room);
    this.pos += room;
    return (this.pos << 2) | room;
  }

  /** Ends the field that `open` gave `mark` for. Fields close in reverse order. */
  close(mark: number): void {
    const room = mark & 3;
    const start = mark >>> 2;
    const length = this.pos - start;
    const needed = varintSize(length);
    const at = start - room;
    if (needed !== room) {
      this.reserve(needed);
      this.bytes.copyWithin(at + needed, start, this.pos);
      this.pos = at + needed + length;
    }
    if (needed === 1) this.bytes[at] = length;
    else putVarint(this.bytes, at, length);
  }

  /** Takes back the field that `open` gave `mark` for, together with what was written into it. */
  cancel(tag: number, mark: number): void {
    this.pos = (mark >>> 2) - (mark & 3) - varintSize(tag);
  }

  // Whole fields: tag and value.

  varintField(tag: number, value: number): void {
    this.varint(tag);
    this.varint(value);
  }

  stringField(tag: number, text: string): void {
    this.varint(tag);
    this.string(text);
  }

  bytesField(tag: number, source: Uint8Array): void {
    this.varint(tag);
    this.delimited(source);
  }

  timeField(tag: number, time: Time64): void {
    this.varint(tag);
    this.fixed64(time.hi, time.lo);
  }

  doubleField(tag: number, value: number): void {
    this.varint(tag);
    this.double(value);
  }

  /** An id of `byteCount` bytes given as hex or as bytes. Throws `RangeError` when it is of another length. */
  idField(tag: number, id: string | Uint8Array, byteCount: number): void {
    if ((typeof id === 'string' ? id.length / 2 : id.length) !== byteCount) {
      throw new RangeError(`An id of ${byteCount} bytes is needed, got ${JSON.stringify(id)}.`);
    }
    this.reserve(6 + byteCount);
    this.varint(tag);
    this.bytes[this.pos++] = byteCount;
    if (typeof id !== 'string') this.bytes.set(id, this.pos);
    else if (!writeHex(id, this.bytes, this.pos)) throw new RangeError(`Not hexadecimal: "${id}".`);
    this.pos += byteCount;
  }
}
