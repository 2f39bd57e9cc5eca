/** Our gRPC client against servers on `node:http2`, and against peers that misbehave. */
import { once } from 'node:events';
import * as http2 from 'node:http2';
import * as net from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import type { GrpcRequest } from '../../../src/transport/grpc-call.js';
import { GrpcClient } from '../../../src/transport/grpc-client.js';
import { encodeHeaders } from '../../../src/transport/http2/hpack-encoder.js';
import { FLAG, FRAME, H2_ERROR, SETTING } from '../../../src/transport/http2/protocol.js';
import { RawPeer, setting, u32 } from './http2/support.js';

const REQUEST: GrpcRequest = {
  path: '/a.B/Export',
  metadata: [['x-key', 'value']],
  message: [Buffer.from('hel'), new Uint8Array(0), Buffer.from('lo')],
  encoding: 'identity',
  timeoutMs: 5000,
};
const OK = { ':status': 200, 'content-type': 'application/grpc' };
const framed = (bytes: Uint8Array, flag = 0): Buffer =>
  Buffer.concat([Buffer.of(flag), u32(bytes.length), bytes]);

const stops: (() => void)[] = [];

afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

async function listening(server: net.Server | http2.Http2Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  stops.push(() => server.close());
  return (server.address() as net.AddressInfo).port;
}

function clientOf(port: number): GrpcClient {
  const authority = `127.0.0.1:${port}`;
  const client = new GrpcClient({ authority, connect: { host: '127.0.0.1', port }, userAgent: 'test' });
  stops.push(() => client.close());
  return client;
}

interface Call {
  readonly stream: http2.ServerHttp2Stream;
  readonly headers: http2.IncomingHttpHeaders;
  readonly body: Buffer;
}

/** A server whose answers are given by `handler` when the request is complete. */
async function backend(
  handler: (call: Call) => void,
  settings: http2.Settings = {},
): Promise<{ port: number; sockets: net.Socket[] }> {
  const server = http2.createServer({ settings });
  const sockets: net.Socket[] = [];
  server.on('connection', (socket: net.Socket) => {
    sockets.push(socket);
    stops.push(() => socket.destroy());
  });
  server.on('stream', (stream, headers) => {
    const chunks: Buffer[] = [];
    stream.on('error', () => {});
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('end', () => handler({ stream, headers, body: Buffer.concat(chunks) }));
  });
  return { port: await listening(server), sockets };
}

function answer({ stream }: Call, body: Buffer, trailers: http2.OutgoingHttpHeaders, headers = {}): void {
  stream.respond({ ...OK, ...headers }, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers(trailers));
  stream.end(body);
}

/** A server made of frames; `act` is given each connection. */
const rawBackend = (act: (peer: RawPeer, index: number) => void): Promise<number> => {
  let count = 0;
  return listening(
    net.createServer((socket) => {
      stops.push(() => socket.destroy());
      // The client's preface is no frame.
      act(new RawPeer(socket, 24), count++);
    }),
  );
};

