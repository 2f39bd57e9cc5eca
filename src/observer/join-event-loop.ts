/**
 * Whose work an event loop did, and what a request waited for while the loop did something else.
 *
 * A thread that waits for many descriptors at once (epoll, poll, select) serves several requests by turns. Its time is
 * cut at its waits into ticks, and each tick at its socket operations: what follows an operation belongs to the request
 * of that operation, what comes before the first one belongs to the request that the loop woke up for.
 *
 *   loop    epoll_wait |read A ... write db(A)| epoll_wait |read B ... write B|read db(A) ... write A| epoll_wait
 *   A                  |<------- own -------->|<- waits for db ->|<-- busy -->|<------- own ------->|
 *
 * Between its own stretches a request waits: for the peer that it has asked and that has not answered (`net`), for a
 * pool thread that the loop has woken for it (what that thread did), or for something that left no trace such as a
 * timer (`idle`). In the tick in which it goes on, the time before it is the loop's other work (`other`,
 * `event_loop_busy`): then its answer was there and nobody looked. When the owner of a stretch is not known, its time and
 * what is waited for after it are left unattributed, unless the request was the only one.
 */
import type { KnownTime, Piece } from './breakdown.js';
import { type WaitReason, waitReason } from './classify.js';
import type { Architecture } from './classify-syscalls.js';
import type { JoinConnection, JoinConnections } from './join-connections.js';
import type { Timeline } from './timeline.js';
import type { Operation } from './timeline-operations.js';
import type { MonoNs, WaitRecord } from './types.js';

/** What a thread does on behalf of one request (or of one outbound call that belongs to no request). */
export interface WorkUnit {
  readonly tgid: number;
  readonly tid: number;
  readonly from: MonoNs;
  readonly to: MonoNs;
  /** The socket on which the request came in or the call went out. */
  readonly socketCookie: number;
  readonly confidence: number;
  readonly evidence: string;
}

export interface EventLoopContext {
  readonly timeline: Timeline;
  readonly architecture: Architecture;
  readonly connections: JoinConnections;
  /** True when the thread worked on another request at any time of [from, to]. */
  othersInFlight(unit: WorkUnit, from: MonoNs, to: MonoNs): boolean;
  /** Whether the call that began on a client socket at `time` carries the unit's trace, another one, or none. */
  sameTrace(unit: WorkUnit, socketCookie: number, time: MonoNs): boolean | undefined;
}

/** Only request on the thread; one of several, with what is unknown left out; taken from a pool thread's work. */
const ALONE = 0.9;
const AMONG_OTHERS = 0.75;
const POOL_THREAD = 0.75;

type Owner = 'own' | 'other' | 'unknown' | 'wait';

interface Stretch {
  readonly from: MonoNs;
  readonly to: MonoNs;
  readonly owner: Owner;
  readonly wait: WaitRecord | undefined;
}

/**
 * The pieces of `unit` until `to`, oldest first; undefined when its thread was no event loop meanwhile, so that all of
 * its time is the unit's. Empty when too much has been overwritten to tell.
 */
export function planEventLoop(context: EventLoopContext, unit: WorkUnit, to: MonoNs): Piece[] | undefined {
  const end = Math.max(to, unit.to);
  const waits = multiplexWaits(context, unit, end);
  const operations = context.timeline.operations(unit.tgid, unit.tid, unit.from, end);
  if (operations === undefined) return waits.length === 0 ? undefined : [];
  const foreign = operations.some((operation) => isForeign(context, unit, operation));
  if (waits.length === 0 && !foreign) return undefined;
  // Whose work it was follows from all operations; one that is missing would give it to somebody else.
  if (context.timeline.lostBetween(unit.from, end)) return [];
  const alone = !foreign && !context.othersInFlight(unit, unit.from, end);
  const owners = ownersOf(context, unit, operations, waits, alone);
  const stretches = cut(unit.from, end, waits, operations, owners, alone);
  return new Plan(context, unit, operations, owners, stretches, alone).pieces();
}

function multiplexWaits(context: EventLoopContext, unit: WorkUnit, end: MonoNs): WaitRecord[] {
  const waits: WaitRecord[] = [];
  context.timeline.visit(unit.tgid, unit.tid, unit.from, end, (_from, _to, kind, wait) => {
    if (kind !== 'blocked' && kind !== 'runqueue') return;
    if (waits.at(-1)?.off === wait!.off || waitReason(wait!, context.architecture) !== 'multiplex') return;
    waits.push(wait!);
  });
  return waits;
}

