/** What an SDK sends through the agent is found again in a real Jaeger and a real Prometheus. */
import { afterEach, describe, expect, it } from 'vitest';
import {
  eventually,
  freePort,
  killLeftovers,
  removeTemporaryDirectories,
  startAgent,
} from '../helpers/agent.js';
import { backendMissing, startJaeger, startPrometheus } from '../helpers/peers/backends.js';
import { PEER_PROGRAMS, runProgram } from '../helpers/peers/programs.js';
import { type Told, toldOf } from '../helpers/peers/told.js';

const SPANS = 50;

function missing(name: 'jaeger' | 'prometheus'): boolean {
  const why = backendMissing(name);
  if (why === undefined) return false;
  if (process.env.KINDLING_E2E_REFERENCE === '1') throw new Error(why);
  console.warn(`e2e: tests with a real ${name} are skipped: ${why}`);
  return true;
}

afterEach(async () => {
  await killLeftovers();
  removeTemporaryDirectories();
});

/** Sends with the JavaScript SDK through an agent with one exporter, stops the agent and gives what was sent. */
async function sendThrough(exporter: string, signal: 'traces' | 'metrics'): Promise<Told[]> {
  const port = await freePort();
  const signals = ['traces', 'metrics', 'logs'];
  const agent = await startAgent(`
receivers: {otlp: {protocols: {http: {endpoint: "127.0.0.1:${port}"}}}}
processors:
  batch: {}
  resource: {attributes: [{key: deployment.environment.name, value: test, action: insert}]}
exporters:
  nop: {}
  ${exporter}
service:
  telemetry: {metrics: {level: none}}
  pipelines: {${signals
    .map(
      (of) =>
        `${of}: {receivers: [otlp], processors: [resource, batch], exporters: [${of === signal ? exporter.split(':')[0] : 'nop'}]}`,
    )
    .join(', ')}}
`);
  const output = await runProgram(PEER_PROGRAMS.javascript!, [String(SPANS)], {
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf',
  });
  expect(await agent.stop()).toBe(0);
  return output
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Told)
    .filter((item) => item.signal === signal);
}

/** Jaeger keeps lists as JSON text, and of a link only where it points to, as an OpenTracing reference. */
function asJaegerKeeps(span: Told): Told {
  const attributes = (of: unknown): Record<string, unknown> =>
    Object.fromEntries(
      Object.entries(of as Record<string, unknown>).map(([key, value]) => [
        key,
        Array.isArray(value) ? JSON.stringify(value.map(plain)) : value,
      ]),
    );
  const { resource, ...rest } = span;
  return {
    ...rest,
    resource: { ...attributes(resource), 'deployment.environment.name': 'test' },
    attributes: attributes(span.attributes),
    links: (span.links as Told[]).map((link) => ({
      ...link,
      attributes: { 'opentracing.ref_type': 'follows_from' },
    })),
  };
}

const plain = (value: unknown): unknown =>
  typeof value === 'object' && value !== null
    ? Number(Object.values(value as Record<string, unknown>)[0])
    : value;

describe.skipIf(missing('jaeger'))('Jaeger', () => {
  it.each([
    ['otlp_grpc', 'gzip'],
    ['otlp_grpc', 'none'],
    ['otlp_http', 'gzip'],
    ['otlp_http', 'none'],
  ] as const)('has the trace that %s with compression %s sent', async (type, compression) => {
    const jaeger = await startJaeger();
    const port = type === 'otlp_grpc' ? jaeger.grpcPort : jaeger.httpPort;
    const told = await sendThrough(
      `${type}: {endpoint: "http://127.0.0.1:${port}", compression: ${compression}}`,
      'traces',
    );
    const traceId = told[0]!.traceId as string;
    const found = await eventually(`trace ${traceId} in Jaeger`, 20_000, async () => {
      const answer = (await jaeger.query(`/api/v3/traces/${traceId}`)) as { result?: unknown } | undefined;
      const spans = toldOf('traces', JSON.stringify(answer?.result ?? {}));
      return spans.length === SPANS ? spans : undefined;
    });
    const bySpanId = (spans: readonly Told[]) => new Map(spans.map((span) => [span.spanId, span]));
    expect(bySpanId(found)).toEqual(bySpanId(told.map(asJaegerKeeps)));
    expect(await jaeger.query('/api/v3/services')).toEqual({ services: ['peer-javascript'] });
  });
});

describe.skipIf(missing('prometheus'))('Prometheus', () => {
  it.each([
    'gzip',
    'none',
  ])('has the metrics that otlp_http with compression %s sent', async (compression) => {
    const prometheus = await startPrometheus();
    const told = await sendThrough(
      `otlp_http: {metrics_endpoint: "${prometheus.metricsEndpoint}", compression: ${compression}}`,
      'metrics',
    );
    const samples = await prometheus.query('{job="peer-javascript"}');
    const labels = { job: 'peer-javascript', deployment_environment_name: 'test' };
    const found = new Map(
      samples.map(({ metric, value, histogram }) => [
        JSON.stringify(Object.entries(metric).sort()),
        value === undefined ? [histogram![1].count, Number(histogram![1].sum)] : Number(value[1]),
      ]),
    );
    expect(found).toEqual(
      new Map(
        expectedSamples(told).map(([metric, value]) => [
          JSON.stringify(Object.entries({ ...metric, ...labels }).sort()),
          value,
        ]),
      ),
    );
  });
});

type Labels = Readonly<Record<string, string>>;

/** Prometheus' names for what the program told, and their values. */
function expectedSamples(told: readonly Told[]): [Labels, unknown][] {
  const names: Readonly<Record<string, string>> = {
    requests: 'requests_total',
    sent: 'sent_bytes_total',
    open: 'open',
    level: 'level_ratio',
    latency: 'latency_seconds',
    spread: 'spread_milliseconds',
    temperature: 'temperature_celsius',
  };
  const target: Labels = { __name__: 'target_info', host_cpu: '[0.5,1.5]', process_pid: '4711' };
  const ofPoints = told.flatMap((point): [Labels, unknown][] => {
    const name = names[(point.metric as Told).name as string]!;
    const of = (suffix = '', more: Labels = {}): Labels => ({
      __name__: name + suffix,
      ...(point.attributes as Labels),
      ...more,
    });
    const type = (point.metric as Told).type;
    if (type === 'exponential_histogram') return [[of(), [point.count, point.sum]]];
    if (type !== 'histogram') return [[of(), plain(point.value)]];
    let below = 0;
    const buckets = (point.counts as string[]).map((count, index): [Labels, unknown] => {
      below += Number(count);
      const le = (point.bounds as number[])[index];
      return [of('_bucket', { le: String(le ?? '+Inf') }), below];
    });
    return [...buckets, [of('_count'), Number(point.count)], [of('_sum'), point.sum]];
  });
  return [[target, 1], ...ofPoints];
}
