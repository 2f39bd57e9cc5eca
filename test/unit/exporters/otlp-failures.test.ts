/** What the exporters make of refusals, partial success and requests that are too large. */
import * as http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { PermanentError, RetryableError } from '../../../src/component/errors.js';
import { otlpGrpcExporter } from '../../../src/exporters/otlp_grpc/factory.js';
import { otlpHttpExporter } from '../../../src/exporters/otlp_http/factory.js';
import { decodeSpans } from '../../../src/otlp/decode.js';
import { encodeExportResponse, encodeStatus } from '../../../src/otlp/responses.js';
import { ByteBudget } from '../../../src/transport/byte-budget.js';
import { GrpcServer } from '../../../src/transport/grpc-server.js';
import { RpcError } from '../../../src/transport/grpc-status.js';
import { batchOf, rejection, SYNCHRONOUS, startExporter } from '../../helpers/otlp/exporter-harness.js';
import { tracesRequest } from '../../helpers/otlp/payload.js';
import { startReceiver } from '../../helpers/otlp/receiver-harness.js';

const stops: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

async function exporterTo(
  protocol: 'grpc' | 'http',
  port: number,
  config: Record<string, unknown> = SYNCHRONOUS,
) {
  const factory = protocol === 'grpc' ? otlpGrpcExporter : otlpHttpExporter;
  const running = await startExporter(factory, { endpoint: `http://127.0.0.1:${port}`, ...config });
  stops.push(running.stop);
  return running;
}

/** A gRPC backend whose answer the test decides. */
async function grpcBackend(handle: () => Promise<Uint8Array>): Promise<number> {
  const server = new GrpcServer({
    listen: { host: '127.0.0.1', port: 0 },
    methods: new Map([
      ['/opentelemetry.proto.collector.trace.v1.TraceService/Export', { handle, refused: () => {} }],
    ]),
    maxMessageBytes: 1 << 20,
    maxConcurrentStreams: 10,
    keepalive: {
      maxConnectionIdleMs: 0,
      maxConnectionAgeMs: 0,
      maxConnectionAgeGraceMs: 0,
      timeMs: 0,
      timeoutMs: 0,
      minPingIntervalMs: 0,
      permitWithoutStream: true,
    },
    budget: new ByteBudget(1 << 24),
    onPeerError: () => {},
  });
  await server.start();
  stops.push(() => server.shutdown(AbortSignal.timeout(1000)));
  return (server.address as AddressInfo).port;
}

