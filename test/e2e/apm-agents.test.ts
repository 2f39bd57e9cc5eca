/**
 * Real agents of other systems, unchanged, pointed at the built Kindling: nothing is lost, and traces leave complete. They come
 * from the packages in test/e2e/apm-agents, which scripts/e2e.sh installs into build/apm-agents.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { decodeSpans, type FlatSpan } from '../../src/otlp/decode.js';
import { fromJson } from '../../src/otlp/json-reader.js';
import { killLeftovers, run, startAgent, temporaryDirectory } from '../helpers/agent.js';
import { freePorts } from '../helpers/otlp/collector.js';

const AGENTS = fileURLToPath(new URL('../../build/apm-agents/node_modules', import.meta.url));
const missing = existsSync(AGENTS)
  ? undefined
  : 'build/apm-agents is missing; scripts/e2e.sh installs it (needs the npm registry)';
if (missing !== undefined) {
  if (process.env.KINDLING_REQUIRE_E2E === '1') throw new Error(missing);
  console.warn(`e2e: tests with agents of other systems are skipped: ${missing}`);
}

const TRACES = 200;
const LONGEST_MS = 60_000;

afterEach(killLeftovers);

function spansIn(file: string): FlatSpan[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
  return lines.flatMap((line) => decodeSpans(fromJson('traces', line)));
}

/** Starts Kindling with one receiver, runs the agent's program, and gives the spans once `count` have left. */
async function spansOf(
  receiver: (port: number) => string,
  program: string,
  count: number,
): Promise<FlatSpan[]> {
  const [port = 0] = await freePorts(1);
  const file = join(temporaryDirectory(), 'spans.json');
  const kindling = await startAgent(`
receivers: {${receiver(port)}}
exporters: {file: {path: ${file}}}
service:
  telemetry: {metrics: {level: none}}
  pipelines: {traces: {receivers: [${program}], exporters: [file]}}
`);
  const script = fileURLToPath(new URL(`apm-agents/${program}.cjs`, import.meta.url));
  const agent = run(process.execPath, [script, String(port), String(TRACES)], { NODE_PATH: AGENTS });
  const giveUp = Date.now() + LONGEST_MS;
  while (spansIn(file).length < count && Date.now() < giveUp) {
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  await agent.stop();
  expect(await kindling.stop()).toBe(0);
  return spansIn(file);
}

/** Every span but the first of its trace has its parent there, and no id comes twice. */
function expectComplete(spans: readonly FlatSpan[], spansPerTrace: number): void {
  const traces = new Map<string, FlatSpan[]>();
  for (const span of spans) traces.set(span.traceId, [...(traces.get(span.traceId) ?? []), span]);
  expect(spans.length).toBe(TRACES * spansPerTrace);
  expect(traces.size).toBe(TRACES);
  for (const own of traces.values()) {
    const ids = new Set(own.map(({ spanId }) => spanId));
    expect(ids.size).toBe(spansPerTrace);
    expect(own.length).toBe(spansPerTrace);
    expect(own.filter(({ parentSpanId }) => parentSpanId === '')).toHaveLength(1);
    for (const { parentSpanId } of own) if (parentSpanId !== '') expect(ids).toContain(parentSpanId);
  }
}

describe.skipIf(missing !== undefined)('agents of other systems', () => {
  it("Jaeger's client for Node.js", { timeout: 2 * LONGEST_MS }, async () => {
    const spans = await spansOf(
      (port) => `jaeger: {protocols: {thrift_binary: {endpoint: "127.0.0.1:${port}"}}}`,
      'jaeger',
      2 * TRACES,
    );
    expectComplete(spans, 2);
    expect(spans[0]?.resource.attributes).toMatchObject({
      'service.name': 'jaeger-agent-test',
      'opencensus.exporterversion': expect.stringMatching(/^Jaeger-Node-/),
    });
    expect(new Set(spans.map(({ kind }) => kind))).toEqual(new Set([2, 3]));
  });

  it("Zipkin's library for Node.js", { timeout: 2 * LONGEST_MS }, async () => {
    const spans = await spansOf((port) => `zipkin: {endpoint: "127.0.0.1:${port}"}`, 'zipkin', 2 * TRACES);
    expectComplete(spans, 2);
    expect(spans[0]?.resource.attributes).toEqual({ 'service.name': 'zipkin-agent-test' });
    expect(new Set(spans.map(({ kind }) => kind))).toEqual(new Set([2, 3]));
  });

  it("SkyWalking's agent for Node.js", { timeout: 2 * LONGEST_MS }, async () => {
    // Of each request: the test's exit, outer's entry and exit, inner's entry.
    const spans = await spansOf(
      (port) => `skywalking: {protocols: {grpc: {endpoint: "127.0.0.1:${port}"}}}`,
      'skywalking',
      4 * TRACES,
    );
    expectComplete(spans, 4);
    expect(spans[0]?.resource.attributes).toMatchObject({
      'service.name': 'skywalking-agent-test',
      'service.instance.id': 'one',
    });
  });
});
