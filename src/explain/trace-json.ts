/** A trace as JSON for scripts. Names are stable: fields are added, never renamed. Times in ns are exact (text or int). */

import type { AttributeValue } from '../otlp/any-value.js';
import { timeToBigInt } from '../otlp/time.js';
import type { ExplainedSpan } from './explained-span.js';
import { describeChain, summarize } from './phrases.js';
import type { TraceExplanation } from './trace-explanation.js';

/** A value that `JSON.stringify` takes. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

export const traceToJson = (trace: TraceExplanation): Json => ({
  ...traceSummaryToJson(trace),
  reasons: trace.why.map((reason) => ({
    span_id: reason.span.spanId,
    kind: reason.kind,
    ...(reason.kind === 'unknown' ? {} : { duration_ns: reason.ns }),
    ...(reason.kind === 'spent' ? { class: reason.timeClass } : {}),
    ...(reason.kind === 'waited_for_span' ? { other_span_id: reason.other.spanId, count: reason.count } : {}),
  })),
  spans: trace.nodes.map((node) => ({ ...spanToJson(node.span), depth: node.depth })),
});

/** What a list shows of a trace. */
export const traceSummaryToJson = (trace: TraceExplanation): { readonly [key: string]: Json } => ({
  trace_id: trace.traceId,
  start_unix_nano: String(timeToBigInt(trace.first.start)),
  duration_ns: trace.durationNs,
  services: trace.services,
  entry: {
    span_id: trace.entry.span.spanId,
    service: trace.entry.span.service,
    name: trace.entry.span.name,
    kind: trace.entry.span.kind,
    duration_ns: trace.entry.span.durationNs,
    status: trace.entry.span.status,
  },
  why: describeChain(trace.why),
  summary: summarize(trace.why),
});

const spanToJson = (span: ExplainedSpan): { readonly [key: string]: Json } => ({
  span_id: span.spanId,
  parent_span_id: span.parentSpanId,
  service: span.service,
  name: span.name,
  kind: span.kind,
  start_unix_nano: String(timeToBigInt(span.start)),
  duration_ns: span.durationNs,
  status: span.status,
  status_message: span.statusMessage,
  source: span.source,
  breakdown_ns: Object.fromEntries(span.breakdown.map((share) => [share.timeClass, share.ns])),
  intervals: span.intervals.map((interval) => ({
    class: interval.timeClass,
    offset_ns: interval.offsetNs,
    duration_ns: interval.durationNs,
    count: interval.count,
    max_duration_ns: interval.maxDurationNs,
    thread_id: interval.threadId ?? null,
    thread_name: interval.threadName,
    peer: interval.peer,
    file: interval.file,
    lock_address: interval.lockAddress,
    lock_timed_out: interval.timedOut,
    waker_thread: interval.wakerThread,
    waker_process: interval.wakerProcess,
    syscall: interval.syscall,
    reason: interval.reason,
    confidence: interval.confidence ?? null,
    evidence: interval.evidence,
  })),
  hot_stack:
    span.hotStack === undefined
      ? null
      : {
          frames: span.hotStack.frames,
          samples: span.hotStack.samples,
          total_samples: span.hotStack.totalSamples,
        },
  confidence: span.confidence ?? null,
  evidence: span.evidence,
  threads: span.threads,
  attributes: attributesToJson(span.attributes),
  resource: attributesToJson(span.resource),
});

const attributesToJson = (attributes: Readonly<Record<string, AttributeValue>>): Json =>
  Object.fromEntries(Object.entries(attributes).map(([key, value]) => [key, toJson(value)]));

const toJson = (value: AttributeValue): Json => {
  if (typeof value === 'bigint') return String(value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (Array.isArray(value)) return value.map(toJson);
  if (typeof value === 'object' && value !== null) {
    return attributesToJson(value as Readonly<Record<string, AttributeValue>>);
  }
  return value;
};
