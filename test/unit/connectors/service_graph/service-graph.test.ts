import { describe, expect, it } from 'vitest';
import type { Batch } from '../../../../src/component/signal.js';
import { serviceGraphConfig } from '../../../../src/connectors/service_graph/config.js';
import { ServiceGraphConnector } from '../../../../src/connectors/service_graph/service-graph.js';
import { measurementOptions, metricsConfig } from '../../../../src/observer/metrics/config.js';
import { testSettings } from '../../../helpers/batches.js';
import { flatMetrics, totalValue } from '../../../helpers/decoded-metrics.js';
import { InlineObserver } from '../../../helpers/observer.js';
import { RecordedMetrics } from '../../../helpers/recorded-metrics.js';
import { SPAN_START_MS, spanBatch, type TestSpan } from '../../../helpers/span-batch.js';

function create(config: object = {}) {
  const out: Batch[] = [];
  const time = { ms: SPAN_START_MS };
  const metrics = new RecordedMetrics();
  const settings = {
    ...testSettings({ kind: 'connector', id: 'service_graph' }, () => time.ms),
    metrics,
  };
  const next = {
    consume: async (batch: Batch) => {
      out.push(batch);
    },
  };
  const connector = new ServiceGraphConnector(settings, serviceGraphConfig().parse(config), next);
  const consume = (spans: readonly TestSpan[]) => connector.consume(spanBatch(spans));
  /** Everything that waits is given up; what the connector says then. */
  const end = async () => {
    time.ms += 10_000;
    await connector.shutdown(AbortSignal.timeout(1000));
    const all = flatMetrics(out);
    const points = (name: string) =>
      all.filter((one) => one.name === `traces_service_graph_request_${name}`).flatMap((one) => one.points);
    const edges = points('total').map(({ attributes: a, asInt }) => {
      const failed = a.failed === true ? ' failed' : '';
      return `${a.client} -> ${a.server} [${a.connection_type}]${failed} ${asInt}`;
    });
    return { all, points, edges };
  };
  return { connector, consume, end, metrics, time };
}

const call = (trace: string, ms = 10, error = false): TestSpan[] => [
  { service: 'web', kind: 'client', trace, id: `c${trace}`, ms: ms + 2, error },
  { service: 'shop', kind: 'server', trace, id: `s${trace}`, parent: `c${trace}`, ms, error },
];

