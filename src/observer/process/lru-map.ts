/** A map that forgets the least recently used entries beyond `limit`. */
export class LruMap<K, V> {
  readonly #limit: number;
  readonly #map = new Map<K, V>();
  /** The most recently used key: using it again moves nothing. */
  #newest: K | undefined;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#map.size;
  }

  /** Counts as a use. */
  get(key: K): V | undefined {
    const value = this.#map.get(key);
    if (value !== undefined && key !== this.#newest) {
      this.#map.delete(key);
      this.#map.set(key, value);
      this.#newest = key;
    }
    return value;
  }

  set(key: K, value: V): void {
    this.#map.delete(key);
    this.#map.set(key, value);
    this.#newest = key;
    if (this.#map.size > this.#limit) {
      const oldest = this.#map.keys().next();
      if (!oldest.done) this.#map.delete(oldest.value);
    }
  }

  delete(key: K): void {
    if (key === this.#newest) this.#newest = undefined;
    this.#map.delete(key);
  }
}
