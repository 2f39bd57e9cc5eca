import { describe, expect, it } from 'vitest';
import { DEFAULT_LIMITS } from '../../../src/observer/connections.js';
import {
  dataRecord,
  errorRecord,
  exitRecord,
  type TestTuple,
  turnsRecord,
} from '../../helpers/kernel-records.js';
import { InlineObserver } from '../../helpers/observer.js';

const SECOND = 1e9;
const CLIENT = 100;
const SERVER = 200;

/** A DNS message for `name`, type A; an answer has `rcode` and, when that is 0, the address 10.0.0.9. */
function dns(id: number, name: string, rcode?: number): Buffer {
  const labels = name.split('.').flatMap((label) => [label.length, ...Buffer.from(label)]);
  const question = Buffer.from([...labels, 0, 0, 1, 0, 1]);
  const header = Buffer.alloc(12);
  header.writeUInt16BE(id, 0);
  header.writeUInt16BE(rcode === undefined ? 0x0100 : 0x8180 | rcode, 2);
  header.writeUInt16BE(1, 4);
  if (rcode !== 0) return Buffer.concat([header, question]);
  header.writeUInt16BE(1, 6);
  return Buffer.concat([header, question, Buffer.from('c00c000100010000003c00040a000009', 'hex')]);
}

/** A UDP socket that numbers its datagrams as the kernel does. */
class Socket {
  readonly #observer: InlineObserver;
  readonly #cookie: number;
  readonly #tgid: number;
  readonly #local: readonly [string, number];
  #sent = 0;
  #received = 0;
  turn = 0;

  constructor(observer: InlineObserver, cookie: number, tgid: number, local: readonly [string, number]) {
    this.#observer = observer;
    this.#cookie = cookie;
    this.#tgid = tgid;
    this.#local = local;
  }

  send(remote: readonly [string, number], payload: Buffer, seen = true, captured?: number): void {
    this.#move(true, this.#sent++, remote, payload, seen, captured);
  }

  receive(remote: readonly [string, number], payload: Buffer, seen = true, captured?: number): void {
    this.#move(false, this.#received++, remote, payload, seen, captured);
  }

  fail(remote: readonly [string, number], error: number): void {
    this.#give(
      errorRecord({
        cookie: this.#cookie,
        error,
        egress: false,
        time: this.#time,
        tuple: this.#tuple(remote),
      }),
    );
  }

  note(): void {
    this.#give(turnsRecord({ cookie: this.#cookie, turns: this.turn, tuple: this.#tuple(['0.0.0.0', 0]) }));
  }

  get #time(): number {
    this.#observer.model.time += 1000;
    return this.#observer.model.time;
  }

  #tuple(remote: readonly [string, number]): TestTuple {
    return { local: this.#local, remote, transport: 'udp' };
  }

  #move(
    egress: boolean,
    position: number,
    remote: readonly [string, number],
    payload: Buffer,
    seen: boolean,
    captured: number | undefined,
  ): void {
    this.turn++;
    if (!seen) return;
    this.#give(
      dataRecord({
        cookie: this.#cookie,
        tgid: this.#tgid,
        tid: this.#tgid,
        time: this.#time,
        position,
        turn: this.turn,
        egress,
        role: 0,
        tuple: this.#tuple(remote),
        payload,
        ...(captured === undefined ? {} : { captured }),
      }),
    );
  }

  #give(record: Buffer): void {
    this.#observer.observer.records(record, record.length);
  }
}

const CLIENT_END = ['10.0.0.1', 40_000] as const;
const SERVER_END = ['10.0.0.2', 53] as const;

/** A resolver's socket and its server's, which listens on every address. */
function ends(limits = {}) {
  const observer = new InlineObserver({ limits: { ...DEFAULT_LIMITS, ...limits } });
  const client = new Socket(observer, 7, CLIENT, CLIENT_END);
  const server = new Socket(observer, 8, SERVER, ['0.0.0.0', 53]);
  return { observer, client, server, ask: client.send.bind(client, SERVER_END) };
}

const stats = (observer: InlineObserver) => observer.observer.stats();

function ended(observer: InlineObserver) {
  observer.observer.flush();
  return observer.spans;
}

