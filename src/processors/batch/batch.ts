/**
 * Puts small batches together. Differs from the Collector's processor of this name, which answers "accepted" and then
 * drops what the next component refuses:
 *
 * - A batch that is refused retryably is kept and offered again; new data waits meanwhile, up to `max_pending_size` items,
 *   and then the senders wait. Nothing is dropped but what is refused for good, or what is left at the shutdown deadline.
 * - With `wait_for_result` a sender is answered only when its items were taken, and gets the refusal.
 *
 * What can be lost without `wait_for_result`: at most `max_pending_size` items, when the process is killed.
 */
import type { Consumer, Processor, Settings } from '../../component/component.js';
import { PermanentError, RetryableError } from '../../component/errors.js';
import type { Batch, Origin, Signal } from '../../component/signal.js';
import { Fifo } from '../../pipeline/fifo.js';
import { pause } from '../../pipeline/pause.js';
import { BATCH_SIZE_BOUNDS } from '../../telemetry/prometheus/collector-families.js';
import type { BatchConfig } from './config.js';
import { BatchShard } from './shard.js';

/** Wait before a refused batch is offered again, when the refusal doesn't say. */
const RETRY_MS = 1000;
/** The same during shutdown. */
const DRAIN_RETRY_MS = 200;

/** Upper bound of the histogram bucket that a batch of this size falls in. */
const sizeBucket = (items: number): string =>
  String(BATCH_SIZE_BOUNDS.find((bound) => items <= bound) ?? '+Inf');

export class BatchProcessor implements Processor {
  readonly #settings: Settings;
  readonly #config: BatchConfig;
  readonly #signal: Signal;
  readonly #next: Consumer;
  /** By origin: batches of different receivers stay apart, since later components may look at it; so do the listed headers. */
  readonly #shards = new Map<string, BatchShard>();
  /** Names of the headers that tell batches apart, in lower case and sorted. */
  readonly #keys: readonly string[];
  readonly #combinations = new Set<string>();
  readonly #waiting = new Fifo<() => void>();
  readonly #draining = new AbortController();
  readonly #deadline = new AbortController();
  #held = 0;

  constructor(settings: Settings, config: BatchConfig, signal: Signal, next: Consumer) {
    this.#settings = settings;
    this.#config = config;
    this.#signal = signal;
    this.#next = next;
    this.#keys = config.metadata_keys.map((key) => key.toLowerCase()).toSorted();
  }

  async start(): Promise<void> {}

  async consume(batch: Batch): Promise<void> {
    const { metrics } = this.#settings;
    const shard = this.#shardOf(batch);
    if (shard === undefined) {
      metrics.received(this.#signal, batch.itemCount);
      metrics.dropped(this.#signal, batch.itemCount, 'rejected');
      throw new PermanentError('too many batcher metadata-value combinations');
    }
    while (this.#held >= this.#config.max_pending_size && !this.#draining.signal.aborted) {
      await new Promise<void>((enter) => this.#waiting.push(enter));
    }
    metrics.received(this.#signal, batch.itemCount);
    if (this.#draining.signal.aborted) {
      metrics.dropped(this.#signal, batch.itemCount, 'refused');
      throw new RetryableError('batch processor is stopped');
    }
    this.#hold(batch.itemCount);
    if (!this.#config.wait_for_result) return shard.add({ batch, settle: undefined });
    const error = await new Promise<unknown>((settle) => shard.add({ batch, settle }));
    if (error !== undefined) throw error;
  }

  async shutdown(deadline: AbortSignal): Promise<void> {
    this.#draining.abort();
    for (let enter = this.#waiting.shift(); enter !== undefined; enter = this.#waiting.shift()) enter();
    const giveUp = () => this.#deadline.abort();
    if (deadline.aborted) giveUp();
    else deadline.addEventListener('abort', giveUp, { once: true });
    await Promise.all([...this.#shards.values()].map((shard) => shard.flush()));
    deadline.removeEventListener('abort', giveUp);
  }

  /** Undefined when the batch's headers are one combination too many. */
  #shardOf({ origin }: Batch): BatchShard | undefined {
    const metadata = this.#listed(origin.metadata);
    const combination = metadata === undefined ? '' : JSON.stringify(metadata);
    const key = `${origin.receiver} ${origin.joined === true} ${combination}`;
    let shard = this.#shards.get(key);
    if (shard !== undefined) return shard;
    if (metadata !== undefined && !this.#combinations.has(combination)) {
      const limit = this.#config.metadata_cardinality_limit;
      if (limit > 0 && this.#combinations.size >= limit) return undefined;
      this.#combinations.add(combination);
    }
    const merged: Origin = {
      receiver: origin.receiver,
      ...(origin.joined === true ? { joined: true } : {}),
      ...(metadata === undefined ? {} : { metadata }),
    };
    const { metrics } = this.#settings;
    shard = new BatchShard(this.#signal, merged, this.#config, {
      deliver: (batch) => this.#deliver(batch),
      triggered: (why) => metrics.count(`${why}_trigger_send`, 1),
    });
    this.#shards.set(key, shard);
    metrics.gauge('metadata_cardinality', this.#keys.length > 0 ? this.#combinations.size : 1);
    return shard;
  }

  /** The headers that batches are told apart by, those that came; undefined when there are no `metadata_keys`. */
  #listed(metadata: Origin['metadata']): NonNullable<Origin['metadata']> | undefined {
    if (this.#keys.length === 0) return undefined;
    const listed: Record<string, readonly string[]> = {};
    for (const key of this.#keys) {
      const values = metadata?.[key];
      if (values !== undefined) listed[key] = values;
    }
    return listed;
  }

  /** Offers until taken, refused for good, or out of time. The error, if any, has been counted. */
  async #deliver(batch: Batch): Promise<unknown> {
    const { metrics, logger } = this.#settings;
    for (;;) {
      try {
        await this.#next.consume(batch);
        metrics.sent(this.#signal, batch.itemCount);
        metrics.count('batch_send_size', 1, { le: sizeBucket(batch.itemCount) });
        metrics.count('batch_send_size_sum', batch.itemCount);
        this.#hold(-batch.itemCount);
        return undefined;
      } catch (error) {
        logger.warn('Sender failed', { error: error instanceof Error ? error.message : String(error) });
        const again = error instanceof RetryableError && !this.#config.wait_for_result;
        if (!again) {
          const permanent = error instanceof PermanentError;
          const reason = permanent
            ? 'rejected'
            : error instanceof RetryableError
              ? 'refused'
              : 'internal_error';
          return this.#drop(batch, reason, error);
        }
        const waitMs = error.retryAfterMs ?? (this.#draining.signal.aborted ? DRAIN_RETRY_MS : RETRY_MS);
        await pause(waitMs, { draining: this.#draining.signal, deadline: this.#deadline.signal });
        if (this.#deadline.signal.aborted) return this.#drop(batch, 'shutdown', error);
      }
    }
  }

  #drop(batch: Batch, reason: string, error: unknown): unknown {
    this.#settings.metrics.dropped(this.#signal, batch.itemCount, reason);
    this.#hold(-batch.itemCount);
    return error;
  }

  #hold(items: number): void {
    this.#held += items;
    this.#settings.metrics.held(this.#signal, this.#held);
    // One at a time: whoever enters adds to #held and wakes the next one if there is still room.
    if (this.#held < this.#config.max_pending_size) this.#waiting.shift()?.();
  }
}
