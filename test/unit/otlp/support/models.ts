/** Random telemetry: what the writers are given, and what the decoders must give back. */
import type { Attributes, AttributeValue } from '../../../../src/otlp/any-value.js';
import type { AttributeInput, AttributesInput } from '../../../../src/otlp/attribute-writer.js';
import type { DecodedLogRecord, DecodedSpan } from '../../../../src/otlp/decode.js';
import type { LogRecordInput } from '../../../../src/otlp/logs-writer.js';
import { type Time64, timeToBigInt } from '../../../../src/otlp/time.js';
import {
  type SpanEventInput,
  type SpanInput,
  type SpanLinkInput,
  TracesWriter,
} from '../../../../src/otlp/trace-writer.js';
import type { Random } from './random.js';

export function randomTime(random: Random): Time64 {
  return { hi: random.int(0, 0xffff_ffff), lo: random.int(0, 0xffff_ffff) };
}

export function randomValue(random: Random, depth = 0): AttributeInput {
  switch (random.int(0, depth < 3 ? 9 : 6)) {
    case 0:
      return random.chance(0.5);
    case 1:
      return random.pick([
        0,
        1,
        -1,
        127,
        128,
        -128,
        2 ** 31,
        -(2 ** 31),
        2 ** 32,
        2 ** 53 - 1,
        -(2 ** 53 - 1),
      ]);
    case 2:
      return random.pick([2n ** 63n - 1n, -(2n ** 63n), 2n ** 53n, -(2n ** 53n), 1n << 62n]);
    case 3:
      return random.pick([0.5, -1.25, 1e300, 5e-324, -0]);
    case 4:
      return {
        double: random.pick([0, 1, 42, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]),
      };
    case 5:
      return random.bytes(random.int(0, 200));
    case 7:
      return random.list(5, () => randomValue(random, depth + 1));
    case 8:
      return { map: randomAttributes(random, 4, depth + 1) };
    case 9:
      return null;
    default:
      return random.text();
  }
}

export function randomAttributes(random: Random, most: number, depth = 0): AttributesInput {
  const attributes: Record<string, AttributeInput> = {};
  for (const key of random.list(most, () => random.text() || 'k')) {
    if (!/^\d+$/.test(key)) attributes[key] = randomValue(random, depth);
  }
  return attributes;
}

export const randomEvent = (random: Random): SpanEventInput => ({
  time: randomTime(random),
  name: random.text(),
  attributes: random.chance(0.8) ? randomAttributes(random, 5) : undefined,
  droppedAttributesCount: random.pick([0, 3, 2 ** 32 - 1]),
});

export const randomLink = (random: Random): SpanLinkInput => ({
  traceId: random.hex(16),
  spanId: random.bytes(8),
  traceState: random.chance(0.3) ? 'a=1,b=2' : undefined,
  attributes: randomAttributes(random, 2),
  flags: random.pick([0, 1, 0x301]),
});

export const randomSpan = (random: Random): SpanInput => ({
  traceId: random.chance(0.5) ? random.hex(16) : random.bytes(16),
  spanId: random.hex(8),
  parentSpanId: random.pick([undefined, '', random.hex(8), random.bytes(8)]),
  traceState: random.chance(0.2) ? 'vendor=value' : undefined,
  name: random.text(),
  kind: random.int(0, 6),
  startTime: randomTime(random),
  endTime: randomTime(random),
  flags: random.pick([0, 1, 0x101, 0xffff_ffff]),
  attributes: random.chance(0.9) ? randomAttributes(random, 12) : undefined,
  droppedAttributesCount: random.pick([0, 1, 1000]),
  events: random.list(4, () => randomEvent(random)),
  droppedEventsCount: random.pick([0, 200]),
  links: random.list(2, () => randomLink(random)),
  droppedLinksCount: random.pick([0, 70_000]),
  status: random.pick([undefined, { code: 1 }, { code: 2, message: random.text() }, { code: 0 }]),
});

