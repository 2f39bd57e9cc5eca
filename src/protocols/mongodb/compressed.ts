/**
 * OP_COMPRESSED: what follows a message's header, compressed. zlib is undone as far as it was captured; snappy and zstd are
 * noted and not read.
 */
import { constants, inflateSync } from 'node:zlib';
import type { Frame } from '../frame-reader.js';
import { HEADER_BYTES } from './wire.js';

const NAMES = ['', 'snappy', 'zlib', 'zstd'];
const NOOP = 0;
const ZLIB = 2;
/** Bytes that are unpacked: a command and its text are at the beginning. */
const UNPACKED = 16 * 1024;

export interface Unpacked {
  /** Of the message inside. */
  readonly code: number;
  /** `bytes[start, end)` follow its header; empty when they can't be read. */
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
  /** Of what follows the header, as a whole. */
  readonly length: number;
  /** '' for none. */
  readonly compression: string;
}

export function unpack({ bytes, start, end, length }: Frame): Unpacked | undefined {
  const at = start + HEADER_BYTES + 9;
  if (at > end) return undefined;
  const code = bytes.readInt32LE(start + HEADER_BYTES);
  const size = bytes.readUInt32LE(start + HEADER_BYTES + 4);
  const compressor = bytes[at - 1]!;
  const compression = NAMES[compressor] ?? String(compressor);
  if (compressor === NOOP)
    return { code, bytes, start: at, end, length: length - HEADER_BYTES - 9, compression };
  const plain = compressor === ZLIB ? inflate(bytes.subarray(at, end)) : NOTHING;
  return { code, bytes: plain, start: 0, end: plain.length, length: size, compression };
}

const NOTHING = Buffer.alloc(0);

/** The beginning of what was compressed, of a beginning. */
function inflate(content: Buffer): Buffer {
  try {
    return inflateSync(content, { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: UNPACKED });
  } catch {
    return NOTHING;
  }
}
