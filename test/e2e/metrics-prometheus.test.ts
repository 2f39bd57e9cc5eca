/**
 * Metrics all the way into a real Prometheus, scraped and over OTLP: what it says must be what was sent. The queries are
 * those that Grafana's service graph, Jaeger's Monitor tab, our dashboards and our alerts make.
 */
import { execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  eventually,
  freePort,
  killLeftovers,
  removeTemporaryDirectories,
  startAgent,
  temporaryDirectory,
} from '../helpers/agent.js';
import { describeKernel } from '../helpers/kernel.js';
import {
  backendMissing,
  PROMTOOL,
  type RunningPrometheus,
  startPrometheus,
} from '../helpers/peers/backends.js';

const SERVER = `
const http = require('node:http');
const durations = [];
const server = http.createServer((request, response) => {
  const began = process.hrtime.bigint();
  const { pathname } = new URL(request.url, 'http://x');
  const done = () => {
    response.statusCode = pathname === '/broken' ? 500 : 200;
    response.end('hello', () => durations.push(Number(process.hrtime.bigint() - began) / 1e9));
  };
  if (pathname === '/slow') setTimeout(done, 60); else done();
});
server.listen(0, '127.0.0.1', () => process.send(server.address().port));
process.on('message', () => process.send(durations));
`;
/** Sends every path once, four at a time, each its own path so that there are many URLs. */
const CLIENT = `
const http = require('node:http');
process.on('message', async ({ port, paths }) => {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 4 });
  const left = [...paths];
  const one = (path) => new Promise((resolve, reject) => {
    http.get({ host: '127.0.0.1', port, path, agent }, (response) => response.resume().on('end', resolve)).on('error', reject);
  });
  const worker = async () => { while (left.length > 0) await one(left.pop()); };
  await Promise.all([worker(), worker(), worker(), worker()]);
  process.send('done');
});
process.send('ready');
`;
const PATHS = Array.from({ length: 400 }, (_, index) =>
  index % 20 === 0 ? `/broken?n=${index}` : index % 4 === 1 ? `/slow?n=${index}` : `/item/${index}`,
);
const BROKEN = PATHS.filter((path) => path.startsWith('/broken')).length;
const BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

const missing = backendMissing('prometheus');
if (missing !== undefined) console.warn(`SKIPPED metrics in a real Prometheus: ${missing}`);
if (missing !== undefined && process.env.KINDLING_E2E_REFERENCE === '1') {
  it('has a Prometheus to talk to', () => expect(missing).toBeUndefined());
}

const bucketOf = (seconds: number): number => BOUNDS.findIndex((bound) => seconds <= bound);

