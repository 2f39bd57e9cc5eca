/**
 * A mutex between threads of one process, as a futex would be written by hand: 0 free, 1 taken, 2 taken and waited for
 * (Ulrich Drepper, "Futexes Are Tricky", mutex2). `Atomics.wait` really blocks the thread.
 */
export class SharedLock {
  /** @type {Int32Array} */
  #word;

  constructor(/** @type {SharedArrayBuffer} */ memory) {
    this.#word = new Int32Array(memory, 0, 1);
  }

  acquire() {
    let seen = Atomics.compareExchange(this.#word, 0, 0, 1);
    while (seen !== 0) {
      if (seen === 2 || Atomics.compareExchange(this.#word, 0, 1, 2) !== 0) Atomics.wait(this.#word, 0, 2);
      seen = Atomics.compareExchange(this.#word, 0, 0, 2);
    }
  }

  release() {
    if (Atomics.exchange(this.#word, 0, 0) === 2) Atomics.notify(this.#word, 0, 1);
  }
}
