import { describe, expect, it } from 'vitest';
import { Naming } from '../../../../src/exporters/prometheus/naming.js';
import { measurementOptions, metricsConfig } from '../../../../src/observer/metrics/config.js';
import { clusteredPath } from '../../../../src/observer/metrics/former-names.js';
import { flatMetrics, lastPoints, totalValue } from '../../../helpers/decoded-metrics.js';
import { InlineObserver } from '../../../helpers/observer.js';

const create = (naming: string) =>
  new InlineObserver({
    metrics: measurementOptions(metricsConfig().parse({ naming }), 'agent', 'localhost', true),
  });

const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: shop.test\r\n\r\n`;
const reply = (status: number) => `HTTP/1.1 ${status} X\r\nContent-Length: 2\r\n\r\nok`;
const UNKNOWN = 'NOT_FOUND_INTERNAL';
const OUTSIDE = 'NOT_FOUND_EXTERNAL';

describe('naming: kindling', () => {
  it('has the names and labels of old dashboards', () => {
    const inline = create('kindling');
    for (let port = 1; port <= 10; port++) inline.exchange(port, get(`/item/${port}?a=1`), reply(200));
    inline.exchange(99, get('/item/x9'), reply(500));
    inline.observer.flush();
    const metrics = flatMetrics(inline.metricBatches);
    expect(metrics.filter(({ name }) => name.startsWith('http.'))).toEqual([]);
    const naming = new Naming('UnderscoreEscapingWithSuffixes', '');
    for (const { name, unit } of metrics.filter((metric) => metric.name.startsWith('kindling_'))) {
      expect(naming.metric(name, unit, 'counter')).toBe(name);
    }
    const own = { namespace: UNKNOWN, workload_kind: UNKNOWN };
    const entity = lastPoints(inline.metricBatches, 'kindling_entity_request_total');
    expect(entity.map(({ attributes, asInt }) => [attributes, asInt])).toEqual([
      [
        {
          ...own,
          workload_name: 'server',
          service: 'server',
          protocol: 'http',
          request_content: '/item/*',
          response_content: '200',
          is_slow: false,
        },
        10n,
      ],
      [expect.objectContaining({ response_content: '500' }), 1n],
    ]);
    const topology = lastPoints(inline.metricBatches, 'kindling_topology_request_total');
    expect(topology[0]?.attributes).toEqual({
      src_namespace: UNKNOWN,
      src_workload_kind: UNKNOWN,
      src_workload_name: 'client',
      src_service: 'client',
      dst_namespace: OUTSIDE,
      dst_workload_kind: OUTSIDE,
      dst_workload_name: 'shop.test',
      dst_service: 'shop.test',
      dst_node: OUTSIDE,
      dst_pod: OUTSIDE,
      protocol: 'http',
      status_code: '200',
      is_slow: false,
    });
    const total = (name: string) => totalValue(lastPoints(inline.metricBatches, `kindling_${name}`));
    const bytes = 11 * reply(200).length;
    expect(total('entity_request_send_bytes_total')).toBe(bytes);
    expect(total('topology_request_response_bytes_total')).toBe(bytes);
    expect(total('entity_request_receive_bytes_total')).toBe(total('topology_request_request_bytes_total'));
    const ns = inline.spans.reduce(
      (sum, span) => sum + Number(span.endTimeUnixNano - span.startTimeUnixNano),
      0,
    );
    const durations = total('entity_request_duration_nanoseconds_total');
    expect(durations + total('topology_request_duration_nanoseconds_total')).toBe(ns);
  });

  it('can be had beside the others', () => {
    const inline = create('both');
    inline.exchange(1, get('/a'), reply(200));
    inline.observer.flush();
    const names = new Set(flatMetrics(inline.metricBatches).map(({ name }) => name));
    expect(names).toContain('http.server.request.duration');
    expect(names).toContain('kindling_entity_request_total');
  });
});

it.each([
  ['/', '/'],
  ['/users/42/items', '/users/*/items'],
  ['/a-b_c/x1?id=7', '/a-b_c/*'],
  ['/%41', '/*'],
])('clusteredPath(%s): %s', (path, expected) => {
  expect(clusteredPath(path)).toBe(expected);
});
