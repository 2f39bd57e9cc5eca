import { deflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import * as mongo from '../../../helpers/mongo-messages.js';
import { unaccounted, Wire, type WireOptions } from '../../../helpers/wire.js';

const OK = { ok: 1 };
const find = (id: number, collection: string, more: Record<string, mongo.BsonValue> = {}): Buffer =>
  mongo.msg(id, { find: collection, filter: { customer: 'joe' }, ...more, $db: 'shop' });
const batch = (rows: number, cursor = 0n): Record<string, mongo.BsonValue> => ({
  cursor: { firstBatch: Array.from({ length: rows }, (_, i) => ({ _id: i })), id: cursor, ns: 'shop.orders' },
  ok: 1,
});

/** Name and `error.type` of everything that finished. */
const brief = (wire: Wire) => wire.spans().map(({ name, errorType }) => [name, errorType]);

describe('mongodb', () => {
  it('says what a command was', () => {
    const wire = new Wire().client(find(7, 'orders', { limit: 5 })).server(mongo.answer(1, 7, batch(2)));
    expect(wire.spans()).toMatchObject([
      {
        protocol: 'mongodb',
        name: 'find orders',
        kind: 'client',
        errorType: undefined,
        attributes: {
          'db.system.name': 'mongodb',
          'db.namespace': 'shop',
          'db.operation.name': 'find',
          'db.collection.name': 'orders',
          'db.query.summary': 'find orders',
          'db.query.text': '{"find": "orders", "filter": {"customer": ?}, "limit": ?}',
          'db.response.returned_rows': 2,
        },
      },
    ]);
    expect(unaccounted(wire)).toBe(0);
  });

  it.each([1, 3, 7])('reads pieces of %i bytes', (size) => {
    const wire = new Wire();
    const send = (from: 'client' | 'server', bytes: Buffer) => {
      for (let at = 0; at < bytes.length; at += size) wire[from](bytes.subarray(at, at + size));
    };
    send('client', mongo.query(1, 'admin.$cmd', { isMaster: 1, helloOk: true }));
    send('server', mongo.reply(2, 1, { ismaster: true, ok: 1 }));
    send('client', find(3, 'orders'));
    send('server', mongo.answer(4, 3, batch(1)));
    send('client', mongo.msg(5, { drop: 'gone', $db: 'shop' }, { flags: 1 }));
    send('server', mongo.answer(6, 5, { ok: 0, errmsg: 'ns not found', code: 26 }, 1));
    expect(brief(wire)).toEqual([
      ['isMaster admin', undefined],
      ['find orders', undefined],
      ['drop gone', '26'],
    ]);
    expect(wire.spans()[2]!.statusMessage).toBe('ns not found');
    expect(wire.counters.of('mongodb').malformed).toBe(0);
    expect(unaccounted(wire)).toBe(0);
  });

  it('counts what a bulk write brings along, in sections and in arrays', () => {
    const documents = [{ _id: 1 }, { _id: 2 }, { _id: 3 }];
    const wire = new Wire()
      .client(mongo.msg(1, { insert: 'orders', $db: 'shop' }, { sequences: { documents } }))
      .server(mongo.answer(2, 1, { n: 3, ok: 1 }))
      .client(mongo.msg(3, { insert: 'orders', documents, ordered: true, $db: 'shop' }))
      .server(mongo.answer(4, 3, { n: 3, ok: 1 }))
      .client(mongo.msg(5, { insert: 'orders', $db: 'shop' }, { sequences: { documents } }), 100)
      .server(mongo.answer(6, 5, { n: 3, ok: 1 }));
    expect(wire.spans().map(({ attributes }) => attributes['db.operation.batch.size'])).toEqual([
      3,
      3,
      undefined,
    ]);
    expect(wire.spans()[1]!.attributes['db.query.text']).toBe(
      '{"insert": "orders", "documents": [{"_id": ?}, ...], "ordered": ?}',
    );
  });

  it('tells errors of writes from success', () => {
    const duplicate = {
      n: 0,
      writeErrors: [
        {
          index: 0,
          code: 11_000,
          errmsg: 'E11000 duplicate key error collection: shop.orders index: a dup key: { a: "x" }',
        },
      ],
      ok: 1,
    };
    const late = {
      n: 1,
      writeConcernError: { code: 64, errmsg: 'waiting for replication timed out' },
      ok: 1,
    };
    const talk = (options: WireOptions) =>
      new Wire(options)
        .client(mongo.msg(1, { insert: 'orders', $db: 'shop' }))
        .server(mongo.answer(2, 1, duplicate))
        .client(mongo.msg(3, { insert: 'orders', $db: 'shop' }))
        .server(mongo.answer(4, 3, late))
        .client(mongo.msg(5, { insert: 'orders', $db: 'shop' }))
        .server(mongo.answer(6, 5, { ok: 0, errmsg: 'no code' }));
    const wire = talk({});
    expect(brief(wire).map(([, error]) => error)).toEqual(['11000', '64', '_OTHER']);
    expect(wire.spans()[0]!.statusMessage).toBe(
      'E11000 duplicate key error collection: shop.orders index: a dup key: {...}',
    );
    expect(wire.spans()[0]!.attributes['db.response.status_code']).toBe('11000');
    expect(wire.spans()[2]!.attributes['db.response.status_code']).toBeUndefined();
    expect(talk({ options: { queryText: 'full' } }).spans()[0]!.statusMessage).toContain('"x"');
  });

  it('does not wait for an answer that was not asked for', () => {
    const wire = new Wire()
      .client(mongo.msg(1, { insert: 'log', $db: 'shop' }, { flags: 2 }))
      .client(find(2, 'orders'))
      .server(mongo.answer(3, 2, batch(0)));
    expect(brief(wire)).toEqual([
      ['insert log', undefined],
      ['find orders', undefined],
    ]);
    expect(wire.conversation.held).toBe(0);
    expect(unaccounted(wire)).toBe(0);
  });

  it('follows a stream of answers to its end', () => {
    const wire = new Wire()
      .client(
        mongo.msg(
          1,
          { hello: 1, topologyVersion: { counter: 1n }, maxAwaitTimeMS: 10_000, $db: 'admin' },
          {
            flags: 0x1_0000,
          },
        ),
      )
      .server(mongo.answer(50, 1, OK, 2))
      .server(mongo.answer(51, 50, OK, 2))
      .server(mongo.answer(52, 51, OK))
      .client(find(2, 'orders'))
      .server(mongo.answer(53, 2, batch(0)));
    expect(brief(wire)).toEqual([
      ['hello admin', undefined],
      ['find orders', undefined],
    ]);
    expect(wire.finished[0]!.waiting).toBe(true);
    expect(wire.finished[0]!.responseBytes).toBe(3 * mongo.answer(50, 1, OK).length);
    expect(wire.spans()[0]!.attributes['db.query.text']).toBeUndefined();
    expect(unaccounted(wire)).toBe(0);
  });

  it('knows which cursors wait', () => {
    const more = (id: number, cursor: bigint) =>
      mongo.msg(id, { getMore: cursor, collection: 'orders', $db: 'shop' });
    const rest = { cursor: { nextBatch: [], id: 5n, ns: 'shop.orders' }, ok: 1 };
    const wire = new Wire()
      .client(find(1, 'orders'))
      .server(mongo.answer(2, 1, batch(1, 4n)))
      .client(more(3, 4n))
      .server(mongo.answer(4, 3, rest))
      .client(
        mongo.msg(5, { aggregate: 'orders', pipeline: [{ $changeStream: {} }], cursor: {}, $db: 'shop' }),
      )
      .server(mongo.answer(6, 5, batch(0, 5n)))
      .client(more(7, 5n))
      .server(mongo.answer(8, 7, rest))
      .client(more(9, 5n))
      .close();
    expect(wire.finished.map(({ waiting }) => waiting)).toEqual([false, false, false, true, true]);
    expect(brief(wire)[4]).toEqual(['getMore orders', undefined]);
    expect(unaccounted(wire)).toBe(0);
  });

  it('reads what zlib has compressed, and notes the rest', () => {
    const body = mongo.msgBody({ find: 'orders', filter: { a: 1 }, $db: 'shop' });
    const reply = mongo.msgBody({ ok: 0, errmsg: 'not authorized', code: 13 });
    const wire = new Wire()
      .client(mongo.compressed(1, 0, 2, body.length, deflateSync(body)))
      .server(mongo.compressed(2, 1, 2, reply.length, deflateSync(reply)))
      .client(mongo.compressed(3, 0, 0, body.length, body))
      .server(mongo.compressed(4, 3, 0, reply.length, reply))
      .client(mongo.compressed(5, 0, 1, body.length, Buffer.from('snappy is not read')))
      .server(mongo.compressed(6, 5, 1, reply.length, Buffer.from('nor its answer')));
    expect(brief(wire)).toEqual([
      ['find orders', '13'],
      ['find orders', '13'],
      ['mongodb', undefined],
    ]);
    expect(wire.spans().map(({ attributes }) => attributes['kindling.compression'])).toEqual([
      'zlib',
      undefined,
      'snappy',
    ]);
    expect(unaccounted(wire)).toBe(0);
  });

  it('shows nothing of who logs in', () => {
    const login = (options: WireOptions) =>
      new Wire(options)
        .client(mongo.msg(1, { saslStart: 1, mechanism: 'PLAIN', payload: 'secret', $db: '$external' }))
        .server(mongo.answer(2, 1, { ok: 0, errmsg: 'Authentication failed.', code: 18 }))
        .spans()[0]!;
    expect(login({})).toMatchObject({ name: 'saslStart $external', errorType: '18' });
    expect(JSON.stringify(login({ options: { queryText: 'full' } }))).not.toContain('secret');
  });

  it('understands the messages of old drivers', () => {
    const insert = mongo.message(
      1,
      0,
      2002,
      Buffer.concat([mongo.i32(0), Buffer.from('shop.orders\0'), mongo.bson({ _id: 1 })]),
    );
    const wire = new Wire()
      .client(insert)
      .client(mongo.query(2, 'shop.orders', { customer: 'joe' }))
      .server(mongo.reply(3, 2, { _id: 1 }, { _id: 2 }))
      .client(mongo.query(4, 'shop.orders', { $where: 'bad' }))
      .server(mongo.reply(5, 4, { $err: 'failed', code: 17_287 }));
    expect(brief(wire)).toEqual([
      ['insert orders', undefined],
      ['find orders', undefined],
      ['find orders', '17287'],
    ]);
    expect(wire.spans()[1]!.attributes['db.response.returned_rows']).toBe(2);
  });

  it('joins in the middle and goes on after lost bytes', () => {
    const wire = new Wire({ fresh: false })
      .server(mongo.answer(2, 1, batch(3)).subarray(30))
      .client(find(3, 'orders'))
      .server(mongo.answer(4, 3, batch(1)))
      .client(find(5, 'lost'))
      .lose('server', mongo.answer(6, 5, batch(1)).length)
      .client(find(7, 'items'))
      .server(mongo.answer(8, 7, batch(1)), 40)
      .close();
    expect(brief(wire)).toEqual([
      ['find orders', undefined],
      ['find items', undefined],
      ['find lost', 'no_response'],
    ]);
    expect(unaccounted(wire)).toBe(0);
  });
});
