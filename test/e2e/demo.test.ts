/**
 * The agent and the demo application together, as `make run` starts them: each slow endpoint is explained by its true
 * cause, on the span of the SDK, within seconds; the agent leaves nothing behind and survives being killed.
 */
import { execFileSync } from 'node:child_process';
import { afterAll, describe, expect, it } from 'vitest';
import {
  eventually,
  freePort,
  type Running,
  removeTemporaryDirectories,
  run,
  startAgent,
  temporaryDirectory,
} from '../helpers/agent.js';
import { describeKernel } from '../helpers/kernel.js';

interface SpanJson {
  readonly service: string;
  readonly name: string;
  readonly kind: string;
  readonly source: string;
  readonly duration_ns: number;
  readonly breakdown_ns: Record<string, number>;
  readonly intervals: readonly { class: string; peer: string; file: string; waker_thread: string }[];
  readonly hot_stack: { frames: readonly string[] } | null;
  readonly confidence: number | null;
  readonly attributes: Record<string, unknown>;
}

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

/** Server spans of an SDK for one path of the shop or of inventory, with their profile. */
function enriched(store: string, service: string, path: string): SpanJson[] {
  const spans: SpanJson[] = [];
  for (const { trace_id } of json<{ traces: { trace_id: string }[] }>('traces', store, '--limit', '60')
    .traces) {
    const trace = json<{ spans: SpanJson[] }>('trace', store, trace_id);
    spans.push(
      ...trace.spans.filter(
        (span) =>
          span.service === service &&
          span.kind === 'server' &&
          span.source !== 'kernel' &&
          String(span.attributes['url.path']).startsWith(path) &&
          span.confidence !== null,
      ),
    );
  }
  return spans;
}

function json<T>(command: string, store: string, ...args: string[]): T {
  try {
    return JSON.parse(
      execFileSync('bin/kindling', [command, ...args, '--json', '--store', store], { encoding: 'utf8' }),
    );
  } catch {
    return { traces: [], spans: [] } as T; // nothing stored yet
  }
}

const loadedPrograms = (): number =>
  (
    JSON.parse(execFileSync('bpftool', ['prog', 'show', '-j'], { encoding: 'utf8' })) as { name?: string }[]
  ).filter(({ name }) => name?.startsWith('on_sched_switch')).length;

/** The largest class, run queue left out: how much of it there is, is up to whatever else this machine does. */
const dominant = (span: SpanJson): string =>
  Object.entries(span.breakdown_ns)
    .filter(([name]) => name !== 'runqueue')
    .sort(([, a], [, b]) => b - a)[0]?.[0] ?? 'none';

describeKernel('the demo, explained', () => {
  let agent: Running | undefined;
  let demo: Running | undefined;

  afterAll(async () => {
    await demo?.stop();
    await agent?.stop();
    removeTemporaryDirectories();
  });

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
        const found = enriched(store, service, path);
        return found.length >= 3 ? found : undefined;
      });
      for (const span of spans) {
        const total = Object.values(span.breakdown_ns).reduce((sum, ns) => sum + ns, 0);
        expect(total, `${path}: the classes sum to the duration`).toBe(span.duration_ns);
      }
      const named = spans.filter((span) => dominant(span) === cause).length;
      expect(named / spans.length, `${path}: ${spans.map(dominant)}`).toBeGreaterThanOrEqual(0.5);
    }
    const stacks = enriched(store, 'shop', '/report').map((span) => span.hot_stack?.frames.join(';') ?? '');
    expect(
      stacks.some((stack) => stack.includes('nearestNeighbours')),
      stacks.join('\n'),
    ).toBe(true);
    const orders = enriched(store, 'shop', '/order').flatMap((span) => span.intervals);
    expect(orders.some((wait) => wait.class === 'disk' && wait.file.includes('journal'))).toBe(true);
    const stock = enriched(store, 'inventory', '/stock').flatMap((span) => span.intervals);
    expect(stock.some((wait) => wait.class === 'lock' && wait.waker_thread.includes('stock-clerk'))).toBe(
      true,
    );

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
