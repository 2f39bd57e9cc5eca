/**
 * Follows a slow span to the place where the time went: through the spans it waited for, down to the thread that ran,
 * waited for a lock, a file, a peer.
 */
import type { TimeClass } from '../observer/types.js';
import type { ExplainedSpan, Interval } from './explained-span.js';
import { isEnriched } from './explained-span.js';
import { type SpanNode, startOffsetNs } from './span-tree.js';

/** One "because". */
export type Reason =
  | {
      readonly kind: 'waited_for_span';
      readonly span: ExplainedSpan;
      /** The span that was waited for; a server span is preferred to the client span in front of it. */
      readonly other: ExplainedSpan;
      /** How many such spans there were; `other` is the longest of them. */
      readonly count: number;
      /** Covered by all of them together. */
      readonly ns: number;
    }
  | {
      readonly kind: 'spent';
      readonly span: ExplainedSpan;
      readonly timeClass: TimeClass;
      readonly ns: number;
      /** The longest stretch of this class, when events tell. */
      readonly longest: Interval | undefined;
    }
  | { readonly kind: 'unknown'; readonly span: ExplainedSpan };

/** In these classes a thread waits for somebody else, who may have a span of its own. */
const WAITS_FOR_OTHERS: ReadonlySet<TimeClass> = new Set(['net', 'ipc', 'idle', 'other', 'unattributed']);

/** The chain of reasons from `node` down; the last one is the cause. Never empty. */
export const explainWhy = (node: SpanNode): Reason[] => {
  const reasons: Reason[] = [];
  let at: SpanNode = node;
  for (;;) {
    const step = mainReason(at);
    if (step.next === undefined) {
      reasons.push(step.reason);
      return reasons;
    }
    const { next } = step;
    // A client span and the server span behind it are one hop to whoever reads it.
    const served = servedBy(next);
    const target = served ?? next;
    reasons.push({
      kind: 'waited_for_span',
      span: at.span,
      other: target.span,
      count: step.count,
      ns: step.ns,
    });
    at = target;
  }
};

/** The span in which the time went. */
export const culprit = (reasons: readonly Reason[]): ExplainedSpan | undefined => reasons.at(-1)?.span;

interface Step {
  readonly reason: Reason;
  readonly next: SpanNode | undefined;
  readonly count: number;
  readonly ns: number;
}

const mainReason = (node: SpanNode): Step => {
  const { span } = node;
  const calls = mainCalls(node);
  const waitedNs = isEnriched(span)
    ? sum(span.breakdown.filter((share) => WAITS_FOR_OTHERS.has(share.timeClass)).map((share) => share.ns))
    : span.durationNs;
  const callsNs = Math.min(calls?.coveredNs ?? 0, waitedNs);
  let best: { timeClass: TimeClass; ns: number } | undefined;
  for (const share of span.breakdown) {
    // What calls explain is not counted a second time as waiting.
    const unexplained = WAITS_FOR_OTHERS.has(share.timeClass)
      ? share.ns - callsNs * (share.ns / Math.max(1, waitedNs))
      : share.ns;
    if (unexplained > 0 && (best === undefined || unexplained > best.ns)) {
      best = { timeClass: share.timeClass, ns: unexplained };
    }
  }
  if (calls !== undefined && callsNs >= (best?.ns ?? span.durationNs / 2)) {
    return { reason: { kind: 'unknown', span }, next: calls.longest, count: calls.count, ns: callsNs };
  }
  if (best === undefined) return { reason: { kind: 'unknown', span }, next: undefined, count: 0, ns: 0 };
  const { timeClass } = best;
  const ns = span.breakdown.find((share) => share.timeClass === timeClass)?.ns ?? best.ns;
  const longest = longestOf(span, timeClass);
  return { reason: { kind: 'spent', span, timeClass, ns, longest }, next: undefined, count: 0, ns };
};

interface Calls {
  readonly longest: SpanNode;
  readonly count: number;
  /** Of the parent's time, overlaps counted once. */
  readonly coveredNs: number;
}

/** The children that cover most of the span, grouped by what was called: one slow call, or many small ones. */
const mainCalls = (node: SpanNode): Calls | undefined => {
  const groups = new Map<string, SpanNode[]>();
  for (const child of node.children) {
    const target = servedBy(child) ?? child;
    const key = `${target.span.service}\n${target.span.kind}\n${target.span.name}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [child]);
    else group.push(child);
  }
  let best: Calls | undefined;
  for (const group of groups.values()) {
    const coveredNs = coverage(node.span, group);
    if (coveredNs <= (best?.coveredNs ?? 0)) continue;
    const longest = group.reduce((a, b) => (b.span.durationNs > a.span.durationNs ? b : a));
    best = { longest, count: group.length, coveredNs };
  }
  return best;
};

/** Nanoseconds of `span` during which at least one of `children` (sorted by start) was open. */
const coverage = (span: ExplainedSpan, children: readonly SpanNode[]): number => {
  let covered = 0;
  let reached = 0;
  for (const child of children) {
    const start = startOffsetNs(span, child.span);
    const from = Math.max(reached, start);
    const to = Math.min(span.durationNs, start + child.span.durationNs);
    if (to > from) {
      covered += to - from;
      reached = to;
    }
  }
  return covered;
};

/** The server span that answered a client span, when it explains most of it. */
const servedBy = (node: SpanNode): SpanNode | undefined => {
  if (node.span.kind !== 'client') return undefined;
  for (const child of node.children) {
    if (child.span.kind === 'server' && coverage(node.span, [child]) * 2 >= node.span.durationNs)
      return child;
  }
  return undefined;
};

const longestOf = (span: ExplainedSpan, timeClass: TimeClass): Interval | undefined => {
  let best: Interval | undefined;
  for (const interval of span.intervals) {
    if (interval.timeClass === timeClass && interval.maxDurationNs > (best?.maxDurationNs ?? 0))
      best = interval;
  }
  return best;
};

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
