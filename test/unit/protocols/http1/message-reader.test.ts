import { describe, expect, it } from 'vitest';
import { requestFraming, responseFraming } from '../../../../src/protocols/http1/framing.js';
import { HeadParser } from '../../../../src/protocols/http1/head-parser.js';
import { MessageReader } from '../../../../src/protocols/http1/message-reader.js';

/** Feeds pieces (text: captured, number: bytes that exist but were not captured) and logs what the reader says. */
function follow(pieces: readonly (string | number)[], request: boolean, method = 'GET'): string[] {
  const reader = new MessageReader(new HeadParser(), request);
  const log: string[] = [];
  const handle = (): void => {
    const { event, head } = reader;
    if (event === 'none') return;
    if (event !== 'head' && event !== 'head_cut') {
      log.push(event);
      return;
    }
    const framing = request ? requestFraming(head) : responseFraming(head, method);
    log.push(`${event} ${request ? `${head.method} ${head.path}` : head.statusCode} ${framing}`);
    reader.startBody(event === 'head_cut' ? 'unknown' : framing, head.contentLength);
  };
  for (const piece of pieces) {
    if (typeof piece === 'number') {
      for (let left = piece; left > 0; ) {
        left -= reader.skip(left);
        handle();
      }
      continue;
    }
    const bytes = Buffer.from(piece, 'latin1');
    for (let at = 0; at < bytes.length; ) {
      at = reader.read(bytes, at, bytes.length);
      handle();
    }
    const tail = Buffer.alloc(8);
    bytes.subarray(-8).copy(tail, 8 - Math.min(8, bytes.length));
    reader.operationEnd(tail, 0);
    handle();
  }
  return log;
}

const asRequest = (...pieces: (string | number)[]) => follow(pieces, true);
const asResponse = (...pieces: (string | number)[]) => follow(pieces, false);

describe('MessageReader', () => {
  it('reads a request without a body, with and without CR', () => {
    expect(asRequest('GET / HTTP/1.1\r\nHost: a\r\n\r\n')).toEqual(['head GET / none']);
    expect(asRequest('GET / HTTP/1.0\n\n')).toEqual(['head GET / none']);
  });

  it('takes any token as a method and ignores empty lines before it', () => {
    expect(asRequest('\r\n\r\nM-SEARCH * HTTP/1.1\r\n\r\n')).toEqual(['head M-SEARCH * none']);
  });

  it('reads heads cut anywhere', () => {
    const text = 'POST /a?b=c HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc';
    for (let cut = 1; cut < text.length; cut++) {
      expect(asRequest(text.slice(0, cut), text.slice(cut))).toEqual(['head POST /a length', 'end']);
    }
    expect(asRequest(...text)).toEqual(['head POST /a length', 'end']);
  });

  it('counts a body that is partly or not at all visible', () => {
    const head = 'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n';
    expect(asResponse(head, 1000)).toEqual(['head 200 length', 'end']);
    expect(asResponse(`${head}abc`, 990, 'seven77')).toEqual(['head 200 length', 'end']);
    expect(asResponse(head, 999)).toEqual(['head 200 length']);
  });

  it('follows chunks, extensions and trailers, cut anywhere', () => {
    const body = '4;name=x\r\nWiki\r\nA\r\n0123456789\r\n0\r\nTrailer: t\r\n\r\n';
    const text = `HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n${body}`;
    for (let cut = 1; cut < text.length; cut++) {
      expect(asResponse(text.slice(0, cut), text.slice(cut))).toEqual(['head 200 chunked', 'end']);
    }
  });

  it('finds the end of chunks it lost track of by the end of an operation', () => {
    const head = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';
    expect(asResponse(head, 5000)).toEqual(['head 200 chunked']);
    expect(asResponse(head, 5000, 'rest\r\n0\r\n\r\n')).toEqual(['head 200 chunked', 'end']);
    expect(asResponse(head, 5000, '0\r\n\r\n')).toEqual(['head 200 chunked', 'end']);
    expect(asResponse(head, 5000, 'x0\r\n\r\n')).toEqual(['head 200 chunked']);
    expect(asResponse(`${head}3e8\r\n`, 1002, '0\r\n\r\n')).toEqual(['head 200 chunked', 'end']);
  });

  it('frames by RFC 9112 section 6.3', () => {
    expect(asResponse('HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n')).toEqual(['head 304 none']);
    expect(asResponse('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')).toEqual([
      'head 100 interim',
      'head 200 none',
    ]);
    expect(follow(['HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n'], false, 'HEAD')).toEqual([
      'head 200 none',
    ]);
    expect(follow(['HTTP/1.1 200 OK\r\n\r\n'], false, 'CONNECT')).toEqual(['head 200 tunnel']);
    expect(asResponse('HTTP/1.1 200 OK\r\n\r\nuntil the end')).toEqual(['head 200 close']);
    expect(asRequest('POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n')).toEqual([
      'head POST / unknown',
    ]);
    expect(asRequest('POST / HTTP/1.1\r\nContent-Length: 2, 2\r\n\r\nab')).toEqual([
      'head POST / length',
      'end',
    ]);
  });

  it('keeps what it saw of a head that was cut', () => {
    expect(asRequest('GET /x HTTP/1.1\r\nCookie: aa', 500)).toEqual(['head_cut GET /x none']);
    expect(asRequest('GET /x', 500)).toEqual(['lost_start']);
    expect(asRequest(10)).toEqual(['lost_start']);
  });

  it('says when it is not HTTP', () => {
    expect(asRequest('\x16\x03\x01\x02\x00\r\n')).toEqual(['malformed']);
    expect(asRequest('GET / HTTP/2.0\r\n\r\n')).toEqual(['malformed']);
    expect(asResponse('HTTP/1.1 xyz\r\n\r\n')).toEqual(['malformed']);
  });
});
