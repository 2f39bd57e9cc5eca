/**
 * Calls and durations of spans, by service, name, kind and status: the metrics behind Jaeger's Monitor tab and Tempo's
 * tables. Source of names: the Collector's connector, and Tempo's metrics generator for `naming: tempo`.
 */
import type { Connector, Consumer, Settings } from '../../component/component.js';
import { PermanentError } from '../../component/errors.js';
import type { Batch } from '../../component/signal.js';
import { agentId } from '../../metrics/agent-id.js';
import { DEFAULT_AGGREGATION, MetricsAggregator, type ResourceMetrics } from '../../metrics/aggregator.js';
import type { MetricDefinition } from '../../metrics/definition.js';
import { instanceId } from '../../metrics/instance-id.js';
import { MetricsEmitter } from '../../metrics/metrics-emitter.js';
import type { AttributeInput, AttributesInput } from '../../otlp/attribute-writer.js';
import { spanKindName } from '../../otlp/span-constants.js';
import { timeFromMs } from '../../otlp/time.js';
import { type ResourceView, type SpanView, walkSpans } from '../../otlp/trace-view.js';
import { VERSION } from '../../version.js';
import { AdjustedCounts } from './adjusted-count.js';
import type { SpanMetricsConfig } from './config.js';
import { type AttributeSource, asInput, Dimensions, keyOf } from './dimensions.js';

const BOUNDS_MS = [2, 4, 6, 8, 10, 50, 100, 200, 400, 800, 1000, 1400, 2000, 5000, 10_000, 15_000];
const TEMPO_BOUNDS_MS = Array.from({ length: 14 }, (_, power) => 2 * 2 ** power);
const STATUS = ['STATUS_CODE_UNSET', 'STATUS_CODE_OK', 'STATUS_CODE_ERROR'] as const;

/** Names of what all metrics have. */
const NAMES = {
  connector: { service: 'service.name', name: 'span.name', kind: 'span.kind', status: 'status.code' },
  tempo: { service: 'service', name: 'span_name', kind: 'span_kind', status: 'status_code' },
} as const;

/** What the spans of one resource have in common. */
interface Group {
  readonly service: string;
  readonly metrics: ResourceMetrics;
}

export class SpanMetricsConnector implements Connector {
  readonly #settings: Settings;
  readonly #config: SpanMetricsConfig;
  readonly #aggregator: MetricsAggregator;
  readonly #emitter: MetricsEmitter;
  readonly #calls: MetricDefinition;
  readonly #duration: MetricDefinition;
  readonly #events: MetricDefinition;
  readonly #dimensions: { calls: Dimensions; duration: Dimensions; events: Dimensions };
  readonly #excluded: ReadonlySet<string>;
  readonly #scopes: ReadonlySet<string>;
  readonly #counts: AdjustedCounts;
  /** The agent as a resource. */
  readonly #own: AttributesInput;
  #overflowed = 0;

