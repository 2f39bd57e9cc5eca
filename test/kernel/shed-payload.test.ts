/** What is left out to save CPU time is payload, never the count: exchanges seen + lost = exchanges that were sent. */
import { afterEach, expect, it } from 'vitest';
import { SHED } from '../../src/receiver/ebpf/abi.gen.js';
import { describeKernel, NodeChild, netVariants, waitUntil } from '../helpers/kernel.js';
import { LiveExchanges } from '../helpers/live-exchanges.js';
import { freeTcpPort, itWith, Workbench } from '../helpers/tools.js';

/** A server and its clients in one process: \`count\` requests over \`sockets\` connections, kept or closed after each. */
const LOAD = `
const http = require('node:http');
const server = http.createServer((request, response) => {
  request.resume().on('end', () => response.end('x'.repeat(Number(request.url.slice(1)))));
});
const agents = [true, false].map((keepAlive) => new http.Agent({ keepAlive, maxSockets: 8 }));
server.listen(0, '127.0.0.1', () => process.send('ready'));
process.on('message', async ({ count, keep, body, end }) => {
  if (end) { agents[0].destroy(); server.close(() => process.send('ended')); return; }
  const one = (i) => new Promise((resolve, reject) => http.request(
    { port: server.address().port, path: '/' + (i % 7) * 3000, agent: agents[keep ? 0 : 1], method: body ? 'POST' : 'GET' },
    (response) => response.resume().on('end', resolve)).on('error', reject).end(body ? 'b'.repeat(body) : undefined));
  for (let i = 0; i < count; i += 8) await Promise.all(Array.from({ length: Math.min(8, count - i) }, (_, j) => one(i + j)));
  process.send(count);
});
`;

/** Asks a Redis server, one command after the other, over one connection for all. */
const COMMANDS = (port: number) => `
const socket = require('node:net').connect(${port}, '127.0.0.1', () => process.send('ready'));
process.on('message', async ({ count, end }) => {
  if (end) { socket.end().once('close', () => process.send('ended')); return; }
  for (let i = 0; i < count; i++) {
    socket.write('*2\\r\\n$3\\r\\nGET\\r\\n$1\\r\\nk\\r\\n');
    await new Promise((resolve) => socket.once('data', resolve));
  }
  process.send(count);
});
`;

const bench = new Workbench();
const children: NodeChild[] = [];

/** In this order; what was kept open in one phase goes on in the next. */
const PHASES = [
  // Long enough to think that these are no HTTP.
  { shed: true, count: 800, keep: true, body: 0 },
  { shed: false, count: 80, keep: true, body: 0 },
  { shed: true, count: 200, keep: true, body: 0 },
  { shed: true, count: 120, keep: false, body: 0 },
  { shed: true, count: 80, keep: true, body: 40_000 },
  { shed: false, count: 80, keep: true, body: 0 },
  { shed: true, count: 40, keep: false, body: 5000 },
  { shed: false, count: 40, keep: false, body: 0 },
];

for (const variant of netVariants()) {
  describeKernel(`shed payload (${variant} variant)`, () => {
    afterEach(async () => {
      for (const child of children.splice(0)) await child.end();
      await bench.end();
    });

    itWith(['redis-server'], 'counts every command whose payload was left out', async () => {
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
      const client = new NodeChild(COMMANDS(port));
      children.push(client);
      await client.message();
      using live = new LiveExchanges({
        net: { variant, unixSockets: false },
        ringBytes: 64 << 20,
        rules: { selectByDefault: false, includePids: [client.pid] },
      });
      let sent = 0;
      for (const [i, count] of [20, 137, 20, 55, 1, 77].entries()) {
        live.capture.setShed(i % 2 === 1 ? SHED.PAYLOAD : 0);
        client.send({ count });
        sent += await client.message<number>();
        await live.settle();
      }
      client.send({ end: true });
      await client.message();
      await live.settle();
      live.table.flush();
      const { begun, missed, finished, lost } = live.protocols.of('redis');
      expect(finished + Object.values(lost).reduce((sum, value) => sum + value, 0)).toBe(begun + missed);
      expect(begun + missed).toBe(sent);
      expect(finished).toBe(41);
    });

    it('counts every exchange whose payload was left out', async () => {
      const load = new NodeChild(LOAD);
      children.push(load);
      await load.message();
      using live = new LiveExchanges({
        net: { variant, unixSockets: false },
        ringBytes: 64 << 20,
        rules: { selectByDefault: false, includePids: [load.pid] },
      });
      let sent = 0;
      let kept = 0;
      for (const { shed, ...phase } of PHASES) {
        live.capture.setShed(shed ? SHED.PAYLOAD : 0);
        load.send(phase);
        sent += await load.message<number>();
        await live.settle();
        if (!shed) kept += phase.count;
      }
      load.send({ end: true });
      await load.message();
      await live.settle();
      live.table.flush();
      const { server, client } = live.counters;
      for (const [name, side] of Object.entries({ server, client })) {
        const lost = Object.values(side.lost).reduce((sum, count) => sum + count, 0);
        expect([name, side.emitted + lost]).toEqual([name, sent]);
        expect(side.emitted).toBeGreaterThanOrEqual(kept);
        expect(lost).toBeGreaterThan(0);
      }
    });
  });
}
