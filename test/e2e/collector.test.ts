/**
 * A real OpenTelemetry Collector as the peer, on both sides: what an SDK sends through our receiver and exporters arrives
 * there whole, and what a Collector's exporters send, in every compression, arrives here.
 */
import { afterEach, describe, expect, it } from 'vitest';
import { otlpGrpcExporter } from '../../src/exporters/otlp_grpc/factory.js';
import { otlpHttpExporter } from '../../src/exporters/otlp_http/factory.js';
import { type DecodedSpan, decodeSpans } from '../../src/otlp/decode.js';
import { fromJson } from '../../src/otlp/json-reader.js';
import { toJson } from '../../src/otlp/json-writer.js';
import {
  collectorMissing,
  freePorts,
  type RunningCollector,
  startCollector,
} from '../helpers/otlp/collector.js';
import { batchOf, startExporter } from '../helpers/otlp/exporter-harness.js';
import { logsRequest, metricsRequest, tracesRequest } from '../helpers/otlp/payload.js';
import { startReceiver } from '../helpers/otlp/receiver-harness.js';
import { exportSpans, SDK_EXPORTERS } from '../helpers/otlp/sdk.js';

const missing = collectorMissing();
if (missing !== undefined) {
  if (process.env.KINDLING_REQUIRE_E2E === '1') throw new Error(missing);
  console.warn(`e2e: tests against a real Collector are skipped: ${missing}`);
}

const SPANS = 25;
const stops: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

async function own<T extends { stop(): Promise<void> }>(starting: Promise<T>): Promise<T> {
  const started = await starting;
  stops.push(started.stop);
  return started;
}

const bySpanId = (spans: readonly DecodedSpan[]): Map<string, DecodedSpan> =>
  new Map(spans.map((span) => [span.spanId, span]));

/** A Collector that writes each signal to a file. */
async function sinkCollector(): Promise<RunningCollector & { grpcPort: number; httpPort: number }> {
  const [grpcPort = 0, httpPort = 0] = await freePorts(2);
  const fileOf = (signal: string): string =>
    `file/${signal}: {path: DIRECTORY/${signal}.json, flush_interval: 20ms}`;
  const pipelineOf = (signal: string): string =>
    `${signal}: {receivers: [otlp], exporters: [file/${signal}]}`;
  const signals = ['traces', 'metrics', 'logs'];
  const collector = await own(
    startCollector(`
receivers:
  otlp: {protocols: {grpc: {endpoint: "127.0.0.1:${grpcPort}"}, http: {endpoint: "127.0.0.1:${httpPort}"}}}
exporters: {${signals.map(fileOf).join(', ')}}
service:
  telemetry: {metrics: {level: none}}
  pipelines: {${signals.map(pipelineOf).join(', ')}}
`),
  );
  return Object.assign(collector, { grpcPort, httpPort });
}

const lines = (text: string): string[] => text.split('\n').filter((line) => line !== '');

