import { describe, expect, test } from 'vitest';
import { decodeSpans, decodeTraces } from '../../../src/otlp/decode.js';
import { fromJson, InvalidJsonError } from '../../../src/otlp/json-reader.js';
import { toJson } from '../../../src/otlp/json-writer.js';
import { validate } from '../../../src/otlp/validate.js';

const inSpan = (fields: string): string => `{"resourceSpans":[{"scopeSpans":[{"spans":[{${fields}}]}]}]}`;
const spanOf = (fields: string) => decodeSpans(fromJson('traces', inSpan(fields)))[0]!;
const attributeOf = (value: string) => spanOf(`"attributes":[{"key":"k","value":${value}}]`).attributes.k;

describe('fromJson accepts', () => {
  test('keys in lowerCamelCase and as in the .proto file', () => {
    const camel = fromJson(
      'traces',
      inSpan('"traceId":"0AF7651916cd43dd8448eb211c80319c","parentSpanId":"b7ad6b7169203331"'),
    );
    const snake = fromJson(
      'traces',
      '{"resource_spans":[{"scope_spans":[{"spans":[{"trace_id":"0af7651916cd43dd8448eb211c80319c","parent_span_id":"B7AD6B7169203331"}]}]}]}',
    );
    expect(snake).toEqual(camel);
    expect(decodeSpans(camel)[0]!.traceId).toBe('0af7651916cd43dd8448eb211c80319c');
  });

  test('bytes as well as text', () => {
    const text = inSpan('"name":"GET /é"');
    expect(fromJson('traces', Buffer.from(text))).toEqual(fromJson('traces', text));
  });

  test('empty and all-zero ids as none', () => {
    expect(spanOf('"traceId":"","spanId":"0000000000000000"')).toMatchObject({ traceId: '', spanId: '' });
  });

  test('64-bit integers as texts and as numbers, exactly', () => {
    expect(spanOf('"startTimeUnixNano":"1767225600000000001"').startTimeUnixNano).toBe(1767225600000000001n);
    expect(spanOf('"startTimeUnixNano":1767225600000000001').startTimeUnixNano).toBe(1767225600000000001n);
    expect(spanOf('"startTimeUnixNano":18446744073709551615').startTimeUnixNano).toBe(2n ** 64n - 1n);
    expect(attributeOf('{"intValue":"-9223372036854775808"}')).toBe(-(2n ** 63n));
    expect(attributeOf('{"intValue":-5}')).toBe(-5);
    expect(attributeOf('{"intValue":0}')).toBe(0);
  });

  test('enums as numbers, also unknown ones, and as names', () => {
    expect(spanOf('"kind":2').kind).toBe(2);
    expect(spanOf('"kind":99').kind).toBe(99);
    expect(spanOf('"kind":"SPAN_KIND_SERVER"').kind).toBe(2);
    expect(spanOf('"status":{"code":"STATUS_CODE_ERROR"}').status.code).toBe(2);
  });

  test('doubles as numbers and texts', () => {
    expect(attributeOf('{"doubleValue":1.5}')).toBe(1.5);
    expect(attributeOf('{"doubleValue":"1.5e3"}')).toBe(1500);
    expect(attributeOf('{"doubleValue":"NaN"}')).toBeNaN();
    expect(attributeOf('{"doubleValue":"Infinity"}')).toBe(Number.POSITIVE_INFINITY);
    expect(attributeOf('{"doubleValue":"-Infinity"}')).toBe(Number.NEGATIVE_INFINITY);
    expect(attributeOf('{"doubleValue":-0.0}')).toBe(-0);
  });

  test('standard base64', () => {
    expect(attributeOf('{"bytesValue":"+/8="}')).toEqual(Uint8Array.of(0xfb, 0xff));
    expect(attributeOf('{"bytesValue":""}')).toEqual(new Uint8Array(0));
  });

  test('null for messages, lists, texts, ids and the whole request', () => {
    expect(fromJson('traces', 'null')).toEqual(new Uint8Array(0));
    expect(fromJson('traces', '{"resourceSpans":null}')).toEqual(new Uint8Array(0));
    expect(spanOf('"status":null,"attributes":null,"name":null,"traceId":null').name).toBe('');
    expect(attributeOf('{"arrayValue":null}')).toEqual([]);
  });

  test('unknown fields of any shape, skipped', () => {
    const old =
      '{"resourceSpans":[{"instrumentationLibrarySpans":[{"spans":[{"name":"lost"}]}],"x":[1,{"a":[]},"}",null]}]}';
    expect(decodeSpans(fromJson('traces', old))).toEqual([]);
    expect(spanOf('"x":{"y":[true,false,{"z":-1.5e9}]},"name":"kept"').name).toBe('kept');
  });

  test('anything after the object, and duplicate keys', () => {
    expect(fromJson('traces', '{} trailing {')).toEqual(new Uint8Array(0));
    expect(spanOf('"name":"a","name":"b"').name).toBe('b');
  });

  test('white space and escapes', () => {
    expect(spanOf(' "name" :\n\t"a\\u00e9\\ud83d\\ude00\\n\\"\\/" ').name).toBe('aé😀\n"/');
  });
});

