import { promisify } from 'node:util';
import * as zlib from 'node:zlib';

const gzip = promisify(zlib.gzip);

/**
 * Level 1 compresses OTLP five times as fast as the default, and what it makes is about a tenth larger (measured: 676
 * and 121 MB/s, 1/16 and 1/18 of the size).
 */
const LEVEL = 1;
/** Output is made in pieces of this size, each of which costs a trip through zlib and back. */
const CHUNK_BYTES = 64 * 1024;

/** On the thread pool. */
export const compressGzip = (bytes: Uint8Array): Promise<Buffer> =>
  gzip(bytes, { level: LEVEL, chunkSize: CHUNK_BYTES });
