/** What is left out to save CPU time is payload, never the count: exchanges seen + lost = exchanges that were sent. */
import { afterEach, expect, it } from 'vitest';
import { SHED } from '../../src/receiver/ebpf/abi.gen.js';
import { describeKernel, NodeChild, netVariants } from '../helpers/kernel.js';
import { LiveExchanges } from '../helpers/live-exchanges.js';

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
        console.log(variant, name, JSON.stringify(side), sent);
        expect([name, side.emitted + lost]).toEqual([name, sent]);
        expect(side.emitted).toBeGreaterThanOrEqual(kept);
        expect(lost).toBeGreaterThan(0);
      }
    });
  });
}
