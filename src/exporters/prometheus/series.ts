/** What the exporter remembers of one series until somebody reads it: the last point, cumulative. */

export interface Exemplar {
  readonly value: number;
  readonly seconds: number;
  readonly labels: string;
}

interface SeriesBase {
  /** Of the point: nanoseconds since the epoch. */
  time: bigint;
  start: bigint;
  /** When it was received, milliseconds of the exporter's clock. */
  receivedMs: number;
  /** `a="b"`, names as they are and, where that differs, made plain. */
  readonly labels: string;
  readonly plainLabels: string;
  exemplars: readonly Exemplar[];
}

export interface NumberSeries extends SeriesBase {
  readonly kind: 'number';
  value: number;
}

export interface HistogramSeries extends SeriesBase {
  readonly kind: 'histogram';
  count: number;
  sum: number;
  bounds: readonly number[];
  /** Of each bucket alone; one more than `bounds`. */
  counts: Float64Array;
}

export interface SummarySeries extends SeriesBase {
  readonly kind: 'summary';
  count: number;
  sum: number;
  quantiles: readonly (readonly [quantile: number, value: number])[];
}

export type Series = NumberSeries | HistogramSeries | SummarySeries;

/** Adds a delta to what was counted before; a histogram of other buckets starts anew. */
export function addDelta(before: Series, delta: Series): void {
  if (before.kind === 'number' && delta.kind === 'number') before.value += delta.value;
  else if (before.kind === 'histogram' && delta.kind === 'histogram') {
    if (sameBounds(before.bounds, delta.bounds)) {
      before.count += delta.count;
      before.sum += delta.sum;
      for (let index = 0; index < before.counts.length; index++)
        before.counts[index]! += delta.counts[index]!;
    } else {
      Object.assign(before, {
        count: delta.count,
        sum: delta.sum,
        bounds: delta.bounds,
        counts: delta.counts,
        start: delta.start,
      });
    }
  }
  before.time = delta.time;
  before.receivedMs = delta.receivedMs;
  before.exemplars = delta.exemplars;
}

const sameBounds = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((bound, index) => bound === b[index]);
