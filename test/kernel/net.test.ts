/** Known TCP traffic through both variants of programs/net: every byte, message and connection is accounted for. */

import { afterEach, expect, it } from 'vitest';
import { NET_DATA_FLAGS, NET_ROLE } from '../../src/receiver/ebpf/abi.gen.js';
import type { CaptureOptions, NetVariant } from '../../src/receiver/ebpf/native.js';
import { BIG_BYTES, HttpPair } from '../helpers/http-child.js';
import {
  closeSessionsAfterEach,
  describeKernel,
  netVariants,
  runProgram,
  Session,
  type Truth,
  waitUntil,
} from '../helpers/kernel.js';
import type { EventRecord } from '../helpers/records.js';

type Data = Extract<EventRecord, { kind: 'net_data' }>;

/** Bytes of the stream that the records of one direction cover, each counted once. */
function coveredBytes(records: readonly Data[]): number {
  const first = records[0]?.position ?? 0;
  const ranges = records
    .map(({ position, length }) => ({ from: (position - first) | 0, to: ((position - first) | 0) + length }))
    .sort((a, b) => a.from - b.from);
  let covered = 0;
  let end = Number.NEGATIVE_INFINITY;
  for (const { from, to } of ranges) {
    if (to > end) covered += to - Math.max(from, end);
    end = Math.max(end, to);
  }
  return covered;
}

const payloadsOf = (records: readonly Data[]) => records.filter((record) => record.payload !== '');

/** First record of each turn. */
function turnStarts(records: readonly Data[]): Data[] {
  const seen = new Set<number>();
  return records.filter((record) => !seen.has(record.turn) && seen.add(record.turn));
}

const pairs: HttpPair[] = [];

async function startPair(): Promise<HttpPair> {
  const pair = await HttpPair.start();
  pairs.push(pair);
  return pair;
}

/** Runs a test program with only it watched. */
async function observe(variant: NetVariant, program: string) {
  const session = new Session({
    net: { variant },
    rules: { selectByDefault: false, includeComms: [program] },
  });
  const truth: Truth = await runProgram(program);
  await session.settle();
  // The peer's FIN may still be on its way through a softirq when the program is gone.
  const toServer = session.of('net_data').filter((record) => record.tuple.remotePort === truth.port);
  const toClient = session.of('net_data').filter((record) => record.tuple.localPort === truth.port);
  return {
    session,
    truth,
    sent: toServer.filter((record) => record.egress),
    received: toClient.filter((record) => !record.egress),
  };
}

