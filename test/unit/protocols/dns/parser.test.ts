import { createSocket, type RemoteInfo } from 'node:dgram';
import { Resolver } from 'node:dns/promises';
import { describe, expect, it } from 'vitest';
import { unaccounted, Wire } from '../../../helpers/wire.js';

const name = (text: string) =>
  Buffer.concat([
    ...text.split('.').map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)])),
    Buffer.from([0]),
  ]);
const words = (...values: number[]) => {
  const bytes = Buffer.alloc(2 * values.length);
  for (const [i, value] of values.entries()) bytes.writeUInt16BE(value, 2 * i);
  return bytes;
};
const query = (id: number, text: string, type = 1) =>
  Buffer.concat([words(id, 0x0100, 1, 0, 0, 0), name(text), words(type, 1)]);
const answer = (id: number, text: string, type: number, rcode: number, ...data: Buffer[]) =>
  Buffer.concat([
    words(id, 0x8180 | rcode, 1, data.length, 0, 0),
    name(text),
    words(type, 1),
    ...data.map((bytes) => Buffer.concat([words(0xc00c, type, 1, 0, 60, bytes.length), bytes])),
  ]);
const framed = (bytes: Buffer) => Buffer.concat([words(bytes.length), bytes]);
const seen = (wire: Wire) =>
  wire
    .spans()
    .map(({ name: span, errorType, attributes }) => [
      span,
      attributes['dns.question.name'],
      attributes['dns.answers'],
      errorType,
    ]);

describe('DnsParser', () => {
  it('finds answers by id, of any type', () => {
    const wire = new Wire({ transport: 'udp' })
      .client(query(1, 'shop.test'))
      .client(query(2, 'shop.test', 28))
      .server(answer(2, 'shop.test', 28, 0, Buffer.from('fd000000000000000000000000000001', 'hex')))
      .server(answer(1, 'shop.test', 1, 0, Buffer.from([10, 0, 0, 1]), Buffer.from([10, 0, 0, 2])))
      .client(query(3, 'shop.test', 15))
      .server(answer(3, 'shop.test', 15, 0, Buffer.concat([words(10), name('mx.test')])))
      .client(query(4, '_x._tcp.test', 33))
      .server(answer(4, '_x._tcp.test', 33, 0, Buffer.concat([words(1, 2, 443), name('a.test')])))
      .client(query(5, 'shop.test', 16))
      .server(answer(5, 'shop.test', 16, 0, Buffer.from('\x02ab\x01c')));
    expect(seen(wire)).toEqual([
      ['DNS AAAA', 'shop.test', ['fd00::1'], undefined],
      ['DNS A', 'shop.test', ['10.0.0.1', '10.0.0.2'], undefined],
      ['DNS MX', 'shop.test', ['10 mx.test'], undefined],
      ['DNS SRV', '_x._tcp.test', ['1 2 443 a.test'], undefined],
      ['DNS TXT', 'shop.test', ['abc'], undefined],
    ]);
    expect(unaccounted(wire)).toBe(0);
  });

  it('says what went wrong, and counts a repeated query once', () => {
    const wire = new Wire({ transport: 'udp' })
      .client(query(1, 'no.test'))
      .client(query(1, 'no.test'))
      .server(answer(1, 'no.test', 1, 3))
      .client(query(2, 'slow.test'))
      .close();
    expect(seen(wire)).toEqual([
      ['DNS A', 'no.test', undefined, 'NXDOMAIN'],
      ['DNS A', 'slow.test', undefined, 'no_response'],
    ]);
    expect(wire.finished[0]).toMatchObject({ requestStart: 2e6, responseEnd: 4e6 });
  });

  it.each([1, 7, 4096])('reads TCP in pieces of %i', (size) => {
    const wire = new Wire();
    const queries = Buffer.concat([framed(query(1, 'a.test')), framed(query(2, 'b.test'))]);
    const answers = Buffer.concat([
      framed(answer(2, 'b.test', 1, 0, Buffer.from([1, 2, 3, 4]))),
      framed(answer(1, 'a.test', 1, 5)),
    ]);
    for (let at = 0; at < queries.length; at += size) wire.client(queries.subarray(at, at + size));
    for (let at = 0; at < answers.length; at += size) wire.server(answers.subarray(at, at + size));
    expect(seen(wire)).toEqual([
      ['DNS A', 'b.test', ['1.2.3.4'], undefined],
      ['DNS A', 'a.test', undefined, 'REFUSED'],
    ]);
  });

  it('joined at a response, finds the ends by content', () => {
    const wire = new Wire({ transport: 'udp', fresh: false })
      .server(answer(9, 'a.test', 1, 0, Buffer.from([1, 2, 3, 4])))
      .client(query(1, 'a.test'))
      .server(answer(1, 'a.test', 1, 0, Buffer.from([1, 2, 3, 4])));
    expect(seen(wire)).toEqual([['DNS A', 'a.test', ['1.2.3.4'], undefined]]);
    expect(wire.counters.of('dns').lost.joined_in_middle).toBe(1);
  });

  it('reads what the resolver of c-ares asks', async () => {
    const wire = new Wire({ transport: 'udp' });
    const server = createSocket('udp4');
    server.on('message', (bytes: Buffer, peer: RemoteInfo) => {
      wire.client(bytes);
      const reply = answer(bytes.readUInt16BE(0), 'real.test', 1, 0, Buffer.from([10, 9, 8, 7]));
      wire.server(reply);
      server.send(reply, peer.port, peer.address);
    });
    await new Promise<void>((resolve) => server.bind(0, '127.0.0.1', resolve));
    const resolver = new Resolver();
    resolver.setServers([`127.0.0.1:${server.address().port}`]);
    expect(await resolver.resolve4('real.test')).toEqual(['10.9.8.7']);
    await new Promise<void>((resolve) => server.close(() => resolve()));
    expect(seen(wire)).toEqual([['DNS A', 'real.test', ['10.9.8.7'], undefined]]);
  });
});
