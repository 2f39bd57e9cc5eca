import type { Signal } from '../component/signal.js';

/**
 * Loss accounting, the same for every stage: `received = sent + dropped{reason} + held`.
 * A component counts items (spans, data points, log records; kernel events in `ebpf`). Implementations must be cheap
 * enough to call once per batch; nothing calls them once per event.
 */
export interface ComponentMetrics {
  received(signal: Signal | 'events', items: number): void;
  sent(signal: Signal | 'events', items: number): void;
  /** `reason` is one of a fixed, documented set of lower_snake_case words. */
  dropped(signal: Signal | 'events', items: number, reason: string): void;
  /** Items inside the component now (a gauge). */
  held(signal: Signal | 'events', items: number): void;
  /**
   * What `held` said last, also by a former instance of the component: what that one left on disk was counted as received
   * already. Left out where nobody reads it.
   */
  stillHeld?(signal: Signal | 'events'): number;
  /** Any other counter of this component. `name` is `lower_snake_case`, without prefix and `_total`. */
  count(name: string, value: number, labels?: Readonly<Record<string, string>>): void;
  /** Any other gauge. */
  gauge(name: string, value: number, labels?: Readonly<Record<string, string>>): void;
}

const noop = (): void => {};

/** Counts nothing; for tests that do not look. */
export const NOP_METRICS: ComponentMetrics = {
  received: noop,
  sent: noop,
  dropped: noop,
  held: noop,
  count: noop,
  gauge: noop,
};
