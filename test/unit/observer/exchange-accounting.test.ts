import { describe, expect, it } from 'vitest';
import { ExchangeHarness, lostOf } from '../../helpers/exchange-harness.js';
import type { SocketPair } from '../../helpers/kernel-model.js';

/** Small, seeded, good enough (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

type Move = (text: string) => void;

/** Splits what one side sends into operations. */
function inPieces(text: string, random: () => number, move: Move): void {
  for (let at = 0; at < text.length; ) {
    const rest = text.length - at;
    const size = random() < 0.6 ? rest : 1 + Math.floor(random() * rest);
    move(text.slice(at, at + size));
    at += size;
  }
}

function body(random: () => number): { headers: string; text: string } {
  const length = Math.floor(random() ** 3 * 5000);
  const text = 'b'.repeat(length);
  if (random() < 0.5) return { headers: `Content-Length: ${length}\r\n`, text };
  const chunks = length === 0 ? '' : `${length.toString(16)}\r\n${text}\r\n`;
  return { headers: 'Transfer-Encoding: chunked\r\n', text: `${chunks}0\r\n\r\n` };
}

/** One request and response, seen at both ends. */
function exchange({ client, server }: SocketPair, random: () => number): void {
  const posts = random() < 0.3;
  const upload = posts ? body(random) : { headers: '', text: '' };
  const request = `${posts ? 'POST' : 'GET'} /path/${Math.floor(random() * 9)} HTTP/1.1\r\nHost: a\r\n${upload.headers}\r\n${upload.text}`;
  inPieces(request, random, (text) => client.send(text));
  inPieces(request, random, (text) => server.receive(text));
  const download = body(random);
  const response = `HTTP/1.1 ${random() < 0.9 ? 200 : 500} X\r\n${download.headers}\r\n${download.text}`;
  inPieces(response, random, (text) => server.send(text));
  inPieces(response, random, (text) => client.receive(text));
}

interface Run {
  readonly harness: ExchangeHarness;
  readonly requests: number;
}

/** `ends`: close records are lost too; the kernel tells of what was lost now and then. */
function run(seed: number, lossRate: number, maxConnections?: number, ends = false): Run {
  const random = randomOf(seed);
  const dice = randomOf(seed + 1000);
  const harness = new ExchangeHarness(
    // The close record carries the number of turns: without it, or a note, the last ones cannot be known.
    { lose: (kind) => (ends || kind !== 'close') && dice() < lossRate },
    maxConnections === undefined ? {} : { maxConnections },
  );
  let requests = 0;
  let port = 1000;
  const open = Array.from({ length: 6 }, () => harness.connect(port++));
  for (let i = 0; i < 400; i++) {
    const slot = Math.floor(random() * open.length);
    exchange(open[slot]!, random);
    requests++;
    if (ends && random() < 0.05) harness.model.flush();
    if (random() < 0.1) {
      open[slot]!.server.close();
      open[slot]!.client.close();
      open[slot] = harness.connect(port++);
    }
  }
  for (const { client, server } of open) {
    client.close();
    server.close();
  }
  harness.model.flush();
  harness.pass(5);
  harness.table.flush();
  return { harness, requests };
}

describe('accounting of exchanges', () => {
  it('emits every exchange when nothing is lost', () => {
    const { harness, requests } = run(1, 0);
    for (const side of [harness.counters.server, harness.counters.client]) {
      expect(side.emitted).toBe(requests);
      expect(lostOf(side)).toBe(0);
    }
    expect(harness.exchanges.every(({ incomplete }) => incomplete === undefined)).toBe(true);
  });

  for (const lossRate of [0.01, 0.1, 0.5, 0.9]) {
    it(`adds up to the requests that happened when ${lossRate * 100} % of the records are lost`, () => {
      for (let seed = 1; seed <= 25; seed++) {
        const { harness, requests } = run(seed, lossRate);
        for (const name of ['server', 'client'] as const) {
          const side = harness.counters[name];
          expect({ seed, name, sum: side.emitted + lostOf(side) }).toEqual({ seed, name, sum: requests });
        }
        expect(lostOf(harness.counters.server)).toBeGreaterThan(0);
        expect(harness.exchanges).toHaveLength(
          harness.counters.server.emitted + harness.counters.client.emitted,
        );
      }
    });
  }

  for (const lossRate of [0.1, 0.5, 0.9]) {
    it(`adds up when ${lossRate * 100} % of the records are lost, ends of connections too`, () => {
      for (let seed = 1; seed <= 25; seed++) {
        const { harness, requests } = run(seed, lossRate, undefined, true);
        for (const name of ['server', 'client'] as const) {
          const side = harness.counters[name];
          expect({ seed, name, sum: side.emitted + lostOf(side) }).toEqual({ seed, name, sum: requests });
        }
      }
    });
  }

  it('adds up when the table is too small', () => {
    for (let seed = 1; seed <= 25; seed++) {
      const { harness, requests } = run(seed, seed % 2 === 0 ? 0 : 0.1, 5);
      expect(harness.table.evicted).toBeGreaterThan(0);
      for (const side of [harness.counters.server, harness.counters.client]) {
        expect({ seed, sum: side.emitted + lostOf(side) }).toEqual({ seed, sum: requests });
      }
    }
  });
});
