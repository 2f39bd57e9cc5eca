import { describe, expect, it } from 'vitest';
import type { Batch } from '../../../../src/component/signal.js';
import { spanMetricsConfig } from '../../../../src/connectors/span_metrics/config.js';
import { SpanMetricsConnector } from '../../../../src/connectors/span_metrics/span-metrics.js';
import { timeFromMs } from '../../../../src/otlp/time.js';
import { testSettings } from '../../../helpers/batches.js';
import { flatMetrics, totalCount, totalValue } from '../../../helpers/decoded-metrics.js';
import { startPipeline } from '../../../helpers/pipeline.js';
import { idOf, SPAN_START_MS, spanBatch, type TestSpan } from '../../../helpers/span-batch.js';

/** A connector with a clock that the test moves, and what it has sent. */
function create(config: object = {}, random?: () => number) {
  const out: Batch[] = [];
  const time = { ms: SPAN_START_MS };
  const settings = testSettings({ kind: 'connector', id: 'span_metrics' }, () => time.ms);
  const next = {
    consume: async (batch: Batch) => {
      out.push(batch);
    },
  };
  const connector = new SpanMetricsConnector(settings, spanMetricsConfig().parse(config), next, random);
  /** Moves the clock, and gives what the connector says then. */
  const flush = async (ms = 1000) => {
    time.ms += ms;
    out.length = 0;
    await connector.shutdown(AbortSignal.timeout(1000));
    const metrics = flatMetrics(out);
    return {
      metrics,
      points: (name: string) => metrics.filter((one) => one.name === name).flatMap((one) => one.points),
    };
  };
  const consume = (spans: readonly TestSpan[]) => connector.consume(spanBatch(spans));
  return { connector, settings, consume, flush };
}

const CALLS = 'traces.span.metrics.calls';
const DURATION = 'traces.span.metrics.duration';

