import { LruMap } from '../observer/process/lru-map.js';

const MAX_ENDPOINTS = 4096;

/** Which protocol the servers speak that were met, by (executable or address, port). Only ever a hint. */
export class EndpointMemory {
  readonly #names = new LruMap<string, string>(MAX_ENDPOINTS);

  get(key: string): string | undefined {
    return this.#names.get(key);
  }

  learn(key: string, protocol: string): void {
    this.#names.set(key, protocol);
  }

  forget(key: string): void {
    this.#names.delete(key);
  }
}