for (const variant of netVariants()) {
  describeKernel(`net (${variant} variant)`, () => {
    closeSessionsAfterEach();
    afterEach(async () => {
      for (const pair of pairs.splice(0)) await pair.end();
    });

    it('sees every message of a kept-alive HTTP connection at both ends', async () => {
      const pair = await startPair();
      const session = new Session({
        net: { variant },
        rules: { selectByDefault: false, includePids: [pair.server.pid, pair.client.pid] },
      });
      const paths = Array.from({ length: 20 }, (_, i) => `/hello?${i}`);
      const totals = await pair.request(paths);
      await waitUntil(() => session.of('net_close').length === 2);
      await session.settle();

      for (const end of ['server', 'client'] as const) {
        const records = session.of('net_data').filter((record) => record.tgid === pair[end].pid);
        const requests = records.filter((record) => record.egress === (end === 'client'));
        const responses = records.filter((record) => record.egress === (end === 'server'));
        expect(turnStarts(records).map((record) => record.turn)).toEqual(
          Array.from({ length: 40 }, (_, i) => i + 1),
        );
        expect(turnStarts(requests).map((record) => record.payload.split(' HTTP/1.1')[0])).toEqual(
          paths.map((path) => `GET ${path}`),
        );
        for (const response of turnStarts(responses))
          expect(response.payload).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
        expect(coveredBytes(requests)).toBe(totals.bytesRead);
        expect(coveredBytes(responses)).toBe(totals.bytesWritten);
        const role = end === 'server' ? NET_ROLE.SERVER : NET_ROLE.CLIENT;
        const port = end === 'server' ? 'localPort' : 'remotePort';
        for (const record of records) {
          expect(record).toMatchObject({ role, tid: record.tgid, cookie: records[0]!.cookie });
          expect(record.tuple).toMatchObject({ local: '127.0.0.1', remote: '127.0.0.1', [port]: pair.port });
        }
        const opens = session.of('net_open').filter((open) => open.cookie === records[0]!.cookie);
        expect(opens).toHaveLength(1);
        expect(opens[0]).toMatchObject({ role, tgid: pair[end].pid, tuple: records[0]!.tuple });
        expect(opens[0]!.time).toBeLessThanOrEqual(records[0]!.time);
        expect(opens[0]!.connectStart > 0).toBe(end === 'client');
        const closes = session.of('net_close').filter((close) => close.cookie === records[0]!.cookie);
        expect(closes).toHaveLength(1);
        expect(closes[0]).toMatchObject({
          turns: 40,
          error: 0,
          tgid: pair[end].pid,
          bytesSent: end === 'server' ? totals.bytesWritten : totals.bytesRead,
          bytesReceived: end === 'server' ? totals.bytesRead : totals.bytesWritten,
        });
      }
      expect(session.stats()).toMatchObject({
        net_turns: 80,
        net_turns_ring_full: 0,
        net_data_events: session.of('net_data').length,
        net_data_ring_full: 0,
        net_data_fault: 0,
        net_connection_events: 4,
      });
    });

    it('keeps no more payload per message than configured', async () => {
      for (const captureBytes of [0, 16, 300, 4096]) {
        const pair = await startPair();
        const session = new Session({
          net: { variant, captureBytes },
          rules: { selectByDefault: false, includePids: [pair.server.pid] },
        });
        const totals = await pair.request(['/big']);
        await session.settle();
        const sent = session.of('net_data').filter((record) => record.egress);
        const kept = sent.reduce((sum, record) => sum + record.payload.length, 0);
        expect(kept).toBe(captureBytes);
        expect(coveredBytes(sent)).toBe(totals.bytesWritten);
        if (captureBytes > 0)
          expect(sent[0]!.payload).toBe('HTTP/1.1 200 OK\r\n'.slice(0, 16) + sent[0]!.payload.slice(16));
        session.close();
      }
    });

    it('follows a large body to its last byte', async () => {
      const pair = await startPair();
      const session = new Session({
        net: { variant },
        rules: { selectByDefault: false, includePids: [pair.server.pid, pair.client.pid] },
      });
      const totals = await pair.request(['/big', '/hello']);
      await session.settle();
      expect(totals.bytesWritten).toBeGreaterThan(BIG_BYTES);
      const sent = session
        .of('net_data')
        .filter((record) => record.tgid === pair.server.pid && record.egress);
      const received = session
        .of('net_data')
        .filter((record) => record.tgid === pair.client.pid && !record.egress);
      expect(coveredBytes(sent)).toBe(totals.bytesWritten);
      expect(coveredBytes(received)).toBe(totals.bytesWritten);
      expect(new Set(sent.map((record) => record.turn))).toEqual(new Set([2, 4]));
      if (variant === 'socket') {
        const later = sent.filter((record) => record.flags === NET_DATA_FLAGS.CONTINUATION);
        expect(later.length).toBeGreaterThan(0);
        for (const record of later) expect(record).toMatchObject({ payload: '', tail: '\0'.repeat(8) });
      }
    });

    it('shows the end of a chunked response', async () => {
      const pair = await startPair();
      const session = new Session({
        net: { variant },
        rules: { selectByDefault: false, includePids: [pair.server.pid, pair.client.pid] },
      });
      await pair.request(['/parts']);
      await session.settle();
      const sent = session
        .of('net_data')
        .filter((record) => record.tgid === pair.server.pid && record.egress);
      const text = sent.map((record) => record.payload).join('');
      expect(text).toContain('3\r\none\r\n3\r\ntwo\r\n5\r\nthree\r\n');
      expect(text).toMatch(/0\r\n\r\n$/);
      expect(sent.at(-1)!.tail).toMatch(/0\r\n\r\n$/);
      const received = session
        .of('net_data')
        .filter((record) => record.tgid === pair.client.pid && !record.egress);
      expect(received.map((record) => record.payload).join('')).toBe(text);
      expect(received.at(-1)!.tail).toMatch(/0\r\n\r\n$/);
    });

    it('puts the parts of a writev together', async () => {
      const { sent, received, truth } = await observe(variant, 'tcp-writev');
      const message = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello';
      expect(truth.bytes).toBe(message.length);
      expect(sent).toHaveLength(1);
      expect(sent[0]).toMatchObject({ length: message.length, payload: message });
      expect(sent[0]!.tail).toBe('\0\0\0hello');
      expect(received.map((record) => record.payload).join('')).toBe(message);
      expect(coveredBytes(received)).toBe(message.length);
    });

    it('counts no byte twice when sends are accepted in part', async () => {
      const { sent, received, truth } = await observe(variant, 'tcp-partial');
      expect(truth.partial).toBeGreaterThan(0);
      expect(coveredBytes(sent)).toBe(truth.bytes);
      expect(coveredBytes(received)).toBe(truth.bytes);
      expect(new Set(sent.map((record) => record.turn))).toEqual(new Set([1]));
      const kept = payloadsOf(sent).reduce((sum, record) => sum + record.payload.length, 0);
      expect(kept).toBe(1024);
    });

    it('counts a peeked message once', async () => {
      const { received } = await observe(variant, 'tcp-peek');
      expect(received).toHaveLength(2);
      expect(received[0]!.position).toBe(received[1]!.position);
      for (const record of received) {
        expect(record).toMatchObject({ length: 12, payload: 'twelve bytes', tail: 've bytes' });
      }
    });

    it('counts the bytes of a sendfile, whose content is out of reach', async () => {
      const { sent, received } = await observe(variant, 'tcp-sendfile');
      expect(coveredBytes(sent)).toBe(4096);
      expect(sent[0]).toMatchObject({ flags: NET_DATA_FLAGS.NO_MEMORY, payload: '' });
      expect(received[0]!.payload.startsWith('\x7fELF')).toBe(true);
    });

    // The system call variant does not see io_uring at all.
    it.runIf(variant === 'socket')('sees what io_uring moves', async ({ skip }) => {
      const { sent, received, session, truth } = await observe(variant, 'io-uring-calls');
      if (truth.missing === 1) skip('the kernel refuses io_uring');
      expect(truth.moved).toBe(36);
      expect(sent.map(({ payload, turn }) => [payload, turn])).toEqual([['a request', 1]]);
      expect(received.map(({ payload, turn }) => [payload, turn])).toEqual([['a request', 1]]);
      const answers = session.of('net_data').filter((record) => record.turn === 2);
      expect(answers.map(({ payload, length }) => [payload, length])).toEqual([
        ['an answer', 9],
        ['an answer', 9],
      ]);
      for (const record of session.of('net_data')) expect(record.tgid).toBe(truth.pid);
    });

    it('reports a refused connection', async () => {
      const { session, truth } = await observe(variant, 'tcp-refused');
      expect(session.of('net_open')).toEqual([]);
      expect(session.of('net_close')).toHaveLength(1);
      expect(session.of('net_close')[0]).toMatchObject({
        tgid: truth.pid,
        error: 111, // ECONNREFUSED
        turns: 0,
        bytesSent: 0,
        bytesReceived: 0,
        tuple: { remote: '127.0.0.1', remotePort: truth.port },
      });
    });

    it('says exactly how many messages were lost when the ring buffer is full', async () => {
      const pair = await startPair();
      const tight: CaptureOptions = {
        net: { variant },
        ringBytes: 4096,
        pollMs: 1000,
        rules: { selectByDefault: false, includePids: [pair.server.pid] },
      };
      const session = new Session(tight);
      const paths = Array.from({ length: 50 }, (_, i) => `/hello?${i}`);
      await pair.request(paths);
      await waitUntil(() => session.stats().net_turns! >= 100);
      await session.settle();
      const stats = session.stats();
      const seen = turnStarts(session.of('net_data')).length;
      expect(stats.net_turns).toBe(100);
      expect(stats.net_turns_ring_full).toBeGreaterThan(0);
      expect(seen + stats.net_turns_ring_full!).toBe(100);
      expect(session.of('net_data').length).toBe(stats.net_data_events);
    });
  });
}
