import { describe, expect, it } from 'vitest';
import { type TlsEvidence, TlsJoin } from '../../../../src/observer/tls/tls-join.js';
import type { TlsDataRecord } from '../../../../src/observer/tls/tls-records.js';
import type { NetDataRecord, SocketTuple } from '../../../../src/observer/types.js';

const TUPLE: SocketTuple = {
  family: 'inet',
  localAddress: '10.0.0.1',
  localPort: 443,
  remoteAddress: '10.0.0.2',
  remotePort: 5000,
};
const THREAD = 7;
const HANDSHAKE = '160301000401000000';
/** A ServerHello of TLS 1.3: version, random, no session id, cipher, extension 43. */
const SERVER_HELLO = `160303003002000000${'0303'}${'00'.repeat(32)}00130100${'0006002b00020304'}`;
const APPLICATION = '1703030400';

/** A join, what came out of it, and the events of one thread in their order. */
class Scene {
  readonly plaintext: {
    cookie: number;
    text: string;
    turn: number;
    position: number;
    evidence?: TlsEvidence;
  }[] = [];
  readonly closed: { cookie: number; turns: number }[] = [];
  readonly handshakes: number[] = [];
  readonly inClear: number[] = [];
  time = 1000;
  readonly join = new TlsJoin(64, {
    plaintext: ({ socketCookie, bytes, payloadStart, payloadEnd, turn, position }) => {
      const text = bytes.toString('latin1', payloadStart, payloadEnd);
      const evidence = this.join.viewOf(socketCookie)?.evidence;
      this.plaintext.push({ cookie: socketCookie, text, turn, position, ...(evidence ? { evidence } : {}) });
    },
    closed: ({ socketCookie, turns }) => {
      this.closed.push({ cookie: socketCookie, turns });
    },
    handshake: (tgid) => {
      this.handshakes.push(tgid);
    },
    inClear: (cookie) => {
      this.inClear.push(cookie);
    },
  });

  moved(cookie: number, egress: boolean, hex: string, more: Partial<NetDataRecord> = {}): void {
    const bytes = Buffer.from(hex, 'hex');
    this.join.netData({
      time: this.time++,
      tgid: 70,
      tid: THREAD,
      socketCookie: cookie,
      position: 5000,
      length: 2000,
      turn: 1,
      egress,
      continuation: false,
      noMemory: false,
      shed: false,
      repeatsTail: false,
      transport: 'tcp',
      role: 2,
      tuple: TUPLE,
      bytes,
      payloadStart: 0,
      payloadEnd: bytes.length,
      tailStart: 0,
      ...more,
    });
  }

  /** A call that began `started` events ago. */
  call(
    session: number,
    egress: boolean,
    text: string,
    turn: number,
    more: Partial<TlsDataRecord> = {},
  ): void {
    const bytes = Buffer.from(`........${text}`);
    const start = more.start ?? this.time++;
    this.join.tlsData({
      start,
      time: this.time++,
      tgid: 70,
      tid: THREAD,
      session,
      socketCookie: 0,
      position: 0,
      length: text.length,
      turn,
      egress,
      library: 1,
      bytes,
      payloadStart: 8,
      payloadEnd: bytes.length,
      tailStart: 0,
      ...more,
    });
    bytes.fill(0); // the slab is used again
  }

  close(cookie: number): void {
    this.join.netClose({
      time: this.time++,
      tgid: 70,
      socketCookie: cookie,
      bytesSent: 0,
      bytesReceived: 0,
      turns: 99,
      error: 0,
      tuple: TUPLE,
    });
  }
}

