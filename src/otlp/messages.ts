/**
 * Every message of OTLP's four signals, as a table.
 * Source: opentelemetry-proto v1.11: common/v1, resource/v1, trace/v1, metrics/v1, logs/v1, profiles/v1development.
 */
import {
  defineMessage,
  enumeration,
  linkMessages,
  list,
  type MessageDef,
  message,
  scalar,
} from './schema.js';

const REPEATED = { repeated: true } as const;
const VALUE = { oneof: 1 } as const;
const OPTIONAL = { presence: 'explicit' } as const;
const ALWAYS = { presence: 'always' } as const;

// common/v1, resource/v1

export const ANY_VALUE: MessageDef = defineMessage('AnyValue', [
  scalar(1, 'stringValue', 'string', VALUE),
  scalar(2, 'boolValue', 'bool', VALUE),
  scalar(3, 'intValue', 'int64', VALUE),
  scalar(4, 'doubleValue', 'double', VALUE),
  message(5, 'arrayValue', () => ARRAY_VALUE, VALUE),
  message(6, 'kvlistValue', () => KEY_VALUE_LIST, VALUE),
  scalar(7, 'bytesValue', 'bytes', VALUE),
  scalar(8, 'stringValueStrindex', 'int32', VALUE),
]);

export const KEY_VALUE: MessageDef = defineMessage('KeyValue', [
  scalar(1, 'key', 'string'),
  message(2, 'value', () => ANY_VALUE, ALWAYS),
  scalar(3, 'keyStrindex', 'int32'),
]);

const ARRAY_VALUE: MessageDef = defineMessage('ArrayValue', [list(1, 'values', () => ANY_VALUE)]);
const KEY_VALUE_LIST: MessageDef = defineMessage('KeyValueList', [list(1, 'values', () => KEY_VALUE)]);
const keyValue = () => KEY_VALUE;

const ENTITY_REF = defineMessage('EntityRef', [
  scalar(1, 'schemaUrl', 'string'),
  scalar(2, 'type', 'string'),
  scalar(3, 'idKeys', 'string', REPEATED),
  scalar(4, 'descriptionKeys', 'string', REPEATED),
]);

const RESOURCE = defineMessage('Resource', [
  list(1, 'attributes', keyValue),
  scalar(2, 'droppedAttributesCount', 'uint32'),
  list(3, 'entityRefs', () => ENTITY_REF),
]);

const SCOPE = defineMessage('InstrumentationScope', [
  scalar(1, 'name', 'string'),
  scalar(2, 'version', 'string'),
  list(3, 'attributes', keyValue),
  scalar(4, 'droppedAttributesCount', 'uint32'),
]);

// The two levels around the items have one form in every signal.

const scopeGroup = (name: string, items: string, item: MessageDef): MessageDef =>
  defineMessage(name, [
    message(1, 'scope', () => SCOPE, ALWAYS),
    list(2, items, () => item),
    scalar(3, 'schemaUrl', 'string'),
  ]);

const resourceGroup = (name: string, scopes: string, scope: MessageDef): MessageDef =>
  defineMessage(name, [
    message(1, 'resource', () => RESOURCE, ALWAYS),
    list(2, scopes, () => scope),
    scalar(3, 'schemaUrl', 'string'),
  ]);

// trace/v1

const SPAN_KINDS = {
  SPAN_KIND_UNSPECIFIED: 0,
  SPAN_KIND_INTERNAL: 1,
  SPAN_KIND_SERVER: 2,
  SPAN_KIND_CLIENT: 3,
  SPAN_KIND_PRODUCER: 4,
  SPAN_KIND_CONSUMER: 5,
};
const STATUS_CODES = { STATUS_CODE_UNSET: 0, STATUS_CODE_OK: 1, STATUS_CODE_ERROR: 2 };

const EVENT = defineMessage('Event', [
  scalar(1, 'timeUnixNano', 'fixed64'),
  scalar(2, 'name', 'string'),
  list(3, 'attributes', keyValue),
  scalar(4, 'droppedAttributesCount', 'uint32'),
]);

const SPAN_LINK = defineMessage('Link', [
  scalar(1, 'traceId', 'traceId'),
  scalar(2, 'spanId', 'spanId'),
  scalar(3, 'traceState', 'string'),
  list(4, 'attributes', keyValue),
  scalar(5, 'droppedAttributesCount', 'uint32'),
  scalar(6, 'flags', 'fixed32'),
]);

