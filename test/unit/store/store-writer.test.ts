import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFile,
  mkdtemp,
  open,
  readdir,
  readFile,
  rm,
  stat,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readSpans } from '../../../src/explain/trace-explanation.js';
import { indexTraces } from '../../../src/store/index-traces.js';
import { listSegments, segmentPath } from '../../../src/store/layout.js';
import { createSegmentFile, type SegmentFile } from '../../../src/store/segment-writer.js';
import { StoreReader } from '../../../src/store/store-reader.js';
import { StoreWriter, type StoreWriterOptions } from '../../../src/store/store-writer.js';
import { NOP_LOGGER } from '../../../src/telemetry/logger.js';
import { LOCK_TRACE_ID, lockTrace } from '../../helpers/enriched-trace.js';
import { RecordedMetrics } from '../../helpers/recorded-metrics.js';

let directory = '';
let folder = '';
let clock = 0;
const neverAborts = (): AbortSignal => new AbortController().signal;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kindling-store-'));
  folder = join(directory, 'traces');
  clock = 1_700_000_000_000;
});
afterEach(() => rm(directory, { recursive: true }));

const openWriter = async (options: Partial<StoreWriterOptions> = {}) => {
  const metrics = new RecordedMetrics();
  const writer = new StoreWriter({
    directory,
    signal: 'traces',
    maxBytes: 1 << 20,
    maxAgeMs: 3600e3,
    segmentBytes: 64 << 10,
    maxPendingBytes: 1 << 20,
    flushIntervalMs: 60_000,
    indexPayload: indexTraces,
    now: () => clock,
    logger: NOP_LOGGER,
    metrics,
    ...options,
  });
  await writer.start();
  return { writer, metrics };
};

