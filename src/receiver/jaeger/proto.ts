/** Jaeger's protobuf. Source: https://github.com/jaegertracing/jaeger-idl/blob/v0.9.0/proto/api_v2/model.proto, collector.proto. */
import type { AttributeInput } from '../../otlp/attribute-writer.js';
import { decodeMessage } from '../../otlp/decode.js';
import { toHex } from '../../otlp/ids.js';
import { MalformedError } from '../../otlp/malformed-error.js';
import { defineMessage, linkMessages, list, message, scalar } from '../../otlp/schema.js';
import { type Time64, timeFromBigInt } from '../../otlp/time.js';
import type { JaegerBatch, JaegerProcess, JaegerReference, JaegerSpan, JaegerTag } from './model.js';

const OPTIONAL = { presence: 'explicit' } as const;

/** `google.protobuf.Timestamp` and `Duration`, which are alike. */
const MOMENT = defineMessage('Moment', [scalar(1, 'seconds', 'int64'), scalar(2, 'nanos', 'int32')]);

const TAG = defineMessage('KeyValue', [
  scalar(1, 'key', 'string'),
  scalar(2, 'type', 'enum'),
  scalar(3, 'text', 'string'),
  scalar(4, 'bool', 'bool'),
  scalar(5, 'int', 'int64'),
  scalar(6, 'double', 'double'),
  scalar(7, 'binary', 'bytes'),
]);

const LOG = defineMessage('Log', [message(1, 'timestamp', () => MOMENT), list(2, 'fields', () => TAG)]);

const REFERENCE = defineMessage('SpanRef', [
  scalar(1, 'traceId', 'bytes'),
  scalar(2, 'spanId', 'bytes'),
  scalar(3, 'refType', 'enum'),
]);

const PROCESS = defineMessage('Process', [scalar(1, 'serviceName', 'string'), list(2, 'tags', () => TAG)]);

const SPAN = defineMessage('Span', [
  scalar(1, 'traceId', 'bytes'),
  scalar(2, 'spanId', 'bytes'),
  scalar(3, 'operationName', 'string'),
  list(4, 'references', () => REFERENCE),
  message(6, 'startTime', () => MOMENT),
  message(7, 'duration', () => MOMENT),
  list(8, 'tags', () => TAG),
  list(9, 'logs', () => LOG),
  message(10, 'process', () => PROCESS, OPTIONAL),
]);

const BATCH = defineMessage('Batch', [
  list(1, 'spans', () => SPAN),
  message(2, 'process', () => PROCESS, OPTIONAL),
]);

const POST_SPANS = defineMessage('PostSpansRequest', [message(1, 'batch', () => BATCH)]);
linkMessages(POST_SPANS);

interface Moment {
  readonly seconds: bigint;
  readonly nanos: number;
}

interface ProtoTag {
  readonly key: string;
  readonly type: number;
  readonly text: string;
  readonly bool: boolean;
  readonly int: bigint;
  readonly double: number;
  readonly binary: Uint8Array;
}

interface ProtoProcess {
  readonly serviceName: string;
  readonly tags: readonly ProtoTag[];
}

interface ProtoSpan {
  readonly traceId: Uint8Array;
  readonly spanId: Uint8Array;
  readonly operationName: string;
  readonly references: readonly {
    readonly traceId: Uint8Array;
    readonly spanId: Uint8Array;
    readonly refType: number;
  }[];
  readonly startTime: Moment;
  readonly duration: Moment;
  readonly tags: readonly ProtoTag[];
  readonly logs: readonly { readonly timestamp: Moment; readonly fields: readonly ProtoTag[] }[];
  readonly process?: ProtoProcess;
}

/** `PostSpansRequest`. Throws `MalformedError`. */
export function readPostSpans(bytes: Uint8Array): JaegerBatch {
  const { batch } = decodeMessage(POST_SPANS, bytes) as {
    batch: { spans: readonly ProtoSpan[]; process?: ProtoProcess };
  };
  // Spans of one process share it, so that they are found equal at once.
  const own = processOf(batch.process);
  return { process: own, spans: batch.spans.map(spanOf) };
}

function spanOf(span: ProtoSpan): JaegerSpan {
  const startNs = nanosOf(span.startTime);
  return {
    traceId: traceIdOf(span.traceId),
    spanId: spanIdOf(span.spanId),
    parentSpanId: '0'.repeat(16),
    operationName: span.operationName,
    references: span.references.map(
      ({ traceId, spanId, refType }): JaegerReference => ({
        traceId: traceIdOf(traceId),
        spanId: spanIdOf(spanId),
        kind: refType === 0 ? 'child_of' : refType === 1 ? 'follows_from' : 'other',
      }),
    ),
    startTime: timeFromBigInt(startNs),
    endTime: timeFromBigInt(startNs + nanosOf(span.duration)),
    tags: span.tags.map(tagOf),
    logs: span.logs.map(({ timestamp, fields }) => ({ time: timeOf(timestamp), fields: fields.map(tagOf) })),
    process: processOf(span.process),
  };
}

const processOf = (process: ProtoProcess | undefined): JaegerProcess | undefined =>
  process === undefined ? undefined : { serviceName: process.serviceName, tags: process.tags.map(tagOf) };

const tagOf = (tag: ProtoTag): JaegerTag => ({ key: tag.key, value: valueOfTag(tag) });

function valueOfTag({ type, text, bool, int, double, binary }: ProtoTag): AttributeInput {
  switch (type) {
    case 0:
      return text;
    case 1:
      return bool;
    case 2:
      return int;
    case 3:
      return { double };
    case 4:
      return binary;
    default:
      return `<Unknown Jaeger TagType "${type}">`;
  }
}

const nanosOf = ({ seconds, nanos }: Moment): bigint => seconds * 1_000_000_000n + BigInt(nanos);
const timeOf = (moment: Moment): Time64 => timeFromBigInt(nanosOf(moment));
/** One of 8 bytes is the low half. */
const traceIdOf = (bytes: Uint8Array): string =>
  bytes.length === 8 ? '0'.repeat(16) + toHex(bytes) : idOf(bytes, 16, 'TraceID');
const spanIdOf = (bytes: Uint8Array): string => idOf(bytes, 8, 'SpanID');

function idOf(bytes: Uint8Array, length: number, name: string): string {
  if (bytes.length === 0) return '0'.repeat(2 * length);
  if (bytes.length !== length)
    throw new MalformedError('ERR_OTLP_ID_LENGTH', `invalid length for ${name}`, 0);
  return toHex(bytes);
}
