import * as http from 'node:http';
import { connect } from 'node:net';
import { deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { PermanentError, RetryableError } from '../../../../src/component/errors.js';
import { toJson } from '../../../../src/otlp/json-writer.js';
import { decodeStatus } from '../../../../src/otlp/responses.js';
import { logsRequest, metricsRequest, tracesRequest } from '../../../helpers/otlp/payload.js';
import { type RunningReceiver, startReceiver } from '../../../helpers/otlp/receiver-harness.js';

const JSON_TYPE = 'application/json';
const PROTOBUF = 'application/x-protobuf';

interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: Buffer;
}

let receiver: RunningReceiver;
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });

afterEach(async () => {
  agent.destroy();
  await receiver.stop();
});

function send(
  path: string,
  headers: http.OutgoingHttpHeaders,
  body: Uint8Array | string,
  options: http.RequestOptions = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = http.request(
      { host: '127.0.0.1', port: receiver.httpPort, path, method: 'POST', headers, agent, ...options },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () =>
          resolve({ status: response.statusCode!, headers: response.headers, body: Buffer.concat(chunks) }),
        );
      },
    );
    request.on('error', reject);
    request.end(body);
  });
}

const post = (body: Uint8Array | string, headers: http.OutgoingHttpHeaders = {}): Promise<Answer> =>
  send('/v1/traces', { 'content-type': PROTOBUF, ...headers }, body);