const STATUS = defineMessage('Status', [
  scalar(2, 'message', 'string'),
  enumeration(3, 'code', STATUS_CODES),
]);

export const SPAN = defineMessage(
  'Span',
  [
    scalar(1, 'traceId', 'traceId'),
    scalar(2, 'spanId', 'spanId'),
    scalar(3, 'traceState', 'string'),
    scalar(4, 'parentSpanId', 'spanId'),
    scalar(16, 'flags', 'fixed32'),
    scalar(5, 'name', 'string'),
    enumeration(6, 'kind', SPAN_KINDS),
    scalar(7, 'startTimeUnixNano', 'fixed64'),
    scalar(8, 'endTimeUnixNano', 'fixed64'),
    list(9, 'attributes', keyValue),
    scalar(10, 'droppedAttributesCount', 'uint32'),
    list(11, 'events', () => EVENT),
    scalar(12, 'droppedEventsCount', 'uint32'),
    list(13, 'links', () => SPAN_LINK),
    scalar(14, 'droppedLinksCount', 'uint32'),
    message(15, 'status', () => STATUS, ALWAYS),
  ],
  { isItem: true },
);

const RESOURCE_SPANS = resourceGroup('ResourceSpans', 'scopeSpans', scopeGroup('ScopeSpans', 'spans', SPAN));

// metrics/v1

const TEMPORALITIES = {
  AGGREGATION_TEMPORALITY_UNSPECIFIED: 0,
  AGGREGATION_TEMPORALITY_DELTA: 1,
  AGGREGATION_TEMPORALITY_CUMULATIVE: 2,
};
const temporality = (number: number) => enumeration(number, 'aggregationTemporality', TEMPORALITIES);
const IS_ITEM = { isItem: true } as const;

const EXEMPLAR = defineMessage('Exemplar', [
  list(7, 'filteredAttributes', keyValue),
  scalar(2, 'timeUnixNano', 'fixed64'),
  scalar(3, 'asDouble', 'double', VALUE),
  scalar(6, 'asInt', 'sfixed64', VALUE),
  scalar(4, 'spanId', 'spanId'),
  scalar(5, 'traceId', 'traceId'),
]);
const exemplar = () => EXEMPLAR;

const NUMBER_DATA_POINT = defineMessage(
  'NumberDataPoint',
  [
    list(7, 'attributes', keyValue),
    scalar(2, 'startTimeUnixNano', 'fixed64'),
    scalar(3, 'timeUnixNano', 'fixed64'),
    scalar(4, 'asDouble', 'double', VALUE),
    scalar(6, 'asInt', 'sfixed64', VALUE),
    list(5, 'exemplars', exemplar),
    scalar(8, 'flags', 'uint32'),
  ],
  IS_ITEM,
);

const HISTOGRAM_DATA_POINT = defineMessage(
  'HistogramDataPoint',
  [
    list(9, 'attributes', keyValue),
    scalar(2, 'startTimeUnixNano', 'fixed64'),
    scalar(3, 'timeUnixNano', 'fixed64'),
    scalar(4, 'count', 'fixed64'),
    scalar(5, 'sum', 'double', OPTIONAL),
    scalar(6, 'bucketCounts', 'fixed64', REPEATED),
    scalar(7, 'explicitBounds', 'double', REPEATED),
    list(8, 'exemplars', exemplar),
    scalar(10, 'flags', 'uint32'),
    scalar(11, 'min', 'double', OPTIONAL),
    scalar(12, 'max', 'double', OPTIONAL),
  ],
  IS_ITEM,
);

const BUCKETS = defineMessage('Buckets', [
  scalar(1, 'offset', 'sint32'),
  scalar(2, 'bucketCounts', 'uint64', REPEATED),
]);

const EXPONENTIAL_HISTOGRAM_DATA_POINT = defineMessage(
  'ExponentialHistogramDataPoint',
  [
    list(1, 'attributes', keyValue),
    scalar(2, 'startTimeUnixNano', 'fixed64'),
    scalar(3, 'timeUnixNano', 'fixed64'),
    scalar(4, 'count', 'fixed64'),
    scalar(5, 'sum', 'double', OPTIONAL),
    scalar(6, 'scale', 'sint32'),
    scalar(7, 'zeroCount', 'fixed64'),
    message(8, 'positive', () => BUCKETS, ALWAYS),
    message(9, 'negative', () => BUCKETS, ALWAYS),
    scalar(10, 'flags', 'uint32'),
    list(11, 'exemplars', exemplar),
    scalar(12, 'min', 'double', OPTIONAL),
    scalar(13, 'max', 'double', OPTIONAL),
    scalar(14, 'zeroThreshold', 'double'),
  ],
  IS_ITEM,
);

