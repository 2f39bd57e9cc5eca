/** health_check and zpages of a running pipeline: what probes and people see while it starts, fails, works and stops. */
import type { Readable } from 'node:stream';
import { credentials, makeGenericClientConstructor, type ServiceError, status } from '@grpc/grpc-js';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { RetryableError } from '../../../src/component/errors.js';
import { defineExtension } from '../../../src/component/factory.js';
import { FeatureGates } from '../../../src/config/feature-gates.js';
import { serviceFields } from '../../../src/config/service.js';
import type { CheckedConfig } from '../../../src/config/settings.js';
import { healthCheckConfig } from '../../../src/extensions/health_check/config.js';
import {
  HEALTH_SERVICE,
  NOT_SERVING,
  SERVICE_UNKNOWN,
  SERVING,
} from '../../../src/extensions/health_check/grpc-health.js';
import { HealthCheck } from '../../../src/extensions/health_check/health-check.js';
import { statusAnswer } from '../../../src/extensions/health_check/status-report.js';
import { zpagesConfig } from '../../../src/extensions/zpages/config.js';
import { Zpages } from '../../../src/extensions/zpages/zpages.js';
import { AGENT_VIEW } from '../../../src/pipeline/agent-view.js';
import { StatusBoard } from '../../../src/pipeline/status-board.js';
import { MetricsRegistry } from '../../../src/telemetry/registry.js';
import { batchOf, testSettings } from '../../helpers/batches.js';
import { testHost } from '../../helpers/host.js';
import { type PipelineHarness, startPipeline } from '../../helpers/pipeline.js';

let harness: PipelineHarness | undefined;
afterEach(() => harness?.agent.stop());

/** A pipeline with one extension, which is started for real and told us where it listens. */
/** A configuration of nothing. */
const EMPTY: CheckedConfig = {
  receivers: new Map(),
  processors: new Map(),
  exporters: new Map(),
  connectors: new Map(),
  extensions: new Map(),
  pipelines: [],
  enabledExtensions: [],
  telemetry: serviceFields().shape.telemetry.parse({}),
  gates: new FeatureGates(),
  warnings: [],
};

async function start(kind: 'health' | 'zpages', config: object): Promise<string> {
  let made: HealthCheck | Zpages | undefined;
  const factory = defineExtension({
    type: 'probe',
    stability: 'development',
    description: 'The extension under test.',
    config: () => z.unknown(),
    create: (settings, parsed) => {
      made =
        kind === 'health'
          ? new HealthCheck(settings, healthCheckConfig().parse(parsed))
          : new Zpages(settings, zpagesConfig().parse(parsed));
      return made;
    },
  });
  harness = await startPipeline(
    `
receivers: { in: }
processors: { batch: { timeout: 0s } }
exporters: { out:, otlp_grpc: { endpoint: 'http://127.0.0.1:1', headers: { x-key: secret }, sending_queue: { enabled: false }, retry_on_failure: { enabled: false } } }
extensions: { probe: ${JSON.stringify(config)} }
service:
  extensions: [probe]
  pipelines:
    traces: { receivers: [in], processors: [batch], exporters: [out] }
    logs/own: { receivers: [in], exporters: [otlp_grpc] }
`,
    { factories: [factory] },
  );
  const address = made?.address;
  if (typeof address !== 'object' || address === null) throw new Error('it does not listen');
  return `http://127.0.0.1:${address.port}`;
}

async function get(url: string): Promise<{ status: number; type: string | null; body: string }> {
  const response = await fetch(url);
  return { status: response.status, type: response.headers.get('content-type'), body: await response.text() };
}

