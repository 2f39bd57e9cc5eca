/**
 * SkyWalking's messages.
 * Source: https://github.com/apache/skywalking-data-collect-protocol/tree/v10.3.0: language-agent/Tracing.proto,
 * JVMMetric.proto, CLRMetric.proto, Meter.proto, logging/Logging.proto, common/Common.proto.
 */
import { defineMessage, linkMessages, list, type MessageDef, message, scalar } from '../../otlp/schema.js';

const OPTIONAL = { presence: 'explicit' } as const;

const PAIR = defineMessage('KeyStringValuePair', [scalar(1, 'key', 'string'), scalar(2, 'value', 'string')]);

const REFERENCE = defineMessage('SegmentReference', [
  scalar(1, 'refType', 'enum'),
  scalar(2, 'traceId', 'string'),
  scalar(3, 'parentTraceSegmentId', 'string'),
  scalar(4, 'parentSpanId', 'int32'),
  scalar(5, 'parentService', 'string'),
  scalar(6, 'parentServiceInstance', 'string'),
  scalar(7, 'parentEndpoint', 'string'),
  scalar(8, 'networkAddressUsedAtPeer', 'string'),
]);

const LOG = defineMessage('Log', [scalar(1, 'time', 'int64'), list(2, 'data', () => PAIR)]);

const SPAN = defineMessage('SpanObject', [
  scalar(1, 'spanId', 'int32'),
  scalar(2, 'parentSpanId', 'int32'),
  scalar(3, 'startTime', 'int64'),
  scalar(4, 'endTime', 'int64'),
  list(5, 'refs', () => REFERENCE),
  scalar(6, 'operationName', 'string'),
  scalar(7, 'peer', 'string'),
  scalar(8, 'spanType', 'enum'),
  scalar(9, 'spanLayer', 'enum'),
  scalar(10, 'componentId', 'int32'),
  scalar(11, 'isError', 'bool'),
  list(12, 'tags', () => PAIR),
  list(13, 'logs', () => LOG),
  scalar(14, 'skipAnalysis', 'bool'),
]);

export const SEGMENT = defineMessage('SegmentObject', [
  scalar(1, 'traceId', 'string'),
  scalar(2, 'traceSegmentId', 'string'),
  list(3, 'spans', () => SPAN),
  scalar(4, 'service', 'string'),
  scalar(5, 'serviceInstance', 'string'),
  scalar(6, 'isSizeLimited', 'bool'),
]);

export const SEGMENTS = defineMessage('SegmentCollection', [list(1, 'segments', () => SEGMENT)]);

const CPU = defineMessage('CPU', [scalar(2, 'usagePercent', 'double')]);

const memory = (name: string, first: ReturnType<typeof scalar>): MessageDef =>
  defineMessage(name, [
    first,
    scalar(2, 'init', 'int64'),
    scalar(3, 'max', 'int64'),
    scalar(4, 'used', 'int64'),
    scalar(5, 'committed', 'int64'),
  ]);
const MEMORY = memory('Memory', scalar(1, 'isHeap', 'bool'));
const POOL = memory('MemoryPool', scalar(1, 'type', 'enum'));

const GC = defineMessage('GC', [
  scalar(1, 'phrase', 'enum'),
  scalar(2, 'count', 'int64'),
  scalar(3, 'time', 'int64'),
]);

const THREAD = defineMessage('Thread', [
  scalar(1, 'live', 'int64'),
  scalar(2, 'daemon', 'int64'),
  scalar(3, 'peak', 'int64'),
  scalar(4, 'new', 'int64'),
  scalar(5, 'runnable', 'int64'),
  scalar(6, 'blocked', 'int64'),
  scalar(7, 'waiting', 'int64'),
  scalar(8, 'timedWaiting', 'int64'),
  scalar(9, 'terminated', 'int64'),
]);

const CLASS = defineMessage('Class', [
  scalar(1, 'loaded', 'int64'),
  scalar(2, 'totalUnloaded', 'int64'),
  scalar(3, 'totalLoaded', 'int64'),
]);

const JVM = defineMessage('JVMMetric', [
  scalar(1, 'time', 'int64'),
  message(2, 'cpu', () => CPU, OPTIONAL),
  list(3, 'memory', () => MEMORY),
  list(4, 'memoryPool', () => POOL),
  list(5, 'gc', () => GC),
  message(6, 'thread', () => THREAD, OPTIONAL),
  message(7, 'clazz', () => CLASS, OPTIONAL),
]);

