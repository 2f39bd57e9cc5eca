/**
 * A breakdown as OTLP `Span` fields: totals as attributes, the longest intervals as events, the rest merged.
 *
 * Every event carries its duration; the durations of a class sum to the class' total (without `unattributed`, which is
 * a total only). An event with `count` stands for several intervals.
 */
import { addNs, type Time64 } from '../otlp/time.js';
import { beginSpanEvent, putEventAttribute, putSpanAttribute } from '../otlp/trace-writer.js';
import type { WireWriter } from '../otlp/wire-writer.js';
import {
  ATTR_CONFIDENCE,
  ATTR_CPU_SAMPLES,
  ATTR_EVIDENCE,
  ATTR_HOT_STACK,
  ATTR_HOT_STACK_SAMPLES,
  ATTR_THREADS,
  ATTR_TRIGGER,
  EVENT_CONFIDENCE,
  EVENT_COUNT,
  EVENT_DURATION,
  EVENT_EVIDENCE,
  EVENT_FILE_PATH,
  EVENT_LOCK_ADDRESS,
  EVENT_LOCK_TIMED_OUT,
  EVENT_MAX_DURATION,
  EVENT_NAMES,
  EVENT_REASON,
  EVENT_SYSCALL,
  EVENT_THREAD_ID,
  EVENT_THREAD_NAME,
  EVENT_WAKER_PROCESS,
  EVENT_WAKER_THREAD,
  timeAttribute,
} from '../semconv.js';
import { type Breakdown, detailOf, type Piece, type Slice } from './breakdown.js';
import type { WaitDetail } from './classify.js';
import type { Architecture } from './classify-syscalls.js';
import { hotStack } from './join-stack.js';
import type { Timeline } from './timeline.js';
import type { StoredSample } from './timeline-samples.js';
import type { Trigger } from './triggers/trigger-types.js';
import { type MonoNs, type ProcessTable, type Symbolizer, TIME_CLASSES, type TimeClass } from './types.js';

export interface ProfileContext {
  readonly timeline: Timeline;
  readonly architecture: Architecture;
  readonly processes: ProcessTable;
  readonly symbolizer: Symbolizer;
  readonly maxEvents: number;
  /** Is told of each span that got its detail, and of the bytes of that. */
  readonly details: { wrote(trigger: Trigger, bytes: number): void };
  /** Scratch memory; empty between calls. */
  readonly writer: WireWriter;
}

/** Intervals shorter than this are told merged, however few they are. */
export const MIN_EVENT_NS = 10_000;

const TIME_ATTRIBUTES = Object.fromEntries(
  TIME_CLASSES.map((timeClass) => [timeClass, timeAttribute(timeClass)]),
) as Record<TimeClass, string>;

/**
 * `start` and `startTime` are the same moment, the span's start, on both clocks. The bytes are those of the context's
 * writer: valid until the next call. Without a `trigger` they are the totals only: no stacks, no events.
 */
export function encodeProfile(
  context: ProfileContext,
  breakdown: Breakdown,
  start: MonoNs,
  startTime: Time64,
  trigger: Trigger | undefined,
): Uint8Array {
  const { writer } = context;
  writer.reset();
  for (const timeClass of TIME_CLASSES) {
    const total = breakdown.totals[timeClass];
    if (total > 0 || timeClass === 'unattributed')
      putSpanAttribute(writer, TIME_ATTRIBUTES[timeClass], total);
  }
  putProvenance(writer, breakdown.slices);
  if (trigger !== undefined) {
    const before = writer.pos;
    putSpanAttribute(writer, ATTR_TRIGGER, trigger);
    putSamples(context, breakdown, start);
    writeEvents(context, breakdown.slices, startTime);
    context.details.wrote(trigger, writer.pos - before);
  }
  return writer.bytes.subarray(0, writer.pos);
}

/** The least confidence, the words of all evidence and the threads, each once and in the order of time. */
function putProvenance(writer: WireWriter, slices: readonly Slice[]): void {
  let confidence = Number.POSITIVE_INFINITY;
  const evidence: string[] = [];
  const threads: number[] = [];
  let last: Piece | undefined;
  for (const { piece } of slices) {
    if (piece === undefined || piece === last) continue;
    confidence = Math.min(confidence, piece.confidence);
    if (piece.evidence !== last?.evidence && !evidence.includes(piece.evidence))
      evidence.push(piece.evidence);
    if (piece.tid !== last?.tid && !threads.includes(piece.tid)) threads.push(piece.tid);
    last = piece;
  }
  putSpanAttribute(writer, ATTR_CONFIDENCE, { double: confidence });
  const words = evidence.length === 1 ? evidence[0]! : [...new Set(evidence.join().split(','))].join();
  putSpanAttribute(writer, ATTR_EVIDENCE, words);
  putSpanAttribute(writer, ATTR_THREADS, threads);
}

function putSamples(context: ProfileContext, { slices, durationNs }: Breakdown, start: MonoNs): void {
  const { timeline, writer } = context;
  const samples: { tgid: number; sample: StoredSample }[] = [];
  let thread: Piece | undefined;
  let isSampled = false;
  for (const { timeClass, piece, from, to } of slices) {
    if (timeClass !== 'cpu') continue;
    const { tgid, tid } = piece!;
    // Most spans are shorter than the time between two samples: one look for all slices of a thread.
    if (tid !== thread?.tid || tgid !== thread.tgid) {
      thread = piece;
      isSampled = timeline.isSampled(tgid, tid, start + from, start + durationNs);
    }
    if (!isSampled) continue;
    for (const sample of timeline.samples(tgid, tid, start + from, start + to))
      samples.push({ tgid, sample });
  }
  if (samples.length === 0) return;
  putSpanAttribute(writer, ATTR_CPU_SAMPLES, samples.length);
  const hottest = hotStack(samples, context.symbolizer);
  if (hottest === undefined) return;
  putSpanAttribute(writer, ATTR_HOT_STACK, hottest.text);
  putSpanAttribute(writer, ATTR_HOT_STACK_SAMPLES, hottest.samples);
}

