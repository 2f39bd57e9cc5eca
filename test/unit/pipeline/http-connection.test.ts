import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import * as http from 'node:http';
import * as https from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { CookieJar } from '../../../src/pipeline/cookie-jar.js';
import { httpClientFields } from '../../../src/pipeline/http-client-fields.js';
import { httpConnectionOf } from '../../../src/pipeline/http-connection.js';
import { HttpTransport } from '../../../src/pipeline/http-transport.js';
import { TestProxy } from '../../helpers/test-proxy.js';

const pem = (name: string) => readFileSync(new URL(`../../fixtures/tls/${name}`, import.meta.url));
const BODY = Buffer.from('x'.repeat(100));

let requests: http.IncomingMessage[] = [];
let held: http.ServerResponse[] = [];
let isHolding = false;
let sockets: Socket[] = [];
let answerHeaders: http.OutgoingHttpHeaders = {};
let transports: HttpTransport[] = [];
const onRequest = (request: http.IncomingMessage, response: http.ServerResponse): void => {
  requests.push(request);
  request.resume().on('end', () => {
    response.writeHead(200, answerHeaders);
    if (isHolding) held.push(response);
    else response.end('ok');
  });
};
const plain = http.createServer(onRequest).on('connection', (socket: Socket) => sockets.push(socket));
const secure = https.createServer({ cert: pem('server.pem'), key: pem('server.key') }, onRequest);
const portOf = (server: http.Server): number => (server.address() as AddressInfo).port;
let proxy: TestProxy;

beforeEach(async () => {
  requests = [];
  held = [];
  sockets = [];
  transports = [];
  isHolding = false;
  answerHeaders = {};
  proxy = new TestProxy();
  for (const server of [plain, secure]) {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  }
});
afterEach(() => {
  vi.unstubAllEnvs();
  for (const transport of transports) transport.close();
  proxy.stop();
  for (const server of [plain, secure]) {
    server.closeAllConnections();
    server.close();
  }
});

function transportTo(url: string, config: object = {}, cookies?: CookieJar): HttpTransport {
  const settings = z.strictObject(httpClientFields()).parse(config);
  const connection = httpConnectionOf(new URL(url), settings, { ca: pem('ca.pem') });
  const transport = new HttpTransport({ url, headers: async () => ({ 'x-key': 'k' }), connection, cookies });
  transports.push(transport);
  return transport;
}
const post = (transport: HttpTransport, signal = new AbortController().signal) =>
  transport.post(BODY, signal);
const direct = (config: object = {}) => transportTo(`http://127.0.0.1:${portOf(plain)}/v1/traces`, config);
const until = (isTrue: () => boolean) => vi.waitFor(() => expect(isTrue()).toBe(true));

/** Connections that two rounds of `atOnce` requests needed. */
async function connectionsFor(atOnce: number, config: object): Promise<number> {
  const transport = direct(config);
  for (let round = 0; round < 2; round++) {
    isHolding = true;
    const posts = Array.from({ length: atOnce }, () => post(transport));
    await until(() => held.length === atOnce);
    for (const response of held.splice(0)) response.end();
    await Promise.all(posts);
    // The agent takes a connection back in the next turn.
    await new Promise(setImmediate);
  }
  return sockets.length;
}

describe('connections', () => {
  it('are used again', async () => {
    expect(await connectionsFor(3, {})).toBe(3);
  });

  it.each([
    { disable_keep_alives: true },
    { max_idle_conns: -1 },
    { max_idle_conns_per_host: -1 },
  ])('are not with %o', async (config) => {
    expect(await connectionsFor(1, config)).toBe(2);
    expect(requests[0]?.headers.connection).toBe('close');
  });

  it('are used again, however long they may be idle and without any limit', async () => {
    const config = { idle_conn_timeout: '10000h', max_idle_conns: 0, max_conns_per_host: -1 };
    expect(await connectionsFor(3, config)).toBe(3);
  });

  it.each([
    { max_idle_conns: 1 },
    { max_idle_conns_per_host: 1 },
    { max_idle_conns: 1, max_idle_conns_per_host: 2 },
  ])('are kept up to %o', async (config) => {
    expect(await connectionsFor(3, config)).toBe(5);
  });

  it('are as many as max_conns_per_host says', async () => {
    const transport = direct({ max_conns_per_host: 2 });
    isHolding = true;
    const posts = Array.from({ length: 5 }, () => post(transport));
    for (let left = 5; left > 0; left -= 2) {
      await until(() => held.length === Math.min(2, left));
      for (const response of held.splice(0)) response.end();
    }
    await Promise.all(posts);
    expect(sockets).toHaveLength(2);
  });

  it('close after idle_conn_timeout, and not during a request', async () => {
    const transport = direct({ idle_conn_timeout: '30ms' });
    isHolding = true;
    const slow = post(transport);
    await until(() => held.length === 1);
    // A second connection goes idle and is closed, while the first one is waiting.
    isHolding = false;
    await post(transport);
    await until(() => sockets[1]?.destroyed === true);
    expect(sockets[0]?.destroyed).toBe(false);
    held[0]?.end();
    await slow;
    await until(() => sockets[0]?.destroyed === true);
  });
});

