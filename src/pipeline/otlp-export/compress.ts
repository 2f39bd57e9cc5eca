/** Request bodies by the name of their compression: what a Collector's exporters have. */
import { promisify } from 'node:util';
import * as zlib from 'node:zlib';
import { compressLz4 } from '../../transport/lz4-compress.js';
import { compressSnappyBlock, compressSnappyFrames } from '../../transport/snappy-compress.js';

/** `none` leaves bytes as they are. */
export const COMPRESSIONS = [
  'gzip',
  'none',
  'zlib',
  'deflate',
  'snappy',
  'x-snappy-framed',
  'zstd',
  'lz4',
] as const;
export type Compression = (typeof COMPRESSIONS)[number];

export type Compress = (bytes: Uint8Array) => Promise<Buffer>;

/**
 * Level 1 compresses OTLP five times as fast as zlib's default, and what it makes is about a tenth larger (measured: 676
 * and 121 MB/s, 1/16 and 1/18 of the size).
 */
const DEFAULT_LEVEL = 1;
/** Output is made in pieces of this size, each of which costs a trip through zlib and back. */
const CHUNK_BYTES = 64 * 1024;

const gzip = promisify<Uint8Array, zlib.ZlibOptions, Buffer>(zlib.gzip);
const deflate = promisify<Uint8Array, zlib.ZlibOptions, Buffer>(zlib.deflate);

/** zstd of Node.js 22.15 and later; the types of the oldest supported release do not know it. */
const { zstdCompress } = zlib as typeof zlib & {
  zstdCompress?: (
    bytes: Uint8Array,
    options: { readonly params: Readonly<Record<number, number>> },
    callback: (error: Error | null, result: Buffer) => void,
  ) => void;
};
/** ZSTD_c_compressionLevel (zstd.h). */
const ZSTD_LEVEL = 100;
const DEFAULT_ZSTD_LEVEL = 1;

/** Why this program cannot compress so; undefined when it can. */
export const compressionProblem = (compression: string): string | undefined =>
  compression === 'zstd' && zstdCompress === undefined
    ? 'compression type "zstd" needs Node.js 22.15 or later'
    : undefined;

/** `level` 0: our default. Only of compressions that have levels, and no `compressionProblem`. */
export function compressorOf(compression: Exclude<Compression, 'none'>, level = 0): Compress {
  const options = { level: level === 0 ? DEFAULT_LEVEL : level, chunkSize: CHUNK_BYTES };
  switch (compression) {
    case 'gzip':
      return (bytes) => gzip(bytes, huffmanOnly(options));
    case 'zlib':
    case 'deflate':
      // Both names mean a zlib stream (RFC 9110 section 8.4.1.2).
      return (bytes) => deflate(bytes, huffmanOnly(options));
    case 'zstd': {
      const params = { [ZSTD_LEVEL]: level === 0 ? DEFAULT_ZSTD_LEVEL : level };
      return (bytes) =>
        new Promise((resolve, reject) => {
          if (zstdCompress === undefined) reject(new Error(compressionProblem('zstd')));
          else
            zstdCompress(bytes, { params }, (error, out) => (error === null ? resolve(out) : reject(error)));
        });
    }
    case 'snappy':
      return async (bytes) => compressSnappyBlock(bytes);
    case 'x-snappy-framed':
      return async (bytes) => compressSnappyFrames(bytes);
    case 'lz4':
      return async (bytes) => compressLz4(bytes);
  }
}

/** Go's level -2 is a strategy of zlib. */
const huffmanOnly = ({ level, chunkSize }: { level: number; chunkSize: number }): zlib.ZlibOptions =>
  level === -2 ? { level: 1, strategy: zlib.constants.Z_HUFFMAN_ONLY, chunkSize } : { level, chunkSize };

const LEVELED: readonly string[] = ['gzip', 'zlib', 'deflate'];

/** What a Collector says of a level that a compression does not have. */
export function levelProblem(compression: string, level: number): string | undefined {
  if (compression === 'zstd' || level === 0) return undefined;
  if (LEVELED.includes(compression) && Number.isInteger(level) && level >= -2 && level <= 9) return undefined;
  return `unsupported parameters {Level:${level}} for compression type "${compression}"`;
}
