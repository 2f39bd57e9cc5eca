import type { Settings } from '../../component/component.js';
import type { Batch, Signal } from '../../component/signal.js';
import type { PartialSuccess } from '../../otlp/responses.js';

/** `dropped_spans`, …: the field that a Collector logs. */
const DROPPED_FIELD: Readonly<Record<Signal, string>> = {
  traces: 'dropped_spans',
  metrics: 'dropped_data_points',
  logs: 'dropped_log_records',
  profiles: 'dropped_samples',
};

/** Logs and counts what is lost of batches that were sent, and remembers how much until the batch is settled. */
export class PartialSuccessLog {
  readonly #settings: Settings;
  readonly #signal: Signal;
  readonly #rejected = new WeakMap<Batch, number>();

  constructor(settings: Settings, signal: Signal) {
    this.#settings = settings;
    this.#signal = signal;
  }

  /** Call once for each accepted request; undefined means that nothing was rejected. */
  note(batch: Batch, partial: PartialSuccess | undefined): void {
    if (partial === undefined) return;
    this.#settings.logger.warn('Partial success response', {
      message: partial.message,
      [DROPPED_FIELD[this.#signal]]: partial.rejected,
    });
    // A peer that claims to have rejected more than it got can't make our sums negative.
    const rejected = Math.min(partial.rejected, batch.itemCount);
    if (rejected <= 0) return;
    this.#settings.metrics.dropped(this.#signal, rejected, 'partial_success');
    this.carry(batch, rejected);
  }

  /** Logs and counts items that are lost although their batch counts as sent, because other parts of it were. */
  drop(batch: Batch, items: number, reason: 'too_large' | 'permanent', error: string): void {
    this.#settings.logger.error('Exporting failed. Dropping data.', { error, dropped_items: items });
    this.#settings.metrics.dropped(this.#signal, items, reason);
    this.carry(batch, items);
  }

  /** Adds items that have been counted already to those of `batch`. */
  carry(batch: Batch, items: number): void {
    this.#rejected.set(batch, (this.#rejected.get(batch) ?? 0) + items);
  }

  /** What `Sender.rejectedItems` answers; forgets it. */
  take(batch: Batch): number {
    const rejected = this.#rejected.get(batch) ?? 0;
    this.#rejected.delete(batch);
    return rejected;
  }
}
