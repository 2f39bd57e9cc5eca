/** The spans of one trace as a tree, whatever order and how many times they arrived. */
import { compareTime, timeDifferenceNs } from '../otlp/time.js';
import { type ExplainedSpan, isEnriched } from './explained-span.js';

export interface SpanNode {
  readonly span: ExplainedSpan;
  readonly parent: SpanNode | undefined;
  /** By start time. */
  readonly children: readonly SpanNode[];
  readonly depth: number;
}

/**
 * The roots of the trace, by start time: spans without a parent, and spans whose parent is not here.
 *
 * Copies of a span (same id and kind, for example a retry of an export) are reduced to one, an enriched one when there
 * is one. Zipkin's shared spans (same id on client and server) become parent and child. Spans that are their own
 * ancestors, which only a broken sender makes, become roots.
 */
export const buildSpanTree = (spans: Iterable<ExplainedSpan>): SpanNode[] => {
  const nodes = [...withoutCopies(spans)].map(
    (span): MutableNode => ({ span, parent: undefined, children: [], depth: 0 }),
  );
  const byId = new Map<string, MutableNode[]>();
  for (const node of nodes) {
    const twins = byId.get(node.span.spanId);
    if (twins === undefined) byId.set(node.span.spanId, [node]);
    else twins.push(node);
  }
  for (const node of nodes) node.parent = findParent(node, byId);
  cutCircles(nodes);
  const roots: MutableNode[] = [];
  for (const node of nodes) (node.parent?.children ?? roots).push(node);
  sortByStart(roots);
  // Without recursion: depth is under the sender's control.
  const queue = [...roots];
  for (let node = queue.pop(); node !== undefined; node = queue.pop()) {
    node.depth = node.parent === undefined ? 0 : node.parent.depth + 1;
    sortByStart(node.children);
    queue.push(...node.children);
  }
  return roots;
};

/** All nodes, parents before children, in the order of a printed tree. */
export const flattenTree = (roots: readonly SpanNode[]): SpanNode[] => {
  const flat: SpanNode[] = [];
  const stack = [...roots].reverse();
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    flat.push(node);
    for (let i = node.children.length - 1; i >= 0; i -= 1) stack.push(node.children[i]!);
  }
  return flat;
};

/** Nanoseconds from the start of `a` to the start of `b`. */
export const startOffsetNs = (a: ExplainedSpan, b: ExplainedSpan): number =>
  timeDifferenceNs(b.start, a.start);

interface MutableNode extends SpanNode {
  parent: MutableNode | undefined;
  children: MutableNode[];
  depth: number;
}

const withoutCopies = (spans: Iterable<ExplainedSpan>): Iterable<ExplainedSpan> => {
  const best = new Map<string, ExplainedSpan>();
  for (const span of spans) {
    const key = `${span.spanId}/${span.kind}`;
    const known = best.get(key);
    if (known === undefined || worth(span) > worth(known)) best.set(key, span);
  }
  return best.values();
};

/** Enriched copies first, then the application's own, then the one that says more. */
const worth = (span: ExplainedSpan): number =>
  (isEnriched(span) ? 1e9 : 0) +
  (span.source === 'sdk' ? 1e8 : 0) +
  span.intervals.length * 100 +
  Object.keys(span.attributes).length;

const findParent = (node: MutableNode, byId: ReadonlyMap<string, MutableNode[]>): MutableNode | undefined => {
  const { span } = node;
  if (span.kind === 'server') {
    const shared = byId.get(span.spanId)?.find((twin) => twin.span.kind === 'client');
    if (shared !== undefined) return shared;
  }
  if (span.parentSpanId === '') return undefined;
  const candidates = byId.get(span.parentSpanId)?.filter((candidate) => candidate !== node) ?? [];
  return candidates.find((candidate) => candidate.span.service === span.service) ?? candidates[0];
};

/** Takes the parent from one node of each circle. Every node is walked over once. */
const cutCircles = (nodes: readonly MutableNode[]): void => {
  const walkOf = new Map<MutableNode, number>();
  nodes.forEach((start, walk) => {
    for (let at: MutableNode | undefined = start; at !== undefined; at = at.parent) {
      const met = walkOf.get(at);
      if (met === walk) at.parent = undefined;
      if (met !== undefined) return;
      walkOf.set(at, walk);
    }
  });
};

const sortByStart = (nodes: MutableNode[]): void => {
  nodes.sort((a, b) => compareTime(a.span.start, b.span.start) || a.span.spanId.localeCompare(b.span.spanId));
};
