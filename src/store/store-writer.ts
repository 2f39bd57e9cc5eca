/**
 * Writes batches into a bounded directory of segments, in the background.
 *
 *     offer() -> pending (bounded) -> append to the open segment -> finished segments -> oldest deleted
 *
 * `offer` never waits and never fails: what can't be kept is counted. Data that was written survives the death of the
 * process (it is in the page cache), not the loss of power: recent traces are not worth an fsync.
 */
import { mkdir, rm } from 'node:fs/promises';
import type { Signal } from '../component/signal.js';
import type { Logger } from '../telemetry/logger.js';
import type { ComponentMetrics } from '../telemetry/metrics.js';
import { type DirectoryLock, lockDirectory } from './directory-lock.js';
import { indexPath, SEGMENT_HEADER_BYTES, segmentPath, signalDirectory } from './layout.js';
import { type FinishedSegment, recoverDirectory } from './recover.js';
import {
  type Appendable,
  type CreateSegmentFile,
  createSegmentFile,
  type IndexPayload,
  SegmentWriter,
  storedSize,
} from './segment-writer.js';

export interface StoreWriterOptions {
  readonly directory: string;
  readonly signal: Signal;
  /** Segments and indexes together never exceed this. */
  readonly maxBytes: number;
  readonly maxAgeMs: number;
  readonly segmentBytes: number;
  /** Memory for batches that are not on disk yet. */
  readonly maxPendingBytes: number;
  readonly flushIntervalMs: number;
  readonly indexPayload: IndexPayload;
  readonly now: () => number;
  readonly logger: Logger;
  readonly metrics: ComponentMetrics;
  readonly createFile?: CreateSegmentFile;
}

/** Why items were dropped; the values of the `reason` label. */
export type StoreDropReason = 'pending_full' | 'too_large' | 'disk_full' | 'io_error' | 'shutdown';

/** One append: enough to amortise the call, far below IOV_MAX (1024, two buffers a record). */
const MAX_APPEND_RECORDS = 256;
const MAX_APPEND_BYTES = 1 << 20;
/** Enough pending to be worth a write before the interval is over. */
const EAGER_FLUSH_BYTES = 256 << 10;
const REPEAT_WARNING_MS = 60_000;
/** An open segment is finished after this part of `maxAgeMs`, so that old data can be deleted at all. */
const ROTATIONS_PER_AGE = 8;

export class StoreWriter {
  readonly #options: StoreWriterOptions;
  readonly #folder: string;
  #lock: DirectoryLock | undefined;
  #finished: FinishedSegment[] = [];
  #open: SegmentWriter | undefined;
  #nextSequence = 1;
  #pending: Appendable[] = [];
  #pendingBytes = 0;
  #heldItems = 0;
  #timer: NodeJS.Timeout | undefined;
  #pumping: Promise<void> | undefined;
  #closed = false;
  #lastWarningMs = Number.NEGATIVE_INFINITY;
  #failing = false;

  constructor(options: StoreWriterOptions) {
    this.#options = options;
    this.#folder = signalDirectory(options.directory, options.signal);
  }