const VALUE_AT_QUANTILE = defineMessage('ValueAtQuantile', [
  scalar(1, 'quantile', 'double'),
  scalar(2, 'value', 'double'),
]);

const SUMMARY_DATA_POINT = defineMessage(
  'SummaryDataPoint',
  [
    list(7, 'attributes', keyValue),
    scalar(2, 'startTimeUnixNano', 'fixed64'),
    scalar(3, 'timeUnixNano', 'fixed64'),
    scalar(4, 'count', 'fixed64'),
    scalar(5, 'sum', 'double'),
    list(6, 'quantileValues', () => VALUE_AT_QUANTILE),
    scalar(8, 'flags', 'uint32'),
  ],
  IS_ITEM,
);

const GAUGE = defineMessage('Gauge', [list(1, 'dataPoints', () => NUMBER_DATA_POINT)]);
const SUM = defineMessage('Sum', [
  list(1, 'dataPoints', () => NUMBER_DATA_POINT),
  temporality(2),
  scalar(3, 'isMonotonic', 'bool'),
]);
const HISTOGRAM = defineMessage('Histogram', [
  list(1, 'dataPoints', () => HISTOGRAM_DATA_POINT),
  temporality(2),
]);
const EXPONENTIAL_HISTOGRAM = defineMessage('ExponentialHistogram', [
  list(1, 'dataPoints', () => EXPONENTIAL_HISTOGRAM_DATA_POINT),
  temporality(2),
]);
const SUMMARY = defineMessage('Summary', [list(1, 'dataPoints', () => SUMMARY_DATA_POINT)]);

const METRIC = defineMessage('Metric', [
  scalar(1, 'name', 'string'),
  scalar(2, 'description', 'string'),
  scalar(3, 'unit', 'string'),
  message(5, 'gauge', () => GAUGE, VALUE),
  message(7, 'sum', () => SUM, VALUE),
  message(9, 'histogram', () => HISTOGRAM, VALUE),
  message(10, 'exponentialHistogram', () => EXPONENTIAL_HISTOGRAM, VALUE),
  message(11, 'summary', () => SUMMARY, VALUE),
  list(12, 'metadata', keyValue),
]);

const RESOURCE_METRICS = resourceGroup(
  'ResourceMetrics',
  'scopeMetrics',
  scopeGroup('ScopeMetrics', 'metrics', METRIC),
);

// logs/v1

const SEVERITIES: Record<string, number> = { SEVERITY_NUMBER_UNSPECIFIED: 0 };
for (const [level, word] of ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'].entries()) {
  for (let step = 1; step <= 4; step++) {
    SEVERITIES[`SEVERITY_NUMBER_${word}${step === 1 ? '' : step}`] = level * 4 + step;
  }
}

const LOG_RECORD = defineMessage(
  'LogRecord',
  [
    scalar(1, 'timeUnixNano', 'fixed64'),
    scalar(11, 'observedTimeUnixNano', 'fixed64'),
    enumeration(2, 'severityNumber', SEVERITIES),
    scalar(3, 'severityText', 'string'),
    message(5, 'body', () => ANY_VALUE, ALWAYS),
    list(6, 'attributes', keyValue),
    scalar(7, 'droppedAttributesCount', 'uint32'),
    scalar(8, 'flags', 'fixed32'),
    scalar(9, 'traceId', 'traceId'),
    scalar(10, 'spanId', 'spanId'),
    scalar(12, 'eventName', 'string'),
  ],
  IS_ITEM,
);

const RESOURCE_LOGS = resourceGroup(
  'ResourceLogs',
  'scopeLogs',
  scopeGroup('ScopeLogs', 'logRecords', LOG_RECORD),
);

// profiles/v1development

const VALUE_TYPE = defineMessage('ValueType', [
  scalar(1, 'typeStrindex', 'int32'),
  scalar(2, 'unitStrindex', 'int32'),
]);

