/**
 * Traces read in place: views over the bytes of an `ExportTraceServiceRequest` (= `TracesData`).
 * Source: opentelemetry-proto v1.11, trace/v1/trace.proto.
 *
 *     TracesData     1 resource_spans
 *     ResourceSpans  1 resource  2 scope_spans  3 schema_url
 *     ScopeSpans     1 scope     2 spans        3 schema_url
 *     Span           1 trace_id  2 span_id  3 trace_state  4 parent_span_id  5 name  6 kind  7 start  8 end
 *                    9 attributes  10 dropped_attributes_count  11 events  12 dropped_events_count
 *                    13 links  14 dropped_links_count  15 status  16 flags
 *
 * A span's fields are located by one pass over its top level, done at the first access; texts, ids and attributes are
 * decoded when they are asked for. Fields in any order, repeated fields apart from each other, and unknown fields are
 * all fine.
 */
import type { Attributes, AttributeValue } from './any-value.js';
import { findAttribute, keyBytes, readAttributes } from './any-value.js';
import { SPAN_ID_BYTES, TRACE_ID_BYTES, toHex } from './ids.js';
import { MalformedError } from './malformed-error.js';
import type { Time64 } from './time.js';
import { timeDifferenceNs, timeToMs } from './time.js';
import { readText, WireReader, WireType } from './wire-reader.js';

const { delimited, varint, fixed64, fixed32 } = WireType;
const TAG = {
  resourceSpans: (1 << 3) | delimited,
  header: (1 << 3) | delimited,
  children: (2 << 3) | delimited,
  schemaUrl: (3 << 3) | delimited,
  resourceAttribute: (1 << 3) | delimited,
  scopeName: (1 << 3) | delimited,
  scopeVersion: (2 << 3) | delimited,
  scopeAttribute: (3 << 3) | delimited,
  traceId: (1 << 3) | delimited,
  spanId: (2 << 3) | delimited,
  traceState: (3 << 3) | delimited,
  parentSpanId: (4 << 3) | delimited,
  name: (5 << 3) | delimited,
  kind: (6 << 3) | varint,
  start: (7 << 3) | fixed64,
  end: (8 << 3) | fixed64,
  attribute: (9 << 3) | delimited,
  droppedAttributes: (10 << 3) | varint,
  event: (11 << 3) | delimited,
  droppedEvents: (12 << 3) | varint,
  link: (13 << 3) | delimited,
  droppedLinks: (14 << 3) | varint,
  status: (15 << 3) | delimited,
  flags: (16 << 3) | fixed32,
  statusMessage: (2 << 3) | delimited,
  statusCode: (3 << 3) | varint,
  eventTime: (1 << 3) | fixed64,
  eventName: (2 << 3) | delimited,
  eventAttribute: (3 << 3) | delimited,
  eventDropped: (4 << 3) | varint,
  linkTraceState: (3 << 3) | delimited,
  linkAttribute: (4 << 3) | delimited,
  linkDropped: (5 << 3) | varint,
  linkFlags: (6 << 3) | fixed32,
} as const;

/** Something that happened during a span, fully read. */
export interface SpanEvent {
  readonly time: Time64;
  readonly name: string;
  readonly attributes: Attributes;
  readonly droppedAttributesCount: number;
}

/** A pointer from a span to another span, fully read. Ids are lower-case hex, empty when absent. */
export interface SpanLink {
  readonly traceId: string;
  readonly spanId: string;
  readonly traceState: string;
  readonly attributes: Attributes;
  readonly droppedAttributesCount: number;
  readonly flags: number;
}

/** The resource (process, service) that a group of spans belongs to. Valid as long as the batch's bytes. */
export class ResourceView {
  readonly bytes: Uint8Array;
  /** Range of the enclosing ResourceSpans (or ResourceMetrics, ResourceLogs) message. */
  readonly start: number;
  readonly end: number;

  constructor(bytes: Uint8Array, start: number, end: number) {
    this.bytes = bytes;
    this.start = start;
    this.end = end;
  }

