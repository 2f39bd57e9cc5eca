import type { Connector, Consumer, Settings } from '../../component/component.js';
import { PermanentError } from '../../component/errors.js';
import type { Batch } from '../../component/signal.js';
import { DEFAULT_AGGREGATION, MetricsAggregator, type ResourceMetrics } from '../../metrics/aggregator.js';
import type { MetricDefinition } from '../../metrics/definition.js';
import { MetricsEmitter } from '../../metrics/metrics-emitter.js';
import { TIME_CLASSES, type TimeClass } from '../../observer/types.js';
import type { AttributeInput, AttributesInput } from '../../otlp/attribute-writer.js';
import { spanKindName } from '../../otlp/span-constants.js';
import { timeFromMs } from '../../otlp/time.js';
import { type ResourceView, type SpanView, walkSpans } from '../../otlp/trace-view.js';
import { timeAttribute } from '../../semconv.js';
import { VERSION } from '../../version.js';
import type { TimeByCauseConfig } from './config.js';

/** Causes take from microseconds in a queue to seconds in a lock. */
const BOUNDS_S = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
] as const;

const TIME: MetricDefinition = {
  name: 'kindling.request.time',
  description: 'Time of requests by cause. The sums of all causes are the sum of the durations.',
  unit: 's',
  kind: 'histogram',
  bounds: BOUNDS_S,
};

const CLASSES: readonly (readonly [TimeClass, string])[] = TIME_CLASSES.map((timeClass) => [
  timeClass,
  timeAttribute(timeClass),
]);

/** What tells one process' series from another's; the rest of a resource may change. */
const IDENTITY = [
  'service.namespace',
  'service.name',
  'service.instance.id',
  'deployment.environment.name',
] as const;

/** Adds up what `trace_profiling` and the `ebpf` receiver wrote on spans (src/semconv.ts). */
export class TimeByCause implements Connector {
  readonly #settings: Settings;
  readonly #kinds: ReadonlySet<string>;
  readonly #aggregator: MetricsAggregator;
  readonly #emitter: MetricsEmitter;
  #overflowed = 0;

  constructor(settings: Settings, config: TimeByCauseConfig, next: Consumer) {
    this.#settings = settings;
    this.#kinds = new Set(config.kinds);
    this.#aggregator = new MetricsAggregator(
      {
        ...DEFAULT_AGGREGATION,
        scope: 'kindling/time_by_cause',
        version: VERSION,
        temporality: config.temporality,
        histogram: config.histogram,
        exemplars: config.exemplars,
        seriesLimit: config.series_limit,
        maxBytes: config.max_size,
        expirationMs: config.expiration,
      },
      timeFromMs(settings.now()),
    );
    this.#emitter = new MetricsEmitter(settings, this.#aggregator, next, {
      intervalMs: config.flush_interval,
    });
  }

  async start(): Promise<void> {
    this.#emitter.start();
  }

  /** Spans of other kinds and spans that nothing is known about are passed over, the latter counted. */
  async consume({ bytes }: Batch): Promise<void> {
    const resources = new Map<ResourceView, ResourceMetrics>();
    let unexplained = 0;
    try {
      walkSpans(bytes, (span) => {
        if (!this.#kinds.has(spanKindName(span.kind))) return;
        // On every explained span, also when it is zero.
        if (span.attribute(timeAttribute('unattributed')) === undefined) {
          unexplained++;
          return;
        }
        let resource = resources.get(span.resource);
        if (resource === undefined) {
          resource = this.#resourceOf(span.resource);
          resources.set(span.resource, resource);
        }
        record(span, resource);
      });
    } catch (error) {
      throw new PermanentError(`spans can't be read: ${(error as Error).message}`, { cause: error });
    }
    const { metrics } = this.#settings;
    if (unexplained > 0) metrics.count('spans_unexplained', unexplained);
    const { overflowed } = this.#aggregator.stats();
    if (overflowed > this.#overflowed)
      metrics.count('measurements_overflowed', overflowed - this.#overflowed);
    this.#overflowed = overflowed;
  }

  async shutdown(deadline: AbortSignal): Promise<void> {
    await this.#emitter.shutdown(deadline);
  }

  #resourceOf(resource: ResourceView): ResourceMetrics {
    const attributes: Record<string, AttributeInput> = {};
    const identity: Record<string, AttributeInput> = {};
    for (const [key, value] of Object.entries(resource.attributes())) {
      // Maps and lists say nothing that a metric's reader could use.
      if (typeof value !== 'object') attributes[key] = value;
    }
    for (const key of IDENTITY) if (attributes[key] !== undefined) identity[key] = attributes[key];
    return this.#aggregator.resource(attributes, identity);
  }
}

function record(span: SpanView, resource: ResourceMetrics): void {
  const endpoint = endpointOf(span);
  const table = resource.histogram(TIME);
  const source = () =>
    span.traceId === '' ? undefined : { time: span.endTime, traceId: span.traceId, spanId: span.spanId };
  for (const [timeClass, attribute] of CLASSES) {
    const ns = Number(span.attribute(attribute) ?? 0);
    if (!(ns > 0)) continue;
    const attributes = { ...endpoint, 'kindling.time.cause': timeClass };
    table.of(attributes).record(ns / 1e9, source);
  }
}

/**
 * Of low cardinality by the semantic conventions: route, procedure or topic. The span's name where there is none; it is
 * to be one too.
 */
function endpointOf(span: SpanView): AttributesInput {
  const kind = spanKindName(span.kind);
  const of = (...keys: string[]): Record<string, AttributeInput> | undefined => {
    const found: Record<string, AttributeInput> = {};
    for (const key of keys) {
      const value = span.attribute(key);
      if (typeof value === 'string' && value !== '') found[key] = value;
    }
    return keys[0]! in found ? found : undefined;
  };
  const endpoint = of('http.route', 'http.request.method') ??
    of('rpc.method', 'rpc.service', 'rpc.system') ??
    of('messaging.destination.name', 'messaging.system') ?? { 'span.name': span.name };
  return { 'span.kind': kind, ...endpoint };
}
