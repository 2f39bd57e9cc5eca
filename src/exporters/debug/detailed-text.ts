/** Every field of every span and log record, in the format of the Collector's `verbosity: detailed`. */
import { attributeLines } from './attribute-lines.js';
import { metricLines } from './detailed-metrics.js';
import { timeText, typedValue } from './go-format.js';
import {
  type Groups,
  type LogRecord,
  type LogsJson,
  logGroups,
  type MetricsJson,
  metricGroups,
  type Resource,
  type Span,
  type SpanEvent,
  type SpanLink,
  spanGroups,
  type TracesJson,
} from './otlp-json.js';

export const detailedTraces = (json: TracesJson): string =>
  detailedGroups(
    { resource: 'ResourceSpans', scope: 'ScopeSpans', item: 'Span' },
    spanGroups(json),
    spanLines,
  );
export const detailedMetrics = (json: MetricsJson): string =>
  detailedGroups(
    { resource: 'ResourceMetrics', scope: 'ScopeMetrics', item: 'Metric' },
    metricGroups(json),
    metricLines,
  );
export const detailedLogs = (json: LogsJson): string =>
  detailedGroups(
    { resource: 'ResourceLog', scope: 'ScopeLogs', item: 'LogRecord' },
    logGroups(json),
    logLines,
  );

const KINDS = ['Unspecified', 'Internal', 'Server', 'Client', 'Producer', 'Consumer'];
const STATUS_CODES = ['Unset', 'Ok', 'Error'];
const SEVERITIES = ['Trace', 'Debug', 'Info', 'Warn', 'Error', 'Fatal'];

interface Nouns {
  readonly resource: string;
  readonly scope: string;
  readonly item: string;
}

export function detailedGroups<T>(
  nouns: Nouns,
  groups: readonly Groups<T>[],
  linesOf: (item: T) => string[],
): string {
  const lines = groups.flatMap(({ resource, schemaUrl, scopes }, index) => [
    `${nouns.resource} #${index}`,
    `Resource SchemaURL: ${schemaUrl}`,
    ...attributeLines('Resource attributes', resource.attributes),
    ...entityLines(resource),
    ...scopes.flatMap(({ scope, schemaUrl: scopeUrl, items }, number) => [
      `${nouns.scope} #${number}`,
      `${nouns.scope} SchemaURL: ${scopeUrl}`,
      `InstrumentationScope ${scope.name ?? ''} ${scope.version ?? ''}`,
      ...attributeLines('InstrumentationScope attributes', scope.attributes),
      ...items.flatMap((item, place) => [`${nouns.item} #${place}`, ...linesOf(item)]),
    ]),
  ]);
  return lines.map((line) => `${line}\n`).join('');
}

function entityLines({ entityRefs = [] }: Resource): string[] {
  if (entityRefs.length === 0) return [];
  const keyLines = (header: string, keys: readonly string[] = []): string[] =>
    keys.length === 0 ? [] : [`          -> ${header}:`, ...keys.map((key) => `               -> ${key}`)];
  return [
    'Resource entity refs:',
    ...entityRefs.flatMap(({ type = '', schemaUrl = '', idKeys, descriptionKeys }, index) => [
      `     -> Entity ref #${index}:`,
      `          -> Type: ${type}`,
      ...(schemaUrl === '' ? [] : [`          -> Schema URL: ${schemaUrl}`]),
      ...keyLines('ID keys', idKeys),
      ...keyLines('Description keys', descriptionKeys),
    ]),
  ];
}

function spanLines(span: Span): string[] {
  const line = (name: string, value: string | number): string => `    ${name.padEnd(15)}: ${value}`;
  return [
    line('Trace ID', span.traceId ?? ''),
    line('Parent ID', span.parentSpanId ?? ''),
    line('ID', span.spanId ?? ''),
    line('Name', span.name ?? ''),
    line('Kind', KINDS[span.kind ?? 0] ?? ''),
    ...(span.traceState === undefined ? [] : [line('TraceState', span.traceState)]),
    line('Start time', timeText(span.startTimeUnixNano)),
    line('End time', timeText(span.endTimeUnixNano)),
    line('Status code', STATUS_CODES[span.status?.code ?? 0] ?? ''),
    line('Status message', span.status?.message ?? ''),
    line('DroppedAttributesCount', span.droppedAttributesCount ?? 0),
    line('DroppedEventsCount', span.droppedEventsCount ?? 0),
    line('DroppedLinksCount', span.droppedLinksCount ?? 0),
    ...attributeLines('Attributes', span.attributes),
    ...eventLines(span.events),
    ...linkLines(span.links),
  ];
}

function eventLines(events: readonly SpanEvent[] = []): string[] {
  if (events.length === 0) return [];
  return [
    'Events:',
    ...events.flatMap((event, index) => [
      `SpanEvent #${index}`,
      `     -> Name: ${event.name ?? ''}`,
      `     -> Timestamp: ${timeText(event.timeUnixNano)}`,
      `     -> DroppedAttributesCount: ${event.droppedAttributesCount ?? 0}`,
      ...attributeLines('     -> Attributes:', event.attributes),
    ]),
  ];
}

function linkLines(links: readonly SpanLink[] = []): string[] {
  if (links.length === 0) return [];
  return [
    'Links:',
    ...links.flatMap((link, index) => [
      `SpanLink #${index}`,
      `     -> Trace ID: ${link.traceId ?? ''}`,
      `     -> ID: ${link.spanId ?? ''}`,
      `     -> TraceState: ${link.traceState ?? ''}`,
      `     -> DroppedAttributesCount: ${link.droppedAttributesCount ?? 0}`,
      ...attributeLines('     -> Attributes:', link.attributes),
    ]),
  ];
}

function logLines(record: LogRecord): string[] {
  const severity = record.severityNumber ?? 0;
  return [
    `ObservedTimestamp: ${timeText(record.observedTimeUnixNano)}`,
    `Timestamp: ${timeText(record.timeUnixNano)}`,
    `SeverityText: ${record.severityText ?? ''}`,
    `SeverityNumber: ${severityName(severity)}(${severity})`,
    ...(record.eventName === undefined ? [] : [`EventName: ${record.eventName}`]),
    `Body: ${typedValue(record.body)}`,
    ...attributeLines('Attributes', record.attributes),
    `Trace ID: ${record.traceId ?? ''}`,
    `Span ID: ${record.spanId ?? ''}`,
    `Flags: ${record.flags ?? 0}`,
  ];
}

/** `Info` for 9, `Info2` for 10, nothing for a number without a name. */
function severityName(severity: number): string {
  if (severity === 0) return 'Unspecified';
  const name = SEVERITIES[Math.floor((severity - 1) / 4)];
  const step = (severity - 1) % 4;
  return name === undefined ? '' : step === 0 ? name : `${name}${step + 1}`;
}
