import * as http2 from 'node:http2';
import { gzipSync } from 'node:zlib';
import * as grpc from '@grpc/grpc-js';
import { afterEach, describe, expect, it } from 'vitest';
import { PermanentError, RetryableError } from '../../../../src/component/errors.js';
import { decodeStatus } from '../../../../src/otlp/responses.js';
import { logsRequest, metricsRequest, tracesRequest } from '../../../helpers/otlp/payload.js';
import { type RunningReceiver, startReceiver } from '../../../helpers/otlp/receiver-harness.js';

const EXPORT = '/opentelemetry.proto.collector.trace.v1.TraceService/Export';

let receiver: RunningReceiver;
const clients: grpc.Client[] = [];

afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await receiver.stop();
});

function clientOf(options: grpc.ClientOptions = {}): grpc.Client {
  const client = new grpc.Client(`127.0.0.1:${receiver.grpcPort}`, grpc.credentials.createInsecure(), {
    'grpc.use_local_subchannel_pool': 1,
    ...options,
  });
  clients.push(client);
  return client;
}

const bytesOf = (value: Uint8Array): Buffer => Buffer.from(value);

/** One unary call with ready bytes; resolves to the response's bytes, rejects with the ServiceError. */
function call(
  client: grpc.Client,
  path: string,
  message: Uint8Array,
  options: grpc.CallOptions = {},
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(
      path,
      bytesOf,
      (bytes: Buffer) => bytes,
      message,
      new grpc.Metadata(),
      options,
      (error, value) => (error === null ? resolve(value ?? Buffer.alloc(0)) : reject(error)),
    );
  });
}

const failureOf = (promise: Promise<unknown>): Promise<grpc.ServiceError> =>
  promise.then(
    () => {
      throw new Error('the call succeeded');
    },
    (error: grpc.ServiceError) => error,
  );

/** One call without gRPC's client, for what it would never send. */
async function rawCall(
  headers: http2.OutgoingHttpHeaders,
  body: Buffer,
): Promise<http2.IncomingHttpHeaders & http2.IncomingHttpStatusHeader> {
  const session = http2.connect(`http://127.0.0.1:${receiver.grpcPort}`);
  try {
    const stream = session.request({
      ':method': 'POST',
      ':path': EXPORT,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...headers,
    });
    stream.on('error', () => {});
    stream.end(body);
    const trailers: http2.IncomingHttpHeaders = {};
    stream.on('trailers', (received) => Object.assign(trailers, received));
    const [response] = await new Promise<[http2.IncomingHttpHeaders]>((resolve, reject) => {
      stream.on('response', (received) => resolve([received]));
      session.on('error', reject);
    });
    stream.resume();
    await new Promise((resolve) => stream.on('close', resolve));
    return { ...response, ...trailers };
  } finally {
    session.close();
  }
}

