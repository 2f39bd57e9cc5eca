/**
 * Whole batches as plain objects, for tools: command line, store, debug output, tests. Convenience over speed; code on
 * the way of every span uses the views of trace-view.ts.
 *
 * Absent fields have their defaults, ids are lower-case hex (`''` when absent), 64-bit integers are `bigint`, attributes
 * are objects whose last value of a key wins. Unknown fields are not kept.
 */
import { type Attributes, type AttributeValue, readAnyValue, readKeyValue } from './any-value.js';
import { locateFields, mergedMessage, readScalar, readScalars, type Scalar } from './fields.js';
import { ANY_VALUE, KEY_VALUE, REQUESTS, type SignalName } from './messages.js';
import type { FieldDef, MessageDef } from './schema.js';

export interface DecodedResource {
  readonly attributes: Attributes;
  readonly droppedAttributesCount: number;
}

export interface DecodedScope {
  readonly name: string;
  readonly version: string;
  readonly attributes: Attributes;
  readonly droppedAttributesCount: number;
}

export interface DecodedEvent {
  readonly timeUnixNano: bigint;
  readonly name: string;
  readonly attributes: Attributes;
  readonly droppedAttributesCount: number;
}

export interface DecodedLink {
  readonly traceId: string;
  readonly spanId: string;
  readonly traceState: string;
  readonly attributes: Attributes;
  readonly droppedAttributesCount: number;
  readonly flags: number;
}

export interface DecodedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly traceState: string;
  readonly parentSpanId: string;
  readonly flags: number;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: bigint;
  readonly endTimeUnixNano: bigint;
  readonly attributes: Attributes;
  readonly droppedAttributesCount: number;
  readonly events: readonly DecodedEvent[];
  readonly droppedEventsCount: number;
  readonly links: readonly DecodedLink[];
  readonly droppedLinksCount: number;
  readonly status: { readonly message: string; readonly code: number };
}

export interface DecodedTraces {
  readonly resourceSpans: readonly {
    readonly resource: DecodedResource;
    readonly scopeSpans: readonly {
      readonly scope: DecodedScope;
      readonly spans: readonly DecodedSpan[];
      readonly schemaUrl: string;
    }[];
    readonly schemaUrl: string;
  }[];
}

export interface DecodedExemplar {
  readonly filteredAttributes: Attributes;
  readonly timeUnixNano: bigint;
  readonly asDouble?: number;
  readonly asInt?: bigint;
  readonly spanId: string;
  readonly traceId: string;
}

interface DecodedPoint {
  readonly attributes: Attributes;
  readonly startTimeUnixNano: bigint;
  readonly timeUnixNano: bigint;
  readonly flags: number;
}

export interface DecodedNumberPoint extends DecodedPoint {
  readonly asDouble?: number;
  readonly asInt?: bigint;
  readonly exemplars: readonly DecodedExemplar[];
}

export interface DecodedHistogramPoint extends DecodedPoint {
  readonly count: bigint;
  readonly sum?: number;
  readonly min?: number;
  readonly max?: number;
  readonly bucketCounts: readonly bigint[];
  readonly explicitBounds: readonly number[];
  readonly exemplars: readonly DecodedExemplar[];
}

export interface DecodedBuckets {
  readonly offset: number;
  readonly bucketCounts: readonly bigint[];
}

export interface DecodedExponentialHistogramPoint extends DecodedPoint {
  readonly count: bigint;
  readonly sum?: number;
  readonly min?: number;
  readonly max?: number;
  readonly scale: number;
  readonly zeroCount: bigint;
  readonly zeroThreshold: number;
  readonly positive: DecodedBuckets;
  readonly negative: DecodedBuckets;
  readonly exemplars: readonly DecodedExemplar[];
}

export interface DecodedSummaryPoint extends DecodedPoint {
  readonly count: bigint;
  readonly sum: number;
  readonly quantileValues: readonly { readonly quantile: number; readonly value: number }[];
}

/** Exactly one of `gauge`, `sum`, `histogram`, `exponentialHistogram`, `summary` is set, or none. */
export interface DecodedMetric {
  readonly name: string;
  readonly description: string;
  readonly unit: string;
  readonly metadata: Attributes;
  readonly gauge?: { readonly dataPoints: readonly DecodedNumberPoint[] };
  readonly sum?: {
    readonly dataPoints: readonly DecodedNumberPoint[];
    readonly aggregationTemporality: number;
    readonly isMonotonic: boolean;
  };
  readonly histogram?: {
    readonly dataPoints: readonly DecodedHistogramPoint[];
    readonly aggregationTemporality: number;
  };
  readonly exponentialHistogram?: {
    readonly dataPoints: readonly DecodedExponentialHistogramPoint[];
    readonly aggregationTemporality: number;
  };
  readonly summary?: { readonly dataPoints: readonly DecodedSummaryPoint[] };
}

