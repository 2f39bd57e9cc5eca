/**
 * A bounded queue in memory between a pipeline and an exporter. Fields, defaults and sentences are those of the
 * Collector's `sending_queue` (go.opentelemetry.io/collector/exporter/exporterhelper).
 */
import { z } from 'zod';
import { PermanentError, RetryableError } from '../component/errors.js';
import type { Batch } from '../component/signal.js';
import { Fifo } from './fifo.js';
import type { Outcome } from './sender.js';

/** `sending_queue` of an exporter. */
export const queueFields = () =>
  z
    .strictObject({
      enabled: z
        .boolean()
        .default(true)
        .describe('Accept batches before they are sent. Off: the caller waits for the other side.'),
      num_consumers: z.int().default(10).describe('Batches that are sent at the same time.'),
      queue_size: z.int().default(1000).describe('Most that the queue holds, in units of `sizer`.'),
      sizer: z
        .enum(['requests', 'items', 'bytes'])
        .default('requests')
        .describe('What `queue_size` counts: batches, spans (points, records), or encoded bytes.'),
      block_on_overflow: z
        .boolean()
        .default(false)
        .describe('A full queue makes the caller wait instead of refusing.'),
      wait_for_result: z
        .boolean()
        .default(false)
        .describe('The caller waits until its batch is sent or given up, and gets that result.'),
    })
    .superRefine((queue, context) => {
      if (!queue.enabled) return;
      if (queue.queue_size <= 0) {
        context.addIssue({ code: 'custom', message: '`queue_size` must be positive' });
      }
      if (queue.num_consumers <= 0) {
        context.addIssue({ code: 'custom', message: '`num_consumers` must be positive' });
      }
    });

export type QueueConfig = z.output<ReturnType<typeof queueFields>>;

interface Entry {
  readonly batch: Batch;
  readonly size: number;
  /** Set when the caller waits for the result. */
  readonly settle: ((outcome: Outcome) => void) | undefined;
}

/** A caller that `block_on_overflow` keeps waiting for room. */
interface Waiter {
  readonly entry: Entry;
  readonly admitted: () => void;
  readonly refuse: (error: Error) => void;
}

const SIZE_OF: Record<QueueConfig['sizer'], (batch: Batch) => number> = {
  requests: () => 1,
  items: (batch) => batch.itemCount,
  // Not of `bytes`, which would put the pieces together.
  bytes: (batch) =>
    batch.parts === undefined ? batch.bytes.length : batch.parts.reduce((sum, part) => sum + part.length, 0),
};

/** Holds batches in order and hands them to `deliver`, at most `num_consumers` at a time. */
export class SendingQueue {
  readonly #config: QueueConfig;
  readonly #deliver: (batch: Batch) => Promise<Outcome>;
  readonly #dropped: (batch: Batch, outcome: Outcome) => void;
  readonly #sized: (size: number) => void;
  readonly #entries = new Fifo<Entry>();
  readonly #waiters = new Fifo<Waiter>();
  #size = 0;
  #consumers = 0;
  #stopped = false;
  #onIdle: (() => void) | undefined;

  /**
   * `deliver` must not reject. `dropped` is told of batches that never reached `deliver`, `sized` of each change of
   * `size`.
   */
  constructor(
    config: QueueConfig,
    deliver: (batch: Batch) => Promise<Outcome>,
    dropped: (batch: Batch, outcome: Outcome) => void,
    sized: (size: number) => void = () => {},
  ) {
    this.#config = config;
    this.#deliver = deliver;
    this.#dropped = dropped;
    this.#sized = sized;
  }

  /** Used capacity in units of the sizer, batches in delivery included: they are only kept here. */
  get size(): number {
    return this.#size;
  }

  get capacity(): number {
    return this.#config.queue_size;
  }

  /**
   * Resolves when the batch is in the queue; with `wait_for_result` only when it was sent or given up, and then with
   * that outcome. Rejects when the batch did not get in: `RetryableError` when the queue is full or stopped,
   * `PermanentError` when the batch alone exceeds the queue.
   */
  async offer(batch: Batch): Promise<Outcome | undefined> {
    const size = SIZE_OF[this.#config.sizer](batch);
    if (size > this.#config.queue_size) throw new PermanentError('element size too large');
    if (this.#stopped) throw new RetryableError('sending queue is stopped');
    if (!this.#config.wait_for_result) {
      await this.#admit({ batch, size, settle: undefined });
      return undefined;
    }
    return new Promise((settle, reject) => {
      this.#admit({ batch, size, settle }).catch(reject);
    });
  }

  /** Stops intake and resolves when everything inside has been delivered or given up. Callers that wait are refused. */
  async drain(): Promise<void> {
    this.#stopped = true;
    for (let waiter = this.#waiters.shift(); waiter !== undefined; waiter = this.#waiters.shift()) {
      waiter.refuse(new RetryableError('sending queue is stopped'));
    }
    if (this.#consumers === 0 && this.#entries.length === 0) return;
    await new Promise<void>((resolve) => {
      this.#onIdle = resolve;
    });
  }

  /** Gives up what is still waiting for a consumer. Batches in delivery are the business of `deliver`. */
  discard(outcome: Outcome): void {
    for (let entry = this.#entries.shift(); entry !== undefined; entry = this.#entries.shift()) {
      this.#grow(-entry.size);
      this.#dropped(entry.batch, outcome);
      entry.settle?.(outcome);
    }
    this.#checkIdle();
  }

  async #admit(entry: Entry): Promise<void> {
    if (this.#size + entry.size <= this.#config.queue_size && this.#waiters.length === 0) {
      this.#grow(entry.size);
      this.#push(entry);
      return;
    }
    if (!this.#config.block_on_overflow) throw new RetryableError('sending queue is full');
    await new Promise<void>((admitted, refuse) => this.#waiters.push({ entry, admitted, refuse }));
  }

  #push(entry: Entry): void {
    this.#entries.push(entry);
    if (this.#consumers < this.#config.num_consumers) void this.#consume();
  }

  async #consume(): Promise<void> {
    this.#consumers++;
    for (let entry = this.#entries.shift(); entry !== undefined; entry = this.#entries.shift()) {
      const outcome = await this.#deliver(entry.batch);
      entry.settle?.(outcome);
      this.#release(entry.size);
    }
    this.#consumers--;
    this.#checkIdle();
  }

  /** Gives room back, to waiting callers first and in their order. */
  #release(size: number): void {
    this.#grow(-size);
    for (;;) {
      const waiter = this.#waiters.peek();
      if (waiter === undefined || this.#size + waiter.entry.size > this.#config.queue_size) return;
      this.#waiters.shift();
      this.#grow(waiter.entry.size);
      this.#push(waiter.entry);
      waiter.admitted();
    }
  }

  #grow(by: number): void {
    this.#size += by;
    this.#sized(this.#size);
  }

  #checkIdle(): void {
    if (this.#consumers === 0 && this.#entries.length === 0) this.#onIdle?.();
  }
}
