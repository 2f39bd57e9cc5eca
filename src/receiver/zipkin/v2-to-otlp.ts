/**
 * Zipkin spans as OTLP, as the Collector's translator makes them (pkg/translator/zipkin/zipkinv2 of contrib 0.155, with its
 * default feature gates).
 */
import type { AttributeInput } from '../../otlp/attribute-writer.js';
import { SpanKind, StatusCode } from '../../otlp/span-constants.js';
import type { Time64 } from '../../otlp/time.js';
import { type SpanEventInput, type SpanLinkInput, TracesWriter } from '../../otlp/trace-writer.js';
import {
  type ZipkinAnnotation,
  type ZipkinEndpoint,
  ZipkinError,
  type ZipkinSpan,
} from '../../zipkin/model.js';
import { isSpanTag, linkTag, MAX_LINKS, NO_SERVICE_NAME, RESOURCE_TAGS, TAG } from '../../zipkin/tags.js';
import { readEmbedded } from './embedded-json.js';
import { parseTagValue } from './tag-values.js';
import { timeFromMicros } from './v2-json.js';

type Attributes = Record<string, AttributeInput>;

const KIND: Readonly<Record<string, number>> = {
  CLIENT: SpanKind.client,
  SERVER: SpanKind.server,
  PRODUCER: SpanKind.producer,
  CONSUMER: SpanKind.consumer,
};

const STATUS: Readonly<Record<string, number>> = {
  STATUS_CODE_UNSET: StatusCode.unset,
  STATUS_CODE_OK: StatusCode.ok,
  STATUS_CODE_ERROR: StatusCode.error,
  // Of old Zipkin exporters.
  Unset: StatusCode.unset,
  Ok: StatusCode.ok,
  Error: StatusCode.error,
};

/**
 * One request with a resource for each service. Throws `ZipkinError` for a tag or an annotation that says it holds encoded
 * attributes and does not.
 */
export function encodeZipkinSpans(spans: readonly ZipkinSpan[], parseStringTags: boolean): Uint8Array {
  const writer = new TracesWriter();
  let service: string | undefined;
  let library: string | undefined;
  const sorted = [...spans].sort(byServiceAndLibrary);
  const resources = resourcesOf(sorted);
  for (const span of sorted) {
    const ownService = serviceOf(span);
    if (ownService !== service) {
      service = ownService;
      library = undefined;
      writer.resource(resources.get(ownService)!);
    }
    const ownLibrary = libraryOf(span);
    if (ownLibrary !== library) {
      library = ownLibrary;
      writeScope(writer, span, ownLibrary);
    }
    writeSpan(writer, span, parseStringTags);
  }
  return writer.finish();
}

const serviceOf = ({ local }: ZipkinSpan): string => local?.serviceName || NO_SERVICE_NAME;
const libraryOf = ({ tags }: ZipkinSpan): string =>
  tags.get(TAG.scopeName) ?? tags.get(TAG.libraryName) ?? '';