const SAMPLE = defineMessage(
  'Sample',
  [
    scalar(1, 'stackIndex', 'int32'),
    scalar(2, 'attributeIndices', 'int32', REPEATED),
    scalar(3, 'linkIndex', 'int32'),
    scalar(4, 'values', 'int64', REPEATED),
    scalar(5, 'timestampsUnixNano', 'fixed64', REPEATED),
  ],
  IS_ITEM,
);

const PROFILE = defineMessage('Profile', [
  message(1, 'sampleType', () => VALUE_TYPE, ALWAYS),
  list(2, 'samples', () => SAMPLE),
  scalar(3, 'timeUnixNano', 'fixed64'),
  scalar(4, 'durationNano', 'uint64'),
  message(5, 'periodType', () => VALUE_TYPE, ALWAYS),
  scalar(6, 'period', 'int64'),
  scalar(7, 'profileId', 'profileId'),
  scalar(8, 'droppedAttributesCount', 'uint32'),
  scalar(9, 'originalPayloadFormat', 'string'),
  scalar(10, 'originalPayload', 'bytes'),
  scalar(11, 'attributeIndices', 'int32', REPEATED),
]);

const RESOURCE_PROFILES = resourceGroup(
  'ResourceProfiles',
  'scopeProfiles',
  scopeGroup('ScopeProfiles', 'profiles', PROFILE),
);

const MAPPING = defineMessage('Mapping', [
  scalar(1, 'memoryStart', 'uint64'),
  scalar(2, 'memoryLimit', 'uint64'),
  scalar(3, 'fileOffset', 'uint64'),
  scalar(4, 'filenameStrindex', 'int32'),
  scalar(5, 'attributeIndices', 'int32', REPEATED),
]);
const LINE = defineMessage('Line', [
  scalar(1, 'functionIndex', 'int32'),
  scalar(2, 'line', 'int64'),
  scalar(3, 'column', 'int64'),
]);
const LOCATION = defineMessage('Location', [
  scalar(1, 'mappingIndex', 'int32'),
  scalar(2, 'address', 'uint64'),
  list(3, 'lines', () => LINE),
  scalar(4, 'attributeIndices', 'int32', REPEATED),
]);
const FUNCTION = defineMessage('Function', [
  scalar(1, 'nameStrindex', 'int32'),
  scalar(2, 'systemNameStrindex', 'int32'),
  scalar(3, 'filenameStrindex', 'int32'),
  scalar(4, 'startLine', 'int64'),
]);
const PROFILE_LINK = defineMessage('Link', [scalar(1, 'traceId', 'traceId'), scalar(2, 'spanId', 'spanId')]);
const KEY_VALUE_AND_UNIT = defineMessage('KeyValueAndUnit', [
  scalar(1, 'keyStrindex', 'int32'),
  message(2, 'value', () => ANY_VALUE, ALWAYS),
  scalar(3, 'unitStrindex', 'int32'),
]);
const STACK = defineMessage('Stack', [scalar(1, 'locationIndices', 'int32', REPEATED)]);

const DICTIONARY = defineMessage('ProfilesDictionary', [
  list(1, 'mappingTable', () => MAPPING),
  list(2, 'locationTable', () => LOCATION),
  list(3, 'functionTable', () => FUNCTION),
  list(4, 'linkTable', () => PROFILE_LINK),
  scalar(5, 'stringTable', 'string', REPEATED),
  list(6, 'attributeTable', () => KEY_VALUE_AND_UNIT),
  list(7, 'stackTable', () => STACK),
]);

/** The four `Export*ServiceRequest` messages. */
export const REQUESTS = {
  traces: defineMessage('ExportTraceServiceRequest', [list(1, 'resourceSpans', () => RESOURCE_SPANS)]),
  metrics: defineMessage('ExportMetricsServiceRequest', [list(1, 'resourceMetrics', () => RESOURCE_METRICS)]),
  logs: defineMessage('ExportLogsServiceRequest', [list(1, 'resourceLogs', () => RESOURCE_LOGS)]),
  profiles: defineMessage('ExportProfilesServiceRequest', [
    list(1, 'resourceProfiles', () => RESOURCE_PROFILES),
    message(2, 'dictionary', () => DICTIONARY, ALWAYS),
  ]),
} as const satisfies Record<string, MessageDef>;

for (const request of Object.values(REQUESTS)) linkMessages(request);

/** Names of the signals that OTLP carries. */
export type SignalName = keyof typeof REQUESTS;
