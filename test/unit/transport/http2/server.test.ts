/** The server's end of HTTP/2 against a client that says what no library would say. */
import * as http2 from 'node:http2';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ByteBudget } from '../../../../src/transport/byte-budget.js';
import { GrpcServer } from '../../../../src/transport/grpc-server.js';
import { encodeHeaders } from '../../../../src/transport/http2/hpack-encoder.js';
import { FLAG, FRAME, H2_ERROR, SETTING } from '../../../../src/transport/http2/protocol.js';
import { RawPeer, setting, u32 } from './support.js';

const UNLIMITED = {
  maxConnectionIdleMs: 0,
  maxConnectionAgeMs: 0,
  maxConnectionAgeGraceMs: 0,
  timeMs: 0,
  timeoutMs: 0,
  minPingIntervalMs: 0,
  permitWithoutStream: true,
};
const HEADERS: [string, string][] = [
  [':method', 'POST'],
  [':scheme', 'http'],
  [':path', '/a.B/Echo'],
  ['content-type', 'application/grpc'],
];
const REQUEST = encodeHeaders(HEADERS);
const ALL = FLAG.END_HEADERS | FLAG.END_STREAM;

/** A gRPC message in its frame. */
const message = (bytes: Uint8Array): Buffer => Buffer.concat([Buffer.of(0), u32(bytes.length), bytes]);

let server: GrpcServer;
let peer: RawPeer;
let seen: Uint8Array[];
let errors: Error[];
let hold: Promise<void> | undefined;

beforeEach(async () => {
  seen = [];
  errors = [];
  hold = undefined;
  server = new GrpcServer({
    listen: { host: '127.0.0.1', port: 0 },
    methods: new Map([
      [
        '/a.B/Echo',
        {
          handle: async (bytes) => {
            seen.push(bytes);
            await hold;
            return bytes;
          },
          refused: () => {},
        },
      ],
    ]),
    maxMessageBytes: 64 * 1024 * 1024,
    maxConcurrentStreams: 2,
    keepalive: UNLIMITED,
    budget: new ByteBudget(1e9),
    onPeerError: (error) => errors.push(error),
  });
  await server.start();
  peer = await RawPeer.client((server.address as AddressInfo).port);
});

afterEach(async () => {
  peer.socket.destroy();
  await server.shutdown(AbortSignal.abort());
});

const answered = (streamId: number) =>
  peer.frame(
    (frame) =>
      frame.streamId === streamId && frame.type === FRAME.HEADERS && (frame.flags & FLAG.END_STREAM) !== 0,
  );

describe('takes', () => {
  it('a request byte by byte, with padding, priority, cut headers, unknown frames and trailers', async () => {
    const bytes = Buffer.from('hello');
    peer.trickles = true;
    peer.socket.setNoDelay(true);
    peer.open();
    peer.send(0x42, 0xff, 7, Buffer.from('unknown'));
    const padded = Buffer.concat([
      Buffer.of(3),
      u32(0),
      Buffer.of(16),
      REQUEST.subarray(0, 9),
      Buffer.alloc(3),
    ]);
    peer.send(FRAME.HEADERS, FLAG.PADDED | FLAG.PRIORITY, 1, padded);
    peer.send(FRAME.CONTINUATION, 0, 1, REQUEST.subarray(9, 12));
    peer.send(FRAME.CONTINUATION, FLAG.END_HEADERS, 1, REQUEST.subarray(12));
    peer.send(FRAME.PRIORITY, 0, 1, Buffer.alloc(5));
    const body = message(bytes);
    peer.send(
      FRAME.DATA,
      FLAG.PADDED,
      1,
      Buffer.concat([Buffer.of(4), body.subarray(0, 3), Buffer.alloc(4)]),
    );
    peer.send(FRAME.DATA, 0, 1);
    peer.send(FRAME.DATA, FLAG.PADDED, 1, Buffer.of(0));
    peer.send(FRAME.DATA, 0, 1, body.subarray(3));
    peer.send(FRAME.HEADERS, ALL, 1, encodeHeaders([['x-trailer', '1']]));
    expect(await answered(1)).toBeDefined();
    expect(seen.map((one) => Buffer.from(one).toString())).toEqual(['hello']);
    expect(errors).toEqual([]);
  });

  it('a message that is larger than its windows, giving them back', async () => {
    const session = http2.connect(`http://127.0.0.1:${(server.address as AddressInfo).port}`);
    const body = Buffer.alloc(20 * 1024 * 1024, 'x');
    const stream = session.request(Object.fromEntries(HEADERS));
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk)).end(message(body));
    await new Promise((resolve) => stream.on('close', resolve));
    session.destroy();
    expect(Buffer.concat(chunks).equals(message(body))).toBe(true);
  });

  it('no more of its answer than the client gave room for', async () => {
    peer.open(
      Buffer.concat([setting(SETTING.INITIAL_WINDOW_SIZE, 4), setting(SETTING.HEADER_TABLE_SIZE, 0)]),
    );
    peer
      .send(FRAME.HEADERS, FLAG.END_HEADERS, 1, REQUEST)
      .send(FRAME.DATA, 1, 1, message(Buffer.from('hello')));
    const data = () =>
      Buffer.concat(peer.frames.filter(({ type }) => type === FRAME.DATA).map(({ payload }) => payload));
    const headers = await peer.frame(({ type }) => type === FRAME.HEADERS);
    // The table is said to be empty (RFC 7541, section 4.2).
    expect(headers?.payload[0]).toBe(0x20);
    await peer.frame(({ type }) => type === FRAME.DATA);
    peer.send(FRAME.PING, 0, 0, Buffer.alloc(8));
    await peer.frame(({ type, flags }) => type === FRAME.PING && flags === FLAG.ACK);
    expect(data()).toEqual(message(Buffer.from('hello')).subarray(0, 4));
    peer.send(FRAME.WINDOW_UPDATE, 0, 1, u32(100));
    await answered(1);
    expect(data()).toEqual(message(Buffer.from('hello')));
  });

  it('an empty message', async () => {
    peer
      .open()
      .send(FRAME.HEADERS, FLAG.END_HEADERS, 1, REQUEST)
      .send(FRAME.DATA, 1, 1, message(Buffer.alloc(0)));
    await answered(1);
    expect(seen).toHaveLength(1);
    expect(seen[0]).toHaveLength(0);
  });
});

