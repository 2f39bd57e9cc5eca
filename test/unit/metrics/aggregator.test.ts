import { describe, expect, it } from 'vitest';
import {
  type AggregatorOptions,
  DEFAULT_AGGREGATION,
  MetricsAggregator,
} from '../../../src/metrics/aggregator.js';
import type { MetricDefinition } from '../../../src/metrics/definition.js';
import type { DecodedMetric } from '../../../src/otlp/decode.js';
import { decodeMetrics } from '../../../src/otlp/decode.js';
import { timeFromMs, timeToBigInt } from '../../../src/otlp/time.js';

const REQUESTS: MetricDefinition = {
  name: 'requests',
  description: 'Requests.',
  unit: '{request}',
  kind: 'counter',
};
const DURATION: MetricDefinition = {
  name: 'duration',
  description: 'How long.',
  unit: 's',
  kind: 'histogram',
  bounds: [0.1, 1, 10],
};
const OPEN: MetricDefinition = { name: 'open', description: '', unit: '{connection}', kind: 'gauge' };
const BALANCE: MetricDefinition = { name: 'balance', description: '', unit: '1', kind: 'up_down_counter' };
const SERVICE = { 'service.name': 'shop' };
const START_MS = 1_700_000_000_000;
const at = (seconds: number) => timeFromMs(START_MS + 1000 * seconds);
const nanos = (seconds: number) => timeToBigInt(at(seconds));

const create = (options: Partial<AggregatorOptions> = {}) =>
  new MetricsAggregator({ ...DEFAULT_AGGREGATION, scope: 'test', version: '1', ...options }, at(0));

function collected(aggregator: MetricsAggregator, seconds: number): Map<string, DecodedMetric> {
  const metrics = aggregator
    .collect(at(seconds))
    .flatMap(({ bytes }) => decodeMetrics(bytes).resourceMetrics)
    .flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((scope) => scope.metrics));
  return new Map(metrics.map((metric) => [metric.name, metric]));
}

