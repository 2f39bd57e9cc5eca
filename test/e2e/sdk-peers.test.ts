/**
 * What the SDKs of other languages send goes through the built agent whole: every span, log record and data point, field by
 * field, for every protocol and compression that the SDK has.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import {
  freePort,
  killLeftovers,
  type Running,
  removeTemporaryDirectories,
  startAgent,
  temporaryDirectory,
} from '../helpers/agent.js';
import { JAVA_AGENT, PEER_PROGRAMS, type PeerProgram, runProgram } from '../helpers/peers/programs.js';
import { type Told, toldOf } from '../helpers/peers/told.js';

const ITEMS = 300;
const SIGNALS = ['traces', 'metrics', 'logs'] as const;

afterEach(async () => {
  await killLeftovers();
  removeTemporaryDirectories();
});

interface FilingAgent {
  readonly agent: Running;
  /** Where the exporters of an SDK send to. */
  endpointOf(protocol: string): string;
  /** Stops the agent and gives the requests that it wrote. */
  filed(signal: (typeof SIGNALS)[number]): string[];
}

/** An agent that writes everything it gets to files. */
async function filingAgent(): Promise<FilingAgent> {
  const directory = temporaryDirectory();
  const [grpcPort, httpPort] = [await freePort(), await freePort()];
  const pathOf = (signal: string): string => join(directory, `${signal}.jsonl`);
  const agent = await startAgent(`
receivers:
  otlp: {protocols: {grpc: {endpoint: "127.0.0.1:${grpcPort}"}, http: {endpoint: "127.0.0.1:${httpPort}"}}}
processors:
  memory_limiter: {check_interval: 1s, limit_mib: 1000}
  batch: {}
exporters: {${SIGNALS.map((signal) => `file/${signal}: {path: "${pathOf(signal)}"}`).join(', ')}}
service:
  telemetry: {metrics: {level: none}}
  pipelines: {${SIGNALS.map((signal) => `${signal}: {receivers: [otlp], processors: [memory_limiter, batch], exporters: [file/${signal}]}`).join(', ')}}
`);
  return {
    agent,
    endpointOf: (protocol) => `http://127.0.0.1:${protocol === 'grpc' ? grpcPort : httpPort}`,
    filed: (signal) =>
      readFileSync(pathOf(signal), 'utf8')
        .split('\n')
        .filter((line) => line !== ''),
  };
}

const sdkSettings = (endpoint: string, protocol: string, compression: string) => ({
  OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
  OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
  // Not every SDK knows a word for none.
  ...(compression === 'none' ? {} : { OTEL_EXPORTER_OTLP_COMPRESSION: compression }),
});

/** One order for items that may arrive in any. */
const sorted = (items: readonly Told[]): Told[] =>
  items
    .map((item) => ({ key: JSON.stringify([item.spanId, item.time, item.metric, item.attributes]), item }))
    .sort((a, b) => (a.key < b.key ? -1 : 1))
    .map(({ item }) => item);

const jsonLines = (text: string): Told[] =>
  text
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Told);

/** Skips with the reason, or fails where peers are required. */
function peer(name: string, { missing, isSlow }: PeerProgram): boolean {
  if (missing === undefined) return true;
  const { KINDLING_REQUIRE_E2E, KINDLING_E2E_REFERENCE } = process.env;
  if ((isSlow ? KINDLING_E2E_REFERENCE : KINDLING_REQUIRE_E2E) === '1') throw new Error(missing);
  console.warn(`e2e: tests with ${name} are skipped: ${missing}`);
  return false;
}

const combinations = Object.entries(PEER_PROGRAMS).flatMap(([language, program]) =>
  program.protocols.flatMap((protocol) =>
    ['none', 'gzip'].map((compression) => [language, protocol, compression, program] as const),
  ),
);

describe('an SDK', () => {
  for (const [language, program] of Object.entries(PEER_PROGRAMS)) {
    const available = peer(`the ${language} SDK`, program);
    const own = combinations.filter(([name]) => name === language);
    it.skipIf(!available).each(own)(
      'of %s over %s with compression %s',
      async (...[, protocol, compression]) => {
        const to = await filingAgent();
        const output = await runProgram(
          program,
          [String(ITEMS)],
          sdkSettings(to.endpointOf(protocol), protocol, compression),
        );
        expect(await to.agent.stop()).toBe(0);
        const told = jsonLines(output);
        expect(told.filter(({ signal }) => signal === 'traces')).toHaveLength(ITEMS);
        expect(told.filter(({ signal }) => signal === 'logs')).toHaveLength(ITEMS);
        expect(told.filter(({ signal }) => signal === 'metrics').length).toBeGreaterThanOrEqual(10);
        for (const signal of SIGNALS) {
          const arrived = to.filed(signal).flatMap((line) => toldOf(signal, line));
          expect(sorted(arrived)).toEqual(sorted(told.filter((item) => item.signal === signal)));
        }
      },
    );
  }
});

describe('the Java agent', () => {
  const available = peer('the Java agent', JAVA_AGENT);
  it.skipIf(!available).each(['grpc', 'http/protobuf'])('over %s', async (protocol) => {
    const to = await filingAgent();
    const requests = 8;
    const output = await runProgram(JAVA_AGENT, [String(requests)], {
      ...sdkSettings(to.endpointOf(protocol), protocol, 'gzip'),
      OTEL_SERVICE_NAME: 'peer-java-agent',
      // The agent's own account of the spans it sends, as OTLP/JSON.
      OTEL_TRACES_EXPORTER: 'otlp,experimental-otlp/stdout',
    });
    expect(await to.agent.stop()).toBe(0);
    const told = jsonLines(output)
      .filter((line) => 'resourceSpans' in line || 'scopeSpans' in line)
      .flatMap((line) =>
        toldOf('traces', JSON.stringify('resourceSpans' in line ? line : { resourceSpans: [line] })),
      );
    const arrived = to.filed('traces').flatMap((line) => toldOf('traces', line));
    // A client's and a server's span for each request.
    expect(arrived).toHaveLength(2 * requests);
    expect(sorted(arrived)).toEqual(sorted(told));
    const durations = to
      .filed('metrics')
      .flatMap((line) => toldOf('metrics', line))
      .map(({ metric, count }) => [(metric as Told).name, Number(count)] as const);
    for (const name of ['http.client.request.duration', 'http.server.request.duration']) {
      const counts = durations.filter(([of]) => of === name).map(([, count]) => count);
      expect(counts.reduce((sum, count) => sum + count, 0)).toBe(requests);
    }
  });
});
