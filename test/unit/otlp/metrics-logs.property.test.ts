import { describe, expect, test } from 'vitest';
import { countDataPoints, countLogRecords, countMetrics } from '../../../src/otlp/count.js';
import { decodeLogs, decodeMetrics } from '../../../src/otlp/decode.js';
import type { SummaryPoint } from '../../../src/otlp/distribution-writer.js';
import { fromJson } from '../../../src/otlp/json-reader.js';
import { toJson } from '../../../src/otlp/json-writer.js';
import { LogsWriter } from '../../../src/otlp/logs-writer.js';
import {
  type ExemplarInput,
  type ExponentialHistogramPointInput,
  type HistogramPointInput,
  MetricsWriter,
  type NumberPointInput,
  Temporality,
} from '../../../src/otlp/metrics-writer.js';
import { validate } from '../../../src/otlp/validate.js';
import { expectedLogRecord, randomAttributes, randomLogRecord, randomTime } from './support/models.js';
import { oracleJson, reencode, withoutDefaults } from './support/oracle.js';
import { Random } from './support/random.js';

const SEEDS = Array.from({ length: 25 }, (_, index) => index + 1);

const randomNumber = (random: Random) =>
  random.chance(0.5)
    ? { asInt: random.pick([0, -1, 5, 2 ** 40, -(2 ** 52), 2n ** 63n - 1n, -(2n ** 63n)]) }
    : { asDouble: random.pick([0, 1, -0.5, 1e-9, Number.NaN, Number.POSITIVE_INFINITY]) };

const randomExemplar = (random: Random): ExemplarInput => ({
  ...randomNumber(random),
  time: randomTime(random),
  traceId: random.hex(16),
  spanId: random.bytes(8),
  attributes: randomAttributes(random, 2),
});

const randomPoint = (random: Random) => ({
  attributes: random.chance(0.9) ? randomAttributes(random, 4) : undefined,
  startTime: random.chance(0.7) ? randomTime(random) : undefined,
  time: randomTime(random),
  flags: random.pick([0, 1]),
  exemplars: random.list(2, () => randomExemplar(random)),
});

const randomNumberPoint = (random: Random): NumberPointInput => ({
  ...randomPoint(random),
  ...randomNumber(random),
});

function randomHistogramPoint(random: Random): HistogramPointInput {
  const explicitBounds = Float64Array.from({ length: random.int(0, 14) }, (_, index) => index * 2.5);
  const hasBuckets = explicitBounds.length > 0 || random.chance(0.5);
  return {
    ...randomPoint(random),
    count: random.pick([0, 7, 2 ** 40]),
    ...(random.chance(0.7) ? { sum: 0, min: -1.5, max: 99 } : {}),
    bucketCounts: hasBuckets
      ? Array.from({ length: explicitBounds.length + 1 }, () => random.int(0, 2 ** 33))
      : [],
    explicitBounds,
  };
}

const randomBuckets = (random: Random) => ({
  offset: random.pick([0, -1, 7, -(2 ** 31), 2 ** 31 - 1]),
  bucketCounts: random.list(9, () => random.pick([0, 1, 300, 2 ** 40])),
});

const randomExponentialPoint = (random: Random): ExponentialHistogramPointInput => ({
  ...randomPoint(random),
  count: random.pick([0, 7, 2 ** 40]),
  scale: random.pick([0, 3, -10, 20]),
  ...(random.chance(0.7) ? { sum: 0, min: -1.5, max: 99 } : {}),
  ...(random.chance(0.5) ? { zeroCount: random.pick([0, 2 ** 35]), zeroThreshold: 0.001 } : {}),
  ...(random.chance(0.8) ? { positive: randomBuckets(random) } : {}),
  ...(random.chance(0.5) ? { negative: randomBuckets(random) } : {}),
});

function randomSummaryPoint(random: Random): SummaryPoint {
  const { exemplars: _, ...point } = randomPoint(random);
  return {
    ...point,
    count: random.pick([0, 7, 2 ** 40]),
    sum: random.pick([0, -2.5, 1e300]),
    quantiles: random.list(4, () => ({ quantile: random.pick([0, 0.5, 1]), value: random.pick([0, 3.25]) })),
  };
}