const isForeign = (context: EventLoopContext, unit: WorkUnit, operation: Operation): boolean =>
  operation.socketCookie !== unit.socketCookie &&
  context.connections.get(operation.socketCookie)?.role === 'server';

/** The owner of each operation, in their order. */
function ownersOf(
  context: EventLoopContext,
  unit: WorkUnit,
  operations: readonly Operation[],
  waits: readonly WaitRecord[],
  alone: boolean,
): Owner[] {
  const unsure: Owner = alone ? 'own' : 'unknown';
  const callers = new Map<number, Owner>();
  const asked = new Set<number>();
  const owners: Owner[] = [];
  let current: Owner = unsure;
  let nextWait = 0;
  for (const { socketCookie, egress, time } of operations) {
    while (nextWait < waits.length && waits[nextWait]!.off < time) {
      nextWait++;
      current = unsure;
    }
    if (socketCookie === unit.socketCookie) current = 'own';
    else if (context.connections.get(socketCookie)?.role === 'server') current = 'other';
    else if (!egress) {
      asked.delete(socketCookie);
      // What was asked before this unit began is somebody else's.
      current = callers.get(socketCookie) ?? (alone ? 'own' : 'other');
    } else {
      if (!asked.has(socketCookie)) {
        const same = context.sameTrace(unit, socketCookie, time);
        callers.set(socketCookie, same === undefined ? current : same ? 'own' : 'other');
        asked.add(socketCookie);
      }
      current = callers.get(socketCookie) ?? unsure;
    }
    owners.push(current);
  }
  return owners;
}

function cut(
  from: MonoNs,
  to: MonoNs,
  waits: readonly WaitRecord[],
  operations: readonly Operation[],
  owners: readonly Owner[],
  alone: boolean,
): Stretch[] {
  const stretches: Stretch[] = [];
  let cursor = from;
  const add = (until: MonoNs, owner: Owner, wait?: WaitRecord): void => {
    const end = Math.min(until, to);
    if (end <= cursor) return;
    stretches.push({ from: cursor, to: end, owner, wait });
    cursor = end;
  };
  let next = 0;
  const addTick = (until: MonoNs): void => {
    let owner: Owner = owners[next] ?? 'unknown';
    if (next >= operations.length || operations[next]!.time > until) owner = alone ? 'own' : 'unknown';
    for (; next < operations.length && operations[next]!.time <= until; next++) {
      const { time, egress } = operations[next]!;
      const following = owners[next]!;
      // What is sent was made before: by whom of the two is not to be seen, when a timer or a pool thread's result may
      // have come up in between.
      if (following !== owner) add(time, egress ? 'unknown' : owner);
      owner = following;
    }
    add(until, owner);
  };
  for (const wait of waits) {
    addTick(wait.off);
    add(wait.open ? to : wait.on, 'wait', wait);
  }
  addTick(to);
  return stretches;
}

class Plan {
  readonly #context: EventLoopContext;
  readonly #unit: WorkUnit;
  readonly #operations: readonly Operation[];
  readonly #owners: readonly Owner[];
  readonly #stretches: readonly Stretch[];
  readonly #ownOperations: readonly Operation[];
  #connected: readonly JoinConnection[] | undefined;
  readonly #confidence: number;
  readonly #evidence: string;
  readonly #pieces: Piece[] = [];

  constructor(
    context: EventLoopContext,
    unit: WorkUnit,
    operations: readonly Operation[],
    owners: readonly Owner[],
    stretches: readonly Stretch[],
    alone: boolean,
  ) {
    this.#context = context;
    this.#unit = unit;
    this.#operations = operations;
    this.#owners = owners;
    this.#stretches = stretches;
    this.#ownOperations = operations.filter((_, index) => owners[index] === 'own');
    this.#confidence = Math.min(1, unit.confidence * (alone ? ALONE : AMONG_OTHERS));
    this.#evidence = `${unit.evidence},event_loop`;
  }

  pieces(): Piece[] {
    const stretches = this.#stretches;
    for (let index = 0; index < stretches.length; ) {
      const stretch = stretches[index]!;
      if (stretch.owner === 'own') {
        this.#thread(this.#unit.tid, stretch.from, stretch.to);
        index++;
        continue;
      }
      let end = index;
      while (end < stretches.length && stretches[end]!.owner !== 'own') end++;
      // The response's last byte may be the last thing that is looked at.
      const resumes = end < stretches.length || this.#ownOperationAt(stretches[end - 1]!.to);
      this.#between(stretches.slice(index, end), resumes);
      index = end;
    }
    return this.#pieces.sort((a, b) => a.from - b.from);
  }

