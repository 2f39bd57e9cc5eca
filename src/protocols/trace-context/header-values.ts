import type { WireContext } from '../../observer/types.js';
import { CONTEXT_HEADERS, readWireContext } from './carriers.js';

/**
 * Values of `CONTEXT_HEADERS` among the headers or properties of one message after another. Names are compared whatever
 * their case: clients of messaging systems write them as they like.
 */
export class HeaderValues {
  readonly #values = new Array<string | undefined>(CONTEXT_HEADERS.length).fill(undefined);
  #any = false;

  /** The next message begins. */
  clear(): void {
    if (!this.#any) return;
    this.#values.fill(undefined);
    this.#any = false;
  }

  /** A header: `bytes[nameStart, nameEnd)` and, where it is one that is wanted, its value. */
  take(bytes: Buffer, nameStart: number, nameEnd: number, valueStart: number, valueEnd: number): void {
    const index = contextIndex(bytes, nameStart, nameEnd);
    if (index < 0) return;
    this.#values[index] = bytes.toString('latin1', valueStart, Math.min(valueEnd, valueStart + LONGEST));
    this.#any = true;
  }

  put(name: string, value: string): void {
    const index = CONTEXT_HEADERS.indexOf(name.toLowerCase());
    if (index < 0) return;
    this.#values[index] = value;
    this.#any = true;
  }

  context(): WireContext | undefined {
    return this.#any ? readWireContext(this.#values) : undefined;
  }
}

/** No carrier's value is longer. */
const LONGEST = 2048;

/** Position in `CONTEXT_HEADERS` of the name `bytes[start, end)`, -1 when it is none of them. */
export function contextIndex(bytes: Buffer, start: number, end: number): number {
  const length = end - start;
  for (let i = 0; i < CONTEXT_HEADERS.length; i++) {
    const name = CONTEXT_HEADERS[i]!;
    if (name.length !== length) continue;
    let at = 0;
    while (
      at < length &&
      (bytes[start + at]! | (isUpper(bytes[start + at]!) ? 0x20 : 0)) === name.charCodeAt(at)
    )
      at++;
    if (at === length) return i;
  }
  return -1;
}

const isUpper = (value: number): boolean => value >= 0x41 && value <= 0x5a;
