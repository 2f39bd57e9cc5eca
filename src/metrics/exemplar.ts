import type { ExemplarInput } from '../otlp/metrics-writer.js';
import type { Time64 } from '../otlp/time.js';

/** Where a measurement came from. Ids are hex or bytes, which are copied. */
export interface ExemplarSource {
  readonly time: Time64;
  readonly traceId: string | Uint8Array;
  readonly spanId: string | Uint8Array;
}

/** Bytes of one that is kept, measured roughly. */
export const EXEMPLAR_BYTES = 160;

/**
 * A few measurements of one point with their traces: at most one for each slot (bucket), chosen with equal chances among
 * those of the interval. When there are more slots than room the higher ones are kept: people look for what was slow.
 */
export class ExemplarReservoir {
  readonly #max: number;
  readonly #random: () => number;
  readonly #kept = new Map<number, { input: ExemplarInput; offered: number }>();

  /** `max`: most that are kept, at least 1. `random` gives 0 <= x < 1. */
  constructor(max: number, random: () => number) {
    this.#max = max;
    this.#random = random;
  }

  /** `source` is called only when this one is kept, which is rare after the first. */
  offer(slot: number, value: number, isInt: boolean, source: () => ExemplarSource | undefined): void {
    const kept = this.#kept.get(slot);
    if (kept !== undefined) {
      kept.offered++;
      if (this.#random() * kept.offered >= 1) return;
    }
    const lowest = kept === undefined && this.#kept.size >= this.#max ? Math.min(...this.#kept.keys()) : slot;
    if (lowest > slot) return;
    const from = source();
    if (from === undefined) return;
    if (lowest < slot) this.#kept.delete(lowest);
    const { time } = from;
    const ids = { traceId: copyOf(from.traceId), spanId: copyOf(from.spanId) };
    const input = isInt ? { asInt: value, time, ...ids } : { asDouble: value, time, ...ids };
    if (kept === undefined) this.#kept.set(slot, { input, offered: 1 });
    else kept.input = input;
  }

  /** Those of the interval; the next one begins. */
  take(): readonly ExemplarInput[] {
    if (this.#kept.size === 0) return NONE;
    const taken = [...this.#kept].sort(([a], [b]) => a - b).map(([, { input }]) => input);
    this.#kept.clear();
    return taken;
  }
}

const NONE: readonly ExemplarInput[] = [];

const copyOf = (id: string | Uint8Array): string | Uint8Array =>
  typeof id === 'string' ? id : new Uint8Array(id);
