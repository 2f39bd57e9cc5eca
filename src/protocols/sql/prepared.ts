/** Texts of prepared statements of one connection, by name or number: bounded, the oldest leave. */
export interface PreparedText {
  readonly text: string;
  /** It goes on beyond what was captured. */
  readonly cut: boolean;
}

const MAX_STATEMENTS = 1024;
/** Characters of all texts together. */
const MAX_CHARACTERS = 96 * 1024;

export class PreparedStatements<K extends string | number> {
  readonly #byKey = new Map<K, PreparedText>();
  #characters = 0;

  get(key: K): PreparedText | undefined {
    return this.#byKey.get(key);
  }

  set(key: K, statement: PreparedText): void {
    this.delete(key);
    this.#byKey.set(key, statement);
    this.#characters += statement.text.length;
    for (const oldest of this.#byKey.keys()) {
      if (this.#byKey.size <= MAX_STATEMENTS && this.#characters <= MAX_CHARACTERS) break;
      this.delete(oldest);
    }
  }

  delete(key: K): void {
    const known = this.#byKey.get(key);
    if (known === undefined) return;
    this.#characters -= known.text.length;
    this.#byKey.delete(key);
  }

  clear(): void {
    this.#byKey.clear();
    this.#characters = 0;
  }
}
