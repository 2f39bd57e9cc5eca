/**
 * Finds repetitions for the byte-oriented formats (snappy, LZ4): a table of where the last four bytes with the same hash
 * stood, no chains, no lazy matching.
 */

/** Called for each repetition, in order: literals are `[literals, at)`, then `length` bytes from `offset` before. */
export type OnMatch = (literals: number, at: number, offset: number, length: number) => void;

const HASH_BITS = 14;
const MIN_MATCH = 4;
/** After so many misses in a row (2^this), steps get longer: what does not repeat costs little. */
const SKIP_BITS = 5;

export class LzMatches {
  readonly #table = new Uint32Array(1 << HASH_BITS);

  /**
   * Looks at `input[start, end)`, which is at most 64 KiB, so that each offset fits into 16 bits. Matches begin before
   * `lastStart` and end before `lastEnd`. Gives where the literals after the last match begin.
   */
  find(input: Uint8Array, start: number, lastStart: number, lastEnd: number, onMatch: OnMatch): number {
    const table = this.#table.fill(0);
    let literals = start;
    let misses = 1 << SKIP_BITS;
    for (let at = start; at < lastStart; ) {
      const word = read32(input, at);
      const slot = (Math.imul(word, 0x9e3779b1) >>> (32 - HASH_BITS)) >>> 0;
      // Positions are stored from 1 on; 0 is nowhere.
      const before = start + table[slot]! - 1;
      table[slot] = at - start + 1;
      if (before < start || read32(input, before) !== word) {
        at += misses++ >> SKIP_BITS;
        continue;
      }
      let length = MIN_MATCH;
      while (at + length < lastEnd && input[before + length] === input[at + length]) length++;
      onMatch(literals, at, at - before, length);
      at += length;
      literals = at;
      misses = 1 << SKIP_BITS;
    }
    return literals;
  }
}

const read32 = (bytes: Uint8Array, at: number): number =>
  bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