const traceIdOf = (i: number): string => i.toString(16).padStart(32, 'a');
/** Four batches of one span each. */
const offerTrace = (writer: StoreWriter, traceId: string): void => {
  for (const bytes of lockTrace(clock, traceId)) writer.offer({ signal: 'traces', itemCount: 1, bytes });
};
const readTraceIds = async (): Promise<string[]> => {
  const reader = await StoreReader.open(directory, 'traces', indexTraces);
  return [...new Set([...reader.entries()].map((entry) => entry.traceId))];
};
const diskUse = async (): Promise<number> => {
  const sizes = await Promise.all(
    (await readdir(folder)).map(async (name) => (await stat(join(folder, name))).size),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
};

describe('StoreWriter', () => {
  it('keeps the bytes as they are and finds them again by trace id', async () => {
    const { writer, metrics } = await openWriter();
    offerTrace(writer, LOCK_TRACE_ID);
    offerTrace(writer, traceIdOf(1));
    await writer.close(neverAborts());
    const reader = await StoreReader.open(directory, 'traces', indexTraces);
    const batches = await reader.batchesOf(LOCK_TRACE_ID.slice(0, 8));
    expect(batches.map((bytes) => Buffer.from(bytes))).toEqual(
      lockTrace(clock).map((bytes) => Buffer.from(bytes)),
    );
    expect(await reader.batchesOf('ffffffff')).toEqual([]);
    expect(metrics).toMatchObject({ receivedItems: 8, sentItems: 8, heldItems: 0, unaccounted: 0 });
    expect(reader.report).toMatchObject({ segments: 1, corruptRegions: 0, corruptBytes: 0 });
  });

  it('can be read while it is written', async () => {
    const { writer } = await openWriter();
    offerTrace(writer, traceIdOf(1));
    await writer.flush();
    expect(await readTraceIds()).toEqual([traceIdOf(1)]);
    offerTrace(writer, traceIdOf(2));
    await writer.flush();
    expect(await readTraceIds()).toEqual([traceIdOf(1), traceIdOf(2)]);
    await writer.close(neverAborts());
  });

  it('deletes the oldest segments, and stays within its bytes', async () => {
    const { writer, metrics } = await openWriter({ maxBytes: 256 << 10 });
    for (let i = 0; i < 400; i += 1) {
      offerTrace(writer, traceIdOf(i));
      if (i % 20 === 0) {
        await writer.flush();
        expect(await diskUse()).toBeLessThanOrEqual(256 << 10);
      }
    }
    await writer.close(neverAborts());
    const ids = await readTraceIds();
    expect(ids.length).toBeGreaterThan(50);
    expect(ids.length).toBeLessThan(400);
    expect(ids.at(-1)).toBe(traceIdOf(399));
    expect(ids).not.toContain(traceIdOf(0));
    expect(metrics.counts.store_deleted_segments).toBeGreaterThan(0);
    expect(metrics.unaccounted).toBe(0);
  });

  it('deletes what is too old, without new data too', async () => {
    const { writer } = await openWriter({ maxAgeMs: 80_000 });
    offerTrace(writer, traceIdOf(1));
    await writer.flush();
    clock += 11_000;
    offerTrace(writer, traceIdOf(2));
    await writer.flush();
    expect(await readTraceIds()).toEqual([traceIdOf(1), traceIdOf(2)]);
    clock += 75_000;
    await writer.flush();
    clock += 10_000;
    await writer.flush();
    expect(await readTraceIds()).toEqual([traceIdOf(2)]);
    await writer.close(neverAborts());
  });

  it('drops and counts what does not fit into memory or a segment', async () => {
    const { writer, metrics } = await openWriter({ maxPendingBytes: 70 << 10 });
    const send = (size: number): void =>
      writer.offer({ signal: 'traces', itemCount: 3, bytes: new Uint8Array(size) });
    send(64 << 10);
    send(40 << 10);
    send(40 << 10);
    expect(metrics.droppedItems).toEqual({ too_large: 3, pending_full: 3 });
    expect(metrics.heldItems).toBe(3);
    await writer.close(neverAborts());
    send(10);
    expect(metrics.droppedItems).toEqual({ too_large: 3, pending_full: 3, shutdown: 3 });
    expect(metrics).toMatchObject({ sentItems: 3, heldItems: 0, unaccounted: 0 });
  });

  it('counts what a deadline leaves unwritten', async () => {
    const { writer, metrics } = await openWriter();
    offerTrace(writer, traceIdOf(1));
    await writer.close(AbortSignal.abort());
    expect(metrics.unaccounted).toBe(0);
    expect(metrics.heldItems).toBe(0);
    expect(metrics.sentItems + metrics.allDropped).toBe(4);
  });

  it.each([
    ['ENOSPC', 'disk_full'],
    ['EDQUOT', 'disk_full'],
    ['EIO', 'io_error'],
    ['EROFS', 'io_error'],
  ])('counts %s as %s, keeps what it has, and goes on when it is over', async (code, reason) => {
    let broken = false;
    const createFile = async (path: string): Promise<SegmentFile> => {
      const file = await createSegmentFile(path);
      return {
        close: () => file.close(),
        truncate: (length) => file.truncate(length),
        writev: async (buffers, position) => {
          if (!broken) return file.writev(buffers, position);
          // As a full disk does it: a part gets through.
          await file.writev([Buffer.from('KREC, and then no more')], position);
          throw Object.assign(new Error('no more'), { code });
        },
      };
    };
    const { writer, metrics } = await openWriter({ createFile });
    offerTrace(writer, traceIdOf(1));
    await writer.flush();
    broken = true;
    offerTrace(writer, traceIdOf(2));
    await writer.flush();
    expect(metrics.droppedItems).toEqual({ [reason]: 4 });
    broken = false;
    offerTrace(writer, traceIdOf(3));
    await writer.close(neverAborts());
    expect(await readTraceIds()).toEqual([traceIdOf(1), traceIdOf(3)]);
    expect(metrics).toMatchObject({ sentItems: 8, heldItems: 0, unaccounted: 0 });
  });

  it('gives its oldest segment back to a full disk', async () => {
    let failures = 0;
    const createFile = async (path: string): Promise<SegmentFile> => {
      const file = await createSegmentFile(path);
      return {
        close: () => file.close(),
        truncate: (length) => file.truncate(length),
        writev: (buffers, position) => {
          if (failures-- > 0) return Promise.reject(Object.assign(new Error('full'), { code: 'ENOSPC' }));
          return file.writev(buffers, position);
        },
      };
    };
    const first = await openWriter();
    offerTrace(first.writer, traceIdOf(1));
    await first.writer.close(neverAborts());
    const { writer, metrics } = await openWriter({ createFile });
    failures = 1;
    offerTrace(writer, traceIdOf(2));
    await writer.close(neverAborts());
    expect(metrics).toMatchObject({ sentItems: 4, allDropped: 0 });
    expect(await readTraceIds()).toEqual([traceIdOf(2)]);
  });

  it('writes the rest when the system takes only a part', async () => {
    const createFile = async (path: string): Promise<SegmentFile> => {
      const file = await open(path, 'wx');
      return {
        close: () => file.close(),
        truncate: (length) => file.truncate(length),
        writev: async (buffers, position) => {
          const whole = Buffer.concat(buffers);
          const { bytesWritten } = await file.write(whole, 0, Math.ceil(whole.length / 3), position);
          return { bytesWritten };
        },
      };
    };
    const { writer } = await openWriter({ createFile });
    offerTrace(writer, traceIdOf(1));
    await writer.close(neverAborts());
    expect(await readTraceIds()).toEqual([traceIdOf(1)]);
  });

  it('starts where a former writer was cut off, and counts what that cost', async () => {
    const first = await openWriter();
    for (let i = 0; i < 3; i += 1) offerTrace(first.writer, traceIdOf(i));
    await first.writer.close(neverAborts());
    const path = segmentPath(folder, 1);
    await truncate(path, (await stat(path)).size - 7);
    await appendFile(path, Buffer.alloc(3));

    const { writer, metrics } = await openWriter();
    expect(metrics.counts).toMatchObject({ store_torn_tails: 1, store_corrupt_regions: 0 });
    expect(metrics.counts.store_torn_bytes).toBeGreaterThan(3);
    offerTrace(writer, traceIdOf(9));
    await writer.close(neverAborts());
    expect(await listSegments(folder)).toEqual([1, 2]);
    expect(await readTraceIds()).toEqual([...[0, 1, 2, 9].map(traceIdOf)]);
  });

  it('reads around damage in the middle, with and without an index', async () => {
    const { writer } = await openWriter();
    for (let i = 0; i < 5; i += 1) offerTrace(writer, traceIdOf(i));
    await writer.close(neverAborts());
    const path = segmentPath(folder, 1);
    const bytes = await readFile(path);
    const victim = bytes.indexOf(Buffer.from(traceIdOf(2), 'hex'));
    bytes[victim + 40] = (bytes[victim + 40] ?? 0) ^ 1;
    await writeFile(path, bytes);

    const indexed = await StoreReader.open(directory, 'traces', indexTraces);
    const spanCount = (batches: readonly Uint8Array[], id: string): number =>
      readSpans(batches, (found) => found === id).get(id)?.length ?? 0;
    expect(spanCount(await indexed.batchesOf(traceIdOf(2)), traceIdOf(2))).toBe(3);
    expect(indexed.report.corruptRegions).toBe(1);
    expect(spanCount(await indexed.batchesOf(traceIdOf(4)), traceIdOf(4))).toBe(4);

    await rm(join(folder, '0000000001.idx'));
    const scanned = await StoreReader.open(directory, 'traces', indexTraces);
    expect(scanned.report.corruptRegions).toBe(1);
    expect(spanCount(await scanned.batchesOf(traceIdOf(2)), traceIdOf(2))).toBe(3);
    expect(spanCount(await scanned.batchesOf(traceIdOf(4)), traceIdOf(4))).toBe(4);
  });

  it('is not stopped by files that are no segments', async () => {
    const first = await openWriter();
    offerTrace(first.writer, traceIdOf(1));
    await first.writer.close(neverAborts());
    await writeFile(segmentPath(folder, 2), 'not a segment at all');
    await writeFile(segmentPath(folder, 3), '');
    await writeFile(join(folder, 'notes.txt'), 'hello');
    const { writer } = await openWriter();
    offerTrace(writer, traceIdOf(2));
    await writer.close(neverAborts());
    expect(await readTraceIds()).toEqual([traceIdOf(1), traceIdOf(2)]);
  });

  it('refuses a second writer, clearly', async () => {
    const { writer } = await openWriter();
    await expect(openWriter()).rejects.toThrow(`being written by another process (pid ${process.pid})`);
    await writer.close(neverAborts());
    await writer.close(neverAborts());
    await (await openWriter()).writer.close(neverAborts());
  });

  it('stores what is not OTLP too', async () => {
    const { writer, metrics } = await openWriter();
    writer.offer({ signal: 'traces', itemCount: 1, bytes: Buffer.from('\u00ff\u00ff garbage') });
    offerTrace(writer, traceIdOf(1));
    await writer.close(neverAborts());
    expect(metrics.sentItems).toBe(5);
    expect(await readTraceIds()).toEqual([traceIdOf(1)]);
  });

  it('survives SIGKILL: nothing that was written is lost, and the next writer starts', async () => {
    const script = fileURLToPath(new URL('../../helpers/store-writer-child.ts', import.meta.url));
    const child = spawn(process.execPath, ['--import', 'tsx', script, directory], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let onDisk = -1;
    const lines = createInterface({ input: child.stdout });
    for await (const line of lines) {
      onDisk = Number(line);
      if (onDisk >= 150) break;
    }
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    expect(child.signalCode).toBe('SIGKILL');
    expect(onDisk).toBeGreaterThanOrEqual(150);

    const { writer, metrics } = await openWriter({ maxBytes: 64 << 20, segmentBytes: 128 << 10 });
    expect(metrics.counts.store_corrupt_regions ?? 0).toBe(0);
    const ids = new Set(await readTraceIds());
    for (let i = 0; i <= onDisk; i += 1) expect(ids).toContain(i.toString(16).padStart(32, '0'));
    await writer.close(neverAborts());
  });
});