describe('refuses the stream and keeps the connection', () => {
  const reset = async (streamId: number): Promise<number | undefined> =>
    (
      await peer.frame((frame) => frame.type === FRAME.RST_STREAM && frame.streamId === streamId)
    )?.payload.readUInt32BE(0);

  it('when there are too many', async () => {
    let release = (): void => {};
    hold = new Promise((resolve) => {
      release = resolve;
    });
    peer.open();
    for (const id of [1, 3, 5]) {
      peer.send(FRAME.HEADERS, FLAG.END_HEADERS, id, REQUEST).send(FRAME.DATA, 1, id, message(Buffer.of(id)));
    }
    expect(await reset(5)).toBe(H2_ERROR.REFUSED_STREAM);
    release();
    await Promise.all([answered(1), answered(3)]);
    expect(seen.map(([byte]) => byte)).toEqual([1, 3]);
  });

  it.each([
    [
      'a missing path',
      [
        [':method', 'POST'],
        [':scheme', 'http'],
      ],
    ],
    ['a header of HTTP/1', [...HEADERS, ['connection', 'close']]],
    ['a name in capitals', [...HEADERS, ['X', 'y']]],
  ] as [string, [string, string][]][])('for %s', async (_, headers) => {
    peer.open().send(FRAME.HEADERS, FLAG.END_HEADERS, 1, encodeHeaders(headers));
    expect(await reset(1)).toBe(H2_ERROR.PROTOCOL_ERROR);
    peer.send(FRAME.HEADERS, FLAG.END_HEADERS, 3, REQUEST).send(FRAME.DATA, 1, 3, message(Buffer.of(1)));
    await answered(3);
  });

  it('for a window beyond 2^31', async () => {
    peer.open().send(FRAME.HEADERS, FLAG.END_HEADERS, 1, REQUEST);
    peer.send(FRAME.WINDOW_UPDATE, 0, 1, u32(0x7fff_ffff));
    expect(await reset(1)).toBe(H2_ERROR.FLOW_CONTROL_ERROR);
  });

  it('for data behind the end', async () => {
    let release = (): void => {};
    hold = new Promise((resolve) => {
      release = resolve;
    });
    peer
      .open()
      .send(FRAME.HEADERS, FLAG.END_HEADERS, 1, REQUEST)
      .send(FRAME.DATA, 1, 1, message(Buffer.of(1)));
    peer.send(FRAME.DATA, 0, 1, Buffer.from('more'));
    expect(await reset(1)).toBe(H2_ERROR.STREAM_CLOSED);
    release();
  });
});