interface Merged {
  readonly first: Slice;
  count: number;
  total: number;
  max: number;
}

const lengthOf = (slice: Slice): number => slice.to - slice.from;

/** The longest slices are told one by one; one event of the budget is kept for each class that has others. */
function writeEvents(context: ProfileContext, slices: readonly Slice[], startTime: Time64): void {
  const { maxEvents } = context;
  const known = slices.filter((slice) => slice.piece !== undefined);
  const worth = known.filter((slice) => lengthOf(slice) >= MIN_EVENT_NS);
  let isTold = (slice: Slice): boolean => lengthOf(slice) >= MIN_EVENT_NS;
  if (worth.length < known.length || worth.length > maxEvents) {
    const room = Math.max(0, maxEvents - new Set(known.map((slice) => slice.timeClass)).size);
    if (worth.length > room) {
      const told = new Set(worth.sort((a, b) => lengthOf(b) - lengthOf(a)).slice(0, room));
      isTold = (slice) => told.has(slice);
    }
  }
  const merged = worth.length === known.length && worth.length <= maxEvents ? NONE : merge(known, isTold);
  for (const slice of known) {
    if (isTold(slice)) writeTold(context, slice, startTime);
    else {
      const group = merged.get(slice.timeClass)!;
      if (group.first === slice) writeMerged(context.writer, group, startTime);
    }
  }
}

const NONE: ReadonlyMap<TimeClass, Merged> = new Map();

function merge(slices: readonly Slice[], isTold: (slice: Slice) => boolean): Map<TimeClass, Merged> {
  const merged = new Map<TimeClass, Merged>();
  for (const slice of slices) {
    if (isTold(slice)) continue;
    const length = lengthOf(slice);
    const same = merged.get(slice.timeClass);
    if (same === undefined) {
      merged.set(slice.timeClass, { first: slice, count: 1, total: length, max: length });
      continue;
    }
    same.count++;
    same.total += length;
    same.max = Math.max(same.max, length);
  }
  return merged;
}

function writeMerged(writer: WireWriter, { first, count, total, max }: Merged, startTime: Time64): void {
  const mark = beginSpanEvent(writer, addNs(startTime, first.from), EVENT_NAMES[first.timeClass]);
  putEventAttribute(writer, EVENT_DURATION, total);
  putEventAttribute(writer, EVENT_COUNT, count);
  putEventAttribute(writer, EVENT_MAX_DURATION, max);
  putEventAttribute(writer, EVENT_CONFIDENCE, { double: first.piece!.confidence });
  putEventAttribute(writer, EVENT_EVIDENCE, first.piece!.evidence);
  writer.close(mark);
}

function writeTold(context: ProfileContext, slice: Slice, startTime: Time64): void {
  const { writer, processes } = context;
  const piece = slice.piece!;
  const detail = detailOf(slice, context.architecture);
  const peer = detail?.peer ?? piece.as?.peer;
  const mark = beginSpanEvent(writer, addNs(startTime, slice.from), EVENT_NAMES[slice.timeClass]);
  putEventAttribute(writer, EVENT_DURATION, lengthOf(slice));
  putEventAttribute(writer, EVENT_THREAD_ID, piece.tid);
  putEventAttribute(writer, EVENT_THREAD_NAME, processes.threadName(piece.tgid, piece.tid) || undefined);
  putEventAttribute(writer, EVENT_SYSCALL, detail?.syscall);
  putEventAttribute(writer, EVENT_REASON, piece.as === undefined ? reasonOf(detail) : piece.as.reason);
  putEventAttribute(writer, 'network.peer.address', peer?.address);
  putEventAttribute(writer, 'network.peer.port', peer?.port);
  if (detail !== undefined) {
    putEventAttribute(writer, EVENT_FILE_PATH, filePath(context, piece.tgid, detail));
    putEventAttribute(writer, EVENT_LOCK_ADDRESS, detail.lockAddress);
    if (detail.timedOut) putEventAttribute(writer, EVENT_LOCK_TIMED_OUT, true);
    putWaker(context, piece.tgid, detail);
  }
  putEventAttribute(writer, EVENT_CONFIDENCE, { double: piece.confidence });
  putEventAttribute(writer, EVENT_EVIDENCE, piece.evidence);
  writer.close(mark);
}

/** Said where the event's name leaves it open. */
function reasonOf(detail: WaitDetail | undefined): string | undefined {
  if (detail === undefined) return undefined;
  switch (detail.reason) {
    case 'futex':
    case 'socket':
    case 'file':
    case 'sleep':
      return undefined;
    default:
      return detail.reason;
  }
}

function filePath(context: ProfileContext, tgid: number, detail: WaitDetail): string | undefined {
  const { file } = detail;
  if (file === undefined) return undefined;
  return context.processes.filePath(tgid, file.fd, file.inode) ?? (file.name || undefined);
}

function putWaker({ writer, processes }: ProfileContext, tgid: number, detail: WaitDetail): void {
  const by = detail.waker;
  if (by === undefined) return;
  const name = processes.threadName(by.tgid, by.tid);
  putEventAttribute(writer, EVENT_WAKER_THREAD, name === '' ? `(${by.tid})` : `${name} (${by.tid})`);
  if (by.tgid === tgid) return;
  const service = processes.get(by.tgid)?.serviceName ?? '';
  putEventAttribute(writer, EVENT_WAKER_PROCESS, `${service} (${by.tgid})`.trim());
}
