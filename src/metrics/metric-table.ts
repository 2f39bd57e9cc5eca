/**
 * The series of one metric of one resource, within a budget. What exceeds it is measured all the same, together, in one
 * series with `otel.metric.overflow=true`: sums over all series stay right.
 * Source: https://opentelemetry.io/docs/specs/otel/metrics/sdk/#cardinality-limits
 */
import { type AttributesInput, writeAttributes } from '../otlp/attribute-writer.js';
import type { Time64 } from '../otlp/time.js';
import { field } from '../otlp/wire-reader.js';
import { WireWriter } from '../otlp/wire-writer.js';
import type { MetricDefinition } from './definition.js';
import { HistogramSeries, NumberSeries, type Series, type SeriesSettings } from './series.js';
import { seriesKey } from './series-key.js';

/** What the tables of one aggregator share. */
export interface TableShared {
  /** Series of one metric of one resource, the overflow series included; 0: any number. */
  readonly seriesLimit: number;
  /** Room for series that take `bytes`; false when there is none. Taken when true. */
  takeBytes(bytes: number): boolean;
  giveBytes(bytes: number): void;
  /** Since when a series that is made now counts, and now. */
  readonly start: Time64;
  readonly nowMs: number;
  /** Told once for each measurement that went to an overflow series. */
  overflowed(): void;
  readonly isExponential: boolean;
  readonly maxBuckets: number;
  /** Most exemplars of a point; 0: none. */
  readonly exemplars: number;
  readonly random: () => number;
}

const NUMBER_ATTRIBUTE = field.delimited(7);
const HISTOGRAM_ATTRIBUTE = field.delimited(9);
const EXPONENTIAL_ATTRIBUTE = field.delimited(1);
const OVERFLOW = { 'otel.metric.overflow': true } as const;
const KEY_BYTES = 32;

/** Use `counters` or `histograms`, by the definition's kind. */
export class MetricTable<S extends Series = Series> {
  readonly definition: MetricDefinition;
  /** By `seriesKey` or the caller's own key. */
  readonly #series = new Map<string, S>();
  readonly #shared: TableShared;
  readonly #create: (attributes: AttributesInput, isOverflow: boolean) => S;
  #overflow: S | undefined;

  constructor(
    definition: MetricDefinition,
    shared: TableShared,
    create: (attributes: AttributesInput, isOverflow: boolean) => S,
  ) {
    this.definition = definition;
    this.#shared = shared;
    this.#create = create;
  }

  get size(): number {
    return this.#series.size + (this.#overflow === undefined ? 0 : 1);
  }

  /** The series of `attributes`, made when there is room for it, else the overflow series. */
  of(attributes: AttributesInput): S {
    const key = seriesKey(attributes);
    return this.get(key) ?? this.add(key, attributes);
  }

  /** The series with that key. For callers whose keys are cheaper than `seriesKey`; see `add`. */
  get(key: string): S | undefined {
    return this.#series.get(key);
  }

  /** Makes the series that `get(key)` did not find. One way of making keys for each table. */
  add(key: string, attributes: AttributesInput): S {
    const { seriesLimit } = this.#shared;
    if (seriesLimit === 0 || this.#series.size < seriesLimit - 1) {
      const series = this.#create(attributes, false);
      if (this.#shared.takeBytes(series.sizeBytes + KEY_BYTES + key.length)) {
        this.#series.set(key, series);
        return series;
      }
    }
    this.#shared.overflowed();
    // Always there is room for this one: there are no more of them than tables.
    this.#overflow ??= this.#create(OVERFLOW, true);
    return this.#overflow;
  }

  /** Every series; `visit` returns false for one to forget. */
  sweep(visit: (series: S) => boolean): void {
    for (const [key, series] of this.#series) {
      if (visit(series)) continue;
      series.alive = false;
      this.#series.delete(key);
      this.#shared.giveBytes(series.sizeBytes + KEY_BYTES + key.length);
    }
    if (this.#overflow !== undefined && !visit(this.#overflow)) {
      this.#overflow.alive = false;
      this.#overflow = undefined;
    }
  }
}

/** A table for a counter, an up-down counter or a gauge. */
export function numberTable(definition: MetricDefinition, shared: TableShared): MetricTable<NumberSeries> {
  return new MetricTable(
    definition,
    shared,
    (attributes, isOverflow) =>
      new NumberSeries(encode(NUMBER_ATTRIBUTE, attributes), shared.start, shared.nowMs, isOverflow),
  );
}

export function histogramTable(
  definition: MetricDefinition,
  shared: TableShared,
): MetricTable<HistogramSeries> {
  const { isExponential, maxBuckets, random, exemplars } = shared;
  const bounds = isExponential ? undefined : Float64Array.from(definition.bounds ?? []);
  const tag = isExponential ? EXPONENTIAL_ATTRIBUTE : HISTOGRAM_ATTRIBUTE;
  const settings: SeriesSettings = { bounds, maxBuckets, random, exemplars };
  return new MetricTable(
    definition,
    shared,
    (attributes, isOverflow) =>
      new HistogramSeries(encode(tag, attributes), shared.start, shared.nowMs, isOverflow, settings),
  );
}

function encode(tag: number, attributes: AttributesInput): Uint8Array {
  const writer = new WireWriter(256);
  writeAttributes(writer, tag, attributes);
  return writer.finish();
}