describe('proxy_url', () => {
  it('gets requests to http:// whole, with its password', async () => {
    const address = await proxy.start(portOf(plain));
    const transport = transportTo('http://collector.test:4318/v1/traces', {
      proxy_url: `http://me:pw@${address}`,
    });
    expect((await post(transport)).body.toString()).toBe('ok');
    await post(transport);
    expect(proxy.seen).toEqual(Array(2).fill('POST http://collector.test:4318/v1/traces'));
    expect(proxy.authorizations[0]).toBe(`Basic ${Buffer.from('me:pw').toString('base64')}`);
    expect(requests[0]?.headers).toMatchObject({ host: 'collector.test:4318', 'x-key': 'k' });
  });

  it('gets loopback, too', async () => {
    const address = await proxy.start(portOf(plain));
    await post(direct({ proxy_url: `http://${address}` }));
    expect(proxy.seen).toEqual([`POST http://127.0.0.1:${portOf(plain)}/v1/traces`]);
  });

  it('gets a CONNECT for https://, and the server our request; the tunnel is used again', async () => {
    const address = await proxy.start(portOf(secure));
    const transport = transportTo('https://collector.test/v1/traces', {
      proxy_url: `http://me:pw@${address}`,
    });
    expect((await post(transport)).body.toString()).toBe('ok');
    await new Promise(setImmediate);
    expect((await transport.post(Buffer.alloc(1_000_000, 'y'), new AbortController().signal)).status).toBe(
      200,
    );
    expect(proxy.seen).toEqual(['CONNECT collector.test:443']);
    expect(proxy.authorizations).toEqual([`Basic ${Buffer.from('me:pw').toString('base64')}`]);
    expect(requests[0]?.headers).toMatchObject({ host: 'collector.test', 'x-key': 'k' });
    expect(requests[0]?.headers['proxy-authorization']).toBeUndefined();
  });

  it('opens no more tunnels than max_conns_per_host', async () => {
    const address = await proxy.start(portOf(secure));
    const config = { proxy_url: `http://${address}`, max_conns_per_host: 2 };
    const transport = transportTo('https://collector.test/v1/traces', config);
    await Promise.all(Array.from({ length: 6 }, () => post(transport)));
    expect(proxy.seen).toHaveLength(2);
    expect(requests).toHaveLength(6);
  });

  it('that refuses is an error that says so', async () => {
    proxy.connectStatus = '407 Proxy Authentication Required';
    const address = await proxy.start(portOf(secure));
    const transport = transportTo('https://collector.test/v1/traces', { proxy_url: `http://${address}` });
    await expect(post(transport)).rejects.toThrow('proxy: 407 Proxy Authentication Required');
  });

  it('that is gone is an error', async () => {
    const address = await proxy.start(0);
    proxy.stop();
    for (const url of ['http://collector.test', 'https://collector.test']) {
      await expect(post(transportTo(url, { proxy_url: `http://${address}` }))).rejects.toThrow(
        'ECONNREFUSED',
      );
    }
  });

  it('that does not answer is left at the time limit', async () => {
    const silent = http.createServer();
    const waiting: Socket[] = [];
    silent.on('connect', (_request: http.IncomingMessage, socket: Socket) => waiting.push(socket.resume()));
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const abort = new AbortController();
    const transport = transportTo('https://collector.test', {
      proxy_url: `http://127.0.0.1:${portOf(silent)}`,
    });
    const sent = post(transport, abort.signal);
    await until(() => waiting.length === 1);
    abort.abort();
    await expect(sent).rejects.toThrow('aborted');
    await until(() => waiting[0]?.readableEnded === true);
    waiting[0]?.destroy();
    silent.close();
  });

  it("checks the server's certificate", async () => {
    const address = await proxy.start(portOf(secure));
    const transport = transportTo('https://other.test', { proxy_url: `http://${address}` });
    await expect(post(transport)).rejects.toThrow("does not match certificate's altnames");
  });
});

describe('proxies of the environment', () => {
  it('get what NO_PROXY leaves', async () => {
    const address = await proxy.start(portOf(plain));
    vi.stubEnv('HTTP_PROXY', address);
    vi.stubEnv('NO_PROXY', '127.0.0.0/8,internal.test');
    await post(transportTo('http://collector.test/v1/traces'));
    await post(direct());
    expect(proxy.seen).toEqual(['POST http://collector.test/v1/traces']);
    expect(requests).toHaveLength(2);
  });

  it('get https://, too', async () => {
    vi.stubEnv('HTTPS_PROXY', `http://${await proxy.start(portOf(secure))}`);
    await post(transportTo('https://collector.test:4318'));
    expect(proxy.seen).toEqual(['CONNECT collector.test:4318']);
  });
});

describe('cookies', () => {
  it('go back to the server that set them, and only when asked for', async () => {
    answerHeaders = { 'set-cookie': ['node=a; Path=/', 'gone=x; Max-Age=0'] };
    const url = `http://127.0.0.1:${portOf(plain)}/v1/traces`;
    const [keeping, ignoring] = [transportTo(url, {}, new CookieJar(Date.now)), transportTo(url)];
    for (const transport of [keeping, keeping, ignoring, ignoring]) await post(transport);
    expect(requests.map(({ headers }) => headers.cookie)).toEqual([
      undefined,
      'node=a',
      undefined,
      undefined,
    ]);
  });
});
