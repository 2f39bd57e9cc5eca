/** Zipkin v2 protobuf (`ListOfSpans`; https://github.com/openzipkin/zipkin-api/blob/1.0.0/zipkin.proto). */
import { isIPv4 } from 'node:net';
import { fromHex } from '../../otlp/ids.js';
import { timeFromBigInt } from '../../otlp/time.js';
import { field } from '../../otlp/wire-reader.js';
import { WireWriter } from '../../otlp/wire-writer.js';
import type { ZipkinEndpoint } from '../../zipkin/model.js';
import { KINDS } from '../../zipkin/proto.js';
import type { OutgoingSpan } from './outgoing-span.js';

const SPAN = field.delimited(1);
const TRACE_ID = field.delimited(1);
const PARENT_ID = field.delimited(2);
const ID = field.delimited(3);
const KIND = field.varint(4);
const NAME = field.delimited(5);
const TIMESTAMP = field.fixed64(6);
const DURATION = field.varint(7);
const LOCAL = field.delimited(8);
const REMOTE = field.delimited(9);
const ANNOTATION = field.delimited(10);
const TAG = field.delimited(11);
const KEY = field.delimited(1);
const VALUE = field.delimited(2);
const ANNOTATION_TIME = field.fixed64(1);
const SERVICE_NAME = field.delimited(1);
const IPV4 = field.delimited(2);
const IPV6 = field.delimited(3);
const PORT = field.varint(4);

export function toV2Protobuf(spans: readonly OutgoingSpan[]): Uint8Array {
  const writer = new WireWriter(16 * 1024);
  for (const span of spans) {
    const mark = writer.open(SPAN, 2);
    writeSpan(writer, span);
    writer.close(mark);
  }
  return writer.finish();
}

function writeSpan(writer: WireWriter, span: OutgoingSpan): void {
  writer.idField(TRACE_ID, span.traceId, 16);
  if (span.parentId !== '') writer.idField(PARENT_ID, span.parentId, 8);
  writer.idField(ID, span.id, 8);
  const kind = KINDS.indexOf(span.kind as (typeof KINDS)[number]);
  if (kind > 0) writer.varintField(KIND, kind);
  if (span.name !== '') writer.stringField(NAME, span.name);
  if (span.startNs !== undefined) {
    writer.timeField(TIMESTAMP, timeFromBigInt((span.startNs + 500n) / 1000n));
  }
  const durationUs = Number(span.durationNs / 1000n);
  if (durationUs > 0) writer.varintField(DURATION, durationUs);
  writeEndpoint(writer, LOCAL, span.local);
  if (span.remote !== undefined) writeEndpoint(writer, REMOTE, span.remote);
  for (const { timeNs, value } of span.annotations) {
    const mark = writer.open(ANNOTATION, 1);
    writer.timeField(ANNOTATION_TIME, timeFromBigInt(timeNs / 1000n));
    if (value !== '') writer.stringField(VALUE, value);
    writer.close(mark);
  }
  for (const [key, value] of span.tags) {
    const mark = writer.open(TAG, 1);
    writer.stringField(KEY, key);
    writer.stringField(VALUE, value);
    writer.close(mark);
  }
}

function writeEndpoint(writer: WireWriter, tag: number, endpoint: ZipkinEndpoint): void {
  const mark = writer.open(tag, 1);
  if (endpoint.serviceName !== '') writer.stringField(SERVICE_NAME, endpoint.serviceName);
  if (endpoint.ipv4 !== '') writer.bytesField(IPV4, Uint8Array.from(endpoint.ipv4.split('.'), Number));
  if (endpoint.ipv6 !== '') writer.bytesField(IPV6, ipv6Bytes(endpoint.ipv6));
  if (endpoint.port > 0) writer.varintField(PORT, endpoint.port);
  writer.close(mark);
}

/** Of a canonical address; IPv4 in it is as Go prints it. */
function ipv6Bytes(text: string): Uint8Array {
  if (isIPv4(text))
    return Uint8Array.from([...Array<number>(10).fill(0), 255, 255, ...text.split('.').map(Number)]);
  const [before = '', after] = text.split('::');
  const groups = (part: string | undefined): string[] => (part ? part.split(':') : []);
  const head = groups(before);
  const tail = groups(after);
  const zeros = Array<string>(8 - head.length - tail.length).fill('0');
  const hex = [...head, ...zeros, ...tail].map((group) => group.padStart(4, '0')).join('');
  return fromHex(hex) ?? new Uint8Array(16);
}
