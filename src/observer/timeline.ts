/**
 * Flight recorder: what every watched thread did in the recent past, within a fixed number of bytes.
 *
 * The kernel reports waits; running is what lies between them. A record says when the wait began, how long the thread
 * had run before it, when it was woken and when it ran again:
 *
 *      on(n-1)        off(n) - onBefore(n)      off(n)         wake(n)        on(n)
 *        |.... hole ....|------- running -------|--- blocked ---|-- run queue --|
 *
 * A hole means that records in between are lost. It is given as `unknown`: time without evidence is never guessed.
 *
 * After its newest record a thread is taken to be running only as far as that is proved: up to an instant at which it
 * was seen on a CPU (it moved bytes, woke somebody, was sampled, ended), and, once the kernel has been seen to report
 * open waits, up to `openReportDelayNs` before the watermark, because any longer wait would have been reported.
 */
import { type Operation, TimelineOperations } from './timeline-operations.js';
import { type StoredSample, TimelineSamples } from './timeline-samples.js';
import { MAX_WOKEN, type TimelineThread, TimelineThreads } from './timeline-threads.js';
import { TimelineWaits } from './timeline-waits.js';
import type { MonoNs, SampleRecord, WaitRecord } from './types.js';

export const DEFAULT_TIMELINE_BYTES = 40 * 1024 * 1024;

export interface TimelineOptions {
  /** Memory for all records, bytes. Waits take three quarters, samples and socket operations one eighth each. */
  readonly budgetBytes?: number;
  readonly maxThreads?: number;
  /** Longest time from the begin of a wait to its first open report. */
  readonly openReportDelayNs?: number;
}

export type IntervalKind = 'on' | 'blocked' | 'runqueue' | 'unknown';

/** `wait` is the record behind `blocked` and `runqueue`; it may begin before and end after the interval. */
export type IntervalVisitor = (
  from: MonoNs,
  to: MonoNs,
  kind: IntervalKind,
  wait: WaitRecord | undefined,
) => void;

/** Two clock reads of one switch may differ by this much; a larger difference is a hole. */
const SEAM_NS = 2_000;
const MAX_LOSS_WINDOWS = 64;

interface LossWindow {
  readonly from: MonoNs;
  readonly to: MonoNs;
}

export class Timeline {
  readonly #threads: TimelineThreads;
  readonly #waits: TimelineWaits;
  readonly #samples: TimelineSamples;
  readonly #operations: TimelineOperations;
  readonly #openReportDelayNs: number;
  #watermark: MonoNs = 0;
  #openReports = 0;
  #disordered = 0;
  #losses: LossWindow[] = [];
  #checkedUntil: MonoNs = Number.POSITIVE_INFINITY;

  constructor(options: TimelineOptions = {}) {
    const budget = options.budgetBytes ?? DEFAULT_TIMELINE_BYTES;
    this.#threads = new TimelineThreads(options.maxThreads ?? 65_536);
    this.#waits = new TimelineWaits((budget * 3) / 4);
    this.#samples = new TimelineSamples(budget / 8);
    this.#operations = new TimelineOperations(budget / 8);
    this.#openReportDelayNs = options.openReportDelayNs ?? 1_300_000_000;
  }

  wait(record: WaitRecord): void {
    const thread = this.#threads.touch(record.tgid, record.tid, record.on);
    if (record.wakerTid !== 0 && record.wake > 0) this.#sawWaker(record);
    if (!(record.off <= record.on) || record.off < thread.lastOn - SEAM_NS) {
      this.#disordered++;
      return;
    }
    if (record.open) {
      this.#openReports++;
      thread.open = { ...record };
      return;
    }
    this.#waits.push(thread.waits, record);
    thread.lastOn = record.on;
    thread.present = Math.max(thread.present, record.on);
    thread.ended = false;
    if (thread.open !== undefined && thread.open.off <= record.on) thread.open = undefined;
  }

  sample(record: SampleRecord): void {
    const thread = this.#threads.touch(record.tgid, record.tid, record.time);
    this.#samples.push(thread.samples, record);
    this.#sawRunning(thread, record.time);
  }

  operation(record: Operation & { readonly tgid: number; readonly tid: number }): void {
    const thread = this.#threads.touch(record.tgid, record.tid, record.time);
    this.#operations.push(thread.operations, record);
    this.#sawRunning(thread, record.time);
  }

