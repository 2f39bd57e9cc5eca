/**
 * A queue of batches on disk: an append-only log in segments, read from the front. The promise: when `append` has resolved,
 * the batch is on disk (unless `fsync` is off) and will be given out by `take`, in this process or a later one, until `done`
 * was called for it; or its loss is reported.
 *
 * Appends that come while others are being written are written together, with one fdatasync(2) for all (group commit). A
 * group that can't be written is cut off again and refused; the next one tries anew, so a full disk heals when there is
 * room. Memory: the batches being written, up to `HOT_BYTES` of batches that may be taken without reading them back, one
 * buffer of `READ_AHEAD_BYTES`, and an object for each segment.
 */
import { randomBytes } from 'node:crypto';
import { RetryableError } from '../component/errors.js';
import type { Batch } from '../component/signal.js';
import type {
  DurableQueue,
  QueueObserver,
  QueueRecovery,
  QueueTally,
  StoredBatch,
} from '../component/storage.js';
import { bytesOf } from '../pipeline/batch-bytes.js';
import { Fifo } from '../pipeline/fifo.js';
import {
  decodeBatch,
  decodeRecordHeader,
  encodeRecord,
  encodeSegmentHeader,
  isBodyValid,
  RECORD_HEADER_BYTES,
  type RecordHeader,
  SEGMENT_HEADER_BYTES,
} from './format.js';
import type { QueueFiles } from './queue-files.js';
import { type RecoveredLog, recoverLog } from './recover.js';
import { scanSegment } from './scan.js';
import { addTo, emptyTally, Segment } from './segment.js';

/** Most that waits in memory beside the disk, for consumers that keep up with the producers. */
const HOT_BYTES = 1024 * 1024;
const READ_AHEAD_BYTES = 256 * 1024;
/** Most in one group, so that the first of it need not wait for ever. */
const GROUP_BYTES = 8 * 1024 * 1024;
/** Notes of deliveries are made durable this often. A power cut costs duplicates of that time, never data. */
const JOURNAL_SYNC_MS = 1000;

export interface QueueLogOptions {
  readonly files: QueueFiles;
  /** A new segment is begun when one has reached this size. */
  readonly segmentBytes: number;
  /** Off: what was acknowledged survives the end of the process, but not of the machine. */
  readonly fsync: boolean;
  readonly directoryMode: number;
  /** Takes the directory for this process. */
  readonly lock: (directory: string) => Promise<{ release(): Promise<void> }>;
  /** Milliseconds since the epoch, written on records. */
  readonly now: () => number;
}

interface Incoming {
  readonly batch: Batch;
  readonly tally: QueueTally;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

class StoredRecord implements StoredBatch {
  readonly batch: Batch;
  readonly segment: Segment;
  readonly offset: number;
  readonly tally: QueueTally;

  constructor(batch: Batch, segment: Segment, offset: number, tally: QueueTally) {
    this.batch = batch;
    this.segment = segment;
    this.offset = offset;
    this.tally = tally;
  }
}

export const tallyOf = (batch: Batch): QueueTally => ({
  records: 1,
  items: batch.itemCount,
  bytes: bytesOf(batch),
});

export class QueueLog implements DurableQueue {
  readonly recovery: QueueRecovery;
  readonly #directory: string;
  readonly #options: QueueLogOptions;
  readonly #observer: QueueObserver;
  readonly #segments: Segment[];
  readonly #incoming: Incoming[] = [];
  readonly #hot = new Fifo<StoredRecord>();
  #hotBytes = 0;
  /** Sum over all segments. */
  #unreadRecords = 0;
  #lock: { release(): Promise<void> };
  /** The segment that is written to. */
  #active: Segment | undefined;
  #nextSequence: number;
  #nextNumber: number;
  #items: number;
  /** Next record to read, an offset in the first segment with unread records. */
  #cursor = SEGMENT_HEADER_BYTES;
  #cursorSegment: Segment | undefined;
  #ahead: { readonly segment: Segment; readonly base: number; readonly bytes: Buffer } | undefined;
  #committing: Promise<void> = Promise.resolve();
  #isCommitting = false;
  #reading: Promise<unknown> = Promise.resolve();
  #noting: Promise<void> = Promise.resolve();
  #isNoting = false;
  readonly #dirty = new Set<Segment>();
  #lastJournalSync = performance.now();
  #journalTimer: NodeJS.Timeout | undefined;
  #closing: Promise<void> | undefined;
  #isClosed = false;

