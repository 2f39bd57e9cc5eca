import type { MonoNs } from './types.js';

/** Things that are done a fixed time after they were put, in their order. */
export class DelayQueue<T> {
  readonly #delayNs: number;
  readonly #work: (item: T) => void;
  #items: { readonly item: T; readonly due: MonoNs }[] = [];
  #head = 0;

  constructor(delayNs: number, work: (item: T) => void) {
    this.#delayNs = delayNs;
    this.#work = work;
  }

  get size(): number {
    return this.#items.length - this.#head;
  }

  put(item: T, now: MonoNs): void {
    this.#items.push({ item, due: now + this.#delayNs });
  }

  advance(now: MonoNs): void {
    while (this.#head < this.#items.length && this.#items[this.#head]!.due <= now) {
      this.#work(this.#items[this.#head++]!.item);
    }
    if (this.#head * 2 < this.#items.length) return;
    this.#items = this.#items.slice(this.#head);
    this.#head = 0;
  }

  /** Does everything that is left, now. */
  flush(): void {
    this.advance(Number.POSITIVE_INFINITY);
  }
}
