import { describe, expect, it } from 'vitest';
import { binary, json, message, pull, TRACEPARENT } from '../../../fuzz/protocols/seeds/rocketmq.js';
import { unaccounted, Wire } from '../../../helpers/wire.js';

const brief = (wire: Wire) => wire.spans().map(({ name, errorType }) => [name, errorType]);

describe('rocketmq', () => {
  it.each([
    ['JSON', json, 1],
    ['JSON', json, 10_000],
    ['binary', binary, 1],
    ['binary', binary, 10_000],
  ] as const)('reads messages with %s headers in pieces', (_, command, size) => {
    const wire = new Wire();
    const send = (from: 'client' | 'server', bytes: string) => {
      for (let at = 0; at < bytes.length; at += size) wire[from](bytes.slice(at, at + size));
    };
    const fields = message('shop%orders', {
      TAGS: 'new',
      KEYS: 'k1 k2',
      traceparent: TRACEPARENT,
      DELAY: '3',
    });
    send('client', command({ code: 310, opaque: 7, fields, body: 'hello' }));
    send('client', command({ code: 10, opaque: 8, flag: 2, fields: { topic: '%RETRY%workers' }, body: 'x' }));
    send('server', command({ code: 0, opaque: 7, flag: 1, fields: { msgId: '1' } }));
    const spans = wire.spans();
    expect(spans.map(({ name, kind }) => [name, kind])).toEqual([
      ['send %RETRY%workers', 'producer'],
      ['send orders', 'producer'],
    ]);
    expect(spans[1]!.attributes).toMatchObject({
      'messaging.system': 'rocketmq',
      'messaging.operation.type': 'send',
      'messaging.destination.name': 'orders',
      'messaging.destination.partition.id': '1',
      'messaging.rocketmq.namespace': 'shop',
      'messaging.rocketmq.message.type': 'delay',
      'messaging.rocketmq.message.delay_time_level': 3,
      'messaging.rocketmq.message.tag': 'new',
      'messaging.rocketmq.message.keys': ['k1', 'k2'],
      'messaging.message.id': '7F00',
      'messaging.message.body.size': 5,
    });
    expect(spans[1]!.exchange.context?.spanId).toBe('b7ad6b7169203331');
    expect(wire.counters.of('rocketmq').malformed).toBe(0);
    expect(unaccounted(wire)).toBe(0);
  });

  it('tells long polls from pulls, outcomes from errors', () => {
    const wire = new Wire()
      .client(
        json({ code: 11, opaque: 1, fields: pull('orders') }) +
          json({ code: 11, opaque: 2, fields: pull('orders', '0') }),
      )
      .client(
        json({
          code: 200_050,
          opaque: 3,
          fields: { consumerGroup: 'workers', topic: 'orders', pollTime: '10000' },
        }),
      )
      .server(json({ code: 19, opaque: 2, flag: 1 }) + json({ code: 210, opaque: 3, flag: 1 }))
      .server(
        json({
          code: 26,
          opaque: 1,
          flag: 1,
          remark: 'subscription group [workers] does not exist\nSee https',
        }),
      )
      .client(json({ code: 310, opaque: 4, fields: message('orders') }))
      .server(json({ code: 2, opaque: 4, flag: 1, remark: '[TIMEOUT_CLEAN_QUEUE]broker busy' }));
    expect(brief(wire)).toEqual([
      ['pull orders', undefined],
      ['pop orders', undefined],
      ['pull orders', 'SUBSCRIPTION_GROUP_NOT_EXIST'],
      ['send orders', 'SYSTEM_BUSY'],
    ]);
    expect(wire.finished.map(({ waiting }) => waiting)).toEqual([false, true, true, false]);
    expect(wire.spans()[2]).toMatchObject({
      kind: 'client',
      statusMessage: 'subscription group [workers] does not exist',
      attributes: { 'messaging.consumer.group.name': 'workers' },
    });
    expect(unaccounted(wire)).toBe(0);
  });

  it('keeps what brokers ask apart from what clients ask', () => {
    const wire = new Wire()
      .client(binary({ code: 34, opaque: 5 }))
      .server(binary({ code: 40, opaque: 5, flag: 2, fields: { consumerGroup: 'workers' } }))
      .server(binary({ code: 307, opaque: 5, fields: { consumerGroup: 'workers' } }))
      .client(binary({ code: 1, opaque: 5, flag: 1, remark: 'no' }))
      .server(binary({ code: 0, opaque: 5, flag: 1 }));
    expect(wire.spans().map(({ name, errorType, exchange }) => [name, errorType, exchange.pushed])).toEqual([
      ['notify_consumer_ids_changed', undefined, true],
      ['get_consumer_running_info', 'SYSTEM_ERROR', true],
      ['heart_beat', undefined, false],
    ]);
    expect(unaccounted(wire)).toBe(0);
  });

  it('joins in the middle and goes on after what it did not see', () => {
    const big = 'v'.repeat(100_000);
    const wire = new Wire({ fresh: false })
      .server(json({ code: 0, opaque: 1, flag: 1 }))
      .client(json({ code: 310, opaque: 2, fields: message('orders'), body: big }), 600)
      .server(json({ code: 0, opaque: 2, flag: 1, body: big }), 300)
      .lose('client', 40)
      .client(json({ code: 105, opaque: 3, fields: { topic: 'orders' } }))
      .server(json({ code: 0, opaque: 3, flag: 1 }))
      .client(json({ code: 310, opaque: 4, fields: message('orders'), body: big }), 60);
    expect(brief(wire).map(([name]) => name)).toEqual(['send orders', 'get_routeinfo_by_topic orders']);
    expect(wire.spans()[0]!.attributes['messaging.message.body.size']).toBe(100_000);
    expect(wire.counters.of('rocketmq').missed).toBe(2);
    expect(unaccounted(wire)).toBe(0);
  });
});
