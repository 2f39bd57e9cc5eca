/**
 * Appends records to one segment file. A write that fails leaves the file as it was before: either whole records of a
 * call are in the file or none of them is (unless the process dies, which `scanRecords` deals with).
 */
import { open, rename, rm, writeFile } from 'node:fs/promises';
import type { Signal } from '../component/signal.js';
import { createSegmentHeader, indexPath, SEGMENT_HEADER_BYTES, segmentPath } from './layout.js';
import { createRecordHeader, RECORD_HEADER_BYTES } from './record.js';
import { SegmentIndexBuilder } from './segment-index.js';

/** The part of a `FileHandle` that is used here; replaced in tests of a full or broken disk. */
export interface SegmentFile {
  writev(buffers: readonly Uint8Array[], position: number): Promise<{ readonly bytesWritten: number }>;
  truncate(length: number): Promise<void>;
  close(): Promise<void>;
}

/** Creates a file that must not exist yet. */
export type CreateSegmentFile = (path: string) => Promise<SegmentFile>;

export const createSegmentFile: CreateSegmentFile = (path) => open(path, 'wx', 0o640);

/** Adds what `payload` holds to the open record of `index`. Must not throw for bytes that are not OTLP. */
export type IndexPayload = (index: SegmentIndexBuilder, signal: Signal, payload: Uint8Array) => void;

/** A batch on its way into a segment. */
export interface Appendable {
  readonly signal: Signal;
  readonly itemCount: number;
  readonly bytes: Uint8Array;
}

export const storedSize = (batch: Appendable): number => RECORD_HEADER_BYTES + batch.bytes.length;

export class SegmentWriter {
  readonly sequence: number;
  readonly createdMs: number;
  readonly #folder: string;
  readonly #file: SegmentFile;
  readonly #index = new SegmentIndexBuilder();
  readonly #indexPayload: IndexPayload;
  #sizeBytes: number;

  private constructor(
    folder: string,
    sequence: number,
    createdMs: number,
    file: SegmentFile,
    indexPayload: IndexPayload,
  ) {
    this.#folder = folder;
    this.sequence = sequence;
    this.createdMs = createdMs;
    this.#file = file;
    this.#indexPayload = indexPayload;
    this.#sizeBytes = SEGMENT_HEADER_BYTES;
  }

  /** Creates the file and writes its header. Rejects with the file system's error; nothing is left behind then. */
  static async create(
    folder: string,
    sequence: number,
    nowMs: number,
    createFile: CreateSegmentFile,
    indexPayload: IndexPayload,
  ): Promise<SegmentWriter> {
    const path = segmentPath(folder, sequence);
    const file = await createFile(path);
    try {
      await writeAll(file, [createSegmentHeader(nowMs)], 0);
    } catch (error) {
      await file.close().catch(() => undefined);
      await rm(path, { force: true }).catch(() => undefined);
      throw error;
    }
    return new SegmentWriter(folder, sequence, nowMs, file, indexPayload);
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** Appends all of `batches` or none: rejects with the file system's error after taking back what was written. */
  async append(batches: readonly Appendable[], nowMs: number): Promise<void> {
    const start = this.#sizeBytes;
    const buffers: Uint8Array[] = [];
    for (const batch of batches) {
      buffers.push(createRecordHeader(batch.signal, batch.itemCount, nowMs, batch.bytes), batch.bytes);
    }
    try {
      await writeAll(this.#file, buffers, start);
    } catch (error) {
      // If this fails too, the torn record stays and the next reader skips it.
      await this.#file.truncate(start).catch(() => undefined);
      throw error;
    }
    let offset = start;
    for (const batch of batches) {
      const end = offset + storedSize(batch);
      this.#index.startRecord(offset, end, nowMs);
      this.#indexPayload(this.#index, batch.signal, batch.bytes);
      offset = end;
    }
    this.#sizeBytes = offset;
  }

  /** Writes the index beside the segment and closes the file. Returns the bytes of the index, 0 if that failed. */
  async seal(): Promise<number> {
    await this.#file.close().catch(() => undefined);
    return writeIndex(this.#folder, this.sequence, this.#index);
  }

  /** Closes the file without an index, after an error. */
  async abandon(): Promise<void> {
    await this.#file.close().catch(() => undefined);
  }
}

/** Writes an index so that a reader sees all of it or nothing. Returns its size, 0 if it could not be written. */
export const writeIndex = async (
  folder: string,
  sequence: number,
  index: SegmentIndexBuilder,
): Promise<number> => {
  const path = indexPath(folder, sequence);
  const draft = `${path}.tmp`;
  const bytes = index.encode();
  try {
    await writeFile(draft, bytes, { mode: 0o644 });
    await rename(draft, path);
    return bytes.length;
  } catch {
    await rm(draft, { force: true }).catch(() => undefined);
    return 0;
  }
};

/** writev(2) may write less than asked for; the rest follows as one buffer until it is all out or fails. */
const writeAll = async (file: SegmentFile, buffers: Uint8Array[], position: number): Promise<void> => {
  const total = buffers.reduce((sum, buffer) => sum + buffer.length, 0);
  let { bytesWritten } = await file.writev(buffers, position);
  if (bytesWritten === total) return;
  const whole = Buffer.concat(buffers, total);
  while (bytesWritten < total) {
    const rest = await file.writev([whole.subarray(bytesWritten)], position + bytesWritten);
    if (rest.bytesWritten === 0) throw new Error('The file accepts no more bytes.');
    bytesWritten += rest.bytesWritten;
  }
};
