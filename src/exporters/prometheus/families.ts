/**
 * The last point of every series, by metric. What comes as delta is added up; what comes cumulative replaces what was there
 * unless it is older.
 */
import type {
  DecodedExemplar,
  DecodedHistogramPoint,
  DecodedMetric,
  DecodedMetrics,
  DecodedNumberPoint,
  DecodedResource,
  DecodedScope,
} from '../../otlp/decode.js';
import type { PrometheusConfig } from './config.js';
import { toPowersOfTwo } from './exponential.js';
import { addLabels, type LabelPairs, labelText } from './labels.js';
import { Naming, type PrometheusType, strategyOf } from './naming.js';
import { addDelta, type Exemplar, type HistogramSeries, type NumberSeries, type Series } from './series.js';

const DELTA = 1;
/** Flag of a point that says that its series has ended. */
const NO_RECORDED_VALUE = 1;

export interface Family {
  /** As it is translated; not plain where the strategy keeps UTF-8. */
  readonly name: string;
  readonly type: PrometheusType;
  readonly help: string;
  readonly series: Map<string, Series>;
}

export type LeftOut = 'type_conflict' | 'out_of_order' | 'max_series' | 'no_name';

type Values =
  | Pick<NumberSeries, 'kind' | 'value'>
  | Pick<HistogramSeries, 'kind' | 'count' | 'sum' | 'bounds' | 'counts'>
  | Pick<Extract<Series, { kind: 'summary' }>, 'kind' | 'count' | 'sum' | 'quantiles'>;

interface AnyPoint {
  readonly attributes: DecodedNumberPoint['attributes'];
  readonly startTimeUnixNano: bigint;
  readonly timeUnixNano: bigint;
  readonly flags: number;
  readonly exemplars?: readonly DecodedExemplar[];
}

export class Families {
  readonly #config: PrometheusConfig;
  readonly #naming: Naming;
  readonly #leftOut: (reason: LeftOut, name: string) => void;
  readonly #families = new Map<string, Family>();
  #size = 0;

  /** `leftOut` is told of each point that is not shown. */
  constructor(config: PrometheusConfig, leftOut: (reason: LeftOut, name: string) => void) {
    this.#config = config;
    this.#naming = new Naming(strategyOf(config), config.namespace);
    this.#leftOut = leftOut;
  }

  /** Series that are remembered. */
  get size(): number {
    return this.#size;
  }

  get isUtf8(): boolean {
    return this.#naming.isUtf8;
  }

  /** In order of their names. */
  all(): Family[] {
    return [...this.#families.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  add({ resourceMetrics }: DecodedMetrics, nowMs: number): void {
    for (const { resource, scopeMetrics } of resourceMetrics) {
      const target = this.#targetLabels(resource);
      this.#addTargetInfo(resource, target, nowMs);
      for (const { scope, metrics } of scopeMetrics) {
        for (const metric of metrics) this.#addMetric(metric, resource, scope, target, nowMs);
      }
    }
  }

  /** Forgets what had no news for `metric_expiration`. */
  expire(nowMs: number): void {
    const before = nowMs - this.#config.metric_expiration;
    for (const [name, { series }] of this.#families) {
      for (const [key, one] of series) {
        if (one.receivedMs > before) continue;
        series.delete(key);
        this.#size--;
      }
      if (series.size === 0) this.#families.delete(name);
    }
  }

  #addMetric(
    metric: DecodedMetric,
    resource: DecodedResource,
    scope: DecodedScope,
    target: LabelPairs,
    nowMs: number,
  ): void {
    const type = typeOf(metric);
    const name = type === undefined ? '' : this.#naming.metric(metric.name, metric.unit, type);
    const isDelta =
      (metric.sum ?? metric.histogram ?? metric.exponentialHistogram)?.aggregationTemporality === DELTA;
    const family = type === undefined ? undefined : this.#familyOf(name, type, metric.description);
    for (const { point, values } of pointsOf(metric)) {
      if (type === undefined || name === '') this.#leftOut('no_name', metric.name);
      else if (family === undefined) this.#leftOut('type_conflict', name);
      else {
        const labels = this.#labels(point.attributes, resource, scope, target);
        this.#put(family, labels, point, values, isDelta, nowMs);
      }
    }
    if (family !== undefined && family.series.size === 0) this.#families.delete(name);
  }

