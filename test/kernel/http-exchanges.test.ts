/**
 * A plain Node HTTP server under load, observed for real: what comes out plus what is counted as lost is exactly what
 * the server handled and the load generator completed.
 */
import { execFile, execFileSync } from 'node:child_process';
import { promisify } from 'node:util';
import { afterEach, expect, it } from 'vitest';
import type { Batch } from '../../src/component/signal.js';
import { LOSS_REASONS } from '../../src/observer/exchange-counters.js';
import { OBSERVER_KEY } from '../../src/observer/observer-service.js';
import { decodeSpans } from '../../src/otlp/decode.js';
import { SpanKind } from '../../src/otlp/span-constants.js';
import { ebpfConfig } from '../../src/receiver/ebpf/config.js';
import { EbpfReceiver } from '../../src/receiver/ebpf/ebpf.js';
import { NOP_LOGGER } from '../../src/telemetry/logger.js';
import { MetricsRegistry } from '../../src/telemetry/registry.js';
import { lastPoints, totalCount } from '../helpers/decoded-metrics.js';
import { testHost } from '../helpers/host.js';
import { describeKernel, NodeChild } from '../helpers/kernel.js';

const SERVER = `
const http = require('node:http');
let handled = 0;
const server = http.createServer((request, response) => {
  handled++;
  response.statusCode = request.url.startsWith('/missing') ? 404 : 200;
  response.end('hello');
});
server.listen(0, '127.0.0.1', () => process.send(server.address().port));
process.on('message', () => process.send(handled));
`;

/** The same load from Node, less fast. Answers the number of completed requests. */
const LOAD = `
const http = require('node:http');
process.on('message', async ({ url, seconds, connections }) => {
  const agent = new http.Agent({ keepAlive: true, maxSockets: connections });
  const end = Date.now() + seconds * 1000;
  let completed = 0;
  const one = () => new Promise((resolve, reject) => http.get(url, { agent }, (response) => {
    response.resume().on('end', resolve);
  }).on('error', reject));
  await Promise.all(Array.from({ length: connections }, async () => {
    while (Date.now() < end) { await one(); completed++; }
  }));
  // When the ring has room again: the last turn of each connection is seen, so gaps before it are known.
  await new Promise((resolve) => setTimeout(resolve, 500));
  await Promise.all(Array.from({ length: connections }, one));
  agent.destroy();
  process.send(completed + connections);
});
`;

const CONNECTIONS = 16;
const SECONDS = 3;
const children: NodeChild[] = [];

afterEach(async () => {
  for (const child of children.splice(0)) await child.end();
});

function start(script: string): NodeChild {
  const child = new NodeChild(script);
  children.push(child);
  return child;
}

const hasWrk = ((): boolean => {
  try {
    execFileSync('which', ['wrk']);
    return true;
  } catch {
    return false;
  }
})();

interface Outcome {
  readonly batches: readonly Batch[];
  /** Metrics. */
  readonly points: readonly Batch[];
  readonly registry: MetricsRegistry;
  readonly handled: number;
  readonly completed: number;
  readonly port: number;
  readonly serverPid: number;
}

async function load(settings: object, useWrk: boolean): Promise<Outcome> {
  const server = start(SERVER);
  const port = await server.message<number>();
  const node = useWrk ? undefined : start(LOAD);
  const batches: Batch[] = [];
  const points: Batch[] = [];
  const registry = new MetricsRegistry();
  const include = { pids: [server.pid, ...(node ? [node.pid] : [])], commands: useWrk ? ['wrk'] : [] };
  const receiver = new EbpfReceiver(
    {
      id: 'ebpf',
      logger: NOP_LOGGER,
      metrics: registry.account({ id: 'ebpf', kind: 'receiver' }).own,
      now: Date.now,
    },
    ebpfConfig().parse({ targets: { include, default: 'none' }, budget: { cpus: 0 }, ...settings }),
    {
      traces: {
        consume: async (batch) => {
          batches.push(batch);
        },
      },
      metrics: {
        consume: async (batch) => {
          points.push(batch);
        },
      },
    },
  );
  const host = testHost();
  await receiver.start(host);
  try {
    expect(host.service(OBSERVER_KEY)).toBeDefined();
    const url = `http://127.0.0.1:${port}/items?id=7`;
    let completed: number;
    if (node === undefined) {
      const { stdout } = await promisify(execFile)('wrk', ['-t1', `-c${CONNECTIONS}`, `-d${SECONDS}s`, url]);
      completed = Number(/(\d+) requests in/.exec(stdout)![1]);
    } else {
      node.send({ url, seconds: SECONDS, connections: CONNECTIONS });
      completed = await node.message<number>();
    }
    server.send({});
    const handled = await server.message<number>();
    const serverPid = server.pid;
    await receiver.shutdown(AbortSignal.timeout(20_000));
    return { batches, points, registry, handled, completed, port, serverPid };
  } finally {
    await receiver.shutdown(AbortSignal.abort());
  }
}

