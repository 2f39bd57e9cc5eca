/** Redis and what speaks its protocol: RESP2, RESP3, inline commands. */
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
import { KeyPatterns } from './commands.js';
import { describeRedis, REDIS_ATTRIBUTES, type RedisDetail } from './detail.js';
import { RedisParser } from './parser.js';
import { isLetter, readCount } from './resp-reader.js';

/** One for the thread: what keys look like is nothing of any connection. */
const patterns = new KeyPatterns();

export const redisProtocol: Protocol<RedisDetail> = {
  name: 'redis',
  title: 'Redis',
  convention: 'database',
  system: 'redis',
  transports: ['tcp', 'unix'],
  ports: [6379, 6380, 7000, 16_379, 26_379],
  pairing: 'in_order',
  serverFirst: false,
  carriers: [],
  capture: { request: { head: 512, tail: 0 }, response: { head: 256, tail: 0 } },
  docs: {
    parsed:
      'RESP2 and RESP3, inline commands, pipelines, `MULTI`/`EXEC`, publish and subscribe, `CLIENT REPLY`, blocking commands (shown as waiting), redirects and all other errors',
    spanName: '`{command} {key prefix}:*`, or `{command}` for keys without a prefix of letters',
    attributes: REDIS_ATTRIBUTES,
    errors:
      'every error reply, by its first word (`ERR`, `WRONGTYPE`, `MOVED`, `ASK`, …), also inside the reply to `EXEC`; `no_response`, `reset`',
    limits: [
      'Messages to subscribers and pushes are no exchanges; a connection that becomes a replica is parsed up to there.',
      'At most 256 key prefixes are shown by one agent; later ones leave the command alone as the name.',
      '`db.namespace` is not known of connections that are joined in the middle, until they select a database.',
      'Pipelined commands whose replies were not captured are dropped (`not_captured`).',
    ],
  },

  recognise,
  createParser: (host) => new RedisParser(host),
  describe: (exchange, span, options) => describeRedis(exchange, span, options, patterns),
};

function recognise(bytes: Buffer, start: number, end: number, from: Side | undefined): Verdict {
  const first = bytes[start]!;
  switch (first) {
    case 0x2a: // *
      return arrayVerdict(bytes, start, end, from);
    case 0x24: // $
    case 0x3a: // :
    case 0x25: // %
    case 0x3e: // >
      return from === 'client' ? NOT_OURS : replyVerdict(bytes, start, end);
    case 0x2b: // +
    case 0x2d: // -
      return from === 'client' ? NOT_OURS : statusVerdict(bytes, start, end);
    default:
      return isLetter(first) && from !== 'server' ? inlineVerdict(bytes, start, end) : NOT_OURS;
  }
}

/** `*2 CRLF $3 CRLF GET`: a command, or a reply that is an array of texts. */
function arrayVerdict(bytes: Buffer, start: number, end: number, from: Side | undefined): Verdict {
  const line = lineEnd(bytes, start, end);
  if (line < 0) return end - start < 4 ? UNDECIDED : NOT_OURS;
  const count = readCount(bytes, start + 1, line);
  if (count === undefined) return NOT_OURS;
  const next = line + 2;
  if (next >= end) return from === 'server' ? -POSSIBLE : UNDECIDED;
  if (bytes[next] !== 0x24) return from === 'client' || from === undefined ? NOT_OURS : -POSSIBLE;
  const second = lineEnd(bytes, next, end);
  if (second < 0) return from === 'server' ? -POSSIBLE : UNDECIDED;
  const length = readCount(bytes, next + 1, second);
  if (length === undefined) return NOT_OURS;
  if (from === 'server') return -LIKELY;
  if (length < 1 || length > 32) return NOT_OURS;
  const stop = Math.min(end, second + 2 + length);
  for (let at = second + 2; at < stop; at++) {
    const value = bytes[at]!;
    if (!isLetter(value) && value !== 0x2e && value !== 0x5f && value !== 0x2d && value !== 0x7c) {
      return NOT_OURS;
    }
  }
  return stop === end && second + 2 === end ? LIKELY : CERTAIN;
}

function replyVerdict(bytes: Buffer, start: number, end: number): Verdict {
  const line = lineEnd(bytes, start, end);
  if (line < 0) return end - start < 4 ? -UNDECIDED : NOT_OURS;
  return readCount(bytes, start + 1, line) === undefined ? NOT_OURS : -LIKELY;
}

function statusVerdict(bytes: Buffer, start: number, end: number): Verdict {
  const line = lineEnd(bytes, start, end);
  if (line < 0) return end - start < 4 ? -UNDECIDED : NOT_OURS;
  if (end - start < 2 || !isLetter(bytes[start + 1]!)) return NOT_OURS;
  return -POSSIBLE;
}

/** Inline commands that people and health checks send. */
const INLINE =
  /^(?:PING|INFO|QUIT|AUTH|SELECT|GET|SET|DEL|ECHO|EXISTS|INCR|DECR|TTL|KEYS|DBSIZE|MONITOR|SUBSCRIBE|PUBLISH)(?: [^\r\n]*)?\r?\n/i;

function inlineVerdict(bytes: Buffer, start: number, end: number): Verdict {
  const length = end - start;
  if (length > 128 || bytes[end - 1] !== 0x0a) return NOT_OURS;
  return INLINE.test(bytes.toString('latin1', start, end)) ? POSSIBLE : NOT_OURS;
}

/** Position of the CRLF that ends a line of at most 12 bytes, or of a status; -1 when there is none. */
function lineEnd(bytes: Buffer, start: number, end: number): number {
  const short = bytes[start] !== 0x2b && bytes[start] !== 0x2d;
  const stop = Math.min(end, start + (short ? 14 : 256)) - 1;
  for (let at = start + 1; at < stop; at++) {
    if (bytes[at] === 0x0d) return bytes[at + 1] === 0x0a ? at : -1;
  }
  return -1;
}
