/** How much leaves the kernel: by port, by socket, under pressure; and what is told of what was lost. */

import { afterEach, expect, it } from 'vitest';
import { ConnectionTable, DEFAULT_LIMITS } from '../../src/observer/connections.js';
import { Decoder } from '../../src/observer/decoder.js';
import { ExchangeCounters } from '../../src/observer/exchange-counters.js';
import { NET_DATA_FLAGS, NET_OPEN_FLAGS, NET_ROLE, STAT } from '../../src/receiver/ebpf/abi.gen.js';
import { Capture } from '../../src/receiver/ebpf/native.js';
import { EchoChild } from '../helpers/echo-child.js';
import { HttpPair } from '../helpers/http-child.js';
import {
  closeSessionsAfterEach,
  describeKernel,
  netVariants,
  Session,
  waitUntil,
} from '../helpers/kernel.js';

const children: { end(): Promise<void> }[] = [];
async function start<T extends { end(): Promise<void> }>(child: Promise<T>): Promise<T> {
  children.push(await child);
  return child;
}

for (const variant of netVariants()) {
  describeKernel(`net capture (${variant} variant)`, () => {
    closeSessionsAfterEach();
    afterEach(async () => {
      for (const child of children.splice(0)) await child.end();
    });

    it('records nothing of a refused port', async () => {
      const pair = await start(HttpPair.start());
      const session = new Session({
        net: { variant, portRules: [{ protocol: 'tcp', port: pair.port, headBytes: 'nothing' }] },
        rules: { selectByDefault: false, includePids: [pair.server.pid, pair.client.pid] },
      });
      await pair.request(['/hello', '/big']);
      await session.settle();
      expect(session.records).toEqual([]);
      expect(session.stats()).toMatchObject({ net_turns: 0, net_data_events: 0, net_connection_events: 0 });
    });

    it('keeps head and tail of a port as its rule says', async () => {
      const pair = await start(HttpPair.start());
      const session = new Session({
        net: { variant, portRules: [{ protocol: 'tcp', port: pair.port, headBytes: 40, tailBytes: 16 }] },
        rules: { selectByDefault: false, includePids: [pair.server.pid] },
      });
      const paths = [`/hello?${'x'.repeat(200)}&sqlcommenter=1`];
      await pair.request(paths);
      await session.settle();
      const received = session.of('net_data').filter((record) => !record.egress);
      expect(received).toHaveLength(2);
      const [head, tail] = received;
      expect(head).toMatchObject({ flags: 0, turn: 1 });
      expect(head!.payload).toBe(`GET ${paths[0]}`.slice(0, 40));
      expect(tail).toMatchObject({ flags: NET_DATA_FLAGS.TAIL, turn: 1, length: 16 });
      expect(tail!.payload).toHaveLength(16);
      expect(tail!.payload.endsWith('\r\n\r\n')).toBe(true);
      expect(tail!.position).toBe((head!.position + head!.length - 16) >>> 0);
      expect(session.stats().net_turns).toBe(2);
    });

    it('is silent about a socket as soon as its rule says so, and tells its end all the same', async () => {
      const echo = await start(EchoChild.start());
      const session = new Session({
        net: { variant },
        rules: { selectByDefault: false, includePids: [echo.pid] },
      });
      await echo.rounds(5);
      await session.settle();
      const before = session.of('net_data');
      expect(before).toHaveLength(20);
      const cookies = new Set(before.map((record) => record.cookie));
      session.capture.addSocketRules([...cookies].map((cookie) => ({ cookie, headBytes: 'nothing' })));
      await echo.rounds(100);
      await echo.close();
      await waitUntil(() => session.of('net_close').length === 2);
      await session.settle();
      expect(session.of('net_data')).toHaveLength(20);
      expect(session.of('net_close').map((close) => close.turns)).toEqual([10, 10]);
      expect(session.of('net_close').map((close) => close.bytesSent + close.bytesReceived)).toEqual([
        105 * 13,
        105 * 13,
      ]);
      expect(session.stats().net_turns).toBe(20);
    });

    it('changes what is kept of a socket in the middle', async () => {
      const echo = await start(EchoChild.start());
      const session = new Session({
        net: { variant },
        rules: { selectByDefault: false, includePids: [echo.pid] },
      });
      await echo.rounds(1);
      await session.settle();
      const client = session.of('net_data').find((record) => record.tuple.remotePort === echo.port)!;
      session.capture.addSocketRules([{ cookie: client.cookie, headBytes: 3 }]);
      await echo.rounds(1);
      await session.settle();
      const later = session.of('net_data').filter((record) => record.turn > 2);
      const texts = (own: boolean) =>
        later.filter((record) => (record.cookie === client.cookie) === own).map((record) => record.payload);
      expect(texts(true)).toEqual(['que', 'ans']);
      expect(texts(false)).toEqual(['query\n', 'answer\n']);
    });

    it('knows connections that were there before', async () => {
      const echo = await start(EchoChild.start());
      await echo.rounds(3);
      const session = new Session({
        net: { variant },
        rules: { selectByDefault: false, includePids: [echo.pid] },
      });
      await session.settle();
      const opens = session.of('net_open').filter((open) => open.tgid === echo.pid);
      expect(opens).toHaveLength(2);
      for (const open of opens) {
        expect(open.flags).toBe(NET_OPEN_FLAGS.EXISTING);
        const server = open.tuple.localPort === echo.port;
        expect(open.role).toBe(server ? NET_ROLE.SERVER : NET_ROLE.CLIENT);
        expect(open.tuple).toMatchObject(
          server ? { remotePort: echo.clientPort } : { localPort: echo.clientPort, remotePort: echo.port },
        );
      }
      await echo.rounds(2);
      await echo.close();
      await waitUntil(() => session.of('net_close').length === 2);
      const data = session.of('net_data');
      expect(data).toHaveLength(8);
      expect(new Set(data.map((record) => record.cookie))).toEqual(new Set(opens.map((open) => open.cookie)));
      expect(session.of('net_open')).toHaveLength(2);
    });

    it('sheds payload before records while the ring buffer fills up', async () => {
      const echo = await start(EchoChild.start());
      const session = new Session({
        net: { variant },
        ringBytes: 65_536,
        pollMs: 1000,
        rules: { selectByDefault: false, includePids: [echo.pid] },
      });
      await echo.rounds(150);
      await session.settle();
      const stats = session.stats();
      const data = session.of('net_data');
      expect(stats.net_turns).toBe(600);
      const shed = data.filter((record) => record.flags === NET_DATA_FLAGS.SHED);
      expect(shed.length + stats.net_turns_ring_full!).toBe(stats.net_payload_cut);
      expect(shed.length).toBeGreaterThan(0);
      for (const record of shed) expect(record).toMatchObject({ payload: '' });
      expect(data.length + stats.net_turns_ring_full!).toBe(600);
    });

    it('accounts for every turn and end when close records were lost too', async () => {
      // One connection after the other; the ring is read once a second and has room for a few dozen records.
      const table = new ConnectionTable(DEFAULT_LIMITS, new ExchangeCounters(), {
        opened() {},
        finished() {},
        begun() {},
        ended() {},
        recognized() {},
        removed() {},
      });
      const nothing = () => {};
      const closed = new Map<number, number>();
      const decoder = new Decoder({
        netData: (record) => table.netData(record),
        netOpen: (record) => table.netOpen(record),
        netTurns: (record) => table.netTurns(record),
        netClose: (record) => {
          closed.set(record.socketCookie, record.turns);
          table.netClose(record);
        },
        wait: nothing,
        sample: nothing,
        exec: nothing,
        exit: nothing,
      });
      const pairs = await Promise.all([1, 2, 3].map(() => start(HttpPair.start())));
      using capture = Capture.open(
        {
          net: { variant, unixSockets: false },
          ringBytes: 4096,
          pollMs: 1000,
          rules: {
            selectByDefault: false,
            includePids: pairs.flatMap((pair) => [pair.server.pid, pair.client.pid]),
          },
        },
        (batch) => decoder.decode(batch.bytes, batch.length),
      );
      const paths = Array.from({ length: 10 }, (_, i) => `/hello?${i}`);
      for (const pair of pairs) await pair.request(paths);
      await waitUntil(() => closed.size === 6);
      const stats = capture.stats();
      expect(stats[STAT.NET_CONNECTION_RING_FULL]).toBeGreaterThan(0);
      expect(stats[STAT.NET_TURNS]).toBe(120);
      expect([...closed.values()]).toEqual([20, 20, 20, 20, 20, 20]);
      expect(table.turns).toBe(120);
    });
  });
}
