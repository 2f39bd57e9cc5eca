import { describe, expect, test } from 'vitest';
import type { AttributeValue } from '../../../src/otlp/any-value.js';
import { decodeSpans, decodeTraces } from '../../../src/otlp/decode.js';
import { appendToResources, appendToSpans, encodeResourceFields } from '../../../src/otlp/edit.js';
import { MalformedError } from '../../../src/otlp/malformed-error.js';
import { spansOf, walkSpans } from '../../../src/otlp/trace-view.js';
import { encodeSpanFields, type SpanFieldsInput, TracesWriter } from '../../../src/otlp/trace-writer.js';
import { validate } from '../../../src/otlp/validate.js';
import { WireWriter } from '../../../src/otlp/wire-writer.js';
import {
  expectedSpan,
  randomAttributes,
  randomEvent,
  randomLink,
  randomSpan,
  randomTraces,
} from './support/models.js';
import { Random } from './support/random.js';

const time = { hi: 1, lo: 2 };
const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';

describe('appendToSpans', () => {
  test('equals the same edit on decoded objects', () => {
    let edited = 0;
    for (let seed = 1; seed <= 40; seed++) {
      const random = new Random(seed);
      const { bytes, spans } = randomTraces(random);
      const edits = new Map<number, Uint8Array>();
      const expected = spans.map(expectedSpan);
      const views = spansOf(bytes);
      for (const [index, view] of views.entries()) {
        if (random.chance(0.4)) continue;
        const fields: SpanFieldsInput = {
          attributes: randomAttributes(random, 4),
          events: random.list(3, () => randomEvent(random)),
          links: random.list(1, () => randomLink(random)),
          ...(random.chance(0.5) ? { droppedEventsCount: random.int(1, 300) } : {}),
        };
        const data = encodeSpanFields(fields);
        edits.set(view.start, data);
        if (data.length > 0) edited++;
        const added = expectedSpan({
          ...fields,
          traceId: '',
          spanId: '',
          name: '',
          startTime: time,
          endTime: time,
        });
        const before = expected[index]!;
        expected[index] = {
          ...before,
          attributes: { ...before.attributes, ...added.attributes },
          events: [...before.events, ...added.events],
          links: [...before.links, ...added.links],
          droppedEventsCount: fields.droppedEventsCount ?? before.droppedEventsCount,
        };
      }
      const result = appendToSpans(bytes, edits);
      expect(validate('traces', result)).toBe(spans.length);
      const decoded = decodeSpans(result).map(({ resource: _r, scope: _s, ...span }) => span);
      expect(decoded, `seed ${seed}`).toEqual(expected);
    }
    expect(edited).toBeGreaterThan(50);
  });

  test('keeps every other byte, unknown fields and padded lengths included', () => {
    const bytes = withUnknownFields();
    const [first, second] = spansOf(bytes);
    const added = encodeSpanFields({ attributes: { added: 1 } });
    const result = appendToSpans(bytes, new Map([[second!.start, added]]));
    expect(result.length).toBe(bytes.length + added.length);
    const [same, longer] = spansOf(result);
    expect(result.subarray(same!.start, same!.end)).toEqual(bytes.subarray(first!.start, first!.end));
    expect(Buffer.from(result.subarray(longer!.start, longer!.end))).toEqual(
      Buffer.concat([bytes.subarray(second!.start, second!.end), added]),
    );
    // Taking the addition out again and shrinking the three lengths around it gives the input.
    expect(result.subarray(longer!.end)).toEqual(bytes.subarray(second!.end));
    expect(longer!.attribute('added')).toBe(1);
  });

  test('grows lengths over the limits of one and two bytes', () => {
    for (const size of [1, 60, 127, 128, 200, 16_383, 16_384, 70_000, 2_100_000]) {
      const writer = new TracesWriter();
      writer.resource({});
      writer.scope('');
      for (let index = 0; index < 3; index++) {
        writer.span({ traceId: TRACE, spanId: SPAN, name: `s${index}`, startTime: time, endTime: time });
      }
      const bytes = writer.finish();
      const text = 'x'.repeat(size);
      const edits = new Map(
        spansOf(bytes).map((span) => [span.start, encodeSpanFields({ attributes: { text } })] as const),
      );
      const result = appendToSpans(bytes, edits);
      expect(spansOf(result).map((span) => span.attribute('text') === text)).toEqual([true, true, true]);
    }
  });

  test('appends in any order of the map, and nothing for an empty map', () => {
    const bytes = sampleTraces();
    const starts = spansOf(bytes).map((span) => span.start);
    expect(starts.length).toBeGreaterThan(2);
    const data = encodeSpanFields({ attributes: { n: 1 } });
    const upwards = appendToSpans(bytes, new Map(starts.map((start) => [start, data])));
    const downwards = appendToSpans(bytes, new Map([...starts].reverse().map((start) => [start, data])));
    expect(downwards).toEqual(upwards);
    expect(appendToSpans(bytes, new Map())).toBe(bytes);
  });

  test('refuses an offset that is not that of a span', () => {
    const bytes = sampleTraces();
    const start = spansOf(bytes)[1]!.start;
    expect(() => appendToSpans(bytes, new Map([[start + 1, new Uint8Array(2)]]))).toThrow(RangeError);
    expect(() => appendToSpans(bytes, new Map([[bytes.length + 5, new Uint8Array(2)]]))).toThrow(RangeError);
  });

  test('does not change its input', () => {
    const bytes = sampleTraces();
    const before = bytes.slice();
    appendToSpans(
      bytes,
      new Map(spansOf(bytes).map((span) => [span.start, encodeSpanFields({ attributes: { a: 1 } })])),
    );
    expect(bytes).toEqual(before);
  });

  test('throws MalformedError for a broken structure', () => {
    const bytes = sampleTraces();
    const start = spansOf(bytes).at(-1)!.start;
    expect(() =>
      appendToSpans(bytes.subarray(0, bytes.length - 1), new Map([[start, new Uint8Array(1)]])),
    ).toThrow(MalformedError);
  });
});

