import type { Consumer, Settings } from '../component/component.js';
import { RetryableError } from '../component/errors.js';
import { addNs, timeFromMs } from '../otlp/time.js';
import type { MetricBatch, MetricsAggregator } from './aggregator.js';

export interface EmitterOptions {
  /** Milliseconds; 0: only `emit` sends. */
  readonly intervalMs: number;
  /** Metrics are dated back by so much. */
  readonly offsetMs?: number;
  /** Called before each collection. */
  readonly prepare?: () => void;
}

/**
 * Collects an aggregator at an interval and hands on what it has. A pipeline that can't take a batch now costs nothing
 * that is cumulative: the next one says it again. So nothing is held, what was refused is counted, and one collection at a
 * time is on its way.
 */
export class MetricsEmitter {
  readonly #settings: Settings;
  readonly #aggregator: MetricsAggregator;
  readonly #next: Consumer;
  readonly #options: EmitterOptions;
  #timer: NodeJS.Timeout | undefined;
  #sending: Promise<void> = Promise.resolve();
  #isSending = false;

  constructor(settings: Settings, aggregator: MetricsAggregator, next: Consumer, options: EmitterOptions) {
    this.#settings = settings;
    this.#aggregator = aggregator;
    this.#next = next;
    this.#options = options;
  }

  start(): void {
    const { intervalMs } = this.#options;
    if (intervalMs <= 0 || this.#timer !== undefined) return;
    this.#timer = setInterval(() => void this.emit(), intervalMs);
  }

  /** Collects and sends; while a former collection is on its way it does nothing. Never rejects. */
  async emit(): Promise<void> {
    if (this.#isSending) return;
    this.#isSending = true;
    this.#sending = this.#send().finally(() => {
      this.#isSending = false;
    });
    await this.#sending;
  }

  /** Sends what is left. May be called twice and without `start`. */
  async shutdown(deadline: AbortSignal): Promise<void> {
    clearInterval(this.#timer);
    this.#timer = undefined;
    const aborted = new Promise<void>((resolve) => {
      if (deadline.aborted) resolve();
      deadline.addEventListener('abort', () => resolve(), { once: true });
    });
    await Promise.race([this.#sending.then(() => this.emit()), aborted]);
  }

  async #send(): Promise<void> {
    const { prepare, offsetMs = 0 } = this.#options;
    prepare?.();
    const now = addNs(timeFromMs(this.#settings.now()), -Math.round(offsetMs * 1e6));
    const batches = this.#aggregator.collect(now);
    const { series, bytes, resources } = this.#aggregator.stats();
    const { metrics } = this.#settings;
    metrics.gauge('metric_series', series);
    metrics.gauge('metric_series_bytes', bytes);
    metrics.gauge('metric_resources', resources);
    for (const batch of batches) await this.#offer(batch);
  }

  async #offer({ bytes, itemCount }: MetricBatch): Promise<void> {
    const { metrics, logger, id } = this.#settings;
    metrics.received('metrics', itemCount);
    try {
      await this.#next.consume({ signal: 'metrics', bytes, itemCount, origin: { receiver: id } });
      metrics.sent('metrics', itemCount);
    } catch (error) {
      const isBusy = error instanceof RetryableError;
      metrics.dropped('metrics', itemCount, isBusy ? 'pipeline_full' : 'refused');
      logger.warn('The pipeline did not take metrics; the next ones say more.', { error: String(error) });
    }
  }
}