describe('OTLP/HTTP', () => {
  it('takes protobuf of each signal as it came', async () => {
    receiver = await startReceiver();
    const traces = tracesRequest(3);
    const answer = await post(traces);
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual(Buffer.from([0x0a, 0x00]));
    expect(Object.keys(answer.headers).sort()).toEqual(['content-length', 'content-type', 'date']);
    expect(answer.headers['content-type']).toBe(PROTOBUF);
    await send('/v1/metrics', { 'content-type': PROTOBUF }, metricsRequest());
    await send('/v1/logs?x=1', { 'content-type': PROTOBUF }, logsRequest());
    expect(receiver.sink.batches.map(({ signal, itemCount }) => [signal, itemCount])).toEqual([
      ['traces', 3],
      ['metrics', 2],
      ['logs', 1],
    ]);
    const [batch] = receiver.sink.batches;
    expect(Buffer.from(batch!.bytes)).toEqual(Buffer.from(traces));
    expect(batch!.origin.connection).toMatchObject({
      remoteAddress: '127.0.0.1',
      localPort: receiver.httpPort,
    });
  });

  it('takes JSON and answers in JSON', async () => {
    receiver = await startReceiver();
    const traces = tracesRequest(2);
    const answer = await post(toJson('traces', traces), {
      'content-type': 'Application/JSON; charset=utf-8',
    });
    expect([answer.status, answer.headers['content-type'], answer.body.toString()]).toEqual([
      200,
      JSON_TYPE,
      '{"partialSuccess":{}}',
    ]);
    expect(toJson('traces', receiver.sink.batches[0]!.bytes)).toBe(toJson('traces', traces));
  });

  it('keeps the connection', async () => {
    receiver = await startReceiver();
    for (let count = 0; count < 3; count++) await post(tracesRequest(1));
    const ports = new Set(receiver.sink.batches.map(({ origin }) => origin.connection!.remotePort));
    expect(ports.size).toBe(1);
  });

  it.each([
    ['gzip', gzipSync],
    ['zlib', deflateSync],
    ['deflate', deflateSync],
  ])('takes Content-Encoding %s', async (encoding, compress) => {
    receiver = await startReceiver();
    expect(await post(compress(tracesRequest(500)), { 'content-encoding': encoding })).toMatchObject({
      status: 200,
    });
    expect(receiver.sink.itemCount).toBe(500);
  });

  it('takes a snappy block', async () => {
    receiver = await startReceiver();
    const request = tracesRequest(1);
    const block = Buffer.concat([Buffer.of(request.length, (59 + 1) << 2, request.length - 1), request]);
    expect(await post(block, { 'content-encoding': 'snappy' })).toMatchObject({ status: 200 });
    expect(receiver.sink.itemCount).toBe(1);
  });

  it.each([
    ['zstd', (raw: Buffer) => zstdFrameOf(raw)],
    ['lz4', (raw: Buffer) => lz4FrameOf(raw)],
  ] as const)('takes %s', async (encoding, compress) => {
    receiver = await startReceiver();
    const body = compress(Buffer.from(tracesRequest(50)));
    expect(await post(body, { 'content-encoding': encoding })).toMatchObject({ status: 200 });
    expect(receiver.sink.itemCount).toBe(50);
    const broken = await post(body.subarray(0, 20), { 'content-encoding': encoding });
    expect(broken.status).toBe(400);
  });

  it.each([
    ['br', 'x', 'unsupported Content-Encoding: br'],
    ['identity', 'x', 'unsupported Content-Encoding: identity'],
    ['GZIP', gzipSync('x'), 'unsupported Content-Encoding: GZIP'],
    ['gzip', 'no gzip at all', 'gzip: invalid header'],
    ['gzip', 'not gzip', 'unexpected EOF'],
    ['gzip', gzipSync(tracesRequest(50)).subarray(0, 30), 'unexpected EOF'],
    ['deflate', deflateRawSync(tracesRequest(50)), 'zlib: invalid header'],
    ['snappy', Buffer.of(10, 0xff), 'snappy: corrupt input'],
  ])('answers 400 to a body in %s that it can not read', async (encoding, body, message) => {
    receiver = await startReceiver();
    const json = await post(body, { 'content-encoding': encoding, 'content-type': JSON_TYPE });
    expect([json.status, JSON.parse(json.body.toString())]).toEqual([400, { code: 3, message }]);
    const proto = await post(body, { 'content-encoding': encoding });
    expect(decodeStatus(proto.body)).toEqual({ code: 3, message });
    expect(receiver.metrics.snapshot()).toMatchObject({ 'dropped traces malformed': 2 });
  });

  it('answers 400 to malformed requests and counts them', async () => {
    receiver = await startReceiver();
    const proto = await post(Buffer.of(0x7f));
    expect([proto.status, decodeStatus(proto.body)]).toEqual([
      400,
      { code: 3, message: 'proto: illegal wireType 7' },
    ]);
    for (const body of ['', '[]', '"x"', '{"resourceSpans":[', 'x']) {
      const json = await post(body, { 'content-type': JSON_TYPE });
      expect([json.status, JSON.parse(json.body.toString()).code]).toEqual([400, 3]);
    }
    expect(receiver.metrics.snapshot()).toMatchObject({
      'received traces': 6,
      'dropped traces malformed': 6,
      'undecodable_requests traces http malformed': 6,
    });
  });

  it('accepts empty requests without telling the pipeline', async () => {
    receiver = await startReceiver();
    expect((await post('')).status).toBe(200);
    for (const body of ['{}', 'null']) {
      expect((await post(body, { 'content-type': JSON_TYPE })).status).toBe(200);
    }
    expect(receiver.sink.batches).toEqual([]);
  });

  it('bounds the body, as sent, as sent in chunks, and as decompressed', async () => {
    receiver = await startReceiver({ http: { max_request_body_size: 10_000 } });
    const expected = { code: 3, message: 'http: request body too large' };
    for (const [size, connection] of [
      [50_000, undefined],
      // More than is read on for, to use the connection again.
      [400_000, 'close'],
    ] as const) {
      const body = tracesRequest(1, size);
      for (const headers of [{}, { 'transfer-encoding': 'chunked', 'content-type': PROTOBUF }]) {
        const answer = await post(body, headers);
        expect([answer.status, decodeStatus(answer.body), answer.headers.connection]).toEqual([
          400,
          expected,
          connection,
        ]);
      }
    }
    const bomb = await post(gzipSync(Buffer.alloc(50_000_000)), { 'content-encoding': 'gzip' });
    expect([bomb.status, decodeStatus(bomb.body)]).toEqual([400, expected]);
    expect(receiver.metrics.snapshot()).toMatchObject({ 'dropped traces too_large': 5 });
    expect((await post(tracesRequest(1, 9000))).status).toBe(200);
  });

  it.each(['GET', 'PUT', 'DELETE', 'OPTIONS'])('answers 405 to %s', async (method) => {
    receiver = await startReceiver();
    const answer = await send('/v1/traces', {}, '', { method });
    expect([answer.status, answer.headers['content-type'], answer.body.toString()]).toEqual([
      405,
      'text/plain',
      '405 method not allowed, supported: [POST]',
    ]);
  });

  it.each([
    '',
    'text/plain',
    'application/protobuf',
    'application/grpc',
  ])('answers 415 to type "%s"', async (type) => {
    receiver = await startReceiver();
    const answer = await send('/v1/traces', type === '' ? {} : { 'content-type': type }, 'x');
    expect([answer.status, answer.body.toString()]).toEqual([
      415,
      '415 unsupported media type, supported: [application/json, application/x-protobuf]',
    ]);
  });

  it('knows only its paths and the signals that have a pipeline', async () => {
    receiver = await startReceiver({ signals: ['traces'], http: { traces_url_path: 'otlp/t' } });
    for (const path of ['/', '/v1/traces', '/v1/logs', '/otlp/t/']) {
      const answer = await send(path, { 'content-type': PROTOBUF }, '');
      expect([answer.status, answer.body.toString(), answer.headers['x-content-type-options']]).toEqual([
        404,
        '404 page not found\n',
        'nosniff',
      ]);
    }
    expect((await send('/otlp/t', { 'content-type': PROTOBUF }, tracesRequest(1))).status).toBe(200);
    const moved = await send('//otlp/t', { 'content-type': PROTOBUF }, '');
    expect([moved.status, moved.headers.location]).toEqual([307, '/otlp/t']);
  });

  it('passes the answer of the pipeline to the client', async () => {
    receiver = await startReceiver();
    const cases: [Error, number, string | undefined, object][] = [
      [
        new RetryableError('data refused due to high memory usage'),
        503,
        undefined,
        { code: 14, message: 'data refused due to high memory usage' },
      ],
      [
        new RetryableError('Throttle (7s), error: rpc error: code = ResourceExhausted desc = boom', {
          grpcStatus: 8,
          retryAfterMs: 7000,
        }),
        429,
        '7',
        {
          code: 8,
          message: 'Throttle (7s), error: rpc error: code = ResourceExhausted desc = boom',
          details: [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '7s' }],
        },
      ],
      [new PermanentError('nope'), 500, undefined, { code: 13, message: 'Permanent error: nope' }],
      ...(
        [
          [3, 400],
          [16, 401],
          [7, 403],
          [12, 404],
          [8, 429],
          [2, 500],
          [5, 500],
        ] as const
      ).map(([grpcStatus, status]): [Error, number, undefined, object] => [
        new PermanentError('Permanent error: boom', { grpcStatus }),
        status,
        undefined,
        { code: grpcStatus, message: 'Permanent error: boom' },
      ]),
      ...[1, 4, 10, 11, 14, 15].map((grpcStatus): [Error, number, undefined, object] => [
        new RetryableError('rpc error: code = X desc = boom', { grpcStatus }),
        503,
        undefined,
        { code: grpcStatus, message: 'boom' },
      ]),
    ];
    for (const [thrown, status, retryAfter, body] of cases) {
      receiver.sink.answer = () => Promise.reject(thrown);
      const answer = await post(toJson('traces', tracesRequest(1)), { 'content-type': JSON_TYPE });
      expect([answer.status, answer.headers['retry-after'], JSON.parse(answer.body.toString())]).toEqual([
        status,
        retryAfter,
        body,
      ]);
    }
    expect(receiver.metrics.snapshot()).toMatchObject({
      'received traces': cases.length,
      'dropped traces refused': 8,
      'dropped traces rejected': 8,
    });
  });

  it('answers web pages of allowed origins', async () => {
    const cors = { allowed_origins: ['https://*.example.com'], max_age: 7200 };
    receiver = await startReceiver({ http: { cors } });
    const preflight = (origin: string, requestHeaders = 'content-type') =>
      send(
        '/v1/traces',
        {
          origin,
          'access-control-request-method': 'POST',
          'access-control-request-headers': requestHeaders,
        },
        '',
        { method: 'OPTIONS' },
      );
    const allowed = await preflight('https://shop.example.com');
    expect(allowed.status).toBe(204);
    expect(allowed.headers).toMatchObject({
      'access-control-allow-origin': 'https://shop.example.com',
      'access-control-allow-credentials': 'true',
      'access-control-allow-methods': 'POST',
      'access-control-max-age': '7200',
      vary: 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers',
    });
    for (const refused of [
      await preflight('https://evil.test'),
      await preflight('https://shop.example.com', 'x-own'),
    ]) {
      expect(refused.status).toBe(204);
      expect(refused.headers['access-control-allow-origin']).toBeUndefined();
      expect(refused.headers.vary).toContain('Origin');
    }
    const sent = await post(tracesRequest(1), { origin: 'https://shop.example.com' });
    expect(sent.headers['access-control-allow-origin']).toBe('https://shop.example.com');
    expect(receiver.sink.itemCount).toBe(1);
  });

  it('survives clients that go away in the middle of a request', async () => {
    receiver = await startReceiver();
    await new Promise<void>((resolve) => {
      const socket = connect(receiver.httpPort, '127.0.0.1', () => {
        socket.write('POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-protobuf\r\n');
        socket.write('content-length: 1000\r\n\r\nabc', () => socket.destroy());
      });
      socket.on('close', () => resolve());
    });
    expect((await post(tracesRequest(1))).status).toBe(200);
    expect(receiver.metrics.snapshot()).toEqual({
      'received traces': 1,
      'sent traces': 1,
      'transport_items traces http accepted': 1,
    });
  });
});

/** A frame with one block that is stored as it is: RFC 8878 section 3.1.1. */
function zstdFrameOf(raw: Buffer): Buffer {
  const size = Buffer.alloc(4);
  size.writeUInt32LE(raw.length);
  const block = Buffer.alloc(3);
  block.writeUIntLE((raw.length << 3) | 1, 0, 3);
  return Buffer.concat([Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0xa0]), size, block, raw]);
}

/** The same in LZ4. */
function lz4FrameOf(raw: Buffer): Buffer {
  const size = Buffer.alloc(4);
  size.writeUInt32LE((raw.length | 0x80000000) >>> 0);
  return Buffer.concat([Buffer.from([0x04, 0x22, 0x4d, 0x18, 0x60, 0x70, 0x73]), size, raw, Buffer.alloc(4)]);
}
