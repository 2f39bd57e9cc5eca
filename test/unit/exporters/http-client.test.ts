/** The keys of an HTTP client's connections, from the configuration of both exporters that have them to the wire. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import * as http from 'node:http';
import * as https from 'node:https';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { otlpHttpExporter } from '../../../src/exporters/otlp_http/factory.js';
import { zipkinExporter } from '../../../src/exporters/zipkin/factory.js';
import { batchOf, rejection, SYNCHRONOUS, startExporter } from '../../helpers/otlp/exporter-harness.js';
import { tracesRequest } from '../../helpers/otlp/payload.js';
import { TestProxy } from '../../helpers/test-proxy.js';

const pem = (name: string): string => fileURLToPath(new URL(`../../fixtures/tls/${name}`, import.meta.url));
const BATCH = batchOf('traces', tracesRequest(2));

let cookies: (string | undefined)[] = [];
const onRequest = (request: http.IncomingMessage, response: http.ServerResponse): void => {
  cookies.push(request.headers.cookie);
  request.resume().on('end', () => response.writeHead(200, { 'set-cookie': 'node=a' }).end());
};
const plain = http.createServer(onRequest);
const secure = https.createServer(
  { cert: readFileSync(pem('server.pem')), key: readFileSync(pem('server.key')) },
  onRequest,
);
const portOf = (server: http.Server): number => (server.address() as AddressInfo).port;
let proxy: TestProxy;
let stops: (() => Promise<void>)[] = [];

beforeEach(async () => {
  cookies = [];
  proxy = new TestProxy();
  for (const server of [plain, secure]) {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  }
});
afterEach(async () => {
  vi.unstubAllEnvs();
  for (const stop of stops.splice(0)) await stop();
  stops = [];
  proxy.stop();
  for (const server of [plain, secure]) {
    server.closeAllConnections();
    server.close();
  }
});

/** Sends two batches. */
async function send(factory: typeof otlpHttpExporter | typeof zipkinExporter, config: object): Promise<void> {
  const { exporter, stop } = await startExporter(factory, { ...SYNCHRONOUS, ...config });
  stops.push(stop);
  await exporter.consume(BATCH);
  await exporter.consume(BATCH);
}

const EXPORTERS = [
  { name: 'otlp_http', factory: otlpHttpExporter, path: '/v1/traces', writeBufferSize: 524_288 },
  { name: 'zipkin', factory: zipkinExporter, path: '', writeBufferSize: 0 },
];

describe.each(EXPORTERS)('the HTTP client of $name', ({ factory, path, writeBufferSize }) => {
  it('has the defaults of a Collector', () => {
    expect(factory.config().parse({ endpoint: 'http://a.test' })).toMatchObject({
      proxy_url: '',
      max_idle_conns: 100,
      max_idle_conns_per_host: 0,
      max_conns_per_host: 0,
      idle_conn_timeout: 90_000,
      disable_keep_alives: false,
      read_buffer_size: 0,
      write_buffer_size: writeBufferSize,
      force_attempt_http2: true,
      http2_read_idle_timeout: 0,
      http2_ping_timeout: 0,
    });
  });

  it('sends through proxy_url', async () => {
    const address = await proxy.start(portOf(plain));
    await send(factory, { endpoint: 'http://collector.test/in', proxy_url: `http://${address}` });
    expect(proxy.seen).toEqual(Array(2).fill(`POST http://collector.test/in${path}`));
  });

  it('keeps a tunnel through the proxy of the environment, with the certificates of the file', async () => {
    vi.stubEnv('HTTPS_PROXY', await proxy.start(portOf(secure)));
    await send(factory, { endpoint: 'https://collector.test/in', tls: { ca_file: pem('ca.pem') } });
    expect(proxy.seen).toEqual(['CONNECT collector.test:443']);
    expect(cookies).toHaveLength(2);
  });

  it('keeps cookies when it is told to', async () => {
    const endpoint = `http://127.0.0.1:${portOf(plain)}/in`;
    await send(factory, { endpoint, cookies: { enabled: true } });
    await send(factory, { endpoint, cookies: {} });
    expect(cookies).toEqual([undefined, 'node=a', undefined, undefined]);
  });

  it('does not start with a proxy that is none', async () => {
    const starting = send(factory, { endpoint: 'http://collector.test', proxy_url: '::' });
    expect(await rejection(starting)).toMatchObject({ message: 'invalid proxy URL: "::"' });
  });
});

it('otlp_http trusts the authorities of the environment through a proxy, too', async () => {
  vi.stubEnv('HTTPS_PROXY', await proxy.start(portOf(secure)));
  vi.stubEnv('OTEL_EXPORTER_OTLP_CERTIFICATE', pem('ca.pem'));
  await send(otlpHttpExporter, { endpoint: 'https://collector.test' });
  expect(proxy.seen).toEqual(['CONNECT collector.test:443']);
  expect(cookies).toHaveLength(2);
});
