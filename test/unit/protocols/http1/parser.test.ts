import { describe, expect, it } from 'vitest';
import { unaccounted, Wire } from '../../../helpers/wire.js';

const get = (path: string, more = '') => `GET ${path} HTTP/1.1\r\nHost: shop.test\r\n${more}\r\n`;
const ok = (body: string, more = '') =>
  `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n${more}\r\n${body}`;
const seen = (wire: Wire) =>
  wire
    .spans('server')
    .map(({ name, attributes, errorType }) => [
      name,
      attributes['url.path'],
      attributes['http.response.status_code'],
      errorType,
    ]);

describe('Http1Parser', () => {
  it('pairs requests with responses and says when', () => {
    const wire = new Wire().client(get('/a?x=1')).server(ok('hello')).client(get('/b')).server(ok('x'));
    expect(seen(wire)).toEqual([
      ['GET', '/a', 200, undefined],
      ['GET', '/b', 200, undefined],
    ]);
    const [first] = wire.finished;
    expect(first).toMatchObject({ requestStart: 2e6, requestEnd: 2e6, responseStart: 3e6, responseEnd: 3e6 });
    expect(first!.requestBytes).toBe(get('/a?x=1').length);
    expect(first!.responseBytes).toBe(ok('hello').length);
    expect(unaccounted(wire)).toBe(0);
  });

  it('describes a client by its URL, without the values of the query', () => {
    const wire = new Wire({ serverPort: 8080 })
      .client('GET /a?k=secret HTTP/1.0\r\nUser-Agent: t\r\n\r\n')
      .server('HTTP/1.0 404 Not Found\r\n\r\nnothing here')
      .end('server');
    expect(wire.spans()).toMatchObject([
      {
        name: 'GET',
        kind: 'client',
        errorType: '404',
        attributes: {
          'url.full': 'http://10.0.0.2:8080/a?k=REDACTED',
          'network.protocol.name': 'http',
          'network.protocol.version': '1.0',
          'server.port': 8080,
          'error.type': '404',
        },
      },
    ]);
  });

  it.each([1, 3, 7, 64, 4096])('keeps the order of pipelined requests, in pieces of %i bytes', (size) => {
    const wire = new Wire();
    const requests = `${get('/1')}POST /2 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\nHEAD /3 HTTP/1.1\r\n\r\n${get('/4')}`;
    const responses = `${ok('one')}HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n5;x=1\r\nhello\r\n0\r\nT: 1\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nHTTP/1.1 304 Not Modified\r\n\r\n`;
    for (let at = 0; at < requests.length; at += size) wire.client(requests.slice(at, at + size));
    for (let at = 0; at < responses.length; at += size) wire.server(responses.slice(at, at + size));
    expect(seen(wire)).toEqual([
      ['GET', '/1', 200, undefined],
      ['POST', '/2', 201, undefined],
      ['HEAD', '/3', 200, undefined],
      ['GET', '/4', 304, undefined],
    ]);
    expect(wire.finished.map((exchange) => exchange.responseBytes)).toEqual([ok('one').length, 77, 39, 29]);
  });

  it('reads responses between the pieces of pipelined requests', () => {
    const wire = new Wire()
      .client(`${get('/1')}GET /2 HT`)
      .server(ok('one').slice(0, 20))
      .client('TP/1.1\r\n\r\n')
      .server(`${ok('one').slice(20)}HTTP/1.1 204 No Content\r\n\r\n`);
    expect(seen(wire)).toEqual([
      ['GET', '/1', 200, undefined],
      ['GET', '/2', 204, undefined],
    ]);
  });

  it('takes 100 Continue and early hints for what they are', () => {
    const wire = new Wire()
      .client('PUT /f HTTP/1.1\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n')
      .server('HTTP/1.1 100 Continue\r\n\r\n')
      .client('data')
      .server(`HTTP/1.1 103 Early Hints\r\n\r\n${ok('')}`);
    expect(seen(wire)).toEqual([['PUT', '/f', 200, undefined]]);
    expect(wire.finished[0]).toMatchObject({ requestEnd: 4e6, responseStart: 5e6 });
  });

  it('ends at an upgrade and looks into a tunnel', () => {
    const ws = new Wire()
      .client(get('/chat', 'Connection: Upgrade\r\nUpgrade: websocket\r\n'))
      .server('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n\x81\x02hi')
      .client('\x81\x02hi');
    expect(seen(ws)).toEqual([['GET', '/chat', 101, undefined]]);
    expect(ws.conversation.protocol).toBeUndefined();
    const tunnel = new Wire()
      .client('CONNECT inner:80 HTTP/1.1\r\nHost: inner:80\r\n\r\n')
      .server('HTTP/1.1 200 OK\r\n\r\n')
      .client(get('/inner'))
      .server(ok('in'));
    expect(seen(tunnel)).toEqual([
      ['CONNECT', undefined, 200, undefined],
      ['GET', '/inner', 200, undefined],
    ]);
    expect(unaccounted(tunnel)).toBe(0);
  });

  it('finds messages by their length where only heads are captured', () => {
    const body = 'x'.repeat(100_000);
    const wire = new Wire();
    for (let i = 0; i < 3; i++) wire.client(get(`/${i}`), 40).server(ok(body), 60);
    wire.close();
    expect(seen(wire)).toEqual([0, 1, 2].map((i) => ['GET', `/${i}`, 200, undefined]));
    expect(wire.finished.every((exchange) => exchange.responseBytes > 100_000)).toBe(true);
  });

  it('says when a response never comes', () => {
    const wire = new Wire().client(get('/a')).close('reset');
    expect(seen(wire)).toEqual([['GET', '/a', undefined, 'reset']]);
    const slow = new Wire().client(get('/a'));
    slow.conversation.sweep(slow.time + 60e9, 60e9);
    expect(seen(slow)).toEqual([['GET', '/a', undefined, 'no_response']]);
    slow.server(ok('late')).client(get('/b')).server(ok('b'));
    expect(seen(slow).slice(1)).toEqual([['GET', '/b', 200, undefined]]);
    expect(unaccounted(slow)).toBe(0);
  });

  it('starts in the middle, on either end, and counts what it cannot see', () => {
    const wire = new Wire({ fresh: false })
      .server('rest of a body')
      .client(get('/a'))
      .server(ok('a'))
      .client(get('/b'))
      .server(ok('b'))
      .close();
    expect(seen(wire)).toEqual([
      ['GET', '/a', 200, undefined],
      ['GET', '/b', 200, undefined],
    ]);
    const response = new Wire({ fresh: false }).server(ok('a')).client(get('/b')).server(ok('b'));
    expect(seen(response)).toEqual([['GET', '/b', 200, undefined]]);
    expect(response.counters.of('http1').lost.joined_in_middle).toBe(1);
  });

  it('never pairs across lost bytes', () => {
    const wire = new Wire()
      .client(get('/a'))
      .lose('server', 50)
      .client(get('/b'))
      .server(ok('b'))
      .client(get('/c'))
      .server(ok('c'));
    expect(seen(wire).map(([, path]) => path)).toEqual(['/b', '/c']);
    expect(wire.finished.map(({ responseBytes }) => responseBytes)).toEqual([ok('b').length, ok('c').length]);
    expect(unaccounted(wire)).toBe(0);
    expect(wire.counters.of('http1').lost.not_captured).toBe(1);
    const pipelined = new Wire()
      .client(get('/a') + get('/b') + get('/c'))
      .lose('server', 50)
      .server(ok('b') + ok('c'))
      .client(get('/d'))
      .server(ok('d'));
    expect(seen(pipelined).map(([, path]) => path)).toEqual(['/d']);
    expect(pipelined.counters.of('http1').lost.not_captured).toBe(3);
  });
});
