/** Many traces, one line each: when, how long, what, and why. */
import type { ExplainedSpan } from './explained-span.js';
import { cut, formatAgo, formatNs, padEnd, padStart, printable } from './format.js';
import { summarize } from './phrases.js';
import { bold, dim, glyphs, red, type Style } from './style.js';
import type { TraceExplanation } from './trace-explanation.js';

/** Digits of a trace id that are printed: enough to be unique, few enough to copy by eye. */
export const SHORT_ID = 12;

/**
 * A table with a head, without line ends. `fit` cuts the last column at the style's width, for a terminal; a pipe gets
 * all of it.
 */
export const renderTraceList = (
  traces: readonly TraceExplanation[],
  nowMs: number,
  style: Style,
  fit: boolean,
): string[] => {
  const rows = traces.map((trace) => ({
    id: trace.traceId.slice(0, SHORT_ID),
    when: formatAgo(nowMs - trace.startMs - trace.durationNs / 1e6),
    duration: formatNs(trace.entry.span.durationNs),
    service: printable(trace.entry.span.service),
    name: printable(trace.entry.span.name),
    status: statusOf(trace.entry.span),
    failed: trace.entry.span.status === 'error',
    why: summarize(trace.why),
  }));
  const columnWidth = (head: string, texts: readonly string[], most: number): number =>
    Math.min(most, Math.max(head.length, ...texts.map((text) => [...text].length)));
  const widths = {
    when: columnWidth(
      'when',
      rows.map((row) => row.when),
      12,
    ),
    service: columnWidth(
      'service',
      rows.map((row) => row.service),
      14,
    ),
    name: columnWidth(
      'request',
      rows.map((row) => row.name),
      Math.max(16, Math.floor(style.width * 0.22)),
    ),
    status: columnWidth(
      'status',
      rows.map((row) => row.status),
      8,
    ),
  };
  const before = SHORT_ID + widths.when + 8 + widths.service + widths.name + widths.status + 6 * 2;
  const { dots } = glyphs(style);
  const whyWidth = Math.max(12, style.width - before);
  const head = [
    padEnd('trace', SHORT_ID),
    padEnd('when', widths.when),
    padStart('duration', 8),
    padEnd('service', widths.service),
    padEnd('request', widths.name),
    padEnd('status', widths.status),
    'why',
  ].join('  ');
  return [
    dim(style, head),
    ...rows.map((row) => {
      const status = padEnd(cut(row.status, widths.status, dots), widths.status);
      return [
        padEnd(row.id, SHORT_ID),
        padEnd(row.when, widths.when),
        bold(style, padStart(row.duration, 8)),
        padEnd(cut(row.service, widths.service, dots), widths.service),
        padEnd(cut(row.name, widths.name, dots), widths.name),
        row.failed ? red(style, status) : status,
        fit ? cut(row.why, whyWidth, dots) : row.why,
      ].join('  ');
    }),
  ];
};

const statusOf = (span: ExplainedSpan): string => {
  const code = span.attributes['http.response.status_code'];
  return typeof code === 'number' ? String(code) : span.status === 'error' ? 'error' : '';
};
