/**
 * Log records straight to bytes.
 * Source: opentelemetry-proto v1.11, logs/v1/logs.proto.
 *
 *     LogRecord  1 time  11 observed_time  2 severity_number  3 severity_text  5 body  6 attributes
 *                7 dropped_attributes_count  8 flags  9 trace_id  10 span_id  12 event_name
 */
import type { AttributeInput, AttributesInput } from './attribute-writer.js';
import { writeAnyValue, writeAttributes } from './attribute-writer.js';
import { BatchWriter } from './batch-writer.js';
import { SPAN_ID_BYTES, TRACE_ID_BYTES } from './ids.js';
import type { Time64 } from './time.js';
import { field } from './wire-reader.js';
import type { WireWriter } from './wire-writer.js';

/** The first of the four steps of each level. */
export const Severity = { trace: 1, debug: 5, info: 9, warn: 13, error: 17, fatal: 21 } as const;

export interface LogRecordInput {
  /** When it happened; absent when unknown. */
  readonly time?: Time64 | undefined;
  /** When it was seen by whoever reports it. */
  readonly observedTime?: Time64 | undefined;
  /** 1 to 24, see `Severity`. */
  readonly severityNumber?: number | undefined;
  readonly severityText?: string | undefined;
  readonly body?: AttributeInput | undefined;
  readonly attributes?: AttributesInput | undefined;
  readonly droppedAttributesCount?: number | undefined;
  readonly flags?: number | undefined;
  /** 16 bytes, or their hex. */
  readonly traceId?: string | Uint8Array | undefined;
  /** 8 bytes, or their hex. */
  readonly spanId?: string | Uint8Array | undefined;
  readonly eventName?: string | undefined;
}

const RECORD = field.delimited(2);
const TIME = field.fixed64(1);
const SEVERITY_NUMBER = field.varint(2);
const SEVERITY_TEXT = field.delimited(3);
const BODY = field.delimited(5);
const ATTRIBUTE = field.delimited(6);
const DROPPED_ATTRIBUTES = field.varint(7);
const FLAGS = field.fixed32(8);
const TRACE_ID = field.delimited(9);
const SPAN_ID = field.delimited(10);
const OBSERVED_TIME = field.fixed64(11);
const EVENT_NAME = field.delimited(12);

/** Builds one logs request after another; `resource`, `scope` and `finish` work as in `TracesWriter`. */
export class LogsWriter extends BatchWriter {
  /** Throws `RangeError` for an id of the wrong length; the batch is then as it was before the call. */
  logRecord(record: LogRecordInput): void {
    this.item(RECORD, record, writeRecord);
  }
}

function writeRecord(writer: WireWriter, record: LogRecordInput): void {
  if (record.time !== undefined) writer.timeField(TIME, record.time);
  if (record.severityNumber) writer.varintField(SEVERITY_NUMBER, record.severityNumber);
  if (record.severityText) writer.stringField(SEVERITY_TEXT, record.severityText);
  if (record.body !== undefined) {
    const mark = writer.open(BODY, 2);
    writeAnyValue(writer, record.body);
    writer.close(mark);
  }
  if (record.attributes !== undefined) writeAttributes(writer, ATTRIBUTE, record.attributes);
  if (record.droppedAttributesCount) writer.varintField(DROPPED_ATTRIBUTES, record.droppedAttributesCount);
  if (record.flags) {
    writer.varint(FLAGS);
    writer.fixed32(record.flags);
  }
  if (record.traceId !== undefined) writer.idField(TRACE_ID, record.traceId, TRACE_ID_BYTES);
  if (record.spanId !== undefined) writer.idField(SPAN_ID, record.spanId, SPAN_ID_BYTES);
  if (record.observedTime !== undefined) writer.timeField(OBSERVED_TIME, record.observedTime);
  if (record.eventName) writer.stringField(EVENT_NAME, record.eventName);
}
