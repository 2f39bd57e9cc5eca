/**
 * Snappy blocks and framed streams
 * (https://github.com/google/snappy/blob/1.2.1/format_description.txt, framing_format.txt).
 */
import { crc32c } from './crc32c.js';
import { LzMatches } from './lz-matches.js';

/** Offsets within are 16 bits wide, and a chunk of a frame may not hold more. */
const BLOCK_BYTES = 65_536;
/** Four bytes are read at each place where a match may begin. */
const TAIL_BYTES = 4;
const MAX_COPY = 64;
const STREAM_IDENTIFIER = Buffer.from('ff060000734e61507059', 'hex');
const COMPRESSED = 0x00;
const UNCOMPRESSED = 0x01;

export function compressSnappyBlock(input: Uint8Array): Buffer {
  const out = new SnappyWriter(input);
  out.length();
  for (let at = 0; at < input.length; at += BLOCK_BYTES)
    out.block(at, Math.min(at + BLOCK_BYTES, input.length));
  return out.finish();
}

export function compressSnappyFrames(input: Uint8Array): Buffer {
  const pieces: Uint8Array[] = [STREAM_IDENTIFIER];
  for (let at = 0; at < input.length; at += BLOCK_BYTES) {
    const plain = input.subarray(at, at + BLOCK_BYTES);
    const block = compressSnappyBlock(plain);
    const isSmaller = block.length < plain.length - plain.length / 8;
    const body = isSmaller ? block : plain;
    const head = Buffer.allocUnsafe(8);
    head.writeUInt32LE((((body.length + 4) << 8) | (isSmaller ? COMPRESSED : UNCOMPRESSED)) >>> 0, 0);
    const crc = crc32c(plain);
    head.writeUInt32LE((((crc >>> 15) | (crc << 17)) + 0xa282_ead8) >>> 0, 4);
    pieces.push(head, body);
  }
  return Buffer.concat(pieces);
}

class SnappyWriter {
  readonly #input: Uint8Array;
  readonly #out: Buffer;
  readonly #matches = new LzMatches();
  #at = 0;

  constructor(input: Uint8Array) {
    this.#input = input;
    // The worst case: literals only, three bytes in front of each run of them.
    this.#out = Buffer.allocUnsafe(32 + input.length + Math.ceil(input.length / 6));
  }

  length(): void {
    let rest = this.#input.length;
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) this.#out[this.#at++] = (rest & 0x7f) | 0x80;
    this.#out[this.#at++] = rest;
  }

  block(start: number, end: number): void {
    const rest = this.#matches.find(
      this.#input,
      start,
      end - TAIL_BYTES,
      end,
      (literals, at, offset, length) => {
        this.#literals(literals, at);
        this.#copy(offset, length);
      },
    );
    this.#literals(rest, end);
  }

  finish(): Buffer {
    return this.#out.subarray(0, this.#at);
  }

  #literals(start: number, end: number): void {
    const length = end - start;
    if (length === 0) return;
    const out = this.#out;
    if (length <= 60) out[this.#at++] = (length - 1) << 2;
    else if (length <= 256) {
      out[this.#at++] = 60 << 2;
      out[this.#at++] = length - 1;
    } else {
      out[this.#at++] = 61 << 2;
      this.#at = out.writeUInt16LE(length - 1, this.#at);
    }
    out.set(this.#input.subarray(start, end), this.#at);
    this.#at += length;
  }

  /** Copies with offsets of two bytes, which take any offset and up to 64 bytes. */
  #copy(offset: number, length: number): void {
    for (let left = length; left > 0; left -= MAX_COPY) {
      this.#out[this.#at++] = ((Math.min(left, MAX_COPY) - 1) << 2) | 2;
      this.#at = this.#out.writeUInt16LE(offset, this.#at);
    }
  }
}