describe('span_metrics', () => {
  it('counts and times spans under the names of the Collector', async () => {
    const { consume, flush } = create();
    await consume([
      { service: 'shop', name: 'GET /cart', kind: 'server', ms: 3 },
      { service: 'shop', name: 'GET /cart', kind: 'server', ms: 120 },
      { service: 'shop', name: 'GET /cart', kind: 'server', ms: 1, error: true },
      { service: 'bank', name: 'pay', kind: 'client', ms: 20_000 },
    ]);
    const { metrics, points } = await flush();
    expect(points(CALLS).map(({ attributes, asInt }) => [attributes, asInt])).toEqual([
      [
        {
          'service.name': 'shop',
          'span.name': 'GET /cart',
          'span.kind': 'SPAN_KIND_SERVER',
          'status.code': 'STATUS_CODE_UNSET',
          'collector.instance.id': expect.stringMatching(/^[0-9a-f-]{36}$/),
        },
        2n,
      ],
      [expect.objectContaining({ 'status.code': 'STATUS_CODE_ERROR' }), 1n],
      [expect.objectContaining({ 'service.name': 'bank', 'span.kind': 'SPAN_KIND_CLIENT' }), 1n],
    ]);
    const [first] = points(DURATION);
    expect(first?.explicitBounds).toEqual([
      2, 4, 6, 8, 10, 50, 100, 200, 400, 800, 1000, 1400, 2000, 5000, 10_000, 15_000,
    ]);
    expect(first?.bucketCounts?.flatMap((count, index) => (count === 0n ? [] : [index]))).toEqual([1, 7]);
    expect(first?.sum).toBe(123);
    expect(metrics.find(({ name }) => name === DURATION)).toMatchObject({
      unit: 'ms',
      scope: 'spanmetricsconnector',
      resource: { 'service.name': 'kindling' },
      histogram: { aggregationTemporality: 2 },
    });
  });

  it('takes dimensions from the span, its resource, a default, and by pattern', async () => {
    const { consume, flush } = create({
      dimensions: [{ name: 'http.method', default: 'GET' }, { name: 'region' }, { glob: 'app.*' }],
      calls_dimensions: [{ name: 'only.calls' }],
      histogram: { dimensions: [{ name: 'only.duration' }], unit: 's', explicit: { buckets: ['1ms', '1s'] } },
      exclude_dimensions: ['status.code', 'collector.instance.id'],
    });
    await consume([
      {
        service: 'shop',
        resource: { region: 'eu', 'app.tier': 2 },
        attributes: { 'app.flag': true, 'only.calls': 'c', 'only.duration': 'd' },
      },
      { service: 'shop', attributes: { 'http.method': 'POST', region: 'us' } },
    ]);
    const { points } = await flush();
    const common = { 'service.name': 'shop', 'span.name': 'work', 'span.kind': 'SPAN_KIND_INTERNAL' };
    const first = { ...common, 'http.method': 'GET', region: 'eu', 'app.tier': 2, 'app.flag': true };
    const second = { ...common, 'http.method': 'POST', region: 'us' };
    expect(points(CALLS).map(({ attributes }) => attributes)).toEqual([
      { ...first, 'only.calls': 'c' },
      second,
    ]);
    expect(points(DURATION).map(({ attributes }) => attributes)).toEqual([
      { ...first, 'only.duration': 'd' },
      second,
    ]);
    expect(points(DURATION)[0]).toMatchObject({ explicitBounds: [0.001, 1], bucketCounts: [0n, 1n, 0n] });
  });

  it('is called what Tempo calls it when asked to', async () => {
    const { consume, flush } = create({ naming: 'tempo' });
    await consume([{ service: 'shop', kind: 'server', ms: 3 }]);
    const { metrics, points } = await flush();
    expect(metrics.map(({ name, unit }) => [name, unit])).toEqual([
      ['traces_spanmetrics_calls_total', ''],
      ['traces_spanmetrics_latency', ''],
    ]);
    expect(points('traces_spanmetrics_latency')[0]).toMatchObject({
      attributes: {
        service: 'shop',
        span_name: 'work',
        span_kind: 'SPAN_KIND_SERVER',
        status_code: 'STATUS_CODE_UNSET',
      },
      sum: 0.003,
    });
    expect(points('traces_spanmetrics_latency')[0]?.explicitBounds?.slice(0, 3)).toEqual([
      0.002, 0.004, 0.008,
    ]);
  });

  it('keeps resources apart when they are wanted, by the attributes that are named', async () => {
    const { consume, flush } = create({
      add_resource_attributes: true,
      resource_metrics_key_attributes: ['service.name'],
    });
    await consume([
      { service: 'shop', resource: { 'process.pid': 1 } },
      { service: 'shop', resource: { 'process.pid': 2 } },
      { service: 'bank' },
    ]);
    const { metrics } = await flush();
    const calls = metrics.filter(({ name }) => name === CALLS);
    expect(calls.map(({ resource, points }) => [resource, totalValue(points)])).toEqual([
      [{ 'service.name': 'shop', 'process.pid': 1 }, 2],
      [{ 'service.name': 'bank' }, 1],
    ]);
  });

  it('keeps sums right when there are too many series', async () => {
    const { consume, flush, settings } = create({ aggregation_cardinality_limit: 50 });
    for (let round = 0; round < 10; round++) {
      await consume(
        Array.from({ length: 1000 }, (_, index) => ({
          service: 'shop',
          name: `GET /item/${1000 * round + index}`,
        })),
      );
    }
    const { points } = await flush();
    expect(points(CALLS)).toHaveLength(50);
    expect(totalValue(points(CALLS))).toBe(10_000);
    expect(totalCount(points(DURATION))).toBe(10_000);
    expect(points(CALLS).at(-1)?.attributes).toEqual({ 'otel.metric.overflow': true });
    expect(settings.accounts().find(({ unit }) => unit === 'metrics')).toMatchObject({
      sent: 100,
      unaccounted: 0,
    });
  });

  it('counts for the spans that a sampler left out', async () => {
    const { consume, flush } = create({ enable_metrics_sampling_method: true }, () => 0.5);
    await consume([
      { service: 'shop', traceState: 'ot=th:c' },
      { service: 'shop', traceState: 'ot=th:c' },
      { service: 'shop', traceState: 'other=1' },
    ]);
    const { points } = await flush();
    expect(points(CALLS).map(({ attributes, asInt }) => [attributes['sampling.method'], asInt])).toEqual([
      ['extrapolated', 8n],
      ['counted', 1n],
    ]);
    expect(totalCount(points(DURATION))).toBe(9);
  });

  it('counts events by their attributes', async () => {
    const { consume, flush } = create({
      events: { enabled: true, dimensions: [{ name: 'exception.type' }] },
    });
    const event = (type: string) => ({
      name: 'exception',
      time: timeFromMs(SPAN_START_MS),
      attributes: { 'exception.type': type },
    });
    await consume([{ service: 'shop', events: [event('A'), event('B'), event('A')] }]);
    const { points } = await flush();
    expect(
      points('traces.span.metrics.events').map(({ attributes, asInt }) => [
        attributes['exception.type'],
        asInt,
      ]),
    ).toEqual([
      ['A', 2n],
      ['B', 1n],
    ]);
  });

  it('names traces when exemplars are on', async () => {
    const { consume, flush } = create({ exemplars: { enabled: true } });
    await consume([{ service: 'shop', trace: 'abc', id: 'def' }]);
    const { points } = await flush();
    expect(points(DURATION)[0]?.exemplars).toMatchObject([
      { traceId: idOf('abc', 32), spanId: idOf('def', 16), asDouble: 10 },
    ]);
  });

  it('forgets a resource without spans, and begins anew when it is back', async () => {
    const { consume, flush } = create({ metrics_expiration: '5m' });
    await consume([{ service: 'shop' }]);
    const first = (await flush()).points(CALLS)[0];
    expect((await flush(4 * 60_000)).points(CALLS)).toHaveLength(1);
    await flush(2 * 60_000);
    expect((await flush()).points(CALLS)).toHaveLength(0);
    await consume([{ service: 'shop' }]);
    const again = (await flush()).points(CALLS)[0];
    expect(again?.asInt).toBe(1n);
    expect(again?.startTimeUnixNano).toBeGreaterThan(first?.startTimeUnixNano ?? 0n);
  });

  it('leaves out what has no service, and refuses what is no OTLP', async () => {
    const { connector, consume, flush, settings } = create();
    await consume([{}, { service: 'shop' }]);
    expect(totalValue((await flush()).points(CALLS))).toBe(1);
    expect(settings.accounts().map(({ unit }) => unit)).toEqual(['metrics']);
    await expect(
      connector.consume({
        signal: 'traces',
        bytes: Uint8Array.of(0x0a, 0x7f),
        itemCount: 1,
        origin: { receiver: 'test' },
      }),
    ).rejects.toThrow(/can't be read/);
  });

  it.each([
    [
      { dimensions: [{ name: 'span.name' }] },
      'failed validating dimensions: duplicate dimension name span.name',
    ],
    [
      { histogram: { explicit: {}, exponential: {} } },
      'use either `explicit` or `exponential` buckets histogram',
    ],
    [{ events: { enabled: true } }, 'no dimensions configured for events'],
    [{ dimensions: [{ default: 'x' }] }, 'exactly one of `name` and `glob`'],
  ])('refuses %j', (config, message) => {
    expect(() => spanMetricsConfig().parse(config)).toThrow(message);
  });

  it('runs between pipelines, under its old name too', async () => {
    const harness = await startPipeline(`
receivers: { in: {} }
connectors: { spanmetrics: { metrics_flush_interval: 10ms }, servicegraph: { metrics_flush_interval: 0s } }
exporters: { out: {} }
service:
  telemetry: { metrics: { level: none } }
  pipelines:
    traces: { receivers: [in], exporters: [spanmetrics, servicegraph] }
    metrics: { receivers: [spanmetrics, servicegraph], exporters: [out] }
`);
    await harness.next().consume(spanBatch([{ service: 'shop', kind: 'server' }]));
    await harness.agent.stop();
    const names = new Set(flatMetrics(harness.out()).map(({ name }) => name));
    expect(names).toContain(CALLS);
    expect(names).toContain('traces_service_graph_request_total');
    expect(harness.account('spanmetrics', 'connector')).toMatchObject({ unaccounted: 0 });
  });
});
