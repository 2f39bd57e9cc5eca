/**
 * The first line of an HTTP/1.x message, RFC 9112 sections 3 and 4:
 *
 *     method SP request-target SP HTTP-version CRLF
 *     HTTP-version SP status-code SP [ reason-phrase ] CRLF
 */
import { CR, isDigit, isTokenByte, LF, SP } from './ascii.js';

/** What `bytes` begin with. `undecided`: everything so far fits, but it ends before the line does. */
export type StartKind = 'request' | 'response' | 'undecided' | 'other';

const VERSION_PREFIX = [0x48, 0x54, 0x54, 0x50, 0x2f, 0x31, 0x2e]; // "HTTP/1."
const STATUS_LINE_BYTES = 12; // "HTTP/1.1 200"
const LONGEST_METHOD = 32;

/** Methods of the IANA registry that occur, to believe a request line whose end was not captured. */
const COMMON_METHODS =
  /^(?:GET|HEAD|POST|PUT|DELETE|CONNECT|OPTIONS|TRACE|PATCH|QUERY|PROPFIND|REPORT|SEARCH) [/*h\w]/;

/** Decides by content what `bytes[start, end)` begin with. */
export function startKind(bytes: Uint8Array, start: number, end: number): StartKind {
  if (start >= end) return 'undecided';
  const response = matchVersion(bytes, start, end);
  if (response !== 'other') return response;

  let i = start;
  while (i < end && isTokenByte(bytes[i]!)) i++;
  const methodLength = i - start;
  if (methodLength > LONGEST_METHOD) return 'other';
  if (i === end) return 'undecided';
  if (methodLength === 0 || bytes[i] !== SP) return 'other';
  const target = ++i;
  while (i < end && bytes[i]! > SP && bytes[i] !== 0x7f) i++;
  if (i === end) return 'undecided';
  if (i === target || bytes[i] !== SP) return 'other';
  i++;
  for (const byte of VERSION_PREFIX) {
    if (i === end) return 'undecided';
    if (bytes[i++] !== byte) return 'other';
  }
  if (i === end) return 'undecided';
  if (!isDigit(bytes[i++]!)) return 'other';
  if (i === end) return 'undecided';
  return bytes[i] === CR || bytes[i] === LF ? 'request' : 'other';
}

/** For an `undecided` beginning that will not get longer: is it still the beginning of a request line? */
export function isProbableRequest(bytes: Buffer, start: number, end: number): boolean {
  return COMMON_METHODS.test(bytes.toString('latin1', start, Math.min(end, start + LONGEST_METHOD)));
}

function matchVersion(bytes: Uint8Array, start: number, end: number): StartKind {
  const available = end - start;
  for (let i = 0; i < VERSION_PREFIX.length; i++) {
    if (i === available) return 'undecided';
    if (bytes[start + i] !== VERSION_PREFIX[i]) return 'other';
  }
  if (available < STATUS_LINE_BYTES) return 'undecided';
  const status = start + 9;
  return isDigit(bytes[start + 7]!) &&
    bytes[start + 8] === SP &&
    isDigit(bytes[status]!) &&
    isDigit(bytes[status + 1]!) &&
    isDigit(bytes[status + 2]!)
    ? 'response'
    : 'other';
}
