/**
 * The agent and the demo application together, as `make run` starts them: each slow endpoint is explained by its true
 * cause, on the span of the SDK, within seconds; the agent leaves nothing behind and survives being killed.
 */
import { execFileSync } from 'node:child_process';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import type { ExplainedSpan } from '../../src/explain/explained-span.js';
import { readSpans } from '../../src/explain/trace-explanation.js';
import { indexTraces } from '../../src/store/index-traces.js';
import { StoreReader } from '../../src/store/store-reader.js';
import {
  eventually,
  freePort,
  killLeftovers,
  type Running,
  removeTemporaryDirectories,
  run,
  startAgent,
  temporaryDirectory,
} from '../helpers/agent.js';
import { describeKernel } from '../helpers/kernel.js';

const SLOW_NS = 15e6;

const config = (port: number, store: string) => `
receivers:
  ebpf:
  otlp:
    protocols:
      http:
        endpoint: 127.0.0.1:${port}
processors:
  trace_profiling:
exporters:
  store:
    directory: ${store}
service:
  pipelines:
    traces:
      receivers: [ebpf, otlp]
      processors: [trace_profiling]
      exporters: [store]
`;

/** Every span in the store. */
async function storedSpans(store: string): Promise<ExplainedSpan[]> {
  const reader = await StoreReader.open(store, 'traces', indexTraces);
  const traces = new Set([...reader.entries()].map(({ traceId }) => traceId));
  const spans: ExplainedSpan[] = [];
  for (const traceId of traces) {
    const found = readSpans(await reader.batchesOf(traceId), (id) => id === traceId);
    spans.push(...(found.get(traceId) ?? []));
  }
  return spans;
}

/** Slow spans of an SDK that served one path, with their profile: a lock that is free is not waited for. */
const enriched = async (store: string, service: string, path: string): Promise<ExplainedSpan[]> =>
  (await storedSpans(store)).filter(
    (span) =>
      span.service === service &&
      span.kind === 'server' &&
      span.source === 'sdk' &&
      String(span.attributes['url.path']).startsWith(path) &&
      span.confidence !== undefined &&
      span.durationNs >= SLOW_NS,
  );

const loadedPrograms = (): number =>
  (
    JSON.parse(execFileSync('bpftool', ['prog', 'show', '-j'], { encoding: 'utf8' })) as { name?: string }[]
  ).filter(({ name }) => name?.startsWith('on_sched_switch')).length;

/** The largest class, run queue left out: how much of it there is, is up to whatever else this machine does. */
const dominant = (span: ExplainedSpan): string =>
  span.breakdown.find(({ timeClass }) => timeClass !== 'runqueue')?.timeClass ?? 'none';

describeKernel('the demo, explained', () => {
  let agent: Running;
  let demo: Running;

  afterEach(killLeftovers);
  afterAll(removeTemporaryDirectories);

  it('names the cause of each slow endpoint, and adds up', async () => {
    const port = await freePort();
    const store = temporaryDirectory();
    const before = loadedPrograms();
    agent = await startAgent(config(port, store));
    expect(loadedPrograms()).toBeGreaterThan(before);
    demo = run('node', ['demo/main.mjs', '--endpoint', `http://127.0.0.1:${port}`]);

    const causes = [
      { service: 'shop', path: '/report', cause: 'cpu' },
      { service: 'inventory', path: '/stock', cause: 'lock' },
      { service: 'pricing', path: '/price', cause: 'net' },
      { service: 'shop', path: '/order', cause: 'disk' },
    ];
    for (const { service, path, cause } of causes) {
      const spans = await eventually(`${service} ${path} explained`, 60_000, async () => {
        const found = await enriched(store, service, path);
        return found.length >= 3 ? found : undefined;
      });
      for (const span of spans) {
        const total = span.breakdown.reduce((sum, { ns }) => sum + ns, 0);
        expect(total, `${path}: the classes sum to the duration`).toBe(span.durationNs);
      }
      const named = spans.filter((span) => dominant(span) === cause).length;
      expect(named / spans.length, `${path}: ${spans.map(dominant)}`).toBeGreaterThanOrEqual(0.5);
    }
    const reports = await enriched(store, 'shop', '/report');
    const stacks = reports.map((span) => span.hotStack?.frames.join(';') ?? '');
    expect(
      stacks.some((stack) => stack.includes('nearestNeighbours')),
      stacks.join('\n'),
    ).toBe(true);
    const orders = (await enriched(store, 'shop', '/order')).flatMap((span) => span.intervals);
    expect(orders.some((wait) => wait.timeClass === 'disk' && wait.file.includes('journal'))).toBe(true);
    const stock = (await enriched(store, 'inventory', '/stock')).flatMap((span) => span.intervals);
    expect(stock.some((wait) => wait.timeClass === 'lock' && wait.wakerThread.includes('stock-clerk'))).toBe(
      true,
    );

    const [report] = reports;
    const text = execFileSync('bin/kindling', ['trace', report!.traceId, '--store', store], {
      encoding: 'utf8',
    });
    expect(text).toContain('GET /report in shop');
    expect(text).toContain('on-CPU');

    expect(await demo.stop('SIGTERM'), demo.stderr()).toBe(0);
    expect(await agent.stop('SIGTERM'), agent.stderr()).toBe(0);
    expect(loadedPrograms()).toBe(before);
  });

  it('starts again after SIGKILL on the same store', async () => {
    const port = await freePort();
    const store = temporaryDirectory();
    const before = loadedPrograms();
    agent = await startAgent(config(port, store));
    expect(await agent.stop('SIGKILL')).toBe(null);
    agent = await startAgent(config(port, store));
    expect(await agent.stop('SIGINT'), agent.stderr()).toBe(0);
    expect(loadedPrograms()).toBe(before);
  });
});

describe('the command', () => {
  it('says what is wrong with a configuration and exits with 2', async () => {
    const agent = run('bin/kindling', ['--config', 'yaml:receivers::nosuch:']);
    expect(await agent.stop('SIGCONT')).toBe(2);
    expect(agent.stderr()).toContain('nosuch');
  });
});
