/**
 * Names of topics by their id. Brokers say them in answers to Metadata, CreateTopics and the like, often on another
 * connection than the one on which only ids are used. Ids are random 128-bit numbers, so one table serves all clusters.
 */
const MAX_TOPICS = 16_384;

export class TopicIds {
  readonly #names = new Map<string, string>();

  /** Of an id as 32 hex digits. */
  get(id: string): string | undefined {
    return this.#names.get(id);
  }

  learn(id: string, name: string): void {
    if (this.#names.get(id) === name) return;
    this.#names.delete(id);
    this.#names.set(id, name);
    if (this.#names.size <= MAX_TOPICS) return;
    for (const oldest of this.#names.keys()) {
      this.#names.delete(oldest);
      return;
    }
  }
}

/** Topics have none: metadata of all of them was asked for, or by name. */
export const NO_ID = '0'.repeat(32);
