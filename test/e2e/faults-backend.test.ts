/**
 * A backend in every bad mood. The sum that must be right each time: what was acknowledged was delivered, counted as
 * dropped, or is still held on disk.
 */
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import {
  freePort,
  killLeftovers,
  removeTemporaryDirectories,
  run,
  startAgent,
  temporaryDirectory,
} from '../helpers/agent.js';
import { type Behaviour, CountingBackend } from '../helpers/faults/counting-backend.js';
import { CountingGrpcBackend } from '../helpers/faults/counting-grpc-backend.js';
import { exporterAccount, faultConfig } from '../helpers/faults/faulty-agent.js';
import { NumberingSender } from '../helpers/faults/numbering-sender.js';

let backend = new CountingBackend();
const grpcBackends: CountingGrpcBackend[] = [];
afterEach(async () => {
  await killLeftovers();
  await backend.stop();
  for (const one of grpcBackends.splice(0)) await one.stop();
  backend = new CountingBackend();
  removeTemporaryDirectories();
});

/** Sends until `enough`, then lets the sender end. */
async function sendUntil(sender: NumberingSender, enough: () => boolean): Promise<void> {
  sender.start();
  await expect.poll(enough, { timeout: 60_000, interval: 20 }).toBe(true);
  await sender.stop();
}

const HTTP_MATRIX: readonly Behaviour[] = [
  ...[400, 401, 403, 404, 405, 408, 409, 413, 415, 422, 429, 500, 501, 502, 503, 504].map(
    (status): Behaviour => ({ kind: 'refuse', status }),
  ),
  { kind: 'refuse', status: 503, headers: { 'retry-after': '0' } },
  { kind: 'hang' },
  { kind: 'cut', early: true },
  { kind: 'cut', early: false },
  { kind: 'take', delayMs: 100 },
  { kind: 'take' },
];

/** Codes of the specification that may be sent again, without details (RESOURCE_EXHAUSTED needs a RetryInfo). */
const GRPC_RETRYABLE = [1, 4, 10, 11, 14, 15];

/**
 * Everything is delivered or counted. Now and then both, on a busy machine: a backend whose answer comes after the timeout
 * has taken the batch, which is sent again and may be refused for good then.
 */
function expectAllCounted(acknowledged: number, delivered: number, dropped: number): void {
  const twice = delivered + dropped - acknowledged;
  expect(twice).toBeGreaterThanOrEqual(0);
  expect(twice).toBeLessThanOrEqual(acknowledged / 10);
}

describe('a backend that answers everything there is', () => {
  it('over HTTP', async () => {
    await backend.start();
    backend.behaviour = (request) => HTTP_MATRIX[request % HTTP_MATRIX.length]!;
    const port = await freePort();
    const agent = await startAgent(
      faultConfig({ receiverPort: port, backendPort: backend.port, queue: { queue_size: 10_000 } }),
    );
    const sender = new NumberingSender({ port, spansPerRequest: 4 });
    await sendUntil(sender, () => [...backend.met.values()].reduce((sum, n) => sum + n, 0) > 300);
    // Each of them was met.
    expect(backend.met.size).toBe(
      new Set(HTTP_MATRIX.map((one) => (one.kind === 'refuse' ? one.status : one.kind))).size,
    );
    expect(await agent.stop()).toBe(0);
    const { dropped, held } = exporterAccount(agent);
    expect(held).toBe(0);
    expectAllCounted(sender.acknowledged.size, backend.counts.size, dropped);
    expect(dropped).toBeGreaterThan(0);
    console.log(
      `http: acknowledged ${sender.acknowledged.size}, delivered ${backend.counts.size}, dropped ${dropped}, duplicates ${backend.duplicates}`,
    );
  });

  it('over gRPC', async () => {
    const grpc = new CountingGrpcBackend();
    grpcBackends.push(grpc);
    const backendPort = await grpc.start();
    grpc.refusal = (request) => {
      const code = request % 20;
      if (code === 17) return { code: 8, retryDelayMs: 10 };
      return code >= 1 && code <= 16 ? { code } : undefined;
    };
    const port = await freePort();
    const config = JSON.parse(
      faultConfig({ receiverPort: port, backendPort, queue: { queue_size: 10_000 } }),
    );
    config.exporters = {
      otlp_grpc: {
        ...config.exporters.otlp_http,
        endpoint: `127.0.0.1:${backendPort}`,
        tls: { insecure: true },
      },
    };
    config.service.pipelines.traces.exporters = ['otlp_grpc'];
    const agent = await startAgent(JSON.stringify(config));
    const sender = new NumberingSender({ port, spansPerRequest: 4 });
    await sendUntil(sender, () => [...grpc.met.values()].reduce((sum, n) => sum + n, 0) > 300);
    expect([...grpc.met.keys()].sort((a, b) => a - b)).toEqual(Array.from({ length: 17 }, (_, code) => code));
    expect(await agent.stop()).toBe(0);
    const { dropped, held } = exporterAccount(agent, 'otlp_grpc');
    expect(held).toBe(0);
    expectAllCounted(sender.acknowledged.size, grpc.counts.size, dropped);
    expect(dropped).toBeGreaterThan(0);
  });

  it('loses nothing by what may be sent again', async () => {
    const grpc = new CountingGrpcBackend();
    grpcBackends.push(grpc);
    const backendPort = await grpc.start();
    grpc.refusal = (request) => {
      const code = GRPC_RETRYABLE[request % (GRPC_RETRYABLE.length + 2)];
      return code === undefined ? undefined : { code };
    };
    const port = await freePort();
    const config = JSON.parse(
      faultConfig({ receiverPort: port, backendPort, queue: { queue_size: 10_000 } }),
    );
    config.exporters = {
      otlp_grpc: {
        ...config.exporters.otlp_http,
        endpoint: `127.0.0.1:${backendPort}`,
        tls: { insecure: true },
      },
    };
    config.service.pipelines.traces.exporters = ['otlp_grpc'];
    const agent = await startAgent(JSON.stringify(config), ['--shutdown-timeout', '60s']);
    const sender = new NumberingSender({ port, spansPerRequest: 4 });
    await sendUntil(sender, () => (grpc.met.get(0) ?? 0) > 50);
    expect(await agent.stop()).toBe(0);
    expect(exporterAccount(agent, 'otlp_grpc')).toMatchObject({ dropped: 0, held: 0 });
    expect([...sender.acknowledged].filter((number) => !grpc.counts.has(number))).toEqual([]);
  });
});

