/**
 * From an exchange to the pieces of thread time that explain a span: which thread worked on it, from when to when.
 *
 * One thread that reads the request and writes the response owns the span, unless it is an event loop
 * (join-event-loop.ts). When two threads did it, the hand-over is looked for: the moment at which the first woke the
 * second. Without one, only what lies between the request and the first thread's next idle wait, and between the second
 * thread's last idle wait and the response, is claimed.
 */
import type { Piece } from './breakdown.js';
import { type WaitReason, waitReason } from './classify.js';
import { type EventLoopContext, planEventLoop, type WorkUnit } from './join-event-loop.js';
import type { Exchange, MonoNs, WaitRecord } from './types.js';

/** How sure a way of finding the span's exchange is, before the thread is looked at. */
export interface Evidence {
  readonly words: string;
  readonly confidence: number;
}

const HAND_OVER = 0.85;
const NO_HAND_OVER = 0.79;

/** Pieces for [from, to] of a span that the request of `exchange` (server side) or a part of it stands for. */
export function planServer(
  context: EventLoopContext,
  exchange: Exchange,
  evidence: Evidence,
  from: MonoNs,
  to: MonoNs,
): Piece[] {
  if (exchange.requestTid !== exchange.responseTid) return planHandOver(context, exchange, evidence, to);
  const unit = unitOf(exchange, exchange.requestTid, evidence);
  const pieces = planEventLoop(context, unit, to);
  if (pieces !== undefined) return pieces;
  const first = runningSince(context, unit.tgid, unit.tid, from, exchange.requestStart);
  const last = workedUntil(context, unit, exchange.responseEnd, to);
  return [whole(unit, first, last)];
}

/**
 * Pieces for [from, to] of a span that stands for the outbound call `exchange`. `server` is the request on whose behalf
 * the call was made, when that is known.
 */
export function planClient(
  context: EventLoopContext,
  exchange: Exchange,
  server: Exchange | undefined,
  evidence: Evidence,
  from: MonoNs,
  to: MonoNs,
): Piece[] {
  const { tgid, requestTid, responseTid } = exchange;
  const unit = unitOf(exchange, requestTid, evidence);
  if (requestTid !== responseTid) return planSplitClient(context, exchange, evidence);
  const loop = planEventLoop(context, unit, to);
  if (loop === undefined) return [whole(unit, from, to)];
  const answered = lastMultiplexWait(context, tgid, requestTid, exchange.requestEnd, exchange.responseStart);
  const pieces: Piece[] = [];
  if (answered !== undefined) {
    pieces.push({
      ...whole(unit, exchange.requestEnd, answered),
      evidence: `${unit.evidence},event_loop`,
      as: { timeClass: 'net', reason: 'event_loop', peer: peerOf(exchange) },
    });
  }
  // The loop's work for the request around the call, when the request is known; else for the call alone.
  const around =
    server !== undefined && server.requestTid === requestTid && server.responseTid === requestTid
      ? planEventLoop(context, { ...unitOf(server, requestTid, evidence) }, to)
      : undefined;
  return [...pieces, ...(around ?? loop)];
}

function unitOf(exchange: Exchange, tid: number, evidence: Evidence): WorkUnit {
  return {
    tgid: exchange.tgid,
    tid,
    from: exchange.requestStart,
    to: exchange.responseEnd,
    socketCookie: exchange.socketCookie,
    confidence: evidence.confidence,
    evidence: `${evidence.words},same_thread`,
  };
}

function whole(unit: WorkUnit, from: MonoNs, to: MonoNs): Piece {
  return { tgid: unit.tgid, tid: unit.tid, from, to, confidence: unit.confidence, evidence: unit.evidence };
}

const peerOf = (exchange: Exchange): { address: string; port: number } => ({
  address: exchange.tuple.remoteAddress,
  port: exchange.tuple.remotePort,
});

/** Begin of the run that leads to `until`, not before `from`: the thread had been woken for it. */
function runningSince(
  context: EventLoopContext,
  tgid: number,
  tid: number,
  from: MonoNs,
  until: MonoNs,
): MonoNs {
  if (from >= until) return until;
  let since = until;
  let running = false;
  context.timeline.visit(tgid, tid, from, until, (start, _end, kind) => {
    if (kind === 'on' && !running) since = start;
    running = kind === 'on';
  });
  return running ? since : until;
}

