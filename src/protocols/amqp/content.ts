/** Content headers and field tables (AMQP 0-9-1 sections 4.2.5.5 and 4.2.6.1, types as RabbitMQ reads them). */
import type { ByteCursor } from '../byte-cursor.js';
import type { HeaderValues } from '../trace-context/header-values.js';

export interface ContentProperties {
  bodyBytes: number;
  correlationId: string;
  replyTo: string;
  messageId: string;
}

export const createProperties = (): ContentProperties => ({
  bodyBytes: 0,
  correlationId: '',
  replyTo: '',
  messageId: '',
});

const FLAG = {
  contentType: 0x8000,
  contentEncoding: 0x4000,
  headers: 0x2000,
  deliveryMode: 0x1000,
  priority: 0x0800,
  correlationId: 0x0400,
  replyTo: 0x0200,
  expiration: 0x0100,
  messageId: 0x0080,
} as const;

/**
 * Reads the payload of a header frame: class, weight, size of the body, flags and the properties that they announce.
 * Properties behind the visible end stay empty; false when not even the size was visible.
 */
export function readProperties(cursor: ByteCursor, into: ContentProperties, context: HeaderValues): boolean {
  cursor.skip(4);
  into.bodyBytes = cursor.u64();
  into.correlationId = '';
  into.replyTo = '';
  into.messageId = '';
  context.clear();
  if (!cursor.ok) return false;
  const flags = cursor.u16();
  if ((flags & FLAG.contentType) !== 0) cursor.skip(cursor.u8());
  if ((flags & FLAG.contentEncoding) !== 0) cursor.skip(cursor.u8());
  if ((flags & FLAG.headers) !== 0) readTable(cursor, context);
  if ((flags & FLAG.deliveryMode) !== 0) cursor.skip(1);
  if ((flags & FLAG.priority) !== 0) cursor.skip(1);
  if ((flags & FLAG.correlationId) !== 0) into.correlationId = cursor.shortText();
  if ((flags & FLAG.replyTo) !== 0) into.replyTo = cursor.shortText();
  if ((flags & FLAG.expiration) !== 0) cursor.skip(cursor.u8());
  if ((flags & FLAG.messageId) !== 0) into.messageId = cursor.shortText();
  return true;
}

/** Bytes of a value by its type; -1: a length stands before it; -2: unknown. */
function fixedSize(type: number): number {
  switch (String.fromCharCode(type)) {
    case 't':
    case 'b':
    case 'B':
      return 1;
    case 's':
    case 'u':
    case 'U':
      return 2;
    case 'I':
    case 'i':
    case 'f':
      return 4;
    case 'l':
    case 'L':
    case 'd':
    case 'T':
      return 8;
    case 'D':
      return 5;
    case 'V':
      return 0;
    case 'S':
    case 'x':
    case 'A':
    case 'F':
      return -1;
    default:
      return -2;
  }
}

function readTable(cursor: ByteCursor, context: HeaderValues): void {
  const length = cursor.u32();
  const tableEnd = cursor.pos + length;
  const stop = Math.min(tableEnd, cursor.end);
  const { bytes } = cursor;
  let at = cursor.pos;
  while (cursor.ok && at < stop) {
    const nameStart = at + 1;
    const nameEnd = nameStart + bytes[at]!;
    if (nameEnd + 1 > stop) break;
    const type = bytes[nameEnd]!;
    const size = fixedSize(type);
    at = nameEnd + 1;
    if (size === -2) break;
    if (size >= 0) {
      at += size;
      continue;
    }
    if (at + 4 > stop) break;
    const valueStart = at + 4;
    at = valueStart + bytes.readUInt32BE(at);
    if (at > stop) break;
    if (type === LONG_TEXT || type === BYTES) context.take(bytes, nameStart, nameEnd, valueStart, at);
  }
  cursor.skip(length);
}

const LONG_TEXT = 0x53;
const BYTES = 0x78;
