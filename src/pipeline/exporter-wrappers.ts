/**
 * What every exporter over a network needs around its protocol: queue, retry, time limit, and the accounting of all
 * three. Order from outside in, as in the Collector: queue -> retry -> timeout -> send.
 *
 * Use in an exporter's folder:
 *
 *     config: () => z.strictObject({ endpoint: ..., ...deliveryFields() })
 *     create: (settings, config, signal) => exporterOf(new MySender(settings, config, signal), config, settings, signal)
 */
import { setMaxListeners } from 'node:events';
import type { Exporter, Host, Settings } from '../component/component.js';
import { PermanentError, RetryableError } from '../component/errors.js';
import type { Batch, Signal } from '../component/signal.js';
import { duration } from '../config/fields.js';
import { collectorType } from '../config/schema-walk.js';
import { type RetryConfig, retryFields, retrying } from './retry.js';
import type { Attempt, Outcome, Sender } from './sender.js';
import { type QueueConfig, queueFields, SendingQueue } from './sending-queue.js';
import { withTimeout } from './timeout.js';

export type { Attempt, DropReason, Outcome, Sender } from './sender.js';
export { queueFields, retryFields, retrying, SendingQueue, withTimeout };

/** `timeout`, `retry_on_failure` and `sending_queue` for the schema of an exporter. */
export const deliveryFields = (defaults: { readonly timeout?: string } = {}) => ({
  timeout: duration()
    .prefault(defaults.timeout ?? '5s')
    .describe('Longest time for one attempt. 0 means no limit.'),
  retry_on_failure: retryFields().prefault({}).describe('What to do when an attempt fails.'),
  sending_queue: collectorType('queuebatch.Config', queueFields(), { optional: true, unmarshals: true })
    .prefault({})
    .describe('What to keep while the other side is slow or away.'),
});

export interface DeliveryConfig {
  /** Milliseconds; 0: no limit. */
  readonly timeout: number;
  readonly retry_on_failure: RetryConfig;
  readonly sending_queue: QueueConfig;
}

/**
 * Makes an exporter of a sender. It counts what it received, sent, dropped and holds, logs with the Collector's
 * sentences, and on shutdown keeps sending until the deadline; what is left then is dropped with reason `shutdown`.
 */
export function exporterOf<S extends Signal>(
  sender: Sender<S>,
  config: DeliveryConfig,
  settings: Settings,
  signal: S,
): Exporter<S> {
  return new DeliveringExporter(sender, config, settings, signal);
}

class DeliveringExporter<S extends Signal> implements Exporter<S> {
  readonly #sender: Sender<S>;
  readonly #config: DeliveryConfig;
  readonly #settings: Settings;
  readonly #signal: S;
  readonly #queue: SendingQueue | undefined;
  #host: Host | undefined;
  readonly #send: (batch: Batch) => Promise<Outcome>;
  readonly #draining = new AbortController();
  readonly #deadline = new AbortController();
  /** Items accepted and not yet sent or dropped. */
  #held = 0;
  /** Deliveries that are running, for a shutdown without a queue. */
  #open = 0;
  #onIdle: (() => void) | undefined;
  #stopping: Promise<void> | undefined;

  constructor(sender: Sender<S>, config: DeliveryConfig, settings: Settings, signal: S) {
    this.#sender = sender;
    this.#config = config;
    this.#settings = settings;
    this.#signal = signal;
    // Each delivery listens while it runs, and `num_consumers` may well be more than the ten that Node.js finds odd.
    setMaxListeners(0, this.#draining.signal, this.#deadline.signal);
    const attempt = this.#countingRequests(
      withTimeout((batch, abort) => sender.send(batch as Batch<S>, abort), config.timeout),
    );
    const retry = retrying(attempt, config.retry_on_failure, {
      logger: settings.logger,
      clock: () => performance.now(),
      random: Math.random,
    });
    const stop = { draining: this.#draining.signal, deadline: this.#deadline.signal };
    this.#send = (batch) => retry(batch, stop);
    if (config.sending_queue.enabled) {
      this.#queue = new SendingQueue(
        config.sending_queue,
        async (batch) => {
          const outcome = await this.#send(batch);
          this.#settle(batch, outcome);
          return outcome;
        },
        (batch, outcome) => this.#settle(batch, outcome),
        (size) => settings.metrics.gauge('queue_size', size, { data_type: signal }),
      );
    }
  }

  async start(host: Host): Promise<void> {
    this.#host = host;
    await this.#sender.start(host);
    if (this.#queue !== undefined) {
      this.#settings.metrics.gauge('queue_capacity', this.#queue.capacity, { data_type: this.#signal });
      this.#settings.metrics.gauge('queue_size', 0, { data_type: this.#signal });
    }
  }

