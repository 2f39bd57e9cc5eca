/**
 * Messages of the MongoDB wire protocol (https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/):
 *
 *     ┌ length 4 ┬ request id 4 ┬ response to 4 ┬ code 4 ┬ …                               all little endian
 *     OP_MSG     ┬ flags 4 ┬ sections: 0 and a document, or 1, size, name, documents ┬ checksum 4 when bit 0 is set
 *     OP_QUERY   ┬ flags 4 ┬ collection, 0 ┬ skip 4 ┬ return 4 ┬ document
 *     OP_REPLY   ┬ flags 4 ┬ cursor 8 ┬ from 4 ┬ count 4 ┬ documents
 *     OP_COMPRESSED ┬ code 4 ┬ length before 4 ┬ compressor 1 ┬ what follows the header of that message
 */
import { isBsonType } from './bson.js';

export const OP = {
  reply: 1,
  update: 2001,
  insert: 2002,
  query: 2004,
  getMore: 2005,
  delete: 2006,
  killCursors: 2007,
  compressed: 2012,
  msg: 2013,
} as const;

export const HEADER_BYTES = 16;
export const FLAG = { checksum: 1, moreToCome: 2, exhaustAllowed: 0x1_0000 } as const;
/** Bits that a receiver has to understand: others of the lower half are an error. */
const UNKNOWN_FLAGS = 0xfffc;

/** maxMessageSizeBytes */
const LONGEST = 48_000_000 + 16_384;
const CODES: ReadonlySet<number> = new Set(Object.values(OP));

/** Length of the message at `start`; 0 when `end` comes before that is known, -1 for none. */
export function messageLength(bytes: Buffer, start: number, end: number): number {
  const visible = end - start;
  if (visible >= 4) {
    const length = bytes.readUInt32LE(start);
    if (length < HEADER_BYTES + 4 || length > LONGEST) return -1;
    if (visible >= HEADER_BYTES) return CODES.has(bytes.readInt32LE(start + 12)) ? length : -1;
  }
  return 0;
}

/** Is what follows the header of a message with that code what it should be, as far as it is visible? */
export function isPlausible(bytes: Buffer, start: number, end: number): boolean {
  const length = bytes.readUInt32LE(start);
  const code = bytes.readInt32LE(start + 12);
  const limit = start + length;
  const body = start + HEADER_BYTES;
  switch (code) {
    case OP.msg: {
      if (end - start < HEADER_BYTES + 4) return true;
      const flags = bytes.readUInt32LE(body);
      if ((flags & UNKNOWN_FLAGS) !== 0 || flags >>> 17 !== 0) return false;
      const kind = bytes[body + 4] ?? 0;
      if (end <= body + 4 || kind === 1) return true;
      return kind === 0 && isDocument(bytes, body + 5, end, limit);
    }
    case OP.query: {
      const zero = bytes.indexOf(0, body + 4);
      return zero < 0 || zero >= end || isDocument(bytes, zero + 9, end, limit);
    }
    case OP.reply:
      return (
        end - start < 36 || bytes.readInt32LE(start + 32) === 0 || isDocument(bytes, start + 36, end, limit)
      );
    case OP.compressed:
      return end - start < 25 || (CODES.has(bytes.readInt32LE(body)) && bytes[body + 8]! <= 3);
    default:
      return true;
  }
}

/** A length within the message, and a first element. */
function isDocument(bytes: Buffer, start: number, end: number, limit: number): boolean {
  if (start + 5 > limit) return false;
  if (start + 5 > end) return true;
  const length = bytes.readInt32LE(start);
  if (length < 5 || start + length > limit) return false;
  const type = bytes[start + 4]!;
  return type === 0 ? length === 5 : isBsonType(type);
}

/** `bytes` up to the zero at or behind `start`, as far as they are visible. */
export function textAt(bytes: Buffer, start: number, end: number): string {
  const zero = bytes.indexOf(0, start);
  return bytes.toString('utf8', start, zero < 0 || zero > end ? end : zero);
}