  attribute(key: string): AttributeValue | undefined {
    const wanted = keyBytes(key);
    const reader = new WireReader(this.bytes, this.start, this.end);
    for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
      if (tag === TAG.header) {
        const from = reader.delimited();
        const value = findAttribute(this.bytes, from, reader.pos, TAG.resourceAttribute, wanted);
        if (value !== undefined) return value;
      } else reader.skip(tag);
    }
    return undefined;
  }

  attributes(): Attributes {
    const attributes: Record<string, AttributeValue> = {};
    const reader = new WireReader(this.bytes, this.start, this.end);
    for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
      if (tag === TAG.header) {
        const from = reader.delimited();
        readAttributes(this.bytes, from, reader.pos, TAG.resourceAttribute, attributes);
      } else reader.skip(tag);
    }
    return attributes;
  }

  get schemaUrl(): string {
    return lastText(this.bytes, this.start, this.end, TAG.schemaUrl);
  }
}

/** The instrumentation scope (library) that made a group of spans. Valid as long as the batch's bytes. */
export class ScopeView {
  readonly bytes: Uint8Array;
  /** Range of the enclosing ScopeSpans (or ScopeMetrics, ScopeLogs) message. */
  readonly start: number;
  readonly end: number;

  constructor(bytes: Uint8Array, start: number, end: number) {
    this.bytes = bytes;
    this.start = start;
    this.end = end;
  }

  get name(): string {
    return this.#scopeText(TAG.scopeName);
  }

  get version(): string {
    return this.#scopeText(TAG.scopeVersion);
  }

  get schemaUrl(): string {
    return lastText(this.bytes, this.start, this.end, TAG.schemaUrl);
  }

  attributes(): Attributes {
    const attributes: Record<string, AttributeValue> = {};
    const reader = new WireReader(this.bytes, this.start, this.end);
    for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
      if (tag === TAG.header) {
        const from = reader.delimited();
        readAttributes(this.bytes, from, reader.pos, TAG.scopeAttribute, attributes);
      } else reader.skip(tag);
    }
    return attributes;
  }

  #scopeText(textTag: number): string {
    const reader = new WireReader(this.bytes, this.start, this.end);
    let text = '';
    for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
      if (tag === TAG.header) {
        const from = reader.delimited();
        text = lastText(this.bytes, from, reader.pos, textTag) || text;
      } else reader.skip(tag);
    }
    return text;
  }
}

function lastText(bytes: Uint8Array, start: number, end: number, wanted: number): string {
  const reader = new WireReader(bytes, start, end);
  let text = '';
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === wanted) text = reader.string();
    else reader.skip(tag);
  }
  return text;
}

/** Used inside `#parse` only, which neither calls back nor waits: one for all views keeps the views small. */
const scratch = new WireReader();

/**
 * One span, read in place.
 *
 * A view is a cursor: `walkSpans` uses the same object for every span, so keep what you need, not the view. `copy()`
 * gives one that stays. Properties throw `MalformedError` when the span's bytes are broken.
 */
export class SpanView {
  bytes: Uint8Array;
  /** Range of the Span message in `bytes`. `start` is the offset that `appendToSpans` takes. */
  start: number;
  end: number;
  resource: ResourceView;
  scope: ScopeView;

  #parsed = false;
  #traceId = -1;
  #spanId = -1;
  #parentId = -1;
  #name = -1;
  #nameEnd = 0;
  #traceState = -1;
  #traceStateEnd = 0;
  #kind = 0;
  #startHi = 0;
  #startLo = 0;
  #endHi = 0;
  #endLo = 0;
  #flags = 0;
  #firstAttribute = -1;
  #firstEvent = -1;
  #firstLink = -1;
  #attributeCount = 0;
  #eventCount = 0;
  #linkCount = 0;
  #droppedAttributes = 0;
  #droppedEvents = 0;
  #droppedLinks = 0;
  #statusCode = 0;
  #statusMessage = -1;
  #statusMessageEnd = 0;

  constructor(bytes: Uint8Array, start: number, end: number, resource: ResourceView, scope: ScopeView) {
    this.bytes = bytes;
    this.start = start;
    this.end = end;
    this.resource = resource;
    this.scope = scope;
  }

  /** Points this view at another span. For iteration code; readers of spans have no use for it. */
  moveTo(start: number, end: number): void {
    this.start = start;
    this.end = end;
    this.#parsed = false;
  }

  /** A view of the same span that no iteration moves. */
  copy(): SpanView {
    return new SpanView(this.bytes, this.start, this.end, this.resource, this.scope);
  }

