/**
 * What a finished segment holds, small enough to read whole: which records carry which trace, and every entry span
 * (the first span of a request in its process) with its duration. Derived from the segment and nothing else; a missing,
 * damaged or outdated index is rebuilt by scanning.
 *
 *      8 bytes  "KNDLIDX\x01"
 *      u32      crc32 of everything behind it
 *      f64      bytes of the segment that are covered
 *      u32 × 4  number of records, trace entries, entry spans; bytes of the services' JSON
 *      records       16 bytes each: offset f64, written ms f64
 *      trace entries 12 bytes each: first 8 bytes of the trace id, record u32
 *      entry spans   48 bytes each: trace id 16, span id 8, end ms f64, duration ns f64, record u32, service u16, flags u16
 *      services      a JSON array of names
 */
import { crc32 } from 'node:zlib';

const INDEX_MAGIC = Buffer.from('KNDLIDX\x01', 'latin1');
const HEADER_BYTES = 8 + 4 + 8 + 16;
const RECORD_BYTES = 16;
const TRACE_BYTES = 12;
const ENTRY_BYTES = 48;

export const ENTRY_FLAG_ERROR = 1;
/** SERVER or CONSUMER: preferred over an entry span that only has no parent. */
export const ENTRY_FLAG_SERVING = 2;
/** Carries a breakdown. */
export const ENTRY_FLAG_ENRICHED = 4;
/** Services beyond this many in one segment share the last number; their name is then read from the record. */
const MAX_SERVICES = 0xffff;

export interface IndexedRecord {
  readonly offset: number;
  readonly writtenMs: number;
}

/** The first span of a request in its process. Ids are lower-case hex. */
export interface EntrySpan {
  readonly traceId: string;
  readonly spanId: string;
  /** End of the span, milliseconds since the epoch. */
  readonly endMs: number;
  readonly durationNs: number;
  readonly service: string;
  /** `ENTRY_FLAG_*` */
  readonly flags: number;
  /** Position in `records`. */
  readonly record: number;
}

export interface SegmentIndex {
  readonly coveredBytes: number;
  readonly records: readonly IndexedRecord[];
  readonly entries: readonly EntrySpan[];
  /** Records that hold spans of a trace whose id starts with `prefix` (8 to 32 lower-case hex digits). */
  recordsOf(prefix: string): number[];
}

/** Collects an index while a segment is written or scanned. */
export class SegmentIndexBuilder implements SegmentIndex {
  readonly #records: IndexedRecord[] = [];
  readonly #entries: EntrySpan[] = [];
  /** Trace id prefix (16 hex digits) and record, in the order of writing; without repeats inside one record. */
  readonly #tracePrefixes: string[] = [];
  readonly #traceRecords: number[] = [];
  #inRecord = new Set<string>();
  #coveredBytes = 0;

  get coveredBytes(): number {
    return this.#coveredBytes;
  }
  get records(): readonly IndexedRecord[] {
    return this.#records;
  }
  get entries(): readonly EntrySpan[] {
    return this.#entries;
  }

  /** Opens the next record; `end` is where it ends in the segment. */
  startRecord(offset: number, end: number, writtenMs: number): void {
    this.#records.push({ offset, writtenMs });
    this.#inRecord = new Set();
    this.#coveredBytes = end;
  }

