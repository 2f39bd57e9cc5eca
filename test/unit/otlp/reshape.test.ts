import { describe, expect, test } from 'vitest';
import { countBatch, countDataPoints, countSpans } from '../../../src/otlp/count.js';
import { decodeMetrics, decodeSpans, decodeTraces } from '../../../src/otlp/decode.js';
import { MetricsWriter, Temporality } from '../../../src/otlp/metrics-writer.js';
import { filterSpans, mergeBatches, regroupByResource, splitBatch } from '../../../src/otlp/reshape.js';
import { TracesWriter } from '../../../src/otlp/trace-writer.js';
import { validate } from '../../../src/otlp/validate.js';
import { randomTraces } from './support/models.js';
import { Random } from './support/random.js';

const time = { hi: 1, lo: 2 };
const SEEDS = Array.from({ length: 25 }, (_, index) => index + 1);

describe('mergeBatches and splitBatch', () => {
  test('merging keeps all spans in order', () => {
    const batches = SEEDS.map((seed) => randomTraces(new Random(seed)).bytes);
    expect(decodeSpans(mergeBatches(batches))).toEqual(batches.flatMap(decodeSpans));
    expect(mergeBatches([])).toEqual(new Uint8Array(0));
  });

  test('parts have at most maxItems, and together all spans with their resources and scopes', () => {
    for (const seed of SEEDS) {
      const { bytes, spans } = randomTraces(new Random(seed));
      for (const maxItems of [1, 2, 3, 1000]) {
        const parts = splitBatch('traces', bytes, { maxItems });
        expect(parts.length).toBe(Math.ceil(spans.length / maxItems));
        for (const part of parts) {
          expect(part.itemCount).toBeLessThanOrEqual(maxItems);
          expect(validate('traces', part.bytes)).toBe(part.itemCount);
        }
        expect(parts.flatMap((part) => decodeSpans(part.bytes))).toEqual(decodeSpans(bytes));
      }
    }
  });

  test('parts exceed maxBytes only when a single span does', () => {
    for (const seed of SEEDS) {
      const { bytes } = randomTraces(new Random(seed));
      for (const maxBytes of [1, 500, 2000, 20_000]) {
        const parts = splitBatch('traces', bytes, { maxBytes });
        for (const part of parts) {
          if (part.bytes.length > maxBytes) expect(part.itemCount).toBe(1);
        }
        expect(parts.flatMap((part) => decodeSpans(part.bytes))).toEqual(decodeSpans(bytes));
      }
    }
  });

  test('a batch within the limits comes back as it is', () => {
    const { bytes, spans } = randomTraces(new Random(4));
    expect(splitBatch('traces', bytes, { maxItems: spans.length })[0]!.bytes).toBe(bytes);
    expect(() => splitBatch('traces', bytes, { maxItems: 0 })).toThrow(RangeError);
  });

  test('a metric with many data points is cut, and keeps its name and kind in every part', () => {
    const writer = new MetricsWriter();
    writer.resource({ 'service.name': 'shop' });
    writer.scope('m', '1');
    const points = Array.from({ length: 7 }, (_, index) => ({ time, asInt: index }));
    writer.gauge({ name: 'g', unit: 'By' }, points.slice(0, 2));
    writer.sum({ name: 's', temporality: Temporality.cumulative, isMonotonic: true }, points);
    writer.gauge({ name: 'empty' }, []);
    const bytes = writer.finish();
    expect(countDataPoints(bytes)).toBe(9);
    const parts = splitBatch('metrics', bytes, { maxItems: 4 });
    expect(parts.map((part) => part.itemCount)).toEqual([4, 4, 1]);
    const metrics = parts.flatMap(
      (part) => decodeMetrics(part.bytes).resourceMetrics[0]!.scopeMetrics[0]!.metrics,
    );
    expect(metrics.map((metric) => metric.name)).toEqual(['g', 's', 's', 's', 'empty']);
    expect(metrics.filter((metric) => metric.name === 's').map((metric) => metric.sum?.isMonotonic)).toEqual([
      true,
      true,
      true,
    ]);
    expect(metrics.flatMap((metric) => metric.sum?.dataPoints.map((point) => point.asInt) ?? [])).toEqual(
      points.map((point) => BigInt(point.asInt)),
    );
    for (const part of parts) expect(validate('metrics', part.bytes)).toBe(countBatch('metrics', part.bytes));
  });
});

describe('regroupByResource', () => {
  test('gives one group for each different resource and scope, and loses nothing', () => {
    for (const seed of SEEDS) {
      const { bytes } = randomTraces(new Random(seed));
      const twice = mergeBatches([bytes, bytes]);
      const regrouped = regroupByResource(twice);
      const key = (span: object) =>
        JSON.stringify(span, (_, value) => (typeof value === 'bigint' ? `${value}n` : value));
      expect(decodeSpans(regrouped).map(key).sort()).toEqual(decodeSpans(twice).map(key).sort());
      const groups = decodeTraces(regrouped).resourceSpans.map((group) =>
        key([group.resource, group.schemaUrl]),
      );
      expect(new Set(groups).size).toBe(groups.length);
    }
  });

  test('merges scopes of equal resources and keeps different schema URLs apart', () => {
    const writer = new TracesWriter();
    for (const schemaUrl of ['a', 'b', 'a', undefined]) {
      writer.resource({ 'service.name': 'shop' }, schemaUrl);
      writer.scope('lib');
      writer.span({
        traceId: '01'.repeat(16),
        spanId: '02'.repeat(8),
        name: `${schemaUrl}`,
        startTime: time,
        endTime: time,
      });
    }
    const groups = decodeTraces(regroupByResource(writer.finish())).resourceSpans;
    expect(
      groups.map((group) => [group.schemaUrl, group.scopeSpans.map((scope) => scope.spans.length)]),
    ).toEqual([
      ['a', [2]],
      ['b', [1]],
      ['', [1]],
    ]);
  });
});

describe('filterSpans', () => {
  test('keeps what is asked for, drops empty groups, and gives the input when all stay', () => {
    for (const seed of SEEDS) {
      const { bytes } = randomTraces(new Random(seed));
      const all = decodeSpans(bytes);
      const kept = filterSpans(bytes, (span) => span.kind % 2 === 0);
      expect(decodeSpans(kept.bytes)).toEqual(all.filter((span) => span.kind % 2 === 0));
      expect(countSpans(kept.bytes)).toBe(kept.itemCount);
      for (const group of decodeTraces(kept.bytes).resourceSpans) {
        if (kept.bytes !== bytes)
          expect(group.scopeSpans.every((scope) => scope.spans.length > 0)).toBe(true);
      }
      expect(filterSpans(bytes, () => true).bytes).toBe(bytes);
      if (all.length > 0)
        expect(filterSpans(bytes, () => false)).toEqual({ bytes: new Uint8Array(0), itemCount: 0 });
    }
  });
});
