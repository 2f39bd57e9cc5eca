import { describe, expect, it } from 'vitest';
import { ConnectionTable, DEFAULT_LIMITS } from '../../../src/observer/connections.js';
import { Decoder } from '../../../src/observer/decoder.js';
import { toExchange } from '../../../src/observer/exchange-builder.js';
import { ExchangeCounters } from '../../../src/observer/exchange-counters.js';
import { errorType } from '../../../src/observer/span-attributes.js';
import type { Exchange } from '../../../src/observer/types.js';
import { ExchangeHarness } from '../../helpers/exchange-harness.js';
import {
  closeRecord,
  dataRecord,
  errorRecord,
  openRecord,
  type TestTuple,
  unixRecord,
} from '../../helpers/kernel-records.js';

const nothing = (): void => {};

/** A table fed with records; keeps what comes out of it. */
function feed(...records: Buffer[]) {
  const seen: { exchanges: Exchange[]; events: unknown[] } = { exchanges: [], events: [] };
  const table = new ConnectionTable(DEFAULT_LIMITS, new ExchangeCounters(), {
    opened: nothing,
    finished: (connection, draft, incomplete) => {
      seen.exchanges.push(toExchange(1, connection, draft, incomplete));
    },
    begun: () => {},
    ended: () => {},
    recognized: nothing,
    removed: nothing,
    ignored: ({ cookie, transport }) => seen.events.push(['ignored', cookie, transport]),
  });
  const decoder = new Decoder({
    netData: (record) => table.netData(record),
    netOpen: (record) => table.netOpen(record),
    netClose: (record) => table.netClose(record),
    netUnix: (record) => table.netUnix(record),
    netTurns: (record) => table.netTurns(record),
    netError: (record) => table.netError(record),
    wait: nothing,
    sample: nothing,
    exec: nothing,
    exit: nothing,
  });
  for (const record of records) decoder.decode(record, record.length);
  return { ...seen, table, decoder };
}

const UNIX: TestTuple = { local: ['', 0], remote: ['', 0], transport: 'unix' };
const REQUEST = Buffer.from('GET /containers/json HTTP/1.1\r\nHost: docker\r\n\r\n');
const RESPONSE = Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]');

const unixClient = (turn: number, egress: boolean, payload: Buffer, position = 0) =>
  dataRecord({ cookie: 7, position, turn, egress, role: 1, tuple: UNIX, payload });

