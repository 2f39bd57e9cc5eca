import type { Batch } from '../../src/component/signal.js';
import type { AttributesInput } from '../../src/otlp/attribute-writer.js';
import { SpanKind, StatusCode } from '../../src/otlp/span-constants.js';
import { timeFromMs } from '../../src/otlp/time.js';
import { type SpanEventInput, TracesWriter } from '../../src/otlp/trace-writer.js';

/** A span as tests want to write it. Ids are texts of any kind. */
export interface TestSpan {
  readonly service?: string;
  readonly resource?: AttributesInput;
  readonly kind?: keyof typeof SpanKind;
  readonly name?: string;
  readonly trace?: string;
  readonly id?: string;
  readonly parent?: string;
  readonly ms?: number;
  readonly error?: boolean;
  readonly attributes?: AttributesInput;
  readonly events?: readonly SpanEventInput[];
  readonly traceState?: string;
}

export const SPAN_START_MS = Date.UTC(2026, 0, 1);
let counter = 0;

/** An id of `digits` hex digits made of a text, the same for the same text. */
export const idOf = (text: string, digits: number): string =>
  Buffer.from(text).toString('hex').padStart(digits, '0').slice(-digits);

export function spanBatch(spans: readonly TestSpan[]): Batch<'traces'> {
  const writer = new TracesWriter();
  for (const span of spans) {
    const { service, trace = `t${counter}`, id = `s${counter++}`, ms = 10, kind = 'internal' } = span;
    writer.resource({ 'service.name': service, ...span.resource });
    writer.scope('test', '1');
    writer.span({
      traceId: idOf(trace, 32),
      spanId: idOf(id, 16),
      parentSpanId: span.parent === undefined ? undefined : idOf(span.parent, 16),
      name: span.name ?? 'work',
      kind: SpanKind[kind],
      traceState: span.traceState,
      startTime: timeFromMs(SPAN_START_MS),
      endTime: timeFromMs(SPAN_START_MS + ms),
      attributes: span.attributes,
      events: span.events,
      status: span.error === true ? { code: StatusCode.error } : undefined,
    });
  }
  return { signal: 'traces', bytes: writer.finish(), itemCount: spans.length, origin: { receiver: 'test' } };
}
