/**
 * LZ4 frames of independent blocks of 64 KiB
 * (https://github.com/lz4/lz4/blob/v1.10.0/doc/lz4_Frame_format.md, lz4_Block_format.md), without checksums of contents.
 */
import { LzMatches } from './lz-matches.js';

const BLOCK_BYTES = 65_536;
/** Magic number, version 1 with independent blocks, blocks of at most 64 KiB, and the checksum of these two bytes. */
const HEADER = Buffer.from('04224d18604082', 'hex');
const STORED = 0x8000_0000;
/** End of block restrictions: the last match begins 12 bytes before the end, and the last 5 bytes are literals. */
const LAST_MATCH_BYTES = 12;
const LAST_LITERALS = 5;
const MIN_MATCH = 4;

export function compressLz4(input: Uint8Array): Buffer {
  const pieces: Uint8Array[] = [HEADER];
  const matches = new LzMatches();
  for (let at = 0; at < input.length; at += BLOCK_BYTES) {
    const end = Math.min(at + BLOCK_BYTES, input.length);
    const block = compressBlock(input, at, end, matches);
    const size = Buffer.allocUnsafe(4);
    const isSmaller = block.length < end - at;
    size.writeUInt32LE(isSmaller ? block.length : (STORED | (end - at)) >>> 0, 0);
    pieces.push(size, isSmaller ? block : input.subarray(at, end));
  }
  return Buffer.concat([...pieces, Buffer.alloc(4)]);
}

function compressBlock(input: Uint8Array, start: number, end: number, matches: LzMatches): Buffer {
  const out = Buffer.allocUnsafe(32 + end - start + Math.ceil((end - start) / 128));
  let at = 0;
  const more = (rest: number): void => {
    let left = rest;
    for (; left >= 255; left -= 255) out[at++] = 255;
    out[at++] = left;
  };
  const sequence = (from: number, to: number, matchLength: number): void => {
    const literals = to - from;
    const match = matchLength === 0 ? 0 : matchLength - MIN_MATCH;
    out[at++] = (Math.min(literals, 15) << 4) | Math.min(match, 15);
    if (literals >= 15) more(literals - 15);
    out.set(input.subarray(from, to), at);
    at += literals;
  };
  const rest = matches.find(
    input,
    start,
    end - LAST_MATCH_BYTES,
    end - LAST_LITERALS,
    (literals, to, offset, length) => {
      sequence(literals, to, length);
      at = out.writeUInt16LE(offset, at);
      if (length - MIN_MATCH >= 15) more(length - MIN_MATCH - 15);
    },
  );
  sequence(rest, end, 0);
  return out.subarray(0, at);
}
