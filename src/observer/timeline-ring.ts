/**
 * One ring of slots for the records of all threads, and in it a chain for each thread.
 *
 * Records are numbered 1, 2, 3, … in the order of their arrival; record `n` lives in slot `n % capacity` until record
 * `n + capacity` takes its place. A number is therefore its own generation check: it is live while it is one of the
 * last `capacity`. Each record holds the distance to the previous record of its thread, which makes the chain; every
 * 8th record of a thread is also noted in `marks`, so that a question about an older time does not walk back through
 * all that has happened since.
 *
 *   slot    0    1    2    3    4    5        thread A: 8 -> 6 -> 3        (1 has been overwritten)
 *   record  6A   7B   8A   3A   4B   5B       thread B: 7 -> 5 -> 4
 *
 * Owners keep their own columns beside `time`, indexed by `slot(record)`.
 */

/** Number of a record; 0 is none. */
export type RecordNumber = number;

/** The records of one thread. */
export interface Chain {
  first: RecordNumber;
  last: RecordNumber;
  count: number;
  marks: RecordNumber[];
}

export const emptyChain = (): Chain => ({ first: 0, last: 0, count: 0, marks: [] });

const MARK_EVERY = 8;

/** Bytes of a slot, marks included. */
export const RING_SLOT_BYTES = 8 + 4 + 1;

export class TimelineRing {
  readonly capacity: number;
  readonly time: Float64Array;
  readonly #distance: Uint32Array;
  #next: RecordNumber = 1;

  /** `capacity` is at least 1 and below 2^32. */
  constructor(capacity: number) {
    this.capacity = capacity;
    this.time = new Float64Array(capacity);
    this.#distance = new Uint32Array(capacity);
  }

  /** Records pushed since creation. */
  get pushed(): number {
    return this.#next - 1;
  }

  slot(record: RecordNumber): number {
    return record % this.capacity;
  }

  isLive(record: RecordNumber): boolean {
    return record > 0 && record >= this.#next - this.capacity;
  }

  /** Adds a record to `chain`, overwriting the oldest of all. `time` must not go back within a chain. */
  push(chain: Chain, time: number): RecordNumber {
    const record = this.#next++;
    const slot = record % this.capacity;
    this.time[slot] = time;
    const distance = record - chain.last;
    this.#distance[slot] = chain.last > 0 && distance < this.capacity ? distance : 0;
    if (chain.first === 0) chain.first = record;
    chain.last = record;
    if (chain.count++ % MARK_EVERY === 0) this.#mark(chain, record);
    return record;
  }

  /** The record of the same thread before `record`, or 0 when it is gone. */
  previous(record: RecordNumber): RecordNumber {
    const distance = this.#distance[record % this.capacity]!;
    if (distance === 0) return 0;
    const previous = record - distance;
    return this.isLive(previous) ? previous : 0;
  }

  /**
   * Records of `chain` for [from, to], oldest first: those with a time between both, the nearest one at or before `from`
   * and the nearest one at or after `to`, as far as they are live.
   */
  collect(chain: Chain, from: number, to: number): RecordNumber[] {
    const found: RecordNumber[] = [];
    let record = this.#startOfSearch(chain, to);
    let closing = 0;
    while (record !== 0) {
      const time = this.time[record % this.capacity]!;
      if (time >= to) closing = record;
      else {
        if (closing !== 0) found.push(closing);
        closing = 0;
        found.push(record);
        if (time <= from) break;
      }
      record = this.previous(record);
    }
    if (closing !== 0) found.push(closing);
    return found.reverse();
  }

  /** The oldest live record of `chain` after `time`, or 0. */
  firstAfter(chain: Chain, time: number): RecordNumber {
    let record = this.#startOfSearch(chain, time + 1);
    let found = 0;
    while (record !== 0 && this.time[record % this.capacity]! > time) {
      found = record;
      record = this.previous(record);
    }
    return found;
  }

  /** The newest live record of `chain` at or before `time`, or 0. */
  lastUntil(chain: Chain, time: number): RecordNumber {
    let record = this.#startOfSearch(chain, time + 1);
    while (record !== 0 && this.time[record % this.capacity]! > time) record = this.previous(record);
    return record;
  }

  /** A live record at or after `to` that is not far from it, else the newest. */
  #startOfSearch(chain: Chain, to: number): RecordNumber {
    if (!this.isLive(chain.last)) return 0;
    const { marks } = chain;
    let low = 0;
    let high = marks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const mark = marks[middle]!;
      if (this.isLive(mark) && this.time[mark % this.capacity]! >= to) high = middle;
      else low = middle + 1;
    }
    return marks[low] ?? chain.last;
  }

  /** Dead marks are dropped when they are half of all, so that marks never outnumber live records for long. */
  #mark(chain: Chain, record: RecordNumber): void {
    const { marks } = chain;
    marks.push(record);
    if (marks.length < 8 || this.isLive(marks[marks.length >> 1]!)) return;
    chain.marks = marks.filter((mark) => this.isLive(mark));
  }
}
