/**
 * Finds out what a directory of segments holds after a clean end, a kill, a power cut or damage to its files. Torn tails
 * are cut off, damaged stretches are counted once, segments of which everything was delivered are removed.
 */
import { join } from 'node:path';
import type { QueueRecovery } from '../component/storage.js';
import {
  baseName,
  decodeSegmentHeader,
  parseSegmentName,
  type RecordHeader,
  SEGMENT_HEADER_BYTES,
  type SegmentHeader,
  type SegmentName,
} from './format.js';
import { decodeJournal, type Journal } from './journal.js';
import type { QueueFiles } from './queue-files.js';
import { scanSegment } from './scan.js';
import { addTo, emptyTally, Segment } from './segment.js';

export interface RecoveredLog {
  /** Oldest first, each with at least one record to deliver. */
  readonly segments: readonly Segment[];
  readonly recovery: QueueRecovery;
  readonly nextSequence: number;
  /** For the next record. */
  readonly nextNumber: number;
  readonly itemsBefore: number;
}

interface Found {
  readonly name: SegmentName;
  readonly header: SegmentHeader | undefined;
}

/** What was found in one segment. */
export interface SegmentReport {
  readonly segment: Segment;
  /** Records that still have to be delivered. */
  readonly records: readonly RecordHeader[];
  readonly lost: { items: number; regions: number; bytes: number };
  readonly torn: { tails: number; bytes: number };
  readonly damagedNotes: number;
  readonly itemsAtEnd: number;
  readonly lastNumber: number;
  readonly sizeBytes: number;
}

/**
 * Segments by sequence, with their headers. Throws `QueueVersionError` when one of them is of another version, before
 * anything was changed. Unreadable files are added to `unreadable`.
 */
export async function listSegments(
  files: QueueFiles,
  directory: string,
  unreadable: string[] = [],
): Promise<Found[]> {
  const found: Found[] = [];
  for (const file of await files.list(directory)) {
    const name = parseSegmentName(file);
    if (name === undefined) continue;
    const path = join(directory, file);
    const head = Buffer.alloc(SEGMENT_HEADER_BYTES * 8);
    try {
      const open = await files.openForReading(path);
      const length = await open.read(head, 0).finally(() => open.close());
      found.push({ name, header: decodeSegmentHeader(head.subarray(0, length), path) });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === undefined) throw error;
      unreadable.push(`${path}: ${(error as Error).message}`);
    }
  }
  return found.sort((a, b) => a.name.sequence - b.name.sequence);
}

/**
 * Reads one segment and its journal. Changes nothing. `previousItems` and `nextItems` are the items of the log where the
 * segments before and behind it end and begin, as far as these are there: they tell what this one must have held.
 */
export async function examineSegment(
  files: QueueFiles,
  directory: string,
  { name, header }: Found,
  previousItems: number | undefined,
  nextItems: number | undefined,
): Promise<SegmentReport> {
  const base = join(directory, baseName(name));
  const bytes = await files.readAll(`${base}.kq`);
  const journal = await readJournal(files, `${base}.ack`, name.salt);
  const { committed } = journal;
  const itemsBefore = header?.itemsBefore ?? journal.began?.items ?? previousItems;
  const scan = scanSegment(bytes, name.salt, itemsBefore);
  const segment = new Segment(files, directory, name, scan.goodEnd, journal.end);
  segment.done = journal.done;

  const lost = { items: 0, regions: 0, bytes: 0 };
  const lose = (start: number, end: number, items: number): void => {
    if (journal.lost.has(start)) return;
    lost.regions++;
    lost.bytes += end - start;
    lost.items += Math.max(0, items - doneBetween(journal, start, end));
    segment.note({ kind: 'lost', offset: start, items });
  };
  // Killed between the creation of the file and its header: nothing was ever in it.
  const isUnborn = bytes.length < SEGMENT_HEADER_BYTES && committed === undefined;
  if (header === undefined && !isUnborn) lose(0, SEGMENT_HEADER_BYTES, 0);
  for (const gap of scan.gaps) {
    segment.gaps.set(gap.start, gap.end);
    lose(gap.start, gap.end, gap.items ?? 0);
  }

  const torn = { tails: 0, bytes: 0 };
  const expectedItems = Math.max(committed?.items ?? 0, nextItems ?? 0);
  const expectedEnd = committed?.offset ?? scan.goodEnd;
  if (expectedEnd > scan.goodEnd || (nextItems !== undefined && nextItems > scan.itemsAtEnd)) {
    const end = Math.max(expectedEnd, bytes.length, scan.goodEnd + 1);
    const isKnown = itemsBefore !== undefined || scan.records.length > 0;
    lose(scan.goodEnd, end, isKnown ? expectedItems - scan.itemsAtEnd : 0);
  } else if (bytes.length > scan.goodEnd) {
    torn.tails++;
    torn.bytes += bytes.length - scan.goodEnd;
  }

  const records = scan.records.filter(({ offset }) => !journal.done.has(offset));
  for (const record of records) {
    const tally = { records: 1, items: record.itemCount, bytes: record.payloadBytes };
    addTo(segment.pending, tally);
    addTo(segment.unread, tally);
  }
  return {
    segment,
    records,
    lost,
    torn,
    damagedNotes: journal.damagedEntries,
    itemsAtEnd: Math.max(scan.itemsAtEnd, expectedItems),
    lastNumber: scan.records.at(-1)?.number ?? 0,
    sizeBytes: bytes.length,
  };
}

