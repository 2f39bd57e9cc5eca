/**
 * Where things are in a store's directory.
 *
 *      <directory>/<signal>/lock.0000000001         who writes (directory-lock.ts)
 *      <directory>/<signal>/0000000012.seg          16 bytes of header, then records (record.ts)
 *      <directory>/<signal>/0000000012.idx          index of a finished segment (segment-index.ts); may be missing
 *
 * Segment numbers only grow; the highest one is being written.
 */
import { readdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Signal } from '../component/signal.js';

export const SEGMENT_HEADER_BYTES = 16;
/** Format version is the last byte; a reader skips files with another one. */
const SEGMENT_MAGIC = Buffer.from('KNDLSEG\x01', 'latin1');

const SEGMENT_NAME = /^(\d{10})\.seg$/;

export const SYSTEM_STORE_DIRECTORY = '/var/lib/kindling/store';
/** For a user who may not write to `/var/lib`. */
export const LOCAL_STORE_DIRECTORY = '.kindling/store';

export const signalDirectory = (directory: string, signal: Signal): string => join(directory, signal);
export const segmentPath = (folder: string, sequence: number): string =>
  join(folder, `${String(sequence).padStart(10, '0')}.seg`);
export const indexPath = (folder: string, sequence: number): string =>
  join(folder, `${String(sequence).padStart(10, '0')}.idx`);

export const createSegmentHeader = (createdMs: number): Buffer => {
  const header = Buffer.alloc(SEGMENT_HEADER_BYTES);
  SEGMENT_MAGIC.copy(header);
  header.writeDoubleLE(createdMs, 8);
  return header;
};

export const hasSegmentHeader = (bytes: Buffer): boolean =>
  bytes.length >= SEGMENT_HEADER_BYTES && bytes.subarray(0, SEGMENT_MAGIC.length).equals(SEGMENT_MAGIC);

/** Sequence numbers of the segments in `folder`, oldest first. Rejects with ENOENT when there is no such folder. */
export const listSegments = async (folder: string): Promise<number[]> => {
  const names = await readdir(folder);
  return names
    .map((name) => SEGMENT_NAME.exec(name)?.[1])
    .filter((digits) => digits !== undefined)
    .map(Number)
    .sort((a, b) => a - b);
};

/** `~` at the start is the user's home; everything else stays as it is. */
export const expandHome = (directory: string): string =>
  directory === '~' || directory.startsWith('~/') ? join(homedir(), directory.slice(1)) : directory;
