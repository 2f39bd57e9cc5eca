/** The short way through validation never says "fine" of a span that the long way refuses. */
import { expect, it } from 'vitest';
import { MalformedError } from '../../../src/otlp/malformed-error.js';
import { isPlainSpan } from '../../../src/otlp/plain-span.js';
import { encodeSpanFields, type SpanInput } from '../../../src/otlp/trace-writer.js';
import { validate } from '../../../src/otlp/validate.js';
import { Random } from './support/random.js';

const ROUNDS = 20_000;
const PADDING = Buffer.alloc(8);

const SPAN: SpanInput = {
  traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
  spanId: '00f067aa0ba902b7',
  parentSpanId: 'b7ad6b7169203331',
  traceState: 'a=b',
  name: 'GET /orders',
  kind: 2,
  startTime: { hi: 1, lo: 2 },
  endTime: { hi: 1, lo: 3 },
  attributes: {
    text: 'value',
    long: 'x'.repeat(200),
    whole: 1_234_567,
    yes: true,
    part: { double: 0.5 },
    none: '',
  },
  flags: 0x101,
} as SpanInput;

/** The span alone in a request: the last one always goes the long way. */
function isValid(span: Uint8Array): boolean {
  const inside = (tag: number, content: Uint8Array): Buffer => {
    const length = content.length;
    return Buffer.concat([Buffer.of(tag, (length & 0x7f) | 0x80, length >> 7), content]);
  };
  try {
    return validate('traces', inside(0x0a, inside(0x12, inside(0x12, span)))) === 1;
  } catch (error) {
    if (error instanceof MalformedError) return false;
    throw error;
  }
}

const isPlain = (span: Uint8Array): boolean => isPlainSpan(Buffer.concat([span, PADDING]), 0, span.length);

it('knows the spans that instrumentations make', () => {
  const span = Buffer.from(encodeSpanFields(SPAN));
  expect(isValid(span)).toBe(true);
  expect(isPlain(span)).toBe(true);
  // Nothing may be read behind the end of the request.
  expect(isPlainSpan(span, 0, span.length)).toBe(false);
});

it('agrees with the long way on spans that were damaged', () => {
  const original = Buffer.from(encodeSpanFields(SPAN));
  let damaged = 0;
  let plain = 0;
  for (let seed = 1; seed <= ROUNDS; seed++) {
    const random = new Random(seed);
    let span = Buffer.from(original);
    for (let count = random.int(1, 3); count > 0; count--) {
      const at = random.int(0, span.length - 1);
      if (random.chance(0.2)) span = span.subarray(0, at + 1);
      else span[at] = random.chance(0.5) ? random.int(0, 255) : span[at]! + random.int(-2, 2);
    }
    if (isPlain(span)) {
      plain++;
      expect(isValid(span), `seed ${seed}`).toBe(true);
    } else if (!isValid(span)) damaged++;
  }
  expect(plain).toBeGreaterThan(ROUNDS / 20);
  expect(damaged).toBeGreaterThan(ROUNDS / 20);
});
