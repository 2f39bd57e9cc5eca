/** A bounded queue between a pipeline and an exporter: who gets in, who waits, and how many are delivered at a time. */
import { PermanentError, RetryableError } from '../component/errors.js';
import type { Batch } from '../component/signal.js';
import type { QueueTally } from '../component/storage.js';
import type { ByteBudget } from '../transport/byte-budget.js';
import { bytesOf } from './batch-bytes.js';
import { Fifo } from './fifo.js';
import { QueueBatcher } from './queue-batcher.js';
import { type QueueBuffer, type QueueEntry, sizeOf, sizeOfTally } from './queue-buffer.js';
import { batchSizer, type QueueConfig } from './queue-config.js';
import type { DropReason, Outcome } from './sender.js';

/** The batch did not get in, and may be offered again. */
export class QueueRefusal extends RetryableError {
  readonly reason: DropReason;

  constructor(reason: DropReason, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.reason = reason;
  }
}

export interface SendingQueueOptions {
  readonly config: QueueConfig;
  readonly buffer: QueueBuffer;
  /** Sends one batch, and counts what became of it. Must not reject. */
  readonly deliver: (batch: Batch) => Promise<Outcome>;
  /** Told of batches that never reached `deliver`. */
  readonly dropped: (batch: Batch, outcome: Outcome) => void;
  /** Told of each change of `size`. */
  readonly sized?: (size: number) => void;
  /** For the batches that are in memory; asked for each. */
  readonly budget?: () => ByteBudget | undefined;
}

/** A caller that `block_on_overflow` keeps waiting for room. */
interface Waiter {
  readonly size: number;
  readonly admitted: () => void;
  readonly refuse: (error: Error) => void;
}

/** Holds batches in order and hands them to `deliver`, at most `num_consumers` at a time. */
export class SendingQueue {
  readonly #options: SendingQueueOptions;
  readonly #config: QueueConfig;
  readonly #buffer: QueueBuffer;
  readonly #batcher: QueueBatcher | undefined;
  readonly #waiters = new Fifo<Waiter>();
  /** Gives back the memory of an entry. */
  readonly #reserved = new WeakMap<QueueEntry, () => void>();
  #size = 0;
  /** Entries that are kept and not taken yet. */
  #waiting = 0;
  /** Entries that were taken and not finished yet. */
  #taken = 0;
  #consumers = 0;
  /** Calls of `keep` that have not ended. */
  #keeping = 0;
  #stopped = false;
  /** Nothing is taken any more. */
  #halted = false;
  #onIdle: (() => void) | undefined;

