/**
 * What the files of a persistent queue look like. A directory holds segments `NNNNNNNNNN-SSSSSSSS.kq` (sequence number,
 * salt in hex) and beside each a journal of the same name that ends in `.ack` (see `journal.ts`). All numbers are little
 * endian, all checksums CRC-32C.
 *
 * A segment begins with a header of 32 bytes, which every version has in this form up to `header bytes`:
 *
 *      0          8         10             12     16             24         28
 *      +----------+---------+--------------+------+--------------+----------+-------+
 *      | magic    | version | header bytes | salt | items before | reserved | crc   |
 *      +----------+---------+--------------+------+--------------+----------+-------+
 *      8 bytes    u16       u16            u32    f64            u32        u32, of bytes 0 to 28
 *
 * Records follow without gaps:
 *
 *      0       4         8       12     14     15      16            24             32       40         44           48
 *      +-------+---------+-------+------+------+-------+-------------+--------------+--------+----------+------------+------+---------+
 *      | magic | payload | items | meta | kind | flags | enqueued ms | items before | number | body crc | header crc | meta | payload |
 *      +-------+---------+-------+------+------+-------+-------------+--------------+--------+----------+------------+------+---------+
 *      u32     u32 bytes u32     u16 B  u8     u8      f64           f64            f64      u32        u32, of bytes 0 to 44
 *
 * Two checksums, so that of a record with a damaged body we still know its length and how many items were lost. `items
 * before` counts the items of all records since the log was made: across a damaged stretch the next good record tells how
 * many were in it. Both checksums start from the segment's salt: a payload that contains the bytes of a record (a sender
 * may put anything into an attribute) is never taken for one when the search for the next good record runs through it.
 */
import type { Batch, Origin, Signal } from '../component/signal.js';
import { crc32c } from '../transport/crc32c.js';

/** Of the files that this program writes. */
export const FORMAT_VERSION = 1;
export const SEGMENT_HEADER_BYTES = 32;
export const RECORD_HEADER_BYTES = 48;

/** The line feeds show when something converted the file as if it were text. */
const SEGMENT_MAGIC = Buffer.from('KQUEUE\r\n', 'latin1');
/** "KQR1" in the order of the file. */
const RECORD_MAGIC = 0x3152514b;
export const RECORD_MAGIC_BYTES = Buffer.from('KQR1', 'latin1');

/** Codes on disk; never renumber. */
const KIND_OF_SIGNAL: Readonly<Record<Signal, number>> = { traces: 1, metrics: 2, logs: 3, profiles: 4 };
const SIGNAL_OF_KIND: readonly (Signal | undefined)[] = [undefined, 'traces', 'metrics', 'logs', 'profiles'];

/** The directory was written by a program that knows more than this one. Nothing in it has been touched. */
export class QueueVersionError extends Error {
  override readonly name = 'QueueVersionError';
}

export interface SegmentName {
  readonly sequence: number;
  readonly salt: number;
}

const SEGMENT_NAME = /^(\d{10})-([0-9a-f]{8})\.kq$/;

/** File name without extension. */
export const baseName = ({ sequence, salt }: SegmentName): string =>
  `${String(sequence).padStart(10, '0')}-${salt.toString(16).padStart(8, '0')}`;

/** Undefined for a file that is no segment. */
export function parseSegmentName(name: string): SegmentName | undefined {
  const match = SEGMENT_NAME.exec(name);
  return match === null ? undefined : { sequence: Number(match[1]), salt: Number.parseInt(match[2]!, 16) };
}

export function encodeSegmentHeader(salt: number, itemsBefore: number): Buffer {
  const header = Buffer.alloc(SEGMENT_HEADER_BYTES);
  SEGMENT_MAGIC.copy(header);
  header.writeUInt16LE(FORMAT_VERSION, 8);
  header.writeUInt16LE(SEGMENT_HEADER_BYTES, 10);
  header.writeUInt32LE(salt, 12);
  header.writeDoubleLE(itemsBefore, 16);
  header.writeUInt32LE(crc32c(header, 0, 0, 28), 28);
  return header;
}

export interface SegmentHeader {
  readonly version: number;
  readonly itemsBefore: number;
}

/**
 * The header of a segment, or undefined when it is damaged. Throws `QueueVersionError` when it is whole and of a version
 * that this program can't read.
 */
export function decodeSegmentHeader(bytes: Buffer, path: string): SegmentHeader | undefined {
  if (bytes.length < SEGMENT_HEADER_BYTES || !bytes.subarray(0, 8).equals(SEGMENT_MAGIC)) return undefined;
  const version = bytes.readUInt16LE(8);
  const headerBytes = bytes.readUInt16LE(10);
  if (headerBytes < 16 || headerBytes > bytes.length) return undefined;
  if (crc32c(bytes, 0, 0, headerBytes - 4) !== bytes.readUInt32LE(headerBytes - 4)) return undefined;
  if (version !== FORMAT_VERSION) {
    const age = version > FORMAT_VERSION ? 'newer' : 'older';
    throw new QueueVersionError(
      `${path} has format version ${version}, which is ${age} than version ${FORMAT_VERSION} that this program reads. ` +
        'Nothing was changed. Run the program that wrote it until the queue is empty, or give this one another `directory`.',
    );
  }
  return { version, itemsBefore: bytes.readDoubleLE(16) };
}

