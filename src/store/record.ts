/**
 * One record of a segment file: a header of 32 bytes and an encoded OTLP batch, byte for byte as it left the pipeline.
 *
 *      0        4        8       12   13      16       20               28       32
 *      +--------+--------+--------+----+-------+--------+----------------+--------+----------+
 *      | magic  | length | crc32  |kind| 0 0 0 | items  | written, ms    | zero   | payload  |
 *      +--------+--------+--------+----+-------+--------+----------------+--------+----------+
 *      u32 LE   u32 LE   u32 LE    u8           u32 LE   f64 LE           u32      `length` bytes
 *
 * `crc32` (the polynomial of zlib) covers everything from offset 12 to the end of the payload, and `length` as well
 * because a wrong length moves that end. The magic number lets a reader find the next record after a damaged one, so
 * that a flipped bit costs one batch and not the rest of the file.
 */
import { crc32 } from 'node:zlib';
import type { Signal } from '../component/signal.js';

export const RECORD_HEADER_BYTES = 32;
/** "KREC" in the order of the file. */
const RECORD_MAGIC = 0x4345524b;
const MAGIC_BYTES = Buffer.from('KREC', 'latin1');
const CRC_FROM = 12;

/** Codes on disk; never renumber. */
const KIND_OF_SIGNAL: Readonly<Record<Signal, number>> = { traces: 1, metrics: 2, logs: 3, profiles: 4 };
const SIGNAL_OF_KIND: readonly (Signal | undefined)[] = [undefined, 'traces', 'metrics', 'logs', 'profiles'];

/** A record that was read and whose checksum is right. `payload` is a view into the buffer that was scanned. */
export interface StoredRecord {
  /** Of the record's header in its segment file. */
  readonly offset: number;
  readonly signal: Signal;
  readonly itemCount: number;
  /** Wall clock of the writer, milliseconds since the epoch. */
  readonly writtenMs: number;
  readonly payload: Uint8Array;
}

/** What a scan of a segment's bytes found. */
export interface ScanResult {
  readonly records: readonly StoredRecord[];
  /** Where the last good record ends: a writer that continues the file truncates it here. */
  readonly goodEnd: number;
  /** Bytes between records (or before `goodEnd`) that are not a valid record. */
  readonly corruptBytes: number;
  /** Places where the chain of records broke in the middle. */
  readonly corruptRegions: number;
  /** Bytes after `goodEnd`: a record that was not written to its end. */
  readonly tornBytes: number;
}

/** The header for `payload`; the two are written one after the other. */
export const createRecordHeader = (
  signal: Signal,
  itemCount: number,
  writtenMs: number,
  payload: Uint8Array,
): Buffer => {
  const header = Buffer.alloc(RECORD_HEADER_BYTES);
  header.writeUInt32LE(RECORD_MAGIC, 0);
  header.writeUInt32LE(payload.length, 4);
  header.writeUInt8(KIND_OF_SIGNAL[signal], CRC_FROM);
  header.writeUInt32LE(itemCount >>> 0, 16);
  header.writeDoubleLE(writtenMs, 20);
  header.writeUInt32LE(crc32(payload, crc32(header.subarray(CRC_FROM))), 8);
  return header;
};

/** Reads the record at `offset` of `bytes`, or undefined when there is no complete, valid one. */
export const readRecord = (bytes: Buffer, offset: number): StoredRecord | undefined => {
  if (offset < 0 || offset + RECORD_HEADER_BYTES > bytes.length) return undefined;
  if (bytes.readUInt32LE(offset) !== RECORD_MAGIC) return undefined;
  const end = offset + RECORD_HEADER_BYTES + bytes.readUInt32LE(offset + 4);
  if (end > bytes.length) return undefined;
  if (crc32(bytes.subarray(offset + CRC_FROM, end)) !== bytes.readUInt32LE(offset + 8)) return undefined;
  const signal = SIGNAL_OF_KIND[bytes.readUInt8(offset + CRC_FROM)];
  if (signal === undefined) return undefined;
  return {
    offset,
    signal,
    itemCount: bytes.readUInt32LE(offset + 16),
    writtenMs: bytes.readDoubleLE(offset + 20),
    payload: bytes.subarray(offset + RECORD_HEADER_BYTES, end),
  };
};

/** Bytes that the record takes in its file. */
export const recordSize = (record: StoredRecord): number => RECORD_HEADER_BYTES + record.payload.length;

/** Reads every valid record from `start` on. Never throws: damage is skipped and measured. */
export const scanRecords = (bytes: Buffer, start: number): ScanResult => {
  const records: StoredRecord[] = [];
  let position = start;
  let goodEnd = start;
  let corruptBytes = 0;
  let corruptRegions = 0;
  while (position < bytes.length) {
    const record = readRecord(bytes, position);
    if (record !== undefined) {
      if (position > goodEnd) {
        corruptBytes += position - goodEnd;
        corruptRegions += 1;
      }
      records.push(record);
      position += recordSize(record);
      goodEnd = position;
      continue;
    }
    const next = bytes.indexOf(MAGIC_BYTES, position + 1);
    if (next < 0) break;
    position = next;
  }
  return {
    records,
    goodEnd,
    corruptBytes,
    corruptRegions,
    tornBytes: bytes.length - Math.min(goodEnd, bytes.length),
  };
};