export interface DecodedMetrics {
  readonly resourceMetrics: readonly {
    readonly resource: DecodedResource;
    readonly scopeMetrics: readonly {
      readonly scope: DecodedScope;
      readonly metrics: readonly DecodedMetric[];
      readonly schemaUrl: string;
    }[];
    readonly schemaUrl: string;
  }[];
}

export interface DecodedLogRecord {
  readonly timeUnixNano: bigint;
  readonly observedTimeUnixNano: bigint;
  readonly severityNumber: number;
  readonly severityText: string;
  readonly body: AttributeValue;
  readonly attributes: Attributes;
  readonly droppedAttributesCount: number;
  readonly flags: number;
  readonly traceId: string;
  readonly spanId: string;
  readonly eventName: string;
}

export interface DecodedLogs {
  readonly resourceLogs: readonly {
    readonly resource: DecodedResource;
    readonly scopeLogs: readonly {
      readonly scope: DecodedScope;
      readonly logRecords: readonly DecodedLogRecord[];
      readonly schemaUrl: string;
    }[];
    readonly schemaUrl: string;
  }[];
}

/** A span with what it belongs to, for callers that do not care about grouping. */
export interface FlatSpan extends DecodedSpan {
  readonly resource: DecodedResource;
  readonly scope: DecodedScope;
}

/** Throws `MalformedError`. */
export const decodeTraces = (bytes: Uint8Array): DecodedTraces =>
  decodeRequest('traces', bytes) as DecodedTraces;
/** Throws `MalformedError`. */
export const decodeMetrics = (bytes: Uint8Array): DecodedMetrics =>
  decodeRequest('metrics', bytes) as DecodedMetrics;
/** Throws `MalformedError`. */
export const decodeLogs = (bytes: Uint8Array): DecodedLogs => decodeRequest('logs', bytes) as DecodedLogs;

/** All spans in order. Spans of one group share its `resource` and `scope` objects. Throws `MalformedError`. */
export function decodeSpans(bytes: Uint8Array): FlatSpan[] {
  return decodeTraces(bytes).resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ scope, spans }) => spans.map((span) => ({ ...span, resource, scope }))),
  );
}

/**
 * The request of any signal as a plain object with the field names of OTLP/JSON. The functions above give it its type,
 * which the tables of messages.ts guarantee.
 */
export function decodeRequest(signal: SignalName, bytes: Uint8Array): unknown {
  return decodeMessage(REQUESTS[signal], bytes, 0, bytes.length);
}

type Decoded = { [name: string]: unknown };

/** Any message that `defineMessage` describes, as a plain object. Throws `MalformedError`. */
export function decodeMessage(def: MessageDef, bytes: Uint8Array, start = 0, end = bytes.length): unknown {
  if (def === ANY_VALUE) return readAnyValue(bytes, start, end);
  const located = locateFields(def, bytes, start, end);
  const result: Decoded = {};
  for (const one of def.fields) {
    const value = decodeField(one, bytes, located[one.index]);
    if (value !== undefined) result[one.name] = value;
  }
  return result;
}

function decodeField(one: FieldDef, bytes: Uint8Array, places: readonly number[] | undefined): unknown {
  if (one.message === undefined) {
    if (one.repeated) return places === undefined ? [] : readScalars(one, bytes, places);
    if (places !== undefined) return readScalar(one.type, bytes, places[0]!, places[1]!);
    return one.presence === 'explicit' ? undefined : defaultOf(one);
  }
  if (!one.repeated) {
    if (places === undefined && one.presence === 'explicit') return undefined;
    const inner = mergedMessage(bytes, places ?? []);
    return decodeMessage(one.message, inner.bytes, inner.start, inner.end);
  }
  if (one.message === KEY_VALUE) {
    const attributes: Record<string, AttributeValue> = {};
    for (let index = 0; places !== undefined && index < places.length; index += 2) {
      readKeyValue(bytes, places[index]!, places[index + 1]!, attributes);
    }
    return attributes;
  }
  const items: unknown[] = [];
  for (let index = 0; places !== undefined && index < places.length; index += 2) {
    items.push(decodeMessage(one.message, bytes, places[index]!, places[index + 1]!));
  }
  return items;
}

function defaultOf(one: FieldDef): Scalar {
  switch (one.type) {
    case 'string':
    case 'traceId':
    case 'spanId':
    case 'profileId':
      return '';
    case 'bool':
      return false;
    case 'bytes':
      return new Uint8Array(0);
    case 'int64':
    case 'uint64':
    case 'fixed64':
    case 'sfixed64':
      return 0n;
    default:
      return 0;
  }
}
