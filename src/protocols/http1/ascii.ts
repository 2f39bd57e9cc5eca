/** Byte classes of RFC 9110 section 5.6.2 and text out of bytes. */

export const LF = 0x0a;
export const CR = 0x0d;
export const SP = 0x20;
export const HTAB = 0x09;
export const COLON = 0x3a;

const TCHAR = new Uint8Array(256);
for (const character of "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") {
  TCHAR[character.charCodeAt(0)] = 1;
}

/** True for a byte that may be part of a token (method, header name). */
export const isTokenByte = (byte: number): boolean => TCHAR[byte] === 1;

export const isDigit = (byte: number): boolean => byte >= 0x30 && byte <= 0x39;

/**
 * True when `bytes[start, end)` equals `lower` without regard to case. `lower` is lower-case ASCII made of letters,
 * digits and `-`; OR-ing 0x20 folds letters and leaves the other two alone.
 */
export function equalsIgnoreCase(bytes: Uint8Array, start: number, end: number, lower: string): boolean {
  if (end - start !== lower.length) return false;
  for (let i = 0; i < lower.length; i++) {
    if ((bytes[start + i]! | 0x20) !== lower.charCodeAt(i)) return false;
  }
  return true;
}

/** True when the comma-separated list in `bytes[start, end)` has the member `lower` (RFC 9110 section 5.6.1). */
export function listHas(bytes: Uint8Array, start: number, end: number, lower: string): boolean {
  let from = start;
  for (let i = start; i <= end; i++) {
    if (i < end && bytes[i] !== 0x2c) continue;
    let a = from;
    let b = i;
    while (a < b && isBlank(bytes[a]!)) a++;
    while (b > a && isBlank(bytes[b - 1]!)) b--;
    if (equalsIgnoreCase(bytes, a, b, lower)) return true;
    from = i + 1;
  }
  return false;
}

export const isBlank = (byte: number): boolean => byte === SP || byte === HTAB;