describe('TlsJoin', () => {
  it('says once that a socket needs no ciphertext any more, when its handshake is over', () => {
    const scene = new Scene();
    scene.moved(1, false, HANDSHAKE);
    let start = scene.time++;
    scene.moved(1, false, HANDSHAKE);
    scene.call(9, false, 'early', 1, { start });
    expect(scene.inClear).toEqual([]);
    for (const text of ['GET', 'POST']) {
      start = scene.time++;
      scene.moved(1, false, APPLICATION);
      scene.call(9, false, text, 1, { start });
    }
    // Lengths alone still tell which call moved what.
    start = scene.time++;
    scene.moved(1, false, '', { length: 60 });
    scene.call(9, false, 'PUT', 1, { start });
    expect(scene.inClear).toEqual([1]);
    expect(scene.plaintext.map(({ text }) => text)).toEqual(['early', 'GET', 'POST', 'PUT']);
  });

  it('takes the socket whose bytes the thread moved inside the call', () => {
    const scene = new Scene();
    scene.moved(1, false, HANDSHAKE);
    scene.moved(2, false, HANDSHAKE);
    const start = scene.time++;
    scene.moved(1, false, APPLICATION);
    scene.call(9, false, 'GET', 1, { start });
    // Later calls find everything in the library's buffer, whatever the thread has done between.
    scene.moved(2, false, APPLICATION);
    scene.call(9, false, 'POST', 1);
    expect(scene.plaintext).toMatchObject([
      { cookie: 1, text: 'GET', evidence: 'call' },
      { cookie: 1, text: 'POST', evidence: 'call' },
    ]);
  });

  it('takes what the thread received last when the program moves the ciphertext itself', () => {
    const scene = new Scene();
    scene.moved(1, false, HANDSHAKE);
    scene.moved(2, false, HANDSHAKE);
    scene.call(8, false, 'two', 1);
    scene.moved(1, false, APPLICATION);
    scene.call(9, false, 'one', 1);
    scene.moved(2, true, APPLICATION);
    scene.call(9, true, 'answer', 2);
    expect(scene.plaintext).toMatchObject([
      { cookie: 2, text: 'two', evidence: 'order' },
      { cookie: 1, text: 'one' },
      { cookie: 1, text: 'answer' },
    ]);
  });

  it('keeps what a client writes until the thread sends it, in order', () => {
    const scene = new Scene();
    scene.moved(1, true, HANDSHAKE);
    scene.moved(2, true, HANDSHAKE);
    scene.call(9, true, 'GET / ', 1);
    scene.call(9, true, 'HTTP/1.1', 1);
    expect(scene.plaintext).toEqual([]);
    scene.moved(2, true, APPLICATION, { length: 40 });
    expect(scene.plaintext).toMatchObject([
      { cookie: 2, text: 'GET / ' },
      { cookie: 2, text: 'HTTP/1.1' },
    ]);
  });

  it('does not believe in a socket that sent less than was written, is taken, or is no TLS', () => {
    const scene = new Scene();
    scene.moved(1, true, HANDSHAKE);
    scene.call(9, true, 'x'.repeat(100), 1);
    scene.moved(1, true, APPLICATION, { length: 90 });
    expect(scene.plaintext).toEqual([]);

    const other = new Scene();
    other.moved(1, false, HANDSHAKE);
    other.call(8, false, 'mine', 1);
    other.call(9, false, 'not mine', 1);
    other.moved(3, false, Buffer.from('GET / HTTP/1.1').toString('hex'));
    expect(other.plaintext.map(({ text }) => text)).toEqual(['mine']);
    expect(other.join.stats()).toMatchObject({ tls_connections_held: 1, tls_connections_in_clear_held: 1 });
  });

  it('follows the descriptor of Go on whichever thread', () => {
    const scene = new Scene();
    scene.moved(1, false, HANDSHAKE);
    scene.moved(2, false, HANDSHAKE);
    scene.call(9, false, 'GET', 1, { socketCookie: 1, tid: 55, library: 3 });
    expect(scene.plaintext).toMatchObject([{ cookie: 1, text: 'GET', evidence: 'descriptor' }]);
    expect(scene.join.viewOf(1)).toMatchObject({ library: 'go', confidence: 1 });
    // Without one the thread is no evidence: goroutines change theirs.
    scene.moved(2, false, APPLICATION);
    scene.call(10, false, 'PUT', 1, { library: 3, start: 0 });
    expect(scene.plaintext).toHaveLength(1);
  });

  it('counts positions from the position on the wire, which both ends know', () => {
    const scene = new Scene();
    scene.moved(1, false, HANDSHAKE, { position: 0xffff_fff0 });
    scene.call(9, false, 'GET', 1, { position: 0x20 });
    expect(scene.plaintext[0]?.position).toBe(0x10);
  });

  it('learns the version also from a ServerHello that is read header by header', () => {
    const whole = new Scene();
    whole.moved(1, true, HANDSHAKE);
    whole.moved(1, false, SERVER_HELLO);
    whole.call(9, false, 'x', 1);
    expect(whole.join.viewOf(1)?.version).toBe('1.3');

    const pieces = new Scene();
    pieces.moved(1, true, HANDSHAKE);
    pieces.moved(1, false, SERVER_HELLO.slice(0, 10));
    pieces.moved(1, false, SERVER_HELLO.slice(10));
    pieces.call(9, false, 'x', 1);
    expect(pieces.join.viewOf(1)?.version).toBe('1.3');
  });

  it('ends the stream with the socket, with the turns that the session counted', () => {
    const scene = new Scene();
    scene.moved(1, false, HANDSHAKE);
    scene.call(9, false, 'GET', 1);
    scene.join.tlsClose({ time: scene.time++, tgid: 70, session: 9, turns: 4 });
    scene.close(1);
    expect(scene.closed).toEqual([{ cookie: 1, turns: 4 }]);
    expect(scene.join.stats()).toMatchObject({ tls_connections_held: 0 });
  });

  it('begins a new stream when a session is put on another socket', () => {
    const scene = new Scene();
    for (const [cookie, turn] of [
      [1, 1],
      [2, 3],
    ] as const) {
      const start = scene.time++;
      scene.moved(cookie, false, HANDSHAKE);
      scene.call(9, false, `on ${cookie}`, turn, { start });
    }
    expect(scene.closed).toEqual([{ cookie: 1, turns: 1 }]);
    expect(scene.plaintext).toMatchObject([
      { cookie: 1, turn: 1 },
      { cookie: 2, turn: 1 },
    ]);
  });

  it('bounds what waits for a socket and counts the rest', () => {
    const scene = new Scene();
    for (let session = 1; session <= 200; session++) {
      for (let i = 0; i < 20; i++) scene.call(session, true, 'lost', 1);
    }
    // 64 sessions are remembered, with 16 records each.
    expect(scene.join.unjoined).toBe(200 * 20 - 64 * 16);
    expect(scene.plaintext).toEqual([]);
  });

  it('tells which processes speak TLS, also when their handshake is over', () => {
    const scene = new Scene();
    scene.moved(1, false, APPLICATION);
    scene.moved(2, false, Buffer.from('PING').toString('hex'));
    expect(scene.handshakes).toEqual([70]);
  });
});
