/**
 * Control lines of NATS (https://docs.nats.io/reference/reference-protocols/nats-protocol):
 *
 *     PUB orders.new 5 CRLF hello CRLF                      HPUB subject [reply] header-bytes total-bytes
 *     MSG orders.new 1 5 CRLF hello CRLF                    HMSG subject sid [reply] header-bytes total-bytes
 */
import { BAD, MORE } from '../frame-reader.js';

/** `to`: who receives it. */
export interface Verb {
  readonly name: string;
  readonly sender: 'client' | 'server' | 'both';
  /** Fields behind it at least, at most; -1: the rest of the line is one. */
  readonly least: number;
  readonly most: number;
  /** The last field is the number of bytes that follow. */
  readonly payload: boolean;
}

const verb = (name: string, sender: Verb['sender'], least: number, most: number, payload = false): Verb => ({
  name,
  sender,
  least,
  most,
  payload,
});
const VERBS: readonly Verb[] = [
  verb('PUB', 'client', 2, 3, true),
  verb('HPUB', 'client', 3, 4, true),
  verb('MSG', 'server', 3, 4, true),
  verb('HMSG', 'server', 4, 5, true),
  verb('SUB', 'client', 2, 3),
  verb('UNSUB', 'client', 1, 2),
  verb('PING', 'both', 0, 0),
  verb('PONG', 'both', 0, 0),
  verb('CONNECT', 'client', 1, -1),
  verb('INFO', 'server', 1, -1),
  verb('+OK', 'server', 0, 0),
  verb('-ERR', 'server', 0, -1),
];

/** Control lines are limited to 4 KiB by default; INFO of a large cluster is longer. */
const LONGEST_LINE = 16 * 1024;
/** max_payload is 1 MiB by default and 64 MiB at most. */
const LARGEST_PAYLOAD = 0x0400_0000;
const MOST_FIELDS = 5;

/** The line that was read last: `read` says where its fields are. */
export class ControlLine {
  verb: Verb = VERBS[0]!;
  /** Positions of the fields behind the verb: start and end of each. */
  readonly fields = new Int32Array(2 * MOST_FIELDS);
  count = 0;
  /** Position behind the line's CRLF. */
  end = 0;
  /** Bytes of headers and payload that follow, without the CRLF behind them; -1: none do. */
  payload = -1;

  /** Length of the line at `start` with all that belongs to it, MORE or BAD. */
  read(fromClient: boolean, bytes: Buffer, start: number, end: number): number {
    const known = verbAt(bytes, start, end);
    if (known === undefined) return BAD;
    if (known === MORE) return MORE;
    if (known.sender !== 'both' && (known.sender === 'client') !== fromClient) return BAD;
    let newline = start + known.name.length;
    while (newline < end && bytes[newline] !== LF) newline++;
    if (newline === end) return end - start > LONGEST_LINE ? BAD : MORE;
    this.verb = known;
    this.end = newline + 1;
    this.payload = -1;
    const stop = bytes[newline - 1] === CR ? newline - 1 : newline;
    this.#split(bytes, start + known.name.length, stop);
    if (this.count < known.least || (known.most >= 0 && this.count > known.most)) return BAD;
    if (!known.payload) return this.end - start;
    const total = this.number(this.count - 1, bytes);
    if (total < 0 || total > LARGEST_PAYLOAD) return BAD;
    this.payload = total;
    return this.end - start + total + 2;
  }

  /** The field as a number, -1 when it is none. */
  number(index: number, bytes: Buffer): number {
    const { fields } = this;
    const start = fields[2 * index]!;
    const end = fields[2 * index + 1]!;
    if (end === start || end - start > 9) return -1;
    let value = 0;
    for (let at = start; at < end; at++) {
      const digit = bytes[at]! - 0x30;
      if (digit < 0 || digit > 9) return -1;
      value = value * 10 + digit;
    }
    return value;
  }

  #split(bytes: Buffer, start: number, stop: number): void {
    const { fields, verb } = this;
    let count = 0;
    let at = start;
    for (;;) {
      while (at < stop && isBlank(bytes[at]!)) at++;
      if (at === stop) break;
      const first = at;
      if (verb.most < 0) at = stop;
      else while (at < stop && !isBlank(bytes[at]!)) at++;
      // One field too many is no line of this protocol: `read` refuses it.
      if (count === MOST_FIELDS) {
        count++;
        break;
      }
      fields[2 * count] = first;
      fields[2 * count + 1] = at;
      count++;
    }
    this.count = count;
  }
}

const LF = 0x0a;
const CR = 0x0d;
const isBlank = (value: number): boolean => value === 0x20 || value === 0x09;

const BY_FIRST: readonly (readonly Verb[] | undefined)[] = Array.from({ length: 128 }, (_, code) => {
  const upper = String.fromCharCode(code).toUpperCase();
  const found = VERBS.filter(({ name }) => name.startsWith(upper));
  return found.length === 0 ? undefined : found;
});

/** The verb at `start`, MORE when the bytes end before it does, undefined when it is none. Any case will do. */
function verbAt(bytes: Buffer, start: number, end: number): Verb | typeof MORE | undefined {
  const candidates = BY_FIRST[bytes[start]!];
  if (candidates === undefined) return undefined;
  for (const candidate of candidates) {
    const { name } = candidate;
    let at = 1;
    while (at < name.length && start + at < end && upperOf(bytes[start + at]!) === name.charCodeAt(at)) at++;
    if (at < name.length) {
      if (start + at === end) return MORE;
      continue;
    }
    if (start + at === end) return MORE;
    const after = bytes[start + at]!;
    if (isBlank(after) || after === CR || after === LF) return candidate;
  }
  return undefined;
}

const upperOf = (value: number): number => (value >= 0x61 && value <= 0x7a ? value - 0x20 : value);
