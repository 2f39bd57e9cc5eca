/** OTLP spans as Zipkin's, as the Collector's translator makes them (zipkinv2/from_translator.go of contrib 0.155). */

import { asString } from '../../go/values.js';
import type { AttributeValue } from '../../otlp/any-value.js';
import {
  type DecodedEvent,
  type DecodedLink,
  type DecodedResource,
  type DecodedScope,
  type DecodedSpan,
  decodeTraces,
} from '../../otlp/decode.js';
import { SpanKind, StatusCode } from '../../otlp/span-constants.js';
import type { TypedValue } from '../../otlp/typed-value.js';
import { canonicalIp } from '../../zipkin/ip-text.js';
import type { ZipkinEndpoint } from '../../zipkin/model.js';
import { linkTag, TAG } from '../../zipkin/tags.js';
import type { OutgoingSpan } from './outgoing-span.js';

type Tags = Map<string, string>;

const KIND: Readonly<Record<number, string>> = {
  [SpanKind.client]: 'CLIENT',
  [SpanKind.server]: 'SERVER',
  [SpanKind.producer]: 'PRODUCER',
  [SpanKind.consumer]: 'CONSUMER',
};
const STATUS: Readonly<Record<number, string>> = {
  [StatusCode.ok]: 'STATUS_CODE_OK',
  [StatusCode.error]: 'STATUS_CODE_ERROR',
};
/** Where the name of the service comes from, when there is no `service.name`. */
const NAME_SOURCES = ['faas.name', 'k8s.deployment.name', 'process.executable.name'];
const NS_PER_S = 1_000_000_000n;

export interface Converted {
  readonly spans: readonly OutgoingSpan[];
  /** Spans without a trace id or a span id, which Zipkin can't take. */
  readonly invalid: number;
}

/** Throws `MalformedError`. */
export function toZipkin(bytes: Uint8Array, defaultServiceName: string): Converted {
  const spans: OutgoingSpan[] = [];
  let invalid = 0;
  for (const { resource, scopeSpans } of decodeTraces(bytes).resourceSpans) {
    const service = serviceOf(resource, defaultServiceName);
    for (const { scope, spans: own } of scopeSpans) {
      const shared = new Map([...service.tags, ...scopeTags(scope)]);
      for (const span of own) {
        if (/^0*$/.test(span.traceId) || /^0*$/.test(span.spanId)) invalid++;
        else spans.push(convert(span, service.name, shared));
      }
    }
  }
  return { spans, invalid };
}

function serviceOf({ attributes }: DecodedResource, defaultName: string): { name: string; tags: Tags } {
  const tags = textsOf(attributes);
  const resourceId = tags.get('cloud.resource_id');
  if (resourceId !== undefined) {
    if (!tags.has('faas.id')) tags.set('faas.id', resourceId);
    tags.delete('cloud.resource_id');
  }
  const own = take(tags, 'service.name');
  if (own !== undefined) return { name: own, tags };
  const source = NAME_SOURCES.find((key) => tags.has(key));
  if (source === undefined) return { name: defaultName, tags };
  const name = take(tags, source)!;
  tags.set(TAG.serviceNameSource, source);
  return { name, tags };
}

function scopeTags({ attributes, name, version }: DecodedScope): Tags {
  const tags = textsOf(attributes);
  if (name !== '') tags.set(TAG.libraryName, name);
  if (version !== '') tags.set(TAG.libraryVersion, version);
  return tags;
}

function convert(span: DecodedSpan, serviceName: string, shared: Tags): OutgoingSpan {
  const tags: Tags = new Map([...shared, ...textsOf(span.attributes)]);
  const httpStatus = tags.get('http.response.status_code');
  if (httpStatus !== undefined && !tags.has('http.status_code')) tags.set('http.status_code', httpStatus);
  if (span.traceState !== '') tags.set(TAG.traceState, span.traceState);
  if (span.kind === SpanKind.internal) tags.set(TAG.spanKind, 'internal');
  const local = endpointOf(tags, serviceName, 'network.local.address', 'net.host.port');
  const peer = take(tags, 'service.peer.name') ?? take(tags, 'peer.service') ?? '';
  const remote = endpointOf(tags, peer, 'network.peer.address', 'net.peer.port');
  setStatus(tags, span.status);
  for (const [index, link] of span.links.entries()) tags.set(linkTag(index), linkText(link));
  const { startTimeUnixNano: start, endTimeUnixNano: end } = span;
  return {
    traceId: span.traceId,
    id: span.spanId,
    parentId: /^0*$/.test(span.parentSpanId) ? '' : span.parentSpanId,
    name: span.name,
    kind: KIND[span.kind] ?? '',
    startNs: start < NS_PER_S ? undefined : start,
    durationNs: end > start ? end - start : 0n,
    local: local ?? { serviceName, ipv4: '', ipv6: '', port: 0 },
    remote,
    annotations: span.events.map((event) => ({ timeNs: event.timeUnixNano, value: eventText(event) })),
    tags,
  };
}

/** Takes the address and the port from the tags; undefined when neither name nor address is known. */
function endpointOf(
  tags: Tags,
  serviceName: string,
  addressKey: string,
  portKey: string,
): ZipkinEndpoint | undefined {
  const address = take(tags, addressKey) ?? '';
  const ip = canonicalIp(address) ?? '';
  const portText = take(tags, portKey) ?? '';
  const port = /^\d{1,5}$/.test(portText) && Number(portText) <= 65_535 ? Number(portText) : 0;
  if (serviceName === '' && ip === '') return undefined;
  const isV6 = address.includes(':');
  return { serviceName, ipv4: isV6 ? '' : ip, ipv6: isV6 ? ip : '', port };
}

function setStatus(tags: Tags, { code, message }: DecodedSpan['status']): void {
  // Zipkin takes any span with this tag for a failed one.
  if (code === StatusCode.error) tags.set(TAG.error, 'true');
  else tags.delete(TAG.error);
  const text = STATUS[code];
  if (text === undefined) return;
  tags.set(TAG.statusCode, text);
  if (message !== '') tags.set(TAG.statusDescription, message);
}

/** `name`, or `name|{json}|dropped`. */
function eventText({ name, attributes, droppedAttributesCount }: DecodedEvent): string {
  if (Object.keys(attributes).length === 0 && droppedAttributesCount === 0) return name;
  return `${name}|${jsonOf(attributes)}|${droppedAttributesCount}`;
}

const linkText = ({ traceId, spanId, traceState, attributes, droppedAttributesCount }: DecodedLink): string =>
  `${withoutZeros(traceId)}|${withoutZeros(spanId)}|${traceState}|${jsonOf(attributes)}|${droppedAttributesCount}`;

const withoutZeros = (id: string): string => (/^0*$/.test(id) ? '' : id);

/** As `encoding/json` of Go writes it, which is careful for web pages. */
const jsonOf = (attributes: DecodedEvent['attributes']): string =>
  asString(typed(attributes)).replace(/[<>&]/g, (char) => `\\u00${char.charCodeAt(0).toString(16)}`);

const textsOf = (attributes: DecodedResource['attributes']): Tags =>
  new Map(Object.entries(attributes).map(([key, value]) => [key, asString(typed(value))]));

/** Integers and doubles of one value have one text, so what they were does not matter here. */
function typed(value: AttributeValue): TypedValue {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
  if (Array.isArray(value)) return value.map((item: AttributeValue) => typed(item));
  return new Map(Object.entries(value).map(([key, item]) => [key, typed(item as AttributeValue)]));
}

function take(tags: Tags, key: string): string | undefined {
  const value = tags.get(key);
  tags.delete(key);
  return value;
}
