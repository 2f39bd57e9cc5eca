/**
 * A breakdown as OTLP `Span` fields: totals as attributes, the longest intervals as events, the rest merged.
 *
 * Every event carries its duration; the durations of a class sum to the class' total (without `unattributed`, which is
 * a total only). An event with `count` stands for several intervals.
 */
import type { AttributeInput } from '../otlp/attribute-writer.js';
import { addNs, type Time64 } from '../otlp/time.js';
import { type SpanEventInput, writeSpanFieldsTo } from '../otlp/trace-writer.js';
import type { WireWriter } from '../otlp/wire-writer.js';
import {
  ATTR_CONFIDENCE,
  ATTR_CPU_SAMPLES,
  ATTR_EVIDENCE,
  ATTR_HOT_STACK,
  ATTR_HOT_STACK_SAMPLES,
  ATTR_THREADS,
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
import { type Breakdown, detailOf, type Slice } from './breakdown.js';
import type { WaitDetail } from './classify.js';
import type { Architecture } from './classify-syscalls.js';
import { hotStack } from './join-stack.js';
import type { Timeline } from './timeline.js';
import type { StoredSample } from './timeline-samples.js';
import { type MonoNs, type ProcessTable, type Symbolizer, TIME_CLASSES, type TimeClass } from './types.js';

export interface ProfileContext {
  readonly timeline: Timeline;
  readonly architecture: Architecture;
  readonly processes: ProcessTable;
  readonly symbolizer: Symbolizer;
  readonly maxEvents: number;
  /** Scratch memory; empty between calls. */
  readonly writer: WireWriter;
}

/** Intervals shorter than this are told merged, however few they are. */
const MIN_EVENT_NS = 10_000;

/** `start` and `startTime` are the same moment, the span's start, on both clocks. */
export function encodeProfile(
  context: ProfileContext,
  breakdown: Breakdown,
  start: MonoNs,
  startTime: Time64,
): Uint8Array {
  const attributes: Record<string, AttributeInput> = {};
  for (const timeClass of TIME_CLASSES) {
    const total = breakdown.totals[timeClass];
    if (total > 0 || timeClass === 'unattributed') attributes[timeAttribute(timeClass)] = total;
  }
  const known = breakdown.slices.filter((slice) => slice.piece !== undefined);
  attributes[ATTR_CONFIDENCE] = { double: Math.min(...known.map((slice) => slice.piece!.confidence)) };
  attributes[ATTR_EVIDENCE] = [...new Set(known.flatMap((slice) => slice.piece!.evidence.split(',')))].join();
  attributes[ATTR_THREADS] = [...new Set(known.map((slice) => slice.piece!.tid))];
  addSamples(context, known, start, attributes);
  const { writer } = context;
  writer.reset();
  writeSpanFieldsTo(writer, { attributes, events: toEvents(context, known, startTime) });
  return writer.finish();
}

function addSamples(
  context: ProfileContext,
  slices: readonly Slice[],
  start: MonoNs,
  attributes: Record<string, AttributeInput>,
): void {
  const samples: { tgid: number; sample: StoredSample }[] = [];
  for (const { timeClass, piece, from, to } of slices) {
    if (timeClass !== 'cpu') continue;
    for (const sample of context.timeline.samples(piece!.tgid, piece!.tid, start + from, start + to)) {
      samples.push({ tgid: piece!.tgid, sample });
    }
  }
  if (samples.length === 0) return;
  attributes[ATTR_CPU_SAMPLES] = samples.length;
  const hottest = hotStack(samples, context.symbolizer);
  if (hottest === undefined) return;
  attributes[ATTR_HOT_STACK] = hottest.text;
  attributes[ATTR_HOT_STACK_SAMPLES] = hottest.samples;
}

interface Merged {
  readonly first: Slice;
  count: number;
  total: number;
  max: number;
}

function toEvents(context: ProfileContext, slices: readonly Slice[], startTime: Time64): SpanEventInput[] {
  const { told, merged } = choose(slices, context.maxEvents);
  const events: { at: number; event: SpanEventInput }[] = told.map((slice) => ({
    at: slice.from,
    event: {
      time: addNs(startTime, slice.from),
      name: EVENT_NAMES[slice.timeClass],
      attributes: describe(context, slice),
    },
  }));
  for (const [timeClass, { first, count, total, max }] of merged) {
    events.push({
      at: first.from,
      event: {
        time: addNs(startTime, first.from),
        name: EVENT_NAMES[timeClass],
        attributes: {
          [EVENT_DURATION]: total,
          [EVENT_COUNT]: count,
          [EVENT_MAX_DURATION]: max,
          [EVENT_CONFIDENCE]: { double: first.piece!.confidence },
          [EVENT_EVIDENCE]: first.piece!.evidence,
        },
      },
    });
  }
  return events.sort((a, b) => a.at - b.at).map(({ event }) => event);
}

/** The longest slices are told one by one; one event of the budget is kept for each class that has others. */
function choose(
  slices: readonly Slice[],
  maxEvents: number,
): { told: Slice[]; merged: Map<TimeClass, Merged> } {
  const longestFirst = slices.toSorted((a, b) => b.to - b.from - (a.to - a.from));
  const worth = longestFirst.filter((slice) => slice.to - slice.from >= MIN_EVENT_NS);
  const classes = new Set(slices.map((slice) => slice.timeClass)).size;
  const fits = worth.length === slices.length && worth.length <= maxEvents;
  const told = worth.slice(0, fits ? maxEvents : Math.max(0, maxEvents - classes));
  const isTold = new Set(told);
  const merged = new Map<TimeClass, Merged>();
  for (const slice of slices) {
    if (isTold.has(slice)) continue;
    const length = slice.to - slice.from;
    const same = merged.get(slice.timeClass);
    if (same === undefined)
      merged.set(slice.timeClass, { first: slice, count: 1, total: length, max: length });
    else {
      same.count++;
      same.total += length;
      same.max = Math.max(same.max, length);
    }
  }
  return { told, merged };
}

function describe(context: ProfileContext, slice: Slice): Record<string, AttributeInput | undefined> {
  const piece = slice.piece!;
  const detail = detailOf(slice, context.architecture);
  const peer = detail?.peer ?? piece.as?.peer;
  return {
    [EVENT_DURATION]: slice.to - slice.from,
    [EVENT_THREAD_ID]: piece.tid,
    [EVENT_THREAD_NAME]: context.processes.threadName(piece.tgid, piece.tid) || undefined,
    [EVENT_SYSCALL]: detail?.syscall,
    [EVENT_REASON]: piece.as === undefined ? reasonOf(detail) : piece.as.reason,
    'network.peer.address': peer?.address,
    'network.peer.port': peer?.port,
    [EVENT_FILE_PATH]: filePath(context, piece.tgid, detail),
    [EVENT_LOCK_ADDRESS]: detail?.lockAddress,
    [EVENT_LOCK_TIMED_OUT]: detail?.timedOut ? true : undefined,
    ...waker(context, piece.tgid, detail),
    [EVENT_CONFIDENCE]: { double: piece.confidence },
    [EVENT_EVIDENCE]: piece.evidence,
  };
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

function filePath(context: ProfileContext, tgid: number, detail: WaitDetail | undefined): string | undefined {
  const file = detail?.file;
  if (file === undefined) return undefined;
  return context.processes.filePath(tgid, file.fd, file.inode) ?? (file.name || undefined);
}

function waker(
  context: ProfileContext,
  tgid: number,
  detail: WaitDetail | undefined,
): Record<string, AttributeInput | undefined> {
  const by = detail?.waker;
  if (by === undefined) return {};
  const name = context.processes.threadName(by.tgid, by.tid);
  return {
    [EVENT_WAKER_THREAD]: name === '' ? `(${by.tid})` : `${name} (${by.tid})`,
    [EVENT_WAKER_PROCESS]:
      by.tgid === tgid
        ? undefined
        : `${context.processes.get(by.tgid)?.serviceName ?? ''} (${by.tgid})`.trim(),
  };
}
