/**
 * `sending_queue.batch`: puts what leaves a queue together before it is sent. Everything stays in the queue until it was
 * sent, so nothing is lost that the queue would not lose.
 */
import type { Batch, Origin, Signal } from '../component/signal.js';
import { mergeBatches, splitBatch } from '../otlp/reshape.js';
import { bytesOf } from './batch-bytes.js';
import { MergedBatch } from './merged-batch.js';
import type { QueueEntry } from './queue-buffer.js';
import type { QueueBatchConfig } from './queue-config.js';
import type { Outcome } from './sender.js';

export interface QueueBatcherOptions {
  readonly config: QueueBatchConfig;
  readonly sizer: 'items' | 'bytes';
  /** Sends one batch. Must not reject. */
  readonly deliver: (batch: Batch) => Promise<Outcome>;
  /** All parts of the entry are sent or given up; of several failures the first. */
  readonly finished: (entry: QueueEntry, outcome: Outcome) => void;
  /** Batches that are sent at the same time. */
  readonly concurrency: number;
}

/** An entry of which a part is still to be sent. */
interface Open {
  readonly entry: QueueEntry;
  parts: number;
  failure: Outcome | undefined;
}

/** Something that will be sent as one, and the entries that it is of. */
interface Piece {
  readonly batch: Batch;
  readonly of: readonly Open[];
}

interface Group {
  pieces: Piece[];
  size: number;
  timer: NodeJS.Timeout | undefined;
}

/** Most groups at a time; beyond that, the one that was begun first is sent to make room. */
const MAX_GROUPS = 1000;

export class QueueBatcher {
  readonly #options: QueueBatcherOptions;
  /** By partition, the one that was begun first in front. */
  readonly #groups = new Map<string, Group>();
  readonly #waiting: (() => void)[] = [];
  #sending = 0;

  constructor(options: QueueBatcherOptions) {
    this.#options = options;
  }

  /** True when nothing is collected or being sent. */
  get isIdle(): boolean {
    return this.#groups.size === 0 && this.#sending === 0 && this.#waiting.length === 0;
  }

