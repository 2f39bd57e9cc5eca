/**
 * One span read in place.
 * Source: opentelemetry-proto v1.11, trace/v1/trace.proto.
 *
 *     Span    1 trace_id  2 span_id  3 trace_state  4 parent_span_id  5 name  6 kind  7 start  8 end
 *             9 attributes  10 dropped_attributes_count  11 events  12 dropped_events_count
 *             13 links  14 dropped_links_count  15 status  16 flags
 *     Status  2 message  3 code
 *
 * The fields are located by one pass over the top level, done at the first access; texts, ids and attributes are decoded
 * when they are asked for. Fields in any order, repeated fields apart from each other, and unknown fields are all fine.
 */
import type { Attributes, AttributeValue } from './any-value.js';
import { findAttribute, keyBytes, readAttributes } from './any-value.js';
import { contentStart, fieldEnd, tagAt, varintAt } from './field-end.js';
import type { ResourceView, ScopeView } from './group-view.js';
import { SPAN_ID_BYTES, TRACE_ID_BYTES } from './ids.js';
import { idAt, readEvent, readLink, type SpanEvent, type SpanLink } from './span-parts.js';
import { hexText, readText } from './text.js';
import type { Time64 } from './time.js';
import { timeDifferenceNs, timeToMs } from './time.js';
import { field, WireReader } from './wire-reader.js';

const ATTRIBUTE = field.delimited(9);
const EVENT = field.delimited(11);
const LINK = field.delimited(13);
const STATUS_MESSAGE = field.delimited(2);
const STATUS_CODE = field.varint(3);

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
  #startTime = -1;
  #endTime = -1;
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
    return this.#traceId < 0 ? '' : hexText(this.bytes, this.#traceId, this.#traceId + TRACE_ID_BYTES);
  }

  /** 16 lower-case hex digits, or `''` when absent. */
  get spanId(): string {
    if (!this.#parsed) this.#parse();
    return this.#spanId < 0 ? '' : hexText(this.bytes, this.#spanId, this.#spanId + SPAN_ID_BYTES);
  }

  /** 16 lower-case hex digits, or `''` for a root span. */
  get parentSpanId(): string {
    if (!this.#parsed) this.#parse();
    return this.#parentId < 0 ? '' : hexText(this.bytes, this.#parentId, this.#parentId + SPAN_ID_BYTES);
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
    return timeAt(this.bytes, this.#startTime);
  }

  get endTime(): Time64 {
    if (!this.#parsed) this.#parse();
    return timeAt(this.bytes, this.#endTime);
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
    return findAttribute(this.bytes, this.#firstAttribute, this.end, ATTRIBUTE, keyBytes(key));
  }

  attributes(): Attributes {
    if (!this.#parsed) this.#parse();
    if (this.#firstAttribute < 0) return {};
    return readAttributes(this.bytes, this.#firstAttribute, this.end, ATTRIBUTE);
  }

  events(): SpanEvent[] {
    if (!this.#parsed) this.#parse();
    const events: SpanEvent[] = [];
    if (this.#firstEvent < 0) return events;
    const reader = new WireReader(this.bytes, this.#firstEvent, this.end);
    for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
      if (tag === EVENT) {
        events.push(readEvent(this.bytes, reader.start, reader.pos));
      }
    }
    return events;
  }

  links(): SpanLink[] {
    if (!this.#parsed) this.#parse();
    const links: SpanLink[] = [];
    if (this.#firstLink < 0) return links;
    const reader = new WireReader(this.bytes, this.#firstLink, this.end);
    for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
      if (tag === LINK) {
        links.push(readLink(this.bytes, reader.start, reader.pos));
      }
    }
    return links;
  }

  /** Locates every field of the top level. The last of several wins; the parts of a repeated status are merged. */
  #parse(): void {
    this.#traceId = this.#spanId = this.#parentId = this.#name = this.#traceState = -1;
    this.#kind = this.#flags = this.#statusCode = 0;
    this.#startTime = this.#endTime = -1;
    this.#firstAttribute = this.#firstEvent = this.#firstLink = this.#statusMessage = -1;
    this.#droppedAttributes = this.#droppedEvents = this.#droppedLinks = 0;
    let attributeCount = 0;
    let eventCount = 0;
    let linkCount = 0;
    const { bytes, end } = this;
    let next = 0;
    for (let at = this.start; at < end; at = next) {
      next = fieldEnd(bytes, at, end);
      const first = bytes[at]!;
      // Tags as literals, so that V8 makes a jump table.
      switch (first < 0x80 ? first : tagAt(bytes, at, end)) {
        case 0x4a: // attributes
          if (attributeCount++ === 0) this.#firstAttribute = at;
          break;
        case 0x5a: // events
          if (eventCount++ === 0) this.#firstEvent = at;
          break;
        case 0x6a: // links
          if (linkCount++ === 0) this.#firstLink = at;
          break;
        case 0x0a: // trace_id
          this.#traceId = idAt(contentStart(bytes, at), next, TRACE_ID_BYTES);
          break;
        case 0x12: // span_id
          this.#spanId = idAt(contentStart(bytes, at), next, SPAN_ID_BYTES);
          break;
        case 0x22: // parent_span_id
          this.#parentId = idAt(contentStart(bytes, at), next, SPAN_ID_BYTES);
          break;
        case 0x2a: // name
          this.#name = contentStart(bytes, at);
          this.#nameEnd = next;
          break;
        case 0x1a: // trace_state
          this.#traceState = contentStart(bytes, at);
          this.#traceStateEnd = next;
          break;
        case 0x30: // kind
          this.#kind = varintAt(bytes, at, next) | 0;
          break;
        case 0x39: // start_time_unix_nano
          this.#startTime = next - 8;
          break;
        case 0x41: // end_time_unix_nano
          this.#endTime = next - 8;
          break;
        case 0x85: // flags
          this.#flags =
            (bytes[next - 4]! |
              (bytes[next - 3]! << 8) |
              (bytes[next - 2]! << 16) |
              (bytes[next - 1]! << 24)) >>>
            0;
          break;
        case 0x50: // dropped_attributes_count
          this.#droppedAttributes = varintAt(bytes, at, next);
          break;
        case 0x60: // dropped_events_count
          this.#droppedEvents = varintAt(bytes, at, next);
          break;
        case 0x70: // dropped_links_count
          this.#droppedLinks = varintAt(bytes, at, next);
          break;
        case 0x7a: // status
          this.#parseStatus(contentStart(bytes, at), next);
          break;
      }
    }
    this.#attributeCount = attributeCount;
    this.#eventCount = eventCount;
    this.#linkCount = linkCount;
    this.#parsed = true;
  }

  #parseStatus(start: number, end: number): void {
    const reader = new WireReader(this.bytes, start, end);
    for (let tag = reader.next(); tag !== 0; tag = reader.next()) {
      if (tag === STATUS_CODE) this.#statusCode = reader.varint32() | 0;
      else if (tag === STATUS_MESSAGE) {
        this.#statusMessage = reader.start;
        this.#statusMessageEnd = reader.pos;
      }
    }
  }
}

/** The eight bytes at `at`, little endian; 0 when `at` is negative. */
function timeAt(b: Uint8Array, at: number): Time64 {
  if (at < 0) return { hi: 0, lo: 0 };
  return {
    hi: (b[at + 4]! | (b[at + 5]! << 8) | (b[at + 6]! << 16) | (b[at + 7]! << 24)) >>> 0,
    lo: (b[at]! | (b[at + 1]! << 8) | (b[at + 2]! << 16) | (b[at + 3]! << 24)) >>> 0,
  };
}
