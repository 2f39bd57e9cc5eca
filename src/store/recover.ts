/**
 * Makes a directory that a former writer left behind fit to go on with: cuts torn tails off, rebuilds missing indexes,
 * removes what a killed writer left half-done.
 */
import { readdir, readFile, rm, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { hasSegmentHeader, indexPath, listSegments, SEGMENT_HEADER_BYTES, segmentPath } from './layout.js';
import { recordSize, type ScanResult, scanRecords } from './record.js';
import { readSegmentIndex, SegmentIndexBuilder } from './segment-index.js';
import { type IndexPayload, writeIndex } from './segment-writer.js';

/** A segment that is no longer written to. */
export interface FinishedSegment {
  readonly sequence: number;
  /** Segment and index together. */
  readonly sizeBytes: number;
  /** When its last record was written, milliseconds since the epoch. */
  readonly newestMs: number;
}

export interface Recovery {
  /** Oldest first. */
  readonly segments: readonly FinishedSegment[];
  /** Number for the next segment. */
  readonly nextSequence: number;
  readonly tornTails: number;
  readonly tornBytes: number;
  readonly corruptRegions: number;
  readonly corruptBytes: number;
}

/** Call with the directory locked. Rejects only when the directory can't be listed. */
export const recoverDirectory = async (folder: string, indexPayload: IndexPayload): Promise<Recovery> => {
  for (const name of await readdir(folder)) {
    if (name.endsWith('.idx.tmp')) await rm(join(folder, name), { force: true });
  }
  const sequences = await listSegments(folder);
  const segments: FinishedSegment[] = [];
  const damage = { tornTails: 0, tornBytes: 0, corruptRegions: 0, corruptBytes: 0 };
  for (const sequence of sequences) {
    const segment = await recoverSegment(folder, sequence, indexPayload, damage).catch(() => undefined);
    if (segment !== undefined) segments.push(segment);
  }
  return { segments, nextSequence: (sequences.at(-1) ?? 0) + 1, ...damage };
};

type Damage = { -readonly [K in 'tornTails' | 'tornBytes' | 'corruptRegions' | 'corruptBytes']: number };

const recoverSegment = async (
  folder: string,
  sequence: number,
  indexPayload: IndexPayload,
  damage: Damage,
): Promise<FinishedSegment> => {
  const path = segmentPath(folder, sequence);
  const { size, mtimeMs } = await stat(path);
  const indexBytes = await readFile(indexPath(folder, sequence)).catch(() => undefined);
  const index = indexBytes === undefined ? undefined : readSegmentIndex(indexBytes);
  if (indexBytes !== undefined && index?.coveredBytes === size) {
    return {
      sequence,
      sizeBytes: size + indexBytes.length,
      newestMs: index.record(index.recordCount - 1)?.writtenMs ?? mtimeMs,
    };
  }
  const bytes = await readFile(path);
  if (!hasSegmentHeader(bytes)) {
    // Killed between creation and header, or not ours at all: it holds nothing that could be read.
    damage.corruptRegions += bytes.length > 0 ? 1 : 0;
    damage.corruptBytes += bytes.length;
    return { sequence, sizeBytes: size, newestMs: mtimeMs };
  }
  const scan = scanRecords(bytes, SEGMENT_HEADER_BYTES);
  damage.corruptRegions += scan.corruptRegions;
  damage.corruptBytes += scan.corruptBytes;
  if (scan.tornBytes > 0) {
    damage.tornTails += 1;
    damage.tornBytes += scan.tornBytes;
    await truncate(path, scan.goodEnd);
  }
  const indexSize = await writeIndex(folder, sequence, indexScan(scan, indexPayload));
  return {
    sequence,
    sizeBytes: scan.goodEnd + indexSize,
    newestMs: scan.records.at(-1)?.writtenMs ?? mtimeMs,
  };
};

/** The index of records that were read back. */
export const indexScan = (scan: ScanResult, indexPayload: IndexPayload): SegmentIndexBuilder => {
  const index = new SegmentIndexBuilder();
  for (const record of scan.records) {
    index.startRecord(record.offset, record.offset + recordSize(record), record.writtenMs);
    indexPayload(index, record.signal, record.payload);
  }
  return index;
};