  /** Takes an entry. Resolves when the next one may come: while all senders are busy, the queue keeps the rest. */
  async add(entry: QueueEntry): Promise<void> {
    const { config } = this.#options;
    const open: Open = { entry, parts: 1, failure: undefined };
    const piece = { batch: entry.batch, of: [open] };
    // Samples of a profile point into the dictionary of their own batch.
    if (entry.batch.signal === 'profiles') return this.#send(piece);
    const key = this.#partitionOf(entry.batch.origin);
    let group = this.#groups.get(key);
    if (group === undefined) {
      if (this.#groups.size >= MAX_GROUPS) await this.#flush(this.#groups.keys().next().value!);
      group = { pieces: [], size: 0, timer: undefined };
      this.#groups.set(key, group);
      group.timer = setTimeout(() => void this.#flush(key), config.flush_timeout);
    }
    group.pieces.push(piece);
    group.size += this.#sizeOf(entry.batch);
    if (group.size >= config.min_size) await this.#flush(key, true);
  }

  /** Sends what is collected, however small. */
  flush(): void {
    for (const key of [...this.#groups.keys()]) void this.#flush(key);
  }

  /** Gives up what is collected without sending it; `dropped` is told of each batch. */
  discard(dropped: (batch: Batch) => void, outcome: Outcome): void {
    for (const [key, { pieces, timer }] of [...this.#groups]) {
      clearTimeout(timer);
      this.#groups.delete(key);
      for (const { batch, of } of pieces) {
        dropped(batch);
        this.#settle(of, outcome);
      }
    }
  }

  /** Forgets what is collected: it is in a queue that survives. */
  abandon(): void {
    for (const { timer } of this.#groups.values()) clearTimeout(timer);
    this.#groups.clear();
  }

  async #flush(key: string, keepRest = false): Promise<void> {
    const group = this.#groups.get(key);
    if (group === undefined) return;
    clearTimeout(group.timer);
    this.#groups.delete(key);
    const pieces = this.#form(group.pieces);
    const last = pieces.at(-1);
    if (
      keepRest &&
      pieces.length > 1 &&
      last !== undefined &&
      this.#sizeOf(last.batch) < this.#options.config.min_size
    ) {
      pieces.pop();
      const rest = {
        pieces: [last],
        size: this.#sizeOf(last.batch),
        timer: undefined as NodeJS.Timeout | undefined,
      };
      rest.timer = setTimeout(() => void this.#flush(key), this.#options.config.flush_timeout);
      this.#groups.set(key, rest);
    }
    for (const piece of pieces) await this.#send(piece);
  }

  /** Resolves when sending has begun. */
  async #send(piece: Piece): Promise<void> {
    if (this.#sending >= this.#options.concurrency) {
      await new Promise<void>((begin) => this.#waiting.push(begin));
    } else this.#sending++;
    void this.#options.deliver(piece.batch).then((outcome) => {
      // The place goes to the next in line, or is free again.
      const next = this.#waiting.shift();
      if (next === undefined) this.#sending--;
      else next();
      this.#settle(piece.of, outcome);
    });
  }

  #settle(of: readonly Open[], outcome: Outcome): void {
    for (const open of of) {
      if (outcome.status === 'failed') open.failure ??= outcome;
      open.parts--;
      if (open.parts === 0) this.#options.finished(open.entry, open.failure ?? outcome);
    }
  }

  /** One piece of all, or several when there is a largest size. */
  #form(pieces: readonly Piece[]): Piece[] {
    const first = pieces[0];
    if (first === undefined) return [];
    const { max_size: max } = this.#options.config;
    const size = pieces.reduce((sum, { batch }) => sum + this.#sizeOf(batch), 0);
    const { signal, origin } = first.batch;
    const isWithin = max === 0 || size <= max;
    if (isWithin && pieces.length === 1) return [first];
    const parts = pieces.flatMap(({ batch }) => batch.parts ?? [batch.bytes]);
    const merged = commonOrigin(pieces, origin);
    if (isWithin) {
      const itemCount = pieces.reduce((sum, { batch }) => sum + batch.itemCount, 0);
      const all = [...new Set(pieces.flatMap(({ of }) => of))];
      for (const { of } of pieces) for (const open of of) open.parts--;
      for (const open of all) open.parts++;
      return [{ batch: new MergedBatch({ signal, origin: merged }, parts, itemCount), of: all }];
    }
    return this.#split(pieces, mergeBatches(parts), signal, merged);
  }

  #split(pieces: readonly Piece[], bytes: Uint8Array, signal: Signal, origin: Origin): Piece[] {
    const { max_size: max } = this.#options.config;
    const limits = this.#options.sizer === 'items' ? { maxItems: max } : { maxBytes: max };
    let cut: ReturnType<typeof splitBatch>;
    try {
      cut = splitBatch(signal, bytes, limits);
    } catch {
      // One of them is not OTLP. It must not spoil the others, so they go as they came.
      return [...pieces];
    }
    // Items keep their order, so those of a part are those of the entries that lie over it.
    const result: Piece[] = [];
    for (const { of } of pieces) for (const open of of) open.parts--;
    let index = 0;
    let pieceEnd = pieces[0]!.batch.itemCount;
    let end = 0;
    for (const part of cut) {
      end += part.itemCount;
      const of = new Set(pieces[index]!.of);
      while (pieceEnd < end && index + 1 < pieces.length) {
        index++;
        pieceEnd += pieces[index]!.batch.itemCount;
        for (const open of pieces[index]!.of) of.add(open);
      }
      if (pieceEnd === end && index + 1 < pieces.length) {
        index++;
        pieceEnd += pieces[index]!.batch.itemCount;
      }
      for (const open of of) open.parts++;
      result.push({ batch: { signal, origin, ...part }, of: [...of] });
    }
    return result;
  }

  #sizeOf(batch: Batch): number {
    return this.#options.sizer === 'items' ? batch.itemCount : bytesOf(batch);
  }

  /** Batches of different receivers stay apart, since an exporter may look at it; so do the listed headers. */
  #partitionOf({ receiver, joined, metadata }: Origin): string {
    const keys = this.#options.config.partition.metadata_keys;
    return JSON.stringify([
      receiver,
      joined === true,
      keys.map((key) => metadata?.[key.toLowerCase()] ?? []),
    ]);
  }
}

/** What all have in common: not the connection, unless it is one batch. */
function commonOrigin(pieces: readonly Piece[], { connection, ...origin }: Origin): Origin {
  return pieces.length === 1 && connection !== undefined ? { ...origin, connection } : origin;
}
