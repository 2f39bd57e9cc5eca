/**
 * The threads that the timeline knows, found by (tgid, tid) and by process. Bounded: when there are too many, those
 * whose records are oldest are forgotten.
 */
import { type Chain, emptyChain } from './timeline-ring.js';
import type { MonoNs, WaitRecord } from './types.js';

export interface TimelineThread {
  readonly tgid: number;
  readonly tid: number;
  readonly waits: Chain;
  readonly samples: Chain;
  readonly operations: Chain;
  /** Switch-in of the newest wait record, or the thread's end; -1 before the first. */
  lastOn: MonoNs;
  /** Newest instant at which the thread is known to have been on a CPU (it sent, received, woke somebody, was sampled). */
  present: MonoNs;
  /** A wait that was not over at its newest report. */
  open: WaitRecord | undefined;
  /** The newest record is the thread's end. */
  ended: boolean;
  /** Newest event of any kind, for eviction. */
  touched: MonoNs;
  /** Ids of threads of the same process whose waits it has ended, at most `MAX_WOKEN`. */
  readonly woken: Set<number>;
}

/** A loop has a pool of some threads; whoever wakes more has no pool that could be told from the rest. */
export const MAX_WOKEN = 64;

/** Thread ids are below 2^22 (PID_MAX_LIMIT in include/linux/threads.h), so the pair fits a float64 exactly. */
const keyOf = (tgid: number, tid: number): number => tgid * 0x40_0000 + tid;

/** Short-lived processes come by the thousand each second; questions about them come within seconds. */
const MAX_ENDED = 8192;

export class TimelineThreads {
  readonly #maxThreads: number;
  readonly #byKey = new Map<number, TimelineThread>();
  readonly #byProcess = new Map<number, Set<TimelineThread>>();
  /** Threads that ended, in that order, from `#endedHead` on. One may live again meanwhile: pids come back. */
  #ended: TimelineThread[] = [];
  #endedHead = 0;
  #evicted = 0;
  /** The thread of the last look-up: records and questions come in runs. */
  #last: TimelineThread | undefined;

  constructor(maxThreads: number) {
    this.#maxThreads = maxThreads;
  }

  get size(): number {
    return this.#byKey.size;
  }

  /** Threads forgotten because there were too many. */
  get evicted(): number {
    return this.#evicted;
  }

  get(tgid: number, tid: number): TimelineThread | undefined {
    const last = this.#last;
    if (last !== undefined && last.tid === tid && last.tgid === tgid) return last;
    const thread = this.#byKey.get(keyOf(tgid, tid));
    if (thread !== undefined) this.#last = thread;
    return thread;
  }

  /** Walks all threads. */
  processOf(tid: number): number | undefined {
    let found: TimelineThread | undefined;
    for (const thread of this.#byKey.values()) {
      if (thread.tid === tid && (found === undefined || thread.touched > found.touched)) found = thread;
    }
    return found?.tgid;
  }

  /** The thread, made if it is new. */
  touch(tgid: number, tid: number, time: MonoNs): TimelineThread {
    let thread = this.get(tgid, tid);
    if (thread === undefined) {
      if (this.#byKey.size >= this.#maxThreads) this.#evictOldest();
      thread = {
        tgid,
        tid,
        waits: emptyChain(),
        samples: emptyChain(),
        operations: emptyChain(),
        lastOn: -1,
        present: -1,
        open: undefined,
        ended: false,
        touched: time,
        woken: new Set(),
      };
      this.#byKey.set(keyOf(tgid, tid), thread);
      this.#last = thread;
      const siblings = this.#byProcess.get(tgid);
      if (siblings === undefined) this.#byProcess.set(tgid, new Set([thread]));
      else siblings.add(thread);
    }
    if (time > thread.touched) thread.touched = time;
    return thread;
  }

  /** The thread has ended. Kept for late questions, as long as not too many others end after it. */
  ended(thread: TimelineThread): void {
    thread.ended = true;
    this.#ended.push(thread);
    if (this.#ended.length - this.#endedHead <= MAX_ENDED) return;
    const oldest = this.#ended[this.#endedHead++]!;
    if (oldest.ended && this.#byKey.get(keyOf(oldest.tgid, oldest.tid)) === oldest) this.#forget(oldest);
    if (this.#endedHead >= MAX_ENDED) {
      this.#ended = this.#ended.slice(this.#endedHead);
      this.#endedHead = 0;
    }
  }

  /** A quarter at once, so that the cost of sorting is shared by many new threads. */
  #evictOldest(): void {
    this.#last = undefined;
    const oldestFirst = [...this.#byKey.values()].sort((a, b) => a.touched - b.touched);
    for (const thread of oldestFirst.slice(0, Math.max(1, this.#maxThreads >> 2))) {
      this.#forget(thread);
      this.#evicted++;
    }
  }

  #forget(thread: TimelineThread): void {
    if (this.#last === thread) this.#last = undefined;
    this.#byKey.delete(keyOf(thread.tgid, thread.tid));
    const siblings = this.#byProcess.get(thread.tgid);
    siblings?.delete(thread);
    if (siblings?.size === 0) this.#byProcess.delete(thread.tgid);
  }
}
