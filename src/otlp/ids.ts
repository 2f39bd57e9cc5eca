/**
 * Trace ids (16 bytes) and span ids (8 bytes) as lower-case hex, and back.
 * Source: https://www.w3.org/TR/trace-context/#traceparent-header-field-values
 */

import { hexText } from './text.js';

/** Length in bytes. */
export const TRACE_ID_BYTES = 16;
export const SPAN_ID_BYTES = 8;

/** Value of an ASCII hex digit, 0xff for anything else. */
const DIGIT = new Uint8Array(256).fill(0xff);
for (let value = 0; value < 16; value++) {
  const digit = value.toString(16);
  DIGIT[digit.charCodeAt(0)] = value;
  DIGIT[digit.toUpperCase().charCodeAt(0)] = value;
}

/** Lower-case hex of `bytes[start, end)`. */
export const toHex = (bytes: Uint8Array, start = 0, end = bytes.length): string => hexText(bytes, start, end);

/** The bytes of a hex text of any case, or undefined when it is not one. */
export function fromHex(text: string): Uint8Array | undefined {
  const bytes = new Uint8Array(text.length >> 1);
  return writeHex(text, bytes, 0) ? bytes : undefined;
}

/** Writes the bytes of `text` to `target` at `offset`. False when `text` is no hex text or does not fit. */
export function writeHex(text: string, target: Uint8Array, offset: number): boolean {
  const count = text.length >> 1;
  if ((text.length & 1) === 1 || offset + count > target.length) return false;
  for (let index = 0; index < count; index++) {
    const high = DIGIT[text.charCodeAt(2 * index)] ?? 0xff;
    const low = DIGIT[text.charCodeAt(2 * index + 1)] ?? 0xff;
    if ((high | low) > 15) return false;
    target[offset + index] = (high << 4) | low;
  }
  return true;
}

/** True when every byte is zero, which means "no id" (W3C: such an id is invalid). */
export function isZeroId(bytes: Uint8Array, start = 0, end = bytes.length): boolean {
  for (let pos = start; pos < end; pos++) if (bytes[pos] !== 0) return false;
  return true;
}

/** Fills an id with `random` (0 <= x < 1) and makes sure it is not all zero. Gives hex. */
export function randomId(byteCount: number, random: () => number = Math.random): string {
  const bytes = new Uint8Array(byteCount);
  for (let index = 0; index < byteCount; index++) bytes[index] = Math.floor(random() * 256);
  if (isZeroId(bytes)) bytes[byteCount - 1] = 1;
  return toHex(bytes);
}
