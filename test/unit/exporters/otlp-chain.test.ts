/**
 * Real SDK exporters -> our receiver -> our exporters -> a second receiver of ours: what arrives at the end is what the
 * SDK sent, byte by byte from the first receiver on.
 */
import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { OTLPTraceExporter as GrpcExporter } from '@opentelemetry/exporter-trace-otlp-grpc';
import { OTLPTraceExporter as JsonExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { OTLPTraceExporter as ProtoExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { CompressionAlgorithm } from '@opentelemetry/otlp-exporter-base';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BasicTracerProvider, SimpleSpanProcessor, type SpanExporter } from '@opentelemetry/sdk-trace-base';
import { afterEach, describe, expect, it } from 'vitest';
import type { ExporterFactory } from '../../../src/component/factory.js';
import { otlpGrpcExporter } from '../../../src/exporters/otlp_grpc/factory.js';
import { otlpHttpExporter } from '../../../src/exporters/otlp_http/factory.js';
import { decodeSpans } from '../../../src/otlp/decode.js';
import {
  batchOf,
  type RunningExporter,
  SYNCHRONOUS,
  startExporter,
} from '../../helpers/otlp/exporter-harness.js';
import { logsRequest, metricsRequest, tracesRequest } from '../../helpers/otlp/payload.js';
import { type RunningReceiver, startReceiver } from '../../helpers/otlp/receiver-harness.js';

const SPANS = 25;
const running: { stop(): Promise<void> }[] = [];

afterEach(async () => {
  for (const one of running.splice(0).reverse()) await one.stop();
});

async function own<T extends { stop(): Promise<void> }>(starting: Promise<T>): Promise<T> {
  const started = await starting;
  running.push(started);
  return started;
}

const sdkExporters: Record<string, (receiver: RunningReceiver) => SpanExporter> = {
  gRPC: ({ grpcPort }) => new GrpcExporter({ url: `http://127.0.0.1:${grpcPort}` }),
  'gRPC with gzip': ({ grpcPort }) =>
    new GrpcExporter({ url: `http://127.0.0.1:${grpcPort}`, compression: CompressionAlgorithm.GZIP }),
  'HTTP protobuf': ({ httpPort }) => new ProtoExporter({ url: `http://127.0.0.1:${httpPort}/v1/traces` }),
  'HTTP protobuf with gzip': ({ httpPort }) =>
    new ProtoExporter({
      url: `http://127.0.0.1:${httpPort}/v1/traces`,
      compression: CompressionAlgorithm.GZIP,
    }),
  'HTTP JSON': ({ httpPort }) => new JsonExporter({ url: `http://127.0.0.1:${httpPort}/v1/traces` }),
};

const ourExporters: Record<
  string,
  [ExporterFactory, (receiver: RunningReceiver) => Record<string, unknown>]
> = {
  otlp_grpc: [otlpGrpcExporter, ({ grpcPort }) => ({ endpoint: `http://127.0.0.1:${grpcPort}` })],
  'otlp_grpc without compression': [
    otlpGrpcExporter,
    ({ grpcPort }) => ({ endpoint: `127.0.0.1:${grpcPort}`, tls: { insecure: true }, compression: 'none' }),
  ],
  otlp_http: [otlpHttpExporter, ({ httpPort }) => ({ endpoint: `http://127.0.0.1:${httpPort}` })],
  'otlp_http in JSON': [
    otlpHttpExporter,
    ({ httpPort }) => ({ endpoint: `http://127.0.0.1:${httpPort}/`, encoding: 'json', compression: 'none' }),
  ],
};

/** Spans with everything an SDK can put on them; returns their names. */
async function exportSpans(exporter: SpanExporter): Promise<void> {
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes({ 'service.name': 'shop', 'process.pid': 4711 }),
    spanProcessors: [new SimpleSpanProcessor(exporter)],
  });
  const tracer = provider.getTracer('test', '1.2.3');
  const first = tracer.startSpan('root', { kind: SpanKind.SERVER });
  for (let index = 1; index < SPANS; index++) {
    const span = tracer.startSpan(`work \u00e4 ${index}`, {
      kind: SpanKind.CLIENT,
      attributes: { 'http.route': '/item/{id}', n: index, ratio: 0.5, ok: true, list: ['a', 'b'] },
      links: [{ context: first.spanContext(), attributes: { why: 'test' } }],
    });
    span.addEvent('cache miss', { key: `k${index}` });
    span.setStatus({ code: SpanStatusCode.ERROR, message: 'boom' });
    span.end();
  }
  first.end();
  await provider.forceFlush();
  await provider.shutdown();
}

