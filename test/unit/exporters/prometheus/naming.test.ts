import { describe, expect, it } from 'vitest';
import { Naming, type PrometheusType } from '../../../../src/exporters/prometheus/naming.js';

describe('names of metrics', () => {
  const suffixes = new Naming('UnderscoreEscapingWithSuffixes', '');
  it.each<[string, string, PrometheusType, string]>([
    ['http.server.request.duration', 's', 'histogram', 'http_server_request_duration_seconds'],
    ['system.cpu.time', 's', 'counter', 'system_cpu_time_seconds_total'],
    ['system.memory.usage', 'By', 'gauge', 'system_memory_usage_bytes'],
    ['system.memory.utilization', '1', 'gauge', 'system_memory_utilization_ratio'],
    ['requests', '1', 'counter', 'requests_total'],
    ['requests', '{request}', 'counter', 'requests_total'],
    ['traces_service_graph_request_total', '', 'counter', 'traces_service_graph_request_total'],
    ['traces_service_graph_request_server', 's', 'histogram', 'traces_service_graph_request_server_seconds'],
    ['traces.span.metrics.duration', 'ms', 'histogram', 'traces_span_metrics_duration_milliseconds'],
    ['disk.io', 'By/s', 'gauge', 'disk_io_bytes_per_second'],
    ['packets', '{packet}/s', 'gauge', 'packets_per_second'],
    ['dropped', 'packets', 'gauge', 'dropped_packets'],
    ['total.bytes.read', 'By', 'counter', 'bytes_read_total'],
    ['9lives', '', 'gauge', '_9lives'],
    ['(lambda).function.executions(#)', '', 'counter', 'lambda_function_executions_total'],
    ['...', '', 'gauge', ''],
  ])('%s [%s] as %s: %s', (name, unit, type, expected) => {
    expect(suffixes.metric(name, unit, type)).toBe(expected);
  });

  it.each([
    ['UnderscoreEscapingWithoutSuffixes', 'shop_cpu_time'],
    ['NoUTF8EscapingWithSuffixes', 'shop_cpu.time_seconds_total'],
    ['NoTranslation', 'shop_cpu.time'],
    ['UnderscoreEscapingWithSuffixes', 'shop_cpu_time_seconds_total'],
  ] as const)('%s', (strategy, expected) => {
    expect(new Naming(strategy, 'shop').metric('cpu.time', 's', 'counter')).toBe(expected);
  });
});
