import type { Batch } from '../../../src/component/signal.js';
import type { QueueTally, StoredBatch } from '../../../src/component/storage.js';
import type { QueueFiles } from '../../../src/queue-log/queue-files.js';
import { QueueLog, type QueueLogOptions } from '../../../src/queue-log/queue-log.js';

/** A log of a test, and what it reported. */
export interface OpenedLog {
  readonly log: QueueLog;
  readonly lost: QueueTally[];
}

export async function openLog(
  files: QueueFiles,
  options: Partial<QueueLogOptions> = {},
  directory = '/queue',
): Promise<OpenedLog> {
  const lost: QueueTally[] = [];
  const log = await QueueLog.open(
    directory,
    {
      files,
      segmentBytes: 4096,
      fsync: true,
      directoryMode: 0o750,
      lock: async () => ({ release: async () => {} }),
      now: () => 1_700_000_000_000,
      ...options,
    },
    { lost: (tally) => lost.push(tally) },
  );
  return { log, lost };
}

/** A batch that tells its number: `items` items, the number and padding as bytes. */
export function numbered(number: number, items = 1, paddingBytes = 0): Batch {
  const bytes = Buffer.alloc(4 + paddingBytes, number & 0xff);
  bytes.writeUInt32LE(number);
  return { signal: 'traces', bytes, itemCount: items, origin: { receiver: 'test' } };
}

export const numberOf = ({ bytes }: Batch): number => Buffer.from(bytes).readUInt32LE();

/** Takes everything there is. */
export async function takeAll(log: QueueLog): Promise<StoredBatch[]> {
  const all: StoredBatch[] = [];
  for (let one = await log.take(); one !== undefined; one = await log.take()) all.push(one);
  return all;
}

export const numbersOf = (stored: readonly StoredBatch[]): number[] =>
  stored.map(({ batch }) => numberOf(batch));