/** Call with the directory locked. */
export async function recoverLog(files: QueueFiles, directory: string): Promise<RecoveredLog> {
  const unreadable: string[] = [];
  const found = await listSegments(files, directory, unreadable);
  const segments: Segment[] = [];
  const waiting = emptyTally();
  const lost = { items: 0, regions: 0, bytes: 0 };
  const torn = { tails: 0, bytes: 0 };
  let damagedNotes = 0;
  let lastNumber = 0;
  let itemsBefore = 0;
  let before: { sequence: number; items: number } | undefined;
  for (const [index, one] of found.entries()) {
    const { sequence } = one.name;
    const next = found[index + 1];
    const nextItems = next?.name.sequence === sequence + 1 ? next.header?.itemsBefore : undefined;
    const previousItems = before?.sequence === sequence - 1 ? before.items : undefined;
    let report: SegmentReport;
    try {
      report = await examineSegment(files, directory, one, previousItems, nextItems);
    } catch (error) {
      unreadable.push(`${baseName(one.name)}.kq: ${(error as Error).message}`);
      continue;
    }
    const { segment } = report;
    before = { sequence, items: report.itemsAtEnd };
    addTo(waiting, segment.pending);
    lost.items += report.lost.items;
    lost.regions += report.lost.regions;
    lost.bytes += report.lost.bytes;
    torn.tails += report.torn.tails;
    torn.bytes += report.torn.bytes;
    damagedNotes += report.damagedNotes;
    lastNumber = Math.max(lastNumber, report.lastNumber);
    itemsBefore = Math.max(itemsBefore, report.itemsAtEnd);
    // Where the disk refuses these, the next start finds the same again.
    if (report.sizeBytes > segment.end) await cut(files, segment);
    if (segment.pending.records === 0) await segment.remove().catch(() => undefined);
    else {
      await segment.writeNotes(false).catch(() => undefined);
      segments.push(segment);
    }
  }
  await removeOrphans(files, directory, found);
  return {
    segments,
    recovery: { waiting, lost, torn, damagedNotes, unreadable },
    nextSequence: (found.at(-1)?.name.sequence ?? 0) + 1,
    nextNumber: lastNumber + 1,
    itemsBefore,
  };
}

async function readJournal(files: QueueFiles, path: string, salt: number): Promise<Journal> {
  // Without a journal nothing is known to be delivered, and everything is delivered again.
  const bytes = await files.readAll(path).catch(() => Buffer.alloc(0));
  return decodeJournal(bytes, salt);
}

function doneBetween(journal: Journal, start: number, end: number): number {
  let items = 0;
  for (const [offset, count] of journal.done) if (offset >= start && offset < end) items += count;
  return items;
}

async function cut(files: QueueFiles, segment: Segment): Promise<void> {
  try {
    const file = await files.open(segment.path);
    await file.truncate(segment.end).finally(() => file.close());
  } catch {
    // Read-only: the tail is found again at the next start.
  }
}

/** Journals whose segment is gone: the process died between the two deletions. */
async function removeOrphans(files: QueueFiles, directory: string, found: readonly Found[]): Promise<void> {
  const known = new Set(found.map(({ name }) => `${baseName(name)}.ack`));
  for (const file of await files.list(directory)) {
    if (
      !file.endsWith('.ack') ||
      known.has(file) ||
      parseSegmentName(file.replace(/ack$/, 'kq')) === undefined
    )
      continue;
    await files.remove(join(directory, file)).catch(() => undefined);
  }
}
