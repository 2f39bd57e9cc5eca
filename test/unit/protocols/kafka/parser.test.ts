import { describe, expect, it } from 'vitest';
import * as kafka from '../../../helpers/kafka-messages.js';
import { unaccounted, Wire, type WireOptions } from '../../../helpers/wire.js';

const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const ONE = kafka.batch([{}]);

const started = (options: WireOptions = {}): Wire =>
  new Wire(options).client(kafka.apiVersions(0, 0)).server(kafka.response(0, [kafka.i16(0), kafka.list()]));

/** Name and `error.type` of everything that finished. */
const brief = (wire: Wire) => wire.spans().map(({ name, errorType }) => [name, errorType]);

describe('kafka', () => {
  it('says what was sent where, in whose trace', () => {
    const batch = kafka.batch([
      { value: 'a'.repeat(300), headers: { other: 'x', traceparent: TRACEPARENT } },
      { value: 'b' },
    ]);
    const wire = new Wire()
      .client(kafka.produce(7, { orders: [[3, batch]] }))
      .server(kafka.produced(7, 'orders', 3));
    expect(wire.spans()).toMatchObject([
      {
        protocol: 'kafka',
        name: 'send orders',
        kind: 'producer',
        errorType: undefined,
        attributes: {
          'messaging.system': 'kafka',
          'messaging.operation.name': 'send',
          'messaging.operation.type': 'send',
          'messaging.destination.name': 'orders',
          'messaging.destination.partition.id': '3',
          'messaging.client.id': 'shop',
          'messaging.batch.message_count': 2,
        },
      },
    ]);
    expect(wire.spans('server')[0]!.kind).toBe('server');
    expect(wire.finished[0]!.context).toMatchObject({
      traceId: TRACEPARENT.slice(3, 35),
      carrier: 'traceparent',
    });
    expect(unaccounted(wire)).toBe(0);
  });

  it.each([1, 3, 7])('reads pieces of %i bytes', (size) => {
    const wire = new Wire();
    const send = (from: 'client' | 'server', bytes: Buffer) => {
      for (let at = 0; at < bytes.length; at += size) wire[from](bytes.subarray(at, at + size));
    };
    send('client', kafka.apiVersions(1, 3));
    send('server', kafka.response(1, [kafka.i16(0), kafka.compactList(), kafka.i32(0), kafka.TAGS]));
    send('client', kafka.produce(2, { orders: [[0, ONE]] }));
    send('server', kafka.produced(2, 'orders', 0, 3));
    send('client', kafka.fetch(3, 0, 0, ['77']));
    send('server', kafka.fetched(3, 0, { '77': ONE }));
    expect(brief(wire)).toEqual([
      ['ApiVersions', undefined],
      ['send orders', 'UNKNOWN_TOPIC_OR_PARTITION'],
      ['poll', undefined],
    ]);
    expect(wire.finished[0]!.requestBytes).toBe(kafka.apiVersions(1, 3).length);
    expect(wire.counters.of('kafka').malformed).toBe(0);
    expect(unaccounted(wire)).toBe(0);
  });

  it('does not wait for an answer that was not asked for', () => {
    const wire = started()
      .client(kafka.produce(1, { logs: [[0, kafka.batch([{ headers: { traceparent: TRACEPARENT } }])]] }, 0))
      .client(kafka.produce(2, { logs: [[0, ONE]] }, 1))
      .server(kafka.produced(2, 'logs', 0));
    expect(brief(wire).slice(1)).toEqual([
      ['send logs', undefined],
      ['send logs', undefined],
    ]);
    expect(wire.finished[1]).toMatchObject({
      responseBytes: 0,
      context: { spanId: TRACEPARENT.slice(36, 52) },
    });
    expect(wire.conversation.held).toBe(0);
    expect(unaccounted(wire)).toBe(0);
  });

  it('names topics that are given by id as another connection was told', () => {
    const consumer = started()
      .client(kafka.fetch(1, 0, 0, ['a1', 'a2']))
      .server(kafka.fetched(1, 0, { a2: ONE }))
      .client(kafka.fetch(2, 0, 0, ['a1']))
      .server(kafka.fetched(2, 0, {}));
    expect(brief(consumer).slice(1)).toEqual([
      ['poll', undefined],
      ['poll', undefined],
    ]);
    const other = new Wire().client(kafka.metadata(1)).server(kafka.topics(1, { stock: 'a1', mail: 'a2' }));
    expect(brief(other)).toEqual([['Metadata', undefined]]);
    expect(brief(consumer).slice(1)).toEqual([
      ['poll mail', undefined],
      ['poll stock', undefined],
    ]);
    expect(consumer.spans()[1]!.attributes).toMatchObject({
      'messaging.operation.type': 'receive',
      'messaging.destination.name': 'mail',
      'messaging.destination.partition.id': '0',
      'messaging.batch.message_count': 1,
    });
  });

  it('remembers what a fetch session is about', () => {
    new Wire().client(kafka.metadata(1)).server(kafka.topics(1, { left: 'b1', right: 'b2' }));
    const wire = started()
      .client(kafka.fetch(1, 0, 0, ['b1']))
      .server(kafka.fetched(1, 99, {}))
      .client(kafka.fetch(2, 99, 1, []))
      .server(kafka.fetched(2, 99, {}))
      .client(kafka.fetch(3, 99, 2, ['b2'], ['b1']))
      .server(kafka.fetched(3, 99, {}))
      .client(kafka.fetch(4, 99, 3, []))
      .server(kafka.fetched(4, 99, {}, 71));
    expect(brief(wire).slice(1)).toEqual([
      ['poll left', undefined],
      ['poll left', undefined],
      ['poll right', undefined],
      ['poll right', 'INVALID_FETCH_SESSION_EPOCH'],
    ]);
  });

  it('tells waiting from slowness', () => {
    const wire = started()
      .client(kafka.joinGroup(1, 'billing'))
      .server(kafka.response(1, [kafka.i16(27), kafka.i32(-1)]))
      .client(kafka.produce(2, { logs: [[0, ONE]] }))
      .server(kafka.produced(2, 'logs', 0))
      .client(kafka.fetch(3, 0, 0, ['c1']))
      .close();
    expect(brief(wire).slice(1)).toEqual([
      ['JoinGroup', 'REBALANCE_IN_PROGRESS'],
      ['send logs', undefined],
      // Its consumer left: nothing has failed.
      ['poll', undefined],
    ]);
    expect(wire.finished.map(({ waiting }) => waiting)).toEqual([false, true, false, true]);
    expect(wire.spans()[1]!.attributes['messaging.consumer.group.name']).toBe('billing');
    expect(unaccounted(wire)).toBe(0);
  });

  it('counts what is in all partitions, or nothing', () => {
    const records = (topics: Parameters<typeof kafka.produce>[1], visible?: number) =>
      started()
        .client(kafka.produce(1, topics), visible)
        .server(kafka.produced(1, 'a', 0))
        .spans()[1]!.attributes['messaging.batch.message_count'];
    const two = kafka.batch([{}, {}]);
    expect(
      records({
        a: [
          [0, two],
          [1, ONE],
        ],
        b: [[0, Buffer.concat([ONE, two])]],
      }),
    ).toBe(6);
    const long = kafka.batch([{ value: 'x'.repeat(2000) }, {}]);
    expect(records({ a: [[0, long]] }, 1024)).toBe(2);
    expect(
      records(
        {
          a: [
            [0, long],
            [1, ONE],
          ],
        },
        1024,
      ),
    ).toBeUndefined();
  });

  it('notes compression and deletions', () => {
    const attributes = (batch: Buffer) =>
      started()
        .client(kafka.produce(1, { a: [[0, batch]] }))
        .server(kafka.produced(1, 'a', 0))
        .spans()[1]!.attributes;
    expect(attributes(kafka.batch([{}, {}], 4))).toMatchObject({
      'kindling.compression': 'zstd',
      'messaging.batch.message_count': 2,
    });
    expect(attributes(kafka.batch([{ value: null }]))).toMatchObject({
      'messaging.kafka.message.tombstone': true,
      'messaging.kafka.offset': 7,
    });
  });

  it('understands a broker that refuses the version of ApiVersions', () => {
    const wire = new Wire()
      .client(kafka.apiVersions(0, 4))
      .server(kafka.response(0, [kafka.i16(35), kafka.list([kafka.i16(18), kafka.i16(0), kafka.i16(3)])]));
    expect(brief(wire)).toEqual([['ApiVersions', 'UNSUPPORTED_VERSION']]);
  });

  it('leaves tokens of old SASL clients alone', () => {
    const wire = new Wire()
      .client(kafka.request(17, 0, 0, [kafka.text('PLAIN')]))
      .server(kafka.response(0, [kafka.i16(0), kafka.list([kafka.text('PLAIN')])]))
      .client(Buffer.concat([kafka.i32(12), Buffer.from('\0user\0secret')]))
      .server(kafka.i32(0))
      .client(kafka.produce(1, { a: [[0, ONE]] }))
      .server(kafka.produced(1, 'a', 0));
    expect(brief(wire)).toEqual([
      ['SaslHandshake', undefined],
      ['send a', undefined],
    ]);
    expect(wire.counters.of('kafka').malformed).toBe(0);
    expect(unaccounted(wire)).toBe(0);
  });

  it('joins in the middle', () => {
    const wire = new Wire({ fresh: false })
      .server(kafka.produced(1, 'a', 0).subarray(9))
      .client(kafka.produce(2, { a: [[0, ONE]] }))
      .server(kafka.produced(2, 'a', 0))
      .close();
    expect(brief(wire)).toEqual([['send a', undefined]]);
    expect(unaccounted(wire)).toBe(0);
  });

  it('goes on after lost bytes', () => {
    const wire = started().client(kafka.produce(1, { a: [[0, ONE]] }));
    wire.lose('server', kafka.produced(1, 'a', 0).length);
    wire.client(kafka.produce(2, { b: [[0, ONE]] })).server(kafka.produced(2, 'b', 0));
    wire.lose('client', 50);
    wire
      .client(kafka.produce(4, { c: [[0, ONE]] }))
      .server(kafka.produced(4, 'c', 0))
      .close();
    expect(brief(wire).map(([name]) => name)).toEqual(['ApiVersions', 'send b', 'send c']);
    expect(wire.counters.of('kafka').lost.not_captured).toBe(1);
    expect(unaccounted(wire)).toBe(0);
  });
});
