/**
 * Frees what came from outside and is garbage already.
 *
 * A buffer from another thread or from the network is a tiny object to V8, with its megabyte outside of the heap. The main
 * thread makes so little other garbage that its young generation takes minutes to fill, and up to 64 MiB of dead buffers
 * wait for that, or for a collection of the old ones too. A collection of the young generation takes about a millisecond.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

const EVERY_BYTES = 16 * 1024 * 1024;
/** Between collections of less than `everyBytes`: more time means that less survives, and that they cost nothing. */
const PAUSE_MS = 250;

type Collect = (options: { type: 'minor' }) => void;

export class YoungCollection {
  readonly #everyBytes: number;
  readonly #someBytes: number;
  readonly #now: () => number;
  #collect: Collect | undefined;
  #bytes = 0;
  #collectedAt = Number.NEGATIVE_INFINITY;

  /** Collects once in `everyBytes`, and where there is little to do, once in `someBytes`. */
  constructor(everyBytes = EVERY_BYTES, someBytes = everyBytes, now: () => number = () => performance.now()) {
    this.#everyBytes = everyBytes;
    this.#someBytes = someBytes;
    this.#now = now;
  }

  /** `bytes` of foreign memory have become reachable from this thread. Returns true when it collected. */
  made(bytes: number): boolean {
    this.#bytes += bytes;
    if (this.#bytes < this.#someBytes) return false;
    const now = this.#now();
    if (this.#bytes < this.#everyBytes && now - this.#collectedAt < PAUSE_MS) return false;
    this.#bytes = 0;
    this.#collectedAt = now;
    this.#collect ??= exposedCollector();
    this.#collect({ type: 'minor' });
    return true;
  }
}

/** V8's `gc()`, which only contexts have that are made while the flag is set. */
function exposedCollector(): Collect {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as Collect;
  setFlagsFromString('--no-expose-gc');
  return collect;
}
