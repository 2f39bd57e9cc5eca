/**
 * Whatever a client sends, a server's connection answers, resets or ends; it never throws out of its events, and it holds no
 * call that is over. The same for what a server may send to a client.
 *
 * `FUZZ_ROUNDS` and `FUZZ_SEED` make the run longer or different; a failure names its seed.
 */

import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { expect, test } from 'vitest';
import { Http2Connection } from '../../../src/transport/http2/connection.js';
import { encodeHeaders } from '../../../src/transport/http2/hpack-encoder.js';
import { FLAG, FRAME, frameOf, Http2Error, PREFACE } from '../../../src/transport/http2/protocol.js';
import { Random } from '../../unit/otlp/support/random.js';

const ROUNDS = Number(process.env.FUZZ_ROUNDS ?? 1500);
const SEED = Number(process.env.FUZZ_SEED ?? 1);

/** A socket whose other end is the test: takes everything, keeps nothing. */
class Pipe extends Duplex {
  setNoDelay(): this {
    return this;
  }
  setTimeout(): this {
    return this;
  }
  destroySoon(): void {
    this.destroy();
  }
  override _read(): void {}
  override _write(_chunk: Buffer, _encoding: string, done: () => void): void {
    done();
  }
  override _writev(_chunks: unknown, done: () => void): void {
    done();
  }
}

const REQUEST = encodeHeaders([
  [':method', 'POST'],
  [':scheme', 'http'],
  [':path', '/a.B/C'],
  ['x', 'y'.repeat(300)],
]);
const RESPONSE = encodeHeaders([
  [':status', '200'],
  ['grpc-status', '0'],
]);

/** Settings and a request whose body is to come. */
const OPENING = [
  frameOf(FRAME.SETTINGS, 0, 0, new Uint8Array(0)),
  frameOf(FRAME.HEADERS, FLAG.END_HEADERS, 1, REQUEST),
];

/** Frames that mostly make sense, in an order that need not, with bytes that were changed afterwards. */
function conversation(random: Random, block: Buffer, start: Buffer[]): Buffer {
  const frames = [...start, frameOf(FRAME.SETTINGS, 0, 0, new Uint8Array(0))];
  for (let count = random.int(1, 12); count > 0; count--) {
    const id = random.pick([1, 1, 1, 3, 3, 5, 0, 2]);
    const payload = Buffer.from(Array.from({ length: random.int(0, 40) }, () => random.int(0, 255)));
    const kind = random.int(0, 11);
    if (kind < 4) frames.push(frameOf(FRAME.HEADERS, FLAG.END_HEADERS | random.int(0, 1), id, block));
    else if (kind < 7)
      frames.push(frameOf(FRAME.DATA, random.int(0, 1) | (random.int(0, 1) * FLAG.PADDED), id, payload));
    else if (kind < 9)
      frames.push(frameOf(random.int(0, 10), random.int(0, 255), id, payload.subarray(0, 8)));
    else
      frames.push(
        frameOf(
          random.int(2, 9),
          0,
          random.int(0, 1) * id,
          Buffer.alloc([4, 5, 6, 8][random.int(0, 3)]!, random.int(0, 2)),
        ),
      );
  }
  const bytes = Buffer.concat(frames);
  for (let count = random.int(0, 3); count > 0; count--)
    bytes[random.int(0, bytes.length - 1)] = random.int(0, 255);
  return bytes;
}

function feed(pipe: Pipe, bytes: Buffer, random: Random): void {
  for (let at = 0; at < bytes.length; ) {
    const end = Math.min(bytes.length, at + random.int(1, 200));
    pipe.emit('data', bytes.subarray(at, end));
    at = end;
  }
}

test('a server survives its clients', () => {
  let requests = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const random = new Random(SEED + round);
    const pipe = new Pipe();
    const open = new Set<number>();
    const connection: Http2Connection = new Http2Connection(pipe as unknown as Socket, {
      role: 'server',
      streamWindowBytes: 65_535,
      connectionWindowBytes: 65_535,
      maxConcurrentStreams: 3,
      events: {
        onRequest: (stream) => {
          requests++;
          open.add(stream.id);
          return {
            onData: (chunk, start, end) => expect(start < end && end <= chunk.length).toBe(true),
            onEnd: () => connection.respond(stream, RESPONSE, Buffer.alloc(random.int(0, 100_000)), RESPONSE),
            onClose: () => expect(open.delete(stream.id), `seed ${SEED + round}`).toBe(true),
          };
        },
        onError: (error) => expect(error, `seed ${SEED + round}`).toBeInstanceOf(Http2Error),
        onClose: () => {},
      },
    });
    feed(pipe, conversation(random, REQUEST, [PREFACE, ...OPENING]), random);
    connection.destroy();
    expect([...open], `seed ${SEED + round}`).toEqual([]);
  }
  expect(requests).toBeGreaterThan(ROUNDS / 2);
});

test('a client survives its servers', () => {
  let answers = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const random = new Random(SEED + round);
    const pipe = new Pipe();
    let open = 0;
    const connection = new Http2Connection(pipe as unknown as Socket, {
      role: 'client',
      streamWindowBytes: 65_535,
      connectionWindowBytes: 65_535,
      maxConcurrentStreams: 0,
      events: {
        onRoom: () => {
          for (; connection.hasRoom && open < 3; open++) {
            let isClosed = false;
            connection.request(REQUEST, [Buffer.alloc(random.int(0, 100_000))], {
              onHeaders: () => answers++,
              onData: (chunk, start, end) => expect(start < end && end <= chunk.length).toBe(true),
              onEnd: () => {},
              onClose: () => {
                expect(isClosed, `seed ${SEED + round}`).toBe(false);
                isClosed = true;
                open -= 1;
              },
            });
          }
        },
        onError: (error) => expect(error, `seed ${SEED + round}`).toBeInstanceOf(Http2Error),
        onClose: () => {},
      },
    });
    feed(pipe, conversation(random, RESPONSE, []), random);
    connection.destroy();
    expect(open, `seed ${SEED + round}`).toBe(0);
  }
  expect(answers).toBeGreaterThan(ROUNDS / 10);
});
