/**
 * DNS messages, RFC 1035 section 4:
 *
 *     id 16 │ QR 1, opcode 4, AA, TC, RD, RA, Z 3, RCODE 4 │ counts: question, answer, authority, additional 16 each
 *     question: name │ type 16 │ class 16        record: name │ type 16 │ class 16 │ TTL 32 │ length 16 │ data
 *
 * Names are labels with their length, or pointers to earlier ones (two upper bits set).
 */
import { addressText } from '../../observer/socket-tuples.js';

export const HEADER_BYTES = 12;
const LONGEST_NAME = 255;
const MAX_POINTERS = 32;
/** Answers that are kept of a response. */
const MAX_ANSWERS = 32;
const LONGEST_TEXT = 256;

/** IANA DNS parameters, resource record types that occur. */
const TYPES: Readonly<Record<number, string>> = {
  1: 'A',
  2: 'NS',
  5: 'CNAME',
  6: 'SOA',
  10: 'NULL',
  12: 'PTR',
  13: 'HINFO',
  15: 'MX',
  16: 'TXT',
  17: 'RP',
  24: 'SIG',
  25: 'KEY',
  28: 'AAAA',
  29: 'LOC',
  33: 'SRV',
  35: 'NAPTR',
  37: 'CERT',
  39: 'DNAME',
  41: 'OPT',
  43: 'DS',
  44: 'SSHFP',
  45: 'IPSECKEY',
  46: 'RRSIG',
  47: 'NSEC',
  48: 'DNSKEY',
  50: 'NSEC3',
  51: 'NSEC3PARAM',
  52: 'TLSA',
  59: 'CDS',
  60: 'CDNSKEY',
  61: 'OPENPGPKEY',
  62: 'CSYNC',
  63: 'ZONEMD',
  64: 'SVCB',
  65: 'HTTPS',
  99: 'SPF',
  249: 'TKEY',
  250: 'TSIG',
  251: 'IXFR',
  252: 'AXFR',
  255: 'ANY',
  256: 'URI',
  257: 'CAA',
};

const RCODES = [
  'NOERROR',
  'FORMERR',
  'SERVFAIL',
  'NXDOMAIN',
  'NOTIMP',
  'REFUSED',
  'YXDOMAIN',
  'YXRRSET',
  'NXRRSET',
  'NOTAUTH',
  'NOTZONE',
  'DSOTYPENI',
];

export const typeName = (type: number): string => TYPES[type] ?? `TYPE${type}`;
export const rcodeName = (rcode: number): string => RCODES[rcode] ?? `RCODE${rcode}`;
export const isKnownType = (type: number): boolean => TYPES[type] !== undefined;

export interface Header {
  readonly id: number;
  readonly response: boolean;
  readonly opcode: number;
  readonly truncated: boolean;
  readonly rcode: number;
  readonly questions: number;
  readonly answers: number;
  readonly authorities: number;
  readonly additionals: number;
}

/** `bytes` holds twelve bytes from `at`. */
export function readHeader(bytes: Buffer, at: number): Header {
  const flags = bytes.readUInt16BE(at + 2);
  return {
    id: bytes.readUInt16BE(at),
    response: (flags & 0x8000) !== 0,
    opcode: (flags >> 11) & 0x0f,
    truncated: (flags & 0x0200) !== 0,
    rcode: flags & 0x0f,
    questions: bytes.readUInt16BE(at + 4),
    answers: bytes.readUInt16BE(at + 6),
    authorities: bytes.readUInt16BE(at + 8),
    additionals: bytes.readUInt16BE(at + 10),
  };
}

/** Position behind the name at `at`, -1 when it is cut or no name. Allocates nothing. */
export function nameEnd(bytes: Buffer, at: number, end: number): number {
  let length = 0;
  for (let next = at; next < end; ) {
    const size = bytes[next]!;
    if (size === 0) return next + 1;
    if (size >= 0xc0) return next + 2 <= end ? next + 2 : -1;
    if (size > 63) return -1;
    length += size + 1;
    if (length > LONGEST_NAME) return -1;
    next += size + 1;
  }
  return -1;
}

/** The name at `at` of the message that begins at `start`; undefined when it is cut or no name. "" is the root. */
export function readName(bytes: Buffer, start: number, at: number, end: number): string | undefined {
  let text = '';
  let next = at;
  for (let pointers = 0; pointers < MAX_POINTERS; ) {
    if (next >= end) return undefined;
    const size = bytes[next]!;
    if (size === 0) return text;
    if (size >= 0xc0) {
      if (next + 2 > end) return undefined;
      next = start + (bytes.readUInt16BE(next) & 0x3fff);
      pointers++;
      continue;
    }
    if (size > 63 || next + 1 + size > end || text.length + size > LONGEST_NAME) return undefined;
    text += `${text === '' ? '' : '.'}${bytes.toString('latin1', next + 1, next + 1 + size)}`;
    next += size + 1;
  }
  return undefined;
}

/** Answers with type `wanted` (any when it is 255) as text, as far as they are visible. */
export function readAnswers(
  bytes: Buffer,
  start: number,
  records: number,
  count: number,
  end: number,
  wanted: number,
): string[] {
  const answers: string[] = [];
  let at = records;
  for (let i = 0; i < count && answers.length < MAX_ANSWERS; i++) {
    const head = nameEnd(bytes, at, end);
    if (head < 0 || head + 10 > end) break;
    const type = bytes.readUInt16BE(head);
    const data = head + 10;
    const next = data + bytes.readUInt16BE(head + 8);
    if (next > end) break;
    if (type === wanted || wanted === 255) {
      const text = dataText(bytes, start, type, data, next);
      if (text !== undefined) answers.push(text.slice(0, LONGEST_TEXT));
    }
    at = next;
  }
  return answers;
}

function dataText(bytes: Buffer, start: number, type: number, at: number, end: number): string | undefined {
  const name = (from: number) => readName(bytes, start, from, end);
  switch (type) {
    case 1:
      return end - at === 4 ? `${bytes[at]}.${bytes[at + 1]}.${bytes[at + 2]}.${bytes[at + 3]}` : undefined;
    case 28:
      return end - at === 16 ? addressText(bytes, at) : undefined;
    case 2:
    case 5:
    case 6:
    case 12:
    case 39:
      return name(at);
    case 15:
      return end - at > 2 ? `${bytes.readUInt16BE(at)} ${name(at + 2) ?? ''}` : undefined;
    case 33:
      return end - at > 6
        ? `${bytes.readUInt16BE(at)} ${bytes.readUInt16BE(at + 2)} ${bytes.readUInt16BE(at + 4)} ${name(at + 6) ?? ''}`
        : undefined;
    case 16:
    case 99: {
      let text = '';
      for (let from = at; from < end; ) {
        const size = bytes[from]!;
        text += bytes.toString('latin1', from + 1, Math.min(end, from + 1 + size));
        from += size + 1;
      }
      return text;
    }
    case 64:
    case 65:
      return end - at > 2 ? `${bytes.readUInt16BE(at)} ${name(at + 2) || '.'}` : undefined;
    default:
      return undefined;
  }
}