  #familyOf(name: string, type: PrometheusType, help: string): Family | undefined {
    let family = this.#families.get(name);
    if (family === undefined) {
      family = { name, type, help, series: new Map() };
      if (name !== '') this.#families.set(name, family);
    }
    return family.type === type ? family : undefined;
  }

  #put(
    family: Family,
    pairs: LabelPairs,
    point: AnyPoint,
    values: Values,
    isDelta: boolean,
    nowMs: number,
  ): void {
    const labels = labelText(pairs, false);
    const { series } = family;
    const known = series.get(labels);
    if ((point.flags & NO_RECORDED_VALUE) !== 0) {
      if (series.delete(labels)) this.#size--;
      return;
    }
    const made = {
      ...values,
      time: point.timeUnixNano,
      start: point.startTimeUnixNano,
      receivedMs: nowMs,
      labels,
      plainLabels: this.isUtf8 ? labelText(pairs, true) : labels,
      exemplars: (point.exemplars ?? []).map(exemplarOf),
    } as Series;
    if (known === undefined) {
      if (this.#size >= this.#config.max_series) {
        this.#leftOut('max_series', family.name);
        return;
      }
      this.#size++;
      series.set(labels, made);
    } else if (made.time < known.time || (isDelta && made.start < known.time)) {
      this.#leftOut('out_of_order', family.name);
    } else if (isDelta) addDelta(known, made);
    else series.set(labels, made);
  }

  #labels(
    attributes: AnyPoint['attributes'],
    resource: DecodedResource,
    scope: DecodedScope,
    target: LabelPairs,
  ): LabelPairs {
    const labels = new Map<string, string>();
    const nameOf = (name: string) => this.#naming.label(name);
    addLabels(labels, attributes, nameOf);
    if (!this.#config.without_scope_info) {
      labels.set('otel_scope_name', scope.name);
      labels.set('otel_scope_version', scope.version);
    }
    const { enabled, exclude_service_attributes: isExcluded } = this.#resourceLabels();
    if (enabled) {
      const wanted = Object.entries(resource.attributes).filter(([key]) => !isExcluded || !isService(key));
      addLabels(labels, Object.fromEntries(wanted), nameOf);
    }
    for (const [name, value] of target) labels.set(name, value);
    addLabels(labels, this.#config.const_labels, nameOf);
    return labels;
  }

  /** `job` and `instance`. */
  #targetLabels({ attributes }: DecodedResource): LabelPairs {
    const labels = new Map<string, string>();
    const name = attributes['service.name'];
    const nameSpace = attributes['service.namespace'];
    const instance = attributes['service.instance.id'];
    if (name !== undefined)
      labels.set('job', nameSpace === undefined ? String(name) : `${String(nameSpace)}/${String(name)}`);
    if (instance !== undefined) labels.set('instance', String(instance));
    return labels;
  }

  #addTargetInfo({ attributes }: DecodedResource, target: LabelPairs, nowMs: number): void {
    if (target.size === 0) return;
    const labels = new Map<string, string>();
    const others = Object.entries(attributes).filter(([key]) => !isService(key));
    addLabels(labels, Object.fromEntries(others), (name) => this.#naming.label(name));
    for (const [name, value] of target) labels.set(name, value);
    const name = this.#naming.metric('target_info', '', 'gauge');
    const family = this.#familyOf(name, 'gauge', 'Target metadata');
    if (family === undefined) return;
    const now = BigInt(Math.trunc(nowMs)) * 1_000_000n;
    const point = { attributes, startTimeUnixNano: 0n, timeUnixNano: now, flags: 0 };
    this.#put(family, labels, point, { kind: 'number', value: 1 }, false, nowMs);
  }

  #resourceLabels(): PrometheusConfig['resource_to_telemetry_conversion'] {
    return this.#config.resource_constant_labels ?? this.#config.resource_to_telemetry_conversion;
  }
}

const isService = (key: string): boolean =>
  key === 'service.name' || key === 'service.namespace' || key === 'service.instance.id';

function typeOf({
  gauge,
  sum,
  histogram,
  exponentialHistogram,
  summary,
}: DecodedMetric): PrometheusType | undefined {
  if (gauge !== undefined) return 'gauge';
  if (sum !== undefined) return sum.isMonotonic ? 'counter' : 'gauge';
  if (histogram !== undefined || exponentialHistogram !== undefined) return 'histogram';
  return summary === undefined ? undefined : 'summary';
}

function* pointsOf(metric: DecodedMetric): Iterable<{ point: AnyPoint; values: Values }> {
  for (const point of (metric.gauge ?? metric.sum)?.dataPoints ?? []) {
    yield { point, values: { kind: 'number', value: Number(point.asInt ?? point.asDouble ?? 0) } };
  }
  for (const point of metric.histogram?.dataPoints ?? []) yield { point, values: explicitValues(point) };
  for (const point of metric.exponentialHistogram?.dataPoints ?? []) {
    const { count, sum = Number.NaN } = point;
    yield { point, values: { kind: 'histogram', count: Number(count), sum, ...toPowersOfTwo(point) } };
  }
  for (const point of metric.summary?.dataPoints ?? []) {
    const quantiles = point.quantileValues.map(({ quantile, value }) => [quantile, value] as const);
    yield { point, values: { kind: 'summary', count: Number(point.count), sum: point.sum, quantiles } };
  }
}

function explicitValues({
  count,
  sum = Number.NaN,
  bucketCounts,
  explicitBounds,
}: DecodedHistogramPoint): Values {
  const counts =
    bucketCounts.length === explicitBounds.length + 1
      ? Float64Array.from(bucketCounts, Number)
      : Float64Array.of(...explicitBounds.map(() => 0), Number(count));
  return { kind: 'histogram', count: Number(count), sum, bounds: explicitBounds, counts };
}

function exemplarOf({ asDouble, asInt, traceId, spanId, timeUnixNano }: DecodedExemplar): Exemplar {
  const labels = new Map([
    ['trace_id', traceId],
    ['span_id', spanId],
  ]);
  return {
    value: Number(asDouble ?? asInt ?? 0),
    seconds: Number(timeUnixNano / 1_000_000n) / 1000,
    labels: labelText(labels, false),
  };
}