  /**
   * Creates the directory, takes its lock and mends what a killed writer left.
   * Rejects with `DirectoryLockedError`, or the file system's error when the directory can't be written.
   */
  async start(): Promise<void> {
    const { logger, metrics } = this.#options;
    await mkdir(this.#folder, { recursive: true, mode: 0o750 });
    this.#lock = await lockDirectory(this.#folder);
    const found = await recoverDirectory(this.#folder, this.#options.indexPayload);
    this.#finished = [...found.segments];
    this.#nextSequence = found.nextSequence;
    if (found.tornTails > 0 || found.corruptRegions > 0) {
      metrics.count('store_torn_tails', found.tornTails);
      metrics.count('store_torn_bytes', found.tornBytes);
      metrics.count('store_corrupt_regions', found.corruptRegions);
      metrics.count('store_corrupt_bytes', found.corruptBytes);
      logger.warn('Damaged records of an earlier run were skipped.', {
        torn_tails: found.tornTails,
        torn_bytes: found.tornBytes,
        corrupt_regions: found.corruptRegions,
        corrupt_bytes: found.corruptBytes,
      });
    }
    await this.#evict(0);
    this.#timer = setInterval(() => this.#flushSoon(), this.#options.flushIntervalMs);
    this.#timer.unref();
    logger.info('Store opened.', {
      directory: this.#folder,
      segments: this.#finished.length,
      bytes: this.#totalBytes(),
    });
  }

  /** Takes a batch; keeps a reference to its bytes until they are written. */
  offer(batch: Appendable): void {
    const { metrics } = this.#options;
    metrics.received(batch.signal, batch.itemCount);
    const size = storedSize(batch);
    const refusal = this.#refusal(size);
    if (refusal !== undefined) {
      this.#drop([batch], refusal);
      return;
    }
    this.#pending.push(batch);
    this.#pendingBytes += size;
    this.#hold(batch.itemCount);
    if (this.#pendingBytes >= EAGER_FLUSH_BYTES) this.#flushSoon();
  }

  #refusal(size: number): StoreDropReason | undefined {
    if (this.#closed || this.#lock === undefined) return 'shutdown';
    if (size + SEGMENT_HEADER_BYTES > this.#options.segmentBytes) return 'too_large';
    return this.#pendingBytes + size > this.#options.maxPendingBytes ? 'pending_full' : undefined;
  }

  /** Writes what is pending now. For tests and for the end. */
  async flush(): Promise<void> {
    this.#flushSoon();
    await this.#pumping;
  }

  /** Flushes until `deadline` aborts, counts the rest as dropped, finishes the segment, gives the lock back. */
  async close(deadline: AbortSignal): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#timer);
    if (this.#lock === undefined) return;
    if (this.#pending.length > 0) this.#flushSoon();
    await settled(this.#pumping, deadline);
    // What a write that is still under way holds was taken out of `#pending`; that write counts it itself.
    this.#drop(this.#takePending(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY), 'shutdown', true);
    await this.#pumping;
    await this.#finishOpenSegment();
    await this.#lock.release().catch(() => undefined);
    this.#lock = undefined;
  }

  #flushSoon(): void {
    this.#pumping ??= this.#pump().finally(() => {
      this.#pumping = undefined;
    });
  }

  async #pump(): Promise<void> {
    await this.#rotateByAge();
    while (this.#pending.length > 0) {
      const room = this.#open === undefined ? 0 : this.#options.segmentBytes - this.#open.sizeBytes;
      const first = this.#pending[0];
      if (this.#open !== undefined && first !== undefined && storedSize(first) > room) {
        await this.#finishOpenSegment();
      }
      const left = this.#open === undefined ? this.#options.segmentBytes : room;
      const batches = this.#takePending(MAX_APPEND_RECORDS, Math.min(MAX_APPEND_BYTES, left));
      await this.#write(batches);
    }
    this.#options.metrics.gauge('store_bytes', this.#totalBytes());
    this.#options.metrics.gauge('store_segments', this.#finished.length + (this.#open === undefined ? 0 : 1));
  }

  /** Removes the first batches from `#pending`: at least one, and not more than the limits beyond that. */
  #takePending(maxRecords: number, maxBytes: number): Appendable[] {
    let count = 0;
    let bytes = 0;
    for (const batch of this.#pending) {
      const size = storedSize(batch);
      if (count > 0 && (count >= maxRecords || bytes + size > maxBytes)) break;
      count += 1;
      bytes += size;
    }
    this.#pendingBytes -= bytes;
    return this.#pending.splice(0, count);
  }

  async #write(batches: readonly Appendable[]): Promise<void> {
    const bytes = batches.reduce((sum, batch) => sum + storedSize(batch), 0);
    await this.#evict(bytes);
    try {
      await this.#append(batches);
    } catch (error) {
      // The disk may be full of other things: give back our oldest segment and try once more.
      const retry = isDiskFull(error) && (await this.#deleteOldest('disk_full'));
      if (!retry) return this.#fail(batches, error);
      try {
        await this.#append(batches);
      } catch (second) {
        return this.#fail(batches, second);
      }
    }
    if (this.#failing) {
      this.#failing = false;
      this.#options.logger.info('The store can be written again.', { directory: this.#folder });
    }
    for (const batch of batches) {
      this.#hold(-batch.itemCount);
      this.#options.metrics.sent(batch.signal, batch.itemCount);
    }
  }

  async #append(batches: readonly Appendable[]): Promise<void> {
    const now = this.#options.now();
    if (this.#open === undefined) {
      const sequence = this.#nextSequence;
      this.#nextSequence += 1;
      this.#open = await SegmentWriter.create(
        this.#folder,
        sequence,
        now,
        this.#options.createFile ?? createSegmentFile,
        this.#options.indexPayload,
      );
    }
    await this.#open.append(batches, now);
  }

  async #fail(batches: readonly Appendable[], error: unknown): Promise<void> {
    this.#drop(batches, isDiskFull(error) ? 'disk_full' : 'io_error', true);
    this.#failing = true;
    const now = this.#options.now();
    if (now - this.#lastWarningMs >= REPEAT_WARNING_MS) {
      this.#lastWarningMs = now;
      this.#options.logger.error('The store can not be written; batches are dropped.', {
        directory: this.#folder,
        error: error instanceof Error ? error.message : String(error),
      });
    }
    // The file or its directory may be gone: the next write starts a new one.
    await this.#finishOpenSegment();
    await mkdir(this.#folder, { recursive: true, mode: 0o750 }).catch(() => undefined);
  }

  async #finishOpenSegment(): Promise<void> {
    const segment = this.#open;
    if (segment === undefined) return;
    this.#open = undefined;
    const indexBytes = await segment.seal();
    if (indexBytes === 0) this.#options.metrics.count('store_index_errors', 1);
    this.#finished.push({
      sequence: segment.sequence,
      sizeBytes: segment.sizeBytes + indexBytes,
      newestMs: this.#options.now(),
    });
  }

  async #rotateByAge(): Promise<void> {
    const { now, maxAgeMs } = this.#options;
    if (this.#open !== undefined && now() - this.#open.createdMs >= maxAgeMs / ROTATIONS_PER_AGE) {
      await this.#finishOpenSegment();
    }
    await this.#evict(0);
  }

  /** Deletes the oldest segments until `incoming` more bytes fit and nothing is too old. */
  async #evict(incoming: number): Promise<void> {
    const { now, maxAgeMs, maxBytes } = this.#options;
    for (;;) {
      const oldest = this.#finished[0];
      if (oldest === undefined) return;
      if (this.#totalBytes() + incoming > maxBytes) await this.#deleteOldest('size');
      else if (now() - oldest.newestMs > maxAgeMs) await this.#deleteOldest('age');
      else return;
    }
  }

  /** True when there was a finished segment to delete. */
  async #deleteOldest(cause: 'size' | 'age' | 'disk_full'): Promise<boolean> {
    const oldest = this.#finished.shift();
    if (oldest === undefined) return false;
    await rm(indexPath(this.#folder, oldest.sequence), { force: true }).catch(() => undefined);
    await rm(segmentPath(this.#folder, oldest.sequence), { force: true }).catch(() => undefined);
    this.#options.metrics.count('store_deleted_segments', 1, { cause });
    this.#options.metrics.count('store_deleted_bytes', oldest.sizeBytes, { cause });
    return true;
  }

  #totalBytes(): number {
    return this.#finished.reduce((sum, segment) => sum + segment.sizeBytes, this.#open?.sizeBytes ?? 0);
  }

  #drop(batches: readonly Appendable[], reason: StoreDropReason, wasHeld = false): void {
    for (const batch of batches) {
      if (wasHeld) this.#hold(-batch.itemCount);
      this.#options.metrics.dropped(batch.signal, batch.itemCount, reason);
    }
  }

  #hold(change: number): void {
    this.#heldItems += change;
    this.#options.metrics.held(this.#options.signal, this.#heldItems);
  }
}

const isDiskFull = (error: unknown): boolean => {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  return code === 'ENOSPC' || code === 'EDQUOT';
};

/** Resolves when `work` is done or `deadline` aborts. */
const settled = async (work: Promise<void> | undefined, deadline: AbortSignal): Promise<void> => {
  if (work === undefined || deadline.aborted) return;
  await new Promise<void>((resolve) => {
    deadline.addEventListener('abort', () => resolve(), { once: true });
    work.finally(() => resolve());
  });
};
