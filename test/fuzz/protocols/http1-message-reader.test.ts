import { expect, it } from 'vitest';
import { requestFraming, responseFraming } from '../../../src/protocols/http1/framing.js';
import { HeadParser } from '../../../src/protocols/http1/head-parser.js';
import { MessageReader } from '../../../src/protocols/http1/message-reader.js';
import { seededRandom } from '../../helpers/random.js';

const SEEDS = [
  'GET /a?b=c HTTP/1.1\r\nHost: a\r\ntraceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n\r\n',
  'POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
  'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n',
];

it('survives any bytes in any pieces, and always gets on', () => {
  const random = seededRandom(7);
  const below = (limit: number) => Math.floor(random() * limit);
  const parser = new HeadParser();
  let heads = 0;
  for (let round = 0; round < 30_000; round++) {
    const request = random() < 0.5;
    const reader = new MessageReader(parser, request);
    const text = Buffer.from(
      Array.from({ length: 1 + below(3) }, () => SEEDS[below(SEEDS.length)]).join(''),
      'latin1',
    );
    for (let flips = below(6); flips > 0; flips--) text[below(text.length)] = below(256);
    for (let at = 0; at < text.length; ) {
      const end = Math.min(text.length, at + 1 + below(80));
      const unseen = random() < 0.2;
      for (let turns = 0; at < end; turns++) {
        const before = at;
        at = unseen ? at + reader.skip(end - at) : reader.read(text, at, end);
        const { event } = reader;
        expect(at).toBeGreaterThanOrEqual(before);
        expect(at).toBeLessThanOrEqual(end);
        if (event === 'head' || event === 'head_cut') {
          heads++;
          const framing = request ? requestFraming(reader.head) : responseFraming(reader.head, 'GET');
          reader.startBody(event === 'head_cut' ? 'unknown' : framing, reader.head.contentLength);
        } else if (event === 'lost_start' || event === 'malformed') {
          expect(reader.lost).toBe(true);
          if (random() < 0.5) reader.reset();
        }
        expect(turns).toBeLessThan(200);
      }
      if (end >= 8) reader.operationEnd(text, end - 8);
    }
  }
  expect(heads).toBeGreaterThan(10_000);
});
