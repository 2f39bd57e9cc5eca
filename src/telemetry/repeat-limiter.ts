/**
 * Which repetition of a log line is written: the first `initial` within each `tickMs`, then each `thereafter`-th (the
 * Collector's `service.telemetry.logs.sampling`). Unlike there, a line that follows suppressed ones says how many.
 */
export interface RepeatLimits {
  readonly tickMs: number;
  readonly initial: number;
  /** 0: none until the next tick. */
  readonly thereafter: number;
}

interface Repeats {
  windowStart: number;
  inWindow: number;
  suppressed: number;
}

/** Keys are sentences of the source code times component ids; beyond this many the oldest are forgotten. */
const MAX_KEYS = 2000;

export class RepeatLimiter {
  readonly #limits: RepeatLimits;
  readonly #now: () => number;
  readonly #repeats = new Map<string, Repeats>();

  constructor(limits: RepeatLimits, now: () => number) {
    this.#limits = limits;
    this.#now = now;
  }

  /** Counts one occurrence of `key`. `suppressed` is the number of lines left out since the last admitted one. */
  admit(key: string): { readonly admitted: boolean; readonly suppressed: number } {
    const now = this.#now();
    let repeats = this.#repeats.get(key);
    if (repeats === undefined) {
      repeats = { windowStart: now, inWindow: 0, suppressed: 0 };
      if (this.#repeats.size >= MAX_KEYS) {
        const oldest = this.#repeats.keys().next().value;
        if (oldest !== undefined) this.#repeats.delete(oldest);
      }
      this.#repeats.set(key, repeats);
    }
    if (now - repeats.windowStart >= this.#limits.tickMs || now < repeats.windowStart) {
      repeats.windowStart = now;
      repeats.inWindow = 0;
    }
    repeats.inWindow++;
    const beyond = repeats.inWindow - this.#limits.initial;
    const { thereafter } = this.#limits;
    if (beyond > 0 && !(thereafter > 0 && beyond % thereafter === 0)) {
      repeats.suppressed++;
      return { admitted: false, suppressed: 0 };
    }
    const { suppressed } = repeats;
    repeats.suppressed = 0;
    return { admitted: true, suppressed };
  }
}
