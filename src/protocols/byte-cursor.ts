import { TextCache } from './text-cache.js';

/** Names that come again with each message: topics, queues, properties. */
const texts = new TextCache();

/**
 * Reads fields of a message one after another. What lies behind the visible end reads as 0 or '' and clears `ok`, which
 * stays so: check it once, after the last field. Reusable: `at` points it at other bytes.
 */
export class ByteCursor {
  bytes: Buffer = NOTHING;
  pos = 0;
  end = 0;
  /** Every field so far was there. */
  ok = true;

  at(bytes: Buffer, pos: number, end: number): this {
    this.bytes = bytes;
    this.pos = pos;
    this.end = Math.min(end, bytes.length);
    this.ok = pos <= this.end;
    return this;
  }

  /** Bytes that are left. */
  get left(): number {
    return this.end - this.pos;
  }

  u8(): number {
    return this.#has(1) ? this.bytes[this.pos++]! : 0;
  }

  u16(): number {
    if (!this.#has(2)) return 0;
    const { bytes, pos } = this;
    this.pos += 2;
    return (bytes[pos]! << 8) | bytes[pos + 1]!;
  }

  u32(): number {
    if (!this.#has(4)) return 0;
    const value = this.bytes.readUInt32BE(this.pos);
    this.pos += 4;
    return value;
  }

  /** Exact up to 2^53, which no counter of messages reaches. */
  u64(): number {
    const high = this.u32();
    return high * 0x1_0000_0000 + this.u32();
  }

  skip(count: number): void {
    if (this.#has(count)) this.pos += count;
  }

  /** `length` bytes of UTF-8. */
  text(length: number): string {
    if (!this.#has(length)) return '';
    const start = this.pos;
    this.pos += length;
    return textOf(this.bytes, start, this.pos);
  }

  /** A text with its length in one byte before it. */
  shortText(): string {
    return this.text(this.u8());
  }

  #has(count: number): boolean {
    if (this.ok && count >= 0 && this.pos + count <= this.end) return true;
    this.ok = false;
    return false;
  }
}

const NOTHING = Buffer.alloc(0);

/** UTF-8, without a new string for a short ASCII one that was read before. */
export function textOf(bytes: Buffer, start: number, end: number): string {
  for (let at = start; at < end; at++) {
    if (bytes[at]! >= 0x80) return bytes.toString('utf8', start, end);
  }
  return texts.text(bytes, start, end);
}
