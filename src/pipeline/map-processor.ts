import type { Consumer, Processor, Settings } from '../component/component.js';
import { PermanentError } from '../component/errors.js';
import type { Batch } from '../component/signal.js';
import { MalformedError } from '../otlp/malformed-error.js';

/** What became of a batch: what goes on (`itemCount` 0: nothing) and what was taken out, by reason. */
export interface Mapped {
  readonly bytes: Uint8Array;
  readonly itemCount: number;
  readonly dropped?: Readonly<Record<string, number>>;
}

/**
 * A processor that holds nothing: each batch is turned into another one and passed on. What was taken out is counted
 * once the rest was accepted, since a sender that is refused comes back with all of it. Bytes that are no OTLP are
 * refused for good; what must be removed from data can't be removed from something that can't be read.
 */
export class MapProcessor implements Processor {
  readonly #settings: Settings;
  readonly #next: Consumer;
  readonly #map: (batch: Batch) => Mapped;

  constructor(settings: Settings, next: Consumer, map: (batch: Batch) => Mapped) {
    this.#settings = settings;
    this.#next = next;
    this.#map = map;
  }

  async start(): Promise<void> {}

  async shutdown(): Promise<void> {}

  async consume(batch: Batch): Promise<void> {
    const { bytes, itemCount, dropped = {} } = this.#try(batch);
    if (itemCount > 0 || bytes === batch.bytes) {
      await this.#next.consume(
        bytes === batch.bytes && itemCount === batch.itemCount ? batch : { ...batch, bytes, itemCount },
      );
    }
    for (const [reason, items] of Object.entries(dropped)) {
      this.#settings.metrics.dropped(batch.signal, items, reason);
    }
  }

  #try(batch: Batch): Mapped {
    try {
      return this.#map(batch);
    } catch (cause) {
      if (!(cause instanceof MalformedError)) throw cause;
      throw new PermanentError(cause.message, { cause });
    }
  }
}