function randomMetrics(random: Random): { bytes: Uint8Array; points: number; metrics: number } {
  const writer = new MetricsWriter();
  let metrics = 0;
  for (let resource = random.int(1, 2); resource > 0; resource--) {
    writer.resource(randomAttributes(random, 3));
    writer.scope(random.text());
    for (const kind of random.list(7, () => random.int(0, 4))) {
      const metric = {
        name: random.text(),
        description: random.text(),
        unit: random.pick([undefined, 's', 'By']),
      };
      const temporality = random.pick([Temporality.delta, Temporality.cumulative]);
      metrics++;
      if (kind === 0)
        writer.gauge(
          metric,
          random.list(4, () => randomNumberPoint(random)),
        );
      else if (kind === 1) {
        const sum = { ...metric, temporality, isMonotonic: random.chance(0.5) };
        writer.sum(
          sum,
          random.list(4, () => randomNumberPoint(random)),
        );
      } else if (kind === 2)
        writer.histogram(
          { ...metric, temporality },
          random.list(3, () => randomHistogramPoint(random)),
        );
      else if (kind === 3)
        writer.exponentialHistogram(
          { ...metric, temporality },
          random.list(3, () => randomExponentialPoint(random)),
        );
      else
        writer.summary(
          metric,
          random.list(3, () => randomSummaryPoint(random)),
        );
    }
  }
  const points = writer.itemCount;
  return { bytes: writer.finish(), points, metrics };
}

describe('random metrics', () => {
  test('are counted exactly, and read alike by protobufjs and through OTLP/JSON', () => {
    let total = 0;
    for (const seed of SEEDS) {
      const { bytes, points, metrics } = randomMetrics(new Random(seed));
      total += points;
      expect(countDataPoints(bytes)).toBe(points);
      expect(countMetrics(bytes)).toBe(metrics);
      expect(validate('metrics', bytes)).toBe(points);
      expect(withoutDefaults(JSON.parse(toJson('metrics', bytes))), `seed ${seed}`).toEqual(
        withoutDefaults(oracleJson('metrics', bytes)),
      );
      expect(decodeMetrics(reencode('metrics', bytes))).toEqual(decodeMetrics(bytes));
      expect(decodeMetrics(fromJson('metrics', toJson('metrics', bytes)))).toEqual(decodeMetrics(bytes));
    }
    expect(total).toBeGreaterThan(50);
  });
});

