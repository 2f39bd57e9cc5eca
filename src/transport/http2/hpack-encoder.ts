/**
 * Encodes header blocks (HPACK, RFC 7541) without a dynamic table: what is sent here is a few short texts, and without
 * state a block can be encoded once and sent again and again.
 */
import { STATIC_NAMES, STATIC_PAIRS } from './static-table.js';

/** Values that no proxy may keep in its tables (section 7.1.3). */
const SECRETS: ReadonlySet<string> = new Set(['authorization', 'cookie', 'proxy-authorization', 'x-api-key']);

/** Pseudo-headers first. Names must be lower case; texts are sent as latin-1, which HTTP headers are. */
export function encodeHeaders(headers: Iterable<readonly [name: string, value: string]>): Buffer {
  const out: number[] = [];
  for (const [name, value] of headers) {
    const pair = STATIC_PAIRS.get(`${name}=${value}`);
    if (pair !== undefined) {
      integer(out, 0x80, 0x7f, pair);
      continue;
    }
    const known = STATIC_NAMES.get(name);
    integer(out, SECRETS.has(name) ? 0x10 : 0x00, 0x0f, known ?? 0);
    if (known === undefined) text(out, name);
    text(out, value);
  }
  return Buffer.from(out);
}

function integer(out: number[], pattern: number, mask: number, value: number): void {
  if (value < mask) {
    out.push(pattern | value);
    return;
  }
  out.push(pattern | mask);
  let rest = value - mask;
  for (; rest >= 0x80; rest >>>= 7) out.push((rest & 0x7f) | 0x80);
  out.push(rest);
}

function text(out: number[], value: string): void {
  integer(out, 0, 0x7f, value.length);
  for (let index = 0; index < value.length; index++) out.push(value.charCodeAt(index) & 0xff);
}
