/**
 * Short texts that come again and again (paths, hosts, methods) without a new string for each: a direct-mapped table
 * that compares the bytes before it answers. It saves the garbage of a busy server's every request; a miss costs a
 * few nanoseconds more than making the string.
 */
const SLOTS = 1024;
/** Longer texts are made anew: hashing and comparing them costs more than it saves. */
const LONGEST = 64;
/** Bytes at each end that decide the slot. What differs in between only shares one. */
const HASHED = 8;

export class TextCache {
  readonly #texts: (string | undefined)[] = new Array<string | undefined>(SLOTS).fill(undefined);

  /** `bytes[start, end)` as text, one character for each byte (ISO 8859-1): any bytes make a valid string. */
  text(bytes: Buffer, start: number, end: number): string {
    const length = end - start;
    if (length <= 0) return '';
    if (length > LONGEST) return bytes.toString('latin1', start, end);
    let hash = length;
    const head = Math.min(end, start + HASHED);
    for (let i = start; i < head; i++) hash = (Math.imul(hash, 31) + bytes[i]!) | 0;
    for (let i = Math.max(head, end - HASHED); i < end; i++) hash = (Math.imul(hash, 31) + bytes[i]!) | 0;
    const slot = (hash ^ (hash >>> 15)) & (SLOTS - 1);
    const known = this.#texts[slot];
    if (known !== undefined && known.length === length && sameText(known, bytes, start)) return known;
    const text = bytes.toString('latin1', start, end);
    this.#texts[slot] = text;
    return text;
  }
}

function sameText(text: string, bytes: Buffer, start: number): boolean {
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) !== bytes[start + i]) return false;
  }
  return true;
}
