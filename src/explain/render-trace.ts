/** A trace as text: why it was slow in one sentence, when what happened, and then each span in detail. */
import { TIME_CLASSES, type TimeClass } from '../observer/types.js';
import { timeToIso } from '../otlp/time.js';
import { type ExplainedSpan, isEnriched } from './explained-span.js';
import { cut, formatNs, HARD_BLANK, largest, padEnd, padStart, plural, printable, wrap } from './format.js';
import { describeChain, displayName } from './phrases.js';
import { renderSpanBriefly, renderSpanDetail, spanTitle } from './render-span.js';
import { type SpanNode, startOffsetNs } from './span-tree.js';
import { bold, CLASS_STYLES, dim, glyphs, inClassColor, red, type Style } from './style.js';
import type { TraceExplanation } from './trace-explanation.js';
import { culprit } from './why.js';

export interface TraceLimits {
  /** Rows of the timeline; the longest spans and their ancestors stay. */
  readonly timelineRows: number;
  /** Spans shown in detail; the ones on the chain of reasons first, then the longest. */
  readonly details: number;
  /** How to see what is left out, at the end of a sentence; '' when it is said elsewhere. */
  readonly hint: string;
}

export const NO_LIMITS: TraceLimits = {
  timelineRows: Number.POSITIVE_INFINITY,
  details: Number.POSITIVE_INFINITY,
  hint: '',
};
export const DEFAULT_LIMITS: TraceLimits = { timelineRows: 40, details: 12, hint: '; use --all' };

/** The lines of a trace, without line ends. */
export const renderTrace = (trace: TraceExplanation, style: Style, limits: TraceLimits): string[] => [
  ...renderHead(trace, style),
  '',
  ...renderWhy(trace, style),
  '',
  ...renderTimeline(trace, style, limits),
  ...renderDetails(trace, style, limits),
];

const renderHead = (trace: TraceExplanation, style: Style): string[] => {
  const { span } = trace.entry;
  const facts = [
    formatNs(trace.durationNs),
    plural(trace.nodes.length, 'span'),
    plural(trace.services.length, 'service'),
    timeToIso(trace.first.start)
      .replace('T', ' ')
      .replace(/(\.\d{3})\d*Z$/, '$1 UTC'),
  ];
  return [
    `${bold(style, spanTitle(span))}${span.status === 'error' ? red(style, '  ERROR') : ''}`,
    ...wrap(
      [`trace ${trace.traceId}`, ...facts].map((fact) => fact.replaceAll(' ', HARD_BLANK)).join('   '),
      style.width,
    ).map((line) => dim(style, line)),
  ];
};

const renderWhy = (trace: TraceExplanation, style: Style): string[] => {
  const head = 'Why: ';
  return wrap(`${describeChain(trace.why)}.`, style.width - head.length).map((line, index) =>
    index === 0 ? bold(style, `${head}${line}`) : bold(style, `${' '.repeat(head.length)}${line}`),
  );
};

