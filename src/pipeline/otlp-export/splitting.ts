import type { Host } from '../../component/component.js';
import { PermanentError } from '../../component/errors.js';
import type { Batch, Signal } from '../../component/signal.js';
import { splitBatch } from '../../otlp/reshape.js';
import type { Sender } from '../sender.js';
import { TooLargeError } from './export-failure.js';
import type { PartialSuccessLog } from './partial-success-log.js';

/** What is left of a batch that was split. */
interface Rest {
  /** Parts that are not sent yet, in order. */
  readonly parts: Batch[];
  sentSome: boolean;
}

/**
 * Cuts a batch in two when the peer says that it is too large, again and again down to single items, and counts an item
 * that is too large by itself as dropped. (A Collector drops the whole batch.)
 *
 * A batch of which some parts were accepted already is not sent twice: what is left of it is remembered until it is
 * sent, so that a retry of the batch sends the rest only. When the retries run out then, the whole batch is counted as
 * dropped although parts of it arrived: the count errs on the side of loss.
 */
export class SplittingSender implements Sender {
  readonly #inner: Sender;
  readonly #log: PartialSuccessLog;
  readonly #rests = new WeakMap<Batch, Rest>();

  constructor(inner: Sender, log: PartialSuccessLog) {
    this.#inner = inner;
    this.#log = log;
  }

  start(host: Host): Promise<void> {
    return this.#inner.start(host);
  }

  shutdown(deadline: AbortSignal): Promise<void> {
    return this.#inner.shutdown(deadline);
  }

  async send(batch: Batch, abort: AbortSignal): Promise<void> {
    const rest = this.#rests.get(batch);
    if (rest !== undefined) return this.#sendRest(batch, rest, abort);
    try {
      await this.#inner.send(batch, abort);
    } catch (error) {
      if (!(error instanceof TooLargeError)) throw error;
      const parts = halve(batch);
      if (parts.length < 2) throw error;
      const split = { parts, sentSome: false };
      this.#rests.set(batch, split);
      await this.#sendRest(batch, split, abort);
    }
  }

  rejectedItems(batch: Batch): number {
    return this.#log.take(batch);
  }

  async #sendRest(batch: Batch, rest: Rest, abort: AbortSignal): Promise<void> {
    const { parts } = rest;
    for (let part = parts[0]; part !== undefined; part = parts[0]) {
      try {
        await this.#inner.send(part, abort);
      } catch (error) {
        if (!(error instanceof PermanentError)) throw error;
        parts.shift();
        this.#refused(batch, rest, part, error);
        continue;
      }
      parts.shift();
      rest.sentSome = true;
      const rejected = this.#inner.rejectedItems?.(part) ?? 0;
      if (rejected > 0) this.#log.carry(batch, rejected);
    }
    this.#rests.delete(batch);
  }

  #refused(batch: Batch, rest: Rest, part: Batch, error: PermanentError): void {
    if (error instanceof TooLargeError) {
      const halves = halve(part);
      if (halves.length > 1) rest.parts.unshift(...halves);
      else this.#log.drop(batch, part.itemCount, 'too_large', error.message);
      return;
    }
    // Another reason than size would meet every part. What arrived before stays sent.
    const left = rest.parts.splice(0).reduce((sum, { itemCount }) => sum + itemCount, part.itemCount);
    this.#rests.delete(batch);
    if (!rest.sentSome) throw error;
    this.#log.drop(batch, left, 'permanent', error.message);
  }
}

/** Two parts of about the same size, one when there is nothing to cut. */
function halve(batch: Batch<Signal>): Batch[] {
  if (batch.itemCount < 2) return [];
  const parts = splitBatch(batch.signal, batch.bytes, { maxItems: Math.ceil(batch.itemCount / 2) });
  return parts.map(({ bytes, itemCount }) => ({ ...batch, bytes, itemCount }));
}
