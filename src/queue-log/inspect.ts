/** What a queue's directory holds, read without locking or changing it; the owner may be at work meanwhile. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { readLockOwner } from '../store/directory-lock.js';
import { baseName, parseSegmentName } from './format.js';
import { isQueueDirectoryName } from './layout.js';
import { NODE_FILES } from './queue-files.js';
import { examineSegment, listSegments } from './recover.js';

export interface SegmentSummary {
  readonly file: string;
  readonly bytes: number;
  readonly waitingRecords: number;
  readonly waitingItems: number;
  readonly waitingBytes: number;
  readonly lostItems: number;
  readonly damagedRegions: number;
  readonly damagedBytes: number;
  readonly tornBytes: number;
}

export interface QueueSummary {
  readonly directory: string;
  /** Process id of the agent that uses it now. */
  readonly usedBy: number | undefined;
  readonly waitingRecords: number;
  readonly waitingItems: number;
  readonly waitingBytes: number;
  readonly oldest: string | undefined;
  readonly newest: string | undefined;
  /** Records by signal and by the receiver that they came from. */
  readonly signals: Readonly<Record<string, number>>;
  readonly lostItems: number;
  readonly damagedNotes: number;
  readonly unreadable: readonly string[];
  readonly segments: readonly SegmentSummary[];
}

/** Queues in `directory`, which is a queue itself or a `file_storage` directory. */
export async function findQueues(directory: string): Promise<string[]> {
  const names = await readdir(directory);
  if (names.some((name) => parseSegmentName(name) !== undefined) || isQueueDirectoryName(directory)) {
    return [directory];
  }
  const queues: string[] = [];
  for (const name of names.sort()) {
    const path = join(directory, name);
    if (isQueueDirectoryName(name) && (await stat(path)).isDirectory()) queues.push(path);
  }
  return queues;
}

/** Rejects with `QueueVersionError` for another version's files. */
export async function inspectQueue(directory: string): Promise<QueueSummary> {
  const unreadable: string[] = [];
  const found = await listSegments(NODE_FILES, directory, unreadable);
  const segments: SegmentSummary[] = [];
  const signals: Record<string, number> = {};
  let damagedNotes = 0;
  let oldestMs = Number.POSITIVE_INFINITY;
  let newestMs = Number.NEGATIVE_INFINITY;
  for (const one of found) {
    try {
      const report = await examineSegment(NODE_FILES, directory, one, undefined, undefined);
      const { pending } = report.segment;
      damagedNotes += report.damagedNotes;
      for (const { signal, enqueuedMs } of report.records) {
        signals[signal] = (signals[signal] ?? 0) + 1;
        oldestMs = Math.min(oldestMs, enqueuedMs);
        newestMs = Math.max(newestMs, enqueuedMs);
      }
      segments.push({
        file: `${baseName(one.name)}.kq`,
        bytes: report.sizeBytes,
        waitingRecords: pending.records,
        waitingItems: pending.items,
        waitingBytes: pending.bytes,
        lostItems: report.lost.items,
        damagedRegions: report.lost.regions,
        damagedBytes: report.lost.bytes,
        tornBytes: report.torn.bytes,
      });
    } catch (error) {
      // Deleted since the listing, by the agent that has delivered it.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') continue;
      unreadable.push(`${baseName(one.name)}.kq: ${(error as Error).message}`);
    }
  }
  const sum = (key: 'waitingRecords' | 'waitingItems' | 'waitingBytes' | 'lostItems'): number =>
    segments.reduce((total, segment) => total + segment[key], 0);
  const isEmpty = oldestMs === Number.POSITIVE_INFINITY;
  return {
    directory,
    usedBy: await readLockOwner(directory),
    waitingRecords: sum('waitingRecords'),
    waitingItems: sum('waitingItems'),
    waitingBytes: sum('waitingBytes'),
    oldest: isEmpty ? undefined : new Date(oldestMs).toISOString(),
    newest: isEmpty ? undefined : new Date(newestMs).toISOString(),
    signals,
    lostItems: sum('lostItems'),
    damagedNotes,
    unreadable,
    segments,
  };
}
