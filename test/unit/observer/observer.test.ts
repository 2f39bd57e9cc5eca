import { describe, expect, it } from 'vitest';
import { createPassThroughEngine } from '../../../src/observer/pass-through-engine.js';
import { SpanKind, StatusCode } from '../../../src/otlp/span-constants.js';
import { timeToBigInt } from '../../../src/otlp/time.js';
import { STAT } from '../../../src/receiver/ebpf/abi.gen.js';
import { InlineObserver, OFFSET } from '../../helpers/observer.js';

const GET = 'GET /a/b?user=ann&x HTTP/1.1\r\nHost: shop.test\r\nUser-Agent: t/1\r\n\r\n';
const reply = (status: number) => `HTTP/1.1 ${status} X\r\nContent-Length: 2\r\n\r\nok`;

describe('Observer', () => {
  it('builds a span for each end, with what the conventions ask for', () => {
    const inline = new InlineObserver();
    const started = inline.model.time;
    inline.exchange(40_000, GET, reply(200));
    inline.advance(1000);
    inline.advance(1000);
    const [server, client] = [SpanKind.server, SpanKind.client].map(
      (kind) => inline.spans.find((span) => span.kind === kind)!,
    );
    expect(server).toMatchObject({
      name: 'GET',
      status: { code: StatusCode.unset },
      scope: { name: 'kindling/ebpf', version: '0.0.0' },
      parentSpanId: client!.spanId,
      traceId: client!.traceId,
    });
    expect(server!.attributes).toEqual({
      'http.request.method': 'GET',
      'http.response.status_code': 200,
      'url.path': '/a/b',
      'url.query': 'user=REDACTED&x',
      'url.scheme': 'http',
      'server.address': 'shop.test',
      'server.port': 80,
      'client.address': '10.0.0.1',
      'network.peer.address': '10.0.0.1',
      'network.peer.port': 40_000,
      'network.protocol.version': '1.1',
      'user_agent.original': 't/1',
      'kindling.source': 'kernel',
    });
    expect(server!.resource.attributes).toEqual({
      'service.name': 'server',
      'process.pid': 200,
      'process.executable.name': 'node',
      'process.executable.path': '/usr/bin/node',
      'host.name': 'localhost',
      'container.id': 'c200',
    });
    expect(client!.attributes).toMatchObject({
      'url.full': 'http://shop.test/a/b?user=REDACTED&x',
      'network.peer.address': '10.0.0.2',
      'network.peer.port': 8080,
    });
    expect(client!.attributes).not.toHaveProperty('url.path');
    expect(client!.startTimeUnixNano).toBeGreaterThan(timeToBigInt(OFFSET) + BigInt(started));
    expect(client!.endTimeUnixNano - client!.startTimeUnixNano).toBe(40_000n);
    expect(server!.startTimeUnixNano).toBeGreaterThan(client!.startTimeUnixNano);
    expect(server!.endTimeUnixNano).toBeLessThan(client!.endTimeUnixNano);
  });

  it('marks errors as each side sees them', () => {
    const inline = new InlineObserver();
    inline.exchange(1, GET, reply(404));
    inline.exchange(2, GET, reply(503));
    inline.exchange(3, 'BREW / HTTP/1.1\r\n\r\n', reply(200));
    inline.observer.flush();
    const seen = inline.spans.map(({ kind, status, attributes, name }) => [
      kind,
      name,
      attributes['http.response.status_code'],
      status.code,
      attributes['error.type'],
    ]);
    expect(seen).toEqual(
      expect.arrayContaining([
        [SpanKind.server, 'GET', 404, StatusCode.unset, undefined],
        [SpanKind.client, 'GET', 404, StatusCode.error, '404'],
        [SpanKind.server, 'GET', 503, StatusCode.error, '503'],
        [SpanKind.client, 'GET', 503, StatusCode.error, '503'],
        [SpanKind.server, 'HTTP', 200, StatusCode.unset, undefined],
      ]),
    );
    expect(inline.spans.find(({ name }) => name === 'HTTP')?.attributes).toMatchObject({
      'http.request.method': '_OTHER',
      'http.request.method_original': 'BREW',
    });
  });

  it('sends a batch when it is old enough, by the clock of the records', () => {
    const inline = new InlineObserver();
    inline.advance(20);
    inline.exchange(1, GET, reply(200));
    inline.advance(100);
    expect(inline.batches).toHaveLength(0);
    inline.advance(150);
    expect(inline.batches.map(({ itemCount }) => itemCount)).toEqual([2]);
    expect(inline.observer.stats()).toMatchObject({ spans_built: 2, spans_held: 0, exchanges_held: 0 });
  });

  it('sends a batch when it is large enough', () => {
    const inline = new InlineObserver();
    for (let port = 1; port <= 2000; port++) inline.exchange(port, GET, reply(200));
    expect(inline.batches.length).toBeGreaterThan(0);
    for (const { bytes } of inline.batches) expect(bytes.length).toBeLessThan(1024 * 1024 + 2000);
    inline.observer.flush();
    expect(inline.spans).toHaveLength(4000);
  });

  it('appends the profile of the join and tells it of losses', () => {
    const losses: [number, number][] = [];
    const inline = new InlineObserver({}, (dependencies) => ({
      ...createPassThroughEngine(dependencies),
      // Field 10 of Span: dropped_attributes_count.
      exchange: (exchange) => dependencies.emitExchange(exchange, Uint8Array.of(0x50, 7)),
      lost: (from, to) => losses.push([from, to]),
    }));
    const stats = new Float64Array(STAT.COUNT);
    inline.observer.kernelCounted(100, stats);
    stats[STAT.SCHED_RING_FULL] = 5;
    inline.observer.kernelCounted(200, stats);
    inline.observer.kernelCounted(300, stats);
    expect(losses).toEqual([[100, 200]]);
    inline.exchange(1, GET, reply(200));
    inline.observer.flush();
    expect(inline.spans.map(({ droppedAttributesCount }) => droppedAttributesCount)).toEqual([7, 7]);
  });
});
