/** Fills the index of a segment from encoded traces: which traces, and which spans are the entry of a request. */
import type { Signal } from '../component/signal.js';
import { SpanFlags, SpanKind, StatusCode } from '../otlp/span-constants.js';
import { type ResourceView, type SpanView, walkSpans } from '../otlp/trace-view.js';
import {
  ENTRY_FLAG_CALL,
  ENTRY_FLAG_ERROR,
  ENTRY_FLAG_SERVING,
  type SegmentIndexBuilder,
} from './segment-index.js';

/** Notes every trace and entry span of `payload`. Other signals, and bytes that are not OTLP, leave no trace here. */
export const indexTraces = (index: SegmentIndexBuilder, signal: Signal, payload: Uint8Array): void => {
  if (signal !== 'traces') return;
  let resource: ResourceView | undefined;
  let service = 0;
  try {
    walkSpans(payload, (span) => {
      const { traceIdOffset } = span;
      if (traceIdOffset < 0) return;
      index.addTrace(payload, traceIdOffset);
      if (!isEntrySpan(span)) return;
      if (span.resource !== resource) {
        resource = span.resource;
        service = index.serviceNumber(String(resource.attribute('service.name') ?? ''));
      }
      index.addEntry({
        bytes: payload,
        traceIdOffset,
        spanIdOffset: span.spanIdOffset,
        endMs: span.endMs,
        durationNs: span.durationNs,
        service,
        flags: entryFlags(span),
      });
    });
  } catch {
    // The batch stays in the segment as it came; the spans before the damage are indexed.
  }
};

const isServing = (span: SpanView): boolean =>
  span.kind === SpanKind.server || span.kind === SpanKind.consumer;

/** The first span of a request in its process: it serves, has no parent, or its parent is in another process. */
const isEntrySpan = (span: SpanView): boolean =>
  isServing(span) ||
  span.parentSpanIdOffset < 0 ||
  (span.flags & SpanFlags.hasIsRemote && span.flags & SpanFlags.isRemote) !== 0;

const entryFlags = (span: SpanView): number =>
  (span.statusCode === StatusCode.error ? ENTRY_FLAG_ERROR : 0) |
  (isServing(span) ? ENTRY_FLAG_SERVING : 0) |
  (span.kind === SpanKind.client || span.kind === SpanKind.producer ? ENTRY_FLAG_CALL : 0);
