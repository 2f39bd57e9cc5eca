/**
 * Bytes of span batches that are under way from the observer's thread to the pipelines, counted in memory that both
 * threads see: the observer may be inside a long call (a flush) while the main thread acknowledges.
 *
 * Counts whole KiB, rounded up for each batch, in 32 bits that wrap; what is under way is their difference.
 */
const ACKED = 0;

const kibOf = (bytes: number): number => Math.ceil(bytes / 1024);

export class SpanBudget {
  /** Hand this to the other thread. */
  readonly memory: SharedArrayBuffer;
  readonly #cells: Int32Array;
  readonly #maxKib: number;
  #sent = 0;

  constructor(maxBytes: number, memory = new SharedArrayBuffer(4)) {
    this.memory = memory;
    this.#cells = new Int32Array(memory);
    this.#maxKib = kibOf(maxBytes);
  }

  /** Observer: takes room for a batch, waiting up to `waitMs` for it (which blocks the thread). False: there is none. */
  take(bytes: number, waitMs = 0): boolean {
    const kib = kibOf(bytes);
    const end = performance.now() + waitMs;
    for (;;) {
      const acked = Atomics.load(this.#cells, ACKED);
      const underWay = (this.#sent - acked) | 0;
      // A batch larger than the whole budget passes when nothing else is under way.
      if (underWay === 0 || underWay + kib <= this.#maxKib) {
        this.#sent = (this.#sent + kib) | 0;
        return true;
      }
      const leftMs = end - performance.now();
      if (leftMs <= 0) return false;
      Atomics.wait(this.#cells, ACKED, acked, leftMs);
    }
  }

  /** Main thread: a batch was taken by the pipelines, or given up. */
  release(bytes: number): void {
    Atomics.add(this.#cells, ACKED, kibOf(bytes));
    Atomics.notify(this.#cells, ACKED);
  }
}
