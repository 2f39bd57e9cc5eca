/**
 * Bounds the memory of many small things whose number nobody knows: requests that servers hold, batches in queues. There is
 * no waiting: who gets `false` refuses its client, which comes back later.
 *
 * A budget may be a part of a larger one (`parent`), and then takes from both: the requests of one receiver, within what the
 * whole process may hold.
 */
export class ByteBudget {
  #limitBytes: number;
  readonly #parent: ByteBudget | undefined;
  #usedBytes = 0;
  #peakBytes = 0;

  constructor(limitBytes: number, parent?: ByteBudget | undefined) {
    this.#limitBytes = limitBytes;
    this.#parent = parent;
  }

  get limitBytes(): number {
    return this.#limitBytes;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** Most that was in use at any time. */
  get peakBytes(): number {
    return this.#peakBytes;
  }

  /** Changes the limit. What is in use stays, even beyond it. */
  resize(limitBytes: number): void {
    this.#limitBytes = limitBytes;
  }

  /** Takes `bytes` when they fit. */
  reserve(bytes: number): boolean {
    if (this.#usedBytes + bytes > this.#limitBytes) return false;
    if (this.#parent !== undefined && !this.#parent.reserve(bytes)) return false;
    this.#usedBytes += bytes;
    if (this.#usedBytes > this.#peakBytes) this.#peakBytes = this.#usedBytes;
    return true;
  }

  /** Gives back what `reserve` took. */
  release(bytes: number): void {
    this.#usedBytes -= bytes;
    this.#parent?.release(bytes);
  }
}
