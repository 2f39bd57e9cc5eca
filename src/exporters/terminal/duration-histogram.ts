/**
 * Durations in buckets whose bounds grow by 2^(1/16), from 1 us to about 36 minutes: any percentile is right within
 * 2.2 %. 2 KB each, so that hundreds of them are cheap.
 */
const PER_OCTAVE = 16;
const OCTAVES = 31;
const FLOOR_NS = 1000;
const BUCKETS = PER_OCTAVE * OCTAVES + 1;

export class DurationHistogram {
  readonly #counts = new Uint32Array(BUCKETS);
  #least = Number.POSITIVE_INFINITY;
  #most = 0;

  record(ns: number): void {
    this.#least = Math.min(this.#least, ns);
    this.#most = Math.max(this.#most, ns);
    const bucket =
      ns <= FLOOR_NS ? 0 : Math.min(BUCKETS - 1, 1 + Math.floor(Math.log2(ns / FLOOR_NS) * PER_OCTAVE));
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
  }

  addTo(sum: DurationHistogram): void {
    sum.#least = Math.min(sum.#least, this.#least);
    sum.#most = Math.max(sum.#most, this.#most);
    for (let i = 0; i < BUCKETS; i += 1) sum.#counts[i] = (sum.#counts[i] ?? 0) + (this.#counts[i] ?? 0);
  }

  clear(): void {
    this.#counts.fill(0);
    this.#least = Number.POSITIVE_INFINITY;
    this.#most = 0;
  }

  /** Nanoseconds below which `share` (0 to 1) of the recorded durations are; 0 when there are none. */
  percentile(share: number): number {
    let total = 0;
    for (const count of this.#counts) total += count;
    if (total === 0) return 0;
    const rank = Math.max(1, Math.ceil(share * total));
    let seen = 0;
    for (let i = 0; i < BUCKETS; i += 1) {
      seen += this.#counts[i] ?? 0;
      if (seen < rank) continue;
      // The middle of the bucket, on the logarithmic scale; never beyond what was really seen.
      const middle = i === 0 ? FLOOR_NS : FLOOR_NS * 2 ** ((i - 0.5) / PER_OCTAVE);
      return Math.min(this.#most, Math.max(this.#least, middle));
    }
    return 0;
  }
}
