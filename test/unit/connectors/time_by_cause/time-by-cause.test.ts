import { describe, expect, it } from 'vitest';
import type { Batch } from '../../../../src/component/signal.js';
import { timeByCauseConfig } from '../../../../src/connectors/time_by_cause/config.js';
import { TimeByCause } from '../../../../src/connectors/time_by_cause/time-by-cause.js';
import type { TimeClass } from '../../../../src/observer/types.js';
import { timeAttribute } from '../../../../src/semconv.js';
import { testSettings } from '../../../helpers/batches.js';
import { flatMetrics } from '../../../helpers/decoded-metrics.js';
import { SPAN_START_MS, spanBatch, type TestSpan } from '../../../helpers/span-batch.js';

const MS = 1_000_000;

function create(config: object = {}) {
  const out: Batch[] = [];
  const time = { ms: SPAN_START_MS };
  const settings = testSettings({ kind: 'connector', id: 'time_by_cause' }, () => time.ms);
  const next = {
    consume: async (batch: Batch) => {
      out.push(batch);
    },
  };
  const connector = new TimeByCause(settings, timeByCauseConfig().parse(config), next);
  const flush = async () => {
    time.ms += 1000;
    out.length = 0;
    await connector.shutdown(AbortSignal.timeout(1000));
    return flatMetrics(out);
  };
  return { connector, flush, consume: (spans: readonly TestSpan[]) => connector.consume(spanBatch(spans)) };
}

/** What the join writes on a span; milliseconds of each class. */
const times = (classes: Partial<Record<TimeClass, number>>, rest: object = {}) => ({
  [timeAttribute('unattributed')]: 0,
  ...Object.fromEntries(
    Object.entries(classes).map(([timeClass, ms]) => [timeAttribute(timeClass as TimeClass), ms * MS]),
  ),
  ...rest,
});

const ROUTE = { 'http.route': '/stock/{id}', 'http.request.method': 'GET' };

describe('time_by_cause', () => {
  it('adds up each cause of each endpoint, in seconds', async () => {
    const { consume, flush } = create();
    const attributes = times({ cpu: 2, lock: 30 }, ROUTE);
    await consume([
      { service: 'inventory', kind: 'server', ms: 32, attributes },
      { service: 'inventory', kind: 'server', ms: 8, attributes: times({ cpu: 8 }, ROUTE) },
      { service: 'shop', kind: 'server', name: 'cron', ms: 1, attributes: times({ unattributed: 1 }) },
    ]);
    const metrics = await flush();
    expect(metrics.map(({ name, unit, resource }) => [name, unit, resource['service.name']])).toEqual([
      ['kindling.request.time', 's', 'inventory'],
      ['kindling.request.time', 's', 'shop'],
    ]);
    const endpoint = { ...ROUTE, 'span.kind': 'server' };
    expect(metrics[0]?.points.map(({ attributes: of, count, sum }) => [of, Number(count), sum])).toEqual([
      [{ ...endpoint, 'kindling.time.cause': 'cpu' }, 2, expect.closeTo(0.01, 9)],
      [{ ...endpoint, 'kindling.time.cause': 'lock' }, 1, expect.closeTo(0.03, 9)],
    ]);
    expect(metrics[1]?.points[0]?.attributes).toEqual({
      'span.kind': 'server',
      'span.name': 'cron',
      'kindling.time.cause': 'unattributed',
    });
  });

  it('names spans of a bucket', async () => {
    const { consume, flush } = create();
    await consume([{ service: 's', kind: 'server', trace: 'slow', ms: 5, attributes: times({ disk: 5 }) }]);
    const [metric] = await flush();
    expect(metric?.points[0]?.exemplars).toHaveLength(1);
    expect((await create({ exemplars: 0 }).flush()).length).toBe(0);
  });

  it('counts wanted kinds only, and knows what nothing is known about', async () => {
    const { consume, flush } = create({ kinds: ['client'] });
    await consume([
      { service: 's', kind: 'server', attributes: times({ cpu: 1 }) },
      {
        service: 's',
        kind: 'client',
        attributes: times({ net: 1 }, { 'rpc.method': 'Get', 'rpc.system': 'grpc' }),
      },
      { service: 's', kind: 'client' },
    ]);
    const points = (await flush()).flatMap((metric) => metric.points);
    expect(points.map(({ attributes }) => attributes)).toEqual([
      { 'span.kind': 'client', 'rpc.method': 'Get', 'rpc.system': 'grpc', 'kindling.time.cause': 'net' },
    ]);
  });

  it('keeps within its limit of series', async () => {
    const { consume, flush } = create({ series_limit: 3 });
    await consume(
      Array.from({ length: 20 }, (_, index) => ({
        service: 's',
        kind: 'server' as const,
        name: `span ${index}`,
        attributes: times({ cpu: 1 }),
      })),
    );
    const points = (await flush()).flatMap((metric) => metric.points);
    expect(points).toHaveLength(3);
    const overflow = points.find(({ attributes }) => attributes['otel.metric.overflow'] === true);
    expect(Number(overflow?.count)).toBe(18);
  });

  it('tells processes of a service apart, and gives the rest of their resource', async () => {
    const { consume, flush } = create();
    const attributes = times({ cpu: 1 });
    const of = (id: string, version: string) => ({ 'service.instance.id': id, 'service.version': version });
    await consume([
      { service: 's', kind: 'server', resource: of('a', '1'), attributes },
      { service: 's', kind: 'server', resource: of('b', '2'), attributes },
      { service: 's', kind: 'server', resource: of('a', '1'), attributes },
    ]);
    const metrics = await flush();
    expect(
      metrics.map(({ resource, points }) => [resource['service.version'], Number(points[0]?.count)]),
    ).toEqual([
      // In the order of their last use.
      ['2', 1],
      ['1', 2],
    ]);
  });

  it('refuses what is no batch of spans', async () => {
    const { connector } = create();
    const bytes = Uint8Array.of(0x0a, 0x7f, 0x01);
    await expect(
      connector.consume({ signal: 'traces', bytes, itemCount: 1, origin: { receiver: 'test' } }),
    ).rejects.toThrow("spans can't be read");
  });
});
