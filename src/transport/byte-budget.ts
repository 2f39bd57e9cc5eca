/**
 * Bounds the memory of all requests that a server holds at the same time, whatever their number. Shared by the servers
 * of one receiver. Reservations are small and many, so there is no waiting: who gets `false` refuses its client.
 */
export class ByteBudget {
  readonly #limitBytes: number;
  #usedBytes = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** Takes `bytes` when they fit. */
  reserve(bytes: number): boolean {
    if (this.#usedBytes + bytes > this.#limitBytes) return false;
    this.#usedBytes += bytes;
    return true;
  }

  /** Gives back what `reserve` took. */
  release(bytes: number): void {
    this.#usedBytes -= bytes;
  }
}
