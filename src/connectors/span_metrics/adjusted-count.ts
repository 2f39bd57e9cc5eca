import { probabilityOf } from '../../sampling/threshold.js';
import { parseTraceState } from '../../sampling/trace-state.js';

/** Tracestates that were read before; traces of one sampler have few. */
const MAX_KNOWN = 1000;

/**
 * How many spans one stands for: the inverse of the probability with which it was sampled, by the threshold in its
 * tracestate (https://opentelemetry.io/docs/specs/otel/trace/tracestate-probability-sampling/). A fraction is rounded up
 * as often as it is large, so that sums are right and counts stay whole.
 */
export class AdjustedCounts {
  readonly #random: () => number;
  readonly #known = new Map<string, number>();

  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  /** 1 for spans that nobody sampled. */
  of(traceState: string): number {
    if (traceState === '') return 1;
    let exact = this.#known.get(traceState);
    if (exact === undefined) {
      const threshold = parseTraceState(traceState)?.threshold;
      exact = threshold === undefined ? 1 : 1 / Math.max(probabilityOf(threshold), Number.EPSILON);
      if (this.#known.size >= MAX_KNOWN) this.#known.clear();
      this.#known.set(traceState, exact);
    }
    const whole = Math.floor(exact);
    return this.#random() < exact - whole ? whole + 1 : whole;
  }
}