describe('health_check', () => {
  it('answers as a Collector', async () => {
    const url = await start('health', { endpoint: '127.0.0.1:0' });
    const { status, type, body } = await get(`${url}/`);
    expect([status, type]).toEqual([200, 'application/json']);
    expect(JSON.parse(body)).toEqual({
      status: 'Server available',
      upSince: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      uptime: expect.stringMatching(/s$/),
    });
  });

  it('has the path and the texts of its settings', async () => {
    const url = await start('health', {
      endpoint: '127.0.0.1:0',
      path: '/healthz',
      response_body: { healthy: 'good', unhealthy: 'bad' },
    });
    expect(await get(`${url}/healthz`)).toMatchObject({ status: 200, body: 'good' });
    expect(await get(`${url}/`)).toMatchObject({ status: 404 });
  });

  it('version 2 shows the pipeline whose exporter fails', async () => {
    const url = await start('health', { use_v2: true, http: { endpoint: '127.0.0.1:0' } });
    const before = await get(`${url}/status`);
    expect(before.status).toBe(200);
    expect(JSON.parse(before.body)).toMatchObject({ healthy: true, status: 'StatusOK' });

    await expect(harness!.next('logs').consume(batchOf(1, 'logs'))).rejects.toBeInstanceOf(RetryableError);

    const { body } = await get(`${url}/status?verbose`);
    const report = JSON.parse(body);
    expect(Object.keys(report.components)).toEqual(['pipeline:traces', 'pipeline:logs/own', 'extensions']);
    expect(report.components['pipeline:traces']).toMatchObject({ status: 'StatusOK', healthy: true });
    expect(report.components['pipeline:logs/own']).toMatchObject({
      status: 'StatusRecoverableError',
      healthy: true,
    });
    const { components } = report.components['pipeline:logs/own'];
    expect(components['receiver:in']).toMatchObject({ status: 'StatusOK' });
    expect(components['exporter:otlp_grpc'].error).toContain('ECONNREFUSED');
    expect(report.components.extensions.components).toHaveProperty('extension:probe');

    const one = JSON.parse((await get(`${url}/status?pipeline=logs/own`)).body);
    expect(one).toMatchObject({ status: 'StatusRecoverableError' });
    expect(one).not.toHaveProperty('components');
    expect((await get(`${url}/status?pipeline=none`)).status).toBe(404);
  });

  it('version 2 shows the configuration that runs when it is told to, without secrets', async () => {
    const off = await start('health', { use_v2: true, http: { endpoint: '127.0.0.1:0' } });
    expect((await get(`${off}/config`)).status).toBe(404);
    await harness?.agent.stop();
    const on = await start('health', {
      use_v2: true,
      http: { endpoint: '127.0.0.1:0', config: { enabled: true, path: '/what' } },
    });
    const { status, body } = await get(`${on}/what`);
    expect(status).toBe(200);
    const shown = JSON.parse(body);
    expect(Object.keys(shown)).toEqual(['receivers', 'processors', 'exporters', 'extensions', 'service']);
    expect(shown.processors.batch).toMatchObject({ timeout: '0s', send_batch_size: 8192 });
    expect(shown.exporters.otlp_grpc.headers).toMatchObject({ 'x-key': '[REDACTED]' });
    expect(body).not.toContain('secret');
  });

  it('version 2 answers 503 while it starts or stops, 500 for errors that count', () => {
    const pipeline = {
      id: 'traces',
      signal: 'traces',
      receivers: ['in'],
      processors: [],
      exporters: [],
    } as const;
    let now = 1000;
    const board = new StatusBoard({ registry: new MetricsRegistry(), now: () => now, version: 'test' });
    board.show({ ...EMPTY, pipelines: [pipeline] });
    const rules = healthCheckConfig().parse({
      component_health: { include_recoverable_errors: true, recovery_duration: '10s' },
    }).component_health;
    const answered = () => statusAnswer(board, 'traces', false, rules, now)?.httpStatus;
    const identity = { kind: 'receiver', id: 'in' } as const;
    expect(answered()).toBe(503);
    board.set(identity, 'starting');
    expect(answered()).toBe(503);
    board.set(identity, 'ok');
    expect(answered()).toBe(200);
    board.set(identity, 'recoverable_error', 'one');
    now += 9000;
    board.set(identity, 'recoverable_error', 'two');
    expect(answered()).toBe(200);
    now += 1000;
    expect(answered()).toBe(500);
    board.set(identity, 'ok');
    expect(answered()).toBe(200);
    board.set(identity, 'fatal_error', 'broken');
    board.set(identity, 'ok');
    expect(answered()).toBe(500);
    board.set(identity, 'stopping');
    expect(answered()).toBe(503);
  });
});

