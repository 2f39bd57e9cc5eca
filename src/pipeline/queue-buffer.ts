/** Where the entries of a sending queue wait: in memory, or in a queue on disk. */
import type { Batch } from '../component/signal.js';
import type { DurableQueue, QueueTally, StoredBatch } from '../component/storage.js';
import { bytesOf } from './batch-bytes.js';
import { Fifo } from './fifo.js';
import type { Sizer } from './queue-config.js';
import type { Outcome } from './sender.js';

/** A batch in a queue. */
export interface QueueEntry {
  readonly batch: Batch;
  /** In units of the queue's sizer. */
  readonly size: number;
  /** Set when the caller waits for the result. */
  readonly settle: ((outcome: Outcome) => void) | undefined;
}

export interface QueueBuffer {
  /** True when what is inside outlives the process. */
  readonly isDurable: boolean;
  /** Resolves when the entry is kept; rejects with `RetryableError`. In memory it is kept at once. */
  keep(entry: QueueEntry): Promise<void> | undefined;
  /** The oldest entry that was not taken yet; undefined when there is none. */
  take(): QueueEntry | Promise<QueueEntry | undefined> | undefined;
  /** The entry, which was taken, is delivered or given up. Not called for those that shall survive. */
  forget(entry: QueueEntry): void;
}

export const sizeOf = (batch: Batch, sizer: Sizer): number =>
  sizer === 'requests' ? 1 : sizer === 'items' ? batch.itemCount : bytesOf(batch);

export const sizeOfTally = ({ records, items, bytes }: QueueTally, sizer: Sizer): number =>
  ({ requests: records, items, bytes })[sizer];

export class MemoryBuffer implements QueueBuffer {
  readonly isDurable = false;
  readonly #entries = new Fifo<QueueEntry>();

  keep(entry: QueueEntry): undefined {
    this.#entries.push(entry);
  }

  take(): QueueEntry | undefined {
    return this.#entries.shift();
  }

  forget(): void {}
}

/** Entries that were taken have the batch as it was read back. */
export class StoredBuffer implements QueueBuffer {
  readonly isDurable = true;
  readonly #queue: DurableQueue;
  readonly #sizer: Sizer;
  readonly #stored = new WeakMap<QueueEntry, StoredBatch>();
  #turn: Promise<unknown> = Promise.resolve();

  constructor(queue: DurableQueue, sizer: Sizer) {
    this.#queue = queue;
    this.#sizer = sizer;
  }

  keep({ batch }: QueueEntry): Promise<void> {
    return this.#queue.append(batch);
  }

  take(): Promise<QueueEntry | undefined> {
    const taking = this.#turn.then(() => this.#take());
    this.#turn = taking.catch(() => undefined);
    return taking;
  }

  forget(entry: QueueEntry): void {
    const stored = this.#stored.get(entry);
    if (stored !== undefined) this.#queue.done(stored);
  }

  async #take(): Promise<QueueEntry | undefined> {
    const stored = await this.#queue.take();
    if (stored === undefined) return undefined;
    const entry = { batch: stored.batch, size: sizeOf(stored.batch, this.#sizer), settle: undefined };
    this.#stored.set(entry, stored);
    return entry;
  }
}
