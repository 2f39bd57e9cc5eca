import { describe, expect, it } from 'vitest';
import {
  answer,
  call,
  exception,
  heartbeat,
  hessian,
  JSONB,
  jsonb,
  TRACED,
} from '../../../fuzz/protocols/seeds/dubbo.js';
import { unaccounted, Wire } from '../../../helpers/wire.js';

const brief = (wire: Wire, side: 'client' | 'server' = 'client') =>
  wire.spans(side).map(({ name, errorType }) => [name, errorType]);

describe('dubbo', () => {
  it.each([1, 7, 10_000])('pairs calls by id and reads their context in pieces of %i bytes', (size) => {
    const wire = new Wire();
    const send = (from: 'client' | 'server', bytes: string) => {
      for (let at = 0; at < bytes.length; at += size) wire[from](bytes.slice(at, at + size));
    };
    send(
      'client',
      heartbeat(1, true) + call(2, { attachments: { ...TRACED, tracestate: 'a=b', timeout: '1000' } }),
    );
    send(
      'client',
      call(3, { method: 'slow', args: hessian('traceparent') }) + call(4, { method: 'tell', oneWay: true }),
    );
    send('server', heartbeat(1, false) + answer(3, `\x91${'S\x13\x88'}${'x'.repeat(5000)}`) + answer(2));
    const spans = wire.spans();
    expect(spans.map(({ name, kind }) => [name, kind])).toEqual([
      ['com.shop.Orders/tell', 'client'],
      ['com.shop.Orders/slow', 'client'],
      ['com.shop.Orders/find', 'client'],
    ]);
    expect(spans[2]!.attributes).toMatchObject({
      'rpc.system.name': 'dubbo',
      'rpc.method': 'com.shop.Orders/find',
      'rpc.response.status_code': 'OK',
    });
    expect(spans[2]!.exchange.context).toMatchObject({ spanId: 'b7ad6b7169203331', state: 'a=b' });
    expect(spans[1]!.exchange.context).toBeUndefined();
    expect(wire.counters.of('dubbo').malformed).toBe(0);
    expect(unaccounted(wire)).toBe(0);
  });

  it('tells exceptions from statuses, and whose fault it is', () => {
    const wire = new Wire()
      .client(call(1) + call(2) + call(3) + call(4))
      .server(exception(1, 'com.shop.NoSuchOrderException'))
      .server(answer(2, hessian('wrong'), 40) + answer(3, hessian('pool'), 100) + answer(4, '\x92', 20));
    const name = 'com.shop.Orders/find';
    expect(brief(wire)).toEqual([
      [name, 'com.shop.NoSuchOrderException'],
      [name, 'BAD_REQUEST'],
      [name, 'SERVER_THREADPOOL_EXHAUSTED_ERROR'],
      [name, undefined],
    ]);
    expect(brief(wire, 'server')[1]).toEqual([name, undefined]);
    expect(wire.spans()[0]!.attributes['rpc.response.status_code']).toBe('OK');
    expect(unaccounted(wire)).toBe(0);
  });

  it('reads fastjson2, fastjson and generic calls; of others it knows that there was one', () => {
    const lines = ['"2.0.2"', '"com.shop.Orders"', 'null', '"find"', '""', ''].join('\n');
    const json = Buffer.from(call(2, { args: '' }), 'latin1');
    const body = Buffer.from(lines, 'latin1');
    const fastjson = Buffer.concat([json.subarray(0, 12), Buffer.from([0, 0, 0, body.length]), body]);
    fastjson[2] = 0xc6;
    const kryo = Buffer.from(call(4), 'latin1');
    kryo[2] = 0xc8;
    const wire = new Wire()
      .client(call(1, { serialization: JSONB, attachments: TRACED }))
      .client(fastjson)
      .client(call(3, { method: '$invoke', args: hessian('byName') }))
      .client(kryo)
      .server(answer(1, `\0\0\0\x01\x03\0\0\0\x10\x92${jsonb('a.Broken')}`, 20, JSONB))
      .server(answer(2, '', 20, 6) + answer(3) + answer(4, '', 20, 8));
    expect(brief(wire)).toEqual([
      ['com.shop.Orders/find', 'a.Broken'],
      ['com.shop.Orders/find', undefined],
      ['com.shop.Orders/byName', undefined],
      ['dubbo', undefined],
    ]);
    expect(wire.finished[0]!.context?.spanId).toBe('b7ad6b7169203331');
    expect(unaccounted(wire)).toBe(0);
  });

  it('follows calls back, joins in the middle, and goes on after what it did not see', () => {
    const long = call(2, { args: `S\xff\xff${'x'.repeat(65_535)}` });
    const wire = new Wire({ fresh: false })
      .server(answer(1))
      .client(long, 200)
      .server(answer(2) + call(7, { method: 'changed' }))
      .client(answer(7) + call(3).slice(0, -3))
      .lose('client', 3)
      .client(call(4))
      .server(answer(4));
    expect(brief(wire).map(([name]) => name)).toEqual([
      'com.shop.Orders/find',
      'com.shop.Orders/changed',
      'com.shop.Orders/find',
    ]);
    expect(wire.finished[1]!.pushed).toBe(true);
    expect(wire.counters.of('dubbo').missed).toBe(1);
    expect(unaccounted(wire)).toBe(0);
  });
});