describe('SIGTERM with a dead backend', () => {
  it('ends at the drain deadline and counts what it could not send', async () => {
    const port = await freePort();
    const agent = await startAgent(
      faultConfig({ receiverPort: port, backendPort: await freePort(), queue: { queue_size: 10_000 } }),
      ['--shutdown-timeout', '1s'],
    );
    const sender = new NumberingSender({ port });
    await sendUntil(sender, () => sender.acknowledged.size > 200);
    expect(await agent.stop()).toBe(0);
    const { dropped, reasons } = exporterAccount(agent);
    expect(dropped).toBe(sender.acknowledged.size);
    expect(reasons).toContain('shutdown=');
    expect(agent.stderr()).toContain('interrupted due to shutdown');
  });

  it('leaves everything on disk with a persistent queue, and the next run delivers it', async () => {
    const port = await freePort();
    await backend.start();
    const backendPort = backend.port;
    await backend.stop();
    const directory = temporaryDirectory();
    const config = faultConfig({ receiverPort: port, backendPort, directory, queue: { queue_size: 10_000 } });
    const agent = await startAgent(config);
    const sender = new NumberingSender({ port });
    await sendUntil(sender, () => sender.acknowledged.size > 200);
    expect(await agent.stop()).toBe(0);
    expect(exporterAccount(agent)).toMatchObject({ dropped: 0, held: sender.acknowledged.size });

    await backend.start();
    const next = await startAgent(config);
    await expect.poll(() => backend.missing(sender.acknowledged).length, { timeout: 30_000 }).toBe(0);
    expect(await next.stop()).toBe(0);
    expect(exporterAccount(next)).toMatchObject({ sent: sender.acknowledged.size, dropped: 0, held: 0 });
    expect(backend.duplicates).toBe(0);
    const left = readdirSync(directory, { recursive: true }).map(String);
    expect(left.filter((name) => name.endsWith('.kq') || name.endsWith('.ack'))).toEqual([]);
  });
});

it('a reload that restarts the exporter loses nothing, and takes its queue over', async () => {
  await backend.start();
  backend.behaviour = () => ({ kind: 'take', delayMs: 5 });
  const port = await freePort();
  const directory = temporaryDirectory();
  const configWith = (timeout: string): string =>
    faultConfig({
      receiverPort: port,
      backendPort: backend.port,
      directory,
      queue: { queue_size: 10_000 },
      exporter: { timeout },
    });
  const file = join(temporaryDirectory(), 'config.yaml');
  writeFileSync(file, configWith('1s'));
  const agent = run('bin/kindling', ['--config', file]);
  await agent.waitFor('Everything is ready.');
  const sender = new NumberingSender({ port });
  sender.start();
  for (let reload = 1; reload <= 5; reload++) {
    const before = sender.acknowledged.size;
    await expect.poll(() => sender.acknowledged.size, { timeout: 30_000 }).toBeGreaterThan(before + 50);
    writeFileSync(file, configWith(`${1 + reload}s`));
    agent.child.kill('SIGHUP');
    const ready = (): number => agent.stderr().split('Everything is ready.').length - 1;
    await expect.poll(ready, { timeout: 30_000 }).toBe(1 + reload);
  }
  await sender.stop();
  await expect.poll(() => backend.missing(sender.acknowledged).length, { timeout: 30_000 }).toBe(0);
  expect(await agent.stop()).toBe(0);
  const { received, sent, dropped, held, reasons } = exporterAccount(agent);
  expect([received - sent - held, dropped, reasons]).toEqual([0, 0, '']);
  expect(agent.stderr()).not.toContain('Going back');
});