  constructor(settings: Settings, config: SpanMetricsConfig, next: Consumer, random?: () => number) {
    this.#settings = settings;
    this.#config = config;
    const { histogram, naming, exemplars, dimensions } = config;
    const isTempo = naming === 'tempo';
    this.#aggregator = new MetricsAggregator(
      {
        ...DEFAULT_AGGREGATION,
        scope: 'spanmetricsconnector',
        version: VERSION,
        temporality:
          config.aggregation_temporality === 'AGGREGATION_TEMPORALITY_DELTA' ? 'delta' : 'cumulative',
        histogram: histogram.exponential === undefined || isTempo ? 'explicit' : 'exponential',
        maxBuckets: Math.max(2, histogram.exponential?.max_size || DEFAULT_AGGREGATION.maxBuckets),
        seriesLimit: config.aggregation_cardinality_limit,
        resourceLimit: config.resource_metrics_cache_size,
        maxBytes: config.max_size,
        expirationMs: config.series_expiration,
        resourceExpirationMs: config.metrics_expiration,
        exemplars: exemplars.enabled ? (exemplars.max_per_data_point ?? DEFAULT_AGGREGATION.exemplars) : 0,
      },
      timeFromMs(settings.now()),
    );
    this.#emitter = new MetricsEmitter(settings, this.#aggregator, next, {
      intervalMs: config.metrics_flush_interval,
    });
    const prefix = config.namespace === '' ? '' : `${config.namespace}.`;
    const counter = { kind: 'counter', description: '' } as const;
    this.#calls = {
      ...counter,
      name: isTempo ? 'traces_spanmetrics_calls_total' : `${prefix}calls`,
      unit: '',
    };
    this.#events = { ...counter, name: `${prefix}events`, unit: '' };
    const inSeconds = isTempo || histogram.unit === 's';
    const boundsMs = isTempo ? TEMPO_BOUNDS_MS : (histogram.explicit?.buckets ?? BOUNDS_MS);
    this.#duration = {
      kind: 'histogram',
      description: '',
      // Tempo's name has no unit, and a reader would append one.
      name: isTempo ? 'traces_spanmetrics_latency' : `${prefix}duration`,
      unit: isTempo ? '' : histogram.unit,
      bounds: inSeconds ? boundsMs.map((ms) => ms / 1000) : boundsMs,
    };
    this.#dimensions = {
      calls: new Dimensions([...dimensions, ...config.calls_dimensions]),
      duration: new Dimensions([...dimensions, ...histogram.dimensions]),
      events: new Dimensions([...dimensions, ...config.events.dimensions]),
    };
    this.#excluded = new Set(config.exclude_dimensions);
    this.#scopes = new Set(config.include_instrumentation_scope);
    this.#counts = new AdjustedCounts(random);
    const agent = { 'service.name': 'kindling' };
    this.#own = { ...agent, 'service.instance.id': instanceId(agentId(), { ...agent, id: settings.id }) };
  }

  async start(): Promise<void> {
    this.#emitter.start();
  }

  async consume({ bytes }: Batch): Promise<void> {
    const groups = new Map<ResourceView, Group | undefined>();
    let skipped = 0;
    try {
      walkSpans(bytes, (span) => {
        const { resource } = span;
        if (!groups.has(resource)) groups.set(resource, this.#groupOf(resource));
        const group = groups.get(resource);
        if (group === undefined) skipped++;
        else this.#count(span, group);
      });
    } catch (error) {
      throw new PermanentError(`spans can't be read: ${(error as Error).message}`, { cause: error });
    }
    const { metrics } = this.#settings;
    if (skipped > 0) metrics.count('spans_without_service', skipped);
    const { overflowed } = this.#aggregator.stats();
    if (overflowed > this.#overflowed) {
      metrics.count('measurements_overflowed', overflowed - this.#overflowed);
      this.#overflowed = overflowed;
    }
  }

  async shutdown(deadline: AbortSignal): Promise<void> {
    await this.#emitter.shutdown(deadline);
  }

  #groupOf(resource: ResourceView): Group | undefined {
    const service = resource.attribute('service.name');
    if (typeof service !== 'string') return undefined;
    if (!this.#config.add_resource_attributes) {
      return { service, metrics: this.#aggregator.resource(this.#own) };
    }
    const attributes: Record<string, AttributeInput> = {};
    for (const [key, value] of Object.entries(resource.attributes())) attributes[key] = asInput(value);
    const keys = this.#config.resource_metrics_key_attributes;
    const identity =
      keys.length === 0
        ? attributes
        : Object.fromEntries(keys.flatMap((key) => (key in attributes ? [[key, attributes[key]!]] : [])));
    return { service, metrics: this.#aggregator.resource(attributes, identity) };
  }

  #count(span: SpanView, { service, metrics }: Group): void {
    const { histogram, events } = this.#config;
    const times = this.#counts.of(span.traceState);
    const sources = [span, span.resource];
    const source = () =>
      span.traceId === '' ? undefined : { time: span.endTime, traceId: span.traceId, spanId: span.spanId };
    const calls = this.#attributesOf(span, service, this.#dimensions.calls, sources, times);
    const callsTable = metrics.numbers(this.#calls);
    (callsTable.get(calls.key) ?? callsTable.add(calls.key, calls.attributes())).add(times);
    if (!histogram.disable) {
      const { key, attributes } =
        this.#config.calls_dimensions.length === 0 && histogram.dimensions.length === 0
          ? calls
          : this.#attributesOf(span, service, this.#dimensions.duration, sources, times);
      const table = metrics.histogram(this.#duration);
      const ns = Math.max(0, span.durationNs);
      const inSeconds = this.#duration.unit !== 'ms';
      (table.get(key) ?? table.add(key, attributes())).record(ns / (inSeconds ? 1e9 : 1e6), source, times);
    }
    if (!events.enabled) return;
    for (const event of span.events()) {
      const own: AttributeSource = {
        attribute: (key) => event.attributes[key],
        attributes: () => event.attributes,
      };
      const table = metrics.numbers(this.#events);
      const found = this.#attributesOf(
        span,
        service,
        this.#dimensions.events,
        [span, own, span.resource],
        times,
      );
      (table.get(found.key) ?? table.add(found.key, found.attributes())).add(times);
    }
  }

  /** The key is made of values only: the names are the same for all spans, but for those of globs. */
  #attributesOf(
    span: SpanView,
    service: string,
    dimensions: Dimensions,
    sources: readonly AttributeSource[],
    times: number,
  ): { readonly key: string; readonly attributes: () => AttributesInput } {
    const { naming, enable_metrics_sampling_method: hasMethod } = this.#config;
    const names = NAMES[naming];
    const kind = `SPAN_KIND_${spanKindName(span.kind).toUpperCase()}`;
    const status = STATUS[span.statusCode] ?? STATUS[0];
    const pairs: [string, AttributeInput][] = [];
    const put = (name: string, value: AttributeInput) => {
      if (!this.#excluded.has(name)) pairs.push([name, value]);
    };
    put(names.service, service);
    put(names.name, span.name);
    put(names.kind, kind);
    put(names.status, status);
    if (naming === 'connector') put('collector.instance.id', String(this.#own['service.instance.id']));
    if (this.#scopes.has(span.scope.name)) {
      put('span.instrumentation.scope.name', span.scope.name);
      put('span.instrumentation.scope.version', span.scope.version);
    }
    if (hasMethod) put('sampling.method', times === 1 ? 'counted' : 'extrapolated');
    dimensions.read(sources, put);
    let key = '';
    for (const [name, value] of pairs) key += `${name}\u0000${keyOf(value)}\u0001`;
    return { key, attributes: () => Object.fromEntries(pairs) };
  }
}
