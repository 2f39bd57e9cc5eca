/** Latencies in buckets of 1 % width from 1 us: constant memory however many requests there are. */
export class Latencies {
  static readonly #base = Math.log(1.01);
  readonly #buckets = new Uint32Array(2048);
  #count = 0;

  add(ms: number): void {
    const bucket = Math.round(Math.log(Math.max(ms, 1e-3) * 1e3) / Latencies.#base);
    this.#buckets[Math.min(bucket, this.#buckets.length - 1)]!++;
    this.#count++;
  }

  /** The `share` quantile in milliseconds; 0 when nothing was added. */
  quantile(share: number): number {
    let left = Math.ceil(this.#count * share);
    if (left === 0) return 0;
    for (let bucket = 0; bucket < this.#buckets.length; bucket++) {
      left -= this.#buckets[bucket]!;
      if (left <= 0) return Math.exp(bucket * Latencies.#base) / 1e3;
    }
    return 0;
  }
}
