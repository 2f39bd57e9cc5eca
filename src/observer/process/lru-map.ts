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

  /** Does not count as a use. */
  has(key: K): boolean {
    return this.#map.has(key);
  }

  /** Least recently used first. */
  values(): IterableIterator<V> {
    return this.#map.values();
  }

  /** Returns the value that had to make room. */
  set(key: K, value: V): V | undefined {
    this.#map.delete(key);
    this.#map.set(key, value);
    this.#newest = key;
    if (this.#map.size <= this.#limit) return undefined;
    const oldest = this.#map.entries().next();
    if (oldest.done) return undefined;
    this.#map.delete(oldest.value[0]);
    return oldest.value[1];
  }

  delete(key: K): void {
    if (key === this.#newest) this.#newest = undefined;
    this.#map.delete(key);
  }
}