describe('DatagramTable', () => {
  it('makes a span at each end of a question, in one trace', () => {
    for (const first of ['client', 'server'] as const) {
      const { observer, client, server } = ends();
      const asks = () => client.send(SERVER_END, dns(1, 'a.test'));
      const hears = () => server.receive(CLIENT_END, dns(1, 'a.test'));
      // The receiver's record may come before that of the call that sent it.
      for (const move of first === 'client' ? [asks, hears] : [hears, asks]) move();
      server.send(CLIENT_END, dns(1, 'a.test', 0));
      client.receive(SERVER_END, dns(1, 'a.test', 0));
      const spans = ended(observer);
      expect(spans).toHaveLength(2);
      const [theirs, ours] = spans;
      expect(ours).toMatchObject({
        name: 'DNS A',
        kind: 3,
        attributes: {
          'dns.question.name': 'a.test',
          'dns.answers': ['10.0.0.9'],
          'server.address': '10.0.0.2',
          'server.port': 53,
          'network.transport': 'udp',
        },
      });
      expect(theirs).toMatchObject({ kind: 2, traceId: ours!.traceId, parentSpanId: ours!.spanId });
      expect(theirs!.attributes).toMatchObject({ 'client.address': '10.0.0.1', 'server.port': 53 });
      expect(theirs!.attributes['server.address']).toBeUndefined();
      expect(stats(observer)).toMatchObject({
        exchanges_held: 0,
        protocol_dns_finished: 2,
        datagrams_lost: 0,
      });
    }
  });

  it('does not join what has other ports or another content', () => {
    const { observer, client, server } = ends();
    client.send(SERVER_END, dns(1, 'a.test'));
    server.receive(CLIENT_END, dns(2, 'a.test'));
    server.receive(['10.0.0.1', 40_001], dns(1, 'a.test'));
    // The same ports and content between other machines.
    server.receive(['10.0.0.7', 40_000], dns(1, 'a.test'));
    const spans = ended(observer);
    expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(spans.length);
  });

  it('keeps the peers of one socket apart', () => {
    const { observer, server } = ends();
    const peers = [1, 2, 3].map((i) => [`10.0.1.${i}`, 4000] as const);
    for (const [i, peer] of peers.entries()) server.receive(peer, dns(9, `n${i}.test`));
    for (const [i, peer] of [...peers.entries()].reverse())
      server.send(peer, dns(9, `n${i}.test`, i === 1 ? 3 : 0));
    const spans = ended(observer);
    expect(spans.map(({ attributes }) => attributes['dns.question.name']).sort()).toEqual([
      'n0.test',
      'n1.test',
      'n2.test',
    ]);
    expect(spans.map(({ attributes }) => attributes['error.type']).filter(Boolean)).toEqual(['NXDOMAIN']);
  });

  it('gives a question up after its own time, whatever else moves', () => {
    const { observer, client, ask } = ends({ timeoutNs: 5 * SECOND });
    ask(dns(1, 'lost.test'));
    for (let i = 0; i < 8; i++) {
      observer.advance(1000);
      ask(dns(100 + i, 'b.test'));
      client.receive(SERVER_END, dns(100 + i, 'b.test', 0));
    }
    const failed = ended(observer).filter(({ attributes }) => attributes['error.type'] !== undefined);
    expect(failed.map(({ attributes }) => attributes)).toMatchObject([
      { 'dns.question.name': 'lost.test', 'error.type': 'no_response', 'server.address': '10.0.0.2' },
    ]);
  });

  it('ends what nobody waits for any more', () => {
    const { observer, ask } = ends();
    ask(dns(1, 'lost.test'));
    const exit = exitRecord({ tgid: CLIENT, tid: CLIENT, last: true, time: observer.model.time + SECOND });
    observer.observer.records(exit, exit.length);
    observer.advance(1500);
    expect(stats(observer)).toMatchObject({ exchanges_held: 1 });
    observer.advance(2500);
    expect(stats(observer)).toMatchObject({ exchanges_held: 0, datagram_peers_held: 0 });
    const [span] = ended(observer);
    expect(span!.attributes).toMatchObject({ 'error.type': 'no_response' });
  });

  it('says why nobody took a datagram', () => {
    const { observer, client, ask } = ends();
    ask(dns(1, 'a.test'));
    client.fail(SERVER_END, 111);
    const spans = ended(observer);
    expect(spans.map(({ attributes }) => attributes['error.type'])).toEqual(['connection_refused']);
    expect(stats(observer)).toMatchObject({ datagrams_failed: 1, exchanges_held: 0 });
  });

  it('takes a repeated question for one, and its second answer for none', () => {
    const { observer, client, ask } = ends();
    ask(dns(1, 'a.test'));
    ask(dns(1, 'a.test'));
    client.receive(SERVER_END, dns(1, 'a.test', 0));
    client.receive(SERVER_END, dns(1, 'a.test', 0));
    expect(ended(observer)).toHaveLength(1);
    expect(stats(observer)).toMatchObject({ protocol_dns_begun: 1, protocol_dns_missed: 0 });
  });

  it('never calls a question unanswered whose answer may have been lost', () => {
    for (const how of ['numbers', 'note', 'unread'] as const) {
      const { observer, client, ask } = ends({ timeoutNs: 5 * SECOND });
      ask(dns(1, 'a.test'));
      client.receive(SERVER_END, dns(1, 'a.test', 0), how === 'unread', 0);
      if (how === 'note') client.note();
      if (how === 'numbers') {
        ask(dns(2, 'b.test'));
        client.receive(SERVER_END, dns(2, 'b.test', 0));
      }
      observer.advance(6000);
      const [span] = ended(observer).filter(({ attributes }) => attributes['dns.question.name'] === 'a.test');
      expect(span!.attributes['error.type']).toBeUndefined();
      expect(span!.attributes['kindling.incomplete']).toBe('gap');
      expect(stats(observer)).toMatchObject(
        how === 'unread' ? { datagrams_unread: 1 } : { datagrams_lost: 1 },
      );
    }
  });

  it('tells the next socket at the same address from the one before', () => {
    const { observer, ask } = ends();
    ask(dns(1, 'a.test'));
    const next = new Socket(observer, 7, CLIENT, ['10.0.0.1', 40_001]);
    next.send(SERVER_END, dns(1, 'a.test'));
    next.receive(SERVER_END, dns(1, 'a.test', 0));
    const spans = ended(observer);
    expect(spans.map(({ attributes }) => attributes['error.type'])).toEqual(['no_response', undefined]);
    expect(spans[0]!.traceId).not.toBe(spans[1]!.traceId);
  });

  it('takes records of two threads that are not in order', () => {
    const { observer, client } = ends();
    const [first, second] = [dns(1, 'a.test'), dns(2, 'b.test')].map((payload, position) =>
      dataRecord({
        cookie: 7,
        position,
        turn: position + 1,
        egress: true,
        tuple: { local: CLIENT_END, remote: SERVER_END, transport: 'udp' },
        payload,
        time: observer.model.time + position,
      }),
    );
    for (const record of [second!, first!]) observer.observer.records(record, record.length);
    client.turn = 2;
    for (const id of [1, 2]) client.receive(SERVER_END, dns(id, id === 1 ? 'a.test' : 'b.test', 0));
    expect(stats(observer)).toMatchObject({ datagrams_lost: 0, protocol_dns_finished: 2 });
    expect(ended(observer).map(({ attributes }) => attributes['kindling.incomplete'])).toEqual([
      undefined,
      undefined,
    ]);
  });

  it('counts a lost datagram once, whoever tells of it', () => {
    const { observer, client, ask } = ends();
    ask(dns(1, 'a.test'));
    client.receive(SERVER_END, dns(1, 'a.test', 0), false);
    client.note();
    ask(dns(2, 'b.test'));
    client.receive(SERVER_END, dns(2, 'b.test', 0));
    expect(stats(observer)).toMatchObject({ datagrams_lost: 1 });
  });

  it('remembers no more peers than it may, and none for long', () => {
    const { observer, server } = ends({ maxConnections: 64 });
    for (let i = 0; i < 100; i++) {
      server.receive([`10.0.2.${i}`, 4000], dns(i, 'a.test'));
      server.send([`10.0.2.${i}`, 4000], dns(i, 'a.test', 0));
    }
    expect(stats(observer)).toMatchObject({ datagram_peers_held: 16, datagram_peers_evicted: 84 });
    observer.advance(31_000);
    expect(stats(observer)).toMatchObject({ datagram_peers_held: 0, exchanges_held: 0 });
    expect(ended(observer)).toHaveLength(100);
  });

  it('leaves out what it cannot read', () => {
    const { observer, client } = ends();
    client.receive(['0.0.0.0', 0], dns(1, 'a.test'));
    client.send(SERVER_END, dns(1, 'a.test'), true, 0);
    expect(ended(observer)).toEqual([]);
    expect(stats(observer)).toMatchObject({ datagrams_unread: 2, datagram_peers_held: 0 });
  });
});
