/** THE list of formats of `kindling trace --format`. */
import type { TraceExplanation } from '../explain/trace-explanation.js';
import { type Json, traceToJson } from '../explain/trace-json.js';
import { toChrome } from './chrome.js';
import { toCollapsed } from './collapsed.js';
import { toFirefox } from './firefox.js';
import { toPprof } from './pprof.js';
import type { MergedTotal, Segment } from './segments.js';
import { toSpeedscope } from './speedscope.js';

export type TraceWriter = (
  trace: TraceExplanation,
  segments: readonly Segment[],
  merged: readonly MergedTotal[],
) => string | Uint8Array;

const line = (value: object): string => `${JSON.stringify(value)}\n`;

export const TRACE_FORMATS: Readonly<Record<string, TraceWriter>> = {
  chrome: (trace, segments) => line(toChrome(trace, segments)),
  collapsed: (_trace, segments, merged) => toCollapsed(segments, merged),
  firefox: (trace, segments) => line(toFirefox(trace, segments)),
  json: (trace, segments) => `${JSON.stringify(toJson(trace, segments), null, 2)}\n`,
  pprof: toPprof,
  speedscope: (trace, segments) => line(toSpeedscope(trace, segments)),
};

/** The trace as `--json` prints it, and its segments. */
const toJson = (trace: TraceExplanation, segments: readonly Segment[]): Json => ({
  ...(traceToJson(trace) as { readonly [key: string]: Json }),
  segments: segments.map(({ span, tid, threadName, timeClass, from, to, frames, isSampled }) => ({
    span_id: span.spanId,
    service: span.service,
    thread_id: tid,
    thread_name: threadName,
    class: timeClass,
    offset_ns: from,
    duration_ns: to - from,
    stack: frames,
    sampled: isSampled,
  })),
});