/** Rows of the tree with a time axis; on it, one letter per class where the events tell what the span did. */
const renderTimeline = (trace: TraceExplanation, style: Style, limits: TraceLimits): string[] => {
  const glyph = glyphs(style);
  const rows = selectRows(trace.nodes, limits.timelineRows);
  const serviceWidth = Math.min(
    16,
    largest(
      trace.services.map((service) => [...service].length),
      7,
    ),
  );
  const names = rows.map((node) => `${treePrefix(node, style)}${rowName(node.span)}`);
  const durationWidth = 8;
  const nameWidth = Math.min(
    largest(
      names.map((name) => [...name].length),
      8,
    ),
    Math.max(20, Math.floor((style.width - serviceWidth) * 0.4)),
  );
  const axisWidth = Math.max(10, style.width - serviceWidth - nameWidth - durationWidth - 6 - 3);
  const culpritSpan = culprit(trace.why);
  const used = new Set<TimeClass>();
  const lines = rows.map((node, index) => {
    const { span } = node;
    const name = padEnd(cut(names[index] ?? '', nameWidth, glyph.dots), nameWidth);
    const axis = renderAxis(trace, span, axisWidth, style, used);
    const here = span === culpritSpan ? ` ${bold(style, glyph.here)}` : '';
    const duration = padStart(formatNs(span.durationNs), durationWidth);
    const service = padEnd(cut(printable(span.service), serviceWidth, glyph.dots), serviceWidth);
    return `${service}  ${span.status === 'error' ? red(style, name) : name}  ${duration}  ${axis}${here}`.trimEnd();
  });
  const total = formatNs(trace.durationNs);
  const scale = `0${' '.repeat(Math.max(1, axisWidth - 1 - total.length))}${total}`;
  const head = `${padEnd('service', serviceWidth)}  ${padEnd('span', nameWidth)}  ${padStart('duration', durationWidth)}  ${scale}`;
  const axisStart = serviceWidth + nameWidth + durationWidth + 6;
  const hidden = trace.nodes.length - rows.length;
  return [
    dim(style, head.trimEnd()),
    ...lines,
    ...(hidden > 0 ? [dim(style, `${plural(hidden, 'shorter span')} not shown${limits.hint}`)] : []),
    ...renderLegend(used, axisStart, style),
  ];
};

const legendLabel = (timeClass: TimeClass): string =>
  timeClass === 'unattributed' ? 'short or unattributed' : CLASS_STYLES[timeClass].label;

/** What the letters mean: below the axis when that fits, else from the left over several lines. */
const renderLegend = (used: ReadonlySet<TimeClass>, axisStart: number, style: Style): string[] => {
  const classes = TIME_CLASSES.filter((timeClass) => used.has(timeClass));
  const widthOf = (timeClass: TimeClass): number => legendLabel(timeClass).length + 5;
  const total = classes.reduce((sum, timeClass) => sum + widthOf(timeClass), 0);
  const indent = axisStart + total <= style.width ? axisStart : 0;
  const lines: string[] = [];
  let room = 0;
  for (const timeClass of classes) {
    const { letter } = CLASS_STYLES[timeClass];
    const label = legendLabel(timeClass);
    const text = `${inClassColor(style, timeClass, letter)} ${label}   `;
    if (widthOf(timeClass) > room) {
      lines.push(' '.repeat(indent));
      room = style.width - indent;
    }
    lines[lines.length - 1] += text;
    room -= widthOf(timeClass);
  }
  return lines.map((line) => line.trimEnd());
};

/** Each column shows the class that most of its time went to. */
const renderAxis = (
  trace: TraceExplanation,
  span: ExplainedSpan,
  width: number,
  style: Style,
  used: Set<TimeClass>,
): string => {
  const glyph = glyphs(style);
  const nsPerColumn = Math.max(1, trace.durationNs) / width;
  const offsetNs = startOffsetNs(trace.first, span);
  const from = Math.min(width - 1, Math.max(0, Math.floor(offsetNs / nsPerColumn)));
  const to = Math.min(
    width,
    Math.max(from + 1, Math.ceil((offsetNs + span.durationNs) / nsPerColumn - 1e-6)),
  );
  const missing: TimeClass | undefined = isEnriched(span) ? 'unattributed' : undefined;
  const classes: (TimeClass | undefined)[] = [];
  for (let column = from; column < to; column += 1) {
    const start = column * nsPerColumn - offsetNs;
    classes.push(dominantClass(span, start, start + nsPerColumn) ?? missing);
  }
  let text = ' '.repeat(from);
  for (let i = 0; i < classes.length; ) {
    const timeClass = classes[i];
    let end = i + 1;
    while (end < classes.length && classes[end] === timeClass) end += 1;
    if (timeClass === undefined) text += dim(style, glyph.line.repeat(end - i));
    else {
      used.add(timeClass);
      text += inClassColor(style, timeClass, CLASS_STYLES[timeClass].letter.repeat(end - i));
    }
    i = end;
  }
  return `${text}${' '.repeat(width - to)}`;
};

