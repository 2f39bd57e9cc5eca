import { describe, expect, it } from 'vitest';
import { measurementOptions, metricsConfig } from '../../../../src/observer/metrics/config.js';
import { REQUEST_METRICS } from '../../../../src/observer/metrics/request-definitions.js';
import { lastLabels } from '../../../../src/observer/metrics/request-metrics.js';
import type { ObserverOptions } from '../../../../src/observer/observer.js';
import { loadSeeds, stepBytes } from '../../../fuzz/protocols/seed.js';
import { flatMetrics, lastPoints, totalCount, totalValue } from '../../../helpers/decoded-metrics.js';
import { InlineObserver } from '../../../helpers/observer.js';

const get = (path: string, headers = '') => `GET ${path} HTTP/1.1\r\nHost: shop.test\r\n${headers}\r\n`;
const reply = (status: number) => `HTTP/1.1 ${status} X\r\nContent-Length: 2\r\n\r\nok`;

const measuring = (settings: object = {}, spansAreSent = true): Partial<ObserverOptions> => ({
  metrics: measurementOptions(metricsConfig().parse(settings), 'agent', 'localhost', spansAreSent),
});

const DURATIONS = REQUEST_METRICS.filter(({ kind }) => kind === 'histogram').map(({ name }) => name);

/** Plays every seed of a protocol over a connection of its own. */
async function play(inline: InlineObserver, protocol: string, port: number): Promise<void> {
  let clientPort = 50_000;
  for (const seed of await loadSeeds(protocol)) {
    if ((seed.transport ?? 'tcp') !== 'tcp') continue;
    const { client, server } = inline.model.connect(['10.0.0.1', clientPort++], ['10.0.0.2', port]);
    for (const step of seed.steps) {
      const [from, to] = step[0] === 'client' ? [client, server] : [server, client];
      from.send(stepBytes(step));
      to.receive(stepBytes(step));
    }
    client.close();
    server.close();
  }
  inline.advance(2000);
  inline.observer.flush();
}

