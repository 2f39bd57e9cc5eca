import { describe, expect, it } from 'vitest';
import * as amqp from '../../../fuzz/protocols/seeds/amqp.js';
import { unaccounted, Wire, type WireOptions } from '../../../helpers/wire.js';

const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const brief = (wire: Wire) => wire.spans().map(({ name, errorType }) => [name, errorType]);

function loggedIn(options?: WireOptions): Wire {
  const wire = new Wire(options);
  for (const [from, bytes] of amqp.login) wire[from](bytes);
  wire.client(amqp.open(1)).server(amqp.openOk(1));
  wire.finished.length = 0;
  return wire;
}

describe('amqp', () => {
  it('tells of the login and of calls by name', () => {
    const wire = new Wire();
    for (const [from, bytes] of amqp.login) wire[from](bytes);
    wire
      .client(amqp.open(1))
      .server(amqp.openOk(1))
      .client(amqp.declare(1, ''))
      .server(amqp.declareOk(1, 'amq.gen-JzTY20BRgKO'))
      .client(amqp.method(1, 50, 20, '\0\0\x06orders\x04shop\x04key.\0\0\0\0\0'))
      .server(amqp.method(1, 50, 21));
    expect(brief(wire)).toEqual([
      ['connect', undefined],
      ['channel.open', undefined],
      ['queue.declare (temporary)', undefined],
      ['queue.bind shop:key.:orders', undefined],
    ]);
    expect(wire.spans()[2]!.attributes).toMatchObject({
      'messaging.system': 'rabbitmq',
      'messaging.operation.name': 'queue.declare',
      'messaging.destination.name': 'amq.gen-JzTY20BRgKO',
      'messaging.destination.temporary': true,
    });
    expect(unaccounted(wire)).toBe(0);
  });

  it.each([1, 3, 10_000])('reads messages and their context in pieces of %i bytes', (size) => {
    const wire = loggedIn();
    const bytes =
      amqp.publish(1, 'shop', 'orders.4711.created') +
      amqp.message(1, ['hel', 'lo'], { traceparent: TRACEPARENT }) +
      amqp.heartbeat +
      amqp.publish(1, '', 'orders') +
      amqp.message(1, []);
    for (let at = 0; at < bytes.length; at += size) wire.client(bytes.slice(at, at + size));
    const [first, second] = wire.spans();
    expect(first).toMatchObject({
      name: 'publish shop:orders.{id}.created',
      kind: 'producer',
      errorType: undefined,
    });
    expect(first!.attributes).toMatchObject({
      'messaging.operation.type': 'send',
      'messaging.destination.name': 'shop:orders.4711.created',
      'messaging.destination.template': 'shop:orders.{id}.created',
      'messaging.rabbitmq.destination.routing_key': 'orders.4711.created',
      'messaging.message.id': 'id-1',
      'messaging.message.body.size': 5,
    });
    expect(first!.exchange.context).toMatchObject({ spanId: 'b7ad6b7169203331', carrier: 'traceparent' });
    expect(first!.exchange.requestBytes).toBe(bytes.indexOf(amqp.heartbeat));
    expect(second).toMatchObject({ name: 'publish orders', exchange: { context: undefined } });
    expect(wire.counters.of('amqp').malformed).toBe(0);
    expect(unaccounted(wire)).toBe(0);
  });

  it('waits for confirms, of one message or of all so far', () => {
    const wire = loggedIn().client(amqp.select(1)).server(amqp.selectOk(1));
    for (const key of ['a', 'b', 'c', 'd'])
      wire.client(amqp.publish(1, 'x', key, 1) + amqp.message(1, ['1']));
    wire
      .server(amqp.ack(1, 2, true))
      .server(
        amqp.returned(1, 312, 'NO_ROUTE', 'x', 'd') +
          amqp.message(1, ['1']) +
          amqp.nack(1, 3) +
          amqp.ack(1, 4),
      );
    expect(brief(wire)).toEqual([
      ['confirm.select', undefined],
      ['publish x:a', undefined],
      ['publish x:b', undefined],
      ['publish x:c', 'nack'],
      ['publish x:d', '312'],
    ]);
    expect(wire.spans()[4]!.statusMessage).toBe('NO_ROUTE');
    expect(unaccounted(wire)).toBe(0);
  });

  it('follows deliveries until they are settled', () => {
    const wire = loggedIn()
      .client(amqp.consume(1, 'orders', 'mine') + amqp.consume(1, 'logs', 'careless', 2))
      .server(amqp.consumeOk(1, 'mine') + amqp.consumeOk(1, 'careless'))
      .server(amqp.deliver(1, 1, 'x', 'k', 'careless') + amqp.message(1, ['x']))
      .server(amqp.deliver(1, 2, '', 'orders', 'mine') + amqp.message(1, ['y'], { traceparent: TRACEPARENT }))
      .server(amqp.deliver(1, 3, '', 'orders', 'mine') + amqp.message(1, ['z']));
    expect(wire.conversation.held).toBe(2);
    wire.client(amqp.ack(1, 2) + amqp.nack(1, 3));
    const spans = wire.spans().slice(2);
    expect(spans.map(({ name, kind, errorType }) => [name, kind, errorType])).toEqual([
      ['deliver x:k:logs', 'consumer', undefined],
      ['deliver orders', 'consumer', undefined],
      ['deliver orders', 'consumer', 'nack'],
    ]);
    expect(spans[1]!.exchange).toMatchObject({ pushed: true, context: { spanId: 'b7ad6b7169203331' } });
    expect(spans[1]!.attributes['messaging.operation.type']).toBe('process');
    expect(unaccounted(wire)).toBe(0);
  });

  it('fetches, finds nothing, and acknowledges what was fetched', () => {
    const wire = loggedIn()
      .client(amqp.get(1, 'orders'))
      .server(amqp.getOk(1, 1, '', 'orders') + amqp.message(1, ['hello', ' you']))
      .client(amqp.ack(1, 1) + amqp.get(1, 'orders'))
      .server(amqp.getEmpty(1));
    expect(brief(wire)).toEqual([
      ['get orders', undefined],
      ['ack orders', undefined],
      ['get orders', undefined],
    ]);
    expect(wire.spans()[0]!).toMatchObject({
      kind: 'client',
      attributes: { 'messaging.message.body.size': 9, 'messaging.rabbitmq.message.delivery_tag': 1 },
    });
    expect(unaccounted(wire)).toBe(0);
  });

  it('gives the reason of a close to the method that caused it, and ends the rest', () => {
    const wire = loggedIn()
      .client(amqp.declare(1, 'missing', 1))
      .server(amqp.close(1, 20, 404, "NOT_FOUND - no queue 'missing'", [50, 10]))
      .client(amqp.closeOk(1, 20) + amqp.open(1))
      .server(amqp.openOk(1))
      .client(amqp.publish(1, 'nowhere', 'k') + amqp.message(1, ['x']))
      .server(amqp.close(1, 20, 404, "NOT_FOUND - no exchange 'nowhere'", [60, 40]))
      .client(amqp.closeOk(1, 20) + amqp.open(2))
      .server(amqp.close(0, 10, 320, 'CONNECTION_FORCED', [0, 0]));
    expect(brief(wire)).toEqual([
      ['queue.declare missing', '404'],
      ['channel.open', undefined],
      ['publish nowhere:k', undefined],
      ['channel.close', '404'],
      ['connection.close', '320'],
      ['channel.open', 'reset'],
    ]);
    expect(unaccounted(wire)).toBe(0);
  });

  it('tells of a refused login', () => {
    const wire = new Wire();
    for (const [from, bytes] of amqp.login.slice(0, 3)) wire[from](bytes);
    wire.server(amqp.close(0, 10, 403, 'ACCESS_REFUSED', [0, 0])).close();
    expect(brief(wire)).toEqual([['connect', '403']]);
  });

  it('goes on after large bodies that are not captured, and in the middle', () => {
    const body = 'b'.repeat(100_000);
    const long = amqp.publish(1, '', 'orders') + amqp.message(1, [body]);
    const wire = new Wire({ fresh: false })
      .client(long, 300)
      .client(amqp.publish(1, '', 'orders') + amqp.message(1, ['x']))
      .client(amqp.get(1, 'orders', 1))
      .server(amqp.getOk(1, 1, '', 'orders') + amqp.message(1, [body]), 300)
      .client(amqp.publish(1, '', 'lost') + amqp.message(1, ['y']).slice(0, -3))
      .lose('client', 3)
      .client(amqp.publish(1, '', 'orders') + amqp.message(1, ['x']));
    expect(brief(wire).map(([name]) => name)).toEqual([
      'publish orders',
      'publish orders',
      'get orders',
      'publish lost',
      'publish orders',
    ]);
    expect(wire.spans()[2]!.attributes['messaging.message.body.size']).toBe(100_000);
    expect(unaccounted(wire)).toBe(0);
  });

  it('counts replies of before it came', () => {
    const wire = new Wire({ fresh: false })
      .server(amqp.declareOk(1, 'q'))
      .client(amqp.get(1, 'q', 1))
      .server(amqp.getEmpty(1));
    expect(wire.counters.of('amqp').missed).toBe(1);
    expect(brief(wire)).toEqual([['get q', undefined]]);
    expect(unaccounted(wire)).toBe(0);
  });
});