describe('ends the connection', () => {
  const settings = (payload: Buffer) => (): unknown => peer.open(payload);
  const frame =
    (type: number, flags: number, id: number, payload: Buffer = Buffer.alloc(0)) =>
    (): unknown =>
      peer.open().send(type, flags, id, payload);

  it.each<[string, number, () => unknown]>([
    ['another protocol', H2_ERROR.PROTOCOL_ERROR, () => peer.raw(Buffer.from('GET / HTTP/1.1\r\n\r\n'))],
    [
      'no settings',
      H2_ERROR.PROTOCOL_ERROR,
      () => peer.raw(Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')).send(FRAME.PING, 0, 0, Buffer.alloc(8)),
    ],
    [
      'a frame that is too long',
      H2_ERROR.FRAME_SIZE_ERROR,
      () => peer.open().raw(Buffer.from('004001000400000001', 'hex')),
    ],
    ['settings of half an entry', H2_ERROR.FRAME_SIZE_ERROR, settings(Buffer.alloc(3))],
    [
      'a window beyond 2^31',
      H2_ERROR.FLOW_CONTROL_ERROR,
      settings(setting(SETTING.INITIAL_WINDOW_SIZE, 0x8000_0000)),
    ],
    ['frames below 2^14', H2_ERROR.PROTOCOL_ERROR, settings(setting(SETTING.MAX_FRAME_SIZE, 100))],
    ['push neither on nor off', H2_ERROR.PROTOCOL_ERROR, settings(setting(SETTING.ENABLE_PUSH, 2))],
    ['settings of a stream', H2_ERROR.PROTOCOL_ERROR, frame(FRAME.SETTINGS, 0, 1)],
    ['data before headers', H2_ERROR.PROTOCOL_ERROR, frame(FRAME.DATA, 0, 1, Buffer.of(1))],
    [
      'padding without room for it',
      H2_ERROR.PROTOCOL_ERROR,
      frame(FRAME.DATA, FLAG.PADDED, 1, Buffer.of(9, 0)),
    ],
    ['padding without its length', H2_ERROR.FRAME_SIZE_ERROR, frame(FRAME.DATA, FLAG.PADDED, 1)],
    ['headers of no stream', H2_ERROR.PROTOCOL_ERROR, frame(FRAME.HEADERS, ALL, 0, REQUEST)],
    ['headers of an even stream', H2_ERROR.PROTOCOL_ERROR, frame(FRAME.HEADERS, ALL, 2, REQUEST)],
    ['headers that are no HPACK', H2_ERROR.COMPRESSION_ERROR, frame(FRAME.HEADERS, ALL, 1, Buffer.of(0x80))],
    ['a continuation of nothing', H2_ERROR.PROTOCOL_ERROR, frame(FRAME.CONTINUATION, FLAG.END_HEADERS, 1)],
    ['a push', H2_ERROR.PROTOCOL_ERROR, frame(FRAME.PUSH_PROMISE, 0, 1, u32(2))],
    ['a ping of 7 bytes', H2_ERROR.FRAME_SIZE_ERROR, frame(FRAME.PING, 0, 0, Buffer.alloc(7))],
    ['a reset of nothing', H2_ERROR.PROTOCOL_ERROR, frame(FRAME.RST_STREAM, 0, 1, u32(8))],
    ['a window update of 0', H2_ERROR.PROTOCOL_ERROR, frame(FRAME.WINDOW_UPDATE, 0, 0, u32(0))],
    [
      'a window beyond 2^31 by updates',
      H2_ERROR.FLOW_CONTROL_ERROR,
      frame(FRAME.WINDOW_UPDATE, 0, 0, u32(0x7fff_ffff)),
    ],
  ])('for %s', async (_, code, act) => {
    act();
    expect((await peer.goaway())?.code).toBe(code);
    await peer.frame(() => false);
    expect(errors).toHaveLength(1);
  });

  it('for another frame amid cut headers', async () => {
    peer.open().send(FRAME.HEADERS, 0, 1, REQUEST).send(FRAME.DATA, 0, 1, Buffer.of(1));
    expect((await peer.goaway())?.code).toBe(H2_ERROR.PROTOCOL_ERROR);
  });

  it('for headers without end', async () => {
    peer.open().send(FRAME.HEADERS, 0, 1, REQUEST);
    for (let count = 0; count < 10_000; count++) peer.send(FRAME.CONTINUATION, 0, 1);
    expect((await peer.goaway())?.code).toBe(H2_ERROR.ENHANCE_YOUR_CALM);
  });

  it('for streams that are opened and reset, again and again', async () => {
    peer.open();
    for (let id = 1; id < 4000; id += 2) {
      peer
        .send(FRAME.HEADERS, FLAG.END_HEADERS, id, REQUEST)
        .send(FRAME.RST_STREAM, 0, id, u32(H2_ERROR.CANCEL));
    }
    expect((await peer.goaway())?.code).toBe(H2_ERROR.ENHANCE_YOUR_CALM);
    expect(seen).toEqual([]);
  });

  it('gracefully on shutdown: the running call is answered, a later one is not taken', async () => {
    let release = (): void => {};
    hold = new Promise((resolve) => {
      release = resolve;
    });
    peer
      .open()
      .send(FRAME.HEADERS, FLAG.END_HEADERS, 1, REQUEST)
      .send(FRAME.DATA, 1, 1, message(Buffer.of(1)));
    peer.send(FRAME.PING, 0, 0, Buffer.alloc(8));
    await peer.frame(({ type, flags }) => type === FRAME.PING && flags === FLAG.ACK);
    const stopped = server.shutdown(AbortSignal.timeout(5000));
    expect(await peer.goaway()).toEqual({ code: H2_ERROR.NO_ERROR, text: '' });
    expect((await peer.frame(({ type }) => type === FRAME.GOAWAY))?.payload.readUInt32BE(0)).toBe(1);
    peer.send(FRAME.HEADERS, FLAG.END_HEADERS, 3, REQUEST).send(FRAME.DATA, 1, 3, message(Buffer.of(3)));
    release();
    expect(await answered(1)).toBeDefined();
    await stopped;
    await peer.frame(() => false);
    expect(seen).toHaveLength(1);
  });
});