function frame(message: Uint8Array, flag = 0): Buffer {
  const prefix = Buffer.alloc(5);
  prefix[0] = flag;
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

describe('OTLP/gRPC', () => {
  it('hands the bytes of each signal on as they came, with item count and connection', async () => {
    receiver = await startReceiver();
    const client = clientOf();
    const traces = tracesRequest(3);
    expect(await call(client, EXPORT, traces)).toEqual(Buffer.from([0x0a, 0x00]));
    await call(client, '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export', metricsRequest());
    await call(client, '/opentelemetry.proto.collector.logs.v1.LogsService/Export', logsRequest());
    expect(receiver.sink.batches.map(({ signal, itemCount }) => [signal, itemCount])).toEqual([
      ['traces', 3],
      ['metrics', 2],
      ['logs', 1],
    ]);
    const [batch] = receiver.sink.batches;
    expect(Buffer.from(batch!.bytes)).toEqual(Buffer.from(traces));
    expect(batch!.origin).toMatchObject({
      receiver: 'otlp',
      connection: { remoteAddress: '127.0.0.1', localAddress: '127.0.0.1', localPort: receiver.grpcPort },
    });
    expect(batch!.origin.connection!.remotePort).toBeGreaterThan(0);
    expect(receiver.metrics.snapshot()).toEqual({
      'received traces': 3,
      'sent traces': 3,
      'received metrics': 2,
      'sent metrics': 2,
      'received logs': 1,
      'sent logs': 1,
      'transport_items traces grpc accepted': 3,
      'transport_items metrics grpc accepted': 2,
      'transport_items logs grpc accepted': 1,
    });
  });

  it('takes gzip, refuses deflate like a Collector', async () => {
    receiver = await startReceiver();
    const gzip = clientOf({ 'grpc.default_compression_algorithm': grpc.compressionAlgorithms.gzip });
    await call(gzip, EXPORT, tracesRequest(200, 50_000));
    expect(receiver.sink.itemCount).toBe(200);
    const deflate = clientOf({ 'grpc.default_compression_algorithm': grpc.compressionAlgorithms.deflate });
    const error = await failureOf(call(deflate, EXPORT, tracesRequest(200)));
    expect(error.code).toBe(grpc.status.UNIMPLEMENTED);
    expect(error.details).toBe('grpc: Decompressor is not installed for grpc-encoding "deflate"');
  });

  it('answers empty requests without telling the pipeline', async () => {
    receiver = await startReceiver();
    expect(await call(clientOf(), EXPORT, new Uint8Array())).toEqual(Buffer.from([0x0a, 0x00]));
    expect(receiver.sink.batches).toEqual([]);
  });

  it('knows only the services of signals that have a pipeline', async () => {
    receiver = await startReceiver({ signals: ['traces'] });
    const client = clientOf();
    const logs = '/opentelemetry.proto.collector.logs.v1.LogsService/Export';
    const cases: [string, string][] = [
      [logs, 'unknown service opentelemetry.proto.collector.logs.v1.LogsService'],
      [
        EXPORT.replace('Export', 'Import'),
        'unknown method Import for service opentelemetry.proto.collector.trace.v1.TraceService',
      ],
      ['/nonsense', 'malformed method name: "/nonsense"'],
    ];
    for (const [path, details] of cases) {
      const error = await failureOf(call(client, path, tracesRequest(1)));
      expect([error.code, error.details]).toEqual([grpc.status.UNIMPLEMENTED, details]);
    }
  });

  it('refuses malformed protobuf with INTERNAL and counts the request', async () => {
    receiver = await startReceiver();
    const error = await failureOf(call(clientOf(), EXPORT, Uint8Array.of(0x7f)));
    expect(error.code).toBe(grpc.status.INTERNAL);
    expect(error.details).toBe('grpc: error unmarshalling request: proto: illegal wireType 7');
    expect(receiver.metrics.snapshot()).toEqual({
      'received traces': 1,
      'dropped traces malformed': 1,
      'undecodable_requests traces grpc malformed': 1,
    });
  });

  it('refuses messages above the limit, as sent and as decompressed', async () => {
    receiver = await startReceiver({ grpc: { max_recv_msg_size_mib: 1 } });
    const big = tracesRequest(1, 2 * 1024 * 1024);
    const plain = await failureOf(call(clientOf(), EXPORT, big));
    expect(plain.code).toBe(grpc.status.RESOURCE_EXHAUSTED);
    expect(plain.details).toBe(`grpc: received message larger than max (${big.length} vs. 1048576)`);
    const gzip = clientOf({ 'grpc.default_compression_algorithm': grpc.compressionAlgorithms.gzip });
    const bomb = await failureOf(call(gzip, EXPORT, big));
    expect(bomb.code).toBe(grpc.status.RESOURCE_EXHAUSTED);
    expect(bomb.details).toBe('grpc: received message after decompression larger than max 1048576');
    await call(clientOf(), EXPORT, tracesRequest(1, 1_000_000));
    expect(receiver.metrics.snapshot()).toMatchObject({ 'sent traces': 1, 'dropped traces too_large': 2 });
  });

  it('passes the answer of the pipeline to the client', async () => {
    receiver = await startReceiver();
    const client = clientOf();
    const cases: [Error, number, string, number | undefined][] = [
      [new RetryableError('sending queue is full'), 14, 'sending queue is full', undefined],
      [
        new RetryableError('rpc error: code = Aborted desc = boom', { grpcStatus: 10 }),
        10,
        'boom',
        undefined,
      ],
      [
        new RetryableError('Throttle (7s), error: rpc error: code = Unavailable desc = boom', {
          retryAfterMs: 7000,
          grpcStatus: 14,
        }),
        14,
        'Throttle (7s), error: rpc error: code = Unavailable desc = boom',
        7000,
      ],
      [new PermanentError('nope'), 13, 'Permanent error: nope', undefined],
      [
        new PermanentError('Permanent error: rpc error: code = Unauthenticated desc = boom', {
          grpcStatus: 16,
        }),
        16,
        'Permanent error: rpc error: code = Unauthenticated desc = boom',
        undefined,
      ],
    ];
    for (const [thrown, code, details, retryDelayMs] of cases) {
      receiver.sink.answer = () => Promise.reject(thrown);
      const error = await failureOf(call(client, EXPORT, tracesRequest(2)));
      expect([error.code, error.details]).toEqual([code, details]);
      const [bin] = error.metadata.get('grpc-status-details-bin');
      expect(bin instanceof Buffer ? decodeStatus(bin) : undefined).toEqual(
        retryDelayMs === undefined ? undefined : { code, message: details, retryDelayMs },
      );
    }
    expect(receiver.metrics.snapshot()).toMatchObject({
      'received traces': 10,
      'dropped traces refused': 6,
      'dropped traces rejected': 4,
      'refused_requests traces grpc Unauthenticated': 1,
    });
  });

  it('percent-encodes what a header may not hold', async () => {
    receiver = await startReceiver();
    receiver.sink.answer = () => Promise.reject(new PermanentError('100 % \u00fcber\nzwei'));
    const error = await failureOf(call(clientOf(), EXPORT, tracesRequest(1)));
    expect(error.details).toBe('Permanent error: 100 % \u00fcber\nzwei');
  });

  it('answers DEADLINE_EXCEEDED when the pipeline takes longer than the client waits', async () => {
    receiver = await startReceiver();
    let release = (): void => {};
    receiver.sink.answer = () => new Promise((resolve) => (release = resolve));
    const answer = await rawCall({ 'grpc-timeout': '20m' }, frame(tracesRequest(1)));
    expect(answer['grpc-status']).toBe('4');
    release();
  });

  it('refuses broken framing', async () => {
    receiver = await startReceiver();
    const message = tracesRequest(1);
    const cases: [Buffer, string, string][] = [
      [Buffer.alloc(0), '2', 'EOF'],
      [frame(message).subarray(0, 20), '2', 'unexpected EOF'],
      [Buffer.concat([frame(message), frame(message)]), '13', 'cardinality violation: received multiple'],
      [frame(message, 7), '13', 'grpc: received unexpected payload format 7'],
      [frame(message, 1), '13', 'grpc: compressed flag set with identity or empty encoding'],
    ];
    for (const [body, status, text] of cases) {
      const answer = await rawCall({}, body);
      expect(answer['grpc-status']).toBe(status);
      expect(answer['grpc-message']).toContain(text);
    }
    const gzip = await rawCall({ 'grpc-encoding': 'gzip' }, frame(gzipSync(message).subarray(2), 1));
    expect(gzip['grpc-message']).toContain('grpc: failed to decompress the message: gzip: invalid header');
    expect(await rawCall({ 'content-type': 'text/plain' }, frame(message))).toMatchObject({ ':status': 415 });
    expect(receiver.metrics.snapshot()).toMatchObject({ 'dropped traces malformed': 6 });
  });

  it('takes a message cut into single bytes', async () => {
    receiver = await startReceiver();
    const session = http2.connect(`http://127.0.0.1:${receiver.grpcPort}`);
    const stream = session.request({
      ':method': 'POST',
      ':path': EXPORT,
      'content-type': 'application/grpc+proto',
    });
    for (const byte of frame(tracesRequest(2))) stream.write(Buffer.of(byte));
    stream.end();
    stream.resume();
    await new Promise((resolve) => stream.on('close', resolve));
    session.close();
    expect(receiver.sink.itemCount).toBe(2);
  });

  it('bounds the requests in memory and gives the memory back', async () => {
    receiver = await startReceiver({ max_in_flight_mib: 1 });
    let release = (): void => {};
    const gate = new Promise<void>((resolve) => (release = resolve));
    receiver.sink.answer = () => gate;
    const client = clientOf();
    const first = call(client, EXPORT, tracesRequest(1, 700_000));
    await expect.poll(() => receiver.metrics.sums.get('held traces'), { timeout: 5000 }).toBe(1);
    const error = await failureOf(call(client, EXPORT, tracesRequest(1, 700_000)));
    expect([error.code, error.details]).toEqual([14, 'data refused due to high memory usage']);
    release();
    await first;
    await call(client, EXPORT, tracesRequest(1, 700_000));
    expect(receiver.sink.itemCount).toBe(2);
    expect(receiver.metrics.snapshot()).toMatchObject({ 'refused_requests traces grpc Unavailable': 1 });
  });

  it('serves 64 connections at the same time', async () => {
    receiver = await startReceiver();
    const request = tracesRequest(10);
    await Promise.all(
      Array.from({ length: 64 }, async () => {
        const client = clientOf();
        for (let round = 0; round < 5; round++) await call(client, EXPORT, request);
      }),
    );
    expect(receiver.sink.itemCount).toBe(64 * 5 * 10);
    const peers = new Set(receiver.sink.batches.map(({ origin }) => origin.connection!.remotePort));
    expect(peers.size).toBe(64);
  });

  it('finishes running calls on shutdown', async () => {
    receiver = await startReceiver();
    let release = (): void => {};
    receiver.sink.answer = () => new Promise((resolve) => (release = resolve));
    const running = call(clientOf(), EXPORT, tracesRequest(1));
    await expect.poll(() => receiver.metrics.sums.get('held traces'), { timeout: 5000 }).toBe(1);
    const stopped = receiver.stop();
    release();
    await running;
    await stopped;
    const error = await failureOf(call(clientOf(), EXPORT, tracesRequest(1)));
    expect(error.code).toBe(grpc.status.UNAVAILABLE);
  });

  it('sends clients away that ping too often', async () => {
    receiver = await startReceiver();
    const session = http2.connect(`http://127.0.0.1:${receiver.grpcPort}`);
    session.on('error', () => {});
    const goaway = new Promise<string>((resolve) => {
      session.on('goaway', (code, _stream, data) => resolve(`${code} ${data}`));
    });
    await new Promise((resolve) => session.on('connect', resolve));
    for (let count = 0; count < 5 && !session.destroyed; count++) session.ping(() => {});
    expect(await goaway).toBe(`${http2.constants.NGHTTP2_ENHANCE_YOUR_CALM} too_many_pings`);
  });
});
