/**
 * Measurements in, metrics as OTLP out: any number of metrics of any number of resources, within one budget of bytes.
 * Why our own: docs/decisions/0011-metrics-aggregation.md.
 *
 *     resource ──► metric (MetricTable) ──► attributes (Series) ──collect()──► encoded requests
 *
 * Nothing here knows a clock or a timer: whoever collects says what time it is, so a replay collects what the live run did.
 */
import type { AttributesInput } from '../otlp/attribute-writer.js';
import { MetricsWriter, Temporality } from '../otlp/metrics-writer.js';
import { compareTime, type Time64, timeToMs } from '../otlp/time.js';
import type { MetricDefinition } from './definition.js';
import { histogramTable, type MetricTable, numberTable, type TableShared } from './metric-table.js';
import type { HistogramSeries, NumberSeries, Series } from './series.js';
import { seriesKey } from './series-key.js';
import { writeMetric } from './write-metric.js';

export interface AggregatorOptions {
  /** Instrumentation scope of all metrics. */
  readonly scope: string;
  readonly version: string;
  readonly schemaUrl?: string;
  readonly temporality: 'cumulative' | 'delta';
  readonly histogram: 'explicit' | 'exponential';
  /** Most buckets of an exponential histogram. */
  readonly maxBuckets: number;
  /** Series of one metric of one resource, its overflow series included; 0: any number. */
  readonly seriesLimit: number;
  /** Resources; the least recently used one makes room for another, with what it counted. 0: any number. */
  readonly resourceLimit: number;
  /** Memory of all series. */
  readonly maxBytes: number;
  /** Milliseconds after which a series that measured nothing is forgotten; 0: never. */
  readonly expirationMs: number;
  /** The same for a resource with all its series. */
  readonly resourceExpirationMs?: number;
  /** Most exemplars of a point; 0: none. */
  readonly exemplars: number;
  /** An encoded request is cut when it is this large. */
  readonly batchBytes: number;
}

export const DEFAULT_AGGREGATION = {
  temporality: 'cumulative',
  histogram: 'explicit',
  maxBuckets: 160,
  seriesLimit: 2000,
  resourceLimit: 1000,
  maxBytes: 32 * 1024 * 1024,
  expirationMs: 15 * 60_000,
  exemplars: 5,
  batchBytes: 1024 * 1024,
} as const satisfies Partial<AggregatorOptions>;

export interface MetricBatch {
  readonly bytes: Uint8Array;
  /** Data points. */
  readonly itemCount: number;
}

/** Counters since creation, and gauges (`series`, `resources`, `bytes`). */
export interface AggregatorStats {
  readonly series: number;
  readonly resources: number;
  readonly bytes: number;
  /** Measurements that were counted in overflow series. */
  readonly overflowed: number;
  readonly expired: number;
  /** Resources that made room for others. */
  readonly evicted: number;
}

/** Points in one encoded Metric: what a batch may be larger than its cut. */
const POINTS_PER_METRIC = 500;

/** The metrics of one resource. Ask for it again after each `collect`: idle ones are forgotten. */
export class ResourceMetrics {
  readonly attributes: AttributesInput;
  readonly tables = new Map<string, MetricTable>();
  /** False when it had to make room for another: what is measured with it is lost. Ask the aggregator anew. */
  alive = true;
  /** When one of its series last measured something, at a collection. Milliseconds since the epoch. */
  usedMs: number;
  readonly #shared: TableShared;

  constructor(attributes: AttributesInput, shared: TableShared) {
    this.attributes = attributes;
    this.usedMs = shared.nowMs;
    this.#shared = shared;
  }

