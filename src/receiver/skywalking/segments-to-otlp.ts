/**
 * Segments as OTLP, as the Collector's translator makes them (pkg/translator/skywalking of contrib), and what that drops: the
 * peer, the component and the layer of a span, and the names of its logs.
 */
import type { AttributeInput } from '../../otlp/attribute-writer.js';
import { SpanKind, StatusCode } from '../../otlp/span-constants.js';
import { type Time64, timeFromBigInt } from '../../otlp/time.js';
import { type SpanEventInput, type SpanLinkInput, TracesWriter } from '../../otlp/trace-writer.js';
import { sw8SpanId, sw8TraceId, ZERO_SPAN_ID } from '../../protocols/trace-context/sw8-ids.js';
import { LAYER, layerName, systemOf } from './components.js';
import type { Pair, Segment, SegmentReference, SegmentSpan } from './model.js';

type Attributes = Record<string, AttributeInput>;

const ENTRY = 0;
const EXIT = 1;

/** Tags that are also written under the names of the semantic conventions. */
const MAPPED: Readonly<Record<string, readonly string[]>> = {
  url: ['http.url', 'url.full'],
  'http.method': ['http.request.method'],
  status_code: ['http.status_code', 'http.response.status_code'],
  'http.status_code': ['http.response.status_code'],
  'db.type': ['db.system'],
  'db.instance': ['db.name', 'db.namespace'],
  'db.statement': ['db.query.text'],
  'mq.broker': ['net.peer.name'],
  'mq.topic': ['messaging.destination.name'],
  'mq.queue': ['messaging.destination.name'],
};

export function encodeSegments(segments: readonly Segment[]): { bytes: Uint8Array; itemCount: number } {
  const writer = new TracesWriter();
  for (const segment of segments) {
    if (segment.spans.length === 0) continue;
    writer.resource({
      'service.name': segment.service || undefined,
      'service.instance.id': segment.serviceInstance || undefined,
      'sw8.trace_id': segment.traceId,
    });
    writer.scope('');
    const traceId = sw8TraceId(segment.traceId);
    for (const span of segment.spans) writeSpan(writer, segment, span, traceId);
  }
  const { itemCount } = writer;
  return { bytes: writer.finish(), itemCount };
}

function writeSpan(writer: TracesWriter, segment: Segment, span: SegmentSpan, traceId: string): void {
  const parent = parentOf(segment, span);
  writer.span({
    traceId,
    spanId: sw8SpanId(segment.traceSegmentId, span.spanId),
    parentSpanId: parent === ZERO_SPAN_ID ? '' : parent,
    name: span.operationName,
    kind: kindOf(span),
    startTime: timeOfMs(span.startTime),
    endTime: timeOfMs(span.endTime),
    attributes: attributesOf(segment, span),
    events: span.logs.map(eventOf),
    links: span.refs.map(linkOf),
    status: span.isError
      ? { code: StatusCode.error, message: 'ERROR' }
      : { code: StatusCode.ok, message: 'SUCCESS' },
  });
}

/** Of several references none is the parent; all are links. */
function parentOf(segment: Segment, { parentSpanId, refs }: SegmentSpan): string {
  if (parentSpanId >= 0) return sw8SpanId(segment.traceSegmentId, parentSpanId);
  const [only, ...others] = refs;
  if (only === undefined || others.length > 0) return ZERO_SPAN_ID;
  return sw8SpanId(only.parentTraceSegmentId, only.parentSpanId);
}

function kindOf({ spanType, spanLayer }: SegmentSpan): number {
  const isMessage = spanLayer === LAYER.mq;
  if (spanType === ENTRY) return isMessage ? SpanKind.consumer : SpanKind.server;
  if (spanType === EXIT) return isMessage ? SpanKind.producer : SpanKind.client;
  return SpanKind.internal;
}

function attributesOf({ traceSegmentId }: Segment, span: SegmentSpan): Attributes {
  const attributes = Object.create(null) as Attributes;
  for (const { key, value } of span.tags) {
    attributes[key] = value;
    const names = Object.hasOwn(MAPPED, key) ? (MAPPED[key] ?? []) : [];
    for (const name of names) attributes[name] ??= mappedValue(name, value);
  }
  const system = systemOf(span.componentId);
  if (system !== undefined) attributes[system[0]] ??= system[1];
  if (span.peer !== '') addPeer(attributes, span);
  attributes['sw8.segment_id'] = traceSegmentId;
  attributes['sw8.span_id'] = span.spanId;
  if (span.parentSpanId !== -1) attributes['sw8.parent_span_id'] = span.parentSpanId;
  if (span.componentId !== 0) attributes['sw8.component_id'] = span.componentId;
  if (span.spanLayer !== 0) attributes['sw8.layer'] = layerName(span.spanLayer);
  return attributes;
}

const mappedValue = (name: string, value: string): AttributeInput =>
  name === 'http.response.status_code' && /^\d{1,3}$/.test(value) ? Number(value) : value;

/** `host:port`, or several of them, of which the first is taken. The peer of an entry is its client. */
function addPeer(attributes: Attributes, { peer, spanType }: SegmentSpan): void {
  const [first = ''] = peer.split(/[,;]/, 1);
  const match = /^(?:[a-z][a-z0-9+.-]*:\/\/)?(\[[^\]]+\]|[^:/]*)(?::(\d{1,5}))?(?:\/.*)?$/i.exec(
    first.trim(),
  );
  const host = match?.[1]?.replace(/^\[(.*)\]$/, '$1') ?? '';
  const side = spanType === ENTRY ? 'client' : 'server';
  attributes[`${side}.address`] ??= host === '' ? peer : host;
  if (match?.[2] !== undefined) attributes[`${side}.port`] ??= Number(match[2]);
}

function linkOf(reference: SegmentReference): SpanLinkInput {
  return {
    traceId: sw8TraceId(reference.traceId),
    spanId: sw8SpanId(reference.parentTraceSegmentId, reference.parentSpanId),
    attributes: {
      'parent.service': reference.parentService,
      'parent.service.instance': reference.parentServiceInstance,
      'parent.endpoint': reference.parentEndpoint,
      'network.AddressUsedAtPeer': reference.networkAddressUsedAtPeer,
      refType: reference.refType === 1 ? 'CrossThread' : 'CrossProcess',
      'sw8.trace_id': reference.traceId,
      'sw8.parent_segment_id': reference.parentTraceSegmentId,
      'sw8.parent_span_id': reference.parentSpanId,
    },
  };
}

/** Names by which an exception is told, as the conventions have them. */
const EXCEPTION: Readonly<Record<string, string>> = {
  'error.kind': 'exception.type',
  message: 'exception.message',
  stack: 'exception.stacktrace',
};

/** A log with `event` has that name; the event of an error is an exception. */
function eventOf({ time, data }: { readonly time: bigint; readonly data: readonly Pair[] }): SpanEventInput {
  const attributes = Object.create(null) as Attributes;
  for (const { key, value } of data) attributes[key] = value;
  const name = attributes.event;
  const isError = name === 'error' || attributes['error.kind'] !== undefined;
  if (isError) {
    for (const [from, to] of Object.entries(EXCEPTION)) {
      const value = attributes[from];
      if (value !== undefined) attributes[to] ??= value;
    }
  }
  const own = typeof name === 'string' && name !== '' ? name : 'logs';
  return { time: timeOfMs(time), name: isError ? 'exception' : own, attributes };
}

export const timeOfMs = (ms: bigint): Time64 => timeFromBigInt(ms > 0n ? ms * 1_000_000n : 0n);
