/**
 * CPU samples in two rings of fixed size: one of samples, one of the addresses of their stacks.
 *
 *   sample   time  first address  kernel frames  user frames
 *   address pool   ... k0 k1 u0 u1 u2 ...          (innermost first, kernel before user)
 */
import { type Chain, RING_SLOT_BYTES, TimelineRing } from './timeline-ring.js';
import type { MonoNs, SampleRecord } from './types.js';

/** A sample read back. Stacks are innermost first; empty when their addresses have been overwritten. */
export interface StoredSample {
  readonly time: MonoNs;
  readonly kernelStack: readonly bigint[];
  readonly userStack: readonly bigint[];
}

const SLOT_BYTES = RING_SLOT_BYTES + 8 + 2 + 2;
/** Frames that a stack is assumed to have when memory is divided; deeper ones only shorten the window of stacks. */
const TYPICAL_FRAMES = 48;

export class TimelineSamples {
  readonly #ring: TimelineRing;
  readonly #first: Float64Array;
  readonly #kernelFrames: Uint16Array;
  readonly #userFrames: Uint16Array;
  readonly #pool: BigUint64Array;
  /** Addresses ever written; address `n` lives at `n % pool.length`. */
  #written = 0;

  constructor(budgetBytes: number) {
    const capacity = Math.max(16, Math.floor(budgetBytes / (SLOT_BYTES + 8 * TYPICAL_FRAMES)));
    this.#ring = new TimelineRing(capacity);
    this.#first = new Float64Array(capacity);
    this.#kernelFrames = new Uint16Array(capacity);
    this.#userFrames = new Uint16Array(capacity);
    this.#pool = new BigUint64Array(capacity * TYPICAL_FRAMES);
  }

  push(chain: Chain, sample: SampleRecord): void {
    const slot = this.#ring.slot(this.#ring.push(chain, sample.time));
    this.#first[slot] = this.#written;
    this.#kernelFrames[slot] = this.#write(sample.kernelStack);
    this.#userFrames[slot] = this.#write(sample.userStack);
  }

  /** Samples of [from, to), oldest first. */
  between(chain: Chain, from: MonoNs, to: MonoNs): StoredSample[] {
    const samples: StoredSample[] = [];
    for (const record of this.#ring.collect(chain, from, to)) {
      const slot = this.#ring.slot(record);
      const time = this.#ring.time[slot]!;
      if (time < from || time >= to) continue;
      const first = this.#first[slot]!;
      const kernel = this.#kernelFrames[slot]!;
      samples.push({
        time,
        kernelStack: this.#read(first, kernel),
        userStack: this.#read(first + kernel, this.#userFrames[slot]!),
      });
    }
    return samples;
  }

  /** Whether there is a sample in [from, to). */
  isAnyBetween(chain: Chain, from: MonoNs, to: MonoNs): boolean {
    const first = this.#ring.firstAfter(chain, from - 1);
    return first !== 0 && this.#ring.time[this.#ring.slot(first)]! < to;
  }

  /** A stack that does not fit into half of the pool is cut at its outer end. */
  #write(addresses: readonly bigint[]): number {
    const count = Math.min(addresses.length, this.#pool.length >> 1, 0xffff);
    for (let index = 0; index < count; index++) {
      this.#pool[this.#written++ % this.#pool.length] = addresses[index]!;
    }
    return count;
  }

  #read(first: number, count: number): bigint[] {
    if (first < this.#written - this.#pool.length) return [];
    const addresses: bigint[] = [];
    for (let at = first; at < first + count; at++) addresses.push(this.#pool[at % this.#pool.length]!);
    return addresses;
  }
}
