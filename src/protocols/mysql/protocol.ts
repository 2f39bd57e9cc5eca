/** MySQL and MariaDB: the classic client/server protocol. */
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
import { describeSql, SQL_ATTRIBUTES } from '../sql/describe.js';
import { SQL_CARRIERS } from '../sql/sqlcommenter.js';
import { SqlStatements } from '../sql/statement.js';
import type { MySqlDetail } from './detail.js';
import { CAPABILITY, COMMAND, HEADER_BYTES, payloadLength, readGreeting } from './packets.js';
import { isCommand, MySqlParser } from './parser.js';

/** Texts and what they say: nothing of any connection. */
const statements = new SqlStatements('mysql');

export const mysqlProtocol: Protocol<MySqlDetail> = {
  name: 'mysql',
  title: 'MySQL and MariaDB',
  convention: 'database',
  system: 'mysql',
  transports: ['tcp', 'unix'],
  ports: [3306, 3307, 33_060],
  pairing: 'in_order',
  serverFirst: true,
  carriers: [...SQL_CARRIERS, 'query attribute `traceparent` (MySQL 8.0.23 and later)'],
  capture: { request: { head: 1024, tail: 0 }, response: { head: 256, tail: 8 } },
  docs: {
    parsed:
      'Handshake, statements, prepared statements mapped to their text, several results, `LOAD DATA LOCAL`, cursors, statements of more than 16 MiB, refused connections, zlib compression; the way from the handshake to TLS',
    spanName: '`{summary}`; `PREPARE {summary}`, `CONNECT {database}` (refused), `PING` and the like',
    attributes: SQL_ATTRIBUTES,
    errors: 'every ERR packet, by its number; `no_response`, `reset`',
    limits: [
      'A statement that was prepared before the connection was seen is named `EXECUTE`.',
      'Joined in the middle, MariaDB can not be told from MySQL and is called `mysql`; the database is not known.',
      'zstd compression is noticed and its contents passed over; a compressed connection that is joined in the middle is not recognised.',
      'Text in double quotes is taken for a value, as it is unless `ANSI_QUOTES` is set.',
      'Closing a statement and quitting are no exchanges.',
    ],
  },

  recognise,
  createParser: (host) => new MySqlParser(host),
  describe: (exchange, span, options) =>
    describeSql(exchange, span, options, exchange.detail.system, statements),
};

function recognise(bytes: Buffer, start: number, end: number, from: Side | undefined): Verdict {
  if (end - start < HEADER_BYTES + 1) return bytes[start] === 0 ? NOT_OURS : UNDECIDED;
  const sequence = bytes[start + 3]!;
  // Sequences begin at 0, and the first answer has 1.
  if (sequence > 2) return NOT_OURS;
  const length = payloadLength(bytes, start);
  if (length === 0) return NOT_OURS;
  const payload = start + HEADER_BYTES;
  const first = bytes[payload]!;
  if (sequence === 0) {
    if (first === 10 && from !== 'client') return greetingVerdict(bytes, payload, end, length);
    if (from === 'server') return first === 0xff && bytes[payload + 2] === 4 ? -LIKELY : NOT_OURS;
    return commandVerdict(bytes, payload, end, length);
  }
  if (from !== 'server' && isHandshake(bytes, payload, end, length)) return CERTAIN;
  if (from === 'client' || sequence !== 1) return NOT_OURS;
  return replyVerdict(bytes, payload, end, length);
}

function greetingVerdict(bytes: Buffer, payload: number, end: number, length: number): Verdict {
  if (length < 20 || length > 512) return NOT_OURS;
  if (payload + length > end && end - payload < 16) return -UNDECIDED;
  return readGreeting(bytes, payload, end) === undefined ? NOT_OURS : -CERTAIN;
}

function isHandshake(bytes: Buffer, payload: number, end: number, length: number): boolean {
  if (length < 32 || length > 4096 || end - payload < 32) return false;
  const capabilities = bytes.readUInt32LE(payload);
  if ((capabilities & CAPABILITY.protocol41) === 0) return false;
  // Filler: 19 zeros, and 4 bytes that MariaDB uses.
  for (let at = payload + 9; at < payload + 28; at++) if (bytes[at] !== 0) return false;
  return true;
}

function commandVerdict(bytes: Buffer, payload: number, end: number, length: number): Verdict {
  const command = bytes[payload]!;
  if (!isCommand(command)) return NOT_OURS;
  const whole = payload + length === end;
  if (command === COMMAND.query || command === COMMAND.prepare) {
    if (payload + length < end || length < 2) return NOT_OURS;
    // Query attributes: usually none of them.
    const text = bytes[payload + 1] === 0 && bytes[payload + 2] === 1 ? payload + 3 : payload + 1;
    if (!isStatement(bytes, text, end)) return NOT_OURS;
    return whole ? 90 : LIKELY;
  }
  if (!whole) return NOT_OURS;
  if (command === COMMAND.execute) return length >= 10 ? POSSIBLE : NOT_OURS;
  return length === 1 ? POSSIBLE : 20;
}

/** Four letters, a comment or a parenthesis. */
function isStatement(bytes: Buffer, start: number, end: number): boolean {
  if (start + 2 > end) return false;
  const first = bytes[start]!;
  if (first === 0x28 || first === 0x2f || first === 0x2d || first === 0x20 || first === 0x0a) return true;
  for (let at = start; at < Math.min(end, start + 3); at++) {
    const lower = bytes[at]! | 0x20;
    if (lower < 0x61 || lower > 0x7a) return false;
  }
  return true;
}

function replyVerdict(bytes: Buffer, payload: number, end: number, length: number): Verdict {
  const first = bytes[payload]!;
  if (first === 0xff) return length > 9 && bytes[payload + 3] === 0x23 ? -LIKELY : NOT_OURS;
  if (first === 0x00) return length >= 7 && payload + length === end ? -POSSIBLE : NOT_OURS;
  // A count of columns, followed by the first definition.
  if (length <= 3 && payload + length + HEADER_BYTES < end) {
    const next = payload + length;
    return bytes[next + 3] === 2 && bytes[next + 4] === 3 ? -CERTAIN : NOT_OURS;
  }
  return NOT_OURS;
}