  /** Stretches in which the unit waits; it goes on after them when `resumes`. */
  #between(gap: readonly Stretch[], resumes: boolean): void {
    const lastWait = gap.findLastIndex((stretch) => stretch.owner === 'wait');
    let waitingUntil = resumes ? lastWait : gap.length - 1;
    // Others ran in the tick in which the unit stopped, or the record ends there: nothing was waited for before a wait.
    if (lastWait < 0) waitingUntil = -1;
    const waiting = gap.slice(0, waitingUntil + 1);
    if (waiting.length > 0) this.#waiting(waiting, resumes);
    for (const stretch of gap.slice(waitingUntil + 1)) {
      if (stretch.owner === 'other') this.#known(stretch.from, stretch.to, EVENT_LOOP_BUSY);
    }
  }

  #waiting(stretches: readonly Stretch[], resumes: boolean): void {
    const from = stretches[0]!.from;
    const last = stretches.at(-1)!;
    // Woken but not running yet: the run queue, as the timeline says.
    const woken = last.wait === undefined ? last.to : Math.max(last.from, wokenAt(last.wait, last.to));
    const to = resumes ? woken : last.to;
    const peer = this.#awaitedPeer(from, last.to);
    if (peer !== undefined) this.#known(from, to, { timeClass: 'net', reason: 'event_loop', peer });
    else this.#await(stretches, from, to);
    if (to < last.to) this.#thread(this.#unit.tid, to, last.to);
  }

  /**
   * Nothing was asked over the network: the work of pool threads that were woken for the unit, and in between whatever
   * leaves no trace. After a stretch that may have been the unit's, it may wait for anything that was begun there.
   */
  #await(stretches: readonly Stretch[], from: MonoNs, to: MonoNs): void {
    const unknown = this.#stretches.find((stretch) => stretch.owner === 'unknown');
    const idleUntil = unknown === undefined ? to : Math.min(to, Math.max(from, unknown.from));
    let cursor = from;
    for (const { wait } of stretches) {
      const worker = wait === undefined ? undefined : this.#poolThread(wait);
      if (wait === undefined || worker === undefined) continue;
      const start = Math.min(Math.max(cursor, worker.from), to);
      const end = Math.min(Math.max(start, wait.wake), to);
      this.#idle(cursor, Math.min(start, idleUntil));
      this.#poolWork(worker.tid, start, end);
      cursor = end;
    }
    this.#idle(cursor, idleUntil);
  }

  /**
   * Nothing that leaves a trace was waited for, until a thread of the loop's pool is at work: it may be for this unit,
   * when a timer has meanwhile let it go on in a tick in which nothing else told of it. One that was at work when the unit
   * began to wait, in its own stretch before `from`, may have got what is waited for.
   */
  #idle(from: MonoNs, to: MonoNs): void {
    if (from >= to) return;
    const own = this.#stretches.findLast((stretch) => stretch.owner === 'own' && stretch.to <= from);
    this.#known(from, Math.min(to, this.#poolBusySince(own?.from ?? from, to)), AWAIT);
  }

  /** First moment of [from, to] at which a thread that the loop wakes did not wait for work; `to` when there is none. */
  #poolBusySince(from: MonoNs, to: MonoNs): MonoNs {
    const { tgid, tid } = this.#unit;
    const { timeline, architecture } = this.#context;
    let since = to;
    for (const worker of timeline.wokenBy(tgid, tid)) {
      let waited = false;
      timeline.visit(tgid, worker, from, since, (start, _end, kind, wait) => {
        if (start >= since) return;
        if (kind === 'blocked' && mayWaitForWork(waitReason(wait!, architecture))) waited = true;
        // Its next wait may not have been told yet: what follows one is work all the same.
        else if (kind !== 'unknown' || waited) since = start;
      });
    }
    return since;
  }

  /** The thread that ended `wait`, if this thread had woken it during the unit's own work; and since when it worked. */
  #poolThread(wait: WaitRecord): { tid: number; from: MonoNs } | undefined {
    const { tgid, tid } = this.#unit;
    if (wait.wake === 0 || wait.wakerTgid !== tgid || wait.wakerTid === tid || wait.wakerTid === 0)
      return undefined;
    let handedOver: WaitRecord | undefined;
    const { timeline, architecture } = this.#context;
    timeline.visit(tgid, wait.wakerTid, this.#unit.from, wait.wake, (_from, _to, kind, record) => {
      if (kind !== 'blocked' || waitReason(record!, architecture) !== 'futex') return;
      // The wake-up that ended it may be the one that is looked at; a later one is not about this work.
      if (record!.wake > 0 && record!.wake < wait.wake) handedOver = record;
    });
    if (handedOver === undefined || handedOver.wakerTid !== tid || handedOver.wakerTgid !== tgid)
      return undefined;
    return this.#isOwnAt(handedOver.wake) ? { tid: wait.wakerTid, from: handedOver.wake } : undefined;
  }

  #ownOperationAt(time: MonoNs): boolean {
    return this.#operations.some(
      (operation, index) => operation.time === time && this.#owners[index] === 'own',
    );
  }

  #isOwnAt(time: MonoNs): boolean {
    return this.#stretches.some(
      (stretch) => stretch.owner === 'own' && stretch.from <= time && time <= stretch.to,
    );
  }

  /** The peer whose answer the unit waits for in [from, to]: the one that answers next, else the one asked first. */
  #awaitedPeer(from: MonoNs, to: MonoNs): KnownTime['peer'] {
    const { connections } = this.#context;
    const asked = new Map<number, true>();
    for (const { socketCookie, egress, time } of this.#ownOperations) {
      if (time > from) {
        if (time < to) continue;
        if (!egress && asked.has(socketCookie)) return connections.get(socketCookie)?.peer;
        break;
      }
      if (connections.get(socketCookie)?.role === 'server') continue;
      if (egress) asked.set(socketCookie, true);
      else asked.delete(socketCookie);
    }
    for (const cookie of asked.keys()) return connections.get(cookie)?.peer;
    return this.#connectingTo(from, to);
  }

  /** A connection that the unit was establishing over all of [from, to]. Its bytes come later, so look ahead. */
  #connectingTo(from: MonoNs, to: MonoNs): KnownTime['peer'] {
    this.#connected ??= this.#connections();
    for (const { connectStart, connectEnd, peer } of this.#connected) {
      if (
        connectStart <= from &&
        connectEnd >= from &&
        connectEnd <= to + CONNECT_SLACK_NS &&
        this.#isOwnAt(connectStart)
      ) {
        return peer;
      }
    }
    return undefined;
  }

  /** Connections that the unit's thread established and used meanwhile. */
  #connections(): readonly JoinConnection[] {
    const { connections } = this.#context;
    const { tid, from } = this.#unit;
    const found = new Set<JoinConnection>();
    for (const { socketCookie } of this.#operations) {
      const connection = connections.get(socketCookie);
      if (connection === undefined || connection.connectTid !== tid) continue;
      if (connection.connectStart > 0 && connection.connectEnd >= from) found.add(connection);
    }
    return [...found];
  }

  #thread(tid: number, from: MonoNs, to: MonoNs): void {
    if (from < to) this.#add(tid, from, to, undefined);
  }

  #poolWork(tid: number, from: MonoNs, to: MonoNs): void {
    if (from >= to) return;
    const evidence = `${this.#evidence},pool_thread`;
    const confidence = Math.min(POOL_THREAD, this.#confidence);
    this.#pieces.push({ tgid: this.#unit.tgid, tid, from, to, confidence, evidence });
  }

  #known(from: MonoNs, to: MonoNs, as: KnownTime): void {
    if (from < to) this.#add(this.#unit.tid, from, to, as);
  }

  #add(tid: number, from: MonoNs, to: MonoNs, as: KnownTime | undefined): void {
    const confidence = this.#confidence;
    const evidence = this.#evidence;
    this.#pieces.push({ tgid: this.#unit.tgid, tid, from, to, confidence, evidence, as });
  }
}

const mayWaitForWork = (reason: WaitReason): boolean =>
  reason === 'futex' || reason === 'multiplex' || reason === 'sleep';

/** The connection may be reported established shortly after the loop has been woken for it. */
const CONNECT_SLACK_NS = 1_000_000;

const EVENT_LOOP_BUSY: KnownTime = { timeClass: 'other', reason: 'event_loop_busy' };
const AWAIT: KnownTime = { timeClass: 'idle', reason: 'event_loop_wait' };

const wokenAt = (wait: WaitRecord, otherwise: MonoNs): MonoNs => (wait.wake > 0 ? wait.wake : otherwise);
