/**
 * What is kept. Every instance that is configured alike decides alike about a trace.
 * Source of rules: OpenTelemetry Collector Contrib 0.159, processor/probabilisticsamplerprocessor.
 */
import { seededHash } from '../../sampling/hash.js';
import {
  ALWAYS,
  isSampled,
  NEVER,
  probabilityOf,
  thresholdOf,
  traceIdRandomness,
} from '../../sampling/threshold.js';
import type { ProbabilisticSamplerConfig } from './config.js';

/** What an item says about its sampling so far, and is told about this one. */
export interface Carrier {
  randomness: bigint | undefined;
  threshold: bigint | undefined;
}

/** The item: what it can be sampled by, and its carrier; undefined when that is broken. */
export interface Candidate {
  readonly traceId: Uint8Array | undefined;
  /** Hashed when there is no trace id, in mode `hash_seed`. */
  readonly hashInput: Uint8Array | undefined;
  readonly carrier: Carrier | undefined;
  /** Whether an item without randomness that is kept all the same is told so, as the highest randomness. */
  readonly marksMissing: boolean;
  /** Goes before everything: a threshold of the item's own. */
  readonly priority: bigint | undefined;
}

export interface Verdict {
  readonly isKept: boolean;
  /** The carrier was changed and is to be written to the item. */
  readonly carrierChanged: boolean;
}

const BUCKETS = 0x4000;

export class Sampler {
  readonly #mode: 'hash_seed' | 'equalizing' | 'proportional' | 'never';
  readonly #seed: number;
  readonly #ratio: number;
  readonly #precision: number;
  readonly #threshold: bigint;
  readonly #onError: bigint;

  constructor(config: ProbabilisticSamplerConfig) {
    const percentage = Math.fround(Math.min(config.sampling_percentage, 100));
    this.#seed = config.hash_seed;
    this.#precision = config.sampling_precision;
    this.#ratio = Math.max(percentage / 100, 2 ** -56);
    this.#onError = config.fail_closed ? NEVER : ALWAYS;
    const mode =
      config.mode === '' ? 'hash_seed' : (config.mode as 'hash_seed' | 'equalizing' | 'proportional');
    // In single precision and cut, since instances of the Collector do so and must agree.
    const buckets = Math.trunc(Math.fround(percentage * Math.fround(BUCKETS / 100)));
    const isNever = percentage === 0 || (mode === 'hash_seed' && buckets === 0);
    this.#mode = isNever ? 'never' : mode;
    this.#threshold =
      mode === 'hash_seed'
        ? BigInt(BUCKETS - buckets) << 42n
        : (thresholdOf(this.#ratio, config.sampling_precision) ?? NEVER);
  }

  decide({ traceId, hashInput, carrier, priority, marksMissing }: Candidate): Verdict {
    let usable = carrier;
    let failed = carrier === undefined;
    let randomness: bigint | undefined;
    if (this.#mode === 'never') randomness = NEVER - 1n;
    else if (this.#mode === 'hash_seed') {
      const input = traceId ?? hashInput;
      if (input !== undefined) randomness = this.#hash(input);
      if (carrier !== undefined && (carrier.randomness !== undefined || carrier.threshold !== undefined)) {
        // Sampled consistently before: this mode would contradict.
        failed = true;
        usable = undefined;
      } else if (carrier !== undefined) {
        carrier.randomness = randomness ?? (marksMissing ? NEVER - 1n : undefined);
      }
    } else {
      randomness = carrier?.randomness ?? (traceId === undefined ? undefined : traceIdRandomness(traceId));
    }
    if (randomness === undefined) failed = true;
    if (!failed && usable?.threshold !== undefined && !isSampled(usable.threshold, randomness!)) {
      usable.threshold = undefined;
      failed = true;
    }
    const threshold = priority ?? (failed ? this.#onError : this.#thresholdFor(usable));
    if (!isSampled(threshold, randomness ?? NEVER - 1n)) return { isKept: false, carrierChanged: false };
    if (usable === undefined) return { isKept: true, carrierChanged: false };
    // A threshold never falls: who counts what is left must not count it twice.
    if (usable.threshold === undefined || threshold >= usable.threshold) usable.threshold = threshold;
    return { isKept: true, carrierChanged: true };
  }

  #thresholdFor(carrier: Carrier | undefined): bigint {
    if (this.#mode === 'never') return NEVER;
    const incoming = carrier?.threshold;
    if (this.#mode === 'equalizing') {
      return incoming !== undefined && incoming > this.#threshold ? incoming : this.#threshold;
    }
    if (this.#mode === 'hash_seed' || incoming === undefined) return this.#threshold;
    return thresholdOf(probabilityOf(incoming) * this.#ratio, this.#precision) ?? NEVER;
  }

  /** 56 bits whose highest 14 decide, as the Collector makes them of the hash. */
  #hash(input: Uint8Array): bigint {
    const hash = seededHash(input, this.#seed);
    const bucket = BigInt(hash & (BUCKETS - 1));
    const unused = BigInt(hash >>> 18);
    const mixed = unused ^ (unused << 10n);
    return ((BigInt(BUCKETS - 1) - bucket) << 42n) | (mixed << 14n) | bucket;
  }
}
