/**
 * Whatever arrives on the wire, src/otlp answers with a result or with its own error, soon, and within a bound of memory.
 *
 * `FUZZ_ROUNDS` and `FUZZ_SEED` make the run longer or different; a failure names its seed.
 */
import { describe, expect, test } from 'vitest';
import { countBatch } from '../../../src/otlp/count.js';
import { decodeRequest } from '../../../src/otlp/decode.js';
import { appendToResources, appendToSpans, encodeResourceFields } from '../../../src/otlp/edit.js';
import { fromJson, InvalidJsonError } from '../../../src/otlp/json-reader.js';
import { toJson } from '../../../src/otlp/json-writer.js';
import { LogsWriter } from '../../../src/otlp/logs-writer.js';
import { MalformedError } from '../../../src/otlp/malformed-error.js';
import { MetricsWriter, Temporality } from '../../../src/otlp/metrics-writer.js';
import { filterSpans, regroupByResource, splitBatch } from '../../../src/otlp/reshape.js';
import { decodeExportResponse, decodeStatus, encodeStatus } from '../../../src/otlp/responses.js';
import { spansOf, walkSpans } from '../../../src/otlp/trace-view.js';
import { encodeSpanFields } from '../../../src/otlp/trace-writer.js';
import { validate } from '../../../src/otlp/validate.js';
import { randomLogRecord, randomTime, randomTraces } from '../../unit/otlp/support/models.js';
import { Random } from '../../unit/otlp/support/random.js';

const ROUNDS = Number(process.env.FUZZ_ROUNDS ?? 1500);
const SEED = Number(process.env.FUZZ_SEED ?? 1);
const SIGNALS = ['traces', 'metrics', 'logs', 'profiles'] as const;
type SignalName = (typeof SIGNALS)[number];

/** Output per byte of input: the worst is `{"positive":{},"negative":{}},` for the two bytes of an empty data point. */
const JSON_EXPANSION = 20;

/** True when `run` succeeded, false when it threw the error it may throw. Other errors fail the test. */
function survives(run: () => void): boolean {
  try {
    run();
    return true;
  } catch (error) {
    if (error instanceof MalformedError) return false;
    throw error;
  }
}

function readEverything(bytes: Uint8Array): void {
  walkSpans(bytes, (span) => {
    span.attributes();
    span.events();
    span.links();
    span.resource.attributes();
    span.scope.attributes();
    return (
      `${span.traceId}${span.spanId}${span.parentSpanId}${span.name}${span.traceState}${span.statusMessage}`
        .length +
        span.kind +
        span.flags +
        span.durationNs +
        span.statusCode +
        span.droppedEventsCount +
        String(span.attribute('http.route')).length +
        span.scope.name.length +
        span.resource.schemaUrl.length +
        String(span.resource.attribute('service.name')).length >=
      0
    );
  });
}

function check(signal: SignalName, bytes: Uint8Array): boolean {
  const isValid = survives(() => validate(signal, bytes));
  const results = [
    survives(() => countBatch(signal, bytes)),
    survives(() => decodeRequest(signal, bytes)),
    survives(() => {
      const json = toJson(signal, bytes);
      expect(json.length).toBeLessThanOrEqual(JSON_EXPANSION * bytes.length + 200);
      if (isValid) fromJson(signal, json);
    }),
    survives(() => {
      const parts = splitBatch(signal, bytes, { maxItems: 2 });
      const total = parts.reduce((sum, part) => sum + part.itemCount, 0);
      expect(total).toBe(countBatch(signal, bytes));
      if (isValid) for (const part of parts) expect(validate(signal, part.bytes)).toBe(part.itemCount);
    }),
    survives(() => {
      const regrouped = regroupByResource(bytes);
      if (isValid) expect(validate(signal, regrouped)).toBe(countBatch(signal, bytes));
    }),
  ];
  if (signal === 'traces') {
    results.push(
      survives(() => readEverything(bytes)),
      survives(() => filterSpans(bytes, (span) => span.kind > 1)),
      survives(() => editAll(bytes)),
    );
  }
  if (isValid) expect(results).toEqual(results.map(() => true));
  return isValid;
}

function editAll(bytes: Uint8Array): void {
  const spans = spansOf(bytes);
  const added = encodeSpanFields({ attributes: { added: true } });
  const edited = appendToSpans(bytes, new Map(spans.map((span) => [span.start, added])));
  for (const span of spansOf(edited)) expect(span.attribute('added')).toBe(true);
  const fields = encodeResourceFields({ added: true });
  appendToResources(bytes, new Map(spans.map((span) => [span.resource.start, fields])));
}

