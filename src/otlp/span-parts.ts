/**
 * Events and links of a span.
 * Source: opentelemetry-proto v1.11, trace/v1/trace.proto.
 *
 *     Event  1 time  2 name  3 attributes  4 dropped_attributes_count
 *     Link   1 trace_id  2 span_id  3 trace_state  4 attributes  5 dropped_attributes_count  6 flags
 */
import { type Attributes, readAttributes } from './any-value.js';
import { SPAN_ID_BYTES, TRACE_ID_BYTES } from './ids.js';
import { MalformedError } from './malformed-error.js';
import { hexText } from './text.js';
import type { Time64 } from './time.js';
import { field, WireReader } from './wire-reader.js';

const EVENT_TIME = field.fixed64(1);
const EVENT_NAME = field.delimited(2);
const EVENT_ATTRIBUTE = field.delimited(3);
const EVENT_DROPPED = field.varint(4);
const LINK_TRACE_ID = field.delimited(1);
const LINK_SPAN_ID = field.delimited(2);
const LINK_TRACE_STATE = field.delimited(3);
const LINK_ATTRIBUTE = field.delimited(4);
const LINK_DROPPED = field.varint(5);
const LINK_FLAGS = field.fixed32(6);

/** Something that happened during a span, fully read. */
export interface SpanEvent {
  readonly time: Time64;
  readonly name: string;
  readonly attributes: Attributes;
  readonly droppedAttributesCount: number;
}

/** A pointer from a span to another span, fully read. Ids are lower-case hex, empty when absent. */
export interface SpanLink {
  readonly traceId: string;
  readonly spanId: string;
  readonly traceState: string;
  readonly attributes: Attributes;
  readonly droppedAttributesCount: number;
  readonly flags: number;
}

/** Reads the Event message in `bytes[start, end)`. */
export function readEvent(bytes: Uint8Array, start: number, end: number): SpanEvent {
  const reader = new WireReader(bytes, start, end);
  let time: Time64 = { hi: 0, lo: 0 };
  let name = '';
  let droppedAttributesCount = 0;
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
    if (tag === EVENT_TIME) {
      reader.fixed64();
      time = { hi: reader.hi, lo: reader.lo };
    } else if (tag === EVENT_NAME) name = reader.text();
    else if (tag === EVENT_DROPPED) droppedAttributesCount = reader.varint32();
  }
  const attributes = readAttributes(bytes, start, end, EVENT_ATTRIBUTE);
  return { time, name, attributes, droppedAttributesCount };
}

/** Reads the Link message in `bytes[start, end)`. */
export function readLink(bytes: Uint8Array, start: number, end: number): SpanLink {
  const reader = new WireReader(bytes, start, end);
  let traceId = '';
  let spanId = '';
  let traceState = '';
  let droppedAttributesCount = 0;
  let flags = 0;
  for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
    if (tag === LINK_TRACE_ID) {
      const at = idAt(reader.start, reader.pos, TRACE_ID_BYTES);
      traceId = at < 0 ? '' : hexText(bytes, at, at + TRACE_ID_BYTES);
    } else if (tag === LINK_SPAN_ID) {
      const at = idAt(reader.start, reader.pos, SPAN_ID_BYTES);
      spanId = at < 0 ? '' : hexText(bytes, at, at + SPAN_ID_BYTES);
    } else if (tag === LINK_TRACE_STATE) traceState = reader.text();
    else if (tag === LINK_DROPPED) droppedAttributesCount = reader.varint32();
    else if (tag === LINK_FLAGS) flags = reader.fixed32();
  }
  const attributes = readAttributes(bytes, start, end, LINK_ATTRIBUTE);
  return { traceId, spanId, traceState, attributes, droppedAttributesCount, flags };
}

/** `start`, or -1 when the id there is empty. */
export function idAt(start: number, end: number, length: number): number {
  if (end - start === length) return start;
  if (end === start) return -1;
  const what = length === TRACE_ID_BYTES ? 'TraceID' : 'SpanID';
  throw new MalformedError('ERR_OTLP_ID_LENGTH', `unmarshal: invalid ${what} length`, start);
}
