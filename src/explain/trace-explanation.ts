/** A whole trace, explained: the tree, the entry that matters and the chain of reasons from there. */
import { timeDifferenceNs, timeToMs } from '../otlp/time.js';
import { walkSpans } from '../otlp/trace-view.js';
import { type ExplainedSpan, explainSpan, isEnriched } from './explained-span.js';
import { largest } from './format.js';
import { buildSpanTree, flattenTree, type SpanNode } from './span-tree.js';
import { explainWhy, type Reason } from './why.js';

export interface TraceExplanation {
  readonly traceId: string;
  readonly roots: readonly SpanNode[];
  /** All nodes in the order of the printed tree. */
  readonly nodes: readonly SpanNode[];
  readonly services: readonly string[];
  /** First start and last end of any span. */
  readonly startMs: number;
  readonly durationNs: number;
  /** Start of the earliest span, to which offsets of the timeline refer. */
  readonly first: ExplainedSpan;
  /** The request that the explanation is about: the outermost span that serves one, else the longest root. */
  readonly entry: SpanNode;
  readonly why: readonly Reason[];
}

/** Spans of the traces that `accept` takes, out of encoded batches. Broken batches give what comes before the damage. */
export const readSpans = (
  batches: Iterable<Uint8Array>,
  accept: (traceId: string) => boolean,
): Map<string, ExplainedSpan[]> => {
  const traces = new Map<string, ExplainedSpan[]>();
  for (const batch of batches) {
    try {
      walkSpans(batch, (span) => {
        const { traceId } = span;
        if (traceId === '' || !accept(traceId)) return;
        const spans = traces.get(traceId);
        if (spans === undefined) traces.set(traceId, [explainSpan(span)]);
        else spans.push(explainSpan(span));
      });
    } catch {
      // Not OTLP from here on. The spans that were read are shown; a trace view is no place to fail.
    }
  }
  return traces;
};

/**
 * Explains the spans of one trace; undefined when there are none. `entrySpanId` asks about one span of it instead of the
 * whole request.
 */
export const explainTrace = (
  spans: readonly ExplainedSpan[],
  entrySpanId?: string,
): TraceExplanation | undefined => {
  const roots = buildSpanTree(spans);
  const nodes = flattenTree(roots);
  const asked = nodes.filter((node) => node.span.spanId === entrySpanId);
  const entry = asked.find(isServing) ?? asked[0] ?? findEntry(roots, nodes);
  if (entry === undefined) return undefined;
  const first = nodes.reduce((a, b) => (timeDifferenceNs(b.span.start, a.span.start) < 0 ? b : a)).span;
  return {
    traceId: first.traceId,
    roots,
    nodes,
    services: [...new Set(nodes.map((node) => node.span.service))],
    startMs: timeToMs(first.start),
    durationNs: largest(
      nodes.map(({ span }) => timeDifferenceNs(span.start, first.start) + span.durationNs),
      0,
    ),
    first,
    entry,
    why: explainWhy(entry),
  };
};

/** The longest of the outermost spans that serve a request, enriched ones first; without any, the longest root. */
const findEntry = (roots: readonly SpanNode[], nodes: readonly SpanNode[]): SpanNode | undefined => {
  // Parents come before children in `nodes`.
  const inside = new Set<SpanNode>();
  const serving: SpanNode[] = [];
  for (const node of nodes) {
    const below = node.parent !== undefined && inside.has(node.parent);
    if (isServing(node) && !below) serving.push(node);
    if (isServing(node) || below) inside.add(node);
  }
  const candidates = serving.length > 0 ? serving : roots;
  return [...candidates].sort(
    (a, b) =>
      Number(isEnriched(b.span)) - Number(isEnriched(a.span)) || b.span.durationNs - a.span.durationNs,
  )[0];
};

const isServing = (node: SpanNode): boolean => node.span.kind === 'server' || node.span.kind === 'consumer';