describe('ConnectionTable', () => {
  it('reads exchanges of unix sockets, which are known by their path', () => {
    const { exchanges } = feed(
      unixRecord({ cookie: 7, role: 1, path: '/run/docker.sock', peerCookie: 8 }),
      unixClient(1, true, REQUEST),
      unixClient(2, false, RESPONSE),
    );
    expect(exchanges).toMatchObject([
      {
        role: 'client',
        incomplete: undefined,
        http: { path: '/containers/json', statusCode: 200 },
        tuple: { family: 'unix', remoteAddress: '/run/docker.sock', localAddress: '' },
      },
    ]);
  });

  it('writes the name of an abstract socket as the tools do', () => {
    const { table, decoder } = feed(unixRecord({ cookie: 7, role: 2, path: '\0bus' }));
    expect(table.size).toBe(1);
    expect(decoder.malformed).toBe(0);
    const { exchanges } = feed(
      unixRecord({ cookie: 7, role: 2, path: '\0bus' }),
      dataRecord({ cookie: 7, position: 0, turn: 1, egress: false, role: 2, tuple: UNIX, payload: REQUEST }),
      dataRecord({ cookie: 7, position: 0, turn: 2, egress: true, role: 2, tuple: UNIX, payload: RESPONSE }),
    );
    expect(exchanges).toMatchObject([{ role: 'server', tuple: { localAddress: '@bus', remoteAddress: '' } }]);
  });

  it('ends an exchange with the unix stream', () => {
    for (const [error, type] of [
      [0, 'no_response'],
      [104, 'reset'],
    ] as const) {
      const { exchanges, table } = feed(
        unixRecord({ cookie: 7, role: 1, path: '/run/app.sock' }),
        unixClient(1, true, REQUEST),
        errorRecord({ cookie: 7, error, egress: false, tuple: UNIX }),
      );
      expect(exchanges.map(errorType)).toEqual([type]);
      expect(table.size).toBe(0);
    }
  });

  it('lets a server answer a client that has said all', () => {
    const server = { cookie: 7, role: 2, tuple: UNIX };
    const { exchanges } = feed(
      unixRecord({ cookie: 7, role: 2, path: '/run/app.sock' }),
      dataRecord({ ...server, position: 0, turn: 1, egress: false, payload: REQUEST }),
      errorRecord({ cookie: 7, error: 0, egress: false, tuple: UNIX }),
      dataRecord({ ...server, position: 0, turn: 2, egress: true, payload: RESPONSE }),
    );
    expect(exchanges).toMatchObject([{ incomplete: undefined, http: { statusCode: 200 } }]);
  });

  it('starts anew when a cookie names another socket', () => {
    const { exchanges } = feed(
      unixRecord({ cookie: 7, role: 1, path: '/run/one.sock' }),
      unixClient(1, true, REQUEST),
      unixClient(2, false, RESPONSE),
      unixRecord({ cookie: 7, role: 1, path: '/run/two.sock' }),
      unixClient(1, true, REQUEST),
      unixClient(2, false, RESPONSE),
    );
    expect(exchanges.map(({ tuple }) => tuple.remoteAddress)).toEqual(['/run/one.sock', '/run/two.sock']);
  });

  it('says when the bytes of a connection are of no known protocol', () => {
    const strange = Buffer.from('\x00\x01\x02 nobody speaks this');
    const { events, table } = feed(
      ...[1, 2, 3, 4].map((turn) =>
        dataRecord({
          cookie: 9,
          position: Math.floor((turn - 1) / 2) * strange.length,
          turn,
          egress: turn % 2 === 1,
          role: 1,
          payload: strange,
        }),
      ),
    );
    expect(events).toEqual([['ignored', 9, 'tcp']]);
    expect(table.ignored).toBe(1);
  });

  it('waits for payload while none is kept, however long, and counts what went by', () => {
    const whole = { cookie: 5, role: 1 };
    const SHED = 8;
    const positions = { true: 0, false: 0 };
    const message = (turn: number, shed: boolean) => {
      const egress = turn % 2 === 1;
      const payload = egress ? REQUEST : RESPONSE;
      const position = positions[`${egress}`];
      positions[`${egress}`] += payload.length;
      return dataRecord({
        ...whole,
        turn,
        egress,
        position,
        payload,
        ...(shed ? { captured: 0, flags: SHED } : {}),
      });
    };
    const turns = Array.from({ length: 202 }, (_, i) => i + 1);
    const { exchanges, events, table } = feed(
      openRecord({ cookie: 5, role: 1 }),
      ...turns.map((turn) => message(turn, turn <= 200)),
    );
    expect(exchanges).toHaveLength(1);
    expect(events).toEqual([]);
    expect(table.counters.client).toMatchObject({ emitted: 1, lost: { not_captured: 100, ring_full: 0 } });
  });

  it('passes over the repeated end of an operation', () => {
    const whole = { cookie: 5, role: 1, egress: true };
    const { exchanges } = feed(
      dataRecord({ ...whole, position: 0, turn: 1, payload: REQUEST }),
      dataRecord({
        ...whole,
        position: REQUEST.length - 4,
        turn: 1,
        payload: REQUEST.subarray(-4),
        flags: 4,
      }),
      dataRecord({ ...whole, position: 0, turn: 2, egress: false, payload: RESPONSE }),
    );
    expect(exchanges).toMatchObject([{ requestBytes: REQUEST.length, http: { statusCode: 200 } }]);
  });

  it('tells a timeout from a reset', () => {
    for (const [error, type] of [
      [110, 'timeout'],
      [104, 'reset'],
      [113, 'host_unreachable'],
    ] as const) {
      const harness = new ExchangeHarness();
      const { client } = harness.connect();
      client.send(REQUEST);
      client.close(error);
      expect(harness.exchanges).toMatchObject([{ incomplete: 'reset', error }]);
      expect(harness.exchanges.map(errorType)).toEqual([type]);
    }
  });

  it('does not blame an exchange that was complete on what ended the connection', () => {
    const { exchanges } = feed(
      dataRecord({ cookie: 5, role: 1, egress: true, position: 0, turn: 1, payload: REQUEST }),
      dataRecord({ cookie: 5, role: 1, egress: false, position: 0, turn: 2, payload: RESPONSE }),
      closeRecord({ cookie: 5, turns: 2, error: 104 }),
    );
    expect(exchanges.map(errorType)).toEqual([undefined]);
  });
});
