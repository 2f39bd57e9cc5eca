/**
 * Query attributes (MySQL 8.0.23 and later, CLIENT_QUERY_ATTRIBUTES): named values in front of a statement's text. MySQL's
 * connectors put the W3C trace context there (`traceparent`).
 *
 *     count ┬ sets (1) ┬ null bitmap ┬ 1 ┬ for each: type 2, name ┬ values ┬ text
 */
import { lengthEncoded } from './packets.js';

export interface QueryAttributes {
  /** Where the statement's text begins. */
  readonly textStart: number;
  readonly traceparent: string | undefined;
  readonly tracestate: string | undefined;
}

const MAX_ATTRIBUTES = 64;
/** Bytes of values of a fixed width, by type; others have their length in front of them. */
const WIDTHS = new Map([
  [0x01, 1],
  [0x02, 2],
  [0x03, 4],
  [0x04, 4],
  [0x05, 8],
  [0x06, 0],
  [0x08, 8],
  [0x09, 4],
  [0x0d, 2],
]);

/** `start` is behind the command byte. Undefined when they are not visible as a whole. */
export function readQueryAttributes(bytes: Buffer, start: number, end: number): QueryAttributes | undefined {
  const count = lengthEncoded(bytes, start, end);
  const sets = count === undefined ? undefined : lengthEncoded(bytes, count.next, end);
  if (count === undefined || sets === undefined || sets.value !== 1) return undefined;
  if (count.value === 0) return { textStart: sets.next, traceparent: undefined, tracestate: undefined };
  if (count.value > MAX_ATTRIBUTES) return undefined;
  const nulls = sets.next;
  let at = nulls + ((count.value + 7) >> 3);
  if (bytes[at] !== 1) return undefined;
  at++;
  const named: { readonly type: number; readonly name: string }[] = [];
  for (let i = 0; i < count.value; i++) {
    const length = lengthEncoded(bytes, at + 2, end);
    if (length === undefined || length.next + length.value > end) return undefined;
    named.push({ type: bytes[at]!, name: bytes.toString('latin1', length.next, length.next + length.value) });
    at = length.next + length.value;
  }
  const found = new Map<string, string>();
  for (const [i, { type, name }] of named.entries()) {
    if ((bytes[nulls + (i >> 3)]! & (1 << (i & 7))) !== 0) continue;
    const width = WIDTHS.get(type);
    if (width !== undefined) {
      at += width;
      continue;
    }
    const length = lengthEncoded(bytes, at, end);
    if (length === undefined || length.next + length.value > end) return undefined;
    if (name === 'traceparent' || name === 'tracestate') {
      found.set(name, bytes.toString('latin1', length.next, length.next + length.value));
    }
    at = length.next + length.value;
  }
  if (at > end) return undefined;
  return { textStart: at, traceparent: found.get('traceparent'), tracestate: found.get('tracestate') };
}
