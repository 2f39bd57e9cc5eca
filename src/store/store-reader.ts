/**
 * Reads a store's directory, also while an agent writes to it. Takes no lock and changes nothing: segments that vanish
 * meanwhile are skipped, the record that is being written at this moment is not seen yet.
 */
import { type FileHandle, open, readFile } from 'node:fs/promises';
import type { Signal } from '../component/signal.js';
import {
  hasSegmentHeader,
  indexPath,
  listSegments,
  SEGMENT_HEADER_BYTES,
  segmentPath,
  signalDirectory,
} from './layout.js';
import { RECORD_HEADER_BYTES, readRecord, scanRecords } from './record.js';
import { indexScan } from './recover.js';
import { type EntrySpan, readSegmentIndex, type SegmentIndex } from './segment-index.js';
import type { IndexPayload } from './segment-writer.js';

/** What a reader met; grows while it reads. */
export interface ReadReport {
  segments: number;
  bytes: number;
  /** Places where records could not be read, and their bytes where known. */
  corruptRegions: number;
  corruptBytes: number;
}

export class StoreReader {
  readonly report: ReadReport = { segments: 0, bytes: 0, corruptRegions: 0, corruptBytes: 0 };
  readonly #folder: string;
  readonly #segments: readonly ReadableSegment[];

  private constructor(folder: string, segments: readonly ReadableSegment[], report: ReadReport) {
    this.#folder = folder;
    this.#segments = segments;
    this.report = report;
  }

  /** Lists the segments and reads their indexes. Rejects with ENOENT when there is no store in `directory`. */
  static async open(directory: string, signal: Signal, indexPayload: IndexPayload): Promise<StoreReader> {
    const folder = signalDirectory(directory, signal);
    const report: ReadReport = { segments: 0, bytes: 0, corruptRegions: 0, corruptBytes: 0 };
    const segments: ReadableSegment[] = [];
    for (const sequence of await listSegments(folder)) {
      const segment = await readSegment(folder, sequence, indexPayload, report);
      if (segment !== undefined) segments.push(segment);
    }
    return new StoreReader(folder, segments, report);
  }

  /** Every entry span in the store, oldest segment first. */
  *entries(): Generator<EntrySpan> {
    for (const segment of this.#segments) yield* segment.index.entries();
  }

  /**
   * The encoded batches that may hold spans of a trace whose id starts with `prefix` (8 to 32 lower-case hex digits),
   * oldest first. They hold spans of other traces too.
   */
  async batchesOf(prefix: string): Promise<Uint8Array[]> {
    const batches: Uint8Array[] = [];
    for (const segment of this.#segments) {
      const offsets = segment.index
        .recordsOf(prefix)
        .map((position) => segment.index.record(position)?.offset)
        .filter((offset) => offset !== undefined);
      if (offsets.length === 0) continue;
      batches.push(...(await this.#readRecords(segment, offsets)));
    }
    return batches;
  }

  async #readRecords(segment: ReadableSegment, offsets: readonly number[]): Promise<Uint8Array[]> {
    const { bytes } = segment;
    if (bytes !== undefined) {
      return offsets
        .map((offset) => readRecord(bytes, offset)?.payload)
        .filter((found) => found !== undefined);
    }
    let file: FileHandle;
    try {
      file = await open(segmentPath(this.#folder, segment.sequence));
    } catch {
      return [];
    }
    try {
      const found: Uint8Array[] = [];
      for (const offset of offsets) {
        const payload = await readRecordAt(file, offset);
        if (payload !== undefined) found.push(payload);
        else this.report.corruptRegions += 1;
      }
      return found;
    } finally {
      await file.close();
    }
  }
}

interface ReadableSegment {
  readonly sequence: number;
  readonly index: SegmentIndex;
  /** The whole segment, when it had to be scanned anyway. */
  readonly bytes: Buffer | undefined;
}

const readSegment = async (
  folder: string,
  sequence: number,
  indexPayload: IndexPayload,
  report: ReadReport,
): Promise<ReadableSegment | undefined> => {
  const path = segmentPath(folder, sequence);
  try {
    const indexBytes = await readFile(indexPath(folder, sequence)).catch(() => undefined);
    const index = indexBytes === undefined ? undefined : readSegmentIndex(indexBytes);
    if (index !== undefined && (await sizeOf(path)) === index.coveredBytes) {
      report.segments += 1;
      report.bytes += index.coveredBytes;
      return { sequence, index, bytes: undefined };
    }
    const bytes = await readFile(path);
    report.segments += 1;
    report.bytes += bytes.length;
    if (!hasSegmentHeader(bytes)) {
      if (bytes.length > 0) report.corruptRegions += 1;
      report.corruptBytes += bytes.length;
      return undefined;
    }
    const scan = scanRecords(bytes, SEGMENT_HEADER_BYTES);
    // Torn bytes at the end are no damage here: most often it is the record that the agent is writing right now.
    report.corruptRegions += scan.corruptRegions;
    report.corruptBytes += scan.corruptBytes;
    return { sequence, index: indexScan(scan, indexPayload).view(), bytes };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
};

const sizeOf = async (path: string): Promise<number> => {
  const file = await open(path);
  try {
    return (await file.stat()).size;
  } finally {
    await file.close();
  }
};

/** The payload of the record at `offset`, or undefined when it is damaged. */
const readRecordAt = async (file: FileHandle, offset: number): Promise<Uint8Array | undefined> => {
  const header = Buffer.alloc(RECORD_HEADER_BYTES);
  const head = await file.read(header, 0, header.length, offset);
  if (head.bytesRead < header.length) return undefined;
  const { size } = await file.stat();
  const length = RECORD_HEADER_BYTES + header.readUInt32LE(4);
  if (offset + length > size) return undefined;
  const whole = Buffer.alloc(length);
  const body = await file.read(whole, 0, length, offset);
  return body.bytesRead < length ? undefined : readRecord(whole, 0)?.payload;
};