/** From `responseEnd` on: until the thread waits for its next request, at most `to`. */
function workedUntil(context: EventLoopContext, unit: WorkUnit, responseEnd: MonoNs, to: MonoNs): MonoNs {
  let until = to;
  if (to <= responseEnd) return to;
  context.timeline.visit(unit.tgid, unit.tid, responseEnd, to, (start, _end, kind, wait) => {
    if (until !== to || kind !== 'blocked') return;
    const reason = waitReason(wait!, context.architecture);
    const ownSocket = reason === 'socket' && wait!.socket?.cookie === unit.socketCookie;
    if (ownSocket || isIdle(reason)) until = start;
  });
  return until;
}

/** Waits in which a thread of a pool or an event loop waits for its next work. */
const isIdle = (reason: WaitReason): boolean => reason === 'multiplex' || reason === 'accept';
const mayBeIdle = (reason: WaitReason): boolean => isIdle(reason) || reason === 'futex';

function planHandOver(
  context: EventLoopContext,
  exchange: Exchange,
  evidence: Evidence,
  to: MonoNs,
): Piece[] {
  const { tgid, requestTid, responseTid, requestStart, responseStart } = exchange;
  const waits: { wait: WaitRecord; reason: WaitReason }[] = [];
  context.timeline.visit(tgid, responseTid, requestStart, responseStart, (_from, _to, kind, wait) => {
    if (kind !== 'blocked' || waits.at(-1)?.wait.off === wait!.off) return;
    waits.push({ wait: wait!, reason: waitReason(wait!, context.architecture) });
  });
  const handOver = waits.find(
    ({ wait, reason }) =>
      mayBeIdle(reason) &&
      wait.wakerTgid === tgid &&
      wait.wakerTid === requestTid &&
      wait.wake >= requestStart &&
      wait.wake <= responseStart,
  );
  const piece = (tid: number, from: MonoNs, until: MonoNs, words: string, factor: number): Piece => ({
    tgid,
    tid,
    from,
    to: until,
    confidence: evidence.confidence * factor,
    evidence: `${evidence.words},${words}`,
  });
  const end = workedUntil(
    context,
    unitOf(exchange, responseTid, evidence),
    exchange.responseEnd,
    Math.max(to, exchange.responseEnd),
  );
  if (handOver !== undefined) {
    return [
      piece(requestTid, requestStart, handOver.wait.wake, 'hand_over', HAND_OVER),
      piece(responseTid, handOver.wait.wake, end, 'hand_over', HAND_OVER),
    ];
  }
  const lastIdle = waits.findLast(({ reason }) => mayBeIdle(reason));
  const begin = lastIdle === undefined ? responseStart : lastIdle.wait.on;
  let leftAt = responseStart;
  context.timeline.visit(tgid, requestTid, requestStart, responseStart, (from, _to, kind, wait) => {
    if (leftAt !== responseStart || kind !== 'blocked') return;
    if (mayBeIdle(waitReason(wait!, context.architecture))) leftAt = from;
  });
  return [
    piece(responseTid, begin, end, 'two_threads', NO_HAND_OVER),
    piece(requestTid, requestStart, leftAt, 'two_threads', NO_HAND_OVER),
  ];
}

/** One thread sent the request, another received the answer: in between the call waits for the network. */
function planSplitClient(context: EventLoopContext, exchange: Exchange, evidence: Evidence): Piece[] {
  const { tgid, requestTid, responseTid, requestStart, requestEnd, responseStart, responseEnd } = exchange;
  const base = { tgid, confidence: evidence.confidence * 0.9, evidence: `${evidence.words},two_threads` };
  const reading = runningSince(context, tgid, responseTid, requestEnd, responseStart);
  return [
    { ...base, tid: requestTid, from: requestStart, to: requestEnd },
    {
      ...base,
      tid: responseTid,
      from: requestEnd,
      to: reading,
      as: { timeClass: 'net', reason: 'two_threads', peer: peerOf(exchange) },
    },
    { ...base, tid: responseTid, from: reading, to: responseEnd },
  ];
}

/** When the last multiplexed wait of [from, to] was ended; undefined when there was none. */
function lastMultiplexWait(
  context: EventLoopContext,
  tgid: number,
  tid: number,
  from: MonoNs,
  to: MonoNs,
): MonoNs | undefined {
  let woken: MonoNs | undefined;
  if (to <= from) return undefined;
  context.timeline.visit(tgid, tid, from, to, (_from, _to, kind, wait) => {
    if (kind !== 'blocked' || waitReason(wait!, context.architecture) !== 'multiplex') return;
    woken = wait!.wake > 0 ? wait!.wake : wait!.on;
  });
  return woken;
}
