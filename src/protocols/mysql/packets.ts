/**
 * Packets of the MySQL client/server protocol: MySQL source documentation, "Client/Server Protocol"
 * (https://dev.mysql.com/doc/dev/mysql-server/latest/PAGE_PROTOCOL.html); MariaDB's extensions:
 * https://mariadb.com/docs/server/reference/clientserver-protocol.
 *
 *     ┌ length 3, little endian ┬ sequence 1 ┬ payload …      a payload of 0xffffff bytes goes on in the next packet
 */
export const HEADER_BYTES = 4;
export const LARGEST_PAYLOAD = 0xff_ffff;

export const COMMAND = {
  quit: 0x01,
  initDb: 0x02,
  query: 0x03,
  fieldList: 0x04,
  statistics: 0x09,
  changeUser: 0x11,
  binlogDump: 0x12,
  prepare: 0x16,
  execute: 0x17,
  longData: 0x18,
  closeStatement: 0x19,
  fetch: 0x1c,
  binlogDumpGtid: 0x1e,
  resetConnection: 0x1f,
  bulkExecute: 0xfa,
} as const;

/** Names of commands that carry no statement. */
export const COMMAND_NAMES: ReadonlyMap<number, string> = new Map([
  [COMMAND.initDb, 'USE'],
  [COMMAND.fieldList, 'FIELD_LIST'],
  [0x05, 'CREATE DATABASE'],
  [0x06, 'DROP DATABASE'],
  [0x07, 'REFRESH'],
  [0x08, 'SHUTDOWN'],
  [COMMAND.statistics, 'STATISTICS'],
  [0x0a, 'PROCESS_INFO'],
  [0x0c, 'KILL'],
  [0x0d, 'DEBUG'],
  [0x0e, 'PING'],
  [COMMAND.changeUser, 'CHANGE_USER'],
  [COMMAND.binlogDump, 'BINLOG_DUMP'],
  [0x15, 'REGISTER_SLAVE'],
  [0x1a, 'STMT_RESET'],
  [0x1b, 'SET_OPTION'],
  [COMMAND.fetch, 'FETCH'],
  [COMMAND.binlogDumpGtid, 'BINLOG_DUMP'],
  [COMMAND.resetConnection, 'RESET_CONNECTION'],
]);

export const CAPABILITY = {
  connectWithDb: 0x8,
  compress: 0x20,
  protocol41: 0x200,
  ssl: 0x800,
  secureConnection: 0x8000,
  authLengthEncoded: 0x20_0000,
  deprecateEof: 0x100_0000,
  zstd: 0x400_0000,
  queryAttributes: 0x800_0000,
} as const;

export const STATUS = { moreResults: 0x0008, cursorExists: 0x0040 } as const;

export const payloadLength = (bytes: Buffer, start: number): number =>
  bytes[start]! | (bytes[start + 1]! << 8) | (bytes[start + 2]! << 16);

/** A length-encoded integer at `at`, and the position behind it; undefined when it is not visible or is none. */
export function lengthEncoded(
  bytes: Buffer,
  at: number,
  end: number,
): { readonly value: number; readonly next: number } | undefined {
  if (at >= end) return undefined;
  const first = bytes[at]!;
  if (first < 0xfb) return { value: first, next: at + 1 };
  const size = first === 0xfc ? 2 : first === 0xfd ? 3 : first === 0xfe ? 8 : 0;
  if (size === 0 || at + 1 + size > end) return undefined;
  const value = size === 8 ? Number(bytes.readBigUInt64LE(at + 1)) : bytes.readUIntLE(at + 1, size);
  return { value, next: at + 1 + size };
}

/** Position of the zero that ends the text at `at`, or `end`. */
export function textEnd(bytes: Buffer, at: number, end: number): number {
  const zero = bytes.indexOf(0, at);
  return zero < 0 || zero > end ? end : zero;
}

export interface Greeting {
  readonly version: string;
  readonly mariadb: boolean;
}

/** The server's first packet (protocol 10), its payload at `start`; undefined when it is none. */
export function readGreeting(bytes: Buffer, start: number, end: number): Greeting | undefined {
  if (bytes[start] !== 10) return undefined;
  const zero = textEnd(bytes, start + 1, end);
  const length = zero - start - 1;
  if (zero === end || length < 1 || length > 128) return undefined;
  const version = bytes.toString('latin1', start + 1, zero);
  if (!/^[0-9][\x20-\x7e]*$/.test(version)) return undefined;
  return { version, mariadb: /mariadb/i.test(version) };
}

export interface HandshakeResponse {
  readonly capabilities: number;
  readonly database: string | undefined;
}

/** The client's answer to the greeting (protocol 4.1), its payload at `start`. */
export function readHandshakeResponse(
  bytes: Buffer,
  start: number,
  end: number,
): HandshakeResponse | undefined {
  if (end - start < 32) return undefined;
  const capabilities = bytes.readUInt32LE(start);
  if ((capabilities & CAPABILITY.protocol41) === 0) return undefined;
  let at = textEnd(bytes, start + 32, end) + 1;
  if ((capabilities & CAPABILITY.connectWithDb) === 0 || at >= end)
    return { capabilities, database: undefined };
  if ((capabilities & CAPABILITY.authLengthEncoded) !== 0) {
    const length = lengthEncoded(bytes, at, end);
    at = length === undefined ? end : length.next + length.value;
  } else if ((capabilities & CAPABILITY.secureConnection) !== 0) at += 1 + (bytes[at] ?? 0);
  else at = textEnd(bytes, at, end) + 1;
  const database = at < end ? bytes.toString('utf8', at, textEnd(bytes, at, end)) : '';
  return { capabilities, database: database === '' ? undefined : database };
}

export interface ErrorPacket {
  readonly code: number;
  readonly message: string;
}

/** An ERR packet, its payload at `start`: code, `#` and SQLSTATE, message. */
export function readError(bytes: Buffer, start: number, end: number): ErrorPacket {
  if (end - start < 3) return { code: 0, message: '' };
  const text = bytes[start + 3] === 0x23 ? start + 9 : start + 3;
  return { code: bytes.readUInt16LE(start + 1), message: bytes.toString('utf8', Math.min(text, end), end) };
}

/** Status flags of an OK packet (also one that ends rows); 0 when they are not visible. */
export function okStatus(bytes: Buffer, start: number, end: number): number {
  const affected = lengthEncoded(bytes, start + 1, end);
  const inserted = affected === undefined ? undefined : lengthEncoded(bytes, affected.next, end);
  return inserted === undefined || inserted.next + 2 > end ? 0 : bytes.readUInt16LE(inserted.next);
}

/** Status flags of an EOF packet. */
export const eofStatus = (bytes: Buffer, start: number, end: number): number =>
  start + 5 <= end ? bytes.readUInt16LE(start + 3) : 0;