  async consume(batch: Batch<S>): Promise<void> {
    const { metrics } = this.#settings;
    metrics.received(this.#signal, batch.itemCount);
    this.#hold(batch.itemCount);
    if (this.#queue !== undefined) {
      const outcome = await this.#queue.offer(batch).catch((error: unknown) => {
        this.#reject(batch, error);
        throw error;
      });
      if (outcome?.status === 'failed') throw outcome.error;
      return;
    }
    if (this.#draining.signal.aborted) {
      const error = new RetryableError('exporter is stopped');
      this.#reject(batch, error);
      throw error;
    }
    this.#open++;
    const outcome = await this.#send(batch);
    this.#open--;
    this.#settle(batch, outcome);
    if (this.#open === 0) this.#onIdle?.();
    if (outcome.status === 'failed') throw outcome.error;
  }

  shutdown(deadline: AbortSignal): Promise<void> {
    this.#stopping ??= this.#stop(deadline);
    return this.#stopping;
  }

  async #stop(deadline: AbortSignal): Promise<void> {
    const giveUp = () => {
      this.#deadline.abort();
      const error = new RetryableError('interrupted due to shutdown: the deadline has passed');
      this.#queue?.discard({ status: 'failed', reason: 'shutdown', error });
    };
    if (deadline.aborted) giveUp();
    else deadline.addEventListener('abort', giveUp, { once: true });
    this.#draining.abort();
    if (this.#queue !== undefined) await this.#queue.drain();
    else if (this.#open > 0) {
      await new Promise<void>((resolve) => {
        this.#onIdle = resolve;
      });
    }
    deadline.removeEventListener('abort', giveUp);
    await this.#sender.shutdown(deadline);
  }

  /** The batch never got in: the queue is full or the program stops. The caller still has it. */
  #reject(batch: Batch, error: unknown): void {
    const { metrics, logger } = this.#settings;
    this.#hold(-batch.itemCount);
    const reason =
      error instanceof PermanentError
        ? 'permanent'
        : this.#draining.signal.aborted
          ? 'shutdown'
          : 'queue_full';
    metrics.dropped(this.#signal, batch.itemCount, reason);
    metrics.count('enqueue_failed', batch.itemCount, { data_type: this.#signal });
    logger.error('Exporting failed. Rejecting data.', {
      error: error instanceof Error ? error.message : String(error),
      rejected_items: batch.itemCount,
    });
  }

  #settle(batch: Batch, outcome: Outcome): void {
    const { metrics, logger } = this.#settings;
    this.#hold(-batch.itemCount);
    if (outcome.status === 'sent') {
      const rejected = this.#sender.rejectedItems?.(batch as Batch<S>) ?? 0;
      metrics.sent(this.#signal, batch.itemCount - rejected);
      return;
    }
    metrics.dropped(this.#signal, batch.itemCount, outcome.reason);
    const permanent = outcome.error instanceof PermanentError;
    const prefix = 'Permanent error: ';
    const text = outcome.error.message;
    const error = permanent ? `not retryable error: ${text.startsWith(prefix) ? '' : prefix}${text}` : text;
    const queueOff = this.#queue === undefined;
    const hint =
      permanent || outcome.reason === 'shutdown'
        ? ''
        : !this.#config.retry_on_failure.enabled
          ? ' Try enabling retry_on_failure config option to retry on retryable errors.'
          : queueOff
            ? ' Try enabling sending_queue to survive temporary failures.'
            : '';
    if (queueOff) {
      logger.error(`Exporting failed. Rejecting data.${hint}`, { error, rejected_items: batch.itemCount });
    } else {
      logger.error(`Exporting failed. Dropping data.${hint}`, { error, dropped_items: batch.itemCount });
    }
  }

  #countingRequests(attempt: Attempt): Attempt {
    const { metrics } = this.#settings;
    let inFlight = 0;
    const change = (by: number): void => {
      inFlight += by;
      metrics.gauge('in_flight_requests', inFlight, { data_type: this.#signal });
    };
    return async (batch, abort) => {
      change(1);
      try {
        await attempt(batch, abort);
        this.#host?.reportStatus?.('ok');
      } catch (error) {
        // One batch that is refused for good says nothing about the next.
        if (error instanceof RetryableError) this.#host?.reportStatus?.('recoverable_error', error);
        throw error;
      } finally {
        change(-1);
      }
    };
  }

  #hold(items: number): void {
    this.#held += items;
    this.#settings.metrics.held(this.#signal, this.#held);
  }
}
