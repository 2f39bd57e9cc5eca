import { describe, expect, it } from 'vitest';
import { HeadParser } from '../../../../src/protocols/http1/head-parser.js';
import { isProbableRequest, startKind } from '../../../../src/protocols/http1/start-line.js';
import { readWireContext } from '../../../../src/protocols/trace-context/carriers.js';

const parse = (text: string, request = true) => {
  const parser = new HeadParser();
  const bytes = Buffer.from(text, 'latin1');
  return { result: parser.parse(bytes, 0, bytes.length, request), head: parser.head, end: parser.end };
};

const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

describe('HeadParser', () => {
  it('reads the headers that matter, whatever their case', () => {
    const { result, head, end } = parse(
      `POST /p/a%20th?q=1&r=/?x HTTP/1.1\r\nHOST:  shop.test \r\nuser-agent: A B/1\r\nCONTENT-length: 12\r\nExpect: 100-Continue\r\nConnection: keep-alive, Close\r\nUpgrade: h2c\r\nTraceParent: ${TRACEPARENT}\r\ntracestate: a=1\r\n\r\nbody`,
    );
    expect(result).toBe('done');
    expect(end).toBeGreaterThan(0);
    expect(head).toMatchObject({
      method: 'POST',
      path: '/p/a%20th',
      query: 'q=1&r=/?x',
      minorVersion: 1,
      host: 'shop.test',
      userAgent: 'A B/1',
      contentLength: 12,
      expectContinue: true,
      connectionClose: true,
      upgrade: 'h2c',
    });
    expect(readWireContext(head.contextValues)).toEqual({
      traceId: '0af7651916cd43dd8448eb211c80319c',
      spanId: 'b7ad6b7169203331',
      sampled: true,
      carrier: 'traceparent',
      state: 'a=1',
    });
  });

  it('keeps nothing of the message before', () => {
    const parser = new HeadParser();
    const first = Buffer.from(`GET /a?x HTTP/1.1\r\nHost: a\r\ntraceparent: ${TRACEPARENT}\r\n\r\n`);
    const second = Buffer.from('GET /b HTTP/1.0\r\n\r\n');
    parser.parse(first, 0, first.length, true);
    parser.parse(second, 0, second.length, true);
    expect(parser.head).toMatchObject({ path: '/b', query: undefined, host: undefined, minorVersion: 0 });
    expect(readWireContext(parser.head.contextValues)).toBeUndefined();
  });

  it('does not take a longer header for a shorter one', () => {
    const { head } = parse('GET / HTTP/1.1\r\nHostess: a\r\nContent-Length-X: 5\r\nHost : b\r\n\r\n');
    expect(head).toMatchObject({ host: undefined, contentLength: -1 });
  });

  it('refuses a line that is no start line', () => {
    for (const line of [
      'GET',
      'GET /',
      'GET / HTTP/1',
      'GET  HTTP/1.1',
      ' GET / HTTP/1.1',
      'GET /a b HTTP/1.1',
    ]) {
      expect([line, parse(`${line}\r\n\r\n`).result]).toEqual([line, 'malformed']);
    }
    for (const line of ['HTTP/1.1 20', 'HTTP/1.1 2000 x', 'HTTP/2 200 OK', 'HTTP/1.1 099 x']) {
      expect([line, parse(`${line}\r\n\r\n`, false).result]).toEqual([line, 'malformed']);
    }
  });

  it('gives up on a head that never ends', () => {
    const parser = new HeadParser();
    const start = Buffer.from('GET / HTTP/1.1\r\n');
    expect(parser.parse(start, 0, start.length, true)).toBe('more');
    const carry = parser.carry(start, 0, start.length, true);
    const header = Buffer.from('X-Filler: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n');
    let result = 'more';
    for (let i = 0; i < 3000 && result === 'more'; i++)
      result = parser.resume(carry, header, 0, header.length, true);
    expect(result).toBe('malformed');
    expect(carry.bytes.length).toBeLessThanOrEqual(64 * 1024);
  });
});

describe('W3C trace context', () => {
  const context = (value: string) =>
    parse(`GET / HTTP/1.1\r\ntraceparent: ${value}\r\n\r\n`).head.contextValues;

  it('reads later versions by their first 55 characters', () => {
    const later = `01${TRACEPARENT.slice(2)}-more`;
    expect(readWireContext(context(later))?.spanId).toBe('b7ad6b7169203331');
  });

  it('refuses what the specification calls invalid', () => {
    const zeros = (count: number) => '0'.repeat(count);
    for (const value of [
      TRACEPARENT.toUpperCase(),
      `ff${TRACEPARENT.slice(2)}`,
      `${TRACEPARENT}-more`,
      TRACEPARENT.slice(0, 54),
      `00-${zeros(32)}-b7ad6b7169203331-01`,
      `00-0af7651916cd43dd8448eb211c80319c-${zeros(16)}-01`,
      '',
    ]) {
      expect([value, readWireContext(context(value))]).toEqual([value, undefined]);
    }
  });

  it('believes none of two', () => {
    const { head } = parse(
      `GET / HTTP/1.1\r\ntraceparent: ${TRACEPARENT}\r\ntraceparent: ${TRACEPARENT}\r\n\r\n`,
    );
    expect(readWireContext(head.contextValues)).toBeUndefined();
  });
});

describe('startKind', () => {
  const kind = (text: string) => startKind(Buffer.from(text, 'latin1'), 0, text.length);

  it('recognizes start lines by content', () => {
    expect(kind('GET / HTTP/1.1\r\n')).toBe('request');
    expect(kind('BREW /pot HTTP/1.0\n')).toBe('request');
    expect(kind('HTTP/1.1 200')).toBe('response');
  });

  it('is undecided about every beginning of one', () => {
    for (const line of ['DELETE /things/1?x HTTP/1.1', 'HTTP/1.1 20']) {
      for (let length = 0; length <= line.length; length++) {
        expect([line.slice(0, length), kind(line.slice(0, length))]).toEqual([
          line.slice(0, length),
          'undecided',
        ]);
      }
    }
    expect(isProbableRequest(Buffer.from('GET /lo'), 0, 7)).toBe(true);
    expect(isProbableRequest(Buffer.from('XYZ /lo'), 0, 7)).toBe(false);
  });

  it('tells other protocols', () => {
    for (const other of [
      '\x16\x03\x01',
      '*1\r\n$4\r\n',
      'SSH-2.0-x\r\n',
      'get key\r\n',
      'PRI * HTTP/2.0\r\n',
      '\0\0\0\x08',
    ]) {
      expect([other, kind(other)]).toEqual([other, 'other']);
    }
  });
});