describe.each(Object.keys(sdkExporters))('SDK over %s', (sdk) => {
  it.each(Object.keys(ourExporters))('through %s arrives whole', async (ours) => {
    const last = await own(startReceiver());
    const [factory, configFor] = ourExporters[ours]!;
    const { exporter, metrics } = await own(startExporter(factory, { ...configFor(last), ...SYNCHRONOUS }));
    const first = await own(startReceiver());
    first.sink.answer = (batch) => exporter.consume(batch);

    await exportSpans(sdkExporters[sdk]!(first));

    const sent = first.sink.batches.flatMap(({ bytes }) => decodeSpans(bytes));
    const arrived = last.sink.batches.flatMap(({ bytes }) => decodeSpans(bytes));
    expect(arrived).toHaveLength(SPANS);
    expect(new Map(arrived.map((span) => [span.spanId, span]))).toEqual(
      new Map(sent.map((span) => [span.spanId, span])),
    );
    const work = arrived.find(({ name }) => name === 'work \u00e4 7');
    expect(work).toMatchObject({
      kind: 3,
      attributes: { 'http.route': '/item/{id}', n: 7, ratio: 0.5, ok: true, list: ['a', 'b'] },
      events: [{ name: 'cache miss', attributes: { key: 'k7' } }],
      status: { code: 2, message: 'boom' },
      resource: { attributes: { 'service.name': 'shop', 'process.pid': 4711 } },
      scope: { name: 'test', version: '1.2.3' },
    });
    expect(work!.links[0]!.attributes).toEqual({ why: 'test' });
    if (!ours.includes('JSON')) {
      const bytesOf = ({ sink }: RunningReceiver): string[] =>
        sink.batches.map(({ bytes }) => Buffer.from(bytes).toString('hex')).sort();
      expect(bytesOf(last)).toEqual(bytesOf(first));
    }
    expect(metrics.snapshot()).toEqual({ 'received traces': SPANS, 'sent traces': SPANS });
  });
});

describe.each(Object.keys(ourExporters))('%s', (ours) => {
  it.each(['metrics', 'logs'] as const)('carries %s', async (signal) => {
    const last = await own(startReceiver());
    const [factory, configFor] = ourExporters[ours]!;
    const { exporter } = await own(startExporter(factory, { ...configFor(last), ...SYNCHRONOUS }, signal));
    const bytes = signal === 'metrics' ? metricsRequest() : logsRequest();
    await exporter.consume(batchOf(signal, bytes));
    const [batch] = last.sink.batches;
    expect([batch!.signal, batch!.itemCount]).toEqual([signal, signal === 'metrics' ? 2 : 1]);
    expect(Buffer.from(batch!.bytes)).toEqual(Buffer.from(bytes));
  });

  it('sends many batches at the same time and closes its connections', async () => {
    const last = await own(startReceiver());
    const [factory, configFor] = ourExporters[ours]!;
    const running: RunningExporter = await startExporter(factory, {
      ...configFor(last),
      sending_queue: { num_consumers: 50 },
    });
    const batch = batchOf('traces', tracesRequest(3));
    await Promise.all(Array.from({ length: 200 }, () => running.exporter.consume({ ...batch })));
    await running.stop();
    expect(last.sink.itemCount).toBe(600);
    expect(running.metrics.snapshot()).toEqual({ 'received traces': 600, 'sent traces': 600 });
  });
});
