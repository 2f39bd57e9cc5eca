import { expect, it } from 'vitest';
import { Decoder } from '../../../src/observer/decoder.js';
import type { EventSink, NetDataRecord, WaitRecord } from '../../../src/observer/types.js';
import { ExchangeHarness } from '../../helpers/exchange-harness.js';
import {
  closeRecord,
  dataRecord,
  execRecord,
  exitRecord,
  openRecord,
  sampleRecord,
  slab,
  waitRecord,
} from '../../helpers/kernel-records.js';
import { seededRandom } from '../../helpers/random.js';

const RECORDS = [
  dataRecord({
    cookie: 7,
    position: 10,
    turn: 1,
    egress: false,
    payload: Buffer.from('GET / HTTP/1.1\r\n\r\n'),
  }),
  dataRecord({
    cookie: 7,
    position: 99,
    turn: 2,
    egress: true,
    payload: Buffer.from('HTTP/1.1 200 OK\r\n\r\n'),
  }),
  openRecord({ cookie: 8, role: 1 }),
  closeRecord({ cookie: 7, turns: 4 }),
  waitRecord({ tgid: 1, tid: 2, off: 5, on: 9, fdKind: 1, socketCookie: 7 }),
  waitRecord({ tgid: 1, tid: 2, off: 5, on: 9, fdKind: 2, file: { inode: 3, fd: 4, name: 'a' } }),
  sampleRecord({ tgid: 1, tid: 2, comm: 'x', time: 3, kernel: [1n], user: [2n, 3n] }),
  execRecord({ tgid: 1, parentTgid: 2, comm: 'y' }),
  exitRecord({ tgid: 1, tid: 1, last: true }),
];

function hostileSlab(random: () => number): { bytes: Uint8Array; length: number } {
  const below = (limit: number) => Math.floor(random() * limit);
  const bytes = slab(Array.from({ length: below(8) + 1 }, () => RECORDS[below(RECORDS.length)]!));
  for (let flips = below(8); flips > 0; flips--) {
    // Headers are where it hurts: hit the first bytes of records as often as all others.
    const at = random() < 0.5 ? below(Math.min(64, bytes.length)) : below(bytes.length);
    bytes[at] = random() < 0.5 ? 0xff : below(256);
  }
  return { bytes, length: random() < 0.3 ? below(bytes.length + 100) : bytes.length };
}

it('stays inside the slab and never throws, whatever the bytes are', () => {
  const random = seededRandom(11);
  let records = 0;
  const check = (record: NetDataRecord) => {
    records++;
    expect(record.payloadStart).toBeGreaterThanOrEqual(0);
    expect(record.payloadEnd).toBeGreaterThanOrEqual(record.payloadStart);
    expect(record.payloadEnd).toBeLessThanOrEqual(record.bytes.length);
    expect(record.tailStart + 8).toBeLessThanOrEqual(record.bytes.length);
    expect(typeof record.tuple.localAddress).toBe('string');
  };
  const wait = (record: WaitRecord) => {
    records++;
    expect(record.args.every(Number.isFinite)).toBe(true);
  };
  const count = () => {
    records++;
  };
  const sink: EventSink = {
    netData: check,
    netOpen: count,
    netClose: count,
    wait,
    sample: count,
    exec: count,
    exit: count,
    netUnix: count,
    netTurns: count,
    netError: count,
    tlsData: count,
    tlsClose: count,
  };
  const decoder = new Decoder(sink);
  for (let round = 0; round < 30_000; round++) {
    const { bytes, length } = hostileSlab(random);
    decoder.decode(bytes, length);
  }
  expect(decoder.records).toBe(records);
  expect(decoder.malformed).toBeGreaterThan(0);
  expect(decoder.unknown).toBeGreaterThan(0);
});

it('feeds the connection table nothing that breaks it', () => {
  const random = seededRandom(13);
  const harness = new ExchangeHarness({}, { maxConnections: 16 });
  for (let round = 0; round < 30_000; round++) {
    const { bytes, length } = hostileSlab(random);
    harness.decoder.decode(bytes, length);
    if (round % 100 === 0) harness.pass(random() * 100);
  }
  expect(harness.table.size).toBeLessThanOrEqual(16);
  harness.table.flush();
  expect(harness.table.size).toBe(0);
  expect(harness.table.held).toBe(0);
  for (const side of [harness.counters.server, harness.counters.client]) {
    expect(side.emitted).toBeGreaterThanOrEqual(0);
    for (const count of Object.values(side.lost)) expect(count).toBeGreaterThanOrEqual(0);
  }
});
