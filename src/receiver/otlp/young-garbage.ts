/**
 * Received messages leave garbage that V8 hardly sees: a few hundred bytes of its own heap hold hundreds of kilobytes
 * outside. It collects when its own part is full, or when 64 MiB lie outside, and then everything, old objects too. This
 * collects the young ones (a third of a millisecond) when it is worth it, which keeps the process small.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Collected at once. */
const MUCH_BYTES = 16 * 1024 * 1024;
/** Collected when the last time is `PAUSE_MS` ago: under load, more time between means that less survives. */
const SOME_BYTES = 2 * 1024 * 1024;
const PAUSE_MS = 250;

export class YoungGarbage {
  readonly #collect: () => void;
  readonly #now: () => number;
  #bytes = 0;
  #collectedAt = Number.NEGATIVE_INFINITY;

  constructor(collect: () => void = collectYoung(), now: () => number = () => performance.now()) {
    this.#collect = collect;
    this.#now = now;
  }

  /** A message of this size was received. May collect, so call it when none of its bytes are needed any more. */
  add(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes < SOME_BYTES) return;
    const now = this.#now();
    if (this.#bytes < MUCH_BYTES && now - this.#collectedAt < PAUSE_MS) return;
    this.#bytes = 0;
    this.#collectedAt = now;
    this.#collect();
  }
}

/** V8's own function, which is only in contexts that are made while the flag is set. */
function collectYoung(): () => void {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as ((options: { type: 'minor' }) => void) | undefined;
  setFlagsFromString('--no-expose-gc');
  return gc === undefined ? () => {} : () => gc({ type: 'minor' });
}
