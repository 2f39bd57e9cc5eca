/**
 * Shows the registry to the OpenTelemetry metrics SDK, so that any of its readers and exporters can ship the agent's own
 * numbers (https://opentelemetry.io/docs/specs/otel/metrics/sdk/#metricproducer).
 */
import { type HrTime, ValueType } from '@opentelemetry/api';
import { emptyResource } from '@opentelemetry/resources';
import {
  AggregationTemporality,
  type CollectionResult,
  type DataPoint,
  DataPointType,
  type MetricData,
  type MetricProducer,
} from '@opentelemetry/sdk-metrics';
import type { ComponentIdentity, MetricsRegistry, Snapshot } from './registry.js';

/** Help texts; a name that is missing here has none. */
export const DESCRIPTIONS: Readonly<Record<string, string>> = {
  'kindling.component.received': 'Items that a component received.',
  'kindling.component.sent': 'Items that a component handed on.',
  'kindling.component.dropped': 'Items that a component gave up, by reason.',
  'kindling.component.held': 'Items inside a component now.',
  'kindling.bpf.run_time_ns':
    "CPU nanoseconds of the agent's kernel programs, estimated from samples, by program.",
  'kindling.bpf.runs': "Runs of the agent's kernel programs, estimated from samples, by program.",
  'kindling.bpf.target_run_time_ns':
    "CPU nanoseconds of the agent's kernel programs, estimated, by the service they ran for.",
  'kindling.bpf.cpus': "CPUs that the agent's kernel programs used in the last sample.",
  'kindling.budget.used_cpus': 'CPUs that the agent and its kernel programs use.',
  'kindling.budget.level':
    'What is left out to hold the budget: 0 nothing, 1 stacks, 2 short waits, 3 payload.',
  'kindling.budget.actions': 'How often something was left out (`shed`) or given back (`restored`).',
};

interface Point {
  readonly attributes: Readonly<Record<string, string>>;
  readonly value: number;
}

interface Series {
  readonly type: 'counter' | 'gauge';
  readonly points: Point[];
}

export class RegistryMetricProducer implements MetricProducer {
  readonly #registry: MetricsRegistry;
  readonly #now: () => number;
  readonly #startTime: HrTime;

  /** `now` gives milliseconds since the epoch. Counters are cumulative since this object was made. */
  constructor(registry: MetricsRegistry, now: () => number = Date.now) {
    this.#registry = registry;
    this.#now = now;
    this.#startTime = toHrTime(now());
  }

  async collect(): Promise<CollectionResult> {
    const endTime = toHrTime(this.#now());
    const metrics = [...toSeries(this.#registry.snapshot())].map(([name, series]) =>
      toMetricData(name, series, this.#startTime, endTime),
    );
    return {
      // The reader puts its own provider's resource in place of this one.
      resourceMetrics: {
        resource: emptyResource(),
        scopeMetrics: [{ scope: { name: 'kindling' }, metrics }],
      },
      errors: [],
    };
  }
}

/** By OpenTelemetry name. */
export function toSeries(snapshot: Snapshot): Map<string, Series> {
  const all = new Map<string, Series>();
  const add = (name: string, type: Series['type'], attributes: Point['attributes'], value: number) => {
    let series = all.get(name);
    if (series === undefined) {
      series = { type, points: [] };
      all.set(name, series);
    }
    series.points.push({ attributes, value });
  };
  for (const line of snapshot.accounts) {
    const attributes = { ...identityAttributes(line.component), 'otelcol.signal': line.unit };
    add('kindling.component.received', 'counter', attributes, line.received);
    add('kindling.component.sent', 'counter', attributes, line.sent);
    add('kindling.component.held', 'gauge', attributes, line.held);
    for (const [reason, items] of Object.entries(line.dropped)) {
      add('kindling.component.dropped', 'counter', { ...attributes, reason }, items);
    }
  }
  for (const sample of snapshot.samples) {
    // What is not about the component itself has a name space of its own, for example `bpf.runs`.
    const name = sample.name.includes('.')
      ? `kindling.${sample.name}`
      : `kindling.${sample.component.kind}.${sample.name}`;
    add(name, sample.type, { ...identityAttributes(sample.component), ...sample.labels }, sample.value);
  }
  return all;
}

const identityAttributes = ({ id, kind, instance }: ComponentIdentity): Record<string, string> => ({
  'otelcol.component.id': id,
  'otelcol.component.kind': kind,
  ...(kind === 'processor' && instance !== undefined ? { 'otelcol.pipeline.id': instance } : {}),
});

function toMetricData(name: string, series: Series, startTime: HrTime, endTime: HrTime): MetricData {
  const descriptor = {
    name,
    description: DESCRIPTIONS[name] ?? '',
    unit: name.startsWith('kindling.component.') ? '{item}' : '',
    valueType: series.points.every(({ value }) => Number.isSafeInteger(value))
      ? ValueType.INT
      : ValueType.DOUBLE,
  };
  const dataPoints: DataPoint<number>[] = series.points.map(({ attributes, value }) => ({
    startTime,
    endTime,
    attributes,
    value,
  }));
  const common = { descriptor, dataPoints, aggregationTemporality: AggregationTemporality.CUMULATIVE };
  return series.type === 'gauge'
    ? { ...common, dataPointType: DataPointType.GAUGE }
    : { ...common, dataPointType: DataPointType.SUM, isMonotonic: true };
}

const toHrTime = (ms: number): HrTime => [Math.floor(ms / 1000), Math.round((ms % 1000) * 1e6)];