export const randomLogRecord = (random: Random): LogRecordInput => ({
  time: random.chance(0.9) ? randomTime(random) : undefined,
  observedTime: random.chance(0.9) ? randomTime(random) : undefined,
  severityNumber: random.int(0, 24),
  severityText: random.chance(0.5) ? 'WARN' : undefined,
  body: random.chance(0.8) ? randomValue(random) : undefined,
  attributes: randomAttributes(random, 6),
  droppedAttributesCount: random.pick([0, 9]),
  flags: random.pick([0, 1]),
  traceId: random.chance(0.5) ? random.hex(16) : undefined,
  spanId: random.chance(0.5) ? random.bytes(8) : undefined,
  eventName: random.chance(0.2) ? 'session.start' : undefined,
});

/** A batch of several resources and scopes, and its spans in order. */
export function randomTraces(random: Random, mostSpans = 4): { bytes: Uint8Array; spans: SpanInput[] } {
  const writer = new TracesWriter(64);
  const spans: SpanInput[] = [];
  for (let resource = random.int(0, 3); resource > 0; resource--) {
    writer.resource(
      randomAttributes(random, 4),
      random.chance(0.3) ? 'https://example.com/schema' : undefined,
    );
    for (let scope = random.int(0, 3); scope > 0; scope--) {
      writer.scope(random.text(), random.text(), randomAttributes(random, 2), random.text());
      for (const span of random.list(mostSpans, () => randomSpan(random))) {
        writer.span(span);
        spans.push(span);
      }
    }
  }
  return { bytes: writer.finish(), spans };
}

export function expectedValue(input: AttributeInput): AttributeValue {
  if (typeof input === 'bigint') {
    const asNumber = Number(input);
    return Number.isSafeInteger(asNumber) ? asNumber : input;
  }
  if (input === null || typeof input !== 'object' || input instanceof Uint8Array) return input;
  if ('double' in input) return input.double;
  return 'length' in input ? input.map(expectedValue) : expectedAttributes(input.map);
}

export function expectedAttributes(input: AttributesInput | undefined): Attributes {
  const attributes: Record<string, AttributeValue> = {};
  for (const [key, value] of Object.entries(input ?? {})) {
    if (value !== undefined) attributes[key] = expectedValue(value);
  }
  return attributes;
}

const idText = (id: string | Uint8Array | undefined): string =>
  typeof id === 'string' ? id : Buffer.from(id ?? []).toString('hex');

export const expectedSpan = (span: SpanInput): DecodedSpan => ({
  traceId: idText(span.traceId),
  spanId: idText(span.spanId),
  traceState: span.traceState ?? '',
  parentSpanId: idText(span.parentSpanId),
  flags: span.flags ?? 0,
  name: span.name,
  kind: span.kind ?? 0,
  startTimeUnixNano: timeToBigInt(span.startTime),
  endTimeUnixNano: timeToBigInt(span.endTime),
  attributes: expectedAttributes(span.attributes),
  droppedAttributesCount: span.droppedAttributesCount ?? 0,
  events: (span.events ?? []).map((event) => ({
    timeUnixNano: timeToBigInt(event.time),
    name: event.name,
    attributes: expectedAttributes(event.attributes),
    droppedAttributesCount: event.droppedAttributesCount ?? 0,
  })),
  droppedEventsCount: span.droppedEventsCount ?? 0,
  links: (span.links ?? []).map((link) => ({
    traceId: idText(link.traceId),
    spanId: idText(link.spanId),
    traceState: link.traceState ?? '',
    attributes: expectedAttributes(link.attributes),
    droppedAttributesCount: link.droppedAttributesCount ?? 0,
    flags: link.flags ?? 0,
  })),
  droppedLinksCount: span.droppedLinksCount ?? 0,
  status: { code: span.status?.code ?? 0, message: span.status?.message ?? '' },
});

export const expectedLogRecord = (record: LogRecordInput): DecodedLogRecord => ({
  timeUnixNano: record.time === undefined ? 0n : timeToBigInt(record.time),
  observedTimeUnixNano: record.observedTime === undefined ? 0n : timeToBigInt(record.observedTime),
  severityNumber: record.severityNumber ?? 0,
  severityText: record.severityText ?? '',
  body: record.body === undefined ? null : expectedValue(record.body),
  attributes: expectedAttributes(record.attributes),
  droppedAttributesCount: record.droppedAttributesCount ?? 0,
  flags: record.flags ?? 0,
  traceId: idText(record.traceId),
  spanId: idText(record.spanId),
  eventName: record.eventName ?? '',
});
