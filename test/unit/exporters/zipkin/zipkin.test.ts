import * as http from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PermanentError, RetryableError } from '../../../../src/component/errors.js';
import { zipkinExporter } from '../../../../src/exporters/zipkin/factory.js';
import { fromJson } from '../../../../src/otlp/json-reader.js';
import { batchOf, rejection, SYNCHRONOUS, startExporter } from '../../../helpers/otlp/exporter-harness.js';

let status = 202;
let seen: { readonly headers: http.IncomingHttpHeaders; readonly body: Buffer }[] = [];
const server = http.createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    seen.push({ headers: request.headers, body: Buffer.concat(chunks) });
    response.writeHead(status).end();
  });
});

beforeEach(async () => {
  status = 202;
  seen = [];
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

const start = (config: object = {}) => {
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/v2/spans`;
  return startExporter(zipkinExporter, { ...SYNCHRONOUS, endpoint, ...config });
};

const span = (traceId: string, more: object = {}) => ({
  traceId,
  spanId: '1111111111111111',
  name: 'x'.repeat(1000),
  startTimeUnixNano: '2000000000',
  endTimeUnixNano: '3000000000',
  ...more,
});
const batch = (...spans: readonly object[]) =>
  batchOf('traces', fromJson('traces', JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans }] }] })));
const GOOD = 'a'.repeat(32);

describe('the zipkin exporter', () => {
  it('sends headers, compressed bodies and the default name of services', async () => {
    const { exporter, stop } = await start({
      headers: { 'x-key': 'k' },
      compression: 'gzip',
      default_service_name: 'Nameless',
    });
    await exporter.consume(batch(span(GOOD)));
    expect(seen[0]?.headers).toMatchObject({
      'x-key': 'k',
      'content-type': 'application/json',
      'content-encoding': 'gzip',
    });
    expect(JSON.parse(gunzipSync(seen[0]!.body).toString())).toMatchObject([
      { localEndpoint: { serviceName: 'nameless' } },
    ]);
    await stop();
  });

  it('drops and counts a span without ids, and sends the others', async () => {
    const { exporter, metrics, stop } = await start();
    await exporter.consume(batch(span(GOOD), span('')));
    expect(JSON.parse(seen[0]!.body.toString())).toHaveLength(1);
    expect(metrics.snapshot()).toMatchObject({
      'received traces': 2,
      'sent traces': 1,
      'dropped traces invalid_id': 1,
    });
    await stop();
  });

  it('gives a span that ends before it starts no duration', async () => {
    const { exporter, stop } = await start();
    await exporter.consume(batch(span(GOOD, { endTimeUnixNano: '1000000000' })));
    expect((JSON.parse(seen[0]!.body.toString()) as object[])[0]).not.toHaveProperty('duration');
    await stop();
  });

  it.each([
    [400, PermanentError],
    [413, PermanentError],
    [429, RetryableError],
    [500, RetryableError],
    [503, RetryableError],
  ])('takes %i for what it is', async (code, kind) => {
    const { exporter, stop } = await start();
    status = code;
    const error = await rejection(exporter.consume(batch(span(GOOD))));
    expect(error).toBeInstanceOf(kind);
    expect((error as Error).message).toContain(`failed the request with status code ${code}`);
    await stop();
  });

  it('says what is wrong with its settings', () => {
    const problems = (config: object) =>
      (zipkinExporter.config().safeParse(config).error?.issues ?? []).map(({ message }) => message);
    expect(problems({})).toEqual(['endpoint required']);
    expect(problems({ endpoint: 'http://x', format: 'xml' })).toEqual(['xml is not one of json or proto']);
    expect(problems({ endpoint: 'x:9411' })[0]).toContain('must be a URL');
  });
});