describe.skipIf(missing !== undefined)('to a Collector', () => {
  it.each([
    ['otlp_grpc', otlpGrpcExporter],
    ['otlp_http', otlpHttpExporter],
  ] as const)('%s delivers every span of an SDK, whole', async (type, factory) => {
    const collector = await sinkCollector();
    const port = type === 'otlp_grpc' ? collector.grpcPort : collector.httpPort;
    const sender = await own(startExporter(factory, { endpoint: `http://127.0.0.1:${port}` }));
    const receiver = await own(startReceiver());
    receiver.sink.answer = (batch) => sender.exporter.consume(batch);
    for (const exporterTo of Object.values(SDK_EXPORTERS)) await exportSpans(exporterTo(receiver), SPANS);
    const sent = receiver.sink.batches.flatMap(({ bytes }) => decodeSpans(bytes));
    expect(sent).toHaveLength(SPANS * Object.keys(SDK_EXPORTERS).length);

    const arrivedSpans = async (): Promise<DecodedSpan[]> =>
      lines(await collector.read('traces.json')).flatMap((line) => decodeSpans(fromJson('traces', line)));
    await expect.poll(async () => (await arrivedSpans()).length, { timeout: 20_000 }).toBe(sent.length);
    expect(bySpanId(await arrivedSpans())).toEqual(bySpanId(sent));
    expect(sender.metrics.snapshot()).toEqual({ 'received traces': sent.length, 'sent traces': sent.length });
  });

  it.each([
    ['otlp_grpc', otlpGrpcExporter],
    ['otlp_http', otlpHttpExporter],
  ] as const)('%s delivers metrics and logs', async (type, factory) => {
    const collector = await sinkCollector();
    const endpoint = `http://127.0.0.1:${type === 'otlp_grpc' ? collector.grpcPort : collector.httpPort}`;
    for (const [signal, bytes] of [
      ['metrics', metricsRequest()],
      ['logs', logsRequest()],
    ] as const) {
      const { exporter } = await own(startExporter(factory, { endpoint }, signal));
      await exporter.consume(batchOf(signal, bytes));
      const arrived = (): Promise<string[]> => collector.read(`${signal}.json`).then(lines, () => []);
      await expect.poll(arrived, { timeout: 20_000 }).toHaveLength(1);
      expect(toJson(signal, fromJson(signal, (await arrived())[0]!))).toBe(toJson(signal, bytes));
    }
  });

  it('otlp_grpc gets more through than its message limit allows, by splitting', async () => {
    const collector = await sinkCollector();
    const endpoint = `http://127.0.0.1:${collector.grpcPort}`;
    const { exporter, metrics } = await own(
      startExporter(otlpGrpcExporter, { endpoint, compression: 'none' }),
    );
    const batch = batchOf('traces', tracesRequest(60_000));
    expect(batch.bytes.length).toBeGreaterThan(4 * 1024 * 1024);
    await exporter.consume(batch);
    await expect.poll(() => metrics.snapshot()['sent traces'], { timeout: 20_000 }).toBe(60_000);
    const count = async (): Promise<number> =>
      lines(await collector.read('traces.json')).reduce(
        (sum, line) => sum + decodeSpans(fromJson('traces', line)).length,
        0,
      );
    await expect.poll(count, { timeout: 20_000 }).toBe(60_000);
  });
});

describe.skipIf(missing !== undefined)('from a Collector', () => {
  it.each([
    ...['none', 'gzip', 'snappy', 'zstd'].map((compression) => ['otlp_grpc', compression] as const),
    ...['none', 'gzip', 'snappy', 'x-snappy-framed', 'zlib', 'deflate', 'lz4', 'zstd'].map(
      (compression) => ['otlp_http', compression] as const,
    ),
  ])('%s with compression %s', async (type, compression) => {
    const receiver = await own(
      startReceiver({
        http: {
          compression_algorithms: ['', 'gzip', 'snappy', 'x-snappy-framed', 'zlib', 'deflate', 'lz4', 'zstd'],
        },
      }),
    );
    const [port = 0] = await freePorts(1);
    const to = type === 'otlp_grpc' ? receiver.grpcPort : receiver.httpPort;
    await own(
      startCollector(`
receivers: {otlp: {protocols: {grpc: {endpoint: "127.0.0.1:${port}"}}}}
exporters: {${type}: {endpoint: "http://127.0.0.1:${to}", tls: {insecure: true}, compression: ${compression}}}
service:
  telemetry: {metrics: {level: none}}
  pipelines:
    traces: {receivers: [otlp], exporters: [${type}]}
    logs: {receivers: [otlp], exporters: [${type}]}
`),
    );
    const traces = tracesRequest(500, 10_000);
    for (const [signal, bytes] of [
      ['traces', traces],
      ['logs', logsRequest()],
    ] as const) {
      const { exporter } = await own(
        startExporter(otlpGrpcExporter, { endpoint: `http://127.0.0.1:${port}` }, signal),
      );
      await exporter.consume(batchOf(signal, bytes));
    }
    await expect.poll(() => receiver.sink.itemCount, { timeout: 20_000 }).toBe(501);
    const arrived = receiver.sink.batches.find(({ signal }) => signal === 'traces');
    expect(toJson('traces', arrived!.bytes)).toBe(toJson('traces', traces));
  });
});
