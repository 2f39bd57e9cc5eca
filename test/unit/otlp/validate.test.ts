import { describe, expect, test } from 'vitest';
import { decodeSpans } from '../../../src/otlp/decode.js';
import { MalformedError } from '../../../src/otlp/malformed-error.js';
import { spansOf } from '../../../src/otlp/trace-view.js';
import { validate } from '../../../src/otlp/validate.js';
import { WireWriter } from '../../../src/otlp/wire-writer.js';

const inSpan = (write: (writer: WireWriter) => void): Uint8Array => {
  const writer = new WireWriter();
  const marks = [0x0a, 0x12, 0x12].map((tag) => writer.open(tag, 1));
  write(writer);
  for (const mark of marks.reverse()) writer.close(mark);
  return writer.finish();
};

const error = (bytes: Uint8Array): MalformedError => {
  try {
    validate('traces', bytes);
  } catch (thrown) {
    if (thrown instanceof MalformedError) return thrown;
    throw thrown;
  }
  throw new Error('Nothing was thrown.');
};

describe('validate', () => {
  test('accepts nothing, unknown fields and empty ids', () => {
    expect(validate('traces', new Uint8Array(0))).toBe(0);
    expect(
      validate(
        'traces',
        inSpan(() => {}),
      ),
    ).toBe(1);
    expect(
      validate(
        'traces',
        inSpan((writer) => writer.stringField((500 << 3) | 2, 'x')),
      ),
    ).toBe(1);
    expect(
      validate(
        'traces',
        inSpan((writer) => writer.bytesField(0x0a, new Uint8Array(0))),
      ),
    ).toBe(1);
  });

  test.each([
    ['an illegal wire type', Uint8Array.of(0x7f), 'ERR_OTLP_WIRE_TYPE', 'proto: illegal wireType 7'],
    ['text', Buffer.from('not protobuf'), 'ERR_OTLP_WIRE_TYPE', 'proto: illegal wireType 6'],
    ['field 0', Uint8Array.of(0x02, 0), 'ERR_OTLP_TAG', 'proto: Link: illegal field=0 (tag=2, pos=1)'],
    ['an end of group', Uint8Array.of(0x7c), 'ERR_OTLP_GROUP', 'proto: unexpected end of group'],
    ['a group without an end', Uint8Array.of(0x7b, 0x08, 0x01), 'ERR_OTLP_TRUNCATED', 'unexpected EOF'],
    [
      'a group where a message belongs',
      Uint8Array.of(0x0b),
      'ERR_OTLP_WIRE_TYPE',
      'proto: wrong wireType = 3 for field ResourceSpans',
    ],
    ['a length beyond the end', Uint8Array.of(0x0a, 5, 0), 'ERR_OTLP_TRUNCATED', 'unexpected EOF'],
    ['a tag and nothing', Uint8Array.of(0x0a), 'ERR_OTLP_TRUNCATED', 'unexpected EOF'],
    [
      'a negative length',
      Uint8Array.of(0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01),
      'ERR_OTLP_LENGTH',
      'proto: negative length found during unmarshaling',
    ],
    [
      'a varint of eleven bytes',
      Uint8Array.from([0x78, ...new Array<number>(10).fill(0x80), 0]),
      'ERR_OTLP_VARINT',
      'proto: integer overflow',
    ],
    [
      'a known field of another wire type',
      inSpan((writer) => writer.varintField(0x08, 1)),
      'ERR_OTLP_WIRE_TYPE',
      'proto: wrong wireType = 0 for field TraceId',
    ],
    [
      'a trace id of 15 bytes',
      inSpan((writer) => writer.bytesField(0x0a, new Uint8Array(15))),
      'ERR_OTLP_ID_LENGTH',
      'unmarshal: invalid TraceID length',
    ],
    [
      'a parent id of 16 bytes',
      inSpan((writer) => writer.bytesField(0x22, new Uint8Array(16))),
      'ERR_OTLP_ID_LENGTH',
      'unmarshal: invalid SpanID length',
    ],
    [
      'an attribute whose value is cut',
      inSpan((writer) => writer.bytesField(0x4a, Uint8Array.of(0x0a, 1, 0x6b, 0x12, 2, 0x0a, 9))),
      'ERR_OTLP_TRUNCATED',
      'unexpected EOF',
    ],
    [
      'an attribute whose int has no end',
      inSpan((writer) => writer.bytesField(0x4a, Uint8Array.of(0x0a, 1, 0x6b, 0x12, 2, 0x18, 0x80))),
      'ERR_OTLP_TRUNCATED',
      'unexpected EOF',
    ],
  ] as const)('refuses %s', (_, bytes, code, message) => {
    const { code: found, message: text, offset } = error(bytes);
    expect([found, text]).toEqual([code, message]);
    expect(offset).toBeLessThanOrEqual(bytes.length);
  });

  test('refuses values nested without end', () => {
    let value: Uint8Array = Uint8Array.of(0x10, 1);
    for (let depth = 0; depth < 300; depth++) {
      const writer = new WireWriter();
      const array = writer.open(0x2a, 2);
      writer.bytesField(0x0a, value);
      writer.close(array);
      value = writer.finish();
    }
    const bytes = inSpan((writer) => {
      const attribute = writer.open(0x4a, 2);
      writer.bytesField(0x12, value);
      writer.close(attribute);
    });
    expect(error(bytes).code).toBe('ERR_OTLP_DEPTH');
    expect(() => spansOf(bytes)[0]!.attributes()).toThrow(MalformedError);
    expect(() => decodeSpans(bytes)).toThrow(MalformedError);
  });

  test('accepts packed and single values of a list, and refuses a broken run', () => {
    const point = (write: (writer: WireWriter) => void) => {
      const writer = new WireWriter();
      const marks = [0x0a, 0x12, 0x12, 0x4a, 0x0a].map((tag) => writer.open(tag, 1));
      write(writer);
      for (const mark of marks.reverse()) writer.close(mark);
      return writer.finish();
    };
    expect(
      validate(
        'metrics',
        point((writer) => writer.bytesField(0x32, new Uint8Array(16))),
      ),
    ).toBe(1);
    const single = point((writer) => {
      writer.varint(0x31);
      writer.fixed64(0, 1);
    });
    expect(validate('metrics', single)).toBe(1);
    expect(() =>
      validate(
        'metrics',
        point((writer) => writer.bytesField(0x32, new Uint8Array(15))),
      ),
    ).toThrow('unexpected EOF');
  });
});
