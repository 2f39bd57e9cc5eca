/**
 * Request bodies by their encoding name, never producing more than a limit: a compressed bomb costs at most the limit.
 *
 * HTTP `deflate` is a zlib stream (RFC 9110 section 8.4.1.2).
 */
import * as zlib from 'node:zlib';
import { decompressLz4, Lz4Error } from './lz4.js';
import { decompressSnappyBlock, decompressSnappyFrames, isSnappyFramed, SnappyError } from './snappy.js';
import { decompressZstd, ZstdError } from './zstd-fallback.js';

/** Why a body could not be decompressed; `too_large` when the output would exceed the limit. */
export class DecompressError extends Error {
  override readonly name = 'DecompressError';
  readonly reason: 'corrupt' | 'too_large';

  constructor(reason: 'corrupt' | 'too_large', message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}

/** Resolves to at most `maxBytes`; rejects with `DecompressError`. Does not change `input`. */
export type Decompressor = (input: Uint8Array, maxBytes: number) => Promise<Uint8Array>;

interface ZlibOptions {
  readonly maxOutputLength: number;
  readonly chunkSize: number;
}
type ZlibFunction = (
  input: zlib.InputType,
  options: ZlibOptions,
  callback: (error: Error | null, result: Buffer) => void,
) => void;
type ZlibSyncFunction = (input: zlib.InputType, options: ZlibOptions) => Buffer;

/** Below this many compressed bytes the thread pool costs more than it saves. */
const SYNC_BYTES = 16 * 1024;

/** What zlib puts out at a time unless told otherwise; each piece costs a trip through zlib, and joining them a copy. */
const MIN_CHUNK_BYTES = 16 * 1024;
/** OTLP is seldom smaller than this part of itself. What claims to be more is not given the memory in advance. */
const MAX_EXPECTED_RATIO = 64;

/**
 * Room for the whole output, where gzip says how much that is: the length modulo 2^32 is in the last four bytes (RFC 1952,
 * section 2.3.1). A wrong length costs time, not correctness.
 */
function chunkSizeOf(input: Uint8Array, maxBytes: number, isGzip: boolean): number {
  if (!isGzip || input.length < 4) return MIN_CHUNK_BYTES;
  const length = new DataView(input.buffer, input.byteOffset + input.length - 4).getUint32(0, true);
  // One more than needed, or zlib asks for another piece to be sure that this was all.
  const expected = Math.min(length + 64, input.length * MAX_EXPECTED_RATIO, maxBytes);
  return Math.max(MIN_CHUNK_BYTES, expected);
}

function zlibDecompressor(name: string, sync: ZlibSyncFunction, async: ZlibFunction): Decompressor {
  const failure = (error: unknown): DecompressError => {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ERR_BUFFER_TOO_LARGE') {
      return new DecompressError('too_large', 'decompressed body too large', { cause: error });
    }
    const text =
      code === 'Z_BUF_ERROR'
        ? 'unexpected EOF'
        : code === 'Z_DATA_ERROR'
          ? sentenceOf(name, message)
          : message;
    return new DecompressError('corrupt', text, { cause: error });
  };
  return (input, maxBytes) =>
    new Promise((resolve, reject) => {
      const problem = tooShort(name, input.length);
      if (problem !== undefined) {
        reject(new DecompressError('corrupt', problem));
        return;
      }
      const chunkSize = chunkSizeOf(input, maxBytes, name === 'gzip');
      const options = { maxOutputLength: Math.max(1, maxBytes), chunkSize };
      if (input.length <= SYNC_BYTES) {
        try {
          resolve(sync(input, options));
        } catch (error) {
          reject(failure(error));
        }
        return;
      }
      async(input, options, (error, result) => (error === null ? resolve(result) : reject(failure(error))));
    });
}

const GZIP_HEADER_BYTES = 10;

/** What Go's reader of gzip says when there is not even a header. */
function tooShort(name: string, bytes: number): string | undefined {
  if (name !== 'gzip' || bytes >= GZIP_HEADER_BYTES) return undefined;
  return bytes === 0 ? 'EOF' : 'unexpected EOF';
}

/** zlib's reason in Go's words. */
function sentenceOf(name: string, reason: string): string {
  if (/^incorrect (data|length) check/.test(reason)) return `${name}: invalid checksum`;
  return /header check|compression method/.test(reason) ? `${name}: invalid header` : 'flate: corrupt input';
}

/** For decoders of our own, which run at once. */
function ownDecompressor(decode: (input: Uint8Array, maxBytes: number) => Buffer): Decompressor {
  return async (input, maxBytes) => {
    try {
      return decode(input, maxBytes);
    } catch (error) {
      const isOwn = error instanceof SnappyError || error instanceof Lz4Error || error instanceof ZstdError;
      if (!isOwn) throw error;
      throw new DecompressError(error.tooLarge ? 'too_large' : 'corrupt', error.message, { cause: error });
    }
  };
}

const gzip = zlibDecompressor('gzip', zlib.gunzipSync, zlib.gunzip);
const zlibStream = zlibDecompressor('zlib', zlib.inflateSync, zlib.inflate);

/** zstd of Node.js 22.15 and later; the types of the oldest supported release do not know it. */
const { zstdDecompress, zstdDecompressSync } = zlib as typeof zlib & {
  zstdDecompress?: ZlibFunction;
  zstdDecompressSync?: ZlibSyncFunction;
};

/** Nothing is a stream of no frames, of which Go's readers make nothing. */
const emptyIsEmpty =
  (inner: Decompressor): Decompressor =>
  (input, maxBytes) =>
    input.length === 0 ? Promise.resolve(input) : inner(input, maxBytes);

const zstd = emptyIsEmpty(
  zstdDecompress === undefined || zstdDecompressSync === undefined
    ? ownDecompressor(decompressZstd)
    : zlibDecompressor('zstd', zstdDecompressSync, zstdDecompress),
);
const framedSnappy = emptyIsEmpty(ownDecompressor(decompressSnappyFrames));

/** By `Content-Encoding`. */
export const HTTP_DECOMPRESSORS: Readonly<Record<string, Decompressor>> = {
  gzip,
  zlib: zlibStream,
  deflate: zlibStream,
  snappy: ownDecompressor((input, maxBytes) =>
    isSnappyFramed(input) ? decompressSnappyFrames(input, maxBytes) : decompressSnappyBlock(input, maxBytes),
  ),
  lz4: ownDecompressor(decompressLz4),
  'x-snappy-framed': framedSnappy,
  zstd,
};

/** By `grpc-encoding`: what a Collector installs. `deflate` is not among them. */
export const GRPC_DECOMPRESSORS: Readonly<Record<string, Decompressor>> = {
  gzip,
  snappy: framedSnappy,
  zstd,
};
