import type { MonoNs } from '../types.js';

const NS_PER_SECOND = 1e9;
/** Thirty times a thirtieth is not quite one. */
const ROUNDING = 1e-9;

/** Lets `perSecond` through in the long run, and at most `burst` at once. The caller brings the clock. */
export class TokenBucket {
  readonly #perNs: number;
  readonly #burst: number;
  #tokens: number;
  #filledAt: MonoNs | undefined;

  /** `tokens`: how many there are when it is asked first; time counts from then. */
  constructor(perSecond: number, burst = Math.max(1, perSecond), tokens = burst) {
    this.#perNs = perSecond / NS_PER_SECOND;
    this.#burst = burst;
    this.#tokens = Math.min(tokens, burst);
  }

  /** True when there was a token; it is gone then. A `now` before the last one fills nothing. */
  take(now: MonoNs): boolean {
    const last = this.#filledAt ?? now;
    this.#tokens = Math.min(this.#burst, this.#tokens + Math.max(0, now - last) * this.#perNs);
    this.#filledAt = Math.max(last, now);
    if (this.#tokens < 1 - ROUNDING) return false;
    this.#tokens = Math.max(0, this.#tokens - 1);
    return true;
  }
}
