/**
 * Frees what came from another thread and is garbage already.
 *
 * A transferred buffer is a tiny object to V8, with its megabyte outside of the heap. The main thread makes so little
 * other garbage that its young generation takes minutes to fill, and up to 64 MiB of dead span batches wait for that. A
 * collection of the young generation takes about a millisecond; here it comes once for each 16 MiB received.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

const EVERY_BYTES = 16 * 1024 * 1024;

type Collect = (options: { type: 'minor' }) => void;

export class YoungCollection {
  readonly #everyBytes: number;
  #collect: Collect | undefined;
  #bytes = 0;

  constructor(everyBytes = EVERY_BYTES) {
    this.#everyBytes = everyBytes;
  }

  /** `bytes` of foreign memory have become reachable from this thread. Returns true when it collected. */
  made(bytes: number): boolean {
    this.#bytes += bytes;
    if (this.#bytes < this.#everyBytes) return false;
    this.#bytes = 0;
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