describe('a call', () => {
  it('sends headers, pieces as one message, and gives the response', async () => {
    const calls: Call[] = [];
    const { port } = await backend((call) => {
      calls.push(call);
      answer(call, framed(Buffer.from('yes')), { 'grpc-status': '0' });
    });
    const result = await clientOf(port).unary(REQUEST);
    expect(result).toMatchObject({ code: 0 });
    expect(Buffer.from(result.response!).toString()).toBe('yes');
    expect(calls[0]!.body).toEqual(framed(Buffer.from('hello')));
    expect(calls[0]!.headers).toMatchObject({
      ':method': 'POST',
      ':scheme': 'http',
      ':path': '/a.B/Export',
      ':authority': `127.0.0.1:${port}`,
      'content-type': 'application/grpc',
      te: 'trailers',
      'user-agent': 'test',
      'grpc-timeout': '5000m',
      'x-key': 'value',
    });
  });

  it('keeps to the windows and frame sizes of the server', async () => {
    let received: Buffer = Buffer.alloc(0);
    const { port } = await backend(
      (call) => {
        received = call.body;
        answer(call, framed(Buffer.alloc(0)), { 'grpc-status': '0' });
      },
      { initialWindowSize: 1000, maxFrameSize: 16_384 },
    );
    const message = Array.from({ length: 300 }, (_, index) => Buffer.alloc(index * 10, index));
    expect(await clientOf(port).unary({ ...REQUEST, message })).toMatchObject({ code: 0 });
    expect(received.equals(framed(Buffer.concat(message)))).toBe(true);
  });

  it('waits while the server takes no more at a time', async () => {
    const waiting: Call[] = [];
    let most = 0;
    const { port } = await backend(
      (call) => {
        waiting.push(call);
        most = Math.max(most, waiting.length);
        setImmediate(() => answer(waiting.shift()!, framed(Buffer.alloc(0)), { 'grpc-status': '0' }));
      },
      { maxConcurrentStreams: 2 },
    );
    const client = clientOf(port);
    const results = await Promise.all(Array.from({ length: 20 }, () => client.unary(REQUEST)));
    expect(results.map(({ code }) => code)).toEqual(Array.from({ length: 20 }, () => 0));
    expect(most).toBeLessThanOrEqual(2);
  });

  it('reads status, text and details of a failure', async () => {
    const { port } = await backend(({ stream }) =>
      stream.respond(
        {
          ...OK,
          'grpc-status': '8',
          'grpc-message': 'gr%C3%B6%C3%9Fer 100%25 %zz',
          'grpc-status-details-bin': Buffer.from('details').toString('base64'),
        },
        { endStream: true },
      ),
    );
    expect(await clientOf(port).unary(REQUEST)).toMatchObject({
      code: 8,
      message: 'gr\u00f6\u00dfer 100% %zz',
      details: Buffer.from('details'),
    });
  });

  it('reads a compressed response', async () => {
    const { port } = await backend((call) =>
      answer(call, framed(gzipSync('zipped'), 1), { 'grpc-status': '0' }, { 'grpc-encoding': 'gzip' }),
    );
    expect(Buffer.from((await clientOf(port).unary(REQUEST)).response!).toString()).toBe('zipped');
  });

  it.each([
    [400, 13],
    [401, 16],
    [403, 7],
    [404, 12],
    [429, 14],
    [503, 14],
    [418, 2],
    [200, 2],
  ])('understands HTTP %i without a gRPC status as %i', async (status, code) => {
    const { port } = await backend(({ stream }) => {
      stream.respond({ ':status': status, 'content-type': 'text/html' });
      stream.end('<html>');
    });
    expect((await clientOf(port).unary(REQUEST)).code).toBe(code);
  });

  it.each([
    [H2_ERROR.CANCEL, 1],
    [H2_ERROR.REFUSED_STREAM, 14],
    [H2_ERROR.ENHANCE_YOUR_CALM, 8],
    [H2_ERROR.INADEQUATE_SECURITY, 7],
    [H2_ERROR.INTERNAL_ERROR, 13],
  ])('understands a reset with %i as %i', async (reset, code) => {
    const { port } = await backend(({ stream }) => stream.close(reset));
    expect((await clientOf(port).unary(REQUEST)).code).toBe(code);
  });

  it('takes an answer that comes before the request is sent', async () => {
    const server = http2.createServer({ settings: { initialWindowSize: 10 } });
    server.on('stream', (stream) => {
      stream.on('error', () => {});
      stream.respond({ ...OK, 'grpc-status': '7', 'grpc-message': 'no' }, { endStream: true });
    });
    server.on('session', (session) => stops.push(() => session.destroy()));
    const client = clientOf(await listening(server));
    expect(await client.unary({ ...REQUEST, message: [Buffer.alloc(1e6)] })).toMatchObject({
      code: 7,
      message: 'no',
    });
  });

  it('ends at its deadline, and tells the server', async () => {
    let closed: (code: number) => void;
    const reset = new Promise<number>((resolve) => {
      closed = resolve;
    });
    const { port } = await backend(({ stream }) => stream.on('close', () => closed(stream.rstCode)));
    expect(await clientOf(port).unary({ ...REQUEST, timeoutMs: 30 })).toMatchObject({ code: 4 });
    expect(await reset).toBe(H2_ERROR.CANCEL);
  });
});