function exchangesOf(registry: MetricsRegistry, side: string, result: string): number {
  return registry
    .snapshot()
    .samples.filter(
      ({ name, labels }) => name === 'exchanges' && labels.side === side && labels.result === result,
    )
    .reduce((sum, { value }) => sum + value, 0);
}

describeKernel('HTTP exchanges', () => {
  for (const variant of ['socket', 'syscall']) {
    it(`accounts for every request of a loaded server, hooks at ${variant}`, async () => {
      const { batches, points, registry, handled, completed, port, serverPid } = await load(
        { net_hooks: variant },
        hasWrk,
      );
      const spans = batches.flatMap(({ bytes }) => decodeSpans(bytes));
      const servers = spans.filter(({ kind }) => kind === SpanKind.server);
      const clients = spans.filter(({ kind }) => kind === SpanKind.client);
      const lost = (side: string) => exchangesOf(registry, side, 'lost');

      expect(completed).toBeGreaterThan(1000);
      expect(servers.length + lost('server')).toBe(handled);
      expect(exchangesOf(registry, 'server', 'emitted')).toBe(servers.length);
      // wrk stops with a request under way on each connection, which it does not count.
      const answered = clients.filter(({ attributes }) => attributes['kindling.incomplete'] === undefined);
      expect(answered.length + lost('client')).toBeGreaterThanOrEqual(completed);
      expect(answered.length + lost('client')).toBeLessThanOrEqual(completed + CONNECTIONS);
      if (lost('client') === 0) expect(answered).toHaveLength(completed);
      const measured = (name: string) => totalCount(lastPoints(points, name));
      expect(measured('http.server.request.duration')).toBe(servers.length);
      expect(measured('http.client.request.duration')).toBe(clients.length);

      const span = servers[Math.floor(servers.length / 2)]!;
      expect(span.name).toBe('GET /items');
      expect(span.attributes).toMatchObject({
        'http.request.method': 'GET',
        'http.response.status_code': 200,
        'url.path': '/items',
        'url.query': 'id=REDACTED',
        'server.address': '127.0.0.1',
        'server.port': port,
        'network.peer.address': '127.0.0.1',
        'kindling.source': 'kernel',
      });
      expect(span.resource.attributes).toMatchObject({ 'process.pid': serverPid });
      const ids = new Set(spans.map(({ spanId }) => spanId));
      expect(ids.size).toBe(spans.length);
      const children = servers.filter(({ parentSpanId }) => ids.has(parentSpanId));
      expect(children.length).toBeGreaterThan(servers.length * 0.99 - lost('client'));
      for (const line of registry.snapshot().accounts)
        expect(line).toMatchObject({ unaccounted: 0, held: 0 });
      console.log(
        `${variant}: ${handled} handled, ${servers.length} + ${clients.length} spans, lost ${lost('server')} + ${lost('client')}`,
      );
    });
  }

  it('counts what a ring buffer that is far too small loses', async () => {
    const { batches, registry, handled } = await load(
      { ring_buffer_size: '16KiB', tiers: { scheduler: 'disabled' } },
      false,
    );
    const servers = batches
      .flatMap(({ bytes }) => decodeSpans(bytes))
      .filter(({ kind }) => kind === SpanKind.server).length;
    const lost = exchangesOf(registry, 'server', 'lost');
    expect(lost).toBeGreaterThan(0);
    expect(servers + lost).toBe(handled);
    const reasons = registry
      .snapshot()
      .samples.filter(({ name }) => name === 'exchanges')
      .map(({ labels }) => labels.reason)
      .filter((reason) => reason !== undefined);
    expect(LOSS_REASONS).toEqual(expect.arrayContaining(reasons));
    console.log(`16 KiB ring: ${handled} handled, ${servers} spans, lost ${lost}`);
  });
});
