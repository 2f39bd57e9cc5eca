/** Whose connection is it? Sockets that change hands, processes of milliseconds, other namespaces, address translation. */

import { execFile } from 'node:child_process';
import { readlinkSync } from 'node:fs';
import { createServer } from 'node:http';
import { promisify } from 'node:util';
import { afterEach, expect, it } from 'vitest';
import {
  closeSessionsAfterEach,
  describeKernel,
  type NodeChild,
  netVariants,
  runProgram,
  Session,
  waitUntil,
} from '../helpers/kernel.js';
import { itWith } from '../helpers/tools.js';

const run = promisify(execFile);
const children: NodeChild[] = [];

/** Serves one HTTP request of its own and reports what it knows of itself. */
const OWN_REQUEST = `
const http = require('node:http');
const fs = require('node:fs');
const server = http.createServer((request, response) => response.end('hello'));
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address();
  http.get({ port, host: '127.0.0.1', agent: false }, (response) => response.resume().on('end', () => {
    console.log(JSON.stringify({ pid: process.pid, port, netns: fs.readlinkSync('/proc/self/ns/net') }));
    server.close();
  }));
});
`;

const inode = (link: string): number => Number(/\d+/.exec(link)?.[0]);

for (const variant of netVariants()) {
  describeKernel(`net processes (${variant} variant)`, () => {
    closeSessionsAfterEach();
    afterEach(async () => {
      for (const child of children.splice(0)) await child.end();
    });

    it('names the process that moves the bytes, when a connection is inherited and passed on', async () => {
      const session = new Session({
        net: { variant },
        rules: { selectByDefault: false, includeComms: ['tcp-hand-over'] },
      });
      const truth = await runProgram('tcp-hand-over');
      await waitUntil(() => session.of('net_close').length === 2);
      await session.settle();
      const server = session.of('net_data').filter((record) => record.tuple.localPort === truth.port);
      expect(server.map(({ egress, tgid, payload, turn }) => [egress, tgid, payload, turn])).toEqual([
        [false, truth.acceptor, 'request', 1],
        [true, truth.worker, 'passed on', 2],
      ]);
      expect(new Set(server.map((record) => record.cookie)).size).toBe(1);
      const close = session.of('net_close').find((record) => record.cookie === server[0]!.cookie);
      expect(close).toMatchObject({ tgid: truth.worker, turns: 2, bytesReceived: 7, bytesSent: 9 });
    });

    itWith(['curl'], 'sees every process of a few milliseconds', async () => {
      const server = createServer((_, response) => response.end('hello')).listen(0, '127.0.0.1');
      await new Promise((resolve) => server.once('listening', resolve));
      const { port } = server.address() as { port: number };
      const session = new Session({
        net: { variant, unixSockets: false },
        rules: { selectByDefault: false, includeComms: ['curl'] },
      });
      const runs = 20;
      for (let i = 0; i < runs; i++) await run('curl', ['-s', `http://127.0.0.1:${port}/?${i}`]);
      server.close();
      // Others may use curl at the same time.
      const ours = <T extends { tuple: { remotePort: number } }>(records: readonly T[]) =>
        records.filter(({ tuple }) => tuple.remotePort === port);
      await waitUntil(() => ours(session.of('net_close')).length === runs);
      await session.settle();
      const opens = ours(session.of('net_open'));
      expect(new Set(opens.map((open) => open.tgid)).size).toBe(runs);
      const sent = ours(session.of('net_data')).filter((record) => record.egress);
      expect(sent.map((record) => record.payload.split(' HTTP')[0])).toEqual(
        Array.from({ length: runs }, (_, i) => `GET /?${i}`),
      );
      expect(ours(session.of('net_close')).map((close) => [close.turns, close.error])).toEqual(
        Array.from({ length: runs }, () => [2, 0]),
      );
    });

    itWith(['unshare', 'ip'], 'sees into other pid, mount and network namespaces', async () => {
      const session = new Session({
        net: { variant, unixSockets: false },
        rules: { selectByDefault: false, includeComms: ['node'] },
      });
      const { stdout } = await run('unshare', [
        ...['--net', '--pid', '--fork', '--mount-proc'],
        ...['sh', '-c', 'ip link set lo up && exec "$@"', 'sh', process.execPath, '-e', OWN_REQUEST],
      ]);
      const truth = JSON.parse(stdout) as { pid: number; port: number; netns: string };
      await session.settle();
      const opens = session
        .of('net_open')
        .filter((open) => [open.tuple.localPort, open.tuple.remotePort].includes(truth.port));
      expect(opens).toHaveLength(2);
      for (const open of opens) {
        expect(open.netns).toBe(inode(truth.netns));
        expect(open.netns).not.toBe(inode(readlinkSync('/proc/self/ns/net')));
        // The id that this test's /proc knows; the process itself has another one.
        expect(open.tgid).not.toBe(truth.pid);
        expect(open.tgid).toBe(opens[0]!.tgid);
      }
      const requests = session
        .of('net_data')
        .filter(({ tuple }) => [tuple.localPort, tuple.remotePort].includes(truth.port))
        .filter((record) => record.payload.startsWith('GET /'));
      expect(requests.map((record) => record.egress).sort()).toEqual([false, true]);
    });

    itWith(['unshare', 'ip', 'nft', 'nsenter', 'curl'], 'shows what each end sees through NAT', async () => {
      // client 10.99.1.2 ── router (this namespace of the script) ── server 10.99.2.2, known to the client as 10.99.9.9
      const script = `
        set -e
        unshare --net sleep 60 & client=$!
        unshare --net sleep 60 & server=$!
        trap 'kill $client $server' EXIT
        while [ "$(readlink /proc/$client/ns/net)" = "$(readlink /proc/self/ns/net)" ]; do :; done
        while [ "$(readlink /proc/$server/ns/net)" = "$(readlink /proc/self/ns/net)" ]; do :; done
        ip link set lo up
        ip link add c0 type veth peer name eth0 netns $client
        ip link add s0 type veth peer name eth0 netns $server
        ip addr add 10.99.1.1/24 dev c0; ip link set c0 up
        ip addr add 10.99.2.1/24 dev s0; ip link set s0 up
        for end in "$client 1" "$server 2"; do
          set -- $end
          nsenter -t $1 -n sh -c "ip link set lo up; ip addr add 10.99.$2.2/24 dev eth0; ip link set eth0 up; ip route add default via 10.99.$2.1"
        done
        echo 1 > /proc/sys/net/ipv4/ip_forward
        nft add table ip nat
        nft add chain ip nat pre '{ type nat hook prerouting priority -100 ; }'
        nft add chain ip nat post '{ type nat hook postrouting priority 100 ; }'
        nft add rule ip nat pre ip daddr 10.99.9.9 tcp dport 80 dnat to 10.99.2.2:8080
        nft add rule ip nat post oifname s0 masquerade
        nsenter -t $server -n "$NODE" -e '
          require("node:http").createServer((request, response) => response.end("hello"))
            .listen(8080, "10.99.2.2", () => console.log("listening"));
          setTimeout(() => process.exit(), 30000);' > ready & web=$!
        trap 'kill $client $server $web' EXIT
        until grep -q listening ready; do sleep 0.05; done
        nsenter -t $client -n curl -s -m 10 http://10.99.9.9/through-nat
      `;
      const session = new Session({
        net: { variant, unixSockets: false },
        rules: { selectByDefault: false, includeComms: ['node', 'curl'] },
      });
      const { stdout } = await run('unshare', ['--net', 'sh', '-c', `cd "$(mktemp -d)"; ${script}`], {
        env: { ...process.env, NODE: process.execPath },
      });
      expect(stdout).toContain('hello');
      await session.settle();
      const requests = session.of('net_data').filter((record) => record.payload.includes('/through-nat'));
      const sent = requests.find((record) => record.egress);
      const received = requests.find((record) => !record.egress);
      expect(requests).toHaveLength(2);
      expect(sent!.tuple).toMatchObject({ local: '10.99.1.2', remote: '10.99.9.9', remotePort: 80 });
      expect(received!.tuple).toMatchObject({ local: '10.99.2.2', localPort: 8080, remote: '10.99.2.1' });
      // What joins them: the same bytes at the same place of the stream.
      expect(received!.position).toBe(sent!.position);
      const netns = (cookie: number) => session.of('net_open').find((open) => open.cookie === cookie)!.netns;
      expect(netns(sent!.cookie)).not.toBe(netns(received!.cookie));
    });
  });
}