  constructor(options: SendingQueueOptions) {
    this.#options = options;
    this.#config = options.config;
    this.#buffer = options.buffer;
    const { batch, num_consumers: concurrency } = options.config;
    if (batch) {
      this.#batcher = new QueueBatcher({
        config: batch,
        sizer: batchSizer(options.config),
        deliver: options.deliver,
        finished: (entry, outcome) => this.#finish(entry, outcome),
        concurrency,
      });
    }
  }

  /** Used capacity in units of the sizer, batches in delivery included: they are only kept here. */
  get size(): number {
    return this.#size;
  }

  get capacity(): number {
    return this.#config.queue_size;
  }

  /** Takes what a durable buffer held when it was opened. It counts even beyond the capacity. */
  restore(tally: QueueTally): void {
    if (tally.records === 0) return;
    this.#grow(sizeOfTally(tally, this.#config.sizer));
    this.#waiting += tally.records;
    this.#wake();
  }

  /** Entries that waited in a durable buffer are gone. */
  lost(tally: QueueTally): void {
    this.#waiting -= tally.records;
    this.#release(sizeOfTally(tally, this.#config.sizer));
    this.#checkIdle();
  }

  /**
   * Resolves when the batch is in the queue; with `wait_for_result` only when it was sent or given up, and then with
   * that outcome. Rejects when the batch did not get in: `QueueRefusal` when there is no room for it now, `PermanentError`
   * when there never will be.
   */
  async offer(batch: Batch): Promise<Outcome | undefined> {
    const size = sizeOf(batch, this.#config.sizer);
    if (size > this.#config.queue_size) throw new PermanentError('element size too large');
    if (this.#stopped) throw stopped();
    await this.#admit(size);
    if (!this.#config.wait_for_result) {
      await this.#keep({ batch, size, settle: undefined });
      return undefined;
    }
    return new Promise((settle, reject) => {
      this.#keep({ batch, size, settle }).catch(reject);
    });
  }

  /**
   * Stops intake and resolves when everything inside has been delivered or given up; what a durable buffer holds stays
   * there, and only what is being delivered is waited for. Callers that wait are refused.
   */
  async drain(): Promise<void> {
    this.#stopped = true;
    for (let waiter = this.#waiters.shift(); waiter !== undefined; waiter = this.#waiters.shift()) {
      waiter.refuse(stopped());
    }
    if (this.#buffer.isDurable) {
      this.#halted = true;
      this.#batcher?.abandon();
    } else this.#batcher?.flush();
    if (this.#isIdle) return;
    await new Promise<void>((resolve) => {
      this.#onIdle = resolve;
    });
  }

  /** Gives up what is still waiting for a consumer. Batches in delivery are the business of `deliver`. */
  discard(outcome: Outcome): void {
    if (this.#buffer.isDurable) return;
    const drop = (entry: QueueEntry): void => {
      this.#options.dropped(entry.batch, outcome);
      this.#finish(entry, outcome);
    };
    for (;;) {
      const entry = this.#buffer.take();
      // A buffer that is not durable gives its entries at once.
      if (entry === undefined || entry instanceof Promise) break;
      this.#waiting--;
      this.#taken++;
      drop(entry);
    }
    this.#batcher?.discard((batch) => this.#options.dropped(batch, outcome), outcome);
  }

  async #admit(size: number): Promise<void> {
    if (this.#size + size <= this.#config.queue_size && this.#waiters.length === 0) return this.#grow(size);
    if (!this.#config.block_on_overflow) throw new QueueRefusal('queue_full', 'sending queue is full');
    // Whoever makes room has taken it for us.
    await new Promise<void>((admitted, refuse) => this.#waiters.push({ size, admitted, refuse }));
  }

  /** Puts an entry for which there is room into the buffer. */
  async #keep(entry: QueueEntry): Promise<void> {
    const budget = this.#options.budget?.();
    const bytes = budget === undefined ? 0 : bytesOf(entry.batch);
    if (budget !== undefined && !budget.reserve(bytes)) {
      this.#release(entry.size);
      if (bytes > budget.limitBytes) throw new PermanentError('element size too large');
      throw new QueueRefusal('memory_budget', 'data refused due to high memory usage');
    }
    const keeping = this.#buffer.keep(entry);
    if (keeping === undefined) {
      if (budget !== undefined) this.#reserved.set(entry, () => budget.release(bytes));
    } else {
      this.#keeping++;
      try {
        await keeping;
      } catch (error) {
        this.#release(entry.size);
        const message = error instanceof Error ? error.message : String(error);
        throw new QueueRefusal('storage_failed', message, { cause: error });
      } finally {
        budget?.release(bytes);
        this.#keeping--;
        this.#checkIdle();
      }
    }
    this.#waiting++;
    this.#wake();
  }

  /** Lets a consumer come when one is needed. With batches one is enough: it never waits for the other side. */
  #wake(): void {
    const most = this.#batcher === undefined ? this.#config.num_consumers : 1;
    if (this.#halted || this.#consumers >= most) return;
    // A restored queue has work for all of them at once.
    const wanted = Math.min(most, this.#consumers + Math.max(1, this.#buffer.isDurable ? this.#waiting : 1));
    while (this.#consumers < wanted) void this.#consume();
  }

  async #consume(): Promise<void> {
    this.#consumers++;
    while (!this.#halted && this.#waiting > 0) {
      const taking = this.#buffer.take();
      const entry = taking instanceof Promise ? await taking : taking;
      if (entry === undefined) break;
      this.#waiting--;
      this.#taken++;
      if (this.#halted) {
        // Taken while the queue was stopped: it stays on disk.
        this.#taken--;
        break;
      }
      if (this.#batcher !== undefined) {
        await this.#batcher.add(entry);
        if (this.#stopped) this.#batcher.flush();
      } else this.#finish(entry, await this.#options.deliver(entry.batch));
    }
    this.#consumers--;
    this.#checkIdle();
  }

  #finish(entry: QueueEntry, outcome: Outcome): void {
    this.#taken--;
    this.#reserved.get(entry)?.();
    const survives = this.#buffer.isDurable && outcome.status === 'failed' && outcome.reason === 'shutdown';
    if (!survives) this.#buffer.forget(entry);
    entry.settle?.(outcome);
    if (!survives) this.#release(entry.size);
    this.#checkIdle();
  }

  /** Gives room back, to waiting callers first and in their order. */
  #release(size: number): void {
    this.#grow(-size);
    for (;;) {
      const waiter = this.#waiters.peek();
      if (waiter === undefined || this.#size + waiter.size > this.#config.queue_size) return;
      this.#waiters.shift();
      this.#grow(waiter.size);
      waiter.admitted();
    }
  }

  #grow(by: number): void {
    this.#size += by;
    this.#options.sized?.(this.#size);
  }

  get #isIdle(): boolean {
    const isDone = this.#consumers === 0 && this.#keeping === 0;
    if (!this.#buffer.isDurable) return isDone && this.#waiting === 0 && this.#taken === 0;
    // What was collected for a batch is on disk.
    return isDone && (this.#batcher?.isIdle ?? true);
  }

  #checkIdle(): void {
    if (this.#onIdle !== undefined && this.#isIdle) this.#onIdle();
  }
}

const stopped = (): QueueRefusal => new QueueRefusal('shutdown', 'sending queue is stopped');
