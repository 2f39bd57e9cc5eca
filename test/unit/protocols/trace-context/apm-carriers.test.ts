import { describe, expect, it } from 'vitest';
import { CONTEXT_HEADERS, readWireContext } from '../../../../src/protocols/trace-context/carriers.js';
import { sw8SpanId, sw8TraceId } from '../../../../src/protocols/trace-context/sw8-ids.js';

const TRACE = 'de5980b8fce34a37aab9b4ac3af7eedd.1.16563474296430001';
const SEGMENT = '4f2f27748b8e44ecaf18fe0347194e86.33.16560607369950066';
const TRACE_ID = '4e441824ec2b6a44ffdc9bb9a6453df3';
const SPAN_ID = 'ffdc9bb9a6453df3';

const read = (headers: Readonly<Record<string, string>>) =>
  readWireContext(CONTEXT_HEADERS.map((name) => headers[name]));
const base64 = (text: string) => Buffer.from(text).toString('base64');
const sw8 = (...changes: readonly string[]) =>
  ['1', base64(TRACE), base64(SEGMENT), '123', base64('s'), base64('i'), base64('/e'), base64('a:1')]
    .map((field, index) => changes[index] || field)
    .join('-');

describe('ids of SkyWalking', () => {
  it('are those that a Collector makes', () => {
    expect(sw8TraceId(TRACE)).toBe('de5980b8fde34a371be41bcd5e2fd4dd');
    expect(sw8SpanId(SEGMENT, 123)).toBe('e9c455a82542306a');
    expect(sw8SpanId('4f2f27748b8e44ecaf18fe0347194e86', 123)).toBe('9b37d977cc970a6a');
    expect(sw8TraceId('de59')).toBe('0'.repeat(32));
    expect(sw8TraceId('de5980b8-fce3-4a37-aab9-b4ac3af7eedd')).toBe('de5980b8fce34a37aab9b4ac3af7eedd');
    expect(sw8SpanId('garbage', 1)).toBe('0'.repeat(16));
  });
});

describe('sw8', () => {
  it('names the span that called, by the ids that its segment gets', () => {
    expect(read({ sw8: sw8() })).toEqual({
      traceId: sw8TraceId(TRACE),
      spanId: sw8SpanId(SEGMENT, 123),
      sampled: true,
      carrier: 'sw8',
    });
    expect(read({ sw8: sw8('0') })?.sampled).toBe(false);
  });

  it.each([
    '',
    '1',
    sw8('', base64('x')),
    sw8('', '', base64('x')),
    sw8('', '', '', '-1'),
    `${sw8()}-more`,
    'x'.repeat(9000),
  ])('is nothing when it is %j', (value) => expect(read({ sw8: value })).toBeUndefined());
});

describe('uber-trace-id', () => {
  it.each([
    [`${TRACE_ID}:${SPAN_ID}:0:1`, TRACE_ID, SPAN_ID, true],
    ['abc:1:0:0', 'abc'.padStart(32, '0'), '1'.padStart(16, '0'), false],
    [`${TRACE_ID}%3A${SPAN_ID}%3A0%3A3`, TRACE_ID, SPAN_ID, true],
  ])('reads %s', (value, traceId, spanId, sampled) => {
    expect(read({ 'uber-trace-id': value })).toEqual({ traceId, spanId, sampled, carrier: 'uber-trace-id' });
  });

  it.each([
    '0:1:0:1',
    '1:0:0:1',
    'xyz:1:0:1',
    '1:1:1',
    `${TRACE_ID}0:1:0:1`,
  ])('is nothing when it is %s', (value) => expect(read({ 'uber-trace-id': value })).toBeUndefined());
});

describe('B3', () => {
  it.each([
    [{ b3: `${TRACE_ID}-${SPAN_ID}` }, TRACE_ID, true, 'b3'],
    [{ b3: `${TRACE_ID}-${SPAN_ID}-0` }, TRACE_ID, false, 'b3'],
    [{ b3: `${TRACE_ID}-${SPAN_ID}-d-1111111111111111` }, TRACE_ID, true, 'b3'],
    [{ b3: `${SPAN_ID}-${SPAN_ID}-1` }, SPAN_ID.padStart(32, '0'), true, 'b3'],
    [{ 'x-b3-traceid': TRACE_ID, 'x-b3-spanid': SPAN_ID }, TRACE_ID, true, 'x-b3-traceid'],
    [
      { 'x-b3-traceid': TRACE_ID, 'x-b3-spanid': SPAN_ID, 'x-b3-sampled': '0' },
      TRACE_ID,
      false,
      'x-b3-traceid',
    ],
    [
      { 'x-b3-traceid': TRACE_ID, 'x-b3-spanid': SPAN_ID, 'x-b3-sampled': '0', 'x-b3-flags': '1' },
      TRACE_ID,
      true,
      'x-b3-traceid',
    ],
  ])('reads %j', (headers, traceId, sampled, carrier) => {
    expect(read(headers)).toEqual({ traceId, spanId: SPAN_ID, sampled, carrier });
  });

  it.each([
    { b3: '0' },
    { b3: `${TRACE_ID}-0000000000000000-1` },
    { 'x-b3-traceid': TRACE_ID },
    { 'x-b3-traceid': 'x', 'x-b3-spanid': SPAN_ID },
  ])('is nothing when it is %j', (headers) =>
    expect(read(headers as Readonly<Record<string, string>>)).toBeUndefined());

  it('gives way to a traceparent', () => {
    const traceparent = `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`;
    expect(read({ traceparent, b3: `${TRACE_ID}-${SPAN_ID}` })?.carrier).toBe('traceparent');
  });
});
