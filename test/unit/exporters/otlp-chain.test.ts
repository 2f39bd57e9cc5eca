/**
 * Real SDK exporters -> our receiver -> our exporters -> a second receiver of ours: what arrives at the end is what the
 * SDK sent, byte by byte from the first receiver on.
 */
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
import { exportSpans, SDK_EXPORTERS } from '../../helpers/otlp/sdk.js';

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

describe.each(Object.keys(SDK_EXPORTERS))('SDK over %s', (sdk) => {
  it.each(Object.keys(ourExporters))('through %s arrives whole', async (ours) => {
    const last = await own(startReceiver());
    const [factory, configFor] = ourExporters[ours]!;
    const { exporter, metrics } = await own(startExporter(factory, { ...configFor(last), ...SYNCHRONOUS }));
    const first = await own(startReceiver());
    first.sink.answer = (batch) => exporter.consume(batch);

    await exportSpans(SDK_EXPORTERS[sdk]!(first), SPANS);

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