/** Where a record stands in the whole log. */
export interface RecordPosition {
  readonly number: number;
  readonly itemsBefore: number;
}

/** The pieces of a record in the order of the file; the payload's are those of the batch, not copies. */
export function encodeRecord(
  batch: Batch,
  position: RecordPosition,
  salt: number,
  nowMs: number,
): Uint8Array[] {
  const payload = batch.parts ?? [batch.bytes];
  const meta = encodeOrigin(batch.origin);
  const header = Buffer.alloc(RECORD_HEADER_BYTES);
  header.writeUInt32LE(RECORD_MAGIC, 0);
  header.writeUInt32LE(
    payload.reduce((sum, part) => sum + part.length, 0),
    4,
  );
  header.writeUInt32LE(batch.itemCount, 8);
  header.writeUInt16LE(meta.length, 12);
  header.writeUInt8(KIND_OF_SIGNAL[batch.signal], 14);
  header.writeDoubleLE(nowMs, 16);
  header.writeDoubleLE(position.itemsBefore, 24);
  header.writeDoubleLE(position.number, 32);
  let crc = crc32c(meta, salt);
  for (const part of payload) crc = crc32c(part, crc);
  header.writeUInt32LE(crc, 40);
  header.writeUInt32LE(crc32c(header, salt, 0, 44), 44);
  return [header, meta, ...payload];
}

/** The header of a record that was read; its checksum is right. */
export interface RecordHeader extends RecordPosition {
  /** Of the record in its segment. */
  readonly offset: number;
  /** Offset behind its payload. */
  readonly end: number;
  readonly metaBytes: number;
  readonly payloadBytes: number;
  readonly itemCount: number;
  readonly signal: Signal;
  /** Wall clock when it was written. For people; nothing is decided by it. */
  readonly enqueuedMs: number;
}

/**
 * The header at `at` of `bytes`, or undefined when there is no whole, valid one. `base` is the offset of `bytes` in the
 * segment. The record itself may reach beyond `bytes`.
 */
export function decodeRecordHeader(
  bytes: Buffer,
  at: number,
  salt: number,
  base = 0,
): RecordHeader | undefined {
  if (at + RECORD_HEADER_BYTES > bytes.length || bytes.readUInt32LE(at) !== RECORD_MAGIC) return undefined;
  if (crc32c(bytes, salt, at, at + 44) !== bytes.readUInt32LE(at + 44)) return undefined;
  const signal = SIGNAL_OF_KIND[bytes.readUInt8(at + 14)];
  if (signal === undefined) return undefined;
  const payloadBytes = bytes.readUInt32LE(at + 4);
  const metaBytes = bytes.readUInt16LE(at + 12);
  return {
    offset: base + at,
    end: base + at + RECORD_HEADER_BYTES + metaBytes + payloadBytes,
    metaBytes,
    payloadBytes,
    itemCount: bytes.readUInt32LE(at + 8),
    signal,
    enqueuedMs: bytes.readDoubleLE(at + 16),
    itemsBefore: bytes.readDoubleLE(at + 24),
    number: bytes.readDoubleLE(at + 32),
  };
}

/** True when the body (everything behind the header) of the record at `at` is whole. */
export const isBodyValid = (bytes: Buffer, at: number, header: RecordHeader, salt: number): boolean => {
  const end = at + (header.end - header.offset);
  return (
    end <= bytes.length && crc32c(bytes, salt, at + RECORD_HEADER_BYTES, end) === bytes.readUInt32LE(at + 40)
  );
};

/** The batch of a valid record at `at`; shares memory with `bytes`. */
export function decodeBatch(bytes: Buffer, at: number, header: RecordHeader): Batch {
  const meta = at + RECORD_HEADER_BYTES;
  const payload = meta + header.metaBytes;
  return {
    signal: header.signal,
    bytes: bytes.subarray(payload, payload + header.payloadBytes),
    itemCount: header.itemCount,
    origin: decodeOrigin(bytes.subarray(meta, payload)),
  };
}

const MAX_META_BYTES = 0xffff;

/** JSON, so that later versions may add to it. What does not fit is left out: it is not the data. */
function encodeOrigin(origin: Origin): Buffer {
  const meta = Buffer.from(JSON.stringify(origin));
  return meta.length <= MAX_META_BYTES ? meta : Buffer.from(JSON.stringify({ receiver: origin.receiver }));
}

function decodeOrigin(meta: Buffer): Origin {
  // Its checksum was right, so it is what `encodeOrigin` wrote.
  return JSON.parse(meta.toString('utf8')) as Origin;
}
