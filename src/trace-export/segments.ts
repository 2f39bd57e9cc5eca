/**
 * The time of a trace's threads as stretches with a stack. A moment of a thread belongs to the innermost span that it is
 * told of, so that nothing counts twice when segments are added up.
 */
import type { ExplainedSpan, Interval } from '../explain/explained-span.js';
import type { SpanNode } from '../explain/span-tree.js';
import type { TraceExplanation } from '../explain/trace-explanation.js';
import type { TimeClass } from '../observer/types.js';
import { timeDifferenceNs } from '../otlp/time.js';

/** A CPU sample, `at` ns after the trace's start; the stack is outermost first. */
export interface PlacedSample {
  readonly at: number;
  readonly stack: readonly string[];
}

export interface Segment {
  readonly span: ExplainedSpan;
  readonly tid: number;
  readonly threadName: string;
  readonly timeClass: TimeClass;
  /** Nanoseconds after the trace's start. */
  readonly from: number;
  readonly to: number;
  /** Outermost first. */
  readonly frames: readonly string[];
  /** The stack was sampled. */
  readonly isSampled: boolean;
  /** What the span tells about it. */
  readonly interval: Interval;
}

/** A thread, for as long as a trace: its id is one process' and one host's only. */
export const threadKey = (service: string, tid: number): string => `${tid} ${service}`;

export const NOT_SAMPLED = 'on-CPU (not sampled)';

/** Segments in the order of their begin. `samples` are those of each thread (`threadKey`), in the order of time. */
export function segmentsOf(
  trace: TraceExplanation,
  samples: ReadonlyMap<string, readonly PlacedSample[]>,
  only?: (span: ExplainedSpan) => boolean,
): Segment[] {
  const segments: Segment[] = [];
  const taken = new Map<string, Range[]>();
  for (const { span } of innermostFirst(trace.nodes)) {
    const spanStart = timeDifferenceNs(span.start, trace.first.start);
    const own = new Map<string, Stretch[]>();
    for (const interval of span.intervals) {
      const { threadId: tid, count, offsetNs, durationNs } = interval;
      if (count > 1 || tid === undefined) continue;
      const key = threadKey(span.service, tid);
      const others = taken.get(key) ?? [];
      taken.set(key, others);
      const from = spanStart + offsetNs;
      const free = without({ from, to: from + durationNs }, others);
      others.push(...free);
      const list = own.get(key) ?? [];
      list.push(...free.map((range) => ({ ...range, interval, tid })));
      own.set(key, list);
    }
    if (only !== undefined && !only(span)) continue;
    for (const [key, stretches] of own) segments.push(...withStacks(span, stretches, samples.get(key) ?? []));
  }
  return segments.sort((a, b) => a.from - b.from || a.tid - b.tid);
}

/**
 * What spans tell merged: totals of many short stretches, with neither a place in time nor a thread of their own. Only of
 * spans with nothing told below them, whose stretches might be among the merged ones.
 */
export function mergedTotals(
  trace: TraceExplanation,
  only?: (span: ExplainedSpan) => boolean,
): MergedTotal[] {
  return trace.nodes.flatMap(({ span, children }) => {
    if ((only !== undefined && !only(span)) || children.some((child) => child.span.intervals.length > 0))
      return [];
    return span.intervals
      .filter(({ count }) => count > 1)
      .map((interval) => ({
        span,
        timeClass: interval.timeClass,
        ns: interval.durationNs,
        frames: [`${waitLabel(interval)}, ${interval.count} short stretches`],
      }));
  });
}

export interface MergedTotal extends Pick<Segment, 'span' | 'timeClass' | 'frames'> {
  readonly ns: number;
}

interface Stretch extends Range {
  readonly interval: Interval;
  readonly tid: number;
}

interface Range {
  readonly from: number;
  readonly to: number;
}

const innermostFirst = (nodes: readonly SpanNode[]): SpanNode[] =>
  [...nodes].sort((a, b) => b.depth - a.depth);

function without(range: Range, taken: readonly Range[]): Range[] {
  let free: Range[] = [range];
  for (const other of taken) {
    if (other.to <= range.from || other.from >= range.to) continue;
    free = free.flatMap(({ from, to }) =>
      [
        { from, to: Math.min(to, other.from) },
        { from: Math.max(from, other.to), to },
      ].filter((rest) => rest.from < rest.to),
    );
  }
  return free.filter(({ from, to }) => from < to);
}

/**
 * The stretches of one thread with stacks. A sample stands for the time on a CPU since the one before it, the last one
 * also for what follows it; without any nothing is known of the stacks.
 */
function withStacks(
  span: ExplainedSpan,
  stretches: readonly Stretch[],
  samples: readonly PlacedSample[],
): Segment[] {
  const inOrder = [...stretches].sort((a, b) => a.from - b.from);
  const isWithin = ({ at, stack }: PlacedSample): boolean =>
    stack.length > 0 &&
    inOrder.some(({ from, to, interval }) => interval.timeClass === 'cpu' && at >= from && at < to);
  const known = samples.filter(isWithin);
  let next = 0;
  return inOrder.flatMap(({ from, to, interval, tid }): Segment[] => {
    const { timeClass, threadName } = interval;
    const base = { span, tid, threadName, timeClass, interval };
    if (timeClass !== 'cpu') return [{ ...base, from, to, frames: [waitLabel(interval)], isSampled: false }];
    if (known.length === 0) return [{ ...base, from, to, frames: [NOT_SAMPLED], isSampled: false }];
    const pieces: Segment[] = [];
    for (let cursor = from; cursor < to; ) {
      const sample = known[Math.min(next, known.length - 1)]!;
      const isOver = next < known.length - 1 && sample.at < to;
      const end = isOver ? Math.max(cursor, sample.at) : to;
      if (end > cursor)
        pieces.push({ ...base, from: cursor, to: end, frames: sample.stack, isSampled: true });
      if (isOver) next++;
      cursor = end;
    }
    return pieces;
  });
}

const WAIT_NAMES: Record<TimeClass, string> = {
  cpu: 'on-CPU',
  runqueue: 'run queue',
  lock: 'lock wait',
  net: 'net wait',
  disk: 'disk wait',
  sleep: 'sleep',
  ipc: 'ipc wait',
  idle: 'idle',
  other: 'other wait',
  unattributed: 'unattributed',
};

/** "lock wait, released by clerk (12)": the class of a wait and its cause, as a frame. */
export function waitLabel({ timeClass, peer, file, wakerThread, reason }: Interval): string {
  const detail =
    peer !== ''
      ? ` for ${peer}`
      : file !== ''
        ? ` for ${file}`
        : timeClass === 'lock' && wakerThread !== ''
          ? `, released by ${wakerThread}`
          : reason !== ''
            ? ` (${reason})`
            : '';
  return WAIT_NAMES[timeClass] + detail;
}

/** Threads in the order of their first segment. */
export function threadsOf(segments: readonly Segment[]): Map<string, Segment[]> {
  const threads = new Map<string, Segment[]>();
  for (const segment of segments) {
    const key = threadKey(segment.span.service, segment.tid);
    const thread = threads.get(key);
    if (thread === undefined) threads.set(key, [segment]);
    else thread.push(segment);
  }
  return threads;
}

export const threadTitle = ({ span, threadName, tid }: Segment): string =>
  `${span.service}: ${threadName === '' ? 'thread' : threadName} (${tid})`;

/** The stack from the service on: what flame graphs of several spans show at their root. */
export const rootedFrames = ({ span, frames }: Pick<Segment, 'span' | 'frames'>): string[] => [
  span.service,
  span.name,
  ...frames,
];