describe('health_check over gRPC', () => {
  it('answers for the whole and for pipelines, and tells watchers of changes', async () => {
    const board = new StatusBoard({ registry: new MetricsRegistry(), now: () => 1000, version: 'test' });
    const pipeline = {
      id: 'traces',
      signal: 'traces',
      receivers: ['in'],
      processors: [],
      exporters: [],
    } as const;
    board.show({ ...EMPTY, pipelines: [pipeline] });
    const identity = { kind: 'receiver', id: 'in' } as const;
    board.set(identity, 'starting');
    const config = healthCheckConfig().parse({ use_v2: true, grpc: { endpoint: '127.0.0.1:0' } });
    const extension = new HealthCheck(testSettings(), config);
    const host = testHost();
    host.provide(AGENT_VIEW, board);
    await extension.start(host);
    const Client = makeGenericClientConstructor(HEALTH_SERVICE, 'Health');
    const client = new Client(`127.0.0.1:${extension.grpcAddress!.port}`, credentials.createInsecure());
    const check = (service: string): Promise<unknown> =>
      new Promise((resolve) =>
        client['Check']!({ service }, (error: ServiceError | null, answer: unknown) =>
          resolve(error === null ? answer : [error.code, error.details]),
        ),
      );
    expect(await check('')).toBe(NOT_SERVING);
    expect(await check('nosuch')).toEqual([status.NOT_FOUND, 'unknown service']);
    const seen: unknown[] = [];
    const stream = client['Watch']!({ service: 'traces' }) as Readable;
    stream.on('data', (answer: unknown) => seen.push(answer)).on('error', () => {});
    await vi.waitFor(() => expect(seen).toEqual([NOT_SERVING]));
    board.set(identity, 'ok');
    await vi.waitFor(() => expect(seen).toEqual([NOT_SERVING, SERVING]));
    expect(await check('traces')).toBe(SERVING);
    board.show(EMPTY);
    await vi.waitFor(() => expect(seen).toEqual([NOT_SERVING, SERVING, SERVICE_UNKNOWN]));
    await extension.shutdown();
    client.close();
  });
});

describe('zpages', () => {
  it('shows pipelines with their counts, escaped, and what a Collector serves', async () => {
    const url = await start('zpages', { endpoint: '127.0.0.1:0', expvar: { enabled: true } });
    await harness!.next().consume(batchOf(7));
    const page = await get(`${url}/debug/pipelinez`);
    expect([page.status, page.type]).toEqual([200, 'text/html; charset=utf-8']);
    expect(page.body).toContain('<td>traces</td><td>in</td><td>batch</td><td>out</td>');
    expect(page.body).toContain('<td>receiver in</td><td>ok</td><td>7</td><td>7</td>');
    expect((await get(`${url}/debug/servicez`)).body).toContain('<td>Version</td><td>test</td>');
    expect((await get(`${url}/debug/extensionz`)).body).toContain('<td>probe</td><td>ok</td>');
    expect((await get(`${url}/debug/featurez`)).body).toContain(
      '<td>service.profilesSupport</td><td>false</td>',
    );
    expect((await get(`${url}/debug/`)).status).toBe(404);
    expect(JSON.parse((await get(`${url}/debug/expvarz`)).body).memory.rss).toBeGreaterThan(0);
  });

  it('shows spans of its own by latency, those that run and those that failed', async () => {
    const url = await start('zpages', { endpoint: '127.0.0.1:0' });
    const { next, onExport } = harness!;
    await next().consume(batchOf(7));
    let finish = (): void => {};
    onExport.set('out', () => new Promise((resolve) => (finish = resolve)));
    const waiting = next().consume(batchOf(1));
    await expect(next('logs').consume(batchOf(1, 'logs'))).rejects.toThrow();
    const overview = (await get(`${url}/debug/tracez`)).body;
    expect(overview).toContain('<th>Span Name</th><th>Running</th><th>[&gt;0s]</th><th>[&gt;10us]</th>');
    const row = (name: string) => new RegExp(`<tr><td>${name}</td>(.*)</tr>`).exec(overview)?.[1] ?? '';
    const numbers = (name: string) => [...row(name).matchAll(/>(\d+)</g)].map(([, count]) => Number(count));
    const sum = (counts: readonly number[]) => counts.reduce((a, b) => a + b, 0);
    // The batch processor takes without waiting, so that the receiver's span is over.
    expect(sum(numbers('receiver/in/TraceDataReceived'))).toBe(2);
    expect(numbers('exporter/out/traces')[0]).toBe(1);
    expect(sum(numbers('exporter/out/traces').slice(1, -1))).toBe(1);
    expect(numbers('exporter/otlp_grpc/logs').at(-1)).toBe(1);
    const details = await get(`${url}/debug/tracez?zspanname=exporter/otlp_grpc/logs&ztype=2`);
    expect(details.body).toContain('<h2>exporter/otlp_grpc/logs, error</h2>');
    expect(details.body).toContain('exporter=otlp_grpc items.sent=0 items.failed=1');
    expect((await get(`${url}/debug/tracez?zspanname=exporter/out/traces`)).body).toContain(
      '<td>running</td>',
    );
    finish();
    await waiting;
  });
});
