/** Zipkin v1 spans as OTLP, as the Collector's translator makes them (pkg/translator/zipkin/zipkinv1 of contrib 0.155). */
import type { AttributeInput } from '../../otlp/attribute-writer.js';
import { SpanKind } from '../../otlp/span-constants.js';
import { type Time64, timeFromMs } from '../../otlp/time.js';
import { type SpanEventInput, type SpanInput, TracesWriter } from '../../otlp/trace-writer.js';
import { TAG } from '../../zipkin/tags.js';
import type { V1Endpoint, V1Span } from './v1-model.js';
import { V1Status } from './v1-status.js';
import { timeFromMicros } from './v2-json.js';

const UNKNOWN_SERVICE = 'unknown-service';
const NO_TIME: Time64 = { hi: 0, lo: 0 };

/** Annotations that say which side of a call this is. */
const KIND: Readonly<Record<string, number>> = {
  cs: SpanKind.client,
  cr: SpanKind.client,
  ms: SpanKind.producer,
  mr: SpanKind.consumer,
  ss: SpanKind.server,
  sr: SpanKind.server,
};

/** One request with a resource for each endpoint. `nowMs`: since the epoch. */
export function encodeV1Spans(spans: readonly V1Span[], nowMs: number): Uint8Array {
  const byEndpoint = new Map<string, { endpoint: V1Endpoint; spans: SpanInput[] }>();
  for (const span of spans) {
    const { endpoint, input } = convert(span, nowMs);
    const { serviceName, ipv4, ipv6, port } = endpoint;
    const key = `${serviceName}-${ipv4}-${ipv6}-${port}`;
    const group = byEndpoint.get(key);
    if (group === undefined) byEndpoint.set(key, { endpoint, spans: [input] });
    else group.spans.push(input);
  }
  const writer = new TracesWriter();
  for (const { endpoint, spans: inputs } of byEndpoint.values()) {
    const { serviceName, ipv4, ipv6, port } = endpoint;
    writer.resource({
      'service.name': serviceName,
      ipv4: ipv4 || undefined,
      ipv6: ipv6 || undefined,
      port: port === 0 ? undefined : String(port),
    });
    writer.scope('');
    for (const input of inputs) writer.span(input);
  }
  return writer.finish();
}

function convert(span: V1Span, nowMs: number): { endpoint: V1Endpoint; input: SpanInput } {
  const told = readAnnotations(span);
  const attributes: Record<string, AttributeInput> = Object.create(null) as Record<string, AttributeInput>;
  const status = new V1Status();
  let localComponent = '';
  let service = '';
  for (const { key, value, text, endpoint } of span.binaryAnnotations) {
    if (endpoint !== undefined && endpoint.serviceName !== '') service = endpoint.serviceName;
    const isComponent = key === 'lc';
    if (isComponent) localComponent = text;
    const name = isComponent ? 'component' : key;
    if (!status.take(name, value)) attributes[name] = value;
  }
  const fallback = service || localComponent;
  const endpoint = told.endpoint ?? { serviceName: fallback || UNKNOWN_SERVICE, ipv4: '', ipv6: '', port: 0 };
  let { startTime, endTime } = told;
  if (span.timestampUs !== 0) {
    startTime = microsOrZero(span.timestampUs);
    endTime = microsOrZero(span.timestampUs + span.durationUs);
  }
  if (span.timeRequired && startTime.hi === 0 && startTime.lo === 0) {
    startTime = timeFromMs(nowMs);
    endTime = startTime;
    attributes[TAG.startTimeAbsent] = true;
  }
  const input = {
    traceId: span.traceId,
    spanId: span.id,
    parentSpanId: /^0*$/.test(span.parentId) ? '' : span.parentId,
    name: span.name,
    kind: told.kind,
    startTime,
    endTime,
    attributes,
    events: told.events,
    status: status.status,
  };
  return { endpoint, input };
}

function readAnnotations({ annotations }: V1Span) {
  const events: SpanEventInput[] = [];
  let kind: number | undefined;
  let endpoint: V1Endpoint | undefined;
  let earliest = Number.POSITIVE_INFINITY;
  let latest = Number.NEGATIVE_INFINITY;
  for (const annotation of annotations) {
    if (annotation.value === '') continue;
    const own = Object.hasOwn(KIND, annotation.value) ? KIND[annotation.value] : undefined;
    const { timestampUs } = annotation;
    if (own !== undefined) {
      kind ??= own;
      const name = annotation.endpoint?.serviceName ?? '';
      if (name !== '' && name !== UNKNOWN_SERVICE) endpoint ??= annotation.endpoint;
    } else events.push({ time: microsOrZero(timestampUs), name: annotation.value });
    earliest = Math.min(earliest, timestampUs);
    latest = Math.max(latest, timestampUs);
  }
  const startTime = Number.isFinite(earliest) ? microsOrZero(earliest) : NO_TIME;
  const endTime = Number.isFinite(latest) ? microsOrZero(latest) : NO_TIME;
  return { events, kind, endpoint, startTime, endTime };
}

const microsOrZero = (us: number): Time64 => (us > 0 ? timeFromMicros(us) : NO_TIME);
