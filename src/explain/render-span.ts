/** One span in detail: the breakdown first, then its longest waits, then its hottest stack, then how sure that is. */
import type { ExplainedSpan, HotStack, Interval } from './explained-span.js';
import {
  cut,
  cutStart,
  formatNs,
  formatShare,
  HARD_BLANK,
  padEnd,
  padStart,
  plural,
  printable,
  wrap,
} from './format.js';
import { describeSpan, describeSubject, readableFrames } from './phrases.js';
import { bar, bold, CLASS_STYLES, dim, glyphs, inClassColor, LABEL_WIDTH, red, type Style } from './style.js';

const INDENT = '  ';
const MAX_WAITS = 5;
/** Shorter waits explain nothing. */
const LEAST_WAIT_SHARE = 0.005;
const MAX_STACK_LINES = 3;
/** Columns before the subject of a wait: indent, duration, class, offset. */
const WAIT_HEAD_WIDTH = 4 + 8 + 2 + LABEL_WIDTH + 5 + 8 + 2;

/** The lines of a span that was joined with the kernel's view, without line ends. */
export const renderSpanDetail = (span: ExplainedSpan, style: Style): string[] => [
  renderTitle(span, style),
  ...renderBreakdown(span, style),
  ...renderWaits(span, style),
  ...(isTelling(span) ? renderHotStack(span.hotStack, style) : []),
  ...renderJoin(span, style),
];

/** The same in two lines, for spans that only repeat what the next one down tells better. */
export const renderSpanBriefly = (span: ExplainedSpan, style: Style): string[] => {
  const shares = span.breakdown.map(
    ({ timeClass, ns }) =>
      `${CLASS_STYLES[timeClass].label} ${formatNs(ns)} ${formatShare(ns, span.durationNs)}`,
  );
  return [
    renderTitle(span, style),
    ...wrap(
      shares.map((share) => share.replaceAll(' ', HARD_BLANK)).join(', '),
      style.width - INDENT.length,
    ).map((line) => `${INDENT}${line}`),
  ];
};

/** A single sample is chance, unless the CPU is what the span is about. */
const isTelling = (span: ExplainedSpan): boolean =>
  (span.hotStack?.samples ?? 0) > 1 || span.breakdown[0]?.timeClass === 'cpu';

/** "GET /stock/{id} in inventory  118 ms" with the path when the name does not tell it. */
export const spanTitle = (span: ExplainedSpan): string =>
  `${describeSpan(span)}${INDENT}${formatNs(span.durationNs)}`;

const renderTitle = (span: ExplainedSpan, style: Style): string => {
  const facts = [span.kind === 'unspecified' ? '' : span.kind, path(span), statusText(span)].filter(
    (fact) => fact !== '',
  );
  const title = spanTitle(span);
  const rest = cut(facts.join('  '), Math.max(0, style.width - [...title].length - 2));
  return `${bold(style, title)}${INDENT}${span.status === 'error' ? red(style, rest) : dim(style, rest)}`;
};

const path = (span: ExplainedSpan): string => {
  const found = span.attributes['url.path'] ?? span.attributes['url.full'];
  return typeof found === 'string' && !span.name.includes(found) ? printable(found) : '';
};

const statusText = (span: ExplainedSpan): string => {
  const code = span.attributes['http.response.status_code'];
  const words = [
    typeof code === 'number' ? `status ${code}` : '',
    span.status === 'error' ? `ERROR ${printable(span.statusMessage)}`.trim() : '',
  ];
  return words.filter((word) => word !== '').join(' ');
};

const renderBreakdown = (span: ExplainedSpan, style: Style): string[] => {
  const barWidth = Math.max(10, style.width - INDENT.length - LABEL_WIDTH - 8 - 7 - 6);
  return span.breakdown.map(({ timeClass, ns }) => {
    const share = ns / Math.max(1, span.durationNs);
    const label = padEnd(CLASS_STYLES[timeClass].label, LABEL_WIDTH);
    const numbers = `${padStart(formatNs(ns), 8)}  ${padStart(formatShare(ns, span.durationNs), 6)}`;
    return `${INDENT}${inClassColor(style, timeClass, label)}  ${numbers}  ${inClassColor(style, timeClass, bar(style, share, barWidth))}`;
  });
};