const dominantClass = (span: ExplainedSpan, fromNs: number, toNs: number): TimeClass | undefined => {
  const ns = new Map<TimeClass, number>();
  let best: TimeClass | undefined;
  for (const interval of span.intervals) {
    if (interval.offsetNs >= toNs) break;
    // Of several short stretches nobody knows where they were.
    if (interval.count > 1) continue;
    const overlap =
      Math.min(toNs, interval.offsetNs + interval.durationNs) - Math.max(fromNs, interval.offsetNs);
    if (overlap <= 0) continue;
    const total = (ns.get(interval.timeClass) ?? 0) + overlap;
    ns.set(interval.timeClass, total);
    if (best === undefined || total > (ns.get(best) ?? 0)) best = interval.timeClass;
  }
  return best;
};

/** The longest spans and what leads to them, in the order of the tree. */
const selectRows = (nodes: readonly SpanNode[], maxRows: number): readonly SpanNode[] => {
  if (nodes.length <= maxRows) return nodes;
  const kept = new Set<SpanNode>();
  for (const node of [...nodes].sort((a, b) => b.span.durationNs - a.span.durationNs)) {
    const path: SpanNode[] = [];
    for (let at: SpanNode | undefined = node; at !== undefined && !kept.has(at); at = at.parent)
      path.push(at);
    if (kept.size + path.length > maxRows) continue;
    for (const step of path) kept.add(step);
    if (kept.size >= maxRows) break;
  }
  return nodes.filter((node) => kept.has(node));
};

/** Deep trees keep the innermost levels readable instead of pushing the names out of sight. */
const MAX_INDENT = 8;

const treePrefix = (node: SpanNode, style: Style): string => {
  if (node.parent === undefined) return '';
  const glyph = glyphs(style);
  const isLast = node.parent.children.at(-1) === node;
  const parts: string[] = [isLast ? glyph.last : glyph.branch];
  for (let at: SpanNode | undefined = node.parent; at?.parent !== undefined; at = at.parent) {
    if (parts.length >= MAX_INDENT) break;
    parts.push(at.parent.children.at(-1) === at ? glyph.gap : glyph.through);
  }
  return parts.reverse().join('');
};

const rowName = (span: ExplainedSpan): string =>
  `${span.kind === 'server' || span.kind === 'internal' || span.kind === 'unspecified' ? '' : `${span.kind} `}${displayName(span)}${span.source === 'kernel' ? ' *' : ''}`;

/** A client span whose server's span is here and enriched. */
const isAnswered = (node: SpanNode): boolean =>
  node.span.kind === 'client' && node.children.some(({ span }) => span.kind === 'server' && isEnriched(span));

const renderDetails = (trace: TraceExplanation, style: Style, limits: TraceLimits): string[] => {
  const enriched = trace.nodes.filter((node) => isEnriched(node.span));
  const chain = new Set<ExplainedSpan>(trace.why.map((reason) => reason.span));
  const shown = new Set(
    [...enriched]
      .sort(
        (a, b) =>
          Number(chain.has(b.span)) - Number(chain.has(a.span)) || b.span.durationNs - a.span.durationNs,
      )
      .slice(0, limits.details),
  );
  const lines: string[] = [];
  for (const node of enriched) {
    if (!shown.has(node)) continue;
    const brief = isAnswered(node) && !chain.has(node.span);
    lines.push('', ...(brief ? renderSpanBriefly : renderSpanDetail)(node.span, style));
  }
  const notes: string[] = [];
  if (enriched.length > shown.size) {
    notes.push(`${plural(enriched.length - shown.size, 'more span')} with detail not shown${limits.hint}.`);
  }
  const bare = trace.nodes.length - enriched.length;
  if (bare > 0)
    notes.push(
      `${plural(bare, 'span')} without kernel detail: not from a watched local process, or not joined.`,
    );
  if (trace.nodes.some((node) => node.span.source === 'kernel')) {
    notes.push('* seen by the kernel only: the process sent no span of its own.');
  }
  const noteLines = notes.flatMap((note) => wrap(note, style.width));
  if (noteLines.length > 0) lines.push('', ...noteLines.map((note) => dim(style, note)));
  return lines;
};
