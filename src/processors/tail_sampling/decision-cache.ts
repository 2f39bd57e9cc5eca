/** Trace ids with a decision, the most recently used ones. */
export class DecisionCache {
  readonly #size: number;
  readonly #keys = new Set<string>();

  /** `size` 0 remembers nothing. */
  constructor(size: number) {
    this.#size = size;
  }

  has(key: string): boolean {
    if (!this.#keys.delete(key)) return false;
    this.#keys.add(key);
    return true;
  }

  add(key: string): void {
    if (this.#size === 0) return;
    this.#keys.delete(key);
    this.#keys.add(key);
    if (this.#keys.size <= this.#size) return;
    const [oldest] = this.#keys;
    if (oldest !== undefined) this.#keys.delete(oldest);
  }
}