const ofInstance = (name: string, metric: MessageDef): MessageDef =>
  defineMessage(name, [
    list(1, 'metrics', () => metric),
    scalar(2, 'service', 'string'),
    scalar(3, 'serviceInstance', 'string'),
  ]);

export const JVM_METRICS = ofInstance('JVMMetricCollection', JVM);

const CLR = defineMessage('CLRMetric', [
  scalar(1, 'time', 'int64'),
  message(2, 'cpu', () => CPU, OPTIONAL),
  message(
    3,
    'gc',
    () =>
      defineMessage('ClrGC', [
        scalar(1, 'gen0', 'int64'),
        scalar(2, 'gen1', 'int64'),
        scalar(3, 'gen2', 'int64'),
        scalar(4, 'heap', 'int64'),
      ]),
    OPTIONAL,
  ),
  message(
    4,
    'thread',
    () =>
      defineMessage('ClrThread', [
        scalar(1, 'availableCompletionPort', 'int32'),
        scalar(2, 'availableWorker', 'int32'),
        scalar(3, 'maxCompletionPort', 'int32'),
        scalar(4, 'maxWorker', 'int32'),
      ]),
    OPTIONAL,
  ),
]);

export const CLR_METRICS = ofInstance('CLRMetricCollection', CLR);

const LABEL = defineMessage('Label', [scalar(1, 'name', 'string'), scalar(2, 'value', 'string')]);
const SINGLE = defineMessage('MeterSingleValue', [
  scalar(1, 'name', 'string'),
  list(2, 'labels', () => LABEL),
  scalar(3, 'value', 'double'),
]);
const BUCKET = defineMessage('MeterBucketValue', [
  scalar(1, 'bucket', 'double'),
  scalar(2, 'count', 'int64'),
  scalar(3, 'isNegativeInfinity', 'bool'),
]);
const HISTOGRAM = defineMessage('MeterHistogram', [
  scalar(1, 'name', 'string'),
  list(2, 'labels', () => LABEL),
  list(3, 'values', () => BUCKET),
]);

export const METER = defineMessage('MeterData', [
  message(1, 'single', () => SINGLE, { oneof: 1 }),
  message(2, 'histogram', () => HISTOGRAM, { oneof: 1 }),
  scalar(3, 'service', 'string'),
  scalar(4, 'serviceInstance', 'string'),
  scalar(5, 'timestamp', 'int64'),
]);

export const METERS = defineMessage('MeterDataCollection', [list(1, 'meters', () => METER)]);

export const LOG_DATA = defineMessage('LogData', [
  scalar(1, 'timestamp', 'int64'),
  scalar(2, 'service', 'string'),
  scalar(3, 'serviceInstance', 'string'),
  scalar(4, 'endpoint', 'string'),
  message(5, 'body', () => BODY),
  message(6, 'traceContext', () => CONTEXT, OPTIONAL),
  message(7, 'tags', () => TAGS),
  scalar(8, 'layer', 'string'),
]);

const CONTENT = (name: string, field: string) => defineMessage(name, [scalar(1, field, 'string')]);
const TEXT = CONTENT('TextLog', 'text');
const JSON_TEXT = CONTENT('JSONLog', 'json');
const YAML = CONTENT('YAMLLog', 'yaml');
const BODY = defineMessage('LogDataBody', [
  scalar(1, 'type', 'string'),
  message(2, 'text', () => TEXT, { oneof: 1 }),
  message(3, 'json', () => JSON_TEXT, { oneof: 1 }),
  message(4, 'yaml', () => YAML, { oneof: 1 }),
]);
const CONTEXT = defineMessage('TraceContext', [
  scalar(1, 'traceId', 'string'),
  scalar(2, 'traceSegmentId', 'string'),
  scalar(3, 'spanId', 'int32'),
]);
const TAGS = defineMessage('LogTags', [list(1, 'data', () => PAIR)]);

for (const one of [SEGMENT, SEGMENTS, JVM_METRICS, CLR_METRICS, METER, METERS, LOG_DATA]) linkMessages(one);