function mutate(random: Random, bytes: Uint8Array): Uint8Array {
  const result = [...bytes];
  for (let count = random.int(1, 4); count > 0; count--) {
    const at = random.int(0, Math.max(0, result.length - 1));
    switch (random.int(0, 6)) {
      case 0:
        result[at] = random.int(0, 255);
        break;
      case 1:
        result[at] = (result[at] ?? 0) ^ (1 << random.int(0, 7));
        break;
      case 2:
        result.splice(at, random.int(1, 5));
        break;
      case 3:
        result.splice(at, 0, ...random.bytes(random.int(1, 5)));
        break;
      case 4:
        result.length = at;
        break;
      case 5:
        // A length or varint that goes on and on.
        result.splice(at, 1, ...new Array<number>(random.int(1, 11)).fill(0xff), 0x7f);
        break;
      default: {
        const from = random.int(0, Math.max(0, result.length - 1));
        result.splice(at, 0, ...result.slice(from, from + random.int(1, 40)));
      }
    }
  }
  return random.chance(0.5) ? Uint8Array.from(result) : Buffer.from(result);
}

function sample(signal: SignalName, random: Random): Uint8Array {
  if (signal === 'traces') return randomTraces(random, 2).bytes;
  if (signal === 'logs') {
    const writer = new LogsWriter();
    writer.resource({ 'service.name': 'shop' });
    writer.scope('log');
    for (let count = random.int(1, 4); count > 0; count--) writer.logRecord(randomLogRecord(random));
    return writer.finish();
  }
  if (signal === 'profiles') {
    const samples =
      '[{"stackIndex":1,"values":["1","2"],"timestampsUnixNano":["5"]},{"attributeIndices":[1,2,300]}]';
    return fromJson(
      'profiles',
      `{"resourceProfiles":[{"scopeProfiles":[{"profiles":[{"samples":${samples},"profileId":"${random.hex(16)}"}]}]}],
        "dictionary":{"stringTable":["","cpu"],"stackTable":[{},{"locationIndices":[3,2,1]}]}}`,
    );
  }
  const writer = new MetricsWriter();
  writer.resource({ 'service.name': 'shop' });
  writer.scope('meter');
  const time = randomTime(random);
  writer.gauge({ name: 'g' }, [
    { time, asInt: random.int(-5, 5) },
    { time, asDouble: random.next() },
  ]);
  writer.histogram({ name: 'h', temporality: Temporality.delta }, [
    { time, count: 3, bucketCounts: [1, 2], explicitBounds: [5], attributes: { a: 'b' } },
  ]);
  return writer.finish();
}

describe.each(SIGNALS)('%s', (signal) => {
  test('mutated requests', () => {
    let valid = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const random = new Random(SEED * 1_000_000 + round);
      const bytes = mutate(random, sample(signal, random));
      try {
        if (check(signal, bytes)) valid++;
      } catch (error) {
        throw new Error(`Round ${round} of seed ${SEED}: ${Buffer.from(bytes).toString('hex')}`, {
          cause: error,
        });
      }
    }
    // Both ways must have been taken, or the mutations are too mild or too wild.
    expect(valid).toBeGreaterThan(ROUNDS / 100);
    expect(valid).toBeLessThan(ROUNDS);
  });

  test('random bytes', () => {
    for (let round = 0; round < ROUNDS; round++) {
      const random = new Random(SEED * 2_000_000 + round);
      check(signal, random.bytes(random.int(0, 64)));
    }
  });

  test('mutated JSON', () => {
    let accepted = 0;
    for (let round = 0; round < ROUNDS / 3; round++) {
      const random = new Random(SEED * 3_000_000 + round);
      const text = mutate(random, Buffer.from(toJson(signal, sample(signal, random))));
      try {
        validate(signal, fromJson(signal, text));
        accepted++;
      } catch (error) {
        if (!(error instanceof InvalidJsonError))
          throw new Error(Buffer.from(text).toString(), { cause: error });
      }
    }
    expect(accepted).toBeGreaterThan(0);
    expect(accepted).toBeLessThan(ROUNDS / 3);
  });
});

test('responses', () => {
  for (let round = 0; round < ROUNDS; round++) {
    const random = new Random(SEED * 4_000_000 + round);
    const bytes = mutate(random, encodeStatus({ code: 14, message: random.text(), retryDelayMs: 7000 }));
    survives(() => decodeStatus(bytes));
    survives(() => decodeExportResponse(bytes));
  }
});

describe('inputs made to be expensive', () => {
  test('a length of 2^62 allocates nothing', () => {
    const bytes = Uint8Array.of(0x0a, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x40);
    for (const signal of SIGNALS) expect(check(signal, bytes)).toBe(false);
  });

  test('256 KiB of opened groups, of empty messages, of nested messages', () => {
    const groups = new Uint8Array(1 << 18).fill(0x0b);
    const empty = Uint8Array.from({ length: 1 << 18 }, (_, index) => (index % 2 === 0 ? 0x0a : 0));
    for (const signal of SIGNALS) {
      expect(survives(() => validate(signal, groups))).toBe(false);
      expect(survives(() => validate(signal, empty))).toBe(true);
      expect(toJson(signal, empty).length).toBeLessThan(JSON_EXPANSION * empty.length);
    }
  });
});
