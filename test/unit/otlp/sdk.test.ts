/** What the OpenTelemetry JS SDK sends is read, and written again, without a difference. */
import { type Context, context, SpanKind, SpanStatusCode, TraceFlags, trace } from '@opentelemetry/api';
import { JsonTraceSerializer, ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { expect, test } from 'vitest';
import type { AttributeInput } from '../../../src/otlp/attribute-writer.js';
import { decodeTraces } from '../../../src/otlp/decode.js';
import { fromJson } from '../../../src/otlp/json-reader.js';
import { toJson } from '../../../src/otlp/json-writer.js';
import { timeFromHrTime } from '../../../src/otlp/time.js';
import { TracesWriter } from '../../../src/otlp/trace-writer.js';
import { validate } from '../../../src/otlp/validate.js';
import { oracleJson, withoutDefaults } from './support/oracle.js';

async function recordSpans(): Promise<ReadableSpan[]> {
  const exporter = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes({ 'service.name': 'shop', 'process.pid': 4711 }),
    spanProcessors: [new SimpleSpanProcessor(exporter)],
  });
  const tracer = provider.getTracer('@example/http', '1.2.3');
  const remote: Context = trace.setSpanContext(context.active(), {
    traceId: '0af7651916cd43dd8448eb211c80319c',
    spanId: 'b7ad6b7169203331',
    traceFlags: TraceFlags.SAMPLED,
    isRemote: true,
  });
  const server = tracer.startSpan(
    'GET /orders/{id}',
    { kind: SpanKind.SERVER, startTime: [1_767_225_600, 1] },
    remote,
  );
  server.setAttributes({
    'http.request.method': 'GET',
    'http.response.status_code': 200,
    ratio: 0.25,
    cached: false,
    tags: ['a', 'b'],
    sizes: [1, 2, 3],
    note: 'größer als 漢字 😀',
  });
  server.addEvent('cache.miss', { key: 'order:1' }, [1_767_225_600, 500_000_123]);
  const child = tracer.startSpan(
    'SELECT',
    {
      kind: SpanKind.CLIENT,
      startTime: [1_767_225_600, 2_000],
      links: [{ context: server.spanContext(), attributes: { why: 'test' } }],
    },
    trace.setSpan(remote, server),
  );
  child.setStatus({ code: SpanStatusCode.ERROR, message: 'timeout' });
  child.end([1_767_225_600, 999_999_999]);
  server.end([1_767_225_601, 7]);
  await provider.forceFlush();
  return exporter.getFinishedSpans();
}

test('the SDK protobuf and JSON of the same spans are the same telemetry to us', async () => {
  const spans = await recordSpans();
  expect(spans.length).toBe(2);
  const fromProtobuf = ProtobufTraceSerializer.serializeRequest(spans)!;
  const json = JsonTraceSerializer.serializeRequest(spans)!;
  expect(validate('traces', fromProtobuf)).toBe(2);
  expect(decodeTraces(fromJson('traces', json))).toEqual(decodeTraces(fromProtobuf));
  expect(withoutDefaults(JSON.parse(toJson('traces', fromProtobuf)))).toEqual(
    withoutDefaults(oracleJson('traces', fromProtobuf)),
  );
});

test('TracesWriter writes the telemetry that the SDK serializes', async () => {
  const spans = await recordSpans();
  const writer = new TracesWriter();
  writer.resource({ 'service.name': 'shop', 'process.pid': 4711 });
  writer.scope('@example/http', '1.2.3');
  for (const span of spans) {
    writer.span({
      traceId: span.spanContext().traceId,
      spanId: span.spanContext().spanId,
      parentSpanId: span.parentSpanContext?.spanId,
      name: span.name,
      // OTLP's kinds begin at 1 where the API's begin at 0.
      kind: span.kind + 1,
      startTime: timeFromHrTime(span.startTime),
      endTime: timeFromHrTime(span.endTime),
      attributes: span.attributes as Record<string, AttributeInput>,
      events: span.events.map((event) => ({
        time: timeFromHrTime(event.time),
        name: event.name,
        attributes: event.attributes as Record<string, AttributeInput>,
      })),
      links: span.links.map((link) => ({
        traceId: link.context.traceId,
        spanId: link.context.spanId,
        attributes: link.attributes as Record<string, AttributeInput>,
        flags: 0x101,
      })),
      status: { code: span.status.code, message: span.status.message },
      flags: span.parentSpanContext?.isRemote ? 0x301 : 0x101,
    });
  }
  expect(decodeTraces(writer.finish())).toEqual(
    decodeTraces(ProtobufTraceSerializer.serializeRequest(spans)!),
  );
});
