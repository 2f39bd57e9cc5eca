/**
 * Exchanges as encoded spans, field by field into the batch: no object between an exchange and its bytes.
 * Source: opentelemetry-proto v1.11, trace/v1/trace.proto. Fields come in the order of their numbers, then what is
 * encoded already (attributes, profile).
 */
import { writeAttribute } from '../otlp/attribute-writer.js';
import { BatchWriter } from '../otlp/batch-writer.js';
import { SpanFlags, SpanKind, StatusCode } from '../otlp/span-constants.js';
import type { Time64 } from '../otlp/time.js';
import { field } from '../otlp/wire-reader.js';
import type { WireWriter } from '../otlp/wire-writer.js';
import type { SpanFacts } from '../protocols/span-facts.js';
import type { SpanAttributeEncoder } from './span-attributes.js';
import { errorType, putTls, spanName } from './span-attributes.js';
import { hasParent, PARENT_ID, SPAN_ID, TRACE_ID } from './span-identity.js';
import type { Exchange } from './types.js';

const SPAN = field.delimited(2);
const TRACE_ID_TAG = field.delimited(1);
const SPAN_ID_TAG = field.delimited(2);
const TRACE_STATE = field.delimited(3);
const PARENT_SPAN_ID_TAG = field.delimited(4);
const NAME = field.delimited(5);
const KIND = field.varint(6);
const START = field.fixed64(7);
const END = field.fixed64(8);
const STATUS = field.delimited(15);
const STATUS_MESSAGE = field.delimited(2);
const STATUS_CODE = field.varint(3);
const ATTRIBUTE = field.delimited(9);
const FLAGS = field.fixed32(16);

/** Bytes of the fields of fixed size, tags included, with room to spare. */
const FIXED_BYTES = 128;
const TWO_32 = 0x1_0000_0000;

/** What one span is made of; one object serves all of them. */
export interface SpanJob {
  exchange: Exchange;
  /** What the exchange was, where its protocol says it; undefined for HTTP/1.x. */
  facts: SpanFacts | undefined;
  identity: Uint8Array;
  startTime: Time64;
  /** Encoded `Span` fields to append. */
  profile: Uint8Array | undefined;
  readonly attributes: SpanAttributeEncoder;
}

/** Builds one request after another, like `TracesWriter`. */
export class ExchangeSpanWriter extends BatchWriter {
  exchange(job: SpanJob): void {
    this.item(SPAN, job, writeSpan);
  }
}

function writeSpan(
  writer: WireWriter,
  { exchange, facts, identity, startTime, profile, attributes }: SpanJob,
): void {
  const { context, role, requestStart, requestEnd, responseEnd } = exchange;
  const isServer = role === 'server';
  writer.reserve(FIXED_BYTES);
  putId(writer, TRACE_ID_TAG, identity, TRACE_ID.start, TRACE_ID.end);
  putId(writer, SPAN_ID_TAG, identity, SPAN_ID.start, SPAN_ID.end);
  if (context?.state) writer.stringField(TRACE_STATE, context.state);
  if (hasParent(identity)) {
    writer.reserve(FIXED_BYTES);
    putId(writer, PARENT_SPAN_ID_TAG, identity, PARENT_ID.start, PARENT_ID.end);
  }
  writer.stringField(NAME, facts?.name ?? spanName(exchange));
  writer.varintField(
    KIND,
    facts !== undefined ? SpanKind[facts.kind] : isServer ? SpanKind.server : SpanKind.client,
  );
  writer.timeField(START, startTime);
  const end = responseEnd === 0 ? requestEnd : responseEnd;
  const low = startTime.lo + Math.max(0, Math.round(end - requestStart));
  const carry = Math.floor(low / TWO_32);
  writer.varint(END);
  writer.fixed64((startTime.hi + carry) >>> 0, (low - carry * TWO_32) >>> 0);
  if ((facts === undefined ? errorType(exchange) : facts.errorType) !== undefined) {
    const mark = writer.open(STATUS, facts?.statusMessage === undefined ? 1 : 2);
    if (facts?.statusMessage !== undefined) writer.stringField(STATUS_MESSAGE, facts.statusMessage);
    writer.varintField(STATUS_CODE, StatusCode.error);
    writer.close(mark);
  }
  writer.varint(FLAGS);
  writer.fixed32(
    (context?.sampled === false ? 0 : SpanFlags.sampled) |
      SpanFlags.hasIsRemote |
      (isServer && context !== undefined ? SpanFlags.isRemote : 0),
  );
  if (facts === undefined) attributes.write(writer, exchange);
  else {
    writeFacts(writer, facts);
    if (exchange.tls !== undefined) putTls(writer, exchange.tls);
  }
  if (profile !== undefined) writer.raw(profile);
}

function writeFacts(writer: WireWriter, facts: SpanFacts): void {
  for (const [key, value] of facts.attributes) writeAttribute(writer, ATTRIBUTE, key, value);
}

/** Needs `2 + end - start` bytes of room. `tag` is below 128. */
function putId(writer: WireWriter, tag: number, identity: Uint8Array, start: number, end: number): void {
  const { bytes } = writer;
  let { pos } = writer;
  bytes[pos++] = tag;
  bytes[pos++] = end - start;
  for (let i = start; i < end; i++) bytes[pos++] = identity[i]!;
  writer.pos = pos;
}
