/** Endpoints, headers, TLS, and the OTEL_EXPORTER_OTLP_* variables. */
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import * as http from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { ExporterFactory } from '../../../src/component/factory.js';
import { otlpGrpcExporter } from '../../../src/exporters/otlp_grpc/factory.js';
import { otlpHttpExporter } from '../../../src/exporters/otlp_http/factory.js';
import { batchOf, rejection, SYNCHRONOUS, startExporter } from '../../helpers/otlp/exporter-harness.js';
import { tracesRequest } from '../../helpers/otlp/payload.js';
import { startReceiver } from '../../helpers/otlp/receiver-harness.js';

const stops: (() => Promise<unknown>)[] = [];
const BATCH = batchOf('traces', tracesRequest(2));
const pem = (name: string): string => fileURLToPath(new URL(`../../fixtures/tls/${name}`, import.meta.url));

afterEach(async () => {
  vi.unstubAllEnvs();
  for (const stop of stops.splice(0).reverse()) await stop();
});

async function own<T extends { stop(): Promise<void> }>(starting: Promise<T>): Promise<T> {
  const started = await starting;
  stops.push(started.stop);
  return started;
}

const exporter = async (factory: ExporterFactory, config: Record<string, unknown>) =>
  (await own(startExporter(factory, { ...SYNCHRONOUS, ...config }))).exporter;

const problems = (factory: ExporterFactory, config: Record<string, unknown>): string[] =>
  (factory.config().safeParse(config).error?.issues ?? []).map(({ path, message }) =>
    [...path, message].join('::'),
  );

interface Seen {
  readonly url: string | undefined;
  readonly headers: http.IncomingHttpHeaders;
}