  /** The thread ended. A later one may have the same ids; it starts with a hole. */
  exit(tgid: number, tid: number, time: MonoNs): void {
    const thread = this.#threads.get(tgid, tid);
    if (thread === undefined || thread.ended || time < thread.lastOn) return;
    const running = thread.lastOn >= 0 && thread.open === undefined && !this.lostBetween(thread.lastOn, time);
    this.#waits.pushEnd(thread.waits, time, running ? time - thread.lastOn : 0);
    thread.lastOn = time;
    thread.present = time;
    thread.open = undefined;
    this.#threads.ended(thread);
  }

  /** Records may be missing between both times: nothing is concluded from their absence there. */
  lost(from: MonoNs, to: MonoNs): void {
    this.#losses.push({ from, to });
    if (this.#losses.length > MAX_LOSS_WINDOWS) {
      const [first, second, ...rest] = this.#losses as [LossWindow, LossWindow, ...LossWindow[]];
      this.#losses = [
        { from: Math.min(first.from, second.from), to: Math.max(first.to, second.to) },
        ...rest,
      ];
    }
  }

  /** Whether records may be missing between both times. */
  lostBetween(from: MonoNs, to: MonoNs): boolean {
    return this.#losses.some((loss) => loss.to > from && loss.from < to);
  }

  /** All losses up to `time` have been told. Once called, silence after the last such time proves nothing. */
  checked(time: MonoNs): void {
    if (time > this.#checkedUntil || this.#checkedUntil === Number.POSITIVE_INFINITY)
      this.#checkedUntil = time;
  }

  /** Every record up to `watermark` has been given. */
  advance(watermark: MonoNs): void {
    if (watermark > this.#watermark) this.#watermark = watermark;
  }

  /** How far the state of a thread is known; Infinity when it has ended, -1 when nothing is known. */
  knownUntil(tgid: number, tid: number): MonoNs {
    const thread = this.#threads.get(tgid, tid);
    if (thread === undefined) return -1;
    return thread.ended ? Number.POSITIVE_INFINITY : this.#tailEnd(thread);
  }

  /** Tiles [from, to] with intervals, oldest first, without gaps or overlaps. */
  visit(tgid: number, tid: number, from: MonoNs, to: MonoNs, visitor: IntervalVisitor): void {
    let cursor = from;
    const emit = (end: MonoNs, kind: IntervalKind, wait?: WaitRecord): void => {
      const until = Math.min(end, to);
      if (until <= cursor) return;
      visitor(cursor, until, kind, wait);
      cursor = until;
    };
    const thread = this.#threads.get(tgid, tid);
    if (thread !== undefined) {
      let previousOn = Number.NEGATIVE_INFINITY;
      for (const record of this.#waits.ring.collect(thread.waits, from, to)) {
        const slot = this.#waits.ring.slot(record);
        const off = this.#waits.off[slot]!;
        const on = this.#waits.ring.time[slot]!;
        const runStart = startOfRun(previousOn, off, this.#waits.onBefore[slot]!);
        if (on > cursor) {
          emit(runStart, 'unknown');
          emit(off, 'on');
          if (on > off && cursor < to) emitWait(this.#waits.read(thread, record), on, emit);
        }
        previousOn = on;
      }
      emit(thread.lastOn, 'unknown');
      if (cursor < to) this.#emitTail(thread, emit);
    }
    emit(to, 'unknown');
  }

  /** Whether the thread is known to have been on a CPU during all of [from, to]: what `visit` would tell as one `on`. */
  ranThroughout(tgid: number, tid: number, from: MonoNs, to: MonoNs): boolean {
    const thread = this.#threads.get(tgid, tid);
    if (thread === undefined) return false;
    const { ring, off, onBefore } = this.#waits;
    const next = ring.firstAfter(thread.waits, from);
    if (next !== 0) {
      const slot = ring.slot(next);
      const before = ring.previous(next);
      const previousOn = before === 0 ? Number.NEGATIVE_INFINITY : ring.time[ring.slot(before)]!;
      return off[slot]! >= to && startOfRun(previousOn, off[slot]!, onBefore[slot]!) <= from;
    }
    const { open, lastOn } = thread;
    if (thread.ended || lastOn > from) return false;
    if (open === undefined) return this.#tailEnd(thread) >= to && lastOn >= 0;
    const previousOn = lastOn < 0 ? Number.NEGATIVE_INFINITY : lastOn;
    return open.off >= to && startOfRun(previousOn, open.off, open.onBefore) <= from;
  }

  /** Whether the thread is known to have used a socket in [from, to] for which `test` is true. */
  usedSocket(
    tgid: number,
    tid: number,
    from: MonoNs,
    to: MonoNs,
    test: (socketCookie: number) => boolean,
  ): boolean {
    const thread = this.#threads.get(tgid, tid);
    return thread !== undefined && this.#operations.some(thread.operations, from, to, test);
  }

  /** CPU samples of the thread in [from, to), oldest first. */
  samples(tgid: number, tid: number, from: MonoNs, to: MonoNs): StoredSample[] {
    const thread = this.#threads.get(tgid, tid);
    return thread === undefined ? [] : this.#samples.between(thread.samples, from, to);
  }

  /** Whether the thread may have been sampled in [from, to); false is certain. */
  isSampled(tgid: number, tid: number, from: MonoNs, to: MonoNs): boolean {
    const thread = this.#threads.get(tgid, tid);
    return thread !== undefined && this.#samples.isAnyBetween(thread.samples, from, to);
  }

  /** Socket operations of the thread in [from, to], oldest first; undefined when some have been overwritten. */
  operations(tgid: number, tid: number, from: MonoNs, to: MonoNs): Operation[] | undefined {
    const thread = this.#threads.get(tgid, tid);
    return thread === undefined ? [] : this.#operations.between(thread.operations, from, to);
  }

  /** The process of the thread with this id whose newest record is the newest: ids come back. */
  processOf(tid: number): number | undefined {
    return this.#threads.processOf(tid);
  }

  /** Threads of its process that the thread has woken so far, in no special order: its pool, if it has one. */
  wokenBy(tgid: number, tid: number): Iterable<number> {
    return this.#threads.get(tgid, tid)?.woken ?? [];
  }

  stats(): Record<string, number> {
    return {
      timeline_waits: this.#waits.ring.pushed,
      timeline_open_reports: this.#openReports,
      timeline_disordered: this.#disordered,
      timeline_threads_held: this.#threads.size,
      timeline_threads_evicted: this.#threads.evicted,
      timeline_waits_overwritten: Math.max(0, this.#waits.ring.pushed - this.#waits.ring.capacity),
    };
  }

  /** What follows the newest record, as far as it is proved. */
  #emitTail(
    thread: TimelineThread,
    emit: (end: MonoNs, kind: IntervalKind, wait?: WaitRecord) => void,
  ): void {
    if (thread.ended) return;
    const { open } = thread;
    if (open === undefined) {
      emit(this.#tailEnd(thread), 'on');
      return;
    }
    emit(
      startOfRun(thread.lastOn < 0 ? Number.NEGATIVE_INFINITY : thread.lastOn, open.off, open.onBefore),
      'unknown',
    );
    emit(open.off, 'on');
    emitWait(open, this.#tailEnd(thread), emit);
  }

  #tailEnd(thread: TimelineThread): MonoNs {
    const { open, lastOn, present } = thread;
    if (open !== undefined) {
      // Seen running after the report: the record that ended the wait is missing.
      const end = present > open.on ? open.on : Math.max(open.on, this.#watermark);
      return this.#beforeLoss(open.on, end);
    }
    if (lastOn < 0) return -1;
    const unreported = this.#openReports > 0 ? this.#watermark - this.#openReportDelayNs : -1;
    return this.#beforeLoss(lastOn, Math.max(lastOn, present, unreported));
  }

  #beforeLoss(from: MonoNs, to: MonoNs): MonoNs {
    let end = Math.min(to, Math.max(from, this.#checkedUntil));
    for (const loss of this.#losses) if (loss.to > from && loss.from < end) end = Math.max(from, loss.from);
    return end;
  }

  #sawWaker(record: WaitRecord): void {
    const waker = this.#threads.get(record.wakerTgid, record.wakerTid);
    if (waker === undefined) return;
    this.#sawRunning(waker, record.wake);
    if (record.wakerTgid === record.tgid && record.wakerTid !== record.tid && waker.woken.size < MAX_WOKEN)
      waker.woken.add(record.tid);
  }

  #sawRunning(thread: TimelineThread, time: MonoNs): void {
    if (time > thread.present && !thread.ended) thread.present = time;
  }
}

/** Where the run before `off` began; `off` itself when that is not known. */
function startOfRun(previousOn: MonoNs, off: MonoNs, onBefore: number): MonoNs {
  const start = Math.max(onBefore > 0 ? off - onBefore : off, previousOn);
  return start - previousOn <= SEAM_NS ? previousOn : start;
}

function emitWait(
  wait: WaitRecord,
  end: MonoNs,
  emit: (end: MonoNs, kind: IntervalKind, wait?: WaitRecord) => void,
): void {
  if (wait.preempted || wait.state === 0) {
    emit(end, 'runqueue', wait);
    return;
  }
  // A wake-up before `off` happened while the thread was on its way to sleep: it never blocked.
  if (wait.wake > 0) emit(Math.min(wait.wake, end), 'blocked', wait);
  emit(end, wait.wake > 0 ? 'runqueue' : 'blocked', wait);
}