describe('appendToResources', () => {
  test('adds attributes to the resource, and a resource where there is none', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const { bytes } = randomTraces(new Random(seed));
      const edits = new Map<number, Uint8Array>();
      walkSpans(bytes, (span) => {
        edits.set(span.resource.start, encodeResourceFields({ 'host.name': 'node-7' }));
      });
      const before = decodeTraces(bytes);
      const after = decodeTraces(appendToResources(bytes, edits));
      before.resourceSpans.forEach((group, index) => {
        const hasSpans = group.scopeSpans.some((scope) => scope.spans.length > 0);
        const expected: Record<string, AttributeValue> = { ...group.resource.attributes };
        if (hasSpans) expected['host.name'] = 'node-7';
        expect(after.resourceSpans[index]!.resource.attributes).toEqual(expected);
        expect(after.resourceSpans[index]!.scopeSpans).toEqual(group.scopeSpans);
      });
    }
    const noResource = new WireWriter();
    const group = noResource.open(0x0a, 1);
    noResource.stringField(0x1a, 'https://example.com');
    noResource.close(group);
    const result = appendToResources(noResource.finish(), new Map([[2, encodeResourceFields({ a: 'b' })]]));
    expect(decodeTraces(result).resourceSpans[0]).toMatchObject({
      resource: { attributes: { a: 'b' } },
      schemaUrl: 'https://example.com',
    });
  });
});

/** Three groups with two spans each. */
function sampleTraces(): Uint8Array {
  const random = new Random(1);
  const writer = new TracesWriter();
  for (let index = 0; index < 3; index++) {
    writer.resource({ 'service.name': `service ${index}` });
    writer.scope('lib');
    writer.span(randomSpan(random));
    writer.span(randomSpan(random));
  }
  return writer.finish();
}

/** One resource, one scope, two spans; unknown fields of all wire types at every level, and a padded length. */
function withUnknownFields(): Uint8Array {
  const writer = new WireWriter();
  const unknown = () => {
    writer.varintField((100 << 3) | 0, 300);
    writer.varint((101 << 3) | 1);
    writer.fixed64(1, 2);
    writer.stringField((102 << 3) | 2, 'unknown');
    writer.varint((103 << 3) | 5);
    writer.fixed32(7);
    // A group with a field in it.
    writer.varint((104 << 3) | 3);
    writer.varintField(8, 1);
    writer.varint((104 << 3) | 4);
  };
  unknown();
  const group = writer.open(0x0a, 2);
  unknown();
  const scope = writer.open(0x12, 2);
  for (const name of ['first', 'second']) {
    const span = new WireWriter();
    span.idField(0x0a, TRACE, 16);
    span.idField(0x12, SPAN, 8);
    span.stringField(0x2a, name);
    writer.varint(0x12);
    // The length in four bytes where one would do.
    writer.raw(Uint8Array.of((span.pos + 10) | 0x80, 0x80, 0x80, 0));
    writer.raw(span.finish());
    writer.stringField((102 << 3) | 2, 'unknown');
  }
  unknown();
  writer.close(scope);
  unknown();
  writer.close(group);
  unknown();
  return writer.finish();
}
