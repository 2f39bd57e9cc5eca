/** Datagrams and unix sockets through both variants of programs/net: each message, its peer and its content. */

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { NET_DATA_FLAGS, NET_ROLE } from '../../src/receiver/ebpf/abi.gen.js';
import type { NetVariant } from '../../src/receiver/ebpf/native.js';
import {
  closeSessionsAfterEach,
  describeKernel,
  netVariants,
  runProgram,
  Session,
} from '../helpers/kernel.js';

const UDP = 17;

/** A UDP port that was free a moment ago. */
async function freePort(): Promise<number> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  return port;
}

function watch(variant: NetVariant, program: string, port?: number): Session {
  return new Session({
    net: {
      variant,
      portRules: port === undefined ? [] : [{ protocol: 'udp', port, headBytes: 512 }],
    },
    rules: { selectByDefault: false, includeComms: [program] },
  });
}

const folders: string[] = [];
function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'kindling-unix-'));
  folders.push(path);
  return path;
}

for (const variant of netVariants()) {
  describeKernel(`net messages (${variant} variant)`, () => {
    closeSessionsAfterEach();
    afterEach(() => {
      for (const path of folders.splice(0)) rmSync(path, { recursive: true, force: true });
    });

    for (const family of ['4', '6', 'mapped'] as const) {
      it(`sees each datagram of both ends, IPv${family}`, async () => {
        const port = await freePort();
        const session = watch(variant, 'udp-calls', port);
        const truth = await runProgram('udp-calls', [family, String(port)]);
        await session.settle();

        const records = session.of('net_data');
        const address = family === '6' ? '0:0:0:0:0:0:0:1' : '127.0.0.1';
        const requests = ['1 send', '2 write', '3 writev', '4 first', '5 second', '6 third'];
        const answers = ['a', 'b', 'c', 'd'];
        const client = records.filter((record) => record.tuple.remotePort === port);
        const server = records.filter((record) => record.tuple.localPort === port);
        const texts = (egress: boolean, of: typeof records) =>
          of.filter((record) => record.egress === egress).map((record) => record.payload);
        expect(texts(true, client)).toEqual(requests);
        expect(texts(false, server)).toEqual(requests);
        expect(texts(true, server)).toEqual(answers);
        expect(texts(false, client)).toEqual(answers);
        expect(records).toHaveLength(20);
        const clientPort = client[0]!.tuple.localPort;
        for (const record of records) {
          expect(record).toMatchObject({ flags: 0, tgid: truth.pid, tid: truth.tid });
          expect(record.length).toBe(record.payload.length);
          expect(record.tuple).toMatchObject({ protocol: UDP, family: family === '6' ? 10 : 2 });
        }
        for (const record of server) {
          // read() asks nobody who sent.
          if (record.payload === '3 writev') expect(record.tuple.remotePort).toBe(0);
          else expect(record.tuple).toMatchObject({ remote: address, remotePort: clientPort });
        }
        for (const end of [client, server]) {
          expect(new Set(end.map((record) => record.cookie)).size).toBe(1);
          expect(end.map((record) => record.turn)).toEqual(end.map((_, i) => i + 1));
          for (const egress of [true, false]) {
            const positions = end.filter((record) => record.egress === egress);
            expect(positions.map((record) => record.position)).toEqual(positions.map((_, i) => i));
          }
        }
        expect(session.stats()).toMatchObject({ net_datagrams: 20, net_turns: 0, net_peer_unknown: 1 });
      });
    }

    it('leaves datagrams of other ports alone', async () => {
      const [watched, port] = [await freePort(), await freePort()];
      const session = watch(variant, 'udp-calls', watched);
      await runProgram('udp-calls', ['4', String(port)]);
      await session.settle();
      expect(session.records).toEqual([]);
      expect(session.stats()).toMatchObject({ net_datagrams: 0, net_data_events: 0 });
    });

    it('reports a datagram that nobody took', async () => {
      const port = await freePort();
      const session = watch(variant, 'udp-refused', port);
      const truth = await runProgram('udp-refused', [String(port)]);
      await session.settle();
      expect(truth.error).toBe(111);
      expect(session.of('net_data')).toHaveLength(1);
      expect(session.of('net_error')).toHaveLength(1);
      expect(session.of('net_error')[0]).toMatchObject({
        error: 111, // ECONNREFUSED
        egress: false,
        tgid: truth.pid,
        cookie: session.of('net_data')[0]!.cookie,
        tuple: { remotePort: port },
      });
    });

    for (const kind of ['path', 'abstract'] as const) {
      it(`sees both ends of a unix stream socket (${kind})`, async () => {
        const path = kind === 'path' ? join(folder(), 'server.sock') : `@kindling-${process.pid}`;
        const session = watch(variant, 'unix-stream');
        const truth = await runProgram('unix-stream', [path]);
        await session.settle();

        const [first, second] = session.of('net_unix');
        expect(session.of('net_unix')).toHaveLength(2);
        const name = kind === 'path' ? path : `\0${path.slice(1)}`;
        expect(first).toMatchObject({
          role: NET_ROLE.CLIENT,
          path: name,
          tgid: truth.pid,
          peerTgid: truth.pid,
        });
        expect(second).toMatchObject({
          role: NET_ROLE.SERVER,
          path: name,
          tgid: truth.pid,
          peerTgid: truth.pid,
        });
        expect(first!.peerCookie).toBe(second!.cookie);
        expect(second!.peerCookie).toBe(first!.cookie);

        const client = session.of('net_data').filter((record) => record.cookie === first!.cookie);
        const server = session.of('net_data').filter((record) => record.cookie === second!.cookie);
        const brief = (records: typeof client) =>
          records.map(({ egress, position, length, turn, payload }) => [
            egress ? 'sent' : 'received',
            position,
            length,
            turn,
            payload.length > 100 ? payload.slice(0, 4) : payload,
          ]);
        expect(brief(client)).toEqual([
          ['sent', 0, 18, 1, 'request by message'],
          ['received', 0, 4, 2, 'the '],
          ['received', 4, 6, 2, 'answer'],
          ['sent', 18, 4096, 3, ''],
        ]);
        expect(brief(server)).toEqual([
          ['received', 0, 18, 1, 'request by message'],
          ['sent', 0, 10, 2, 'the answer'],
          ['received', 18, 4096, 3, '\x7fELF'],
        ]);
        expect(client[3]!.flags).toBe(NET_DATA_FLAGS.NO_MEMORY);
        for (const record of [...client, ...server])
          expect(record.tuple).toMatchObject({ family: 1, localPort: 0, remotePort: 0 });
        expect(session.of('net_error')).toHaveLength(1);
        expect(session.of('net_error')[0]).toMatchObject({ cookie: second!.cookie, error: 0, egress: false });
        expect(session.stats()).toMatchObject({ net_turns: 6, net_data_fault: 0 });
      });
    }

    it('leaves unix sockets alone when told to', async () => {
      const session = new Session({
        net: { variant, unixSockets: false },
        rules: { selectByDefault: false, includeComms: ['unix-stream'] },
      });
      await runProgram('unix-stream', [join(folder(), 'server.sock')]);
      await session.settle();
      expect(session.records).toEqual([]);
    });
  });
}
