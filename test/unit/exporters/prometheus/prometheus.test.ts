import { afterEach, describe, expect, it } from 'vitest';
import { prometheusConfig } from '../../../../src/exporters/prometheus/config.js';
import { PrometheusExporter } from '../../../../src/exporters/prometheus/prometheus.js';
import { MetricsWriter, Temporality } from '../../../../src/otlp/metrics-writer.js';
import { timeFromMs } from '../../../../src/otlp/time.js';
import { testSettings } from '../../../helpers/batches.js';
import { testHost } from '../../../helpers/host.js';

const START = Date.UTC(2026, 0, 1);
const at = (seconds: number) => timeFromMs(START + 1000 * seconds);
const RESOURCE = {
  'service.name': 'shop',
  'service.namespace': 'test',
  'service.instance.id': 'i1',
  'host.name': 'h',
};
const open: PrometheusExporter[] = [];

afterEach(async () => {
  for (const exporter of open.splice(0)) await exporter.shutdown();
});

async function start(settings: object = {}) {
  const time = { ms: START };
  const own = testSettings({ kind: 'exporter', id: 'prometheus' }, () => time.ms);
  const exporter = new PrometheusExporter(
    own,
    prometheusConfig().parse({ endpoint: '127.0.0.1:0', ...settings }),
  );
  open.push(exporter);
  await exporter.start(testHost());
  const { address } = exporter;
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const send = async (write: (writer: MetricsWriter) => void, resource = RESOURCE) => {
    const writer = new MetricsWriter();
    writer.resource(resource);
    writer.scope('lib', '1.2');
    write(writer);
    const itemCount = writer.itemCount;
    await exporter.consume({
      signal: 'metrics',
      bytes: writer.finish(),
      itemCount,
      origin: { receiver: 'test' },
    });
  };
  const scrape = async (accept = 'text/plain', path = '/metrics') => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers: { accept } });
    return {
      status: response.status,
      type: response.headers.get('content-type'),
      text: await response.text(),
    };
  };
  const lines = async (accept?: string) =>
    (await scrape(accept)).text
      .split('\n')
      .filter((line) => line !== '' && !line.includes('target_info') && !line.includes('Target metadata'));
  return { exporter, own, time, send, scrape, lines };
}

const counter = (temporality: Temporality = Temporality.cumulative) => ({
  name: 'http.requests',
  description: 'All "of" them\nand more \\.',
  unit: '{request}',
  temporality,
  isMonotonic: true,
});
const LABELS = 'instance="i1",job="test/shop",otel_scope_name="lib",otel_scope_version="1.2"';

