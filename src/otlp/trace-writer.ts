/**
 * Spans straight to bytes: whole `ExportTraceServiceRequest`s, and the fields that `appendToSpans` adds to spans.
 * Source: opentelemetry-proto v1.11, trace/v1/trace.proto (field numbers: trace-view.ts).
 *
 * Fields are written in the order of their numbers and left out when they have the default value.
 */
import type { AttributeInput, AttributesInput } from './attribute-writer.js';
import { writeAttribute, writeAttributes } from './attribute-writer.js';
import { BatchWriter } from './batch-writer.js';
import { SPAN_ID_BYTES, TRACE_ID_BYTES } from './ids.js';
import type { Time64 } from './time.js';
import { field } from './wire-reader.js';
import { WireWriter } from './wire-writer.js';

const SPAN = field.delimited(2);
const TRACE_ID = field.delimited(1);
const SPAN_ID = field.delimited(2);
const TRACE_STATE = field.delimited(3);
const PARENT_SPAN_ID = field.delimited(4);
const NAME = field.delimited(5);
const KIND = field.varint(6);
const START = field.fixed64(7);
const END = field.fixed64(8);
const ATTRIBUTE = field.delimited(9);
const DROPPED_ATTRIBUTES = field.varint(10);
const EVENT = field.delimited(11);
const DROPPED_EVENTS = field.varint(12);
const LINK = field.delimited(13);
const DROPPED_LINKS = field.varint(14);
const STATUS = field.delimited(15);
const FLAGS = field.fixed32(16);
const STATUS_MESSAGE = field.delimited(2);
const STATUS_CODE = field.varint(3);
const EVENT_TIME = field.fixed64(1);
const EVENT_NAME = field.delimited(2);
const EVENT_ATTRIBUTE = field.delimited(3);
const EVENT_DROPPED = field.varint(4);
const LINK_TRACE_STATE = field.delimited(3);
const LINK_ATTRIBUTE = field.delimited(4);
const LINK_DROPPED = field.varint(5);
const LINK_FLAGS = field.fixed32(6);

export interface SpanEventInput {
  readonly time: Time64;
  readonly name: string;
  readonly attributes?: AttributesInput | undefined;
  readonly droppedAttributesCount?: number | undefined;
}

export interface SpanLinkInput {
  /** 16 bytes, or their hex. */
  readonly traceId: string | Uint8Array;
  /** 8 bytes, or their hex. */
  readonly spanId: string | Uint8Array;
  readonly traceState?: string | undefined;
  readonly attributes?: AttributesInput | undefined;
  readonly droppedAttributesCount?: number | undefined;
  readonly flags?: number | undefined;
}

/** The fields that can be added to a finished span. Attributes, events and links append; counts and status replace. */
export interface SpanFieldsInput {
  readonly attributes?: AttributesInput | undefined;
  readonly droppedAttributesCount?: number | undefined;
  readonly events?: readonly SpanEventInput[] | undefined;
  readonly droppedEventsCount?: number | undefined;
  readonly links?: readonly SpanLinkInput[] | undefined;
  readonly droppedLinksCount?: number | undefined;
  readonly status?: { readonly code: number; readonly message?: string | undefined } | undefined;
}

export interface SpanInput extends SpanFieldsInput {
  /** 16 bytes, or their hex. */
  readonly traceId: string | Uint8Array;
  /** 8 bytes, or their hex. */
  readonly spanId: string | Uint8Array;
  /** 8 bytes, or their hex; empty or absent for a root span. */
  readonly parentSpanId?: string | Uint8Array | undefined;
  readonly traceState?: string | undefined;
  readonly name: string;
  /** One of `SpanKind`. */
  readonly kind?: number | undefined;
  readonly startTime: Time64;
  readonly endTime: Time64;
  readonly flags?: number | undefined;
  /** More fields of the span, encoded (made by `encodeSpanFields`), written after all others. */
  readonly encodedFields?: readonly Uint8Array[] | undefined;
}

/**
 * Builds one request after another.
 *
 *     const traces = new TracesWriter();
 *     traces.resource({ 'service.name': 'shop' });
 *     traces.scope('kindling', '0.1.0');
 *     traces.span({ traceId, spanId, name: 'GET /', kind: SpanKind.server, startTime, endTime });
 *     const bytes = traces.finish();
 *
 * `resource` and `scope` begin new groups; a span needs both before it. `finish` gives the bytes and starts anew.
 */
export class TracesWriter extends BatchWriter {
  /** Throws `RangeError` for an id of the wrong length; the batch is then as it was before the call. */
  span(span: SpanInput): void {
    this.item(SPAN, span, writeSpan);
  }
}

