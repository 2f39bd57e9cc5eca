import { setTimeout as sleep } from 'node:timers/promises';
import type { Consumer, Settings } from '../component/component.js';
import { RetryableError } from '../component/errors.js';
import type { SpanBatch } from './span-builder.js';

const RETRY_MS = 200;
const LONGEST_RETRY_MS = 5000;

/**
 * Hands span batches to a pipeline and counts them: `received = sent + dropped + held` in the unit `traces`.
 * A batch that the pipeline can't take now is offered again until it can or `signal` aborts; the observer's budget for
 * batches under way bounds what waits meanwhile.
 */
export class SpanDelivery {
  readonly #settings: Settings;
  readonly #next: Consumer | undefined;
  readonly #signal: AbortSignal;
  #held = 0;

  constructor(settings: Settings, next: Consumer | undefined, signal: AbortSignal) {
    this.#settings = settings;
    this.#next = next;
    this.#signal = signal;
  }

  /** Resolves when the batch was taken or given up; never rejects. */
  async deliver({ bytes, itemCount }: SpanBatch): Promise<void> {
    const { metrics, id } = this.#settings;
    metrics.received('traces', itemCount);
    this.#hold(itemCount);
    const batch = { signal: 'traces', bytes, itemCount, origin: { receiver: id, joined: true } } as const;
    const reason = this.#next === undefined ? 'no_pipeline' : await this.#offer(this.#next, batch);
    this.#hold(-itemCount);
    if (reason === undefined) metrics.sent('traces', itemCount);
    else metrics.dropped('traces', itemCount, reason);
  }

  /** The reason why the batch was given up, undefined when it was taken. */
  async #offer(next: Consumer, batch: Parameters<Consumer['consume']>[0]): Promise<string | undefined> {
    if (this.#signal.aborted) return 'shutdown';
    for (let waitMs = RETRY_MS; ; waitMs = Math.min(2 * waitMs, LONGEST_RETRY_MS)) {
      try {
        await next.consume(batch);
        return undefined;
      } catch (error) {
        if (!(error instanceof RetryableError)) {
          this.#settings.logger.error('The pipeline refused spans; they are lost.', { error: String(error) });
          return 'refused';
        }
        if (this.#signal.aborted) return 'shutdown';
        await sleep(error.retryAfterMs ?? waitMs, undefined, { signal: this.#signal }).catch(() => {});
      }
    }
  }

  #hold(change: number): void {
    this.#held += change;
    this.#settings.metrics.held('traces', this.#held);
  }
}
