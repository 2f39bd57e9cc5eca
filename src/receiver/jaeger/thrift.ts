/**
 * `jaeger.Batch` in Thrift, either encoding.
 * Source: https://github.com/jaegertracing/jaeger-idl/blob/v0.9.0/thrift/jaeger.thrift and agent.thrift.
 */
import type { AttributeInput } from '../../otlp/attribute-writer.js';
import type { Time64 } from '../../otlp/time.js';
import { ThriftError } from '../../thrift/thrift-error.js';
import { type ThriftReader, ThriftType } from '../../thrift/thrift-reader.js';
import { timeFromUnsignedMicros } from './micros.js';
import {
  type JaegerBatch,
  type JaegerLog,
  type JaegerProcess,
  type JaegerReference,
  type JaegerSpan,
  type JaegerTag,
  NO_ID,
} from './model.js';

const { bool, double, i32, i64, string, struct, list } = ThriftType;

/** `Agent.emitBatch`; undefined for another method. Throws `ThriftError`. */
export function readEmitBatch(reader: ThriftReader): JaegerBatch | undefined {
  const { name } = reader.message();
  if (name !== 'emitBatch') return undefined;
  let batch: JaegerBatch | undefined;
  reader.struct((field, type) => {
    if (field === 1 && type === struct) batch = readBatch(reader);
    else reader.skip(type);
  });
  return batch;
}

/** Throws `ThriftError`. */
export function readBatch(reader: ThriftReader): JaegerBatch {
  let process: JaegerProcess | undefined;
  let spans: JaegerSpan[] | undefined;
  reader.struct((field, type) => {
    if (field === 1 && type === struct) process = readProcess(reader);
    else if (field === 2 && type === list) spans = reader.list(struct, () => readSpan(reader));
    else reader.skip(type);
  });
  return { process: required(process, 'Process'), spans: required(spans, 'Spans') };
}

function readProcess(reader: ThriftReader): JaegerProcess {
  let serviceName: string | undefined;
  let tags: JaegerTag[] = [];
  reader.struct((field, type) => {
    if (field === 1 && type === string) serviceName = reader.text();
    else if (field === 2 && type === list) tags = readTags(reader);
    else reader.skip(type);
  });
  return { serviceName: required(serviceName, 'ServiceName'), tags };
}

/** Names of the required fields of a span, by their numbers. */
const SPAN_FIELDS: Readonly<Record<number, string>> = {
  1: 'TraceIdLow',
  2: 'TraceIdHigh',
  3: 'SpanId',
  4: 'ParentSpanId',
  5: 'OperationName',
  7: 'Flags',
  8: 'StartTime',
  9: 'Duration',
};

function readSpan(reader: ThriftReader): JaegerSpan {
  const seen = new Set<number>();
  const ids = ['', NO_ID, NO_ID, NO_ID, NO_ID];
  const micros: [bigint, bigint] = [0n, 0n];
  let operationName = '';
  let references: JaegerReference[] = [];
  let tags: JaegerTag[] = [];
  let logs: JaegerLog[] = [];
  reader.struct((field, type) => {
    seen.add(field);
    if (field >= 1 && field <= 4 && type === i64) ids[field] = readId(reader);
    else if (field === 5 && type === string) operationName = reader.text();
    else if (field === 6 && type === list) references = reader.list(struct, () => readReference(reader));
    else if ((field === 8 || field === 9) && type === i64) micros[field - 8] = reader.i64BigInt();
    else if (field === 10 && type === list) tags = readTags(reader);
    else if (field === 11 && type === list) logs = reader.list(struct, () => readLog(reader));
    else reader.skip(type);
  });
  for (const [field, name] of Object.entries(SPAN_FIELDS)) {
    if (!seen.has(Number(field))) throw missing(name);
  }
  const [start, duration] = micros;
  return {
    traceId: ids[2]! + ids[1]!,
    spanId: ids[3]!,
    parentSpanId: ids[4]!,
    operationName,
    references,
    startTime: timeFromUnsignedMicros(start),
    endTime: timeFromUnsignedMicros(start + duration),
    tags,
    logs,
  };
}

function readReference(reader: ThriftReader): JaegerReference {
  const ids: Record<number, string> = {};
  let kind = -1;
  reader.struct((field, type) => {
    if (field === 1 && type === i32) kind = reader.i32();
    else if (field >= 2 && field <= 4 && type === i64) ids[field] = readId(reader);
    else reader.skip(type);
  });
  return {
    traceId: required(ids[3], 'TraceIdHigh') + required(ids[2], 'TraceIdLow'),
    spanId: required(ids[4], 'SpanId'),
    kind: kind === 0 ? 'child_of' : kind === 1 ? 'follows_from' : 'other',
  };
}

function readLog(reader: ThriftReader): JaegerLog {
  let time: Time64 | undefined;
  let fields: JaegerTag[] | undefined;
  reader.struct((field, type) => {
    if (field === 1 && type === i64) time = timeFromUnsignedMicros(reader.i64BigInt());
    else if (field === 2 && type === list) fields = readTags(reader);
    else reader.skip(type);
  });
  return { time: required(time, 'Timestamp'), fields: required(fields, 'Fields') };
}

const readTags = (reader: ThriftReader): JaegerTag[] => reader.list(struct, () => readTag(reader));

/** A value of another type than the tag says is not there. */
function readTag(reader: ThriftReader): JaegerTag {
  let key: string | undefined;
  let kind: number | undefined;
  const values: AttributeInput[] = ['', { double: 0 }, false, 0, new Uint8Array(0)];
  reader.struct((field, type) => {
    if (field === 1 && type === string) key = reader.text();
    else if (field === 2 && type === i32) kind = reader.i32();
    else if (field === 3 && type === string) values[0] = reader.text();
    else if (field === 4 && type === double) values[1] = { double: reader.double() };
    else if (field === 5 && type === bool) values[2] = reader.bool();
    else if (field === 6 && type === i64) values[3] = reader.i64BigInt();
    else if (field === 7 && type === string) values[4] = Uint8Array.from(reader.binary());
    else reader.skip(type);
  });
  const value = values[required(kind, 'VType')] ?? '<Unknown Jaeger TagType "<UNSET>">';
  return { key: required(key, 'Key'), value };
}

function readId(reader: ThriftReader): string {
  reader.i64();
  return reader.hi.toString(16).padStart(8, '0') + reader.lo.toString(16).padStart(8, '0');
}

function required<T>(value: T | undefined, name: string): T {
  if (value === undefined) throw missing(name);
  return value;
}

const missing = (name: string): ThriftError => new ThriftError(`Required field ${name} is not set`);
