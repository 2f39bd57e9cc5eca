/** Programs that nobody here wrote, counted exactly: what they did, by their own account, is what was seen. */

import { execFile, execFileSync } from 'node:child_process';
import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, expect } from 'vitest';
import { NET_DATA_FLAGS } from '../../src/receiver/ebpf/abi.gen.js';
import {
  closeSessionsAfterEach,
  describeKernel,
  NodeChild,
  netVariants,
  Session,
  waitUntil,
} from '../helpers/kernel.js';
import { LiveExchanges } from '../helpers/live-exchanges.js';
import { freeTcpPort, itWith, Workbench } from '../helpers/tools.js';

const run = promisify(execFile);
const bench = new Workbench();
const children: NodeChild[] = [];

interface Server {
  readonly pid: number;
  readonly port: number;
}

/** Serves a file of `bytes` bytes from `folder` with sendfile, in one process; its log has a line for each request. */
async function startNginx(folder: string, bytes: number): Promise<Server> {
  const port = await freeTcpPort();
  writeFileSync(join(folder, 'file'), Buffer.alloc(bytes, 'n'));
  writeFileSync(
    join(folder, 'nginx.conf'),
    `daemon off; master_process off; pid ${folder}/pid; error_log ${folder}/error.log;
     events { worker_connections 256; }
     http {
       sendfile on; tcp_nopush on; keepalive_requests 1000000;
       log_format times '$msec $request_time $status';
       access_log ${folder}/access.log times;
       client_body_temp_path ${folder}/a; proxy_temp_path ${folder}/b; fastcgi_temp_path ${folder}/c;
       uwsgi_temp_path ${folder}/d; scgi_temp_path ${folder}/e;
       server { listen 127.0.0.1:${port}; root ${folder}; }
     }`,
  );
  const nginx = bench.start('nginx', ['-c', join(folder, 'nginx.conf'), '-e', join(folder, 'error.log')]);
  const answers = () => {
    try {
      execFileSync('curl', ['-sf', '-o', '/dev/null', `http://127.0.0.1:${port}/file`]);
      return true;
    } catch {
      return false;
    }
  };
  await waitUntil(answers);
  return { pid: nginx.pid!, port };
}

