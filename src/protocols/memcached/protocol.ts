/** Memcached: text (classic and meta) and binary. */
import {
  CERTAIN,
  LIKELY,
  NOT_OURS,
  POSSIBLE,
  type Protocol,
  type Side,
  UNDECIDED,
  type Verdict,
} from '../protocol.js';
import { BINARY_HEADER, binaryLength, REQUEST_MAGIC, RESPONSE_MAGIC } from './binary-parser.js';
import { describeMemcached, MEMCACHED_ATTRIBUTES, type MemcachedDetail } from './detail.js';
import { MemcachedParser } from './parser.js';
import { isTextCommand, REPLY } from './text-parser.js';

export const memcachedProtocol: Protocol<MemcachedDetail> = {
  name: 'memcached',
  title: 'Memcached',
  convention: 'database',
  system: 'memcached',
  transports: ['tcp', 'unix'],
  ports: [11_211],
  pairing: 'in_order',
  serverFirst: false,
  carriers: [],
  capture: { request: { head: 512, tail: 0 }, response: { head: 128, tail: 0 } },
  docs: {
    parsed:
      'The text protocol with its classic and meta commands, `noreply` and quiet modes, and the binary protocol with quiet commands and statistics',
    spanName: '`{command}`, in lower case for both protocols',
    attributes: MEMCACHED_ATTRIBUTES,
    errors:
      '`ERROR`, `CLIENT_ERROR`, `SERVER_ERROR`; binary: the status as `0x0004`; a miss or a lost `cas` is an outcome and no error; `no_response`, `reset`',
    limits: [
      'UDP is not parsed.',
      'Quiet commands that are not answered end without a response when a later one is answered.',
      'Pipelined text commands whose replies were not captured are dropped (`not_captured`).',
    ],
  },

  recognise,
  createParser: (host) => new MemcachedParser(host),
  describe: describeMemcached,
};

function recognise(bytes: Buffer, start: number, end: number, from: Side | undefined): Verdict {
  const first = bytes[start]!;
  if (first === REQUEST_MAGIC)
    return from === 'server' ? NOT_OURS : binaryVerdict(REQUEST_MAGIC, bytes, start, end);
  if (first === RESPONSE_MAGIC)
    return from === 'client' ? NOT_OURS : -binaryVerdict(RESPONSE_MAGIC, bytes, start, end);
  const lower = first >= 0x61 && first <= 0x7a;
  if (lower) return from === 'server' ? NOT_OURS : commandVerdict(bytes, start, end);
  const upper = first >= 0x41 && first <= 0x5a;
  if (!upper || from === 'client') return NOT_OURS;
  const text = bytes.toString('latin1', start, Math.min(end, start + 24));
  if (!REPLY.test(text)) return NOT_OURS;
  return text.startsWith('VALUE ') || text === 'STORED\r\n' || text === 'END\r\n' ? -LIKELY : -POSSIBLE;
}

function binaryVerdict(magic: number, bytes: Buffer, start: number, end: number): Verdict {
  const length = binaryLength(magic, bytes, start, end);
  if (length < 0) return NOT_OURS;
  if (length === 0) return UNDECIDED;
  if (bytes[start + 1]! > 0x40) return NOT_OURS;
  return length === end - start || (length < end - start && bytes[start + length] === magic)
    ? 90
    : length < BINARY_HEADER + 0x1000
      ? POSSIBLE
      : 20;
}

const STORE =
  /^(?:set|add|replace|append|prepend) [^\s]{1,250} \d{1,10} -?\d{1,10} \d{1,10}(?: noreply)?\r\n/;
const CAS = /^cas [^\s]{1,250} \d{1,10} -?\d{1,10} \d{1,10} \d{1,20}(?: noreply)?\r\n/;
const META = /^(?:m[gdae] [^\s]{1,250}|ms [^\s]{1,250} \d{1,10}|mn)(?: [a-zA-Z][^\s]{0,40})*\r\n/;

function commandVerdict(bytes: Buffer, start: number, end: number): Verdict {
  // The longest command has nine letters.
  let at = start;
  while (at < end && at < start + 12 && isCommandLetter(bytes[at]!)) at++;
  if (at === end) return at - start < 10 ? UNDECIDED : NOT_OURS;
  const after = bytes[at]!;
  if ((after !== 0x20 && after !== 0x0d) || !isTextCommand(bytes.toString('latin1', start, at)))
    return NOT_OURS;
  const text = bytes.toString('latin1', start, Math.min(end, start + 384));
  if (STORE.test(text) || CAS.test(text) || META.test(text)) return CERTAIN;
  return text.includes('\r\n') || end - start > 64 ? 60 : POSSIBLE;
}

const isCommandLetter = (value: number): boolean => (value >= 0x61 && value <= 0x7a) || value === 0x5f;