const renderWaits = (span: ExplainedSpan, style: Style): string[] => {
  const waits = longestWaits(span);
  if (waits.length === 0) return [];
  const textWidth = Math.max(18, style.width - WAIT_HEAD_WIDTH);
  const lines = waits.flatMap((wait) => {
    const label = inClassColor(
      style,
      wait.timeClass,
      padEnd(CLASS_STYLES[wait.timeClass].label, LABEL_WIDTH),
    );
    const head = `${INDENT}${INDENT}${padStart(formatNs(wait.durationNs), 8)}  ${label}  at ${padStart(formatNs(wait.offsetNs), 8)}`;
    const about = [describeSubject(wait), span.threads.length > 1 ? threadText(wait) : ''];
    const details = wrap(about.filter((part) => part !== '').join('; '), textWidth);
    const [first = '', ...rest] = details;
    return [`${head}  ${first}`.trimEnd(), ...rest.map((line) => `${' '.repeat(WAIT_HEAD_WIDTH)}${line}`)];
  });
  return [`${INDENT}longest waits`, ...lines];
};

/** The waits worth a line, longest first. */
export const longestWaits = (span: ExplainedSpan): Interval[] =>
  span.intervals
    .filter((interval) => interval.timeClass !== 'cpu' && interval.timeClass !== 'unattributed')
    .filter((interval) => interval.durationNs >= span.durationNs * LEAST_WAIT_SHARE)
    .sort((a, b) => b.durationNs - a.durationNs)
    .slice(0, MAX_WAITS);

const threadText = (wait: Interval): string =>
  wait.threadId === undefined
    ? ''
    : `thread ${printable(wait.threadName)} (${wait.threadId})`.replace('  ', ' ');

const renderHotStack = (stack: HotStack | undefined, style: Style): string[] => {
  if (stack === undefined) return [];
  const glyph = glyphs(style);
  const width = style.width - INDENT.length * 2;
  const frames = readableFrames(stack.frames).map((frame) =>
    cutStart(frame.replaceAll(' ', HARD_BLANK), width, glyph.dots),
  );
  // The innermost frames tell most: drop outer ones until the rest fits.
  let lines: string[] = [];
  for (let from = 0; from < frames.length; from += 1) {
    const text = `${from > 0 ? `${glyph.dots} ${glyph.arrow} ` : ''}${frames.slice(from).join(` ${glyph.arrow} `)}`;
    lines = wrap(text, width);
    if (lines.length <= MAX_STACK_LINES) break;
  }
  const count =
    stack.totalSamples > 0
      ? `${stack.samples} of ${plural(stack.totalSamples, 'sample')}`
      : plural(stack.samples, 'sample');
  return [
    `${INDENT}hottest stack ${dim(style, `(${count})`)}`,
    ...lines.map((line) => `${INDENT}${INDENT}${line}`),
  ];
};

const renderJoin = (span: ExplainedSpan, style: Style): string[] => {
  const facts: string[] = [];
  if (span.confidence !== undefined) facts.push(`confidence ${span.confidence.toFixed(2)}`);
  if (span.evidence.length > 0) facts.push(`by ${printable(span.evidence.join(', '))}`);
  if (span.threads.length > 0) {
    const ids = span.threads.slice(0, 8).join(', ');
    facts.push(
      `${span.threads.length === 1 ? 'thread' : 'threads'} ${ids}${span.threads.length > 8 ? ', ...' : ''}`,
    );
  }
  return facts.length === 0
    ? []
    : wrap(`joined with ${facts.join(', ')}`.replace('joined with by', 'joined by'), style.width - 2).map(
        (line) => dim(style, `${INDENT}${line}`),
      );
};
