/** Exporters that first say on stdout what they are about to send, one JSON line per item (form: ../README.md). */
import { type HrTime, ValueType } from '@opentelemetry/api';
import type { InstrumentationScope } from '@opentelemetry/core';
import type { Resource } from '@opentelemetry/resources';
import type { LogRecordExporter } from '@opentelemetry/sdk-logs';
import { DataPointType, type MetricData, type PushMetricExporter } from '@opentelemetry/sdk-metrics';
import type { SpanExporter } from '@opentelemetry/sdk-trace-base';

const tell = (item: object): boolean => process.stdout.write(`${JSON.stringify(item)}\n`);

const nanos = ([seconds, rest]: HrTime): string => String(BigInt(seconds) * 1_000_000_000n + BigInt(rest));

/** Of a JavaScript number nobody knows whether it is an int; the SDK sends safe integers as ints. */
function toldValue(value: unknown): unknown {
  if (value === undefined || value === null) return null;
  if (typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number') return Number.isInteger(value) ? { int: String(value) } : { double: value };
  if (value instanceof Uint8Array) return { bytes: Buffer.from(value).toString('base64') };
  if (Array.isArray(value)) return value.map(toldValue);
  return { map: attributesOf(value) };
}

const attributesOf = (attributes: object | undefined): Record<string, unknown> =>
  Object.fromEntries(Object.entries(attributes ?? {}).map(([key, value]) => [key, toldValue(value)]));

const originOf = (signal: string, resource: Resource, scope: InstrumentationScope): object => ({
  signal,
  resource: attributesOf(resource.attributes),
  scope: { name: scope.name, version: scope.version ?? '', attributes: {} },
});

/** `to` with an `export` that tells first; everything else is its own. */
function telling<T extends object & { export: (items: never, done: never) => void }>(
  to: T,
  say: (items: Parameters<T['export']>[0]) => void,
): T {
  const send = to.export.bind(to) as (items: unknown, done: unknown) => void;
  to.export = ((items: Parameters<T['export']>[0], done: unknown) => {
    say(items);
    send(items, done);
  }) as T['export'];
  return to;
}

export const tellingSpans = (to: SpanExporter): SpanExporter =>
  telling(to, (spans) => {
    for (const span of spans) {
      tell({
        ...originOf('traces', span.resource, span.instrumentationScope),
        traceId: span.spanContext().traceId,
        spanId: span.spanContext().spanId,
        parentSpanId: span.parentSpanContext?.spanId ?? '',
        name: span.name,
        kind: span.kind + 1,
        start: nanos(span.startTime),
        end: nanos(span.endTime),
        attributes: attributesOf(span.attributes),
        events: span.events.map(({ time, name, attributes }) => ({
          time: nanos(time),
          name,
          attributes: attributesOf(attributes),
        })),
        links: span.links.map(({ context, attributes }) => ({
          traceId: context.traceId,
          spanId: context.spanId,
          attributes: attributesOf(attributes),
        })),
        status: { code: span.status.code, message: span.status.message ?? '' },
      });
    }
  });

export const tellingLogs = (to: LogRecordExporter): LogRecordExporter =>
  telling(to, (records) => {
    for (const record of records) {
      tell({
        ...originOf('logs', record.resource, record.instrumentationScope),
        time: nanos(record.hrTime),
        observed: nanos(record.hrTimeObserved),
        severity: record.severityNumber ?? 0,
        severityText: record.severityText ?? '',
        body: toldValue(record.body),
        attributes: attributesOf(record.attributes),
        traceId: record.spanContext?.traceId ?? '',
        spanId: record.spanContext?.spanId ?? '',
        eventName: record.eventName ?? '',
      });
    }
  });

export const tellingMetrics = (to: PushMetricExporter): PushMetricExporter =>
  telling(to, ({ resource, scopeMetrics }) => {
    for (const { scope, metrics } of scopeMetrics) {
      for (const metric of metrics) {
        for (const point of pointsOf(metric)) tell({ ...originOf('metrics', resource, scope), ...point });
      }
    }
  });

const TYPES = {
  [DataPointType.SUM]: 'sum',
  [DataPointType.GAUGE]: 'gauge',
  [DataPointType.HISTOGRAM]: 'histogram',
  [DataPointType.EXPONENTIAL_HISTOGRAM]: 'exponential_histogram',
} as const;

function pointsOf(metric: MetricData): object[] {
  const { descriptor, dataPointType } = metric;
  const about = {
    name: descriptor.name,
    description: descriptor.description,
    unit: descriptor.unit,
    type: TYPES[dataPointType],
    // OTLP counts from 1, and gauges have none.
    temporality: dataPointType === DataPointType.GAUGE ? 0 : metric.aggregationTemporality + 1,
    monotonic: dataPointType === DataPointType.SUM && metric.isMonotonic,
  };
  const common = (point: MetricData['dataPoints'][number]) => ({
    metric: about,
    attributes: attributesOf(point.attributes),
    start: nanos(point.startTime),
    time: nanos(point.endTime),
  });
  if (dataPointType === DataPointType.HISTOGRAM) {
    return metric.dataPoints.map((point) => ({
      ...common(point),
      ...distributionOf(point.value),
      bounds: point.value.buckets.boundaries,
      counts: point.value.buckets.counts.map(String),
    }));
  }
  if (dataPointType === DataPointType.EXPONENTIAL_HISTOGRAM) {
    return metric.dataPoints.map((point) => ({
      ...common(point),
      ...distributionOf(point.value),
      scale: point.value.scale,
      zeroCount: String(point.value.zeroCount),
      positive: bucketsOf(point.value.positive),
      negative: bucketsOf(point.value.negative),
    }));
  }
  const isInt = descriptor.valueType === ValueType.INT;
  return metric.dataPoints.map((point) => ({
    ...common(point),
    value: isInt ? { int: String(point.value) } : { double: point.value },
  }));
}

const distributionOf = (value: {
  readonly count: number;
  readonly sum?: number | undefined;
  readonly min?: number | undefined;
  readonly max?: number | undefined;
}): object => ({ count: String(value.count), sum: value.sum, min: value.min, max: value.max });

const bucketsOf = ({
  offset,
  bucketCounts,
}: {
  offset: number;
  bucketCounts: readonly number[];
}): object => ({
  offset,
  counts: bucketCounts.map(String),
});