describe('MetricsWriter', () => {
  const time = { hi: 411_000_000, lo: 5 };

  test('writes exponential histograms and summaries as given', () => {
    const writer = new MetricsWriter();
    writer.resource({});
    writer.scope('s');
    writer.exponentialHistogram({ name: 'e', temporality: Temporality.cumulative }, [
      {
        time,
        count: 6,
        sum: 12.5,
        min: -3,
        max: 8,
        scale: -1,
        zeroCount: 1,
        zeroThreshold: 0.25,
        positive: { offset: -2, bucketCounts: [1, 0, 300] },
        negative: { offset: 3, bucketCounts: [2] },
        exemplars: [{ time, asInt: 7 }],
      },
    ]);
    writer.summary({ name: 's', unit: 's' }, [
      { time, count: 2, sum: 3, quantiles: [{ quantile: 0.5, value: 1.5 }], attributes: { a: 1 } },
    ]);
    const json = JSON.parse(toJson('metrics', writer.finish())) as {
      resourceMetrics: [{ scopeMetrics: [{ metrics: unknown[] }] }];
    };
    const timeUnixNano = String((BigInt(time.hi) << 32n) | BigInt(time.lo));
    expect(json.resourceMetrics[0].scopeMetrics[0].metrics).toEqual([
      {
        name: 'e',
        exponentialHistogram: {
          aggregationTemporality: 2,
          dataPoints: [
            {
              timeUnixNano,
              count: '6',
              sum: 12.5,
              min: -3,
              max: 8,
              scale: -1,
              zeroCount: '1',
              zeroThreshold: 0.25,
              positive: { offset: -2, bucketCounts: ['1', '0', '300'] },
              negative: { offset: 3, bucketCounts: ['2'] },
              exemplars: [{ timeUnixNano, asInt: '7' }],
            },
          ],
        },
      },
      {
        name: 's',
        unit: 's',
        summary: {
          dataPoints: [
            {
              timeUnixNano,
              count: '2',
              sum: 3,
              quantileValues: [{ quantile: 0.5, value: 1.5 }],
              attributes: [{ key: 'a', value: { intValue: '1' } }],
            },
          ],
        },
      },
    ]);
  });

  test('writes what was given', () => {
    const writer = new MetricsWriter();
    writer.resource({ 'service.name': 'shop' });
    writer.scope('kindling', '0.1.0');
    writer.histogram({ name: 'http.server.request.duration', unit: 's', temporality: Temporality.delta }, [
      {
        time,
        count: 3,
        sum: 0,
        bucketCounts: [1, 2],
        explicitBounds: [0.5],
        attributes: { 'http.route': '/' },
        exemplars: [{ time, asDouble: 0.7, traceId: '01'.repeat(16), spanId: '02'.repeat(8) }],
      },
    ]);
    const metric = decodeMetrics(writer.finish()).resourceMetrics[0]!.scopeMetrics[0]!.metrics[0]!;
    expect(metric).toEqual({
      name: 'http.server.request.duration',
      description: '',
      unit: 's',
      metadata: {},
      histogram: {
        aggregationTemporality: 1,
        dataPoints: [
          {
            attributes: { 'http.route': '/' },
            startTimeUnixNano: 0n,
            timeUnixNano: (411_000_000n << 32n) | 5n,
            count: 3n,
            sum: 0,
            bucketCounts: [1n, 2n],
            explicitBounds: [0.5],
            exemplars: [
              {
                filteredAttributes: {},
                timeUnixNano: (411_000_000n << 32n) | 5n,
                asDouble: 0.7,
                traceId: '01'.repeat(16),
                spanId: '02'.repeat(8),
              },
            ],
            flags: 0,
          },
        ],
      },
    });
  });

  test('refuses buckets that do not fit their bounds, and is then as before', () => {
    const writer = new MetricsWriter();
    writer.resource({});
    writer.scope('s');
    const before = writer.sizeBytes;
    const point = { time, count: 1, bucketCounts: [1, 2, 3], explicitBounds: [1] };
    expect(() => writer.histogram({ name: 'h', temporality: Temporality.delta }, [point])).toThrow(
      RangeError,
    );
    expect(writer.sizeBytes).toBe(before);
    expect(writer.itemCount).toBe(0);
  });
});

describe('random log records', () => {
  test('decode to what was written, also by protobufjs and through OTLP/JSON', () => {
    for (const seed of SEEDS) {
      const random = new Random(seed);
      const records = random.list(6, () => randomLogRecord(random));
      const writer = new LogsWriter();
      writer.resource({ 'service.name': 'shop' });
      writer.scope('log');
      for (const record of records) writer.logRecord(record);
      expect(writer.itemCount).toBe(records.length);
      const bytes = writer.finish();
      const decoded = decodeLogs(bytes);
      expect(decoded.resourceLogs[0]!.scopeLogs[0]!.logRecords, `seed ${seed}`).toEqual(
        records.map(expectedLogRecord),
      );
      expect(countLogRecords(bytes)).toBe(records.length);
      expect(validate('logs', bytes)).toBe(records.length);
      expect(withoutDefaults(JSON.parse(toJson('logs', bytes)))).toEqual(
        withoutDefaults(oracleJson('logs', bytes)),
      );
      expect(decodeLogs(reencode('logs', bytes))).toEqual(decoded);
      expect(decodeLogs(fromJson('logs', toJson('logs', bytes)))).toEqual(decoded);
    }
  });
});