describe('prometheus exporter', () => {
  it('shows counters, gauges, histograms and summaries as text', async () => {
    const { send, scrape } = await start();
    await send((writer) => {
      writer.sum(counter(), [
        { attributes: { 'http.route': '/a"b\\c\nd', zone: 'é' }, startTime: at(0), time: at(10), asInt: 3 },
      ]);
      writer.gauge({ name: 'temperature', unit: 'Cel' }, [{ attributes: {}, time: at(10), asDouble: 1.5 }]);
      writer.histogram({ name: 'latency', unit: 's', temporality: Temporality.cumulative }, [
        {
          startTime: at(0),
          time: at(10),
          count: 6,
          sum: 7.25,
          bucketCounts: [1, 2, 3],
          explicitBounds: [0.1, 1],
        },
      ]);
      writer.summary({ name: 'old' }, [
        { time: at(10), count: 2, sum: 3, quantiles: [{ quantile: 0.5, value: 1 }] },
      ]);
    });
    const { status, type, text } = await scrape();
    expect([status, type]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8; escaping=underscores']);
    expect(text).toBe(`# HELP http_requests_total All "of" them\\nand more \\\\.
# TYPE http_requests_total counter
http_requests_total{http_route="/a\\"b\\\\c\\nd",${LABELS},zone="é"} 3
# HELP latency_seconds 
# TYPE latency_seconds histogram
latency_seconds_bucket{${LABELS},le="0.1"} 1
latency_seconds_bucket{${LABELS},le="1"} 3
latency_seconds_bucket{${LABELS},le="+Inf"} 6
latency_seconds_sum{${LABELS}} 7.25
latency_seconds_count{${LABELS}} 6
# HELP old 
# TYPE old summary
old{${LABELS},quantile="0.5"} 1
old_sum{${LABELS}} 3
old_count{${LABELS}} 2
# HELP target_info Target metadata
# TYPE target_info gauge
target_info{host_name="h",instance="i1",job="test/shop"} 1
# HELP temperature_celsius 
# TYPE temperature_celsius gauge
temperature_celsius{${LABELS}} 1.5
`);
  });

  it('shows exemplars in OpenMetrics, to those who accept it', async () => {
    const { send, scrape } = await start({ enable_open_metrics: true, without_scope_info: true });
    const exemplar = { asDouble: 0.5, time: at(5), traceId: 'ab'.repeat(16), spanId: 'cd'.repeat(8) };
    await send((writer) => {
      writer.sum(counter(), [{ startTime: at(0), time: at(10), asInt: 3, exemplars: [{ ...exemplar }] }]);
      writer.histogram({ name: 'latency', unit: 's', temporality: Temporality.cumulative }, [
        {
          startTime: at(0),
          time: at(10),
          count: 2,
          sum: 1,
          bucketCounts: [0, 2],
          explicitBounds: [0.1],
          exemplars: [exemplar],
        },
      ]);
    });
    const { type, text } = await scrape('application/openmetrics-text;version=1.0.0,text/plain;q=0.5');
    expect(type).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=underscores');
    const shown = `# {span_id="${'cd'.repeat(8)}",trace_id="${'ab'.repeat(16)}"} 0.5 ${START / 1000 + 5}`;
    const labels = 'instance="i1",job="test/shop"';
    expect(text.split('\n').filter((line) => !line.startsWith('# HELP'))).toEqual([
      '# TYPE http_requests counter',
      `http_requests_total{${labels}} 3 ${shown}`,
      '# TYPE latency_seconds histogram',
      `latency_seconds_bucket{${labels},le="0.1"} 0`,
      `latency_seconds_bucket{${labels},le="+Inf"} 2 ${shown}`,
      `latency_seconds_sum{${labels}} 1`,
      `latency_seconds_count{${labels}} 2`,
      '# TYPE target_info gauge',
      'target_info{host_name="h",instance="i1",job="test/shop"} 1',
      '# EOF',
      '',
    ]);
    expect((await scrape('text/plain')).text).not.toContain('trace_id');
  });

  it('adds deltas up, and replaces what is cumulative by what is newer', async () => {
    const { send, lines, own } = await start({ without_scope_info: true });
    const delta = (from: number, to: number, value: number) =>
      send((writer) =>
        writer.sum(counter(Temporality.delta), [{ startTime: at(from), time: at(to), asInt: value }]),
      );
    await delta(0, 10, 3);
    await delta(10, 20, 4);
    await delta(10, 20, 4);
    expect(await lines()).toContain('http_requests_total{instance="i1",job="test/shop"} 7');
    const histogram = (from: number, to: number, bounds: readonly number[] = [1]) =>
      send((writer) =>
        writer.histogram({ name: 'h', temporality: Temporality.delta }, [
          {
            startTime: at(from),
            time: at(to),
            count: 2,
            sum: 3,
            bucketCounts: [...bounds.map(() => 1), 1],
            explicitBounds: bounds,
          },
        ]),
      );
    await histogram(0, 10);
    await histogram(10, 20);
    expect(await lines()).toContain('h_bucket{instance="i1",job="test/shop",le="1"} 2');
    await histogram(20, 30, [5]);
    expect(await lines()).toContain('h_bucket{instance="i1",job="test/shop",le="5"} 1');
    const gauge = (seconds: number, value: number) =>
      send((writer) => writer.gauge({ name: 'g' }, [{ time: at(seconds), asInt: value }]));
    await gauge(20, 2);
    await gauge(10, 1);
    expect(await lines()).toContain('g{instance="i1",job="test/shop"} 2');
    expect(own.logger.lines.filter(({ level }) => level === 'warn')).toHaveLength(2);
  });

  it('shows exponential histograms in powers of two', async () => {
    const { send, lines } = await start({ without_scope_info: true });
    await send((writer) =>
      writer.exponentialHistogram({ name: 'e', temporality: Temporality.cumulative }, [
        {
          startTime: at(0),
          time: at(10),
          count: 8,
          sum: 20,
          scale: 1,
          zeroCount: 1,
          // (1, 1.41], (1.41, 2], (2, 2.83], (2.83, 4]
          positive: { offset: 0, bucketCounts: [1, 2, 0, 4] },
        },
      ]),
    );
    expect(
      (await lines())
        .filter((line) => line.startsWith('e_bucket'))
        .map((line) => line.slice(-18).split('le=')[1]),
    ).toEqual(['"0"} 1', '"1"} 1', '"2"} 4', '"4"} 8', '"+Inf"} 8']);
  });

  it('has labels as configured', async () => {
    const { send, lines } = await start({
      namespace: 'my-app',
      const_labels: { cluster: 'c1' },
      resource_to_telemetry_conversion: { enabled: true, exclude_service_attributes: true },
      without_scope_info: true,
      send_timestamps: true,
    });
    await send((writer) =>
      writer.gauge({ name: 'g' }, [{ attributes: { 'a.b': 1, a_b: 2, '0': 3 }, time: at(10), asInt: 1 }]),
    );
    expect(await lines()).toContain(
      `my_app_g{a_b="1;2",cluster="c1",host_name="h",instance="i1",job="test/shop",key_0="3"} 1 ${START + 10_000}`,
    );
  });

  it('quotes names for readers that know UTF-8, and makes them plain for others', async () => {
    const { send, scrape } = await start({ translation_strategy: 'NoTranslation', without_scope_info: true });
    await send((writer) =>
      writer.gauge({ name: 'a.b' }, [{ attributes: { 'c.d': 'e' }, time: at(1), asInt: 1 }]),
    );
    const utf8 = await scrape('text/plain;version=1.0.0;escaping=allow-utf-8');
    expect(utf8.text).toContain('{"a.b","c.d"="e",instance="i1",job="test/shop"} 1\n');
    expect(utf8.type).toBe('text/plain; version=1.0.0; charset=utf-8; escaping=allow-utf-8');
    expect((await scrape()).text).toContain('a_b{c_d="e",instance="i1",job="test/shop"} 1\n');
  });

  it('forgets what has had no news', async () => {
    const { send, lines, time } = await start({ metric_expiration: '1m' });
    await send((writer) => writer.gauge({ name: 'old' }, [{ time: at(1), asInt: 1 }]));
    time.ms += 59_000;
    await send((writer) => writer.gauge({ name: 'young' }, [{ time: at(2), asInt: 1 }]));
    expect((await lines()).filter((line) => line.startsWith('# TYPE'))).toHaveLength(2);
    time.ms += 1000;
    expect((await lines()).filter((line) => line.startsWith('# TYPE'))).toEqual(['# TYPE young gauge']);
    time.ms += 60_000;
    expect(await lines()).toEqual([]);
  });

  it('leaves out what does not fit, says so once, and goes on', async () => {
    const { send, lines, own } = await start({ max_series: 3 });
    for (let index = 0; index < 10; index++) {
      await send((writer) =>
        writer.gauge({ name: 'g' }, [{ attributes: { index }, time: at(1), asInt: index }]),
      );
    }
    expect((await lines()).filter((line) => line.startsWith('g{'))).toHaveLength(2);
    await send((writer) => writer.sum({ ...counter(), name: 'g', unit: '' }, [{ time: at(1), asInt: 1 }]));
    await send((writer) =>
      writer.histogram({ name: 'g', temporality: 2 }, [
        { time: at(1), count: 0, bucketCounts: [], explicitBounds: [] },
      ]),
    );
    expect(own.logger.lines.map(({ fields }) => fields.reason).filter(Boolean)).toEqual([
      'max_series',
      'max_series',
      'type_conflict',
    ]);
  });

  it('serves nothing else, and refuses what is no OTLP', async () => {
    const { scrape, exporter } = await start();
    expect((await scrape(undefined, '/')).status).toBe(404);
    await expect(
      exporter.consume({
        signal: 'metrics',
        bytes: Uint8Array.of(0x0a, 0x7f),
        itemCount: 1,
        origin: { receiver: 'test' },
      }),
    ).rejects.toThrow(/can't be read/);
  });

  it('refuses a strategy that is none', () => {
    expect(() => prometheusConfig().parse({ endpoint: 'localhost:0', translation_strategy: 'x' })).toThrow(
      'invalid translation_strategy: x',
    );
  });
});