  /** For counters, up-down counters and gauges. */
  numbers(definition: MetricDefinition): MetricTable<NumberSeries> {
    const known = this.tables.get(definition.name);
    if (known !== undefined) return known as MetricTable<NumberSeries>;
    const table = numberTable(definition, this.#shared);
    this.tables.set(definition.name, table);
    return table;
  }

  histogram(definition: MetricDefinition): MetricTable<HistogramSeries> {
    const known = this.tables.get(definition.name);
    if (known !== undefined) return known as MetricTable<HistogramSeries>;
    const table = histogramTable(definition, this.#shared);
    this.tables.set(definition.name, table);
    return table;
  }
}

export class MetricsAggregator {
  readonly #options: AggregatorOptions;
  /** In order of last use, by `seriesKey`. */
  readonly #resources = new Map<string, ResourceMetrics>();
  readonly #writer = new MetricsWriter();
  readonly #shared: TableShared & { start: Time64; nowMs: number };
  #bytes = 0;
  #overflowed = 0;
  #expired = 0;
  #evicted = 0;
  #seed = 0x2545_f491;

  /** `start`: since when the first series count. */
  constructor(options: AggregatorOptions, start: Time64) {
    this.#options = options;
    this.#shared = {
      seriesLimit: options.seriesLimit,
      takeBytes: (bytes) => {
        if (this.#bytes + bytes > options.maxBytes) return false;
        this.#bytes += bytes;
        return true;
      },
      giveBytes: (bytes) => {
        this.#bytes -= bytes;
      },
      start,
      nowMs: timeToMs(start),
      overflowed: () => {
        this.#overflowed++;
      },
      isExponential: options.histogram === 'exponential',
      maxBuckets: options.maxBuckets,
      exemplars: options.exemplars,
      random: () => this.#random(),
    };
  }

  /** The metrics of that resource, made when it is new. `identity`: the attributes that tell it from others; all. */
  resource(attributes: AttributesInput, identity: AttributesInput = attributes): ResourceMetrics {
    const key = seriesKey(identity);
    let resource = this.#resources.get(key);
    if (resource !== undefined) {
      // To the end: the first one is the least recently used.
      this.#resources.delete(key);
      this.#resources.set(key, resource);
      return resource;
    }
    const { resourceLimit } = this.#options;
    if (resourceLimit > 0 && this.#resources.size >= resourceLimit) this.#evict();
    resource = new ResourceMetrics(attributes, this.#shared);
    this.#resources.set(key, resource);
    return resource;
  }

  /**
   * Everything that was measured up to `now`, as requests of about `batchBytes`; idle series are forgotten afterwards.
   * Times must not go back; when the clock did, series stay as they are and count on.
   */
  collect(now: Time64): MetricBatch[] {
    const shared = this.#shared;
    if (compareTime(now, shared.start) <= 0) return [];
    shared.nowMs = timeToMs(now);
    const batches: MetricBatch[] = [];
    for (const [key, resource] of this.#resources) {
      this.#writeResource(resource, now, batches);
      this.#sweep(resource, now);
      if (isEmpty(resource)) this.#resources.delete(key);
    }
    this.#finish(batches);
    shared.start = now;
    return batches;
  }

  stats(): AggregatorStats {
    let series = 0;
    for (const { tables } of this.#resources.values())
      for (const table of tables.values()) series += table.size;
    return {
      series,
      resources: this.#resources.size,
      bytes: this.#bytes,
      overflowed: this.#overflowed,
      expired: this.#expired,
      evicted: this.#evicted,
    };
  }

  #writeResource(resource: ResourceMetrics, now: Time64, batches: MetricBatch[]): void {
    const writer = this.#writer;
    const { scope, version, schemaUrl, batchBytes } = this.#options;
    const begin = () => {
      writer.resource(resource.attributes, schemaUrl);
      writer.scope(scope, version, undefined, schemaUrl);
    };
    let begun = false;
    for (const { definition, points } of this.#pieces(resource)) {
      if (!begun) begin();
      begun = true;
      const isDelta = this.#isDelta(definition);
      const temporality = isDelta ? Temporality.delta : Temporality.cumulative;
      writeMetric(writer, definition, points, temporality, now);
      if (writer.sizeBytes < batchBytes) continue;
      this.#finish(batches);
      begun = false;
    }
  }

  *#pieces(resource: ResourceMetrics): Iterable<{ definition: MetricDefinition; points: Series[] }> {
    for (const table of resource.tables.values()) {
      const { definition } = table;
      const isDelta = this.#isDelta(definition);
      let points: Series[] = [];
      const all: Series[] = [];
      table.sweep((series) => {
        if (series.dirty || !isDelta) all.push(series);
        return true;
      });
      for (const series of all) {
        points.push(series);
        if (points.length < POINTS_PER_METRIC) continue;
        yield { definition, points };
        points = [];
      }
      if (points.length > 0) yield { definition, points };
    }
  }

  #sweep(resource: ResourceMetrics, now: Time64): void {
    const { expirationMs, resourceExpirationMs = 0 } = this.#options;
    const { nowMs } = this.#shared;
    for (const table of resource.tables.values()) {
      table.sweep((series) => {
        if (series.dirty) resource.usedMs = nowMs;
        return true;
      });
    }
    const isOver = resourceExpirationMs > 0 && nowMs - resource.usedMs >= resourceExpirationMs;
    for (const [name, table] of resource.tables) {
      const isDelta = this.#isDelta(table.definition);
      table.sweep((series) => {
        if (series.dirty) series.usedMs = nowMs;
        const isIdle = isOver || (expirationMs > 0 && nowMs - series.usedMs >= expirationMs);
        // Delta: what measured nothing was not even written, and there is nothing to remember of it.
        const stays = isDelta ? series.dirty : !isIdle;
        if (!stays && !series.isOverflow) this.#expired++;
        series.dirty = false;
        if (isDelta) series.reset(now);
        return stays;
      });
      if (table.size === 0) resource.tables.delete(name);
    }
  }

  /** Up-down counters and gauges say how things are, whatever the temporality. */
  #isDelta({ kind }: MetricDefinition): boolean {
    return this.#options.temporality === 'delta' && (kind === 'counter' || kind === 'histogram');
  }

  #evict(): void {
    const [key, resource] = this.#resources.entries().next().value!;
    for (const table of resource.tables.values()) table.sweep(() => false);
    resource.alive = false;
    this.#resources.delete(key);
    this.#evicted++;
  }

  #finish(batches: MetricBatch[]): void {
    const { itemCount } = this.#writer;
    if (itemCount > 0) batches.push({ itemCount, bytes: this.#writer.finish() });
  }

  /** xorshift32: exemplars are chosen alike in a replay. */
  #random(): number {
    let x = this.#seed;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#seed = x;
    return (x >>> 0) / 0x1_0000_0000;
  }
}

const isEmpty = ({ tables }: ResourceMetrics): boolean => tables.size === 0;
