/**
 * Inserts bytes into nested protobuf messages and mends the lengths around them; every other byte stays as it is.
 *
 * A message that grows needs a new length in front, perhaps a longer one, and so do all messages around it. The edits
 * are collected front to back and applied in one go:
 *
 *     in    | tag len |  tag len | ... span ... | rest
 *     out   | tag LEN |  tag LEN | ... span ... + added | rest
 */
import { putVarint, varintSize } from './wire-writer.js';

export class Splice {
  /** One entry per edit in the order of positions; `data` is undefined for a length. */
  readonly #at: number[] = [];
  readonly #resume: number[] = [];
  readonly #newLength: number[] = [];
  readonly #width: number[] = [];
  readonly #data: (Uint8Array | undefined)[] = [];

  /**
   * Announces that a length-delimited field will grow, which begins (with its tag) at `fieldAt` and has the content
   * `[start, end)`. Gives the ticket for `closeField`. Outer fields come before the inner ones.
   */
  openField(bytes: Uint8Array, fieldAt: number, start: number, end: number): number {
    let lengthAt = fieldAt + 1;
    while (bytes[lengthAt - 1]! >= 0x80) lengthAt++;
    this.#at.push(lengthAt);
    this.#resume.push(start);
    this.#newLength.push(end - start);
    this.#width.push(start - lengthAt);
    this.#data.push(undefined);
    return this.#at.length - 1;
  }

  /** Ends an announced field whose content grew by `growth` bytes. Gives the growth of the field with its length. */
  closeField(ticket: number, growth: number): number {
    const oldWidth = this.#width[ticket]!;
    const newLength = this.#newLength[ticket]! + growth;
    // A sender may have padded its lengths; never write a shorter one, so that positions only ever move forwards.
    const width = Math.max(oldWidth, varintSize(newLength));
    this.#newLength[ticket] = newLength;
    this.#width[ticket] = width;
    return growth + width - oldWidth;
  }

  /** Inserts `data` before position `at`. */
  insert(at: number, data: Uint8Array): void {
    this.#at.push(at);
    this.#resume.push(at);
    this.#newLength.push(0);
    this.#width.push(data.length);
    this.#data.push(data);
  }

  /** The edited copy of `bytes`, which grows by `growth` in all. */
  apply(bytes: Uint8Array, growth: number): Uint8Array {
    const out = new Uint8Array(bytes.length + growth);
    // The whole input goes to the end of the output, then its pieces move left to their places. A piece never
    // overwrites one that has not moved yet, because no edit shrinks. This needs no view object for each piece.
    out.set(bytes, growth);
    let from = growth;
    let to = 0;
    for (let edit = 0; edit < this.#at.length; edit++) {
      const until = this.#at[edit]! + growth;
      if (to !== from && until > from) out.copyWithin(to, from, until);
      to += until - from;
      from = this.#resume[edit]! + growth;
      const data = this.#data[edit];
      const width = this.#width[edit]!;
      if (data !== undefined) out.set(data, to);
      else putPaddedVarint(out, to, this.#newLength[edit]!, width);
      to += width;
    }
    if (to !== from) out.copyWithin(to, from, out.length);
    return out;
  }
}

/** Writes `value` in exactly `width` bytes. */
function putPaddedVarint(target: Uint8Array, at: number, value: number, width: number): void {
  let pos = putVarint(target, at, value);
  if (pos === at + width) return;
  target[pos - 1]! |= 0x80;
  while (pos < at + width - 1) target[pos++] = 0x80;
  target[pos] = 0;
}