  private constructor(
    directory: string,
    options: QueueLogOptions,
    observer: QueueObserver,
    lock: { release(): Promise<void> },
    recovered: RecoveredLog,
  ) {
    this.#directory = directory;
    this.#options = options;
    this.#observer = observer;
    this.#lock = lock;
    this.recovery = recovered.recovery;
    this.#segments = [...recovered.segments];
    this.#nextSequence = recovered.nextSequence;
    this.#nextNumber = recovered.nextNumber;
    this.#items = recovered.itemsBefore;
    for (const { unread } of this.#segments) this.#unreadRecords += unread.records;
  }

  /** Makes the directory where needed. Rejects when it is in use, or written by another version; it stays as it is then. */
  static async open(directory: string, options: QueueLogOptions, observer: QueueObserver): Promise<QueueLog> {
    await options.files.makeDirectory(directory, options.directoryMode);
    const lock = await options.lock(directory);
    try {
      return new QueueLog(directory, options, observer, lock, await recoverLog(options.files, directory));
    } catch (error) {
      await lock.release().catch(() => undefined);
      throw error;
    }
  }

  append(batch: Batch): Promise<void> {
    if (this.#closing !== undefined)
      return Promise.reject(new RetryableError('the persistent queue is closed'));
    return new Promise((resolve, reject) => {
      this.#incoming.push({ batch, tally: tallyOf(batch), resolve, reject });
      if (!this.#isCommitting) this.#committing = this.#commitAll();
    });
  }

  async take(): Promise<StoredBatch | undefined> {
    const hot = this.#hot.shift();
    if (hot !== undefined) {
      this.#hotBytes -= hot.tally.bytes;
      return hot;
    }
    if (this.#closing !== undefined) return undefined;
    const reading = this.#readNext();
    this.#reading = reading.catch(() => undefined);
    return reading;
  }

  done(stored: StoredBatch): void {
    if (!(stored instanceof StoredRecord)) throw new TypeError('The batch is not of this queue.');
    // A delivery that outlived the queue: another process may have the files by now, and will deliver it again.
    if (this.#isClosed) return;
    const { segment, offset, tally } = stored;
    addTo(segment.pending, tally, -1);
    segment.note({ kind: 'done', offset, items: tally.items });
    this.#touch(segment);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    clearTimeout(this.#journalTimer);
    await this.#committing;
    await this.#reading;
    await this.#noting;
    this.#active = undefined;
    for (const segment of this.#segments) if (segment.hasNotes) this.#dirty.add(segment);
    await this.#writeNotes(this.#options.fsync);
    this.#isClosed = true;
    clearTimeout(this.#journalTimer);
    for (const segment of [...this.#segments]) {
      if (segment.pending.records === 0) await segment.remove().catch(() => undefined);
      await segment.close();
    }
    await this.#lock.release().catch(() => undefined);
  }

  async #commitAll(): Promise<void> {
    this.#isCommitting = true;
    while (this.#incoming.length > 0) {
      const group = this.#nextGroup();
      try {
        const startedAt = performance.now();
        await this.#commit(group);
        const sum = emptyTally();
        for (const { tally } of group) addTo(sum, tally);
        this.#observer.committed?.(sum, performance.now() - startedAt);
        for (const { resolve } of group) resolve();
      } catch (error) {
        const text = error instanceof Error ? error.message : String(error);
        const failure = new RetryableError(`the persistent queue can't be written: ${text}`, {
          cause: error,
        });
        for (const { reject } of group) reject(failure);
      }
    }
    this.#isCommitting = false;
  }

  #nextGroup(): Incoming[] {
    let bytes = 0;
    let count = 0;
    for (const { tally } of this.#incoming) {
      if (count > 0 && bytes + tally.bytes > GROUP_BYTES) break;
      bytes += tally.bytes;
      count++;
    }
    return this.#incoming.splice(0, count);
  }

  async #commit(group: readonly Incoming[]): Promise<void> {
    for (let again = true; ; again = false) {
      const segment = await this.#writable();
      const ends = await this.#write(segment, group);
      if (ends !== undefined) {
        this.#admit(segment, group, ends);
        return;
      }
      // The file was deleted under us: what was written to it is gone with the last handle.
      this.#seal(segment);
      if (!again) throw new Error(`${segment.path} is deleted as soon as it is written`);
    }
  }

  /** Appends and syncs. Resolves to where each record ends, or to undefined when the file does not exist any more. */
  async #write(segment: Segment, group: readonly Incoming[]): Promise<number[] | undefined> {
    const { fsync, now } = this.#options;
    const buffers: Uint8Array[] = [];
    const ends: number[] = [];
    const nowMs = now();
    let end = segment.end;
    let items = this.#items;
    let number = this.#nextNumber;
    for (const { batch } of group) {
      const record = encodeRecord(batch, { number: number++, itemsBefore: items }, segment.name.salt, nowMs);
      for (const part of record) end += part.length;
      items += batch.itemCount;
      buffers.push(...record);
      ends.push(end);
    }
    const file = await segment.file();
    let written = false;
    try {
      await file.write(buffers, segment.end);
      written = true;
      if (fsync) await file.sync();
    } catch (error) {
      // What was refused must not come back after a restart.
      const cut = await file.truncate(segment.end).then(
        () => true,
        () => false,
      );
      // After a failed sync nobody knows what is on disk, so nothing is added behind it: a new segment is begun.
      if (!cut || written) this.#seal(segment);
      throw error;
    }
    // Not synced, and not needed to read the data back: it tells a later start how much there was before damage.
    const [exists] = await Promise.all([
      file.exists(),
      segment.noteCommitted(end, items).catch(() => undefined),
    ]);
    return exists ? ends : undefined;
  }

  #admit(segment: Segment, group: readonly Incoming[], ends: readonly number[]): void {
    let offset = segment.end;
    for (const [index, { batch, tally }] of group.entries()) {
      addTo(segment.pending, tally);
      if (this.#unreadRecords === 0 && this.#hotBytes + tally.bytes <= HOT_BYTES) {
        this.#hot.push(new StoredRecord(batch, segment, offset, tally));
        this.#hotBytes += tally.bytes;
        this.#cursorSegment = segment;
        this.#cursor = ends[index]!;
      } else this.#unread(segment, tally, 1);
      offset = ends[index]!;
      this.#items += batch.itemCount;
      this.#nextNumber++;
    }
    segment.end = offset;
  }

  /** The segment to append to; a new one when there is none or it is full. */
  async #writable(): Promise<Segment> {
    const active = this.#active;
    if (active !== undefined && active.end < this.#options.segmentBytes) return active;
    if (active !== undefined) this.#seal(active);
    try {
      return await this.#createSegment();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
    // Somebody deleted the directory. What was in it is reported when it is looked for.
    await this.#options.files.makeDirectory(this.#directory, this.#options.directoryMode);
    this.#lock = await this.#options.lock(this.#directory);
    return this.#createSegment();
  }

  /** Nothing is appended to the segment any more. It goes at once when all in it has been delivered already. */
  #seal(segment: Segment): void {
    this.#active = undefined;
    this.#touch(segment);
  }

  async #createSegment(): Promise<Segment> {
    const { files, fsync } = this.#options;
    const name = { sequence: this.#nextSequence, salt: randomBytes(4).readUInt32LE() };
    const segment = new Segment(files, this.#directory, name, SEGMENT_HEADER_BYTES, 0);
    segment.itemsBefore = this.#items;
    const file = await files.create(segment.path);
    try {
      await file.write([encodeSegmentHeader(name.salt, this.#items)], 0);
      if (fsync) await files.syncDirectory(this.#directory);
    } catch (error) {
      await file.close().catch(() => undefined);
      await files.remove(segment.path).catch(() => undefined);
      throw error;
    }
    this.#nextSequence++;
    segment.adopt(file);
    this.#segments.push(segment);
    this.#active = segment;
    return segment;
  }

  async #readNext(): Promise<StoredRecord | undefined> {
    for (;;) {
      const segment = this.#segments.find((one) => one.unread.records > 0);
      if (segment === undefined) {
        this.#ahead = undefined;
        return undefined;
      }
      if (segment !== this.#cursorSegment) {
        // One open file to read and one to write, however many segments there are.
        if (this.#cursorSegment !== this.#active) await this.#cursorSegment?.closeFile();
        this.#cursorSegment = segment;
        this.#cursor = SEGMENT_HEADER_BYTES;
      }
      try {
        const record = await this.#readFrom(segment);
        if (record !== undefined) return record;
      } catch (error) {
        this.#loseRest(segment, error instanceof Error ? error.message : String(error));
      }
    }
  }

  /** The next good record of a segment that has one; undefined when a damaged stretch was passed instead. */
  async #readFrom(segment: Segment): Promise<StoredRecord | undefined> {
    const gapEnd = segment.gaps.get(this.#cursor);
    if (gapEnd !== undefined) {
      this.#cursor = gapEnd;
      return undefined;
    }
    const { salt } = segment.name;
    const head = await this.#bytesAt(segment, RECORD_HEADER_BYTES);
    const header = head === undefined ? undefined : decodeRecordHeader(head, 0, salt, this.#cursor);
    if (header === undefined || header.end > segment.end) {
      await this.#rescan(segment);
      return undefined;
    }
    if (segment.done.has(header.offset)) {
      this.#cursor = header.end;
      return undefined;
    }
    const whole = await this.#bytesAt(segment, header.end - header.offset);
    const tally = { records: 1, items: header.itemCount, bytes: header.payloadBytes };
    this.#cursor = header.end;
    this.#unread(segment, tally, -1);
    if (whole === undefined || !isBodyValid(whole, 0, header, salt)) {
      this.#lose(segment, header, tally);
      return undefined;
    }
    // A copy: the read-ahead buffer would live as long as the smallest batch in it.
    const own = Buffer.from(whole.subarray(0, header.end - header.offset));
    return new StoredRecord(decodeBatch(own, 0, header), segment, header.offset, tally);
  }

  /** At least `length` bytes from the cursor, or undefined when the file ends before. */
  async #bytesAt(segment: Segment, length: number): Promise<Buffer | undefined> {
    const ahead = this.#ahead;
    const at = this.#cursor - (ahead?.base ?? 0);
    if (ahead !== undefined && ahead.segment === segment && at >= 0 && at + length <= ahead.bytes.length) {
      return ahead.bytes.subarray(at);
    }
    const size = Math.max(length, Math.min(READ_AHEAD_BYTES, segment.end - this.#cursor));
    const bytes = Buffer.allocUnsafe(size);
    const read = await (await segment.file()).read(bytes, this.#cursor);
    this.#ahead = { segment, base: this.#cursor, bytes: bytes.subarray(0, read) };
    return read < length ? undefined : this.#ahead.bytes;
  }

  /** The chain of records broke at the cursor: looks for the next good one, and reports what was lost between. */
  async #rescan(segment: Segment): Promise<void> {
    const { end } = segment;
    const before = { ...segment.unread };
    this.#ahead = undefined;
    const bytes = Buffer.alloc(end);
    const length = await (await segment.file()).read(bytes, 0);
    const scan = scanSegment(bytes.subarray(0, length), segment.name.salt, undefined, this.#cursor);
    const found = emptyTally();
    for (const { offset, itemCount, payloadBytes } of scan.records) {
      if (!segment.done.has(offset)) addTo(found, { records: 1, items: itemCount, bytes: payloadBytes });
    }
    for (const gap of scan.gaps) segment.gaps.set(gap.start, gap.end);
    if (scan.goodEnd < end) segment.gaps.set(scan.goodEnd, end);
    const lost = difference(before, found);
    // Not set to `found`: meanwhile more may have been appended.
    this.#unread(segment, lost, -1);
    this.#reportLost(segment, lost, 'damaged records');
  }

  #lose(segment: Segment, header: RecordHeader, tally: QueueTally): void {
    addTo(segment.pending, tally, -1);
    segment.note({ kind: 'lost', offset: header.offset, items: header.itemCount });
    this.#afterLoss(segment, tally, 'a damaged record');
  }

  /** The file can't be read any more: everything in it that was not taken is gone. */
  #loseRest(segment: Segment, why: string): void {
    const rest = { ...segment.unread };
    this.#unread(segment, rest, -1);
    this.#cursor = segment.end;
    this.#reportLost(segment, rest, why);
  }

  #reportLost(segment: Segment, tally: QueueTally, why: string): void {
    if (tally.records === 0) return;
    addTo(segment.pending, tally, -1);
    this.#afterLoss(segment, tally, why);
  }

  #afterLoss(segment: Segment, tally: QueueTally, why: string): void {
    this.#touch(segment);
    this.#observer.lost(tally, `${segment.path}: ${why}`);
  }

  #unread(segment: Segment, tally: QueueTally, sign: 1 | -1): void {
    addTo(segment.unread, tally, sign);
    this.#unreadRecords += sign * tally.records;
  }

  /** Has the segment's notes written soon. */
  #touch(segment: Segment): void {
    this.#dirty.add(segment);
    if (!this.#isNoting) this.#noting = this.#writeNotes(false);
  }

  /** Writes what was noted, removes segments that nobody needs. Disk errors are kept for the next time. */
  async #writeNotes(sync: boolean): Promise<void> {
    this.#isNoting = true;
    while (this.#dirty.size > 0) {
      const dirty = [...this.#dirty];
      this.#dirty.clear();
      const due =
        sync || (this.#options.fsync && performance.now() - this.#lastJournalSync >= JOURNAL_SYNC_MS);
      if (due) this.#lastJournalSync = performance.now();
      for (const segment of dirty) {
        try {
          if (segment.pending.records === 0 && segment !== this.#active) await this.#removeSegment(segment);
          else await segment.writeNotes(due);
          if (segment !== this.#active) await this.#closeIdle(segment);
        } catch {
          // Full or read-only. Kept in memory; a restart before it can be written delivers these records again.
        }
      }
    }
    this.#isNoting = false;
    this.#planJournalSync();
  }

  /** Sealed segments keep no file open but the one that is being read. */
  async #closeIdle(segment: Segment): Promise<void> {
    if (segment === this.#cursorSegment) await segment.closeJournal();
    else await segment.close();
  }

  async #removeSegment(segment: Segment): Promise<void> {
    await segment.remove();
    const index = this.#segments.indexOf(segment);
    if (index >= 0) this.#segments.splice(index, 1);
    if (this.#ahead?.segment === segment) this.#ahead = undefined;
  }

  /** Notes that are written but not synced, or could not be written, get another turn. */
  #planJournalSync(): void {
    const late = this.#segments.filter((segment) => segment.hasNotes);
    if (late.length === 0 || this.#closing !== undefined || this.#journalTimer !== undefined) return;
    this.#journalTimer = setTimeout(() => {
      this.#journalTimer = undefined;
      for (const segment of late) this.#dirty.add(segment);
      if (!this.#isNoting) this.#noting = this.#writeNotes(this.#options.fsync);
    }, JOURNAL_SYNC_MS);
    this.#journalTimer.unref();
  }
}

const difference = (a: QueueTally, b: QueueTally): QueueTally => ({
  records: Math.max(0, a.records - b.records),
  items: Math.max(0, a.items - b.items),
  bytes: Math.max(0, a.bytes - b.bytes),
});