  /** Notes that the open record has spans of `traceId` (32 hex digits). */
  addTrace(traceId: string): void {
    const prefix = traceId.slice(0, 16);
    if (this.#inRecord.has(prefix)) return;
    this.#inRecord.add(prefix);
    this.#tracePrefixes.push(prefix);
    this.#traceRecords.push(this.#records.length - 1);
  }

  /** Notes an entry span of the open record. */
  addEntry(entry: Omit<EntrySpan, 'record'>): void {
    this.#entries.push({ ...entry, record: this.#records.length - 1 });
  }

  recordsOf(prefix: string): number[] {
    const key = prefix.slice(0, 16);
    const found: number[] = [];
    for (let i = 0; i < this.#tracePrefixes.length; i += 1) {
      if (this.#tracePrefixes[i]?.startsWith(key)) found.push(this.#traceRecords[i] ?? 0);
    }
    return found;
  }

  encode(): Buffer {
    const services = new Map<string, number>();
    for (const entry of this.#entries) {
      if (!services.has(entry.service) && services.size < MAX_SERVICES) {
        services.set(entry.service, services.size);
      }
    }
    const names = Buffer.from(JSON.stringify([...services.keys()]), 'utf8');
    const bytes = Buffer.alloc(
      HEADER_BYTES +
        this.#records.length * RECORD_BYTES +
        this.#tracePrefixes.length * TRACE_BYTES +
        this.#entries.length * ENTRY_BYTES +
        names.length,
    );
    INDEX_MAGIC.copy(bytes);
    bytes.writeDoubleLE(this.#coveredBytes, 12);
    bytes.writeUInt32LE(this.#records.length, 20);
    bytes.writeUInt32LE(this.#tracePrefixes.length, 24);
    bytes.writeUInt32LE(this.#entries.length, 28);
    bytes.writeUInt32LE(names.length, 32);
    let at = HEADER_BYTES;
    for (const record of this.#records) {
      bytes.writeDoubleLE(record.offset, at);
      bytes.writeDoubleLE(record.writtenMs, at + 8);
      at += RECORD_BYTES;
    }
    for (let i = 0; i < this.#tracePrefixes.length; i += 1) {
      bytes.write(this.#tracePrefixes[i] ?? '', at, 'hex');
      bytes.writeUInt32LE(this.#traceRecords[i] ?? 0, at + 8);
      at += TRACE_BYTES;
    }
    for (const entry of this.#entries) {
      bytes.write(entry.traceId, at, 'hex');
      bytes.write(entry.spanId, at + 16, 'hex');
      bytes.writeDoubleLE(entry.endMs, at + 24);
      bytes.writeDoubleLE(entry.durationNs, at + 32);
      bytes.writeUInt32LE(entry.record, at + 40);
      bytes.writeUInt16LE(services.get(entry.service) ?? MAX_SERVICES, at + 44);
      bytes.writeUInt16LE(entry.flags, at + 46);
      at += ENTRY_BYTES;
    }
    names.copy(bytes, at);
    bytes.writeUInt32LE(crc32(bytes.subarray(12)), 8);
    return bytes;
  }
}

/** Reads an encoded index, or undefined when it is damaged or of another version. */
export const readSegmentIndex = (bytes: Buffer): SegmentIndex | undefined => {
  if (bytes.length < HEADER_BYTES || !bytes.subarray(0, 8).equals(INDEX_MAGIC)) return undefined;
  if (crc32(bytes.subarray(12)) !== bytes.readUInt32LE(8)) return undefined;
  const recordCount = bytes.readUInt32LE(20);
  const traceCount = bytes.readUInt32LE(24);
  const entryCount = bytes.readUInt32LE(28);
  const tracesAt = HEADER_BYTES + recordCount * RECORD_BYTES;
  const entriesAt = tracesAt + traceCount * TRACE_BYTES;
  const namesAt = entriesAt + entryCount * ENTRY_BYTES;
  if (namesAt + bytes.readUInt32LE(32) !== bytes.length) return undefined;
  const services = JSON.parse(bytes.toString('utf8', namesAt)) as string[];

  return {
    coveredBytes: bytes.readDoubleLE(12),
    get records() {
      return Array.from({ length: recordCount }, (_, i) => {
        const at = HEADER_BYTES + i * RECORD_BYTES;
        return { offset: bytes.readDoubleLE(at), writtenMs: bytes.readDoubleLE(at + 8) };
      });
    },
    get entries() {
      return Array.from({ length: entryCount }, (_, i): EntrySpan => {
        const at = entriesAt + i * ENTRY_BYTES;
        return {
          traceId: bytes.toString('hex', at, at + 16),
          spanId: bytes.toString('hex', at + 16, at + 24),
          endMs: bytes.readDoubleLE(at + 24),
          durationNs: bytes.readDoubleLE(at + 32),
          record: bytes.readUInt32LE(at + 40),
          service: services[bytes.readUInt16LE(at + 44)] ?? '',
          flags: bytes.readUInt16LE(at + 46),
        };
      });
    },
    recordsOf(prefix) {
      const wanted = Buffer.from(prefix.slice(0, 16).slice(0, prefix.length & ~1), 'hex');
      const nibble =
        prefix.length < 16 && prefix.length % 2 === 1 ? Number.parseInt(prefix.at(-1) ?? '', 16) : -1;
      const found: number[] = [];
      for (let i = 0; i < traceCount; i += 1) {
        const at = tracesAt + i * TRACE_BYTES;
        if (bytes.compare(wanted, 0, wanted.length, at, at + wanted.length) !== 0) continue;
        if (nibble >= 0 && (bytes[at + wanted.length] ?? 0) >> 4 !== nibble) continue;
        found.push(bytes.readUInt32LE(at + 8));
      }
      return found;
    },
  };
};
