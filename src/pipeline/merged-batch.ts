import type { Batch, Origin, Signal } from '../component/signal.js';
import { mergeBatches } from '../otlp/reshape.js';

/**
 * Batches that travel on as one, and are copied together only when somebody wants the bytes in one piece. An exporter
 * that writes pieces never does, and for large batches that copy (and the garbage it makes) is most of the work.
 */
export class MergedBatch implements Batch {
  readonly signal: Signal;
  readonly origin: Origin;
  readonly itemCount: number;
  #parts: readonly Uint8Array[];

  constructor(
    { signal, origin }: Pick<Batch, 'signal' | 'origin'>,
    parts: readonly Uint8Array[],
    itemCount: number,
  ) {
    this.signal = signal;
    this.origin = origin;
    this.itemCount = itemCount;
    this.#parts = parts;
  }

  get parts(): readonly Uint8Array[] {
    return this.#parts;
  }

  get bytes(): Uint8Array {
    // The pieces are not needed any more, and keeping both would take the memory twice.
    if (this.#parts.length !== 1) this.#parts = [mergeBatches(this.#parts)];
    return this.#parts[0]!;
  }
}