describe('fromJson refuses, and says where', () => {
  const path = 'resourceSpans[0].scopeSpans[0].spans[0]';
  test.each([
    ['a short id', '"traceId":"0af7"', 'traceId'],
    ['an id in base64', '"traceId":"CvdlGRbNQ92ESOshHIAxnA=="', 'traceId'],
    ['an id with other letters', '"spanId":"b7ad6b716920333g"', 'spanId'],
    ['a fraction', '"startTimeUnixNano":1.5', 'startTimeUnixNano'],
    ['an exponent', '"startTimeUnixNano":1e18', 'startTimeUnixNano'],
    ['a negative unsigned number', '"startTimeUnixNano":-1', 'startTimeUnixNano'],
    ['an empty number', '"startTimeUnixNano":""', 'startTimeUnixNano'],
    ['a number out of range', '"endTimeUnixNano":"18446744073709551616"', 'endTimeUnixNano'],
    ['a 32-bit number out of range', '"flags":4294967296', 'flags'],
    ['null for a number', '"flags":null', 'flags'],
    ['an unknown enum name', '"kind":"SERVER"', 'kind'],
    ['a name every object has', '"kind":"constructor"', 'kind'],
    ['null for an enum', '"kind":null', 'kind'],
    ['a number for a text', '"name":5', 'name'],
    ['a text for a list', '"events":"x"', 'events'],
    ['a list for a message', '"status":[]', 'status'],
  ])('%s', (_, fields, name) => {
    expect(() => fromJson('traces', inSpan(fields))).toThrow(InvalidJsonError);
    expect(() => fromJson('traces', inSpan(fields))).toThrow(
      expect.objectContaining({ path: `${path}.${name}` }),
    );
  });

  test.each([
    ['a text for a bool', '{"boolValue":"true"}'],
    ['null for a bool', '{"boolValue":null}'],
    ['a number for a text', '{"stringValue":5}'],
    ['the URL alphabet of base64', '{"bytesValue":"-_8="}'],
    ['base64 without padding', '{"bytesValue":"+/8"}'],
    ['a double that is no number', '{"doubleValue":"abc"}'],
    ['a double out of range', '{"doubleValue":1e999}'],
    ['a word for a double', '{"doubleValue":true}'],
    ['an int out of range', '{"intValue":"9223372036854775808"}'],
  ])('%s', (_, value) => {
    expect(() => attributeOf(value)).toThrow(InvalidJsonError);
  });

  test.each([
    ['nothing', ''],
    ['a list', '[]'],
    ['a text', '"x"'],
    ['a cut text', '{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"a'],
    ['a cut object', '{"resourceSpans":['],
    ['garbage', '%%%'],
    ['a byte order mark', '\ufeff{}'],
    ['a missing colon', '{"resourceSpans" []}'],
    ['a missing comma', '{"a":1 "b":2}'],
    ['a raw control character', '{"a":"\n"}'],
    ['a broken escape', '{"a":"\\x"}'],
    ['a broken unicode escape', '{"a":"\\u12g4"}'],
    ['a leading zero', '{"a":01}'],
    ['a trailing comma', '{"a":[1,]}'],
    ['unknown words', '{"a":nul}'],
  ])('%s', (_, text) => {
    expect(() => fromJson('traces', text)).toThrow(InvalidJsonError);
  });

  test('values nested without end, in known and unknown fields', () => {
    const deep = '{"arrayValue":{"values":['.repeat(20_000);
    expect(() => attributeOf(deep)).toThrow(/nested deeper/);
    expect(() => fromJson('traces', `{"x":${'['.repeat(20_000)}`)).toThrow(/Nested deeper/);
    const allowed = '{"arrayValue":{"values":['.repeat(90) + ']}}'.repeat(90);
    const bytes = fromJson('traces', inSpan(`"attributes":[{"key":"k","value":${allowed}}]`));
    expect(validate('traces', bytes)).toBe(1);
    expect(JSON.parse(toJson('traces', bytes))).toBeDefined();
    expect(decodeTraces(bytes).resourceSpans.length).toBe(1);
  });
});

describe('toJson', () => {
  test('keeps resource, scope, status and value, and leaves out other defaults', () => {
    const bytes = fromJson('traces', inSpan('"attributes":[{"key":"k"}],"kind":0,"name":""'));
    expect(toJson('traces', bytes)).toBe(
      '{"resourceSpans":[{"resource":{},"scopeSpans":[{"scope":{},"spans":[{"attributes":[{"key":"k","value":{}}],"status":{}}]}]}]}',
    );
  });

  test('keeps set members of a oneof even when they are defaults', () => {
    const values =
      '{"stringValue":""},{"boolValue":false},{"intValue":"0"},{"doubleValue":0},{"bytesValue":""}';
    const bytes = fromJson(
      'traces',
      inSpan(`"attributes":[{"key":"k","value":{"arrayValue":{"values":[${values}]}}}]`),
    );
    expect(toJson('traces', bytes)).toContain(`{"values":[${values}]}`);
  });
});