for (const variant of netVariants()) {
  describeKernel(`net tools (${variant} variant)`, () => {
    closeSessionsAfterEach();
    afterEach(async () => {
      for (const child of children.splice(0)) await child.end();
      await bench.end();
    });

    itWith(['nginx', 'curl'], 'counts each byte that nginx sends with sendfile', async () => {
      const bytes = 300_000;
      const { pid, port } = await startNginx(bench.folder(), bytes);
      using live = new LiveExchanges({
        net: { variant, unixSockets: false },
        rules: { selectByDefault: false, includePids: [pid], includeComms: ['curl'] },
      });
      for (let i = 0; i < 10; i++)
        await run('curl', ['-s', '-o', '/dev/null', `http://127.0.0.1:${port}/file`]);
      // Others may use curl at the same time.
      const ours = (role: 'server' | 'client') =>
        live.of(role).filter(({ tuple }) => [tuple.localPort, tuple.remotePort].includes(port));
      await waitUntil(() => ours('server').length + ours('client').length === 20);
      for (const role of ['server', 'client'] as const) {
        expect(ours(role)).toHaveLength(10);
        for (const exchange of ours(role)) {
          expect(exchange).toMatchObject({ incomplete: undefined, http: { statusCode: 200, path: '/file' } });
          expect(exchange.responseBytes).toBeGreaterThan(bytes);
          expect(exchange.responseBytes).toBeLessThan(bytes + 400);
        }
      }
      const sizes = [...ours('server'), ...ours('client')].map((exchange) => exchange.responseBytes);
      expect(new Set(sizes).size).toBe(1);
    });

    itWith(['nginx', 'wrk', 'curl'], 'joins connections in the middle of traffic', async () => {
      const folder = bench.folder();
      const { pid, port } = await startNginx(folder, 2000);
      const load = bench.start('wrk', ['-t1', '-c8', '-d60s', `http://127.0.0.1:${port}/file`]);
      const logged = () => statSync(join(folder, 'access.log')).size;
      await waitUntil(() => logged() > 10_000);
      const before = Date.now();
      using live = new LiveExchanges({
        net: { variant, unixSockets: false },
        ringBytes: 64 << 20,
        rules: { selectByDefault: false, includePids: [pid] },
      });
      const attached = Date.now();
      const soFar = logged();
      await waitUntil(() => logged() > soFar + 200_000);
      load.kill('SIGINT');
      await new Promise((resolve) => load.once('exit', resolve));
      await live.settle();
      await waitUntil(() => live.table.size === 0);
      // nginx logs when a request ended and how long it took, in milliseconds.
      const ends = readFileSync(join(folder, 'access.log'), 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => Number(line.split(' ')[0]) * 1000);
      const surely = ends.filter((end) => end > attached + 20).length;
      const atMost = ends.filter((end) => end >= before - 20).length;
      const { server } = live.counters;
      const seen = server.emitted + Object.values(server.lost).reduce((sum, lost) => sum + lost, 0);
      expect(surely).toBeGreaterThan(100);
      expect(seen).toBeGreaterThanOrEqual(surely);
      expect(seen).toBeLessThanOrEqual(atMost);
      expect(server.lost.joined_in_middle).toBeLessThanOrEqual(8);
      expect(server.emitted).toBeGreaterThanOrEqual(surely - server.lost.ring_full);
      for (const exchange of live.of('server').slice(16)) {
        expect([200, 0]).toContain(exchange.http.statusCode);
      }
    });

    itWith(['curl'], 'sees HTTP over a unix socket, both ends', async () => {
      const path = join(bench.folder(), 'http.sock');
      const server = new NodeChild(`
        require('node:http').createServer((request, response) => response.end('x'.repeat(5000)))
          .listen(${JSON.stringify(path)}, () => process.send('ready'));`);
      children.push(server);
      await server.message();
      using live = new LiveExchanges({
        net: { variant },
        rules: { selectByDefault: false, includePids: [server.pid], includeComms: ['curl'] },
      });
      for (let i = 0; i < 10; i++) {
        await run('curl', [
          '-s',
          '--unix-socket',
          path,
          `http://sidecar/one?${i}`,
          `http://sidecar/two?${i}`,
        ]);
      }
      const ours = (role: 'server' | 'client') =>
        live.of(role).filter(({ tuple }) => [tuple.localAddress, tuple.remoteAddress].includes(path));
      await waitUntil(() => ours('server').length + ours('client').length === 40);
      for (const role of ['server', 'client'] as const) {
        expect(ours(role)).toHaveLength(20);
        for (const exchange of ours(role)) {
          expect(exchange).toMatchObject({
            incomplete: undefined,
            http: { statusCode: 200, host: 'sidecar' },
            tuple: {
              family: 'unix',
              localAddress: role === 'server' ? path : '',
              remoteAddress: role === 'client' ? path : '',
            },
          });
          expect(exchange.responseBytes).toBeGreaterThan(5000);
        }
      }
      for (const exchange of ours('server')) expect(exchange.tgid).toBe(server.pid);
    });

    itWith(
      ['postgres', 'initdb', 'pgbench', 'setpriv'],
      'counts what pgbench asks, over TCP and over a unix socket',
      async () => {
        const folder = bench.folder();
        chmodSync(folder, 0o777);
        const port = await freeTcpPort();
        const asUser = ['--reuid=postgres', '--regid=postgres', '--clear-groups'];
        await run('setpriv', [
          ...asUser,
          'initdb',
          '-D',
          join(folder, 'data'),
          '-A',
          'trust',
          '-U',
          'postgres',
          '-N',
        ]);
        bench.start('setpriv', [
          ...asUser,
          ...['postgres', '-D', join(folder, 'data'), '-k', folder, '-p', String(port)],
          ...['-c', 'listen_addresses=127.0.0.1', '-c', 'fsync=off'],
        ]);
        const script = join(folder, 'script.sql');
        writeFileSync(script, 'SELECT 1;\n');
        const pgbench = (host: string) =>
          run('pgbench', [
            ...['-n', '-h', host, '-p', String(port), '-U', 'postgres', '-f', script],
            ...['-c', '2', '-t', '50', 'postgres'],
          ]);
        let ready = false;
        void (async () => {
          while (!ready)
            ready = await pgbench('127.0.0.1').then(
              () => true,
              () => false,
            );
        })();
        await waitUntil(() => ready);

        const session = new Session({
          net: { variant },
          ringBytes: 64 << 20,
          rules: { selectByDefault: false, includeComms: ['pgbench', 'postgres'] },
        });
        for (const host of ['127.0.0.1', folder]) {
          const first = session.of('net_data').length;
          const { stdout } = await pgbench(host);
          expect(stdout).toContain('number of transactions actually processed: 100/100');
          await session.settle();
          // Others may use PostgreSQL at the same time.
          const ours = new Set(
            session
              .of('net_unix')
              .filter((socket) => socket.path === join(folder, `.s.PGSQL.${port}`))
              .map(({ cookie }) => cookie),
          );
          const data = session
            .of('net_data')
            .slice(first)
            .filter((record) => record.payload.startsWith('Q'))
            .filter(({ tuple, cookie }) =>
              host === folder ? ours.has(cookie) : [tuple.localPort, tuple.remotePort].includes(port),
            );
          expect(data.filter((record) => record.egress)).toHaveLength(100);
          expect(data.filter((record) => !record.egress)).toHaveLength(100);
          for (const record of data) expect(record.payload).toBe('Q\0\0\0\x0eSELECT 1;\0');
        }
        const clients = session
          .of('net_unix')
          .filter((socket) => socket.path === join(folder, `.s.PGSQL.${port}`));
        const cookies = new Set(clients.map((socket) => socket.cookie));
        for (const socket of clients) {
          if (socket.peerCookie !== 0) expect(cookies.has(socket.peerCookie)).toBe(true);
        }
        expect(clients.length).toBeGreaterThanOrEqual(4);
      },
    );

    itWith(['redis-server', 'redis-benchmark'], 'counts what redis-benchmark asks', async () => {
      const port = await freeTcpPort();
      const redis = bench.start('redis-server', [
        '--port',
        String(port),
        '--save',
        '',
        '--bind',
        '127.0.0.1',
      ]);
      let log = '';
      redis.stdout!.on('data', (text) => {
        log += text;
      });
      await waitUntil(() => log.includes('Ready to accept'));
      const session = new Session({
        net: { variant, unixSockets: false },
        ringBytes: 64 << 20,
        rules: { selectByDefault: false, includePids: [redis.pid!], includeComms: ['redis-benchmark'] },
      });
      await run('redis-benchmark', ['-p', String(port), '-c', '4', '-n', '2000', '-t', 'set', '-q']);
      await session.settle();
      const sets = session
        .of('net_data')
        .filter(({ tuple }) => [tuple.localPort, tuple.remotePort].includes(port))
        .filter((record) => record.payload.startsWith('*3\r\n$3\r\nSET'));
      expect(sets.filter((record) => record.egress)).toHaveLength(2000);
      expect(sets.filter((record) => !record.egress)).toHaveLength(2000);
    });

    itWith(['unshare', 'ip', 'getent'], 'sees every look-up of the system resolver', async () => {
      const folder = bench.folder();
      writeFileSync(join(folder, 'resolv.conf'), 'nameserver 127.0.0.1\noptions timeout:5\n');
      writeFileSync(join(folder, 'nsswitch.conf'), 'hosts: dns\n');
      // Answers every query of type A with 10.0.0.1 and others with nothing; says how many it had.
      writeFileSync(
        join(folder, 'dns.js'),
        `const socket = require('node:dgram').createSocket('udp4');
         let queries = 0;
         socket.on('message', (query, from) => {
           queries++;
           const end = query.indexOf(0, 12) + 5;
           const isA = query.readUInt16BE(end - 4) === 1;
           const answer = Buffer.concat([query.subarray(0, end), isA ? Buffer.from('c00c000100010000003c00040a000001', 'hex') : Buffer.alloc(0)]);
           answer.writeUInt16BE(0x8180, 2);
           answer.writeUInt16BE(isA ? 1 : 0, 6);
           answer.writeUInt16BE(0, 8);
           answer.writeUInt16BE(0, 10);
           socket.send(answer, from.port, from.address);
         });
         socket.bind(53, '127.0.0.1', () => require('node:child_process').execFile(
           'sh', ['-c', 'for i in 1 2 3 4 5; do getent ahosts host$i.test; done'], (error, stdout) => {
             console.log(JSON.stringify({ queries, error: error?.message, found: stdout.split('10.0.0.1').length - 1 }));
             process.exit();
           }));`,
      );
      const session = new Session({
        net: { variant, unixSockets: false },
        rules: { selectByDefault: false, includeComms: ['node', 'getent'] },
      });
      const { stdout } = await run('unshare', [
        ...['--net', '--mount', 'sh', '-c'],
        `ip link set lo up
         mount --bind ${folder}/resolv.conf /etc/resolv.conf
         mount --bind ${folder}/nsswitch.conf /etc/nsswitch.conf
         exec ${process.execPath} ${folder}/dns.js`,
      ]);
      const truth = JSON.parse(stdout) as { queries: number; found: number };
      await session.settle();
      expect(truth.found).toBeGreaterThanOrEqual(5);
      const data = session.of('net_data').filter((record) => record.tuple.protocol === 17);
      const asked = (port: 'localPort' | 'remotePort', egress: boolean) =>
        data.filter((record) => record.tuple[port] === 53 && record.egress === egress);
      const name = (payload: string) => /host\d/.exec(payload)?.[0];
      for (const records of [asked('remotePort', true), asked('localPort', false)]) {
        expect(records).toHaveLength(truth.queries);
        for (const record of records) expect(name(record.payload)).toBeDefined();
      }
      const answers = [asked('localPort', true), asked('remotePort', false)];
      for (const records of answers) {
        expect(records).toHaveLength(truth.queries);
        // The identification of RFC 1035 section 4.1.1 comes back.
        expect(records.map((record) => record.payload.slice(0, 2)).sort()).toEqual(
          asked('remotePort', true)
            .map((record) => record.payload.slice(0, 2))
            .sort(),
        );
      }
      for (const record of data) expect(record.tuple).toMatchObject({ remote: '127.0.0.1' });
      for (const record of data) expect(record.flags & NET_DATA_FLAGS.NO_MEMORY).toBe(0);
    });
  });
}
