/** The backends that Kindling exports to, as processes of their own: a real Jaeger and a real Prometheus. */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort, run, temporaryDirectory } from '../agent.js';

const binaryOf = (name: string): string =>
  fileURLToPath(new URL(`../../../build/peers/${name}`, import.meta.url));

/** Why there is no such program; undefined when there is one. */
export const backendMissing = (name: 'jaeger' | 'prometheus' | 'promtool'): string | undefined =>
  existsSync(binaryOf(name))
    ? undefined
    : `build/peers/${name} is missing; scripts/peers/build.sh ${name} builds it (needs Go)`;

/** Prometheus' tool for rules. */
export const PROMTOOL = binaryOf('promtool');

export interface RunningJaeger {
  readonly grpcPort: number;
  readonly httpPort: number;
  /** GET of its query service; undefined while it answers anything but 200. */
  query(path: string): Promise<unknown>;
}

/** Jaeger with its storage in memory. `killLeftovers` and `removeTemporaryDirectories` of helpers/agent.ts end it. */
export async function startJaeger(): Promise<RunningJaeger> {
  const ports: number[] = [];
  while (ports.length < 4) ports.push(await freePort());
  const [grpcPort = 0, httpPort = 0, queryPort = 0, queryGrpcPort = 0] = ports;
  const file = join(temporaryDirectory(), 'jaeger.yaml');
  writeFileSync(
    file,
    `
service:
  extensions: [jaeger_storage, jaeger_query]
  pipelines: {traces: {receivers: [otlp], exporters: [jaeger_storage_exporter]}}
  telemetry: {metrics: {level: none}}
extensions:
  jaeger_storage: {backends: {memory: {memory: {max_traces: 100000}}}}
  jaeger_query:
    storage: {traces: memory}
    http: {endpoint: "127.0.0.1:${queryPort}"}
    grpc: {endpoint: "127.0.0.1:${queryGrpcPort}"}
receivers:
  otlp: {protocols: {grpc: {endpoint: "127.0.0.1:${grpcPort}"}, http: {endpoint: "127.0.0.1:${httpPort}"}}}
exporters: {jaeger_storage_exporter: {trace_storage: memory}}
`,
  );
  const jaeger = run(binaryOf('jaeger'), ['--config', file]);
  await jaeger.waitFor('Everything is ready');
  return { grpcPort, httpPort, query: (path) => getJson(`http://127.0.0.1:${queryPort}${path}`) };
}

export interface RunningPrometheus {
  /** What `otlp_http` takes as `metrics_endpoint`. */
  readonly metricsEndpoint: string;
  /** The instant vector of a PromQL expression. Rejects with what Prometheus says when it is none. */
  query(expression: string): Promise<Sample[]>;
  /** What any other page of its API has as `data`. */
  get(path: string): Promise<unknown>;
}

export interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  /** Time in seconds and value. */
  readonly value?: readonly [number, string];
  /** Of native histograms instead of `value`. */
  readonly histogram?: readonly [number, { readonly count: string; readonly sum: string }];
}

/** Prometheus with its OTLP receiver. `targets`: what it scrapes each second. */
export async function startPrometheus({
  targets = [],
  ruleFile,
}: {
  targets?: readonly string[];
  ruleFile?: string;
} = {}): Promise<RunningPrometheus> {
  const port = await freePort();
  const directory = temporaryDirectory();
  const file = join(directory, 'prometheus.yaml');
  const config = {
    global: { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' },
    otlp: { promote_resource_attributes: ['deployment.environment.name'] },
    storage: { tsdb: { out_of_order_time_window: '30m' } },
    ...(ruleFile === undefined ? {} : { rule_files: [ruleFile] }),
    scrape_configs: [{ job_name: 'kindling', honor_labels: true, static_configs: [{ targets }] }],
  };
  writeFileSync(file, JSON.stringify(config));
  const prometheus = run(binaryOf('prometheus'), [
    `--config.file=${file}`,
    `--storage.tsdb.path=${join(directory, 'data')}`,
    `--web.listen-address=127.0.0.1:${port}`,
    '--web.enable-otlp-receiver',
    '--enable-feature=exemplar-storage',
  ]);
  await prometheus.waitFor('Server is ready to receive web requests');
  const get = async (path: string): Promise<unknown> => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`);
    const { status, error, data } = (await response.json()) as {
      status: string;
      error?: string;
      data: unknown;
    };
    if (status !== 'success') throw new Error(`${path}: ${error}`);
    return data;
  };
  return {
    metricsEndpoint: `http://127.0.0.1:${port}/api/v1/otlp/v1/metrics`,
    get,
    query: async (expression) => {
      const path = `/api/v1/query?query=${encodeURIComponent(expression)}`;
      return ((await get(path)) as { result: Sample[] }).result;
    },
  };
}

async function getJson(url: string): Promise<unknown> {
  const response = await fetch(url);
  const text = await response.text();
  return response.ok ? (JSON.parse(text) as unknown) : undefined;
}