describe('MetricsAggregator', () => {
  it('adds up counters and counts histograms, cumulative, with a start that stays', () => {
    const aggregator = create();
    const measure = () => {
      const shop = aggregator.resource(SERVICE);
      shop.numbers(REQUESTS).of({ path: '/a' }).add(2);
      shop.histogram(DURATION).of({ path: '/a' }).record(0.1);
      shop.histogram(DURATION).of({ path: '/a' }).record(11);
    };
    measure();
    collected(aggregator, 10);
    measure();
    const metrics = collected(aggregator, 20);
    expect(metrics.get('requests')).toMatchObject({
      unit: '{request}',
      sum: {
        aggregationTemporality: 2,
        isMonotonic: true,
        dataPoints: [
          {
            asInt: 4n,
            startTimeUnixNano: nanos(0),
            timeUnixNano: nanos(20),
            attributes: { path: '/a' },
          },
        ],
      },
    });
    const point = metrics.get('duration')?.histogram?.dataPoints[0];
    expect(point).toMatchObject({
      count: 4n,
      bucketCounts: [2n, 0n, 0n, 2n],
      explicitBounds: [0.1, 1, 10],
      startTimeUnixNano: nanos(0),
    });
    expect(point?.sum).toBeCloseTo(22.2);
    expect(point?.max).toBeUndefined();
  });

  it('does not tell attribute sets apart by their order, and does by their types', () => {
    const aggregator = create();
    const table = aggregator.resource(SERVICE).numbers(REQUESTS);
    table.of({ a: 'x', b: 1 }).add(1);
    table.of({ b: 1, a: 'x' }).add(1);
    table.of({ a: 'x', b: '1' }).add(1);
    const points = collected(aggregator, 10).get('requests')?.sum?.dataPoints ?? [];
    expect(points.map(({ asInt }) => asInt)).toEqual([2n, 1n]);
  });

  it('starts a series where its predecessors ended: at the last collection', () => {
    const aggregator = create();
    aggregator.resource(SERVICE).numbers(REQUESTS).of({ path: '/a' }).add(1);
    collected(aggregator, 10);
    aggregator.resource(SERVICE).numbers(REQUESTS).of({ path: '/b' }).add(1);
    const points = collected(aggregator, 20).get('requests')?.sum?.dataPoints ?? [];
    expect(points.map(({ startTimeUnixNano }) => startTimeUnixNano)).toEqual([nanos(0), nanos(10)]);
  });

  it('sends what was measured since the last time when temporality is delta, gauges and balances as they are', () => {
    const aggregator = create({ temporality: 'delta' });
    const measure = () => {
      const shop = aggregator.resource(SERVICE);
      shop.numbers(REQUESTS).of({}).add(3);
      shop.numbers(BALANCE).of({}).add(5);
      shop.numbers(OPEN).of({}).set(7);
      shop.histogram(DURATION).of({}).record(0.5);
    };
    measure();
    collected(aggregator, 10);
    measure();
    const second = collected(aggregator, 20);
    expect(second.get('requests')?.sum).toMatchObject({
      aggregationTemporality: 1,
      dataPoints: [{ asInt: 3n, startTimeUnixNano: nanos(10) }],
    });
    expect(second.get('duration')?.histogram?.dataPoints[0]).toMatchObject({
      count: 1n,
      startTimeUnixNano: nanos(10),
      min: 0.5,
      max: 0.5,
    });
    expect(second.get('balance')?.sum).toMatchObject({
      aggregationTemporality: 2,
      isMonotonic: false,
      dataPoints: [{ asInt: 10n }],
    });
    expect(second.get('open')?.gauge?.dataPoints).toMatchObject([{ asInt: 7n }]);
    const quiet = collected(aggregator, 30);
    expect([...quiet.keys()].sort()).toEqual(['balance', 'open']);
    expect(aggregator.stats().series).toBe(2);
  });

  it('keeps the sum of 100,000 distinct attribute sets within its budget', () => {
    const aggregator = create({ seriesLimit: 1000 });
    const shop = aggregator.resource(SERVICE);
    for (let index = 0; index < 100_000; index++) {
      shop
        .numbers(REQUESTS)
        .of({ url: `/item/${index}` })
        .add(1);
      shop
        .histogram(DURATION)
        .of({ url: `/item/${index}` })
        .record(0.05);
    }
    const stats = aggregator.stats();
    expect(stats.series).toBe(2000);
    expect(stats.overflowed).toBe(2 * (100_000 - 999));
    expect(stats.bytes).toBeLessThan(4 * 1024 * 1024);
    const batches = aggregator.collect(at(10));
    const metrics = batches
      .flatMap(({ bytes }) => decodeMetrics(bytes).resourceMetrics)
      .flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((scope) => scope.metrics));
    const sums = metrics.flatMap(({ sum }) => sum?.dataPoints ?? []);
    expect(sums.reduce((total, { asInt = 0n }) => total + asInt, 0n)).toBe(100_000n);
    expect(sums.filter(({ attributes }) => attributes['otel.metric.overflow'] === true)).toMatchObject([
      { asInt: 99_001n },
    ]);
    const counts = metrics.flatMap(({ histogram }) => histogram?.dataPoints ?? []);
    expect(counts.reduce((total, { count }) => total + count, 0n)).toBe(100_000n);
    expect(batches.reduce((total, { itemCount }) => total + itemCount, 0)).toBe(2000);
  });

  it('holds its budget of bytes over all metrics and resources, and gives back what expires', () => {
    const aggregator = create({ seriesLimit: 0, maxBytes: 100_000, expirationMs: 60_000 });
    for (let index = 0; index < 5000; index++) {
      aggregator
        .resource({ 'service.name': `s${index % 10}` })
        .histogram(DURATION)
        .of({ index })
        .record(1);
    }
    const { bytes, series, overflowed } = aggregator.stats();
    expect(bytes).toBeLessThanOrEqual(100_000);
    expect(series).toBeGreaterThan(50);
    expect(overflowed).toBe(5000 - (series - 10));
    collected(aggregator, 10);
    collected(aggregator, 70);
    expect(aggregator.stats()).toMatchObject({ series: 0, resources: 0, bytes: 0, expired: series - 10 });
    aggregator.resource(SERVICE).histogram(DURATION).of({}).record(1);
    const point = collected(aggregator, 80).get('duration')?.histogram?.dataPoints[0];
    expect(point).toMatchObject({ count: 1n, startTimeUnixNano: nanos(70) });
  });

  it('makes room for another resource by giving up the least recently used one', () => {
    const aggregator = create({ resourceLimit: 2 });
    const count = (name: string) =>
      aggregator.resource({ 'service.name': name }).numbers(REQUESTS).of({}).add(1);
    count('a');
    count('b');
    count('a');
    count('c');
    const names = aggregator
      .collect(at(10))
      .flatMap(({ bytes }) => decodeMetrics(bytes).resourceMetrics)
      .map(({ resource }) => resource.attributes['service.name']);
    expect(names).toEqual(['a', 'c']);
    expect(aggregator.stats().evicted).toBe(1);
    const [a, c] = ['a', 'c'].map((name) => aggregator.resource({ 'service.name': name }));
    aggregator.resource({ 'service.name': 'd' });
    expect([a?.alive, c?.alive]).toEqual([false, true]);
  });

  it('cuts requests by size and loses no point between them', () => {
    const aggregator = create({ seriesLimit: 0, batchBytes: 20_000 });
    for (let index = 0; index < 3000; index++) {
      aggregator.resource(SERVICE).histogram(DURATION).of({ index }).record(1);
    }
    const batches = aggregator.collect(at(10));
    expect(batches.length).toBeGreaterThan(3);
    const points = batches
      .flatMap(({ bytes }) => decodeMetrics(bytes).resourceMetrics)
      .flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((scope) => scope.metrics))
      .flatMap(({ histogram }) => histogram?.dataPoints ?? []);
    expect(new Set(points.map(({ attributes }) => attributes.index)).size).toBe(3000);
  });

  it('keeps exemplars of the slowest buckets with their traces, for one interval', () => {
    const aggregator = create({ exemplars: 2 });
    const source = (digit: string) => () => ({
      time: at(1),
      traceId: digit.repeat(32),
      spanId: new Uint8Array(8).fill(7),
    });
    const record = (value: number, digit: string) =>
      aggregator.resource(SERVICE).histogram(DURATION).of({}).record(value, source(digit));
    record(0.05, 'a');
    record(0.5, 'b');
    record(5, 'c');
    record(0.06, 'd');
    const exemplars = collected(aggregator, 10).get('duration')?.histogram?.dataPoints[0]?.exemplars;
    expect(exemplars).toMatchObject([
      { asDouble: 0.5, traceId: 'b'.repeat(32), spanId: '07'.repeat(8), timeUnixNano: nanos(1) },
      { asDouble: 5, traceId: 'c'.repeat(32) },
    ]);
    expect(collected(aggregator, 20).get('duration')?.histogram?.dataPoints[0]?.exemplars).toEqual([]);
  });

  it('writes exponential histograms when asked to', () => {
    const aggregator = create({ histogram: 'exponential' });
    const series = aggregator.resource(SERVICE).histogram(DURATION).of({ path: '/a' });
    for (const value of [0, 1, 2, 4]) series.record(value);
    const point = collected(aggregator, 10).get('duration')?.exponentialHistogram?.dataPoints[0];
    expect(point).toMatchObject({ count: 4n, zeroCount: 1n, sum: 7, attributes: { path: '/a' } });
    expect(point?.positive.bucketCounts.reduce((total, one) => total + one, 0n)).toBe(3n);
  });

  it('says nothing while the clock stands or goes back', () => {
    const aggregator = create();
    aggregator.resource(SERVICE).numbers(REQUESTS).of({}).add(1);
    expect(aggregator.collect(at(0))).toEqual([]);
    expect(aggregator.collect(at(-5))).toEqual([]);
    expect(collected(aggregator, 1).get('requests')?.sum?.dataPoints[0]?.asInt).toBe(1n);
  });
});
