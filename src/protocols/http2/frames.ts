/**
 * Frames of HTTP/2, RFC 9113 sections 4 and 6:
 *
 *     length 24 │ type 8 │ flags 8 │ reserved 1, stream 31 │ payload
 */

export const HEADER_BYTES = 9;

export const TYPE = {
  data: 0,
  headers: 1,
  priority: 2,
  rstStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

export const FLAG = { endStream: 0x01, ack: 0x01, endHeaders: 0x04, padded: 0x08, priority: 0x20 } as const;

/** The client's first bytes, RFC 9113 section 3.4. */
export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

/** Extensions: ALTSVC (RFC 7838), ORIGIN (RFC 8336), PRIORITY_UPDATE (RFC 9218). */
const EXTENSIONS = new Set([0x0a, 0x0c, 0x10]);
/** Defined bits of each type's flags; most stacks send no others. */
const FLAGS = [0x09, 0x2d, 0x00, 0x00, 0x01, 0x0c, 0x01, 0x00, 0x00, 0x04];
/** Larger frames are allowed by SETTINGS, and nobody allows more than this. */
const LARGEST = 1 << 20;

export const frameLengthAt = (bytes: Buffer, at: number): number =>
  (bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!;

export const streamAt = (bytes: Buffer, at: number): number => bytes.readUInt32BE(at + 5) & 0x7fff_ffff;

/** Could a frame with this header exist? `bytes` holds it in full. */
export function isFrameHeader(bytes: Buffer, at: number): boolean {
  const length = frameLengthAt(bytes, at);
  const type = bytes[at + 3]!;
  const stream = streamAt(bytes, at);
  if (length > LARGEST || (bytes[at + 5]! & 0x80) !== 0) return false;
  if (type > TYPE.continuation) return EXTENSIONS.has(type);
  if ((bytes[at + 4]! & ~FLAGS[type]!) !== 0) return false;
  switch (type) {
    case TYPE.priority:
      return stream !== 0 && length === 5;
    case TYPE.rstStream:
      return stream !== 0 && length === 4;
    case TYPE.settings:
      return stream === 0 && length % 6 === 0 && length <= 600;
    case TYPE.ping:
      return stream === 0 && length === 8;
    case TYPE.goaway:
      return stream === 0 && length >= 8;
    case TYPE.windowUpdate:
      return length === 4;
    default:
      return stream !== 0;
  }
}

/** Where the payload's content begins and ends, without padding and priority; undefined when it does not fit. */
export function contentOf(
  bytes: Buffer,
  start: number,
  length: number,
): { start: number; end: number } | undefined {
  const type = bytes[start + 3]!;
  const flags = bytes[start + 4]!;
  let from = start + HEADER_BYTES;
  let end = start + length;
  if ((flags & FLAG.padded) !== 0 && type !== TYPE.continuation) {
    if (from >= end) return undefined;
    end -= bytes[from]!;
    from++;
  }
  if (type === TYPE.headers && (flags & FLAG.priority) !== 0) from += 5;
  if (type === TYPE.pushPromise) from += 4;
  return from <= end ? { start: from, end } : undefined;
}
