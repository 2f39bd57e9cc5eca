/** The page that Prometheus scrapes: names and labels of a Collector, from what components count. */
import { createServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { RetryableError } from '../../../src/component/errors.js';
import { serviceFields } from '../../../src/config/service.js';
import { YoungCollection } from '../../../src/memory/young-collection.js';
import { Intake } from '../../../src/pipeline/intake.js';
import { acceptOtlp } from '../../../src/receiver/otlp/export-request.js';
import { NOP_LOGGER } from '../../../src/telemetry/logger.js';
import { collectorFamilies } from '../../../src/telemetry/prometheus/collector-families.js';
import { renderFamilies } from '../../../src/telemetry/prometheus/family.js';
import { MetricsServers } from '../../../src/telemetry/prometheus/metrics-server.js';
import { MetricsRegistry } from '../../../src/telemetry/registry.js';
import { batchOf } from '../../helpers/batches.js';
import { CaptureLogger } from '../../helpers/capture-logger.js';
import { tracesRequest } from '../../helpers/otlp/payload.js';
import { startPipeline } from '../../helpers/pipeline.js';

const PLAIN = { typeSuffix: false, unitSuffix: false };
let servers: MetricsServers | undefined;
afterEach(async () => {
  await servers?.shutdown();
  servers = undefined;
});

const telemetry = (metrics: object) => serviceFields().parse({ telemetry: { metrics } }).telemetry;
const reader = (options: object) => ({
  pull: { exporter: { prometheus: { host: '127.0.0.1', port: 0, ...options } } },
});
const samplesOf = (page: string) => page.split('\n').filter((line) => line !== '' && !line.startsWith('#'));

describe('names of a Collector', () => {
  it('tells receivers by transport, with zeros once a request came', async () => {
    const registry = new MetricsRegistry();
    const { own } = registry.account({ kind: 'receiver', id: 'otlp' });
    own.gauge('transports', 2);
    let refuse = false;
    const next = {
      consume: async () => {
        if (refuse) throw new RetryableError('later');
      },
    };
    const settings = { id: 'otlp', logger: NOP_LOGGER, metrics: own, now: Date.now };
    const intake = new Intake('traces', next, settings, new YoungCollection());
    const page = () => samplesOf(renderFamilies(collectorFamilies(registry.snapshot(), 'normal'), PLAIN));
    expect(page()).toEqual([]);
    await acceptOtlp(intake, tracesRequest(3), 'grpc', undefined);
    refuse = true;
    await expect(acceptOtlp(intake, tracesRequest(2), 'http', undefined)).rejects.toThrow('later');
    expect(page()).toEqual([
      'otelcol_receiver_accepted_spans{receiver="otlp",transport="grpc"} 3',
      'otelcol_receiver_accepted_spans{receiver="otlp",transport="http"} 0',
      'otelcol_receiver_failed_spans{receiver="otlp",transport="grpc"} 0',
      'otelcol_receiver_failed_spans{receiver="otlp",transport="http"} 0',
      'otelcol_receiver_refused_spans{receiver="otlp",transport="grpc"} 0',
      'otelcol_receiver_refused_spans{receiver="otlp",transport="http"} 2',
    ]);
  });

  it('shows processors, the batch histogram (not at basic), exporters and their queues', async () => {
    const harness = await startPipeline(`
receivers: { in: }
processors:
  memory_limiter: { check_interval: 1s, limit_percentage: 100 }
  batch: { send_batch_size: 4, timeout: 10m }
exporters:
  out:
  otlp_grpc: { endpoint: 'http://127.0.0.1:1', retry_on_failure: { enabled: false } }
service:
  pipelines:
    traces: { receivers: [in], processors: [memory_limiter, batch], exporters: [out] }
    logs: { receivers: [in], exporters: [otlp_grpc] }
`);
    await harness.next().consume(batchOf(5));
    await harness.next('logs').consume(batchOf(2, 'logs'));
    await harness.agent.stop();
    const snapshot = harness.agent.snapshot();
    const lines = samplesOf(renderFamilies(collectorFamilies(snapshot, 'normal'), PLAIN));
    for (const expected of [
      'otelcol_receiver_accepted_spans{receiver="in"} 5',
      'otelcol_processor_incoming_items{processor="memory_limiter",otel_signal="traces"} 5',
      'otelcol_processor_outgoing_items{processor="memory_limiter",otel_signal="traces"} 5',
      'otelcol_processor_memory_limiter_accepted_spans{processor="memory_limiter"} 5',
      'otelcol_processor_batch_batch_send_size_bucket{processor="batch",le="10"} 1',
      'otelcol_processor_batch_batch_send_size_bucket{processor="batch",le="+Inf"} 1',
      'otelcol_processor_batch_batch_send_size_sum{processor="batch"} 5',
      'otelcol_processor_batch_batch_send_size_count{processor="batch"} 1',
      'otelcol_processor_batch_batch_size_trigger_send{processor="batch"} 1',
      'otelcol_processor_batch_timeout_trigger_send{processor="batch"} 0',
      'otelcol_exporter_sent_spans{exporter="out"} 5',
      'otelcol_exporter_send_failed_log_records{exporter="otlp_grpc",server_address="127.0.0.1",server_port="1"} 2',
      'otelcol_exporter_sent_log_records{exporter="otlp_grpc",server_address="127.0.0.1",server_port="1"} 0',
      'otelcol_exporter_enqueue_failed_log_records{exporter="otlp_grpc"} 0',
      'otelcol_exporter_queue_capacity{exporter="otlp_grpc",data_type="logs"} 1000',
      'otelcol_exporter_queue_size{exporter="otlp_grpc",data_type="logs"} 0',
      'otelcol_exporter_in_flight_requests{exporter="otlp_grpc",data_type="logs"} 0',
    ]) {
      expect(lines).toContain(expected);
    }
    expect(lines.filter((line) => line.includes('incoming_items{processor="batch"'))).toEqual([]);
    const basic = renderFamilies(collectorFamilies(snapshot, 'basic'), PLAIN);
    expect(basic).not.toContain('processor_batch_');
  });
});

describe('the server', () => {
  it('serves text with help, type, target and our own names', async () => {
    const registry = new MetricsRegistry();
    registry.account({ kind: 'exporter', id: 'odd"id\\', instance: 'traces' }).edges.sent('traces', 1);
    const target = { 'service.name': 'kindling', 'service.instance.id': 'i' };
    const config = telemetry({
      readers: [reader({ without_type_suffix: true, without_units: true }), reader({})],
    });
    servers = new MetricsServers(registry, new CaptureLogger());
    await servers.apply(config, target);
    const [plain, suffixed] = await Promise.all(
      servers.addresses.map(async ({ port }) => {
        const response = await fetch(`http://127.0.0.1:${port}/metrics`, {
          headers: { accept: 'application/openmetrics-text' },
        });
        expect(response.headers.get('content-type')).toBe(
          'text/plain; version=0.0.4; charset=utf-8; escaping=underscores',
        );
        return response.text();
      }),
    );
    expect(plain).toMatch(
      /^# HELP otelcol_process_uptime .*\[Alpha\]\n# TYPE otelcol_process_uptime counter\notelcol_process_uptime \d/m,
    );
    expect(plain).toContain('otelcol_exporter_sent_spans{exporter="odd\\"id\\\\"} 1\n');
    expect(plain).toContain('target_info{service_name="kindling",service_instance_id="i"} 1\n');
    expect(plain).toContain('promhttp_metric_handler_errors_total{cause="encoding"} 0\n');
    expect(plain).toMatch(/^kindling_component_sent\{.*otelcol_signal="traces"\} 1$/m);
    expect(suffixed).toContain('otelcol_exporter_sent_spans_total{');
    expect(suffixed).toMatch(/^otelcol_process_uptime_seconds_total \d/m);
    expect(suffixed).toMatch(/^otelcol_process_memory_rss_bytes \d/m);
    const other = await fetch(`http://127.0.0.1:${servers.addresses[0]!.port}/`);
    expect(other.status).toBe(404);
  });

  it('fails on a taken address that was asked for', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const address = taken.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const start = new MetricsServers(new MetricsRegistry(), new CaptureLogger());
    await expect(start.apply(telemetry({ readers: [reader({ port })] }), {})).rejects.toThrow(
      `binding address 127.0.0.1:${port} for Prometheus exporter: listen tcp 127.0.0.1:${port}: bind: address already in use`,
    );
    await new Promise((resolve) => taken.close(resolve));
  });

  it('goes over to other settings without closing what both have', async () => {
    const registry = new MetricsRegistry();
    servers = new MetricsServers(registry, new CaptureLogger());
    await servers.apply(telemetry({ readers: [reader({}), reader({})] }), { 'service.name': 'a' });
    const [first, second] = servers.addresses;
    const page = async () => (await fetch(`http://127.0.0.1:${first!.port}/metrics`)).text();
    expect(await page()).toContain('otelcol_process_uptime_seconds_total');
    await servers.apply(telemetry({ readers: [reader({ without_units: true })] }), { 'service.name': 'b' });
    expect(servers.addresses).toEqual([first]);
    expect(await page()).toContain('target_info{service_name="b"} 1');
    expect(await page()).toContain('otelcol_process_uptime_total');
    await expect(fetch(`http://127.0.0.1:${second!.port}/metrics`)).rejects.toThrow();

    const bad = telemetry({ readers: [reader({}), reader({ host: '127.0.0.1', port: first!.port })] });
    await expect(servers.apply(bad, {})).rejects.toThrow('address already in use');
    expect(servers.addresses).toEqual([first]);
    expect(await page()).toContain('target_info{service_name="b"} 1');
  });

  it.each([
    { level: 'none', readers: [reader({})] },
    { level: 'none', readers: [] },
  ])('stays off with %j', async (metrics) => {
    servers = new MetricsServers(new MetricsRegistry(), new CaptureLogger());
    await servers.apply(telemetry(metrics), {});
    expect(servers.addresses).toEqual([]);
  });
});