if (missing === undefined) {
  describeKernel('metrics in a real Prometheus', () => {
    const backends = new Map<string, RunningPrometheus>();
    let durations: number[] = [];
    let stop: () => Promise<unknown> = async () => {};

    const node = (name: string, script: string) => {
      const file = join(temporaryDirectory(), `${name}.cjs`);
      writeFileSync(file, script);
      return fork(file, { env: { ...process.env, OTEL_SERVICE_NAME: name }, execArgv: [] });
    };

    beforeAll(async () => {
      const server = node('shop', SERVER);
      const [port] = (await once(server, 'message')) as [number];
      const client = node('web', CLIENT);
      await once(client, 'message');
      const [page, own] = [await freePort(), await freePort()];
      const rules = resolve('deploy/prometheus/alerts.yml');
      const scraping = await startPrometheus({
        targets: [`127.0.0.1:${page}`, `127.0.0.1:${own}`],
        ruleFile: rules,
      });
      const receiving = await startPrometheus();
      backends.set('scraped', scraping);
      backends.set('over OTLP', receiving);
      const agent = await startAgent(`
receivers:
  ebpf:
    targets: { include: { pids: [${server.pid}, ${client.pid}] }, default: none }
    metrics: { interval: 1s }
  host_metrics:
    collection_interval: 1s
    initial_delay: 100ms
    scrapers: { cpu: , load: , memory: , disk: , network: , tcp: , cgroup: , system: , process: { include: { commands: [node] } } }
connectors:
  span_metrics: { metrics_flush_interval: 1s }
  span_metrics/tempo: { metrics_flush_interval: 1s, naming: tempo }
  service_graph: { metrics_flush_interval: 1s }
exporters:
  prometheus: { endpoint: "127.0.0.1:${page}", enable_open_metrics: true }
  otlp_http: { metrics_endpoint: "${receiving.metricsEndpoint}" }
service:
  telemetry:
    metrics:
      readers:
        - pull: { exporter: { prometheus: { host: 127.0.0.1, port: ${own}, without_type_suffix: true, without_units: true } } }
  pipelines:
    traces: { receivers: [ebpf], exporters: [span_metrics, span_metrics/tempo, service_graph] }
    metrics: { receivers: [ebpf, host_metrics, span_metrics, span_metrics/tempo, service_graph], exporters: [prometheus, otlp_http] }
`);
      stop = () => agent.stop();
      // A counter that begins at its full height has no rate: the first look must find something smaller.
      const half = PATHS.length / 2;
      for (const paths of [PATHS.slice(0, half), PATHS.slice(half)]) {
        client.send({ port, paths });
        await once(client, 'message');
        for (const backend of backends.values()) {
          await eventually('the requests so far', 60_000, async () => {
            const [sample] = await backend.query('sum(http_server_request_duration_seconds_count)');
            const edges = await backend.query('sum(traces_service_graph_request_total{client="web"})');
            const expected = paths[0] === PATHS[0] ? half : PATHS.length;
            return Number(sample?.value?.[1]) >= expected && Number(edges[0]?.value?.[1]) >= expected
              ? true
              : undefined;
          });
        }
      }
      server.send({});
      [durations] = (await once(server, 'message')) as [number[]];
      for (const child of [server, client]) child.kill();
    }, 180_000);

    afterAll(async () => {
      await stop();
      await killLeftovers();
      removeTemporaryDirectories();
    });

    describe.each(['scraped', 'over OTLP'])('%s', (how) => {
      const value = async (expression: string): Promise<number> => {
        const [sample] = await backends.get(how)!.query(expression);
        return Number(sample?.value?.[1]);
      };

      it('counts every request, and every one that failed', async () => {
        expect(durations).toHaveLength(PATHS.length);
        const served = 'http_server_request_duration_seconds_count{job="shop"}';
        expect(await value(`sum(${served})`)).toBe(PATHS.length);
        expect(await value('sum(http_server_request_duration_seconds_count{error_type="500"})')).toBe(BROKEN);
        expect(await value('sum(http_client_request_duration_seconds_count{job="web"})')).toBe(PATHS.length);
        // 400 URLs, and one series for each status.
        expect(await value(`count(${served})`)).toBe(2);
      });

      it.each([0.5, 0.9, 0.99])('knows quantile %d within a bucket', async (quantile) => {
        const seconds = await value(
          `histogram_quantile(${quantile}, sum by (le) (http_server_request_duration_seconds_bucket{job="shop"}))`,
        );
        const sorted = durations.toSorted((a, b) => a - b);
        const truth = sorted[Math.ceil(quantile * sorted.length) - 1]!;
        expect(Math.abs(bucketOf(seconds) - bucketOf(truth))).toBeLessThanOrEqual(1);
      });

      it("answers Grafana's service graph", async () => {
        expect(
          await value(
            'sum by (client, server) (traces_service_graph_request_total{client="web", server="shop"})',
          ),
        ).toBe(PATHS.length);
        expect(
          await value('sum(traces_service_graph_request_failed_total{client="web", server="shop"})'),
        ).toBe(BROKEN);
        for (const query of [
          'sum by (client, server) (rate(traces_service_graph_request_total[1m])) > 0',
          'histogram_quantile(.9, sum(rate(traces_service_graph_request_server_seconds_bucket[1m])) by (le, client, server))',
          'sum(rate(traces_service_graph_request_server_seconds_sum[1m])) by (client, server)',
          'topk(5, sum(rate(traces_spanmetrics_calls_total{span_kind="SPAN_KIND_SERVER"}[1m])) by (span_name)) > 0',
          'histogram_quantile(.9, sum(rate(traces_spanmetrics_latency_bucket{span_kind="SPAN_KIND_SERVER"}[1m])) by (le, span_name))',
        ]) {
          expect(await backends.get(how)!.query(query), query).not.toEqual([]);
        }
      });

      it("answers Jaeger's Monitor tab", async () => {
        const calls = 'traces_span_metrics_calls_total{service_name=~"shop", span_kind=~"SPAN_KIND_SERVER"}';
        expect(await value(`sum(${calls}) by (service_name)`)).toBe(PATHS.length);
        const errors =
          'traces_span_metrics_calls_total{service_name=~"shop", status_code = "STATUS_CODE_ERROR", span_kind=~"SPAN_KIND_SERVER"}';
        expect(await value(`sum(${errors}) by (service_name)`)).toBe(BROKEN);
        const latency =
          'histogram_quantile(0.95, sum(rate(traces_span_metrics_duration_milliseconds_bucket{service_name=~"shop", span_kind=~"SPAN_KIND_SERVER"}[1m])) by (service_name, le))';
        expect(await value(latency)).toBeGreaterThan(10);
        expect(await value(`sum(rate(${calls}[1m])) by (service_name, span_name)`)).toBeGreaterThan(0);
      });

      it('tells connections, hosts and processes', async () => {
        expect(
          await value('sum(kindling_tcp_connections_opened_total{job="web", kindling_side="client"})'),
        ).toBeGreaterThan(0);
        expect(await value('sum(system_memory_limit_bytes)')).toBeGreaterThan(0);
        expect(await value('count(process_memory_usage_bytes)')).toBeGreaterThan(0);
        expect(await value('sum(kindling_host_tcp_segments_sent_total)')).toBeGreaterThan(0);
      });
    });

    it('has a trace behind the slow requests', async () => {
      const from = Date.now() / 1000 - 3600;
      const path = `/api/v1/query_exemplars?query=http_server_request_duration_seconds_bucket&start=${from}&end=${Date.now() / 1000}`;
      const found = (await backends.get('scraped')!.get(path)) as {
        exemplars: { labels: { trace_id: string } }[];
      }[];
      const ids = found.flatMap(({ exemplars }) => exemplars.map(({ labels }) => labels.trace_id));
      expect(ids.length).toBeGreaterThan(0);
      for (const id of ids) expect(id).toMatch(/^[0-9a-f]{32}$/);
    });

    it('understands every query of every dashboard', async () => {
      /** Panels that this load has something for, by dashboard. */
      const told = new Map<string, number>();
      for (const file of readdirSync('deploy/grafana').filter((name) => name.endsWith('.json'))) {
        const { panels } = JSON.parse(readFileSync(join('deploy/grafana', file), 'utf8')) as {
          panels: { title: string; targets: { expr: string }[] }[];
        };
        for (const { targets } of panels) {
          for (const { expr } of targets) {
            const query = expr.replaceAll('$__rate_interval', '1m').replaceAll('$job', '.*');
            const result = await backends.get('scraped')!.query(query);
            if (result.length > 0) told.set(file, (told.get(file) ?? 0) + 1);
          }
        }
      }
      console.log([...told].map(([file, count]) => `${file}: ${count} queries with an answer`).join('\n'));
      for (const [file, least] of [
        ['kindling-overview.json', 5],
        ['kindling-service-map.json', 4],
        ['kindling-service.json', 4],
        ['kindling-tcp.json', 5],
        ['kindling-host.json', 5],
        ['kindling-agent.json', 5],
      ] as const) {
        expect(told.get(file) ?? 0, file).toBeGreaterThanOrEqual(least);
      }
    });

    it('takes the alert rules, none of which goes off without a reason', async () => {
      const { groups } = await eventually('the rules were evaluated', 30_000, async () => {
        const found = (await backends.get('scraped')!.get('/api/v1/rules')) as {
          groups: { rules: { name: string; health: string; lastError?: string }[] }[];
        };
        return found.groups.every(({ rules }) => rules.every(({ health }) => health !== 'unknown'))
          ? found
          : undefined;
      });
      const rules = groups.flatMap((group) => group.rules);
      expect(rules.length).toBeGreaterThan(8);
      for (const rule of rules) expect(rule, rule.lastError).toMatchObject({ health: 'ok' });
    });
  });
}

const noPromtool = backendMissing('promtool');
describe.skipIf(noPromtool !== undefined)('alert rules', () => {
  it('go off when they should, and only then', () => {
    const output = execFileSync(PROMTOOL, ['test', 'rules', 'deploy/prometheus/alerts.test.yml'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    expect(output).toContain('SUCCESS');
  });
});
