/** Fills the index of a segment from encoded traces: which traces, and which spans are the entry of a request. */
import type { Signal } from '../component/signal.js';
import { SpanFlags, SpanKind, StatusCode } from '../otlp/span-constants.js';
import { type ResourceView, type SpanView, walkSpans } from '../otlp/trace-view.js';
import { ATTR_CONFIDENCE } from '../semconv.js';
import {
  ENTRY_FLAG_ENRICHED,
  ENTRY_FLAG_ERROR,
  ENTRY_FLAG_SERVING,
  type SegmentIndexBuilder,
} from './segment-index.js';

/** Notes every trace and entry span of `payload`. Other signals, and bytes that are not OTLP, leave no trace here. */
export const indexTraces = (index: SegmentIndexBuilder, signal: Signal, payload: Uint8Array): void => {
  if (signal !== 'traces') return;
  let resource: ResourceView | undefined;
  let service = '';
  try {
    walkSpans(payload, (span) => {
      const traceId = span.traceId;
      if (traceId === '') return;
      index.addTrace(traceId);
      if (!isEntrySpan(span)) return;
      if (span.resource !== resource) {
        resource = span.resource;
        service = String(resource.attribute('service.name') ?? '');
      }
      index.addEntry({
        traceId,
        spanId: span.spanId.padStart(16, '0'),
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
  span.parentSpanId === '' ||
  (span.flags & SpanFlags.hasIsRemote && span.flags & SpanFlags.isRemote) !== 0;

const entryFlags = (span: SpanView): number =>
  (span.statusCode === StatusCode.error ? ENTRY_FLAG_ERROR : 0) |
  (isServing(span) ? ENTRY_FLAG_SERVING : 0) |
  (span.attribute(ATTR_CONFIDENCE) === undefined ? 0 : ENTRY_FLAG_ENRICHED);
