import { describe, expect, it } from 'vitest';
import { loadSeeds, stepBytes } from '../../fuzz/protocols/seed.js';
import { InlineObserver } from '../../helpers/observer.js';

describe('connections that are not HTTP/1.x', () => {
  it('become spans at both ends, the client the parent of the server', async () => {
    const inline = new InlineObserver();
    const { client, server } = inline.model.connect(['10.0.0.1', 40_000], ['10.0.0.2', 50_051]);
    const [seed] = await loadSeeds('http2');
    for (const step of seed!.steps) {
      const [from, to] = step[0] === 'client' ? [client, server] : [server, client];
      from.send(stepBytes(step));
      to.receive(stepBytes(step));
    }
    client.close();
    server.close();
    inline.advance(2000);
    inline.observer.flush();
    const spans = inline.spans;
    expect(spans.length).toBe(6);
    const byId = new Map(spans.map((span) => [span.spanId, span]));
    for (const span of spans) {
      expect(span.name).toBe('shop.Orders/Get');
      expect(span.attributes).toMatchObject({ 'rpc.system.name': 'grpc', 'kindling.source': 'kernel' });
    }
    const servers = spans.filter((span) => span.parentSpanId !== '' && span.parentSpanId !== undefined);
    expect(servers.length).toBe(3);
    for (const span of servers) expect(byId.get(span.parentSpanId!)?.traceId).toBe(span.traceId);
    const stats = inline.observer.stats();
    expect(stats).toMatchObject({
      protocol_http2_connections: 2,
      protocol_http2_finished: 6,
      exchanges_held: 0,
      connections_ignored: 0,
    });
  });

  it('make the span of a pushed message a child of the one that published it', async () => {
    const inline = new InlineObserver();
    const { client, server } = inline.model.connect(['10.0.0.1', 40_000], ['10.0.0.2', 5672]);
    for (const step of (await loadSeeds('amqp'))[1]!.steps) {
      const [from, to] = step[0] === 'client' ? [client, server] : [server, client];
      from.send(stepBytes(step));
      to.receive(stepBytes(step));
    }
    client.close();
    server.close();
    inline.advance(2000);
    inline.observer.flush();
    const { spans } = inline;
    expect(new Set(spans.map(({ spanId }) => spanId)).size).toBe(spans.length);
    const traced = spans.filter(({ traceId }) => traceId === '0af7651916cd43dd8448eb211c80319c');
    // 5: a consumer, which works on what it got; 3: the broker, which sent it on.
    const consumer = traced.find(({ kind }) => kind === 5)!;
    const broker = traced.find(({ kind }) => kind !== 5)!;
    expect(traced).toHaveLength(2);
    expect(consumer).toMatchObject({
      name: 'deliver shop:orders.created:orders',
      parentSpanId: 'b7ad6b7169203331',
    });
    expect(consumer.attributes).toMatchObject({ 'server.address': '10.0.0.2', 'server.port': 5672 });
    expect(broker.parentSpanId).toBe('b7ad6b7169203331');
    expect(broker.attributes).toMatchObject({ 'server.address': '10.0.0.2', 'server.port': 5672 });
  });

  it('leave HTTP/1.x to the pairing that counts by turns', () => {
    const inline = new InlineObserver();
    inline.exchange(40_000, 'GET /a HTTP/1.1\r\n\r\n', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
    inline.observer.flush();
    expect(inline.spans.length).toBe(2);
    expect(inline.observer.stats()).toMatchObject({
      exchanges_server_emitted: 1,
      connections_unrecognised: 0,
    });
    expect(Object.keys(inline.observer.stats()).filter((key) => key.startsWith('protocol_'))).toEqual([]);
  });
});