describe('service_graph', () => {
  it('makes an edge of the spans of both ends, whichever comes first', async () => {
    const { consume, end } = create();
    await consume(call('1'));
    await consume(call('2').toReversed());
    await consume([call('3')[0]!]);
    await consume([call('3')[1]!]);
    const { edges, points, all } = await end();
    expect(edges).toEqual(['web -> shop [] 3']);
    expect(points('server')[0]).toMatchObject({
      count: 3n,
      explicitBounds: [0.002, 0.004, 0.006, 0.008, 0.01, 0.05, 0.1, 0.2, 0.4, 0.8, 1, 1.4, 2, 5, 10, 15],
    });
    expect(points('server')[0]?.sum).toBeCloseTo(0.03);
    expect(points('client')[0]?.sum).toBeCloseTo(0.036);
    expect(points('failed_total')).toEqual([]);
    expect(all[0]?.scope).toBe('traces_service_graph');
    expect(all[0]?.resource['service.instance.id']).toMatch(/^[0-9a-f-]{36}$/);
    expect(all.find(({ name }) => name.endsWith('_server'))?.unit).toBe('s');
  });

  it('counts failures by themselves', async () => {
    const { consume, end } = create();
    await consume([...call('1'), ...call('2', 10, true)]);
    const { edges, points } = await end();
    expect(edges).toEqual(['web -> shop [] 1', 'web -> shop [] failed 1']);
    expect(totalValue(points('failed_total'))).toBe(1);
  });

  it.each<[string, TestSpan, string]>([
    [
      'a database, of old names',
      { service: 'shop', kind: 'client', attributes: { 'db.name': 'orders', 'db.system': 'mysql' } },
      'shop -> orders [database] 1',
    ],
    [
      'a database, of new names',
      {
        service: 'shop',
        kind: 'client',
        attributes: { 'db.system.name': 'postgresql', 'db.namespace': 'orders' },
      },
      'shop -> orders [database] 1',
    ],
    [
      'a database whose name is a number',
      { service: 'shop', kind: 'client', attributes: { 'db.system.name': 'redis', 'db.namespace': '0' } },
      'shop -> redis [database] 1',
    ],
    [
      'a queue',
      {
        service: 'shop',
        kind: 'producer',
        attributes: { 'messaging.system': 'kafka', 'messaging.destination.name': 'mails' },
      },
      'shop -> mails [messaging_system] 1',
    ],
    [
      'a queue that nobody was seen to fill',
      {
        service: 'mailer',
        kind: 'consumer',
        attributes: { 'messaging.system': 'kafka', 'messaging.destination.name': 'mails' },
      },
      'mails -> mailer [messaging_system] 1',
    ],
    [
      'an external peer',
      { service: 'shop', kind: 'client', attributes: { 'server.address': 'api.test' } },
      'shop -> api.test [virtual_node] 1',
    ],
    [
      'a peer with a name of its own',
      { service: 'shop', kind: 'client', attributes: { 'server.address': 'x', 'peer.service': 'bank' } },
      'shop -> bank [virtual_node] 1',
    ],
    ['an unknown peer', { service: 'shop', kind: 'client' }, 'shop -> unknown [virtual_node] 1'],
    ['a user', { service: 'shop', kind: 'server' }, 'user -> shop [virtual_node] 1'],
  ])('needs one end only for %s', async (_, span, edge) => {
    const { consume, end } = create();
    await consume([span]);
    const { edges, points } = await end();
    expect(edges).toEqual([edge]);
    expect(points('server')[0]?.sum).toBe(0.01);
    expect(points('client')[0]?.sum).toBe(0.01);
  });

  it('says nothing of a request whose client is seen elsewhere', async () => {
    const { consume, end, metrics } = create();
    await consume([{ service: 'shop', kind: 'server', parent: 'far away' }]);
    expect((await end()).edges).toEqual([]);
    expect(metrics.counts.expired_edges).toBe(1);
  });

  it('drops what does not fit while it waits, and counts it', async () => {
    const { consume, end, metrics } = create({ store: { max_items: 10 } });
    await consume(Array.from({ length: 25 }, () => ({ service: 'shop', kind: 'client' as const })));
    expect((await end()).edges).toEqual(['shop -> unknown [virtual_node] 10']);
    expect(metrics.counts.dropped_spans).toBe(15);
    expect(metrics.counts.total_edges).toBe(10);
  });

  it('has further dimensions of both ends, and says which is virtual', async () => {
    const { consume, end } = create({ dimensions: ['service.namespace'], virtual_node_extra_label: true });
    await consume([
      { service: 'web', kind: 'client', trace: '1', id: 'c', resource: { 'service.namespace': 'a' } },
      { service: 'shop', kind: 'server', trace: '1', parent: 'c', resource: { 'service.namespace': 'b' } },
      { service: 'shop', kind: 'server', resource: { 'service.namespace': 'b' } },
    ]);
    const { points } = await end();
    expect(points('total').map(({ attributes }) => attributes)).toEqual([
      {
        client: 'web',
        server: 'shop',
        connection_type: '',
        failed: false,
        'client_service.namespace': 'a',
        'server_service.namespace': 'b',
      },
      {
        client: 'user',
        server: 'shop',
        connection_type: 'virtual_node',
        failed: false,
        'server_service.namespace': 'b',
        virtual_node: 'client',
      },
    ]);
  });

  it('draws what the kernel saw', async () => {
    const inline = new InlineObserver({
      metrics: measurementOptions(metricsConfig().parse({}), 'agent', 'localhost', true),
    });
    const request = 'GET /a HTTP/1.1\r\nHost: shop.test\r\n\r\n';
    for (let port = 1; port <= 20; port++) {
      inline.exchange(port, request, 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
    }
    inline.exchange(99, request, 'HTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n');
    inline.observer.flush();
    const { connector, end } = create();
    for (const { bytes, itemCount } of inline.batches) {
      await connector.consume({ signal: 'traces', bytes, itemCount, origin: { receiver: 'ebpf' } });
    }
    expect((await end()).edges).toEqual(['client -> server [] 20', 'client -> server [] failed 1']);
  });

  it.each([
    [
      { latency_histogram_buckets: ['1ms'], exponential_histogram_max_size: 5 },
      'use either `latency_histogram_buckets` or `exponential_histogram_max_size`',
    ],
    [{ exponential_histogram_max_size: -1 }, '`exponential_histogram_max_size` can not be negative'],
  ])('refuses %j', (config, message) => {
    expect(() => serviceGraphConfig().parse(config)).toThrow(message);
  });
});
