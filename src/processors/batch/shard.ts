import type { Batch, Origin, Signal } from '../../component/signal.js';
import { mergeBatches, splitBatch } from '../../otlp/reshape.js';
import { MergedBatch } from '../../pipeline/merged-batch.js';
import type { BatchConfig } from './config.js';

/** A batch that was accepted, and its sender's promise when that waits for the result. */
export interface Pending {
  readonly batch: Batch;
  readonly settle: ((error: unknown) => void) | undefined;
}

/** Hands a finished batch on; resolves to the error that it met in the end, or undefined. Never rejects. */
export type Deliver = (batch: Batch) => Promise<unknown>;

export interface ShardOutput {
  readonly deliver: Deliver;
  /** A flush was asked for, because the batch was full or its time was over. */
  readonly triggered: (why: 'batch_size' | 'timeout') => void;
}

/** Collects batches of one origin and delivers them merged, one at a time, in order. */
export class BatchShard {
  readonly #signal: Signal;
  readonly #origin: Origin;
  readonly #config: BatchConfig;
  readonly #output: ShardOutput;
  #pending: Pending[] = [];
  #items = 0;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();
  #active = false;
  /** A flush was asked for since the last one began. */
  #due = false;

  constructor(signal: Signal, origin: Origin, config: BatchConfig, output: ShardOutput) {
    this.#signal = signal;
    this.#origin = origin;
    this.#config = config;
    this.#output = output;
  }

  add(pending: Pending): void {
    this.#pending.push(pending);
    this.#items += pending.batch.itemCount;
    const { send_batch_size: full, timeout } = this.#config;
    if (timeout === 0 || (full > 0 && this.#items >= full)) {
      this.#output.triggered('batch_size');
      void this.flush();
    } else if (this.#timer === undefined) {
      this.#timer = setTimeout(() => {
        this.#output.triggered('timeout');
        void this.flush();
      }, timeout);
    }
  }

  /** Delivers what is here now; resolves when it is gone. */
  flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#due = true;
    if (!this.#active) this.#running = this.#run();
    return this.#running;
  }

  async #run(): Promise<void> {
    this.#active = true;
    while (this.#due && this.#pending.length > 0) {
      this.#due = false;
      const taken = this.#pending;
      this.#pending = [];
      this.#items = 0;
      let failure: unknown;
      for (const batch of this.#form(taken)) failure = (await this.#output.deliver(batch)) ?? failure;
      for (const { settle } of taken) settle?.(failure);
    }
    this.#due = false;
    this.#active = false;
  }

  #form(taken: readonly Pending[]): Batch[] {
    const parts = taken.flatMap(({ batch }) => batch.parts ?? [batch.bytes]);
    const itemCount = taken.reduce((sum, { batch }) => sum + batch.itemCount, 0);
    const max = this.#config.send_batch_max_size;
    const common = { signal: this.#signal, origin: this.#origin };
    if (max === 0 || itemCount <= max) return [new MergedBatch(common, parts, itemCount)];
    const bytes = mergeBatches(parts);
    try {
      return splitBatch(this.#signal, bytes, { maxItems: max }).map((part) => ({ ...common, ...part }));
    } catch {
      // One of them is not OTLP. It must not spoil the others, so they go on as they came.
      return taken.map(({ batch }) => batch);
    }
  }
}
