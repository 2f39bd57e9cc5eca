/**
 * The items of OTLP/JSON requests in the form in which the programs of test/peers tell what they send; test/peers/README.md
 * describes it. Reads the JSON by itself: what Kindling's own readers have in common with its writers would hide a mistake.
 */
import type { Signal } from '../../../src/component/signal.js';

type Json = Readonly<Record<string, unknown>>;
export type Told = Readonly<Record<string, unknown>>;

const GROUPS = {
  traces: ['resourceSpans', 'scopeSpans', 'spans'],
  metrics: ['resourceMetrics', 'scopeMetrics', 'metrics'],
  logs: ['resourceLogs', 'scopeLogs', 'logRecords'],
} as const;

export function toldOf(signal: Exclude<Signal, 'profiles'>, request: string): Told[] {
  const [resources, scopes, items] = GROUPS[signal];
  const told: Told[] = [];
  for (const ofResource of list(JSON.parse(request) as Json, resources)) {
    for (const ofScope of list(ofResource, scopes)) {
      const scope = (ofScope.scope ?? {}) as Json;
      const origin = {
        signal,
        resource: attributes(ofResource.resource as Json),
        scope: { name: text(scope.name), version: text(scope.version), attributes: attributes(scope) },
      };
      for (const item of list(ofScope, items)) {
        for (const one of ITEMS[signal](item)) told.push({ ...origin, ...one });
      }
    }
  }
  return told;
}

const ITEMS = {
  traces: (span: Json) => [toldSpan(span)],
  metrics: toldPoints,
  logs: (log: Json) => [toldLog(log)],
};

const list = (of: Json, key: string): Json[] => (of[key] ?? []) as Json[];
const text = (value: unknown): string => (value ?? '') as string;
const whole = (value: unknown): string => String(value ?? '0');

function attributes(of: Json | undefined, key = 'attributes'): Json {
  const pairs = of === undefined ? [] : list(of, key);
  const names = new Set(pairs.map((pair) => pair.key));
  if (names.size < pairs.length) throw new Error(`an attribute is there twice: ${JSON.stringify(pairs)}`);
  return Object.fromEntries(pairs.map((pair) => [pair.key, toldValue((pair.value ?? {}) as Json)]));
}

function toldValue(value: Json): unknown {
  const [[kind, inner] = []] = Object.entries(value);
  switch (kind) {
    case undefined:
      return null;
    case 'stringValue':
    case 'boolValue':
      return inner;
    case 'intValue':
      return { int: String(inner) };
    case 'doubleValue':
      return { double: inner };
    case 'bytesValue':
      return { bytes: inner };
    case 'arrayValue':
      return list(inner as Json, 'values').map(toldValue);
    case 'kvlistValue':
      return { map: attributes(inner as Json, 'values') };
    default:
      throw new Error(`no attribute value: ${JSON.stringify(value)}`);
  }
}

const toldSpan = (span: Json): Told => {
  const status = (span.status ?? {}) as Json;
  return {
    traceId: text(span.traceId),
    spanId: text(span.spanId),
    parentSpanId: text(span.parentSpanId),
    name: text(span.name),
    kind: span.kind ?? 0,
    start: whole(span.startTimeUnixNano),
    end: whole(span.endTimeUnixNano),
    attributes: attributes(span),
    events: list(span, 'events').map((event) => ({
      time: whole(event.timeUnixNano),
      name: text(event.name),
      attributes: attributes(event),
    })),
    links: list(span, 'links').map((link) => ({
      traceId: text(link.traceId),
      spanId: text(link.spanId),
      attributes: attributes(link),
    })),
    status: { code: status.code ?? 0, message: text(status.message) },
  };
};

const toldLog = (log: Json): Told => ({
  time: whole(log.timeUnixNano),
  observed: whole(log.observedTimeUnixNano),
  severity: log.severityNumber ?? 0,
  severityText: text(log.severityText),
  body: toldValue((log.body ?? {}) as Json),
  attributes: attributes(log),
  traceId: text(log.traceId),
  spanId: text(log.spanId),
  eventName: text(log.eventName),
});

const TYPES = {
  sum: 'sum',
  gauge: 'gauge',
  histogram: 'histogram',
  exponentialHistogram: 'exponential_histogram',
} as const;

function toldPoints(metric: Json): Told[] {
  const found = Object.entries(TYPES).filter(([key]) => key in metric);
  if (found.length !== 1) throw new Error(`not one kind of data: ${JSON.stringify(metric)}`);
  const [[key, type]] = found as [[string, string]];
  const data = metric[key] as Json;
  const about = {
    name: text(metric.name),
    description: text(metric.description),
    unit: text(metric.unit),
    type,
    temporality: data.aggregationTemporality ?? 0,
    monotonic: data.isMonotonic ?? false,
  };
  return list(data, 'dataPoints').map((point) => ({
    metric: about,
    attributes: attributes(point),
    start: whole(point.startTimeUnixNano),
    time: whole(point.timeUnixNano),
    ...(type === 'sum' || type === 'gauge' ? { value: toldNumber(point) } : toldDistribution(type, point)),
    ...toldExemplars(list(point, 'exemplars')),
  }));
}

const toldNumber = (of: Json): unknown =>
  'asInt' in of ? { int: String(of.asInt) } : { double: of.asDouble ?? 0 };

function toldDistribution(type: string, point: Json): Json {
  const common = {
    count: whole(point.count),
    sum: point.sum,
    ...('min' in point ? { min: point.min } : {}),
    ...('max' in point ? { max: point.max } : {}),
  };
  if (type === 'histogram') {
    return {
      ...common,
      bounds: point.explicitBounds ?? [],
      counts: ((point.bucketCounts ?? []) as unknown[]).map(String),
    };
  }
  return {
    ...common,
    scale: point.scale ?? 0,
    zeroCount: whole(point.zeroCount),
    positive: toldBuckets(point.positive as Json | undefined),
    negative: toldBuckets(point.negative as Json | undefined),
  };
}

const toldBuckets = (buckets: Json = {}): Json => ({
  offset: buckets.offset ?? 0,
  counts: ((buckets.bucketCounts ?? []) as unknown[]).map(String),
});

const toldExemplars = (exemplars: readonly Json[]): Json =>
  exemplars.length === 0
    ? {}
    : {
        exemplars: exemplars.map((exemplar) => ({
          time: whole(exemplar.timeUnixNano),
          value: toldNumber(exemplar),
          attributes: attributes(exemplar, 'filteredAttributes'),
          traceId: text(exemplar.traceId),
          spanId: text(exemplar.spanId),
        })),
      };