  /** 32 lower-case hex digits, or `''` when absent. */
  get traceId(): string {
    if (!this.#parsed) this.#parse();
    return this.#traceId < 0 ? '' : toHex(this.bytes, this.#traceId, this.#traceId + TRACE_ID_BYTES);
  }

  /** 16 lower-case hex digits, or `''` when absent. */
  get spanId(): string {
    if (!this.#parsed) this.#parse();
    return this.#spanId < 0 ? '' : toHex(this.bytes, this.#spanId, this.#spanId + SPAN_ID_BYTES);
  }

  /** 16 lower-case hex digits, or `''` for a root span. */
  get parentSpanId(): string {
    if (!this.#parsed) this.#parse();
    return this.#parentId < 0 ? '' : toHex(this.bytes, this.#parentId, this.#parentId + SPAN_ID_BYTES);
  }

  /** Offset of the 16 bytes of the trace id in `bytes`, or -1 when absent. */
  get traceIdOffset(): number {
    if (!this.#parsed) this.#parse();
    return this.#traceId;
  }

  /** Offset of the 8 bytes of the span id in `bytes`, or -1 when absent. */
  get spanIdOffset(): number {
    if (!this.#parsed) this.#parse();
    return this.#spanId;
  }

  /** Offset of the 8 bytes of the parent's id in `bytes`, or -1 when absent. */
  get parentSpanIdOffset(): number {
    if (!this.#parsed) this.#parse();
    return this.#parentId;
  }

  get name(): string {
    if (!this.#parsed) this.#parse();
    return this.#name < 0 ? '' : readText(this.bytes, this.#name, this.#nameEnd);
  }

  /** W3C `tracestate`, or `''`. */
  get traceState(): string {
    if (!this.#parsed) this.#parse();
    return this.#traceState < 0 ? '' : readText(this.bytes, this.#traceState, this.#traceStateEnd);
  }

  /** One of `SpanKind` (span-constants.ts); other numbers are possible. */
  get kind(): number {
    if (!this.#parsed) this.#parse();
    return this.#kind;
  }

  /** Low 8 bits: W3C trace flags. Bit 8: bit 9 is known; bit 9: the parent is remote. */
  get flags(): number {
    if (!this.#parsed) this.#parse();
    return this.#flags;
  }

  get startTime(): Time64 {
    if (!this.#parsed) this.#parse();
    return { hi: this.#startHi, lo: this.#startLo };
  }

  get endTime(): Time64 {
    if (!this.#parsed) this.#parse();
    return { hi: this.#endHi, lo: this.#endLo };
  }

  /** Start in ms since the epoch with fraction (exact to about 0.25 us). */
  get startMs(): number {
    return timeToMs(this.startTime);
  }

  /** End in ms since the epoch with fraction (exact to about 0.25 us). */
  get endMs(): number {
    return timeToMs(this.endTime);
  }

  /** End minus start in ns, exact. Negative when the sender's clock jumped. */
  get durationNs(): number {
    return timeDifferenceNs(this.endTime, this.startTime);
  }

  /** One of `StatusCode` (span-constants.ts). */
  get statusCode(): number {
    if (!this.#parsed) this.#parse();
    return this.#statusCode;
  }

  get statusMessage(): string {
    if (!this.#parsed) this.#parse();
    return this.#statusMessage < 0 ? '' : readText(this.bytes, this.#statusMessage, this.#statusMessageEnd);
  }

  get attributeCount(): number {
    if (!this.#parsed) this.#parse();
    return this.#attributeCount;
  }

  get eventCount(): number {
    if (!this.#parsed) this.#parse();
    return this.#eventCount;
  }

  get linkCount(): number {
    if (!this.#parsed) this.#parse();
    return this.#linkCount;
  }

  get droppedAttributesCount(): number {
    if (!this.#parsed) this.#parse();
    return this.#droppedAttributes;
  }

  get droppedEventsCount(): number {
    if (!this.#parsed) this.#parse();
    return this.#droppedEvents;
  }

  get droppedLinksCount(): number {
    if (!this.#parsed) this.#parse();
    return this.#droppedLinks;
  }

  /** Value of one attribute, or undefined. Other attributes are not decoded. */
  attribute(key: string): AttributeValue | undefined {
    if (!this.#parsed) this.#parse();
    if (this.#firstAttribute < 0) return undefined;
    return findAttribute(this.bytes, this.#firstAttribute, this.end, TAG.attribute, keyBytes(key));
  }

  attributes(): Attributes {
    if (!this.#parsed) this.#parse();
    if (this.#firstAttribute < 0) return {};
    return readAttributes(this.bytes, this.#firstAttribute, this.end, TAG.attribute);
  }

  events(): SpanEvent[] {
    if (!this.#parsed) this.#parse();
    const events: SpanEvent[] = [];
    if (this.#firstEvent < 0) return events;
    const reader = new WireReader(this.bytes, this.#firstEvent, this.end);
    for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
      if (tag === TAG.event) {
        const from = reader.delimited();
        events.push(readEvent(this.bytes, from, reader.pos));
      } else reader.skip(tag);
    }
    return events;
  }

  links(): SpanLink[] {
    if (!this.#parsed) this.#parse();
    const links: SpanLink[] = [];
    if (this.#firstLink < 0) return links;
    const reader = new WireReader(this.bytes, this.#firstLink, this.end);
    for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
      if (tag === TAG.link) {
        const from = reader.delimited();
        links.push(readLink(this.bytes, from, reader.pos));
      } else reader.skip(tag);
    }
    return links;
  }

  /** Locates every field of the top level. The last of several wins; the parts of a repeated status are merged. */
  #parse(): void {
    this.#traceId = this.#spanId = this.#parentId = this.#name = this.#traceState = -1;
    this.#kind = this.#flags = this.#statusCode = 0;
    this.#startHi = this.#startLo = this.#endHi = this.#endLo = 0;
    this.#firstAttribute = this.#firstEvent = this.#firstLink = this.#statusMessage = -1;
    this.#droppedAttributes = this.#droppedEvents = this.#droppedLinks = 0;
    let attributeCount = 0;
    let eventCount = 0;
    let linkCount = 0;
    const reader = scratch.reset(this.bytes, this.start, this.end);
    for (;;) {
      const at = reader.pos;
      const tag = reader.tag();
      if (tag === 0) break;
      switch (tag) {
        case TAG.attribute:
          if (attributeCount++ === 0) this.#firstAttribute = at;
          reader.delimited();
          break;
        case TAG.event:
          if (eventCount++ === 0) this.#firstEvent = at;
          reader.delimited();
          break;
        case TAG.link:
          if (linkCount++ === 0) this.#firstLink = at;
          reader.delimited();
          break;
        case TAG.traceId:
          this.#traceId = readId(reader, TRACE_ID_BYTES);
          break;
        case TAG.spanId:
          this.#spanId = readId(reader, SPAN_ID_BYTES);
          break;
        case TAG.parentSpanId:
          this.#parentId = readId(reader, SPAN_ID_BYTES);
          break;
        case TAG.name:
          this.#name = reader.delimited();
          this.#nameEnd = reader.pos;
          break;
        case TAG.traceState:
          this.#traceState = reader.delimited();
          this.#traceStateEnd = reader.pos;
          break;
        case TAG.kind:
          this.#kind = reader.varint32() | 0;
          break;
        case TAG.start:
          reader.fixed64();
          this.#startHi = reader.hi;
          this.#startLo = reader.lo;
          break;
        case TAG.end:
          reader.fixed64();
          this.#endHi = reader.hi;
          this.#endLo = reader.lo;
          break;
        case TAG.flags:
          this.#flags = reader.fixed32();
          break;
        case TAG.droppedAttributes:
          this.#droppedAttributes = reader.varint32();
          break;
        case TAG.droppedEvents:
          this.#droppedEvents = reader.varint32();
          break;
        case TAG.droppedLinks:
          this.#droppedLinks = reader.varint32();
          break;
        case TAG.status: {
          const from = reader.delimited();
          if (from !== reader.pos) this.#parseStatus(from, reader.pos);
          break;
        }
        default:
          reader.skip(tag);
      }
    }
    this.#attributeCount = attributeCount;
    this.#eventCount = eventCount;
    this.#linkCount = linkCount;
    this.#parsed = true;
  }

  #parseStatus(start: number, end: number): void {
    const reader = new WireReader(this.bytes, start, end);
    for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
      if (tag === TAG.statusCode) this.#statusCode = reader.varint32() | 0;
      else if (tag === TAG.statusMessage) {
        this.#statusMessage = reader.delimited();
        this.#statusMessageEnd = reader.pos;
      } else reader.skip(tag);
    }
  }
}

/** Offset of an id, or -1 when it is empty. */
function readId(reader: WireReader, length: number): number {
  const start = reader.delimited();
  const found = reader.pos - start;
  if (found === length) return start;
  if (found === 0) return -1;
  const what = length === TRACE_ID_BYTES ? 'TraceID' : 'SpanID';
  throw new MalformedError('ERR_OTLP_ID_LENGTH', `unmarshal: invalid ${what} length`, start);
}

function readEvent(bytes: Uint8Array, start: number, end: number): SpanEvent {
  const reader = new WireReader(bytes, start, end);
  let time: Time64 = { hi: 0, lo: 0 };
  let name = '';
  let droppedAttributesCount = 0;
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === TAG.eventTime) {
      reader.fixed64();
      time = { hi: reader.hi, lo: reader.lo };
    } else if (tag === TAG.eventName) name = reader.string();
    else if (tag === TAG.eventDropped) droppedAttributesCount = reader.varint32();
    else reader.skip(tag);
  }
  const attributes = readAttributes(bytes, start, end, TAG.eventAttribute);
  return { time, name, attributes, droppedAttributesCount };
}

function readLink(bytes: Uint8Array, start: number, end: number): SpanLink {
  const reader = new WireReader(bytes, start, end);
  let traceId = '';
  let spanId = '';
  let traceState = '';
  let droppedAttributesCount = 0;
  let flags = 0;
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === TAG.traceId) {
      const at = readId(reader, TRACE_ID_BYTES);
      traceId = at < 0 ? '' : toHex(bytes, at, at + TRACE_ID_BYTES);
    } else if (tag === TAG.spanId) {
      const at = readId(reader, SPAN_ID_BYTES);
      spanId = at < 0 ? '' : toHex(bytes, at, at + SPAN_ID_BYTES);
    } else if (tag === TAG.linkTraceState) traceState = reader.string();
    else if (tag === TAG.linkDropped) droppedAttributesCount = reader.varint32();
    else if (tag === TAG.linkFlags) flags = reader.fixed32();
    else reader.skip(tag);
  }
  const attributes = readAttributes(bytes, start, end, TAG.linkAttribute);
  return { traceId, spanId, traceState, attributes, droppedAttributesCount, flags };
}

/**
 * Calls `visit` for every span of an encoded `ExportTraceServiceRequest`, in order.
 *
 * The `SpanView` is the same object every time; its `resource` and `scope` are new objects for each group and may be
 * kept (as keys of a Map, for instance). Returning `false` stops the walk. Throws `MalformedError`, possibly after some
 * spans have been visited.
 */
// biome-ignore lint/suspicious/noConfusingVoidType: a visitor that returns nothing is the usual one
export function walkSpans(bytes: Uint8Array, visit: (span: SpanView) => boolean | void): void {
  const outer = new WireReader(bytes);
  const middle = new WireReader();
  const inner = new WireReader();
  let view: SpanView | undefined;
  for (let tag = outer.tag(); tag !== 0; tag = outer.tag()) {
    if (tag !== TAG.resourceSpans) {
      outer.skip(tag);
      continue;
    }
    const resourceStart = outer.delimited();
    const resource = new ResourceView(bytes, resourceStart, outer.pos);
    middle.reset(bytes, resourceStart, outer.pos);
    for (let child = middle.tag(); child !== 0; child = middle.tag()) {
      if (child !== TAG.children) {
        middle.skip(child);
        continue;
      }
      const scopeStart = middle.delimited();
      const scope = new ScopeView(bytes, scopeStart, middle.pos);
      inner.reset(bytes, scopeStart, middle.pos);
      for (let item = inner.tag(); item !== 0; item = inner.tag()) {
        if (item !== TAG.children) {
          inner.skip(item);
          continue;
        }
        const start = inner.delimited();
        view ??= new SpanView(bytes, start, inner.pos, resource, scope);
        view.resource = resource;
        view.scope = scope;
        view.moveTo(start, inner.pos);
        if (visit(view) === false) return;
      }
    }
  }
}

/** One view for each span, in order; they stay valid as long as `bytes`. Throws `MalformedError`. */
export function spansOf(bytes: Uint8Array): SpanView[] {
  const views: SpanView[] = [];
  walkSpans(bytes, (span) => {
    views.push(span.copy());
  });
  return views;
}
