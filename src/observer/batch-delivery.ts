import { setTimeout as sleep } from 'node:timers/promises';
import type { Consumer, Settings } from '../component/component.js';
import { RetryableError } from '../component/errors.js';

const RETRY_MS = 200;
const LONGEST_RETRY_MS = 5000;

const NOUNS = { traces: 'spans', metrics: 'metrics' } as const;

/** What the observer hands out: an encoded request and how many items it has. */
export interface ObservedBatch {
  readonly bytes: Uint8Array;
  readonly itemCount: number;
}

/**
 * Hands batches to a pipeline and counts them: `received = sent + dropped + held` in the unit of their signal.
 * A batch that the pipeline can't take now is offered again until it can or `stop` aborts; the observer's budget for
 * batches under way bounds what waits meanwhile.
 */
export class BatchDelivery {
  readonly #settings: Settings;
  readonly #next: Consumer | undefined;
  readonly #stop: AbortSignal;
  readonly #signal: 'traces' | 'metrics';
  #held = 0;

  constructor(
    settings: Settings,
    next: Consumer | undefined,
    stop: AbortSignal,
    signal: 'traces' | 'metrics' = 'traces',
  ) {
    this.#settings = settings;
    this.#next = next;
    this.#stop = stop;
    this.#signal = signal;
  }

  /** Resolves when the batch was taken or given up; never rejects. */
  async deliver({ bytes, itemCount }: ObservedBatch): Promise<void> {
    const { metrics, id } = this.#settings;
    const signal = this.#signal;
    metrics.received(signal, itemCount);
    this.#hold(itemCount);
    const batch = { signal, bytes, itemCount, origin: { receiver: id, joined: true } } as const;
    const reason = this.#next === undefined ? 'no_pipeline' : await this.#offer(this.#next, batch);
    this.#hold(-itemCount);
    if (reason === undefined) metrics.sent(signal, itemCount);
    else metrics.dropped(signal, itemCount, reason);
  }

  /** The reason why the batch was given up, undefined when it was taken. */
  async #offer(next: Consumer, batch: Parameters<Consumer['consume']>[0]): Promise<string | undefined> {
    if (this.#stop.aborted) return 'shutdown';
    for (let waitMs = RETRY_MS; ; waitMs = Math.min(2 * waitMs, LONGEST_RETRY_MS)) {
      try {
        await next.consume(batch);
        return undefined;
      } catch (error) {
        if (!(error instanceof RetryableError)) {
          const { logger } = this.#settings;
          logger.error(`The pipeline refused ${NOUNS[this.#signal]}; they are lost.`, {
            error: String(error),
          });
          return 'refused';
        }
        if (this.#stop.aborted) return 'shutdown';
        await sleep(error.retryAfterMs ?? waitMs, undefined, { signal: this.#stop }).catch(() => {});
      }
    }
  }

  #hold(change: number): void {
    this.#held += change;
    this.#settings.metrics.held(this.#signal, this.#held);
  }
}
