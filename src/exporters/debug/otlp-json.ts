/**
 * The shape of OTLP/JSON as `src/otlp/json-writer.ts` emits it: fields with their default value are absent, 64-bit
 * integers are texts, NaN and infinities are texts. Printing goes by JSON because it keeps what decoded objects lose:
 * the order of attributes, and whether a number is an int or a double.
 */
export interface AnyValue {
  readonly stringValue?: string;
  readonly boolValue?: boolean;
  readonly intValue?: string;
  readonly doubleValue?: JsonDouble;
  readonly bytesValue?: string;
  readonly arrayValue?: { readonly values?: readonly AnyValue[] };
  readonly kvlistValue?: { readonly values?: readonly KeyValue[] };
}

export interface KeyValue {
  readonly key?: string;
  readonly value?: AnyValue;
}

export type JsonDouble = number | 'NaN' | 'Infinity' | '-Infinity';

export interface Scope {
  readonly name?: string;
  readonly version?: string;
  readonly attributes?: readonly KeyValue[];
}

export interface EntityRef {
  readonly schemaUrl?: string;
  readonly type?: string;
  readonly idKeys?: readonly string[];
  readonly descriptionKeys?: readonly string[];
}

export interface Resource {
  readonly attributes?: readonly KeyValue[];
  readonly entityRefs?: readonly EntityRef[];
}

export interface SpanEvent {
  readonly timeUnixNano?: string;
  readonly name?: string;
  readonly attributes?: readonly KeyValue[];
  readonly droppedAttributesCount?: number;
}

export interface SpanLink {
  readonly traceId?: string;
  readonly spanId?: string;
  readonly traceState?: string;
  readonly attributes?: readonly KeyValue[];
  readonly droppedAttributesCount?: number;
}

export interface Span {
  readonly traceId?: string;
  readonly spanId?: string;
  readonly traceState?: string;
  readonly parentSpanId?: string;
  readonly name?: string;
  readonly kind?: number;
  readonly startTimeUnixNano?: string;
  readonly endTimeUnixNano?: string;
  readonly attributes?: readonly KeyValue[];
  readonly droppedAttributesCount?: number;
  readonly events?: readonly SpanEvent[];
  readonly droppedEventsCount?: number;
  readonly links?: readonly SpanLink[];
  readonly droppedLinksCount?: number;
  readonly status?: { readonly message?: string; readonly code?: number };
}

export interface LogRecord {
  readonly timeUnixNano?: string;
  readonly observedTimeUnixNano?: string;
  readonly severityNumber?: number;
  readonly severityText?: string;
  readonly body?: AnyValue;
  readonly attributes?: readonly KeyValue[];
  readonly flags?: number;
  readonly traceId?: string;
  readonly spanId?: string;
  readonly eventName?: string;
}

export interface Exemplar {
  readonly filteredAttributes?: readonly KeyValue[];
  readonly timeUnixNano?: string;
  readonly asDouble?: JsonDouble;
  readonly asInt?: string;
  readonly spanId?: string;
  readonly traceId?: string;
}

interface Point {
  readonly attributes?: readonly KeyValue[];
  readonly startTimeUnixNano?: string;
  readonly timeUnixNano?: string;
  readonly exemplars?: readonly Exemplar[];
}

export interface NumberPoint extends Point {
  readonly asDouble?: JsonDouble;
  readonly asInt?: string;
}

/** What both kinds of histogram have. */
export interface DistributionPoint extends Point {
  readonly count?: string;
  readonly sum?: JsonDouble;
  readonly min?: JsonDouble;
  readonly max?: JsonDouble;
}

export interface HistogramPoint extends DistributionPoint {
  readonly bucketCounts?: readonly string[];
  readonly explicitBounds?: readonly JsonDouble[];
}

interface Buckets {
  readonly offset?: number;
  readonly bucketCounts?: readonly string[];
}

export interface ExponentialPoint extends DistributionPoint {
  readonly scale?: number;
  readonly zeroCount?: string;
  readonly positive?: Buckets;
  readonly negative?: Buckets;
}

export interface SummaryPoint extends Point {
  readonly count?: string;
  readonly sum?: JsonDouble;
  readonly quantileValues?: readonly { readonly quantile?: JsonDouble; readonly value?: JsonDouble }[];
}

export interface Metric {
  readonly name?: string;
  readonly description?: string;
  readonly unit?: string;
  readonly metadata?: readonly KeyValue[];
  readonly gauge?: { readonly dataPoints?: readonly NumberPoint[] };
  readonly sum?: {
    readonly dataPoints?: readonly NumberPoint[];
    readonly aggregationTemporality?: number;
    readonly isMonotonic?: boolean;
  };
  readonly histogram?: {
    readonly dataPoints?: readonly HistogramPoint[];
    readonly aggregationTemporality?: number;
  };
  readonly exponentialHistogram?: {
    readonly dataPoints?: readonly ExponentialPoint[];
    readonly aggregationTemporality?: number;
  };
  readonly summary?: { readonly dataPoints?: readonly SummaryPoint[] };
}

export interface ScopeGroup {
  readonly scope?: Scope;
  readonly schemaUrl?: string;
}

export interface ResourceGroup {
  readonly resource?: Resource;
  readonly schemaUrl?: string;
}

export interface TracesJson {
  readonly resourceSpans?: readonly (ResourceGroup & {
    readonly scopeSpans?: readonly (ScopeGroup & { readonly spans?: readonly Span[] })[];
  })[];
}

export interface MetricsJson {
  readonly resourceMetrics?: readonly (ResourceGroup & {
    readonly scopeMetrics?: readonly (ScopeGroup & { readonly metrics?: readonly Metric[] })[];
  })[];
}

export interface LogsJson {
  readonly resourceLogs?: readonly (ResourceGroup & {
    readonly scopeLogs?: readonly (ScopeGroup & { readonly logRecords?: readonly LogRecord[] })[];
  })[];
}

/** A request of any signal, as groups of groups of items. */
export interface Groups<T> {
  readonly resource: Resource;
  readonly schemaUrl: string;
  readonly scopes: readonly {
    readonly scope: Scope;
    readonly schemaUrl: string;
    readonly items: readonly T[];
  }[];
}

export const spanGroups = (json: TracesJson): Groups<Span>[] =>
  (json.resourceSpans ?? []).map((group) => groupOf(group, group.scopeSpans, (scope) => scope.spans));
export const metricGroups = (json: MetricsJson): Groups<Metric>[] =>
  (json.resourceMetrics ?? []).map((group) => groupOf(group, group.scopeMetrics, (scope) => scope.metrics));
export const logGroups = (json: LogsJson): Groups<LogRecord>[] =>
  (json.resourceLogs ?? []).map((group) => groupOf(group, group.scopeLogs, (scope) => scope.logRecords));

export function groupOf<S extends ScopeGroup, T>(
  { resource = {}, schemaUrl = '' }: ResourceGroup,
  scopes: readonly S[] | undefined,
  itemsOf: (scope: S) => readonly T[] | undefined,
): Groups<T> {
  return {
    resource,
    schemaUrl,
    scopes: (scopes ?? []).map((group) => ({
      scope: group.scope ?? {},
      schemaUrl: group.schemaUrl ?? '',
      items: itemsOf(group) ?? [],
    })),
  };
}
