/**
 * zstd where Node.js has none (before 22.15): the package `fzstd` behind checks of what a frame asks for, since it takes the
 * memory that the header names. Source: RFC 8878 section 3.1.1 (frame header). Checksums are not looked at.
 */
import { Decompress } from 'fzstd';

/** Why bytes are no zstd; `tooLarge` when the output, or the memory to make it, would exceed the limit. */
export class ZstdError extends Error {
  override readonly name = 'ZstdError';
  readonly tooLarge: boolean;

  constructor(message: string, tooLarge = false) {
    super(message);
    this.tooLarge = tooLarge;
  }
}

const MAGIC = 0xfd2fb528;
const SKIPPABLE = 0x184d2a50;
/** What every decoder should have (RFC 8878 section 3.1.1.1.2). A body's own limit may allow more. */
const MIN_WINDOW_BYTES = 8 << 20;
/** Small pieces, so that output beyond the limit is noticed before much of it exists. */
const PIECE_BYTES = 64 << 10;

/** At most `maxBytes`. Throws `ZstdError`. Does not change `input`. */
export function decompressZstd(input: Uint8Array, maxBytes: number): Buffer {
  checkFrames(input, Math.max(maxBytes, MIN_WINDOW_BYTES));
  const pieces: Uint8Array[] = [];
  let length = 0;
  let isFinal = false;
  const decoder = new Decompress((piece, final) => {
    length += piece.length;
    isFinal ||= final === true;
    if (length > maxBytes) throw new ZstdError('decompressed body too large', true);
    // It may be a view of the decoder's window, which goes on changing.
    if (piece.length > 0) pieces.push(piece.slice());
  });
  try {
    for (let at = 0; at < input.length; at += PIECE_BYTES) {
      const end = Math.min(at + PIECE_BYTES, input.length);
      // A copy: it keeps what it is given for later and may write into it.
      decoder.push(input.slice(at, end), end === input.length);
    }
  } catch (error) {
    if (error instanceof ZstdError) throw error;
    throw new ZstdError(/EOF/i.test((error as Error).message) ? 'unexpected EOF' : (error as Error).message);
  }
  if (!isFinal) throw new ZstdError('unexpected EOF');
  return Buffer.concat(pieces, length);
}

/** Walks over the frames without decoding them; refuses what is none and what would need too much memory. */
function checkFrames(input: Uint8Array, maxWindow: number): void {
  const view = new DataView(input.buffer, input.byteOffset, input.length);
  const need = (end: number) => {
    if (end > input.length) throw new ZstdError('unexpected EOF');
    return end;
  };
  for (let at = 0; at < input.length || at === 0; ) {
    need(at + 4);
    const magic = view.getUint32(at, true);
    if ((magic & 0xfffffff0) >>> 0 === SKIPPABLE) {
      need(at + 8);
      at = need(at + 8 + view.getUint32(at + 4, true));
      continue;
    }
    if (magic !== MAGIC) throw new ZstdError('invalid input: magic number mismatch');
    need(at + 6);
    const descriptor = input[at + 4]!;
    at = checkHeader(input, at + 5, descriptor, maxWindow, need);
    for (let isLast = false; !isLast; ) {
      need(at + 3);
      const header = input[at]! | (input[at + 1]! << 8) | (input[at + 2]! << 16);
      isLast = (header & 1) === 1;
      // A block of one byte repeated has that byte only.
      at = need(at + 3 + (((header >> 1) & 3) === 1 ? 1 : header >> 3));
    }
    if (descriptor & 0x04) at = need(at + 4);
  }
}

/** Checks the window that the header asks for. Gives where the header ends. */
function checkHeader(
  input: Uint8Array,
  start: number,
  descriptor: number,
  maxWindow: number,
  need: (end: number) => number,
): number {
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const sizeFlag = descriptor >> 6;
  const sizeBytes = sizeFlag === 0 ? (isSingleSegment ? 1 : 0) : 1 << sizeFlag;
  const sizeAt = start + (isSingleSegment ? 0 : 1) + [0, 1, 2, 4][descriptor & 3]!;
  const end = need(sizeAt + sizeBytes);
  let window = 0;
  if (isSingleSegment) {
    for (let index = sizeBytes - 1; index >= 0; index--) window = window * 256 + input[sizeAt + index]!;
  } else {
    const byte = input[start]!;
    const base = 2 ** (10 + (byte >> 3));
    window = base + (base / 8) * (byte & 7);
  }
  if (window > maxWindow) throw new ZstdError('decompressed body too large', true);
  return end;
}
