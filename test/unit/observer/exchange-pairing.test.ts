import { describe, expect, it } from 'vitest';
import { toHex } from '../../../src/otlp/ids.js';
import { ExchangeHarness, lostOf } from '../../helpers/exchange-harness.js';

const GET = 'GET /items?id=7 HTTP/1.1\r\nHost: shop.test:8080\r\nUser-Agent: tester\r\n\r\n';
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello';

describe('ExchangePairing', () => {
  it('pairs a request with its response at the server', () => {
    const harness = new ExchangeHarness();
    const { server } = harness.connect();
    server.receive(GET);
    server.send(OK);
    expect(harness.exchanges).toHaveLength(1);
    expect(harness.exchanges[0]).toMatchObject({
      role: 'server',
      tgid: 200,
      requestTid: 201,
      responseTid: 201,
      requestBytes: GET.length,
      responseBytes: OK.length,
      tuple: { localAddress: '10.0.0.2', localPort: 8080, remoteAddress: '10.0.0.1', remotePort: 40_000 },
      http: {
        method: 'GET',
        path: '/items',
        query: 'id=7',
        host: 'shop.test:8080',
        userAgent: 'tester',
        statusCode: 200,
        version: '1.1',
      },
      incomplete: undefined,
    });
    const [exchange] = harness.exchanges;
    expect(exchange!.responseStart).toBeGreaterThan(exchange!.requestEnd);
  });

  it('pairs at the client, and follows a response read in pieces', () => {
    const harness = new ExchangeHarness();
    const { client } = harness.connect();
    client.send(GET);
    client.receive(OK.slice(0, 20));
    client.receive(OK.slice(20, 40));
    expect(harness.exchanges).toHaveLength(0);
    client.tid = 150;
    client.receive(OK.slice(40));
    expect(harness.exchanges).toMatchObject([
      { role: 'client', requestTid: 101, responseTid: 150, responseBytes: OK.length },
    ]);
    const [exchange] = harness.exchanges;
    expect(exchange!.responseEnd - exchange!.responseStart).toBe(20_000);
  });

  it('reads a head that is sent byte by byte', () => {
    const harness = new ExchangeHarness();
    const { server } = harness.connect();
    for (const character of GET) server.receive(character);
    for (const character of OK) server.send(character);
    expect(harness.exchanges).toMatchObject([{ http: { path: '/items', statusCode: 200 } }]);
  });

  it('does not count bytes twice that were peeked at or sent again', () => {
    const harness = new ExchangeHarness();
    const { server } = harness.connect();
    server.peek(GET.slice(0, 10));
    server.receive(GET);
    server.send(OK);
    server.receive(GET);
    server.send(OK);
    expect(harness.exchanges.map(({ requestBytes }) => requestBytes)).toEqual([GET.length, GET.length]);
  });

  it('counts bytes that were not captured through a body of known length', () => {
    const harness = new ExchangeHarness();
    const { server } = harness.connect();
    const body = 'x'.repeat(50_000);
    server.receive(GET);
    server.send(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    server.receive(GET);
    server.send(OK);
    expect(harness.exchanges.map(({ incomplete }) => incomplete)).toEqual([undefined, undefined]);
    expect(harness.exchanges[0]!.responseBytes).toBeGreaterThan(50_000);
  });

  it('finds the end of a chunked body that was not captured', () => {
    const harness = new ExchangeHarness();
    const { server } = harness.connect();
    const chunk = `7d0\r\n${'y'.repeat(2000)}\r\n`;
    server.receive(GET);
    server.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
    for (let i = 0; i < 5; i++) server.send(chunk);
    expect(harness.exchanges).toHaveLength(0);
    server.send('0\r\n\r\n');
    expect(harness.exchanges).toMatchObject([{ incomplete: undefined, http: { statusCode: 200 } }]);
  });

  it('knows the responses that have no body', () => {
    const harness = new ExchangeHarness();
    const { server } = harness.connect();
    server.receive('HEAD / HTTP/1.1\r\n\r\n');
    server.send('HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n');
    server.receive(GET);
    server.send('HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n');
    server.receive(GET);
    server.send('HTTP/1.1 204 No Content\r\n\r\n');
    expect(harness.exchanges.map(({ http }) => http.statusCode)).toEqual([200, 304, 204]);
  });

  it('takes 100 Continue for what it is', () => {
    const harness = new ExchangeHarness();
    const { server } = harness.connect();
    server.receive('POST /up HTTP/1.1\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n');
    server.send('HTTP/1.1 100 Continue\r\n\r\n');
    server.receive('data');
    server.send(OK);
    server.receive(GET);
    server.send(OK);
    server.close();
    expect(harness.exchanges.map(({ http }) => http.statusCode)).toEqual([200, 200]);
    expect(lostOf(harness.counters.server)).toBe(0);
  });

  it('counts nothing twice when the interim response was lost', () => {
    let lose = false;
    const harness = new ExchangeHarness({ lose: () => lose });
    const { server } = harness.connect();
    server.receive('POST /up HTTP/1.1\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n');
    lose = true;
    server.send('HTTP/1.1 100 Continue\r\n\r\n');
    lose = false;
    server.receive('data');
    server.send(OK);
    server.close();
    expect(harness.exchanges).toHaveLength(1);
    expect(lostOf(harness.counters.server)).toBe(0);
  });

  it('pairs pipelined requests in order', () => {
    const harness = new ExchangeHarness();
    const { server } = harness.connect();
    server.receive('GET /a HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\n\r\n');
    server.send(`${OK}HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n`);
    expect(harness.exchanges.map(({ http }) => [http.path, http.statusCode])).toEqual([
      ['/a', 200],
      ['/b', 404],
    ]);
  });

  it('ends a body without length at the close', () => {
    const harness = new ExchangeHarness();
    const { server } = harness.connect();
    server.receive('GET / HTTP/1.0\r\n\r\n');
    server.send('HTTP/1.0 200 OK\r\n\r\n');
    server.send('text');
    expect(harness.exchanges).toHaveLength(0);
    server.close();
    expect(harness.exchanges).toMatchObject([{ incomplete: undefined, http: { version: '1.0' } }]);
  });

  it('waits for the last part of a long send', () => {
    const harness = new ExchangeHarness();
    const { server } = harness.connect();
    const body = Buffer.alloc(300_000, 'z');
    server.receive(GET);
    server.send(Buffer.concat([Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n'), body]));
    expect(harness.exchanges).toHaveLength(0);
    expect(harness.table.held).toBe(1);
    server.receive(GET);
    expect(harness.exchanges).toHaveLength(1);
  });

  it('says how a request ended that got no response', () => {
    const harness = new ExchangeHarness();
    const first = harness.connect(1);
    first.server.receive(GET);
    first.server.close(104);
    const second = harness.connect(2);
    second.server.receive(GET);
    second.server.close(0);
    const third = harness.connect(3);
    third.server.receive(GET);
    harness.pass(30);
    expect(harness.exchanges).toHaveLength(2);
    harness.pass(31);
    expect(harness.exchanges.map(({ incomplete }) => incomplete)).toEqual([
      'reset',
      'no_response',
      'no_response',
    ]);
    third.server.send(OK);
    expect(harness.exchanges).toHaveLength(3);
    expect(lostOf(harness.counters.server)).toBe(0);
  });

  it('lets a half-closed client read its answer', () => {
    const harness = new ExchangeHarness();
    const { client } = harness.connect();
    client.send(GET);
    client.close();
    client.receive(OK);
    harness.pass(5);
    expect(harness.exchanges).toMatchObject([{ incomplete: undefined, http: { statusCode: 200 } }]);
  });

  it('counts, and does not guess, what began before it looked', () => {
    const harness = new ExchangeHarness();
    const { server } = harness.connect(40_000, false);
    server.send(OK);
    server.receive(GET);
    server.send(OK);
    expect(harness.exchanges).toHaveLength(1);
    expect(harness.counters.server.lost.joined_in_middle).toBe(1);
    expect(lostOf(harness.counters.server)).toBe(1);
  });

  it('passes over a connection that is not HTTP', () => {
    const harness = new ExchangeHarness();
    const { server } = harness.connect();
    for (let i = 0; i < 3; i++) {
      server.receive(Buffer.from([0x16, 3, 1, 2, 0, 1, 0, 1]));
      server.send(Buffer.from([0x16, 3, 3, 0]));
    }
    server.receive(GET);
    server.send(OK);
    server.close();
    expect(harness.table.ignored).toBe(1);
    expect(harness.exchanges).toHaveLength(0);
    expect(lostOf(harness.counters.server)).toBe(0);
  });

  it('stops at an upgrade', () => {
    const harness = new ExchangeHarness();
    const { server } = harness.connect();
    server.receive('GET /ws HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    server.send('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n');
    server.receive('binary');
    server.close();
    expect(harness.exchanges).toMatchObject([{ http: { statusCode: 101 } }]);
    expect(harness.counters.upgraded).toBe(1);
    expect(lostOf(harness.counters.server)).toBe(0);
  });

  it('keeps a request whose head was cut after its first line', () => {
    const harness = new ExchangeHarness({ captureBytes: 128 });
    const { server } = harness.connect();
    const long = `GET /cut HTTP/1.1\r\nCookie: ${'c'.repeat(500)}\r\n\r\n`;
    server.receive(long);
    server.send(OK);
    server.receive(`GET /${'p'.repeat(500)} HTTP/1.1\r\n\r\n`);
    server.send(OK);
    server.receive(GET);
    server.send(OK);
    expect(harness.exchanges.map(({ http, incomplete }) => [http.path, incomplete])).toEqual([
      ['/cut', 'gap'],
      ['/items', undefined],
    ]);
    expect(harness.counters.server.lost.not_captured).toBe(1);
  });

  it('links both ends of a connection on this host', () => {
    const harness = new ExchangeHarness();
    const { client, server } = harness.connect();
    client.send(GET);
    server.receive(GET);
    server.send(OK);
    client.receive(OK);
    const [atServer, atClient] = harness.exchanges;
    expect([atServer!.role, atClient!.role]).toEqual(['server', 'client']);
    expect(toHex(atServer!.identity!, 0, 16)).toBe(toHex(atClient!.identity!, 0, 16));
    expect(toHex(atServer!.identity!, 24, 32)).toBe(toHex(atClient!.identity!, 16, 24));
    expect(toHex(atClient!.identity!, 24, 32)).toBe('0000000000000000');
    expect(toHex(atServer!.identity!, 16, 24)).not.toBe(toHex(atClient!.identity!, 16, 24));
  });

  it('takes the trace on the wire, and sees through a proxy that hands it on', () => {
    const harness = new ExchangeHarness();
    const trace = '0af7651916cd43dd8448eb211c80319c';
    const traced = `GET / HTTP/1.1\r\ntraceparent: 00-${trace}-b7ad6b7169203331-01\r\n\r\n`;
    const inbound = harness.connect(1);
    const outbound = harness.connect(2);
    outbound.client.tgid = inbound.server.tgid;
    inbound.server.receive(traced);
    outbound.client.send(traced);
    outbound.client.receive(OK);
    inbound.server.send(OK);
    const [client, server] = harness.exchanges;
    expect(toHex(server!.identity!, 0, 16)).toBe(trace);
    expect(toHex(server!.identity!, 24, 32)).toBe('b7ad6b7169203331');
    expect(toHex(client!.identity!, 24, 32)).toBe(toHex(server!.identity!, 16, 24));

    const direct = new ExchangeHarness();
    const connection = direct.connect();
    connection.client.send(traced);
    connection.client.receive(OK);
    expect(toHex(direct.exchanges[0]!.identity!, 16, 24)).toBe('b7ad6b7169203331');
  });
});
