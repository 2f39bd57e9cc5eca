import { describe, expect, it } from 'vitest';
import { CONNECT, hmsg, hpub, INFO, msg, pub, TRACED } from '../../../fuzz/protocols/seeds/nats.js';
import { unaccounted, Wire } from '../../../helpers/wire.js';

const INBOX = '_INBOX.JzTY20BRgKO3';
const brief = (wire: Wire) => wire.spans().map(({ name, errorType }) => [name, errorType]);
const connected = (subscriptions = ''): Wire => {
  const wire = new Wire().server(INFO).client(`${CONNECT}PING\r\n`).server('PONG\r\n').client(subscriptions);
  wire.finished.length = 0;
  return wire;
};

describe('nats', () => {
  it.each([1, 5, 1000])('reads messages and their context in pieces of %i bytes', (size) => {
    const wire = connected('SUB orders.* workers 1\r\nsub all 2\r\n');
    const send = (from: 'client' | 'server', text: string) => {
      for (let at = 0; at < text.length; at += size) wire[from](text.slice(at, at + size));
    };
    send('client', `${hpub('orders.new', ['X: 1', TRACED], 'hel\r\nlo') + pub('orders.4711', '')}PING\r\n`);
    send('server', `PONG\r\n${hmsg('orders.a', '1', [TRACED], 'x')}${msg('all', '2', 'MSG a 1 2\r\n')}`);
    const spans = wire.spans();
    expect(spans.map(({ name, kind }) => [name, kind])).toEqual([
      ['publish orders.new', 'producer'],
      ['publish orders.{id}', 'producer'],
      ['deliver orders.*', 'consumer'],
      ['deliver all', 'consumer'],
    ]);
    expect(spans[0]!.attributes).toMatchObject({
      'messaging.system': 'nats',
      'messaging.operation.type': 'send',
      'messaging.destination.name': 'orders.new',
      'messaging.message.body.size': 7,
    });
    expect(spans[0]!.exchange.context?.spanId).toBe('b7ad6b7169203331');
    expect(spans[2]!.exchange).toMatchObject({ pushed: true, context: { spanId: 'b7ad6b7169203331' } });
    expect(spans[2]!.attributes).toMatchObject({
      'messaging.destination.name': 'orders.a',
      'messaging.destination.template': 'orders.*',
      'messaging.consumer.group.name': 'workers',
    });
    expect(wire.counters.of('nats').malformed).toBe(0);
    expect(unaccounted(wire)).toBe(0);
  });

  it('finds replies by their subject, in any order, and says when nobody serves', () => {
    const wire = connected(`SUB ${INBOX}.* 1\r\nSUB shop.price 2\r\n`)
      .client(
        pub('shop.a', '', `${INBOX}.1`) + pub('shop.b', '', `${INBOX}.2`) + pub('shop.c', '', `${INBOX}.3`),
      )
      .server(
        msg(`${INBOX}.2`, '1', 'b') +
          hmsg(`${INBOX}.1`, '1', [], '', '', '503') +
          msg(`${INBOX}.3`, '1', 'c'),
      )
      .client(pub('elsewhere', '', 'not.mine'))
      .server(msg('shop.price', '2', '', '_INBOX.other.1'))
      .client(pub('_INBOX.other.1', 'told'));
    expect(brief(wire)).toEqual([
      ['request shop.b', undefined],
      ['request shop.a', '503'],
      ['request shop.c', undefined],
      ['publish elsewhere', undefined],
      ['deliver shop.price', undefined],
    ]);
    expect(wire.finished[4]!.responseBytes).toBeGreaterThan(0);
    expect(unaccounted(wire)).toBe(0);
  });

  it('knows JetStream: calls, fetches, acknowledgements', () => {
    const ack = (n: number) => `$JS.ACK.ORDERS.worker.1.${n}.${n}.1700000000000000000.0`;
    const wire = connected(`SUB ${INBOX}.* 1\r\nSUB ${INBOX}x 2\r\n`)
      .client(pub('$JS.API.STREAM.INFO.ORDERS', '', `${INBOX}.1`))
      .server(
        msg(
          `${INBOX}.1`,
          '1',
          '{"type":"x","error":{"code":404,"err_code":10059,"description":"stream not found"}}',
        ),
      )
      .client(pub('$JS.API.CONSUMER.MSG.NEXT.ORDERS.worker', '{"batch":2}', `${INBOX}x`))
      .server(msg('orders.a', '2', 'one', ack(1)) + msg('orders.b', '2', 'two', ack(2)))
      .client(pub(ack(1), '+ACK') + pub(ack(2), '+WPI') + pub(ack(2), '-NAK {"delay":1}'))
      .client(pub('$JS.API.CONSUMER.MSG.NEXT.ORDERS.worker', '1', `${INBOX}x`))
      .server(hmsg(`${INBOX}x`, '2', [], '', '', '408'))
      .client(pub(ack(9), '+ACK'));
    expect(brief(wire)).toEqual([
      ['request $JS.API.STREAM.INFO', '404'],
      ['fetch ORDERS', undefined],
      ['deliver orders.a', undefined],
      ['deliver orders.b', 'nak'],
      ['fetch ORDERS', undefined],
      ['ack ORDERS', undefined],
    ]);
    const [failed, fetch] = wire.spans();
    expect(failed!.statusMessage).toBe('stream not found');
    expect(fetch!.exchange.waiting).toBe(true);
    expect(fetch!.attributes['messaging.consumer.group.name']).toBe('worker');
    expect(unaccounted(wire)).toBe(0);
  });

  it('does not wait for what a consumer never acknowledges', () => {
    const wire = connected(`SUB ${INBOX}x 1\r\n`)
      .client(pub('$JS.API.CONSUMER.CREATE.ORDERS', '{"config":{"ack_policy":"none"}}'))
      .server(msg('orders.a', '1', 'one', '$JS.ACK.ORDERS.q.1.1.1.1700000000000000000.0'));
    expect(brief(wire).at(-1)).toEqual(['deliver orders.a', undefined]);
    expect(wire.conversation.held).toBe(0);
  });

  it('tells of refused connections and of errors', () => {
    const refused = new Wire()
      .server(INFO)
      .client(CONNECT)
      .server(`-ERR 'Authorization Violation'\r\n`)
      .close();
    expect(brief(refused)).toEqual([['connect', 'authorization_violation']]);
    const wire = connected()
      .client(pub('secret', 'x'))
      .server(`-ERR 'Permissions Violation for Publish to "secret"'\r\n`);
    expect(brief(wire)).toEqual([
      ['publish secret', undefined],
      ['error secret', 'permissions_violation'],
    ]);
    expect(unaccounted(wire)).toBe(0);
  });

  it('goes on after payloads that are not captured, lost bytes, and in the middle', () => {
    const big = 'v'.repeat(50_000);
    const wire = new Wire({ fresh: false })
      .client(pub('a.b', big), 100)
      .server(msg('c.d', '1', big), 100)
      .client(pub('e.f', '', '_INBOX.x.1'))
      .server(msg('_INBOX.x.1', '2', 'answer'))
      .lose('client', 20)
      .client(pub('g.h', 'x'))
      .close();
    expect(brief(wire).map(([name]) => name)).toEqual([
      'publish a.b',
      'deliver c.d',
      'request e.f',
      'publish g.h',
    ]);
    expect(unaccounted(wire)).toBe(0);
  });
});