async function httpBackend(handler: http.RequestListener): Promise<number> {
  const server = http.createServer((request, response) => {
    request.resume().on('end', () => handler(request, response));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  stops.push(async () => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

const BATCH = batchOf('traces', tracesRequest(4));

describe('otlp_grpc', () => {
  it('tells retryable from permanent by code, and keeps code and delay', async () => {
    let answer = new RpcError(0, '');
    const port = await grpcBackend(() => Promise.reject(answer));
    const { exporter, metrics } = await exporterTo('grpc', port);
    for (let code = 1; code <= 16; code++) {
      answer = new RpcError(code, 'boom');
      const error = await rejection(exporter.consume(BATCH));
      const retryable = [1, 4, 10, 11, 14, 15].includes(code);
      expect(error).toBeInstanceOf(retryable ? RetryableError : PermanentError);
      expect(error).toMatchObject({ grpcStatus: code });
      expect((error as Error).message).toMatch(
        retryable
          ? /^rpc error: code = \w+ desc = boom$/
          : /^Permanent error: rpc error: code = \w+ desc = boom$/,
      );
    }
    for (const code of [8, 14]) {
      answer = new RpcError(code, 'boom', 7000);
      const error = await rejection(exporter.consume(BATCH));
      expect(error).toBeInstanceOf(RetryableError);
      expect(error).toMatchObject({ grpcStatus: code, retryAfterMs: 7000 });
      expect((error as Error).message).toMatch(/^Throttle \(7s\), error: rpc error: code = \w+ desc = boom$/);
    }
    expect(metrics.snapshot()).toMatchObject({ 'received traces': 72 });
    expect(metrics.snapshot()['sent traces']).toBeUndefined();
  });

  it('is retryable while nobody listens', async () => {
    const port = await grpcBackend(() => Promise.resolve(encodeExportResponse()));
    await stops.pop()!();
    const { exporter } = await exporterTo('grpc', port);
    const error = await rejection(exporter.consume(BATCH));
    expect(error).toBeInstanceOf(RetryableError);
    expect(error).toMatchObject({ grpcStatus: 14 });
  });

  it('counts what the peer rejected of a batch as dropped', async () => {
    const port = await grpcBackend(async () => encodeExportResponse({ rejected: 3, message: 'too old' }));
    const { exporter, metrics } = await exporterTo('grpc', port);
    await exporter.consume(BATCH);
    expect(metrics.snapshot()).toEqual({
      'received traces': 4,
      'sent traces': 1,
      'dropped traces partial_success': 3,
    });
  });

  it('splits what is too large and drops only the item that is too large by itself', async () => {
    const receiver = await startReceiver({ grpc: { max_recv_msg_size_mib: 1 } });
    stops.push(receiver.stop);
    const { exporter, metrics } = await exporterTo('grpc', receiver.grpcPort, {
      ...SYNCHRONOUS,
      compression: 'none',
    });
    // The first span alone is above the limit.
    await exporter.consume(batchOf('traces', tracesRequest(9, 2_000_000)));
    const names = receiver.sink.batches.flatMap(({ bytes }) => decodeSpans(bytes).map(({ name }) => name));
    expect(names.sort()).toEqual(Array.from({ length: 8 }, (_, index) => `GET /item/${index + 1}`));
    expect(metrics.snapshot()).toEqual({
      'received traces': 9,
      'sent traces': 8,
      'dropped traces too_large': 1,
    });
  });
});

describe('otlp_http', () => {
  const port = (status: number, headers: http.OutgoingHttpHeaders = {}, body: string | Uint8Array = '') =>
    httpBackend((_request, response) => response.writeHead(status, headers).end(body));

  it.each([
    [429, 8],
    [502, 14],
    [503, 14],
    [504, 14],
  ])('retries status %i', async (status, grpcStatus) => {
    const backend = await port(status);
    const { exporter } = await exporterTo('http', backend);
    const error = await rejection(exporter.consume(BATCH));
    expect(error).toBeInstanceOf(RetryableError);
    expect(error).toMatchObject({ grpcStatus, retryAfterMs: undefined });
    expect((error as Error).message).toContain(
      `error exporting items, request to http://127.0.0.1:${backend}/v1/traces responded with HTTP Status Code ${status}`,
    );
  });

  it.each([
    [400, 3],
    [401, 16],
    [403, 7],
    [404, 12],
    [405, 2],
    [422, 2],
    [500, 2],
    [301, 2],
  ])('gives up at status %i', async (status, grpcStatus) => {
    const { exporter, metrics } = await exporterTo('http', await port(status));
    const error = await rejection(exporter.consume(BATCH));
    expect(error).toBeInstanceOf(PermanentError);
    expect(error).toMatchObject({ grpcStatus });
    expect(metrics.snapshot()).toMatchObject({ 'dropped traces permanent': 4 });
  });

  it('waits as long as Retry-After says, in seconds or as a date', async () => {
    const seconds = await exporterTo('http', await port(503, { 'retry-after': '9' }));
    expect(await rejection(seconds.exporter.consume(BATCH))).toMatchObject({
      retryAfterMs: 9000,
      message: expect.stringMatching(/^Throttle \(9s\), error: rpc error: code = Unavailable desc = /),
    });
    const date = new Date(Date.now() + 60_000).toUTCString();
    const later = await exporterTo('http', await port(429, { 'retry-after': date }));
    const { retryAfterMs } = (await rejection(later.exporter.consume(BATCH))) as RetryableError;
    expect(retryAfterMs).toBeGreaterThan(50_000);
    expect(retryAfterMs).toBeLessThanOrEqual(60_000);
    const notOn502 = await exporterTo('http', await port(502, { 'retry-after': '9' }));
    expect(await rejection(notOn502.exporter.consume(BATCH))).toMatchObject({ retryAfterMs: undefined });
  });

  it('shows what the server said', async () => {
    const body = encodeStatus({ code: 3, message: 'span without name' });
    const { exporter } = await exporterTo(
      'http',
      await port(400, { 'content-type': 'application/x-protobuf' }, body),
    );
    const proto = (await rejection(exporter.consume(BATCH))) as Error;
    expect(proto.message).toContain('Status Code 400, Message=span without name');
    const html = await exporterTo(
      'http',
      await port(400, { 'content-type': 'text/html' }, '<html>nope</html>'),
    );
    expect(await rejection(html.exporter.consume(BATCH))).toBeInstanceOf(PermanentError);
  });

  it.each([
    ['application/x-protobuf', encodeExportResponse({ rejected: 3, message: 'too old' })],
    ['application/json', '{"partialSuccess":{"rejectedSpans":"3","errorMessage":"too old"}}'],
  ])('counts a partial success in %s', async (type, body) => {
    const { exporter, metrics } = await exporterTo('http', await port(200, { 'content-type': type }, body));
    await exporter.consume(BATCH);
    expect(metrics.snapshot()).toMatchObject({ 'sent traces': 1, 'dropped traces partial_success': 3 });
  });

  it('takes any 2xx, with a body that means nothing', async () => {
    for (const status of [200, 202, 204]) {
      const { exporter } = await exporterTo('http', await port(status, {}, status === 204 ? '' : 'thanks'));
      await exporter.consume(BATCH);
    }
  });

  it('is retryable while nobody listens, and when the connection breaks', async () => {
    const gone = await port(200);
    await stops.pop()!();
    const { exporter } = await exporterTo('http', gone);
    expect(await rejection(exporter.consume(BATCH))).toBeInstanceOf(RetryableError);
    const broken = await httpBackend((request) => request.socket.destroy());
    const other = await exporterTo('http', broken);
    expect(await rejection(other.exporter.consume(BATCH))).toBeInstanceOf(RetryableError);
  });

  it('splits what is too large for a Collector (400) and for others (413)', async () => {
    const receiver = await startReceiver({ http: { max_request_body_size: 10_000 } });
    stops.push(receiver.stop);
    const { exporter, metrics } = await exporterTo('http', receiver.httpPort, {
      ...SYNCHRONOUS,
      compression: 'none',
    });
    await exporter.consume(batchOf('traces', tracesRequest(500)));
    expect(receiver.sink.itemCount).toBe(500);
    expect(metrics.snapshot()).toEqual({ 'received traces': 500, 'sent traces': 500 });

    let accepted = 0;
    const picky = await httpBackend((request, response) => {
      const small = Number(request.headers['content-length']) < 1000;
      if (small) accepted += 1;
      response.writeHead(small ? 200 : 413).end();
    });
    const second = await exporterTo('http', picky, { ...SYNCHRONOUS, compression: 'none' });
    await second.exporter.consume(batchOf('traces', tracesRequest(100)));
    expect(accepted).toBeGreaterThan(1);
    expect(second.metrics.snapshot()).toEqual({ 'received traces': 100, 'sent traces': 100 });
  });

  it('does not send the parts again that arrived before a failure', async () => {
    const sizes: number[] = [];
    let failures = 1;
    const backend = await httpBackend((request, response) => {
      const bytes = Number(request.headers['content-length']);
      if (bytes > 3000) response.writeHead(413).end();
      else if (sizes.length === 1 && failures-- > 0) response.writeHead(503).end();
      else {
        sizes.push(bytes);
        response.writeHead(200).end();
      }
    });
    const { exporter, metrics } = await exporterTo('http', backend, {
      sending_queue: { enabled: false },
      retry_on_failure: { initial_interval: '1ms' },
      compression: 'none',
    });
    const batch = batchOf('traces', tracesRequest(60));
    await exporter.consume(batch);
    expect(metrics.snapshot()).toEqual({ 'received traces': 60, 'sent traces': 60 });
    const total = sizes.reduce((sum, size) => sum + size, 0);
    expect(total).toBeGreaterThanOrEqual(batch.bytes.length);
    expect(total).toBeLessThan(batch.bytes.length + sizes.length * 100);
  });
});

describe('a chain of two', () => {
  it.each([
    ['grpc', 'grpc'],
    ['http', 'http'],
    ['grpc', 'http'],
  ] as const)('passes throttling from a backend over %s back to a client over %s', async (inner, outer) => {
    const backend = await startReceiver();
    backend.sink.answer = () =>
      Promise.reject(new RetryableError('busy', { retryAfterMs: 7000, grpcStatus: 14 }));
    const middle = await startReceiver();
    stops.push(backend.stop, middle.stop);
    const hop = await exporterTo(inner, inner === 'grpc' ? backend.grpcPort : backend.httpPort);
    middle.sink.answer = (batch) => hop.exporter.consume(batch);
    const client = await exporterTo(outer, outer === 'grpc' ? middle.grpcPort : middle.httpPort);
    expect(await rejection(client.exporter.consume(BATCH))).toMatchObject({
      name: 'RetryableError',
      retryAfterMs: 7000,
      grpcStatus: 14,
    });
  });
});