describe('a connection', () => {
  it('is made again for the next call', async () => {
    const { port, sockets } = await backend((call) =>
      answer(call, framed(Buffer.alloc(0)), { 'grpc-status': '0' }),
    );
    const client = clientOf(port);
    await client.unary(REQUEST);
    sockets[0]!.destroy();
    // One of them may meet the old connection, which is unavailable then.
    const results = [await client.unary(REQUEST), await client.unary(REQUEST)];
    expect(results.at(-1)).toMatchObject({ code: 0 });
    expect(sockets).toHaveLength(2);
  });

  it('is made again, and the call sent again, when the server went away before it saw the call', async () => {
    const port = await rawBackend(async (peer, index) => {
      peer.send(FRAME.SETTINGS, 0, 0);
      const request = await peer.frame(({ type }) => type === FRAME.HEADERS);
      if (request === undefined) return;
      if (index === 0) {
        peer.send(FRAME.GOAWAY, 0, 0, u32(0, 0));
        return;
      }
      const end = FLAG.END_HEADERS | FLAG.END_STREAM;
      const block = encodeHeaders([
        [':status', '200'],
        ['grpc-status', '0'],
      ]);
      peer.send(FRAME.HEADERS, end, request.streamId, block);
    });
    expect(await clientOf(port).unary(REQUEST)).toMatchObject({ code: 0 });
  });

  it('that breaks ends its calls as unavailable', async () => {
    const { port, sockets } = await backend(() => sockets[0]!.destroy());
    expect(await clientOf(port).unary(REQUEST)).toMatchObject({ code: 14 });
  });

  it('that nobody takes ends the calls that wait for it', async () => {
    const server = net.createServer();
    const port = await listening(server);
    server.close();
    await once(server, 'close');
    const client = clientOf(port);
    const results = await Promise.all([client.unary(REQUEST), client.unary(REQUEST)]);
    for (const { code, message } of results) {
      expect(code).toBe(14);
      expect(message).toMatch(/^No connection established\. Last error: .*ECONNREFUSED/);
    }
  });

  it.each([
    ['HTTP/1', Buffer.from('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n')],
    ['nothing', Buffer.alloc(0)],
    ['a push', Buffer.from('000000040000000000' + '00000405000000000100000002', 'hex')],
  ])('with a server that speaks %s ends its calls as unavailable', async (_, bytes) => {
    const port = await rawBackend((peer) => {
      if (bytes.length > 0) peer.raw(bytes);
      else peer.socket.end();
    });
    expect(await clientOf(port).unary(REQUEST)).toMatchObject({ code: 14 });
  });

  it('that says nothing until a call gives up makes a new connection for the next', async () => {
    const calls: number[] = [];
    const port = await rawBackend(async (peer, index) => {
      peer.send(FRAME.SETTINGS, 0, 0, Buffer.alloc(0));
      await peer.frame(({ type }) => type === FRAME.HEADERS);
      calls.push(index);
    });
    const client = clientOf(port);
    for (let i = 0; i < 2; i++) {
      expect(await client.unary({ ...REQUEST, timeoutMs: 200 })).toMatchObject({ code: 4 });
    }
    await expect.poll(() => calls).toEqual([0, 1]);
  });

  it('that is only slow keeps its connection', async () => {
    const { port, sockets } = await backend((call) => {
      call.stream.session?.ping(() => {});
    });
    const client = clientOf(port);
    for (let i = 0; i < 2; i++) {
      expect(await client.unary({ ...REQUEST, timeoutMs: 200 })).toMatchObject({ code: 4 });
    }
    expect(sockets).toHaveLength(1);
  });

  it('that is closed ends its calls, and takes no more', async () => {
    const { port } = await backend(() => {});
    const client = clientOf(port);
    const running = client.unary(REQUEST);
    client.close();
    expect((await running).code).toBe(1);
    expect((await client.unary(REQUEST)).code).toBe(14);
  });

  it('announces that it has no table where the server has none', async () => {
    let first: number | undefined;
    const port = await rawBackend(async (peer) => {
      peer.send(FRAME.SETTINGS, 0, 0, setting(SETTING.HEADER_TABLE_SIZE, 0));
      first = (await peer.frame(({ type }) => type === FRAME.HEADERS))?.payload[0];
      peer.socket.destroy();
    });
    await clientOf(port).unary(REQUEST);
    expect(first).toBe(0x20);
  });
});