describe('request metrics', () => {
  it('time every HTTP exchange at both ends, under the names and attributes of the conventions', () => {
    const inline = new InlineObserver(measuring());
    for (let port = 1; port <= 30; port++) inline.exchange(port, get(`/item/${port}?q=1`), reply(200));
    inline.exchange(40, get('/gone'), reply(404));
    inline.exchange(41, get('/broken'), reply(503));
    inline.observer.flush();
    const server = lastPoints(inline.metricBatches, 'http.server.request.duration');
    expect(server.map(({ attributes, count }) => [attributes, count])).toEqual([
      [
        {
          'http.request.method': 'GET',
          'url.scheme': 'http',
          'http.response.status_code': 200,
          'network.protocol.version': '1.1',
        },
        30n,
      ],
      [expect.objectContaining({ 'http.response.status_code': 404 }), 1n],
      [expect.objectContaining({ 'http.response.status_code': 503, 'error.type': '503' }), 1n],
    ]);
    expect(server[1]?.attributes).not.toHaveProperty('error.type');
    const client = lastPoints(inline.metricBatches, 'http.client.request.duration');
    expect(totalCount(client)).toBe(32);
    expect(client[1]?.attributes).toEqual({
      'http.request.method': 'GET',
      'http.response.status_code': 404,
      'error.type': '404',
      'server.address': 'shop.test',
      'server.port': 80,
      'network.protocol.version': '1.1',
    });
    expect(client[0]?.explicitBounds).toEqual([
      0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10,
    ]);
    const [metric] = flatMetrics(inline.metricBatches);
    expect(metric).toMatchObject({ unit: 's', scope: 'kindling/ebpf' });
  });

  it('agree with the spans: as many, and as long', () => {
    const inline = new InlineObserver(measuring());
    for (let port = 1; port <= 100; port++)
      inline.exchange(port, get('/a'), reply(port % 10 === 0 ? 500 : 200));
    inline.observer.flush();
    const spans = inline.spans;
    const points = ['server', 'client'].flatMap((side) =>
      lastPoints(inline.metricBatches, `http.${side}.request.duration`),
    );
    expect(totalCount(points)).toBe(spans.length);
    const seconds = spans.reduce(
      (sum, { startTimeUnixNano, endTimeUnixNano }) =>
        sum + Number(endTimeUnixNano - startTimeUnixNano) / 1e9,
      0,
    );
    expect(points.reduce((sum, point) => sum + (point.sum ?? 0), 0)).toBeCloseTo(seconds, 9);
  });

  it('count the bytes of each direction as each end sees them', () => {
    const inline = new InlineObserver(measuring());
    for (let port = 1; port <= 3; port++) inline.exchange(port, get('/a'), reply(200));
    inline.observer.flush();
    const points = lastPoints(inline.metricBatches, 'kindling.request.io');
    const bytes = (side: string, direction: string) =>
      totalValue(
        points.filter(
          ({ attributes }) =>
            attributes['kindling.side'] === side && attributes['network.io.direction'] === direction,
        ),
      );
    const [request, response] = [3 * get('/a').length, 3 * reply(200).length];
    expect(bytes('client', 'transmit')).toBe(request);
    expect(bytes('client', 'receive')).toBe(response);
    expect(bytes('server', 'receive')).toBe(request);
    expect(bytes('server', 'transmit')).toBe(response);
  });

  it.each([
    ['http2', 50_051, ['rpc.client.call.duration', 'rpc.server.call.duration']],
    ['postgresql', 5432, ['db.client.operation.duration', 'kindling.db.server.operation.duration']],
    ['redis', 6379, ['db.client.operation.duration', 'kindling.db.server.operation.duration']],
    ['mysql', 3306, ['db.client.operation.duration', 'kindling.db.server.operation.duration']],
  ] as const)('know %s', async (protocol, port, names) => {
    const inline = new InlineObserver(measuring());
    await play(inline, protocol, port);
    const spans = inline.spans;
    expect(spans.length).toBeGreaterThan(2);
    const count = (name: string) => totalCount(lastPoints(inline.metricBatches, name));
    for (const name of names) expect(count(name)).toBeGreaterThan(0);
    const waiting = inline.observer.stats().requests_waiting_not_timed ?? 0;
    expect(DURATIONS.reduce((sum, name) => sum + count(name), 0) + waiting).toBe(spans.length);
    const declared = new Map(REQUEST_METRICS.map((metric) => [metric.name, new Set(metric.attributes)]));
    for (const { name, points } of flatMetrics(inline.metricBatches)) {
      for (const { attributes } of points) {
        for (const key of Object.keys(attributes))
          expect(declared.get(name)?.has(key), `${name} ${key}`).toBe(true);
      }
    }
  });

  it('name traces: of the wire, of its own spans, and none that nobody sends', () => {
    const traceparent = `traceparent: 00-${'a1'.repeat(16)}-${'b2'.repeat(8)}-01\r\n`;
    const unsampled = traceparent.replace('-01\r\n', '-00\r\n');
    const exemplarsOf = (headers: string, spansAreSent: boolean) => {
      const inline = new InlineObserver(measuring({}, spansAreSent));
      inline.exchange(1, get('/a', headers), reply(200));
      inline.observer.flush();
      const [client] = lastPoints(inline.metricBatches, 'http.client.request.duration');
      return { exemplars: client?.exemplars ?? [], spans: inline.spans };
    };
    expect(exemplarsOf(traceparent, false).exemplars).toMatchObject([
      { traceId: 'a1'.repeat(16), spanId: 'b2'.repeat(8) },
    ]);
    expect(exemplarsOf(unsampled, true).exemplars).toEqual([]);
    const own = exemplarsOf('', true);
    expect(own.spans.map(({ spanId }) => spanId)).toContain(own.exemplars[0]?.spanId);
    expect(exemplarsOf('', false).exemplars).toEqual([]);
  });

  it('belong to services, with an id of their own that a restart does not change', () => {
    const resources = () => {
      const inline = new InlineObserver(measuring());
      inline.exchange(1, get('/a'), reply(200));
      inline.observer.flush();
      return new Map(
        flatMetrics(inline.metricBatches).map(({ resource }) => [resource['service.name'], resource]),
      );
    };
    const server = resources().get('server');
    expect(server).toEqual({
      'service.name': 'server',
      'container.id': 'c200',
      'host.name': 'localhost',
      'service.instance.id': expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
    expect(resources().get('server')).toEqual(server);
    expect(resources().get('client')?.['service.instance.id']).not.toBe(server?.['service.instance.id']);
  });

  it('are sent at the interval of the records, the sums going on', () => {
    const inline = new InlineObserver(measuring({ interval: '10s' }));
    inline.exchange(1, get('/a'), reply(200));
    inline.advance(5000);
    expect(inline.metricBatches).toHaveLength(0);
    inline.advance(6000);
    expect(inline.metricBatches.length).toBeGreaterThan(0);
    const before = lastPoints(inline.metricBatches, 'http.server.request.duration');
    inline.exchange(2, get('/a'), reply(200));
    inline.advance(11_000);
    const after = lastPoints(inline.metricBatches, 'http.server.request.duration');
    expect(after).toHaveLength(1);
    expect([before[0]?.count, after[0]?.count]).toEqual([1n, 2n]);
    expect(after[0]?.startTimeUnixNano).toBe(before[0]?.startTimeUnixNano);
  });

  it('hold their budget when a client calls 10,000 hosts', () => {
    const inline = new InlineObserver({ ...measuring({ series_limit: 100 }), sendsSpans: false });
    const { client, server } = inline.model.connect(['10.0.0.1', 1], ['10.0.0.2', 8080]);
    for (let host = 0; host < 10_000; host++) {
      const request = `GET /${host} HTTP/1.1\r\nHost: h${host}.test\r\n\r\n`;
      client.send(request);
      server.receive(request);
      server.send(reply(200));
      client.receive(reply(200));
    }
    expect(inline.observer.stats().metric_series_held).toBeLessThanOrEqual(400);
    inline.observer.flush();
    const points = lastPoints(inline.metricBatches, 'http.client.request.duration');
    expect(points).toHaveLength(100);
    expect(totalCount(points)).toBe(10_000);
    expect(points.at(-1)).toMatchObject({ attributes: { 'otel.metric.overflow': true }, count: 9901n });
    const server200 = lastPoints(inline.metricBatches, 'http.server.request.duration');
    expect(server200.map(({ count }) => count)).toEqual([10_000n]);
  });

  it('are not measured when nobody asked for them', () => {
    const inline = new InlineObserver();
    inline.exchange(1, get('/a'), reply(200));
    inline.advance(60_000);
    inline.observer.flush();
    expect(inline.metricBatches).toEqual([]);
    expect(inline.observer.stats()).not.toHaveProperty('metric_series_held');
  });

  it('need no spans', () => {
    const inline = new InlineObserver({ ...measuring({}, false), sendsSpans: false });
    inline.exchange(1, get('/a'), reply(200));
    inline.observer.flush();
    expect(inline.spans).toEqual([]);
    expect(inline.observer.stats()).toMatchObject({ spans_built: 0 });
    expect(totalCount(lastPoints(inline.metricBatches, 'http.client.request.duration'))).toBe(1);
  });
});

describe('lastLabels', () => {
  it.each([
    ['a.b.example.org', 2, 'example.org'],
    ['a.b.example.org.', 2, 'example.org'],
    ['org', 2, 'org'],
    ['.', 2, '.'],
    ['a.b', 0, 'a.b'],
  ])('%s, %i: %s', (name, count, expected) => {
    expect(lastLabels(name, count)).toBe(expected);
  });
});
