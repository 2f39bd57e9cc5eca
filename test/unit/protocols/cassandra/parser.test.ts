import { describe, expect, it } from 'vitest';
import { decompressLz4 } from '../../../../src/protocols/cassandra/lz4.js';
import * as cql from '../../../helpers/cql-messages.js';
import { unaccounted, Wire } from '../../../helpers/wire.js';

const { OP } = cql;
const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const SELECT = "SELECT id FROM shop.orders WHERE customer = 'joe'";

/** Name and `error.type` of everything that finished. */
const brief = (wire: Wire) => wire.spans().map(({ name, errorType }) => [name, errorType]);

const setUp = (version: number, options: Record<string, string> = {}): Wire =>
  new Wire()
    .client(cql.request(0, OP.startup, cql.startup(options), 0, version))
    .server(cql.response(0, OP.ready, undefined, 0, version));

describe('cassandra', () => {
  it('says what a query was', () => {
    const wire = new Wire()
      .client(cql.request(0, OP.options))
      .server(cql.response(0, OP.supported, cql.i16(0)))
      .client(cql.request(1, OP.query, cql.query(SELECT)))
      .server(cql.response(1, OP.result, cql.rows(3)));
    expect(wire.spans()[1]).toMatchObject({
      protocol: 'cassandra',
      name: 'SELECT shop.orders',
      kind: 'client',
      errorType: undefined,
      attributes: {
        'db.system.name': 'cassandra',
        'db.operation.name': 'SELECT',
        'db.collection.name': 'shop.orders',
        'db.query.text': 'SELECT id FROM shop.orders WHERE customer = ?',
        'db.response.returned_rows': 3,
        'cassandra.consistency.level': 'local_quorum',
        'cassandra.page.size': 5000,
      },
    });
    expect(unaccounted(wire)).toBe(0);
  });

  it.each([1, 3, 7])('reads pieces of %i bytes', (size) => {
    const wire = new Wire();
    const send = (from: 'client' | 'server', bytes: Buffer) => {
      for (let at = 0; at < bytes.length; at += size) wire[from](bytes.subarray(at, at + size));
    };
    send('client', cql.request(0, OP.startup, cql.startup(), 0, 5));
    send('server', cql.response(0, OP.ready, undefined, 0, 5));
    send('client', cql.segment(cql.request(1, OP.query, cql.query(SELECT, 1, 5), 0, 5)));
    send('server', cql.segment(cql.response(1, OP.error, cql.error(0x2200, "no table 'orders'"), 0, 5)));
    expect(brief(wire)).toEqual([
      ['STARTUP', undefined],
      ['SELECT shop.orders', '0x2200'],
    ]);
    expect(wire.spans()[1]!.attributes['db.response.status_code']).toBe('0x2200');
    expect(wire.spans()[1]!.statusMessage).toContain('orders');
    expect(wire.counters.of('cassandra').malformed).toBe(0);
    expect(unaccounted(wire)).toBe(0);
  });

  it('maps prepared statements to their text, on every connection', () => {
    setUp(4)
      .client(cql.request(1, OP.prepare, cql.longText('INSERT INTO shop.items (id) VALUES (?)')))
      .server(cql.response(1, OP.result, cql.prepared('beef01')));
    const run = Buffer.concat([cql.id('beef01'), cql.parameters(1, ['x'])]);
    const unknown = Buffer.concat([cql.id('dead'), cql.parameters(1)]);
    const wire = setUp(4)
      .client(cql.request(1, OP.execute, run))
      .client(cql.request(2, OP.execute, unknown))
      .server(cql.response(2, OP.error, cql.error(0x2500, 'unprepared')))
      .server(cql.response(1, OP.result, cql.VOID));
    expect(brief(wire).slice(1)).toEqual([
      ['EXECUTE', '0x2500'],
      ['INSERT shop.items', undefined],
    ]);
    expect(wire.spans()[2]!.attributes).toMatchObject({
      'db.query.text': 'INSERT INTO shop.items (id) VALUES (?)',
      'cassandra.consistency.level': 'one',
    });
    expect(unaccounted(wire)).toBe(0);
  });

  it('reads batches', () => {
    const batch = Buffer.concat([
      Buffer.from([0]),
      cql.i16(2),
      Buffer.from([0]),
      cql.longText('DELETE FROM shop.orders WHERE id = 7'),
      cql.i16(0),
      Buffer.from([0]),
      cql.longText('UPDATE shop.items SET a = ?'),
      cql.i16(1),
      cql.longText('v'),
      cql.i16(4),
      Buffer.from([0]),
    ]);
    const wire = setUp(4)
      .client(cql.request(1, OP.batch, batch))
      .server(cql.response(1, OP.result, cql.VOID));
    expect(wire.spans()[1]).toMatchObject({
      name: 'DELETE shop.orders UPDATE shop.items',
      attributes: { 'db.operation.batch.size': 2, 'cassandra.consistency.level': 'quorum' },
    });
    expect(wire.spans()[1]!.attributes['db.query.text']).not.toContain('7');
  });

  it('knows the keyspace from when it is used', () => {
    const wire = setUp(4)
      .client(cql.request(1, OP.query, cql.query('USE shop')))
      .server(cql.response(1, OP.result, cql.keyspace('shop')))
      .client(cql.request(1, OP.query, cql.query('SELECT a FROM orders')))
      .server(cql.response(1, OP.result, cql.rows(0)));
    expect(wire.spans().map(({ attributes }) => attributes['db.namespace'])).toEqual([
      undefined,
      undefined,
      'shop',
    ]);
  });

  it('finds a trace context in the custom payload and in comments', () => {
    const payload = Buffer.concat([cql.i16(1), cql.text('traceparent'), cql.longText(TRACEPARENT)]);
    const wire = setUp(4)
      .client(cql.request(1, OP.query, Buffer.concat([payload, cql.query('SELECT a FROM t')]), 4))
      .server(cql.response(1, OP.result, cql.rows(1)))
      .client(cql.request(1, OP.query, cql.query(`SELECT a FROM t /*traceparent='${TRACEPARENT}'*/`)))
      .server(cql.response(1, OP.result, cql.rows(1)));
    expect(wire.finished.slice(1).map(({ context }) => context?.carrier)).toEqual([
      'traceparent',
      'sqlcommenter',
    ]);
    expect(brief(wire)[1]).toEqual(['SELECT t', undefined]);
  });

  it('undoes LZ4, and passes over snappy', () => {
    const body = cql.query('SELECT a FROM t');
    const packed = Buffer.concat([cql.i32(body.length), cql.lz4(body)]);
    const wire = setUp(4, { COMPRESSION: 'lz4' })
      .client(cql.request(1, OP.query, packed, 1))
      .server(cql.response(1, OP.result, cql.VOID));
    expect(brief(wire)[1]).toEqual(['SELECT t', undefined]);
    expect(wire.spans()[1]!.attributes['kindling.compression']).toBe('lz4');
    const framed = setUp(5, { COMPRESSION: 'lz4' })
      .client(cql.lz4Segment(cql.request(1, OP.query, cql.query(SELECT, 1, 5), 0, 5)))
      .server(cql.lz4Segment(cql.response(1, OP.result, cql.rows(2), 0, 5)));
    expect(brief(framed)[1]).toEqual(['SELECT shop.orders', undefined]);
    expect(framed.spans()[1]!.attributes['db.response.returned_rows']).toBe(2);
    const snappy = setUp(4, { COMPRESSION: 'snappy' })
      .client(cql.request(1, OP.query, Buffer.from('whatever this is'), 1))
      .server(cql.response(1, OP.result, Buffer.from('and this'), 1));
    expect(brief(snappy)[1]).toEqual(['QUERY', undefined]);
    // The example of the format's description: literals, then a match that overlaps what it makes.
    const block = Buffer.from([0x32, 0x61, 0x62, 0x63, 0x03, 0x00, 0x10, 0x21]);
    expect(decompressLz4(block, 0, block.length, 64).toString()).toBe('abcabcabc!');
    expect(decompressLz4(block, 0, 4, 64).toString()).toBe('abc');
    expect(decompressLz4(block, 0, block.length, 5).toString()).toBe('abcab');
  });

  it('reads messages of version 5 that share a frame or are spread over several', () => {
    const one = cql.request(1, OP.query, cql.query('SELECT a FROM one', 1, 5), 0, 5);
    const two = cql.request(
      2,
      OP.query,
      cql.query(`SELECT a FROM two WHERE b = '${'x'.repeat(500)}'`, 1, 5),
      0,
      5,
    );
    const wire = setUp(5)
      .client(cql.segment(one))
      .client(
        Buffer.concat([cql.segment(two.subarray(0, 300), false), cql.segment(two.subarray(300), false)]),
      )
      .server(
        cql.segment(
          Buffer.concat([
            cql.response(2, OP.result, cql.VOID, 0, 5),
            cql.response(-1, OP.event, cql.text('STATUS_CHANGE'), 0, 5),
            cql.response(1, OP.result, cql.VOID, 0, 5),
          ]),
        ),
      );
    expect(brief(wire).slice(1)).toEqual([
      ['SELECT two', undefined],
      ['SELECT one', undefined],
    ]);
    expect(unaccounted(wire)).toBe(0);
  });

  it('joins frames of version 5 in the middle, and goes on after lost bytes', () => {
    const ask = (stream: number, table: string) =>
      cql.segment(cql.request(stream, OP.query, cql.query(`SELECT a FROM ${table}`, 1, 5), 0, 5));
    const reply = (stream: number) => cql.segment(cql.response(stream, OP.result, cql.VOID, 0, 5));
    const wire = new Wire({ fresh: false });
    wire.conversation.localIsClient = true;
    wire.client(ask(1, 'one')).server(reply(1)).client(ask(2, 'two')).lose('server', reply(2).length);
    wire.client(ask(3, 'three')).server(reply(3));
    wire.client(ask(2, 'four')).server(reply(2), 20).close();
    expect(brief(wire)).toEqual([
      ['SELECT one', undefined],
      ['SELECT three', undefined],
      ['SELECT four', undefined],
    ]);
    expect(wire.counters.of('cassandra').lost.not_captured).toBe(1);
    expect(unaccounted(wire)).toBe(0);
  });
});
