import { connect, createServer, type Http2Server, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import * as grpc from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeHuffman } from '../../../../src/protocols/http2/huffman.js';
import { type RecordedStep, RecordingProxy } from '../../../helpers/recording-proxy.js';
import { unaccounted, Wire, type WireOptions } from '../../../helpers/wire.js';

const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

/** Node's own HTTP/2 (nghttp2) on both ends, four requests on one connection. */
async function http2Conversation(): Promise<RecordedStep[]> {
  const server: Http2Server = createServer();
  server.on('stream', (stream: ServerHttp2Stream, headers) => {
    const path = headers[':path'] ?? '';
    stream.on('error', () => {});
    stream.resume();
    stream.on('end', () => {
      if (path.startsWith('/early')) stream.additionalHeaders({ ':status': 103, link: '</a>' });
      stream.respond({ ':status': path === '/missing' ? 404 : 200, 'x-long': 'v'.repeat(300) });
      stream.end('x'.repeat(50_000));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const proxy = await RecordingProxy.listen((server.address() as AddressInfo).port);
  const session = connect(`http://127.0.0.1:${proxy.port}`);
  const request = (headers: Record<string, string>, body?: string) =>
    new Promise<void>((resolve, reject) => {
      const stream = session.request(headers, { endStream: body === undefined });
      stream.on('error', reject);
      stream.on('close', resolve);
      stream.resume();
      if (body !== undefined) stream.end(body);
    });
  await request({ ':path': '/a?x=1', traceparent: TRACEPARENT, 'user-agent': 'test/1' });
  await Promise.all([
    request({ ':path': '/early', ':method': 'POST' }, 'y'.repeat(40_000)),
    request({ ':path': '/missing', 'user-agent': 'test/1' }),
    request({ ':path': '/a?x=2', 'x-custom': 'z'.repeat(20_000) }),
  ]);
  session.close();
  await proxy.close();
  await new Promise((resolve) => server.close(resolve));
  return proxy.steps;
}

/** grpc-js on both ends: unary, an error, server streaming, a cancelled call. */
async function grpcConversation(): Promise<RecordedStep[]> {
  const bytes = { serialize: (value: Buffer) => value, deserialize: (value: Buffer) => value };
  const method = (name: string, responseStream: boolean) => ({
    path: `/shop.Orders/${name}`,
    requestStream: false,
    responseStream,
    requestSerialize: bytes.serialize,
    requestDeserialize: bytes.deserialize,
    responseSerialize: bytes.serialize,
    responseDeserialize: bytes.deserialize,
  });
  const service = { Get: method('Get', false), Fail: method('Fail', false), Watch: method('Watch', true) };
  const server = new grpc.Server();
  server.addService(service, {
    Get: (_: unknown, reply: grpc.sendUnaryData<Buffer>) => reply(null, Buffer.from('order')),
    Fail: (_: unknown, reply: grpc.sendUnaryData<Buffer>) =>
      reply({ code: grpc.status.NOT_FOUND, details: 'no order \u00e9' }),
    Watch: (call: grpc.ServerWritableStream<Buffer, Buffer>) => {
      call.write(Buffer.from('one'));
      call.write(Buffer.from('two'));
      call.end();
    },
  });
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    ),
  );
  const proxy = await RecordingProxy.listen(port);
  const client = new grpc.Client(`127.0.0.1:${proxy.port}`, grpc.credentials.createInsecure());
  const call = (name: string) =>
    new Promise<void>((resolve) => {
      client.makeUnaryRequest(
        `/shop.Orders/${name}`,
        bytes.serialize,
        bytes.deserialize,
        Buffer.from('q'),
        () => resolve(),
      );
    });
  await call('Get');
  await call('Get');
  await call('Fail');
  await new Promise<void>((resolve) => {
    const stream = client.makeServerStreamRequest(
      '/shop.Orders/Watch',
      bytes.serialize,
      bytes.deserialize,
      Buffer.from('q'),
    );
    stream.on('data', () => {});
    stream.on('error', () => resolve());
    stream.on('end', resolve);
  });
  client.close();
  server.forceShutdown();
  await proxy.close();
  return proxy.steps;
}

function play(
  steps: readonly RecordedStep[],
  options: WireOptions = {},
  size = Number.POSITIVE_INFINITY,
): Wire {
  const wire = new Wire(options);
  for (const { from, bytes } of steps) {
    for (let at = 0; at < bytes.length; at += size) wire[from](bytes.subarray(at, at + size));
  }
  return wire.close();
}

describe('decodeHuffman', () => {
  it('decodes the examples of RFC 7541 appendix C', () => {
    const target = Buffer.alloc(100);
    const decode = (hex: string) => {
      const bytes = Buffer.from(hex, 'hex');
      const size = decodeHuffman(bytes, 0, bytes.length, target);
      return size < 0 ? undefined : target.toString('latin1', 0, size);
    };
    expect(decode('f1e3c2e5f23a6ba0ab90f4ff')).toBe('www.example.com');
    expect(decode('a8eb10649cbf')).toBe('no-cache');
    expect(decode('d07abe941054d444a8200595040b8166e082a62d1bff')).toBe('Mon, 21 Oct 2013 20:13:21 GMT');
    expect(
      decode('94e7821dd7f2e6c7b335dfdfcd5b3960d5af27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007'),
    ).toBe('foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1');
    expect(decode('ffffffff')).toBeUndefined();
  });
});

describe('Http2Parser', () => {
  let http: RecordedStep[] = [];
  let calls: RecordedStep[] = [];
  beforeAll(async () => {
    http = await http2Conversation();
    calls = await grpcConversation();
  });
  afterAll(() => {});

  it.each([Number.POSITIVE_INFINITY, 1000, 11])('reads what nghttp2 sends, in pieces of %f', (size) => {
    const wire = play(http, {}, size);
    const spans = wire.spans('server').map(({ name, protocol, attributes, exchange }) => ({
      name,
      protocol,
      path: attributes['url.path'],
      query: attributes['url.query'],
      status: attributes['http.response.status_code'],
      trace: exchange.context?.traceId,
      incomplete: exchange.incomplete,
    }));
    const by = (a: { path?: unknown; query?: unknown }, b: typeof a) =>
      `${a.path}${a.query}` < `${b.path}${b.query}` ? -1 : 1;
    const common = { protocol: 'http2', incomplete: undefined };
    expect(spans.sort(by)).toEqual(
      [
        {
          ...common,
          name: 'GET',
          path: '/a',
          query: 'x=REDACTED',
          status: 200,
          trace: TRACEPARENT.slice(3, 35),
        },
        { ...common, name: 'GET', path: '/a', query: 'x=REDACTED', status: 200, trace: undefined },
        { ...common, name: 'POST', path: '/early', query: undefined, status: 200, trace: undefined },
        { ...common, name: 'GET', path: '/missing', query: undefined, status: 404, trace: undefined },
      ]
        .sort(by)
        .map((span) => expect.objectContaining({ path: span.path, status: span.status, ...common })),
    );
    expect(wire.counters.of('http2').malformed).toBe(0);
    expect(unaccounted(wire)).toBe(0);
    const post = wire.finished.find(({ requestBytes }) => requestBytes > 40_000);
    expect(post).toBeDefined();
    expect(wire.finished.every(({ responseBytes }) => responseBytes > 50_000)).toBe(true);
  });

  it('reads gRPC calls with their status and message', () => {
    const wire = play(calls);
    const seen = (side: 'client' | 'server') =>
      wire
        .spans(side)
        .map(({ protocol, name, attributes, errorType, statusMessage, exchange }) => [
          protocol,
          name,
          attributes['rpc.response.status_code'],
          errorType,
          statusMessage,
          exchange.waiting,
        ]);
    expect(seen('client')).toEqual([
      ['grpc', 'shop.Orders/Get', 'OK', undefined, undefined, false],
      ['grpc', 'shop.Orders/Get', 'OK', undefined, undefined, false],
      ['grpc', 'shop.Orders/Fail', 'NOT_FOUND', 'NOT_FOUND', 'no order \u00e9', false],
      ['grpc', 'shop.Orders/Watch', 'OK', undefined, undefined, true],
    ]);
    expect(seen('server')[2]).toEqual(['grpc', 'shop.Orders/Fail', 'NOT_FOUND', undefined, undefined, false]);
    expect(wire.spans('client')[0]!.attributes).toMatchObject({
      'rpc.system.name': 'grpc',
      'rpc.method': 'shop.Orders/Get',
    });
  });

  it('joined in the middle, says what it knows', () => {
    const second = calls.findIndex(({ from, bytes }, i) => i > 8 && from === 'client' && bytes[3] === 1);
    expect(second).toBeGreaterThan(0);
    const wire = play(calls.slice(second), { fresh: false });
    expect(wire.counters.of('http2').connections).toBe(1);
    const spans = wire.spans('client');
    expect(spans.length).toBeGreaterThan(0);
    expect(spans.at(-1)).toMatchObject({ protocol: 'grpc', name: 'shop.Orders/Watch' });
    expect(unaccounted(wire)).toBe(0);
  });

  it('follows an upgrade from HTTP/1.1', () => {
    const settings = '\0\0\0\x04\0\0\0\0\0';
    const wire = new Wire()
      .client(
        'GET /up HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n',
      )
      .server(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n${settings}`)
      .client(`PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${settings}`)
      // :status 200, end of headers and stream
      .server('\0\0\x01\x01\x05\0\0\0\x01\x88');
    expect(
      wire
        .spans('server')
        .map(({ name, attributes }) => [
          name,
          attributes['url.path'],
          attributes['http.response.status_code'],
        ]),
    ).toEqual([['GET', '/up', 200]]);
    expect(wire.conversation.protocol).toBe('http2');
    expect(unaccounted(wire)).toBe(0);
  });

  it('says why a stream was reset', () => {
    const settings = '\0\0\0\x04\0\0\0\0\0';
    // :method GET, :scheme http, :path /
    const wire = new Wire()
      .client(`PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${settings}\0\0\x03\x01\x05\0\0\0\x01\x82\x86\x84`)
      .server(`${settings}\0\0\x04\x03\0\0\0\0\x01\0\0\0\x07`);
    expect(wire.spans().map(({ name, errorType }) => [name, errorType])).toEqual([['GET', 'REFUSED_STREAM']]);
  });
});
