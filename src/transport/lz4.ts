/**
 * LZ4 frames (`Content-Encoding: lz4`), never more than a limit of output.
 * Sources: lz4_Frame_format.md 1.6.4 and lz4_Block_format.md of https://github.com/lz4/lz4.
 *
 *     frame   04 22 4d 18 | FLG BD [content size 8] [dictionary id 4] HC | blocks | 0 0 0 0 | [content checksum 4]
 *     block   size 4 (top bit: stored as it is) | data | [checksum 4]
 *     data    token (literals, match) [more lengths] literals | offset 2 [more lengths] …
 *
 * Skippable frames are skipped and several frames follow each other. Checksums are not looked at: TCP has its own, and what
 * is not OTLP is refused anyway.
 */

/** Why bytes are no LZ4; `tooLarge` when the output would exceed the limit. */
export class Lz4Error extends Error {
  override readonly name = 'Lz4Error';
  readonly tooLarge: boolean;

  constructor(message: string, tooLarge = false) {
    super(message);
    this.tooLarge = tooLarge;
  }
}

const MAGIC = 0x184d2204;
const SKIPPABLE = 0x184d2a50;
const STORED = 0x80000000;
/** A match reaches back this far at most. */
const MIN_MATCH = 4;

/** At most `maxBytes`. Throws `Lz4Error`. Does not change `input`. */
export function decompressLz4(input: Uint8Array, maxBytes: number): Buffer {
  return new Lz4Decoder(input, maxBytes).run();
}

class Lz4Decoder {
  readonly #input: Uint8Array;
  readonly #view: DataView;
  readonly #maxBytes: number;
  #at = 0;
  #output: Buffer;
  #length = 0;

  constructor(input: Uint8Array, maxBytes: number) {
    this.#input = input;
    this.#view = new DataView(input.buffer, input.byteOffset, input.length);
    this.#maxBytes = maxBytes;
    this.#output = Buffer.allocUnsafe(Math.min(maxBytes, Math.max(64, input.length * 4)));
  }

  run(): Buffer {
    while (this.#at < this.#input.length) {
      const magic = this.#uint32();
      if ((magic & 0xfffffff0) >>> 0 === SKIPPABLE) this.#take(this.#uint32());
      else if (magic === MAGIC) this.#frame();
      else throw new Lz4Error('lz4: bad magic number');
    }
    return this.#output.subarray(0, this.#length);
  }

  #frame(): void {
    const flags = this.#byte();
    if (flags >> 6 !== 1) throw new Lz4Error('lz4: unsupported version');
    const maxBlockBytes = 1 << (8 + 2 * ((this.#byte() >> 4) & 7));
    if (flags & 0x08) this.#take(8);
    if (flags & 0x01) throw new Lz4Error('lz4: dictionaries are not supported');
    this.#byte();
    const start = this.#length;
    const isIndependent = (flags & 0x20) !== 0;
    for (let size = this.#uint32(); size !== 0; size = this.#uint32()) {
      const bytes = (size & ~STORED) >>> 0;
      if (bytes > maxBlockBytes) throw new Lz4Error('lz4: invalid block size');
      const from = this.#take(bytes);
      if (size >= STORED) this.#copy(from, this.#at);
      else this.#block(from, this.#at, isIndependent ? this.#length : start);
      if (flags & 0x10) this.#take(4);
    }
    if (flags & 0x04) this.#take(4);
  }

  /** Decodes `input[at, end)`. Matches reach back to `earliest` in the output. */
  #block(start: number, end: number, earliest: number): void {
    const input = this.#input;
    let at = start;
    const more = (length: number): number => {
      let total = length;
      for (let byte = 255; byte === 255; ) {
        if (at >= end) throw new Lz4Error('lz4: corrupt input');
        byte = input[at++]!;
        total += byte;
      }
      return total;
    };
    while (at < end) {
      const token = input[at++]!;
      const literals = token >> 4 === 15 ? more(15) : token >> 4;
      if (at + literals > end) throw new Lz4Error('lz4: corrupt input');
      this.#copy(at, at + literals);
      at += literals;
      // The last sequence of a block is literals only.
      if (at === end) return;
      if (at + 2 > end) throw new Lz4Error('lz4: corrupt input');
      const offset = input[at]! | (input[at + 1]! << 8);
      at += 2;
      const length = MIN_MATCH + ((token & 15) === 15 ? more(15) : token & 15);
      if (offset === 0 || this.#length - offset < earliest) throw new Lz4Error('lz4: corrupt input');
      this.#repeat(offset, length);
    }
  }

  #copy(from: number, to: number): void {
    this.#reserve(to - from);
    this.#output.set(this.#input.subarray(from, to), this.#length);
    this.#length += to - from;
  }

  /** What was written `offset` bytes ago, once more; it may overlap with itself. */
  #repeat(offset: number, length: number): void {
    this.#reserve(length);
    const output = this.#output;
    let at = this.#length;
    const end = at + length;
    if (offset >= length) output.copyWithin(at, at - offset, at - offset + length);
    else for (; at < end; at++) output[at] = output[at - offset]!;
    this.#length = end;
  }

  #reserve(count: number): void {
    const needed = this.#length + count;
    if (needed > this.#maxBytes) throw new Lz4Error('decompressed body too large', true);
    if (needed <= this.#output.length) return;
    const grown = Buffer.allocUnsafe(Math.min(this.#maxBytes, Math.max(needed, this.#output.length * 2)));
    this.#output.copy(grown, 0, 0, this.#length);
    this.#output = grown;
  }

  #byte(): number {
    return this.#input[this.#take(1)]!;
  }

  #uint32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  /** Where the next `count` bytes begin. */
  #take(count: number): number {
    const start = this.#at;
    if (start + count > this.#input.length) throw new Lz4Error('unexpected EOF');
    this.#at = start + count;
    return start;
  }
}
