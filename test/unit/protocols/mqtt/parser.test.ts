import { describe, expect, it } from 'vitest';
import {
  alias,
  answer,
  connack,
  connect,
  packet,
  publish,
  suback,
  subscribe,
  TRACED,
  text,
} from '../../../fuzz/protocols/seeds/mqtt.js';
import { unaccounted, Wire } from '../../../helpers/wire.js';

const brief = (wire: Wire) => wire.spans().map(({ name, errorType }) => [name, errorType]);
function connected(level: 4 | 5): Wire {
  const wire = new Wire().client(connect(level)).server(connack(0, level === 5 ? '' : undefined));
  wire.finished.length = 0;
  return wire;
}

describe('mqtt', () => {
  it('tells of connections and why they are refused', () => {
    const wire = new Wire().client(connect(4, 'sensor-7')).server(connack(0));
    expect(wire.spans()).toMatchObject([
      {
        name: 'connect',
        errorType: undefined,
        attributes: {
          'messaging.system': 'mqtt',
          'messaging.client.id': 'sensor-7',
          'network.protocol.version': '3.1.1',
        },
      },
    ]);
    expect(brief(new Wire().client(connect(4)).server(connack(5)))).toEqual([['connect', 'not_authorized']]);
    const refused = new Wire().client(connect(5)).server(connack(0x8a, `\x1f${text('go away')}`));
    expect(refused.spans()[0]).toMatchObject({ errorType: 'banned', statusMessage: 'go away' });
  });

  it.each([1, 3, 1000])('pairs messages of every QoS in pieces of %i bytes', (size) => {
    const wire = connected(5);
    const send = (from: 'client' | 'server', bytes: string) => {
      for (let at = 0; at < bytes.length; at += size) wire[from](bytes.slice(at, at + size));
    };
    send('client', publish('plant/4711/temperature', '21.5', { fields: '' }));
    send('client', publish('orders/new', 'hello', { qos: 1, id: 1, fields: TRACED }));
    send('client', publish('orders/paid', 'x'.repeat(300), { qos: 2, id: 2, fields: '' }));
    send('server', answer(5, 2) + answer(4, 1));
    send('client', answer(6, 2));
    send('server', answer(7, 2));
    const spans = wire.spans();
    expect(spans.map(({ name, kind }) => [name, kind])).toEqual([
      ['publish plant/{id}/temperature', 'producer'],
      ['publish orders/new', 'producer'],
      ['publish orders/paid', 'producer'],
    ]);
    expect(spans[1]!.exchange.context?.spanId).toBe('b7ad6b7169203331');
    expect(spans[1]!.attributes).toMatchObject({
      'messaging.destination.name': 'orders/new',
      'messaging.message.body.size': 5,
    });
    expect(spans[2]!.attributes['messaging.message.body.size']).toBe(300);
    expect(spans[2]!.exchange.responseBytes).toBe(8);
    expect(wire.counters.of('mqtt').malformed).toBe(0);
    expect(unaccounted(wire)).toBe(0);
  });

  it('follows deliveries, each end with its own numbers', () => {
    const wire = connected(5)
      .client(publish('a', '1', { qos: 1, id: 1, fields: '' }))
      .server(
        publish('b', '2', { qos: 1, id: 1, fields: TRACED }) +
          publish('c', '3', { qos: 2, id: 2, fields: '' }),
      )
      .client(answer(5, 2) + answer(4, 1))
      .server(answer(4, 1) + answer(6, 2))
      .client(answer(7, 2))
      .server(publish('d', '4', { fields: '' }));
    expect(wire.spans().map(({ name, kind }) => [name, kind])).toEqual([
      ['deliver b', 'consumer'],
      ['publish a', 'producer'],
      ['deliver c', 'consumer'],
      ['deliver d', 'consumer'],
    ]);
    expect(wire.finished[0]).toMatchObject({ pushed: true, context: { spanId: 'b7ad6b7169203331' } });
    expect(unaccounted(wire)).toBe(0);
  });

  it('names errors: of messages, of one filter of many, of the whole connection', () => {
    const wire = connected(5)
      .client(publish('secret', 'x', { qos: 1, id: 1, fields: '' }))
      .server(answer(4, 1, 0x87, 'not yours'))
      .client(publish('quota', 'x', { qos: 2, id: 2, fields: '' }))
      .server(answer(5, 2, 0x97))
      .client(publish('nobody', 'x', { qos: 1, id: 3, fields: '' }))
      .server(answer(4, 3, 0x10))
      .client(subscribe(4, ['mine/#', 'yours/#'], ''))
      .server(suback(4, [1, 0x87], ''))
      .server(packet(14, 0, '\x8e\0'));
    expect(brief(wire)).toEqual([
      ['publish secret', 'not_authorized'],
      ['publish quota', 'quota_exceeded'],
      ['publish nobody', undefined],
      ['subscribe mine/#', 'not_authorized'],
      ['disconnect', 'session_taken_over'],
    ]);
    expect(wire.spans()[0]!.statusMessage).toBe('not yours');
    const old = connected(4)
      .client(subscribe(1, ['a']))
      .server(suback(1, [0x80]));
    expect(brief(old)).toEqual([['subscribe a', 'unspecified_error']]);
    expect(unaccounted(wire)).toBe(0);
  });

  it('knows topics by their alias, and a message that is sent again', () => {
    const wire = connected(5)
      .client(publish('orders/new', '1', { fields: alias(3) }))
      .client(publish('', '2', { fields: alias(3) }))
      .client(publish('a', '1', { qos: 1, id: 9, fields: '' }))
      .client(publish('a', '1', { qos: 1, id: 9, dup: true, fields: '' }))
      .server(answer(4, 9));
    expect(brief(wire).map(([name]) => name)).toEqual([
      'publish orders/new',
      'publish orders/new',
      'publish a',
    ]);
    expect(unaccounted(wire)).toBe(0);
  });

  it('goes on after payloads that are not captured, lost bytes, and in the middle', () => {
    const big = 'v'.repeat(50_000);
    const wire = new Wire({ fresh: false, serverPort: 1883 })
      .client(subscribe(1, ['home/#']))
      .server(suback(1, [0]))
      .client(publish('a/b', big, { qos: 1, id: 5 }), 100)
      .server(answer(4, 5))
      .server(publish('home/x', big), 200)
      .lose('server', 20)
      .server(publish('home/y', 'z'))
      .client(publish('t', 'p', { qos: 1, id: 6, fields: TRACED }))
      .server(answer(4, 6) + answer(4, 77));
    expect(brief(wire).map(([name]) => name)).toEqual([
      'subscribe home/#',
      'publish a/b',
      'deliver home/x',
      'deliver home/y',
      'publish t',
    ]);
    expect(wire.finished[4]!.context?.spanId).toBe('b7ad6b7169203331');
    expect(wire.counters.of('mqtt').missed).toBe(1);
    expect(unaccounted(wire)).toBe(0);
  });
});
