/**
 * Socket operations of each thread: when it sent or received on which socket. They tell whose work an event loop was
 * doing, and prove that the thread was on a CPU at that time. Payload is not kept.
 */
import { type Chain, RING_SLOT_BYTES, TimelineRing } from './timeline-ring.js';
import type { MonoNs } from './types.js';

export interface Operation {
  readonly time: MonoNs;
  readonly socketCookie: number;
  readonly egress: boolean;
}

const SLOT_BYTES = RING_SLOT_BYTES + 8 + 1;

export class TimelineOperations {
  readonly #ring: TimelineRing;
  readonly #cookie: Float64Array;
  readonly #egress: Uint8Array;

  constructor(budgetBytes: number) {
    const capacity = Math.max(16, Math.floor(budgetBytes / SLOT_BYTES));
    this.#ring = new TimelineRing(capacity);
    this.#cookie = new Float64Array(capacity);
    this.#egress = new Uint8Array(capacity);
  }

  push(chain: Chain, operation: Operation): void {
    const slot = this.#ring.slot(this.#ring.push(chain, operation.time));
    this.#cookie[slot] = operation.socketCookie;
    this.#egress[slot] = operation.egress ? 1 : 0;
  }

  /** Whether the chain is known to have an operation in [from, to] on a socket for which `test` is true. */
  some(chain: Chain, from: MonoNs, to: MonoNs, test: (socketCookie: number) => boolean): boolean {
    for (let record = this.#ring.lastUntil(chain, to); record !== 0; record = this.#ring.previous(record)) {
      const slot = this.#ring.slot(record);
      if (this.#ring.time[slot]! < from) return false;
      if (test(this.#cookie[slot]!)) return true;
    }
    return false;
  }

  /**
   * Operations of [from, to], oldest first, or undefined when the record does not reach back to `from` (overwritten),
   * so that nobody takes a missing operation for none.
   */
  between(chain: Chain, from: MonoNs, to: MonoNs): Operation[] | undefined {
    const records = this.#ring.collect(chain, from, to);
    const oldest = records[0];
    if (oldest === undefined) {
      if (chain.count > 0) return undefined;
    } else if (oldest !== chain.first && this.#ring.time[this.#ring.slot(oldest)]! > from) return undefined;
    const operations: Operation[] = [];
    for (const record of records) {
      const slot = this.#ring.slot(record);
      const time = this.#ring.time[slot]!;
      if (time < from || time > to) continue;
      operations.push({ time, socketCookie: this.#cookie[slot]!, egress: this.#egress[slot] === 1 });
    }
    return operations;
  }
}
