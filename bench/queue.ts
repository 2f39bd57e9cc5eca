/**
 * The queue on disk by itself, in this process: what `fsync` costs, what group commit saves, how fast a queue is read back
 * and recovered. KINDLING_BENCH_DIR chooses the disk (default: build/).
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Batch } from '../src/component/signal.js';
import { NODE_FILES } from '../src/queue-log/queue-files.js';
import { QueueLog } from '../src/queue-log/queue-log.js';
import { numberedRequest } from '../test/helpers/faults/numbers.js';
import { printTable } from './report.js';

const SPANS = 100;
const SECONDS = 2;

interface Row {
  readonly fsync: boolean;
  readonly senders: number;
  readonly batchesPerSecond: number;
  readonly batchesPerSync: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export async function run(): Promise<object> {
  mkdirSync('build', { recursive: true });
  const root = mkdtempSync(join(process.env.KINDLING_BENCH_DIR ?? 'build', 'queue-bench-'));
  try {
    const bytes = numberedRequest(1, SPANS, 400);
    const batch: Batch = { signal: 'traces', bytes, itemCount: SPANS, origin: { receiver: 'bench' } };
    const rows: Row[] = [];
    for (const fsync of [true, false]) {
      for (const senders of [1, 8, 64])
        rows.push(await append(join(root, `${fsync}-${senders}`), batch, fsync, senders));
    }
    console.log(
      `Batches of ${SPANS} spans, ${bytes.length} bytes; each sender waits for its batch to be kept.`,
    );
    printTable([
      ['fsync', 'senders', 'batches/s', 'spans/s', 'MB/s', 'batches per sync', 'p50 ms', 'p99 ms'],
      ...rows.map((row) => [
        row.fsync ? 'on' : 'off',
        row.senders,
        Math.round(row.batchesPerSecond),
        Math.round(row.batchesPerSecond * SPANS),
        (row.batchesPerSecond * bytes.length) / 1e6,
        row.batchesPerSync,
        row.p50Ms,
        row.p99Ms,
      ]),
    ]);
    const reading = await readBack(join(root, 'read'), batch);
    console.log(
      `\nopening a queue of ${Math.round(reading.megabytes)} MB: ${Math.round(reading.recoverMbPerSecond)} MB/s; ` +
        `reading it: ${Math.round(reading.readMbPerSecond)} MB/s`,
    );
    return { batchBytes: bytes.length, spansPerBatch: SPANS, append: rows, reading };
  } finally {
    rmSync(root, { recursive: true });
  }
}

const open = (directory: string, fsync: boolean, committed: () => void = () => {}): Promise<QueueLog> =>
  QueueLog.open(
    directory,
    {
      files: NODE_FILES,
      segmentBytes: 16 * 2 ** 20,
      fsync,
      directoryMode: 0o750,
      lock: async () => ({ release: async () => {} }),
      now: Date.now,
    },
    {
      lost: (_tally, why) => {
        throw new Error(why);
      },
      committed,
    },
  );

async function append(directory: string, batch: Batch, fsync: boolean, senders: number): Promise<Row> {
  let commits = 0;
  const log = await open(directory, fsync, () => commits++);
  const latencies: number[] = [];
  const startedAt = performance.now();
  const end = startedAt + SECONDS * 1000;
  // Delivered as it comes, by one consumer, so that the disk does not fill.
  let consuming = false;
  const consume = async (): Promise<void> => {
    if (consuming) return;
    consuming = true;
    for (let stored = await log.take(); stored !== undefined; stored = await log.take()) log.done(stored);
    consuming = false;
  };
  const send = async (): Promise<void> => {
    for (let now = performance.now(); now < end; now = performance.now()) {
      await log.append(batch);
      latencies.push(performance.now() - now);
      void consume();
    }
  };
  await Promise.all(Array.from({ length: senders }, send));
  const seconds = (performance.now() - startedAt) / 1000;
  await log.close();
  latencies.sort((a, b) => a - b);
  const quantile = (q: number): number =>
    latencies[Math.min(latencies.length - 1, Math.floor(q * latencies.length))]!;
  return {
    fsync,
    senders,
    batchesPerSecond: latencies.length / seconds,
    batchesPerSync: latencies.length / commits,
    p50Ms: quantile(0.5),
    p99Ms: quantile(0.99),
  };
}

async function readBack(directory: string, batch: Batch) {
  const count = Math.ceil(200e6 / batch.bytes.length);
  const filling = await open(directory, false);
  for (let done = 0; done < count; done += 100) {
    await Promise.all(Array.from({ length: 100 }, () => filling.append(batch)));
  }
  await filling.close();
  let startedAt = performance.now();
  const log = await open(directory, false);
  const recoverSeconds = (performance.now() - startedAt) / 1000;
  startedAt = performance.now();
  let bytes = 0;
  for (let stored = await log.take(); stored !== undefined; stored = await log.take()) {
    bytes += stored.batch.bytes.length;
    log.done(stored);
  }
  const readSeconds = (performance.now() - startedAt) / 1000;
  await log.close();
  const megabytes = bytes / 1e6;
  return {
    megabytes,
    recoverMbPerSecond: megabytes / recoverSeconds,
    readMbPerSecond: megabytes / readSeconds,
  };
}
