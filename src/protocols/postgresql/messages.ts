/**
 * Messages of the PostgreSQL frontend/backend protocol, version 3.0 to 3.2: PostgreSQL 18 documentation, chapter 54
 * (https://www.postgresql.org/docs/18/protocol-message-formats.html).
 *
 *     ┌ type ┬ length (itself included) ┬ content …     the first message of a client has no type:
 *     │ 1    │ 4, big endian            │              ┌ length 4 ┬ version or request code 4 ┬ …
 */
import type { Frame } from '../frame-reader.js';

export const code = (letter: string): number => letter.charCodeAt(0);

/** Bytes before a message's content. */
export const HEADER_BYTES = 5;

export const START = { cancel: 80_877_102, ssl: 80_877_103, gss: 80_877_104 } as const;
/** Of the first message: longer ones are refused by the server (MAX_STARTUP_PACKET_LENGTH). */
const LONGEST_START = 10_000;
/** A message of more is believed only of types that carry data. */
const LONGEST_SMALL = 0x10_0000;
const LONGEST = 0x4000_0000;

const CLIENT_TYPES = new Set([...'BCDEFHPQSXcdfp'].map(code));
const SERVER_TYPES = new Set([...'123ACDEGHIKNRSTVWZcdnstv'].map(code));
/** May be as long as values are. */
const LONG_TYPES = new Set([...'BDEFPQTVdNA'].map(code));

/** Length of the typed message at `start`, its type included; 0 when `end` comes before that is known, -1 for none. */
export function messageLength(fromClient: boolean, bytes: Buffer, start: number, end: number): number {
  const type = bytes[start]!;
  if (!(fromClient ? CLIENT_TYPES : SERVER_TYPES).has(type)) return -1;
  if (end - start < HEADER_BYTES) return 0;
  const length = bytes.readUInt32BE(start + 1);
  if (length < 4 || length > (LONG_TYPES.has(type) ? LONGEST : LONGEST_SMALL)) return -1;
  return length + 1;
}

/** The same for a client's first message. */
export function startLength(bytes: Buffer, start: number, end: number): number {
  if (bytes[start] !== 0) return -1;
  if (end - start < 8) return 0;
  const length = bytes.readUInt32BE(start);
  if (length < 8 || length > LONGEST_START) return -1;
  return isStartCode(bytes.readUInt32BE(start + 4), length) ? length : -1;
}

export function isStartCode(value: number, length: number): boolean {
  if (value === START.ssl || value === START.gss) return length === 8;
  if (value === START.cancel) return length >= 16;
  return value >>> 16 === 3;
}

/** The longest chain of messages that is looked at. */
const MAX_CHAIN = 8;

/**
 * Do messages follow each other from `start` on? Answers how many are complete, or -1 when one is none; the last may go on
 * behind `end`.
 */
export function chain(fromClient: boolean, bytes: Buffer, start: number, end: number): number {
  let at = start;
  let complete = 0;
  while (at < end && complete < MAX_CHAIN) {
    const length = messageLength(fromClient, bytes, at, end);
    if (length < 0) return -1;
    if (length === 0) return complete;
    if (!plausible(fromClient, bytes, at, Math.min(end, at + length), length)) return -1;
    at += length;
    if (at <= end) complete++;
  }
  return complete;
}

/** Fields that have few values, and texts that end where the message ends. */
function plausible(fromClient: boolean, bytes: Buffer, start: number, end: number, length: number): boolean {
  const type = String.fromCharCode(bytes[start]!);
  const content = start + HEADER_BYTES;
  const whole = end - start === length;
  const first = bytes[content] ?? 0;
  const known = end > content;
  if (fromClient) {
    switch (type) {
      case 'Q':
        return length > HEADER_BYTES && (!whole || bytes[end - 1] === 0) && isText(bytes, content, end - 1);
      case 'P':
        return length >= 9 && isText(bytes, content, Math.min(end, content + 8));
      case 'S':
      case 'H':
      case 'X':
      case 'c':
        return length === HEADER_BYTES;
      case 'D':
      case 'C':
        return !known || first === code('S') || first === code('P');
      case 'E':
        return length >= 10 && (!whole || bytes[end - 5] === 0);
      case 'B':
        return length >= 13;
      default:
        return length > HEADER_BYTES;
    }
  }
  switch (type) {
    case 'Z':
      return length === 6 && (!known || isTransactionStatus(first));
    case '1':
    case '2':
    case '3':
    case 'I':
    case 'n':
    case 's':
    case 'c':
      return length === HEADER_BYTES;
    case 'E':
    case 'N':
      return !known || first === code('S') || first === code('C') || first === code('M');
    case 'C':
      return length > 6 && (!known || (first >= 0x41 && first <= 0x5a)) && (!whole || bytes[end - 1] === 0);
    case 'R':
      return length >= 9 && (end - content < 4 || bytes.readUInt32BE(content) <= 12);
    case 'K':
      return length >= 13;
    case 'S':
      return (
        length > 6 && (!whole || bytes[end - 1] === 0) && isText(bytes, content, Math.min(end, content + 6))
      );
    case 'T':
    case 'D':
    case 't':
      return length >= 7 && (end - content < 2 || bytes.readUInt16BE(content) <= 1664);
    default:
      return length > HEADER_BYTES;
  }
}

/** Idle, in a transaction, in a failed one. */
export const isTransactionStatus = (value: number): boolean =>
  value === 0x49 || value === 0x54 || value === 0x45;

/** No control characters but white space, and zero between texts. */
function isText(bytes: Buffer, start: number, end: number): boolean {
  const stop = Math.min(end, start + 32);
  for (let i = start; i < stop; i++) {
    const value = bytes[i]!;
    if (value < 0x20 && value !== 0 && (value < 0x09 || value > 0x0d)) return false;
    if (value === 0x7f) return false;
  }
  return true;
}

/** Position of the zero that ends the text at `start`, or -1 when it is not visible. */
export function textEnd(bytes: Buffer, start: number, end: number): number {
  const zero = bytes.indexOf(0, start);
  return zero < 0 || zero >= end ? -1 : zero;
}

/** The text at `start`, as far as it is visible. */
export function textAt(bytes: Buffer, start: number, end: number): string {
  const zero = textEnd(bytes, start, end);
  return bytes.toString('utf8', start, zero < 0 ? end : zero);
}

/** One field of an ErrorResponse (`C` SQLSTATE, `M` message, `S` severity); '' when absent. */
export function errorField(frame: Frame, field: string): string {
  const { bytes, end } = frame;
  const wanted = code(field);
  for (let at = frame.start + HEADER_BYTES; at < end && bytes[at] !== 0; ) {
    const zero = textEnd(bytes, at + 1, end);
    const stop = zero < 0 ? end : zero;
    if (bytes[at] === wanted) return bytes.toString('utf8', at + 1, stop);
    at = stop + 1;
  }
  return '';
}

/** `user`, `database`, … of a startup message. */
export function startParameters(frame: Frame): Map<string, string> {
  const parameters = new Map<string, string>();
  const { bytes, end } = frame;
  for (let at = frame.start + 8; at < end && bytes[at] !== 0 && parameters.size < 32; ) {
    const zero = textEnd(bytes, at, end);
    if (zero < 0) break;
    parameters.set(bytes.toString('utf8', at, zero), textAt(bytes, zero + 1, end));
    const next = textEnd(bytes, zero + 1, end);
    if (next < 0) break;
    at = next + 1;
  }
  return parameters;
}
