import { describe, expect, test } from 'vitest';
import { countSpans } from '../../../src/otlp/count.js';
import { decodeSpans, decodeTraces } from '../../../src/otlp/decode.js';
import { fromJson } from '../../../src/otlp/json-reader.js';
import { toJson } from '../../../src/otlp/json-writer.js';
import { timeFromBigInt, timeToBigInt } from '../../../src/otlp/time.js';
import { spansOf } from '../../../src/otlp/trace-view.js';
import { validate } from '../../../src/otlp/validate.js';
import { expectedSpan, randomTraces } from './support/models.js';
import { oracleJson, reencode, withoutDefaults } from './support/oracle.js';
import { Random } from './support/random.js';

const SEEDS = Array.from({ length: 20 }, (_, index) => index + 1);

describe('random traces', () => {
  test('there are spans in most batches, and all kinds of fields', () => {
    const spans = SEEDS.flatMap((seed) => randomTraces(new Random(seed)).spans);
    expect(spans.length).toBeGreaterThan(30);
    expect(spans.some((span) => (span.links ?? []).length > 0)).toBe(true);
    expect(spans.some((span) => (span.events ?? []).length > 1)).toBe(true);
  });

  test('decode to what was written', () => {
    for (const seed of SEEDS) {
      const { bytes, spans } = randomTraces(new Random(seed));
      const decoded = decodeSpans(bytes).map(({ resource: _r, scope: _s, ...span }) => span);
      expect(decoded, `seed ${seed}`).toEqual(spans.map(expectedSpan));
      expect(countSpans(bytes)).toBe(spans.length);
      expect(validate('traces', bytes)).toBe(spans.length);
    }
  });

  test('read the same through views and through full decoding', () => {
    for (const seed of SEEDS) {
      const { bytes } = randomTraces(new Random(seed));
      const views = spansOf(bytes);
      decodeSpans(bytes).forEach((span, index) => {
        const view = views[index]!;
        expect(view.traceId).toBe(span.traceId);
        expect(view.spanId).toBe(span.spanId);
        expect(view.parentSpanId).toBe(span.parentSpanId);
        expect(view.name).toBe(span.name);
        expect(view.traceState).toBe(span.traceState);
        expect(view.kind).toBe(span.kind);
        expect(view.flags).toBe(span.flags);
        expect(view.startTime).toEqual(timeFromBigInt(span.startTimeUnixNano));
        expect(timeToBigInt(view.endTime)).toBe(span.endTimeUnixNano);
        expect(view.statusCode).toBe(span.status.code);
        expect(view.statusMessage).toBe(span.status.message);
        expect(view.attributes()).toEqual(span.attributes);
        expect(view.attributeCount).toBe(Object.keys(span.attributes).length);
        for (const [key, value] of Object.entries(span.attributes))
          expect(view.attribute(key)).toEqual(value);
        expect(view.attribute('not there')).toBeUndefined();
        expect(view.events().map((event) => ({ ...event, time: timeToBigInt(event.time) }))).toEqual(
          span.events.map(({ timeUnixNano, ...event }) => ({ ...event, time: timeUnixNano })),
        );
        expect(view.links()).toEqual(span.links);
        expect([view.droppedAttributesCount, view.droppedEventsCount, view.droppedLinksCount]).toEqual([
          span.droppedAttributesCount,
          span.droppedEventsCount,
          span.droppedLinksCount,
        ]);
        expect(view.resource.attributes()).toEqual(span.resource.attributes);
        expect(view.scope.name).toBe(span.scope.name);
        expect(view.scope.version).toBe(span.scope.version);
        expect(view.scope.attributes()).toEqual(span.scope.attributes);
      });
    }
  });

  test('are read and written by protobufjs alike', () => {
    for (const seed of SEEDS) {
      const { bytes } = randomTraces(new Random(seed));
      expect(withoutDefaults(JSON.parse(toJson('traces', bytes))), `seed ${seed}`).toEqual(
        withoutDefaults(oracleJson('traces', bytes)),
      );
      expect(decodeTraces(reencode('traces', bytes))).toEqual(decodeTraces(bytes));
    }
  });

  test('survive OTLP/JSON', () => {
    for (const seed of SEEDS) {
      const { bytes } = randomTraces(new Random(seed));
      const json = toJson('traces', bytes);
      const back = fromJson('traces', json);
      expect(decodeTraces(back), `seed ${seed}`).toEqual(decodeTraces(bytes));
      expect(toJson('traces', back)).toBe(json);
    }
  });
});