function writeSpan(writer: WireWriter, span: SpanInput): void {
  writer.idField(TRACE_ID, span.traceId, TRACE_ID_BYTES);
  writer.idField(SPAN_ID, span.spanId, SPAN_ID_BYTES);
  if (span.traceState) writer.stringField(TRACE_STATE, span.traceState);
  const parent = span.parentSpanId;
  if (parent !== undefined && parent.length > 0) writer.idField(PARENT_SPAN_ID, parent, SPAN_ID_BYTES);
  if (span.name !== '') writer.stringField(NAME, span.name);
  if (span.kind) writer.varintField(KIND, span.kind);
  writer.timeField(START, span.startTime);
  writer.timeField(END, span.endTime);
  writeSpanFields(writer, span);
  if (span.flags) {
    writer.varint(FLAGS);
    writer.fixed32(span.flags);
  }
  if (span.encodedFields !== undefined) for (const fields of span.encodedFields) writer.raw(fields);
}

function writeSpanFields(writer: WireWriter, span: SpanFieldsInput): void {
  if (span.attributes !== undefined) writeAttributes(writer, ATTRIBUTE, span.attributes);
  if (span.droppedAttributesCount) writer.varintField(DROPPED_ATTRIBUTES, span.droppedAttributesCount);
  if (span.events !== undefined) for (const event of span.events) writeEvent(writer, event);
  if (span.droppedEventsCount) writer.varintField(DROPPED_EVENTS, span.droppedEventsCount);
  if (span.links !== undefined) for (const link of span.links) writeLink(writer, link);
  if (span.droppedLinksCount) writer.varintField(DROPPED_LINKS, span.droppedLinksCount);
  if (span.status !== undefined) {
    const mark = writer.open(STATUS, 1);
    if (span.status.message) writer.stringField(STATUS_MESSAGE, span.status.message);
    if (span.status.code) writer.varintField(STATUS_CODE, span.status.code);
    writer.close(mark);
  }
}

function writeEvent(writer: WireWriter, event: SpanEventInput): void {
  const mark = writer.open(EVENT, event.attributes === undefined ? 1 : 2);
  writer.timeField(EVENT_TIME, event.time);
  if (event.name !== '') writer.stringField(EVENT_NAME, event.name);
  if (event.attributes !== undefined) writeAttributes(writer, EVENT_ATTRIBUTE, event.attributes);
  if (event.droppedAttributesCount) writer.varintField(EVENT_DROPPED, event.droppedAttributesCount);
  writer.close(mark);
}

function writeLink(writer: WireWriter, link: SpanLinkInput): void {
  const mark = writer.open(LINK, 1);
  writer.idField(TRACE_ID, link.traceId, TRACE_ID_BYTES);
  writer.idField(SPAN_ID, link.spanId, SPAN_ID_BYTES);
  if (link.traceState) writer.stringField(LINK_TRACE_STATE, link.traceState);
  if (link.attributes !== undefined) writeAttributes(writer, LINK_ATTRIBUTE, link.attributes);
  if (link.droppedAttributesCount) writer.varintField(LINK_DROPPED, link.droppedAttributesCount);
  if (link.flags) {
    writer.varint(LINK_FLAGS);
    writer.fixed32(link.flags);
  }
  writer.close(mark);
}

/** Working memory of `encodeSpanFields`, which neither calls back nor waits. A new array for each call costs 300 ns. */
const scratch = new WireWriter(4096);
const MAX_SCRATCH_BYTES = 256 * 1024;

/** Encodes span fields without a span around them: what `appendToSpans` adds to a span. */
export function encodeSpanFields(fields: SpanFieldsInput): Uint8Array {
  scratch.reset();
  writeSpanFields(scratch, fields);
  const encoded = scratch.finish();
  if (scratch.bytes.length > MAX_SCRATCH_BYTES) scratch.bytes = new Uint8Array(4096);
  return encoded;
}

/**
 * Span fields piece by piece, without objects in between, into memory of the caller's: first every attribute of the
 * span, then its events. `beginSpanEvent` gives the mark for `writer.close`.
 */
export function putSpanAttribute(writer: WireWriter, key: string, value: AttributeInput | undefined): void {
  if (value !== undefined) writeAttribute(writer, ATTRIBUTE, key, value);
}

export function beginSpanEvent(writer: WireWriter, time: Time64, name: string): number {
  const mark = writer.open(EVENT, 2);
  writer.timeField(EVENT_TIME, time);
  writer.stringField(EVENT_NAME, name);
  return mark;
}

export function putEventAttribute(writer: WireWriter, key: string, value: AttributeInput | undefined): void {
  if (value !== undefined) writeAttribute(writer, EVENT_ATTRIBUTE, key, value);
}
