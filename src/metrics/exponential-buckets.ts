/**
 * Buckets of exponential width that become coarser by themselves when values lie too far apart.
 * Source: https://opentelemetry.io/docs/specs/otel/metrics/data-model/#exponentialhistogram (bucket `i` holds values in
 * `(base^i, base^(i+1)]`, `base = 2^(2^-scale)`), and the SDK specification for the rules of rescaling.
 */

/** The finest that the data model recommends; a single value is always held at it. */
const MAX_SCALE = 20;
/** At this scale one bucket holds `(2^-1024, 1]` and another `(1, 2^1024]`: nothing is ever too far apart. */
const MIN_SCALE = -10;

export class ExponentialBuckets {
  readonly #maxSize: number;
  #scale = MAX_SCALE;
  /** Index of the bucket in `#counts[0]`. */
  #offset = 0;
  #length = 0;
  #counts: Float64Array;

  /** `maxSize`: most buckets, at least 2. */
  constructor(maxSize: number) {
    this.#maxSize = maxSize;
    this.#counts = new Float64Array(Math.min(maxSize, 8));
  }

  get scale(): number {
    return this.#scale;
  }

  get offset(): number {
    return this.#offset;
  }

  /** One for each bucket from `offset` on. A view: copy what you keep. */
  get counts(): Float64Array {
    return this.#counts.subarray(0, this.#length);
  }

  /** Bytes that the counts take when there are as many as there may be. */
  get maxBytes(): number {
    return 8 * this.#maxSize;
  }

  /** `value` is above zero and finite. */
  add(value: number, count = 1): void {
    let index = this.#indexOf(value);
    if (this.#length === 0) {
      this.#offset = index;
      this.#length = 1;
      this.#counts[0] = count;
      return;
    }
    let low = Math.min(index, this.#offset);
    let high = Math.max(index, this.#offset + this.#length - 1);
    let shift = 0;
    while (high - low >= this.#maxSize && this.#scale - shift > MIN_SCALE) {
      low >>= 1;
      high >>= 1;
      shift++;
    }
    if (shift > 0) {
      this.#coarsen(shift);
      index = this.#indexOf(value);
      low = Math.min(index, this.#offset);
      high = Math.max(index, this.#offset + this.#length - 1);
    }
    this.#cover(low, high);
    this.#counts[index - this.#offset]! += count;
  }

  /** Forgets all values; the scale starts anew. */
  clear(): void {
    this.#counts.fill(0);
    this.#length = 0;
    this.#offset = 0;
    this.#scale = MAX_SCALE;
  }

  #indexOf(value: number): number {
    // Logarithms are off by an ulp; powers of two, whose place is known, must not be.
    const exponent = exponentOf(value);
    const scale = this.#scale;
    const isPower = value === 2 ** exponent;
    if (scale <= 0) return (isPower ? exponent - 1 : exponent) >> -scale;
    if (isPower) return exponent * 2 ** scale - 1;
    return Math.ceil(Math.log2(value) * 2 ** scale) - 1;
  }

  #coarsen(shift: number): void {
    const counts = this.#counts;
    const offset = this.#offset >> shift;
    const last = (this.#offset + this.#length - 1) >> shift;
    for (let from = 0; from < this.#length; from++) {
      const to = ((this.#offset + from) >> shift) - offset;
      const count = counts[from]!;
      counts[from] = 0;
      counts[to]! += count;
    }
    this.#scale -= shift;
    this.#offset = offset;
    this.#length = last - offset + 1;
  }

  #cover(low: number, high: number): void {
    const length = high - low + 1;
    const before = this.#offset - low;
    if (length > this.#counts.length) {
      const larger = new Float64Array(Math.min(this.#maxSize, Math.max(length, 2 * this.#counts.length)));
      larger.set(this.#counts.subarray(0, this.#length), before);
      this.#counts = larger;
    } else if (before > 0) {
      this.#counts.copyWithin(before, 0, this.#length);
      this.#counts.fill(0, 0, before);
    }
    this.#offset = low;
    this.#length = length;
  }
}

const view = new DataView(new ArrayBuffer(8));

/** The whole part of log2, exact. Subnormal numbers count as the smallest normal one. */
function exponentOf(value: number): number {
  view.setFloat64(0, value);
  const bits = (view.getUint16(0) >> 4) & 0x7ff;
  return Math.max(bits, 1) - 1023;
}
