/** What one metric measures for one set of attributes. */
import type { ExemplarInput } from '../otlp/metrics-writer.js';
import type { Time64 } from '../otlp/time.js';
import { EXEMPLAR_BYTES, ExemplarReservoir, type ExemplarSource } from './exemplar.js';
import { ExponentialBuckets } from './exponential-buckets.js';

/** Objects of a series besides its numbers, measured roughly. */
const OVERHEAD_BYTES = 240;

export interface SeriesSettings {
  /** One `Float64Array` for all series of a metric; undefined: exponential. */
  readonly bounds: Float64Array | undefined;
  /** Most buckets of an exponential histogram. */
  readonly maxBuckets: number;
  readonly random: () => number;
  /** Most exemplars of a point; 0: none. */
  readonly exemplars: number;
}

export abstract class Series {
  /** Attributes as encoded fields of a point. */
  readonly attributes: Uint8Array;
  /** Since when it counts. */
  start: Time64;
  /** Measured something since the last collection. */
  dirty = false;
  /** When it last had, at a collection. Milliseconds since the epoch. */
  usedMs: number;
  /** False when it has expired or was dropped: what holds on to it must look it up anew. */
  alive = true;
  /** Values ended here because the budget was used up. */
  readonly isOverflow: boolean;

  constructor(attributes: Uint8Array, start: Time64, usedMs: number, isOverflow: boolean) {
    this.attributes = attributes;
    this.start = start;
    this.usedMs = usedMs;
    this.isOverflow = isOverflow;
  }

  /** Memory that it takes at most, from its beginning to its end. */
  get sizeBytes(): number {
    return OVERHEAD_BYTES + this.attributes.length;
  }

  /** Forgets what was measured, for delta temporality. */
  abstract reset(start: Time64): void;
}

/** Counters (values are added) and gauges (the last value counts). */
export class NumberSeries extends Series {
  value = 0;

  /** Counters. */
  add(amount: number): void {
    this.value += amount;
    this.dirty = true;
  }

  /** Gauges; also counters that somebody else counts, given as their total. */
  set(value: number): void {
    this.value = value;
    this.dirty = true;
  }

  override reset(start: Time64): void {
    this.value = 0;
    this.start = start;
  }
}

export class HistogramSeries extends Series {
  count = 0;
  sum = 0;
  min = Number.POSITIVE_INFINITY;
  max = Number.NEGATIVE_INFINITY;
  /** Values of zero and less, of an exponential histogram. */
  zeroCount = 0;
  readonly bounds: Float64Array | undefined;
  readonly bucketCounts: Float64Array | undefined;
  readonly exponential: ExponentialBuckets | undefined;
  readonly #exemplars: ExemplarReservoir | undefined;
  readonly #exemplarBytes: number;

  constructor(
    attributes: Uint8Array,
    start: Time64,
    usedMs: number,
    isOverflow: boolean,
    { bounds, maxBuckets, random, exemplars }: SeriesSettings,
  ) {
    super(attributes, start, usedMs, isOverflow);
    this.bounds = bounds;
    if (bounds === undefined) this.exponential = new ExponentialBuckets(maxBuckets);
    else this.bucketCounts = new Float64Array(bounds.length + 1);
    this.#exemplarBytes = exemplars * EXEMPLAR_BYTES;
    if (exemplars > 0) this.#exemplars = new ExemplarReservoir(exemplars, random);
  }

  /** Counts `value`, which is finite, `times` times. `source` tells the trace, when it is wanted. */
  record(value: number, source?: () => ExemplarSource | undefined, times = 1): void {
    this.dirty = true;
    this.count += times;
    this.sum += value * times;
    if (value < this.min) this.min = value;
    if (value > this.max) this.max = value;
    const { bounds, bucketCounts } = this;
    let slot = 0;
    if (bounds === undefined) {
      if (value > 0) this.exponential!.add(value, times);
      else this.zeroCount += times;
      // One exemplar for each power of four: as spread out as those of explicit buckets.
      slot = value > 0 ? Math.round(Math.log2(value) / 2) : Number.MIN_SAFE_INTEGER;
    } else {
      slot = bucketOf(bounds, value);
      bucketCounts![slot]! += times;
    }
    if (source !== undefined) this.#exemplars?.offer(slot, value, false, source);
  }

  takeExemplars(): readonly ExemplarInput[] {
    return this.#exemplars?.take() ?? [];
  }

  override get sizeBytes(): number {
    const buckets = this.bucketCounts?.byteLength ?? this.exponential!.maxBytes;
    return super.sizeBytes + 80 + buckets + this.#exemplarBytes;
  }

  override reset(start: Time64): void {
    this.count = this.sum = this.zeroCount = 0;
    this.min = Number.POSITIVE_INFINITY;
    this.max = Number.NEGATIVE_INFINITY;
    this.bucketCounts?.fill(0);
    this.exponential?.clear();
    this.start = start;
  }
}

/** The first bucket whose upper bound is not below `value`. */
export function bucketOf(bounds: Float64Array, value: number): number {
  let low = 0;
  let high = bounds.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (value <= bounds[middle]!) high = middle;
    else low = middle + 1;
  }
  return low;
}
