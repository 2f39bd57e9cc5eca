/**
 * The 95th percentile of recent durations in memory of fixed size: one generation of durations after the other is put
 * into exponential buckets, and the last generation's answer holds until the next one has seen enough.
 */
import { ExponentialBuckets } from '../../metrics/exponential-buckets.js';

/** Durations that spread over a factor of 1,000 have buckets 9 % wide. */
const MAX_BUCKETS = 128;
const QUANTILE = 0.95;
/** Old durations count for at most two generations. */
export const GENERATION = 1000;
/** Walking the buckets for each duration would cost more than it tells. */
const EVERY = 16;

export class LatencySketch {
  readonly #buckets = new ExponentialBuckets(MAX_BUCKETS);
  readonly #minSamples: number;
  #count = 0;
  #p95: number | undefined;

  /** `minSamples`: durations before there is an answer, at most `GENERATION`. */
  constructor(minSamples: number) {
    this.#minSamples = minSamples;
  }

  /** Nothing but durations below it is among the lower 95 %; undefined until enough was seen. */
  get p95(): number | undefined {
    return this.#p95;
  }

  /** Most bytes that the buckets take. */
  get maxBytes(): number {
    return this.#buckets.maxBytes;
  }

  /** `durationNs` is above zero and finite. */
  add(durationNs: number): void {
    this.#buckets.add(durationNs);
    this.#count++;
    const isOver = this.#count === GENERATION;
    if (this.#count >= this.#minSamples) {
      const isFirst = this.#count === this.#minSamples;
      if (isFirst || isOver || this.#count % EVERY === 0) this.#p95 = this.#upperBound();
    }
    if (!isOver) return;
    this.#buckets.clear();
    this.#count = 0;
  }

  /** Upper bound of the bucket that the quantile is in: durations that do not differ are never above it. */
  #upperBound(): number {
    const { counts, offset, scale } = this.#buckets;
    const rank = QUANTILE * this.#count;
    let sum = 0;
    let index = 0;
    for (; index < counts.length - 1; index++) {
      sum += counts[index]!;
      if (sum >= rank) break;
    }
    return 2 ** ((offset + index + 1) / 2 ** scale);
  }
}
