/**
 * Batches of records as producers send them (https://kafka.apache.org/documentation/#messageformat):
 *
 *     v2: offset 8 ┬ length 4 ┬ epoch 4 ┬ magic 1 = 2 ┬ crc 4 ┬ attributes 2 ┬ … ┬ count 4 (at 57) ┬ records (at 61)
 *     v0, v1: offset 8 ┬ size 4 ┬ crc 4 ┬ magic 1 ┬ attributes 1 ┬ …         one message; several follow each other
 *
 * A record: length, attributes 1, timestamp, offset, key, value, headers; lengths and numbers are zigzag varints. What is
 * compressed is noted and not read.
 */
import type { WireContext } from '../../observer/types.js';
import { TextCache } from '../text-cache.js';
import { CONTEXT_HEADERS, readWireContext } from '../trace-context/carriers.js';

const CODECS = ['', 'gzip', 'snappy', 'lz4', 'zstd'];
const BATCH_HEADER = 61;
const MAX_HEADERS = 64;

/** One for the thread: names of headers are nothing of any connection. */
const texts = new TextCache();
const HEADER_INDEX = new Map(CONTEXT_HEADERS.map((header, index) => [header, index]));

export interface RecordBatch {
  /** Of all batches and messages that were seen; -1 when some were not. */
  count: number;
  /** Of the first one; '' for none. */
  compression: string;
  /** The first record has no value: it deletes its key. */
  tombstone: boolean;
  /** Markers of transactions, not messages. */
  control: boolean;
  context: WireContext | undefined;
}

/** What the batches in `bytes[start, end)` of `length` bytes are; undefined when they are none or their header is cut. */
export function readRecords(
  bytes: Buffer,
  start: number,
  end: number,
  length: number,
): RecordBatch | undefined {
  if (end - start < 18) return undefined;
  const magic = bytes[start + 16]!;
  if (magic < 2) return readMessageSet(bytes, start, end, length);
  if (magic !== 2 || end - start < BATCH_HEADER) return undefined;
  const attributes = bytes.readUInt16BE(start + 21);
  const batch: RecordBatch = {
    count: 0,
    compression: CODECS[attributes & 7] ?? '',
    tombstone: false,
    control: (attributes & 0x20) !== 0,
    context: undefined,
  };
  for (let at = start; at - start < length; ) {
    if (at + BATCH_HEADER > end) {
      batch.count = -1;
      break;
    }
    const size = bytes.readUInt32BE(at + 8) + 12;
    if (size < BATCH_HEADER || bytes[at + 16] !== 2) {
      batch.count = -1;
      break;
    }
    // A fetched chunk may end in the middle of a batch.
    if (at + size - start > length && at > start) break;
    batch.count += Math.max(0, bytes.readInt32BE(at + 57));
    at += size;
  }
  if (batch.compression === '' && !batch.control) readFirstRecord(bytes, start + BATCH_HEADER, end, batch);
  return batch;
}

function readMessageSet(bytes: Buffer, start: number, end: number, length: number): RecordBatch {
  const codec = bytes[start + 17]! & 7;
  const batch: RecordBatch = {
    count: 0,
    compression: CODECS[codec] ?? '',
    tombstone: false,
    control: false,
    context: undefined,
  };
  // A compressed message holds messages.
  if (codec !== 0) {
    batch.count = -1;
    return batch;
  }
  let at = start;
  while (at - start < length) {
    if (at + 12 > end) return { ...batch, count: -1 };
    const size = bytes.readUInt32BE(at + 8);
    if (size < 14) return { ...batch, count: -1 };
    if (at + 12 + size - start > length) break;
    batch.count++;
    at += 12 + size;
  }
  return batch;
}

/** Position after the varint that was read last; -1 when it goes on beyond the end. */
let next = 0;

function varint(bytes: Buffer, start: number, end: number): number {
  let value = 0;
  for (let at = start, scale = 1; at < end && at - start < 10; at++, scale *= 128) {
    const byte = bytes[at]!;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) {
      next = at + 1;
      return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
    }
  }
  next = -1;
  return 0;
}

function readFirstRecord(bytes: Buffer, start: number, end: number, batch: RecordBatch): void {
  varint(bytes, start, end);
  if (next < 0 || next >= end) return;
  varint(bytes, next + 1, end); // attributes, timestamp
  if (next < 0) return;
  varint(bytes, next, end); // offset
  if (next < 0) return;
  const key = varint(bytes, next, end);
  if (next < 0) return;
  const value = varint(bytes, next + Math.max(0, key), end);
  if (next < 0) return;
  batch.tombstone = value < 0;
  const count = varint(bytes, next + Math.max(0, value), end);
  if (next < 0 || count <= 0) return;
  let values: (string | undefined)[] | undefined;
  for (let i = 0; i < Math.min(count, MAX_HEADERS); i++) {
    const nameLength = varint(bytes, next, end);
    if (next < 0 || nameLength < 0 || next + nameLength > end) break;
    const name = texts.text(bytes, next, next + nameLength);
    const size = varint(bytes, next + nameLength, end);
    if (next < 0 || next + size > end) break;
    const index = HEADER_INDEX.get(name) ?? HEADER_INDEX.get(name.toLowerCase());
    if (index !== undefined && size > 0) {
      values ??= new Array<string | undefined>(CONTEXT_HEADERS.length).fill(undefined);
      values[index] = bytes.toString('latin1', next, next + size);
    }
    next += Math.max(0, size);
  }
  if (values !== undefined) batch.context = readWireContext(values);
}
