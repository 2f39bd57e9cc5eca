/** Jaeger's spans as OTLP, as the Collector's translator makes them (pkg/translator/jaeger of contrib 0.155). */
import type { AttributeInput } from '../../otlp/attribute-writer.js';
import { SpanKind } from '../../otlp/span-constants.js';
import { type SpanEventInput, type SpanLinkInput, TracesWriter } from '../../otlp/trace-writer.js';
import {
  type JaegerBatch,
  type JaegerLog,
  type JaegerProcess,
  type JaegerSpan,
  type JaegerTag,
  NO_ID,
} from './model.js';
import { takeStatus } from './status.js';

export type Attributes = Record<string, AttributeInput>;

const KIND: Readonly<Record<string, number>> = {
  client: SpanKind.client,
  server: SpanKind.server,
  producer: SpanKind.producer,
  consumer: SpanKind.consumer,
  internal: SpanKind.internal,
};

/** Thrift's translator knows neither scopes nor trace states, and groups nothing. */
export type Origin = 'thrift' | 'protobuf';

/** One request with a resource for each process. Spans without anything in them are left out. */
export function encodeJaegerBatch(
  batch: JaegerBatch,
  origin: Origin,
): { bytes: Uint8Array; itemCount: number } {
  const writer = new TracesWriter();
  for (const [process, spans] of byProcess(batch)) {
    writer.resource(resourceOf(process, origin));
    if (origin === 'thrift') {
      writer.scope('');
      for (const span of spans) writeSpan(writer, span, attributesOf(span.tags), origin);
    } else writeScopes(writer, spans);
  }
  const { itemCount } = writer;
  return { bytes: writer.finish(), itemCount };
}

/** A span may have a process of its own (protobuf). Equal ones are one. */
function byProcess({ process, spans }: JaegerBatch): Iterable<[JaegerProcess | undefined, JaegerSpan[]]> {
  const groups = new Map<string, [JaegerProcess | undefined, JaegerSpan[]]>();
  let known: JaegerProcess | undefined;
  let group: [JaegerProcess | undefined, JaegerSpan[]] | undefined;
  for (const span of spans) {
    if (isBlank(span)) continue;
    const own = span.process ?? process;
    if (group === undefined || own !== known) {
      known = own;
      const key =
        JSON.stringify(own, (_, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value)) ?? '';
      group = groups.get(key) ?? [own, []];
      groups.set(key, group);
    }
    group[1].push(span);
  }
  return groups.values();
}

const isBlank = (span: JaegerSpan): boolean =>
  /^0*$/.test(span.traceId) &&
  span.spanId === NO_ID &&
  span.operationName === '' &&
  span.startTime.hi === 0 &&
  span.startTime.lo === 0 &&
  span.tags.length + span.logs.length + span.references.length === 0;

function resourceOf(process: JaegerProcess | undefined, origin: Origin): Attributes {
  const attributes = attributesOf([]);
  if (process === undefined) return attributes;
  const { serviceName, tags } = process;
  if (origin === 'protobuf' && serviceName === 'OTLPResourceNoServiceName') return attributes;
  if (serviceName !== '') attributes['service.name'] = serviceName;
  for (const { key, value } of tags) attributes[key] = value;
  if (attributes.hostname !== undefined && attributes['host.name'] === undefined) {
    attributes['host.name'] = attributes.hostname;
    delete attributes.hostname;
  }
  const version = attributes['jaeger.version'];
  if (version !== undefined && attributes['opencensus.exporterversion'] === undefined) {
    attributes['opencensus.exporterversion'] = `Jaeger-${textOf(version)}`;
    delete attributes['jaeger.version'];
  }
  return attributes;
}

function writeScopes(writer: TracesWriter, spans: readonly JaegerSpan[]): void {
  const scopes = new Map<string, { name: string; version: string; spans: [JaegerSpan, Attributes][] }>();
  for (const span of spans) {
    const tags = [...span.tags];
    const name = takeTag(tags, 'otel.scope.name');
    const version = name === undefined ? '' : (takeTag(tags, 'otel.scope.version') ?? '');
    const key = JSON.stringify([name ?? '', version]);
    const scope = scopes.get(key) ?? { name: name ?? '', version, spans: [] };
    scopes.set(key, scope);
    scope.spans.push([span, attributesOf(tags)]);
  }
  for (const { name, version, spans: own } of scopes.values()) {
    writer.scope(name, version);
    for (const [span, attributes] of own) writeSpan(writer, span, attributes, 'protobuf');
  }
}

function takeTag(tags: JaegerTag[], key: string): string | undefined {
  const index = tags.findIndex((tag) => tag.key === key);
  if (index < 0) return undefined;
  const [tag] = tags.splice(index, 1);
  return textOf(tag?.value ?? null);
}

function writeSpan(writer: TracesWriter, span: JaegerSpan, attributes: Attributes, origin: Origin): void {
  const kindTag = take(attributes, 'span.kind');
  const kind = kindTag === undefined ? SpanKind.unspecified : kindOf(textOf(kindTag));
  const status = takeStatus(attributes, kind);
  const traceState = origin === 'protobuf' ? take(attributes, 'w3c.tracestate') : undefined;
  const parent = parentOf(span);
  writer.span({
    traceId: span.traceId,
    spanId: span.spanId,
    parentSpanId: parent === NO_ID ? '' : parent,
    traceState: traceState === undefined ? undefined : textOf(traceState),
    name: span.operationName,
    kind,
    startTime: span.startTime,
    endTime: span.endTime,
    attributes,
    events: span.logs.map(eventOf),
    links: linksOf(span, parent),
    status,
  });
}

const kindOf = (text: string): number =>
  Object.hasOwn(KIND, text) ? (KIND[text] ?? SpanKind.unspecified) : SpanKind.unspecified;

/** The field, or else the first parent of the same trace among the references; `follows_from` only where nothing else is. */
function parentOf({ parentSpanId, references, traceId }: JaegerSpan): string {
  if (parentSpanId !== NO_ID) return parentSpanId;
  const own = references.filter((reference) => reference.traceId === traceId);
  const first = (kind: string) => own.find((reference) => reference.kind === kind)?.spanId;
  return first('child_of') ?? first('follows_from') ?? NO_ID;
}

function linksOf({ references }: JaegerSpan, parent: string): SpanLinkInput[] {
  return references
    .filter(({ spanId, kind }) => !(spanId === parent && kind === 'child_of'))
    .map(({ traceId, spanId, kind }) => ({
      traceId,
      spanId,
      attributes: { 'opentracing.ref_type': kind === 'child_of' ? kind : 'follows_from' },
    }));
}

function eventOf({ time, fields }: JaegerLog): SpanEventInput {
  const attributes = attributesOf(fields);
  const name = take(attributes, 'event');
  return { time, name: name === undefined ? '' : textOf(name), attributes };
}

/** Without a prototype: a tag may be called `__proto__`. The last of several tags of a key counts. */
function attributesOf(tags: readonly JaegerTag[]): Attributes {
  const attributes = Object.create(null) as Attributes;
  for (const { key, value } of tags) attributes[key] = value;
  return attributes;
}

function take(attributes: Attributes, key: string): AttributeInput | undefined {
  const value = attributes[key];
  delete attributes[key];
  return value;
}

const textOf = (value: AttributeInput): string => (typeof value === 'string' ? value : '');