function byServiceAndLibrary(a: ZipkinSpan, b: ZipkinSpan): number {
  return compare(serviceOf(a), serviceOf(b)) || compare(libraryOf(a), libraryOf(b));
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/**
 * The attributes of each service. A Collector takes those of whichever of its spans comes first; here nothing that one of them
 * says is lost, and the first to say it is right.
 */
function resourcesOf(spans: readonly ZipkinSpan[]): ReadonlyMap<string, Attributes> {
  const resources = new Map<string, Attributes>();
  for (const span of spans) {
    const service = serviceOf(span);
    const attributes = resources.get(service) ?? emptyAttributes();
    resources.set(service, attributes);
    if (service === NO_SERVICE_NAME) continue;
    attributes[span.tags.get(TAG.serviceNameSource) || 'service.name'] ??= service;
    for (const [key, value] of span.tags) if (RESOURCE_TAGS.has(key)) attributes[key] ??= value;
  }
  return resources;
}

function writeScope(writer: TracesWriter, { tags }: ZipkinSpan, library: string): void {
  if (library === '') writer.scope('');
  else writer.scope(library, tags.get(TAG.scopeVersion) ?? tags.get(TAG.libraryVersion) ?? '');
}

function writeSpan(writer: TracesWriter, span: ZipkinSpan, parseStringTags: boolean): void {
  const tags = new Map(span.tags);
  const traceState = take(tags, TAG.traceState);
  const kind = kindOf(span, tags);
  const status = statusOf(tags);
  const links = linksOf(tags);
  const attributes = emptyAttributes();
  for (const [key, value] of tags) {
    if (isSpanTag(key)) attributes[key] = parseStringTags ? parseTagValue(value) : value;
  }
  addEndpoint(attributes, span.local, 'network.local.address', 'net.host.port');
  if (span.remote !== undefined && span.remote.serviceName !== '') {
    attributes['service.peer.name'] = span.remote.serviceName;
  }
  addEndpoint(attributes, span.remote, 'network.peer.address', 'net.peer.port');
  if (span.timestampUs === undefined) attributes[TAG.startTimeAbsent] = true;
  const startUs = span.timestampUs ?? 0;
  writer.span({
    traceId: span.traceId,
    spanId: span.id,
    parentSpanId: span.parentId === span.id || /^0*$/.test(span.parentId) ? '' : span.parentId,
    traceState,
    name: span.name,
    kind,
    startTime: timeFromMicros(startUs),
    endTime: endTime(startUs, span.durationUs),
    attributes,
    events: span.annotations.map(eventOf),
    links,
    status: status.code === 0 && status.message === '' ? undefined : status,
  });
}

const endTime = (startUs: number, durationUs: number): Time64 => timeFromMicros(startUs + durationUs);

function kindOf({ kind }: ZipkinSpan, tags: Map<string, string>): number {
  const known = KIND[kind];
  if (known !== undefined) return known;
  return take(tags, TAG.spanKind) === 'internal' ? SpanKind.internal : SpanKind.unspecified;
}

function statusOf(tags: Map<string, string>): { code: number; message: string } {
  const status = { code: 0, message: '' };
  const code = take(tags, TAG.statusCode);
  if (code !== undefined) {
    status.code = STATUS[code] ?? 0;
    status.message = take(tags, TAG.statusDescription) ?? '';
  }
  const error = tags.get(TAG.error);
  if (error !== undefined) status.code = StatusCode.error;
  if (error === 'true') tags.delete(TAG.error);
  return status;
}

/** `traceid|spanid|tracestate|{json}|dropped`. */
function linksOf(tags: Map<string, string>): SpanLinkInput[] {
  const links: SpanLinkInput[] = [];
  for (let index = 0; index < MAX_LINKS; index++) {
    const text = take(tags, linkTag(index));
    if (text === undefined) break;
    const parts = text.split('|');
    if (parts.length < 5) continue;
    links.push({
      traceId: linkId(parts[0]!, 32),
      spanId: linkId(parts[1]!, 16),
      traceState: parts[2],
      ...readEmbedded(parts.slice(3)),
    });
  }
  return links;
}

function linkId(text: string, digits: number): string {
  const id = /^"(.*)"$/.exec(text)?.[1] ?? text;
  if (id === '') return '0'.repeat(digits);
  if (id.length >> 1 !== digits / 2) throw new ZipkinError('invalid length for ID');
  const bad = /[^0-9a-fA-F]/.exec(id)?.[0];
  if (bad !== undefined) {
    const point = `U+${bad.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`;
    throw new ZipkinError(
      `cannot unmarshal ID from string '${id}': encoding/hex: invalid byte: ${point} '${bad}'`,
    );
  }
  if (id.length !== digits)
    throw new ZipkinError(`cannot unmarshal ID from string '${id}': encoding/hex: odd length hex string`);
  return id.toLowerCase();
}

/** `name`, or `name|{json}|dropped`. */
function eventOf({ time, value }: ZipkinAnnotation): SpanEventInput {
  const parts = value.split('|');
  const name = parts[0]!;
  return parts.length < 3 ? { time, name } : { time, name, ...readEmbedded(parts.slice(1)) };
}

function addEndpoint(
  attributes: Attributes,
  endpoint: ZipkinEndpoint | undefined,
  addressKey: string,
  portKey: string,
): void {
  if (endpoint === undefined) return;
  const address = endpoint.ipv6 || endpoint.ipv4;
  if (address !== '') attributes[addressKey] = address;
  if (endpoint.port > 0) attributes[portKey] = endpoint.port;
}

function take(tags: Map<string, string>, key: string): string | undefined {
  const value = tags.get(key);
  if (value !== undefined) tags.delete(key);
  return value;
}

/** Without a prototype: a tag may be called `__proto__`. */
const emptyAttributes = (): Attributes => Object.create(null) as Attributes;