async function listeningServer(): Promise<{ port: number; seen: Seen[] }> {
  const seen: Seen[] = [];
  const server = http.createServer((request, response) => {
    request.resume().on('end', () => {
      seen.push({ url: request.url, headers: request.headers });
      response.writeHead(200).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  stops.push(async () => {
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, seen };
}

describe('settings', () => {
  it('are refused with the sentences of a Collector', () => {
    expect(problems(otlpGrpcExporter, {})).toEqual(['requires a non-empty "endpoint"']);
    expect(problems(otlpGrpcExporter, { endpoint: 'localhost' })).toEqual([
      'clientconfig::address localhost: missing port in address',
    ]);
    expect(problems(otlpGrpcExporter, { endpoint: 'http://localhost:bar' })).toEqual([
      'clientconfig::invalid port "bar"',
    ]);
    expect(problems(otlpGrpcExporter, { endpoint: 'x:1', timeout: '-1s' })).toEqual([
      "timeout::'timeout' must be non-negative",
    ]);
    expect(problems(otlpHttpExporter, {})).toEqual(['at least one endpoint must be specified']);
    expect(problems(otlpHttpExporter, { endpoint: 'http://x', encoding: 'xml' })).toEqual([
      'encoding::invalid encoding type: xml',
    ]);
    expect(problems(otlpHttpExporter, { endpoint: 'x:4318' })).toEqual([
      '`endpoint` must be a URL that begins with http:// or https://: "x:4318"',
    ]);
    for (const endpoint of [
      'h:1',
      'http://h:1',
      'https://h:1/',
      'dns:///h:1',
      'dns:h:1',
      'unix:///run/x',
      '[::1]:1',
    ]) {
      expect(problems(otlpGrpcExporter, { endpoint })).toEqual([]);
    }
  });
});

describe('otlp_http', () => {
  it('sends headers, paths and its name', async () => {
    const { port, seen } = await listeningServer();
    const headers = { Authorization: 'Bearer secret' };
    await (await exporter(otlpHttpExporter, { endpoint: `http://127.0.0.1:${port}/base/`, headers })).consume(
      BATCH,
    );
    const traces_endpoint = `http://127.0.0.1:${port}/own`;
    await (await exporter(otlpHttpExporter, { traces_endpoint })).consume(BATCH);
    expect(seen.map(({ url }) => url)).toEqual(['/base/v1/traces', '/own']);
    expect(seen[0]!.headers).toMatchObject({
      authorization: 'Bearer secret',
      'content-type': 'application/x-protobuf',
      'user-agent': 'kindling',
    });
  });

  it('keeps its connection', async () => {
    const receiver = await own(startReceiver());
    const sender = await exporter(otlpHttpExporter, { endpoint: `http://127.0.0.1:${receiver.httpPort}` });
    for (let count = 0; count < 3; count++) await sender.consume(BATCH);
    expect(new Set(receiver.sink.batches.map(({ origin }) => origin.connection!.remotePort)).size).toBe(1);
  });

  it('asks the environment where the file says nothing', async () => {
    const { port, seen } = await listeningServer();
    const other = await listeningServer();
    vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', `http://127.0.0.1:${port}/env`);
    vi.stubEnv('OTEL_EXPORTER_OTLP_HEADERS', 'x-env=1,x-both=env');
    vi.stubEnv('OTEL_EXPORTER_OTLP_COMPRESSION', 'none');
    const big = batchOf('traces', tracesRequest(100));
    await (await exporter(otlpHttpExporter, { headers: { 'x-both': 'file' } })).consume(big);
    vi.stubEnv('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', `http://127.0.0.1:${port}/traces-only`);
    await (await exporter(otlpHttpExporter, { compression: 'gzip' })).consume(big);
    await (await exporter(otlpHttpExporter, { endpoint: `http://127.0.0.1:${other.port}` })).consume(big);
    expect(
      seen.map(({ url, headers }) => [url, headers['x-env'], headers['x-both'], headers['content-encoding']]),
    ).toEqual([
      ['/env/v1/traces', '1', 'file', undefined],
      ['/traces-only', '1', 'env', 'gzip'],
    ]);
    expect(other.seen.map(({ url }) => url)).toEqual(['/v1/traces']);
  });
});

describe('otlp_grpc', () => {
  it('asks the environment where the file says nothing', async () => {
    const receiver = await own(startReceiver());
    const other = await own(startReceiver());
    vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', `http://127.0.0.1:${receiver.grpcPort}`);
    await (await exporter(otlpGrpcExporter, {})).consume(BATCH);
    expect(receiver.sink.itemCount).toBe(2);
    await (await exporter(otlpGrpcExporter, { endpoint: `http://127.0.0.1:${other.grpcPort}` })).consume(
      BATCH,
    );
    expect([receiver.sink.itemCount, other.sink.itemCount]).toEqual([2, 2]);
    vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', `127.0.0.1:${other.grpcPort}`);
    vi.stubEnv('OTEL_EXPORTER_OTLP_INSECURE', 'true');
    await (await exporter(otlpGrpcExporter, {})).consume(BATCH);
    expect(other.sink.itemCount).toBe(4);
  });

  it('obeys timeout, of the file before that of the environment', async () => {
    const receiver = await own(startReceiver());
    receiver.sink.answer = () => new Promise(() => {});
    const endpoint = `http://127.0.0.1:${receiver.grpcPort}`;
    vi.stubEnv('OTEL_EXPORTER_OTLP_TIMEOUT', '30');
    for (const config of [{}, { timeout: '20ms' }]) {
      const error = await rejection(
        (await exporter(otlpGrpcExporter, { endpoint, ...config })).consume(BATCH),
      );
      expect(error).toMatchObject({ name: 'RetryableError' });
    }
  });
});

describe.each([
  ['otlp_grpc', otlpGrpcExporter],
  ['otlp_http', otlpHttpExporter],
] as const)('%s over TLS', (type, factory) => {
  const server = { cert_file: pem('server.pem'), key_file: pem('server.key') };
  const endpointOf = (receiver: { grpcPort: number; httpPort: number }): string =>
    `https://127.0.0.1:${type === 'otlp_grpc' ? receiver.grpcPort : receiver.httpPort}`;

  it('trusts the authorities it is given, and no others', async () => {
    const receiver = await own(startReceiver({ grpc: { tls: server }, http: { tls: server } }));
    const endpoint = endpointOf(receiver);
    await (await exporter(factory, { endpoint, tls: { ca_file: pem('ca.pem') } })).consume(BATCH);
    await (await exporter(factory, { endpoint, tls: { insecure_skip_verify: true } })).consume(BATCH);
    const named = { ca_file: pem('ca.pem'), server_name_override: 'collector.test' };
    await (await exporter(factory, { endpoint, tls: named })).consume(BATCH);
    expect(receiver.sink.batches).toHaveLength(3);
    for (const tls of [{}, { ca_file: pem('ca.pem'), server_name_override: 'other.test' }]) {
      expect(await rejection((await exporter(factory, { endpoint, tls })).consume(BATCH))).toMatchObject({
        name: 'RetryableError',
      });
    }
    expect(receiver.sink.batches).toHaveLength(3);
    expect(receiver.metrics.snapshot()[`connection_errors ${type.slice(5)}`]).toBeGreaterThan(0);
  });

  it('shows its certificate where the server asks for one', async () => {
    const mutual = { ...server, client_ca_file: pem('ca.pem') };
    const receiver = await own(startReceiver({ grpc: { tls: mutual }, http: { tls: mutual } }));
    const endpoint = endpointOf(receiver);
    const tls = { ca_file: pem('ca.pem'), cert_file: pem('client.pem'), key_file: pem('client.key') };
    await (await exporter(factory, { endpoint, tls })).consume(BATCH);
    expect(receiver.sink.batches).toHaveLength(1);
    const { cert_file: _cert, key_file: _key, ...anonymous } = tls;
    expect(
      await rejection((await exporter(factory, { endpoint, tls: anonymous })).consume(BATCH)),
    ).toMatchObject({
      name: 'RetryableError',
    });
  });

  it('reads its files again at reload_interval, and keeps the old ones when the new are bad', async () => {
    const receiver = await own(startReceiver({ grpc: { tls: server }, http: { tls: server } }));
    const folder = mkdtempSync(join(tmpdir(), 'kindling-reload-'));
    stops.push(async () => rmSync(folder, { recursive: true }));
    const file = join(folder, 'ca.pem');
    // An authority, but not that of the server.
    copyFileSync(pem('client.pem'), file);
    const tls = { ca_file: file, reload_interval: '20ms' };
    const sender = await exporter(factory, { endpoint: endpointOf(receiver), tls });
    expect(await rejection(sender.consume(BATCH))).toMatchObject({ name: 'RetryableError' });
    copyFileSync(pem('ca.pem'), file);
    await vi.waitFor(() => sender.consume(BATCH), { timeout: 5000, interval: 20 });
    writeFileSync(file, 'not a certificate');
    await new Promise((resolve) => setTimeout(resolve, 100));
    await sender.consume(BATCH);
    expect(receiver.sink.batches).toHaveLength(2);
  });

  it('does not start without its files', async () => {
    const starting = startExporter(factory, {
      endpoint: 'https://127.0.0.1:1',
      tls: { ca_file: '/nonexistent.pem' },
    });
    expect(await rejection(starting)).toMatchObject({ message: expect.stringContaining('/nonexistent.pem') });
  });
});

describe('the receiver over TLS', () => {
  it('does not start when its certificate is missing, and leaves no listener behind', async () => {
    const tls = { cert_file: '/nonexistent.pem', key_file: '/nonexistent.key' };
    expect(await rejection(startReceiver({ http: { tls } }))).toMatchObject({
      message: expect.stringContaining('failed to load TLS config'),
    });
  });

  it('says who has the port', async () => {
    const receiver = await own(startReceiver());
    const endpoint = `127.0.0.1:${receiver.grpcPort}`;
    expect(await rejection(startReceiver({ grpc: { endpoint } }))).toMatchObject({
      message: `listen tcp ${endpoint}: bind: address already in use`,
    });
    expect(await rejection(startReceiver({ http: { auth: { authenticator: 'basicauth' } } }))).toMatchObject({
      message: 'failed to resolve authenticator "basicauth": authenticator not found',
    });
    await (await exporter(otlpGrpcExporter, { endpoint, tls: { insecure: true } })).consume(BATCH);
    expect(receiver.sink.itemCount).toBe(2);
  });
});
