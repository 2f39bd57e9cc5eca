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
/** CLIENT or PRODUCER: a call that belongs to no request that anybody told of. */
export const ENTRY_FLAG_CALL = 4;
/** Services beyond this many in one segment share the last number; their name is then unknown here. */
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

/** An entry span on its way into the index: ids are given as places in `bytes`, of 16 and 8 bytes. */
export interface EntrySpanInput {
  readonly bytes: Uint8Array;
  readonly traceIdOffset: number;
  /** -1 when the span has none. */
  readonly spanIdOffset: number;
  readonly endMs: number;
  readonly durationNs: number;
  /** From `serviceNumber`. */
  readonly service: number;
  readonly flags: number;
}

/** Reads the sections of an index. */
export class SegmentIndex {
  readonly coveredBytes: number;
  readonly #records: Buffer;
  readonly #traces: Buffer;
  readonly #entries: Buffer;
  readonly #services: readonly string[];

  constructor(
    coveredBytes: number,
    records: Buffer,
    traces: Buffer,
    entries: Buffer,
    services: readonly string[],
  ) {
    this.coveredBytes = coveredBytes;
    this.#records = records;
    this.#traces = traces;
    this.#entries = entries;
    this.#services = services;
  }

  get recordCount(): number {
    return this.#records.length / RECORD_BYTES;
  }

  record(position: number): IndexedRecord | undefined {
    if (!(position >= 0 && position < this.recordCount)) return undefined;
    const at = position * RECORD_BYTES;
    return { offset: this.#records.readDoubleLE(at), writtenMs: this.#records.readDoubleLE(at + 8) };
  }

  *entries(): Generator<EntrySpan> {
    const bytes = this.#entries;
    for (let at = 0; at < bytes.length; at += ENTRY_BYTES) {
      yield {
        traceId: bytes.toString('hex', at, at + 16),
        spanId: bytes.toString('hex', at + 16, at + 24),
        endMs: bytes.readDoubleLE(at + 24),
        durationNs: bytes.readDoubleLE(at + 32),
        record: bytes.readUInt32LE(at + 40),
        service: this.#services[bytes.readUInt16LE(at + 44)] ?? '',
        flags: bytes.readUInt16LE(at + 46),
      };
    }
  }

  /** Positions of the records that may hold spans of a trace whose id starts with `prefix` (8 to 32 hex digits). */
  recordsOf(prefix: string): number[] {
    const bytes = this.#traces;
    const digits = prefix.slice(0, 16);
    const wanted = Buffer.from(digits.slice(0, digits.length & ~1), 'hex');
    const nibble = digits.length % 2 === 1 ? Number.parseInt(digits.slice(-1), 16) : -1;
    const found = new Set<number>();
    for (let at = 0; at < bytes.length; at += TRACE_BYTES) {
      if (bytes.compare(wanted, 0, wanted.length, at, at + wanted.length) !== 0) continue;
      if (nibble >= 0 && (bytes[at + wanted.length] ?? 0) >> 4 !== nibble) continue;
      found.add(bytes.readUInt32LE(at + 8));
    }
    return [...found];
  }
}

/** Collects an index while a segment is written or scanned; nothing is allocated for a span. */
export class SegmentIndexBuilder {
  readonly #records = new Section(RECORD_BYTES);
  readonly #traces = new Section(TRACE_BYTES);
  readonly #entries = new Section(ENTRY_BYTES);
  readonly #services = new Map<string, number>();
  #coveredBytes = 0;

  /** Opens the next record; `end` is where it ends in the segment. */
  startRecord(offset: number, end: number, writtenMs: number): void {
    const at = this.#records.grow();
    this.#records.bytes.writeDoubleLE(offset, at);
    this.#records.bytes.writeDoubleLE(writtenMs, at + 8);
    this.#coveredBytes = end;
  }

  /**
   * Notes that the open record has spans of the trace whose id is at `offset` of `bytes`. Spans of one trace often
   * follow each other: those are noted once. Other repeats cost 12 bytes.
   */
  addTrace(bytes: Uint8Array, offset: number): void {
    const record = this.#records.count - 1;
    const { bytes: traces, size } = this.#traces;
    const last = size - TRACE_BYTES;
    if (last >= 0 && traces.readUInt32LE(last + 8) === record && sameBytes(traces, last, bytes, offset, 8))
      return;
    const at = this.#traces.grow();
    copyBytes(bytes, offset, this.#traces.bytes, at, 8);
    this.#traces.bytes.writeUInt32LE(record, at + 8);
  }

  /** The number under which entries name a service. */
  serviceNumber(name: string): number {
    const known = this.#services.get(name);
    if (known !== undefined) return known;
    const number = Math.min(this.#services.size, MAX_SERVICES);
    if (number < MAX_SERVICES) this.#services.set(name, number);
    return number;
  }

  /** Notes an entry span of the open record. */
  addEntry(entry: EntrySpanInput): void {
    const at = this.#entries.grow();
    const { bytes } = this.#entries;
    copyBytes(entry.bytes, entry.traceIdOffset, bytes, at, 16);
    if (entry.spanIdOffset >= 0) copyBytes(entry.bytes, entry.spanIdOffset, bytes, at + 16, 8);
    bytes.writeDoubleLE(entry.endMs, at + 24);
    bytes.writeDoubleLE(entry.durationNs, at + 32);
    bytes.writeUInt32LE(this.#records.count - 1, at + 40);
    bytes.writeUInt16LE(entry.service, at + 44);
    bytes.writeUInt16LE(entry.flags, at + 46);
  }

  /** What was collected so far, for reading. Shares memory with the builder: use one or the other. */
  view(): SegmentIndex {
    return new SegmentIndex(
      this.#coveredBytes,
      this.#records.content(),
      this.#traces.content(),
      this.#entries.content(),
      [...this.#services.keys()],
    );
  }

  encode(): Buffer {
    const names = Buffer.from(JSON.stringify([...this.#services.keys()]), 'utf8');
    const header = Buffer.alloc(HEADER_BYTES);
    INDEX_MAGIC.copy(header);
    header.writeDoubleLE(this.#coveredBytes, 12);
    header.writeUInt32LE(this.#records.count, 20);
    header.writeUInt32LE(this.#traces.count, 24);
    header.writeUInt32LE(this.#entries.count, 28);
    header.writeUInt32LE(names.length, 32);
    const sections = [this.#records, this.#traces, this.#entries].map((section) => section.content());
    const bytes = Buffer.concat([header, ...sections, names]);
    bytes.writeUInt32LE(crc32(bytes.subarray(12)), 8);
    return bytes;
  }
}

/** Reads an encoded index, or undefined when it is damaged or of another version. */
export const readSegmentIndex = (bytes: Buffer): SegmentIndex | undefined => {
  if (bytes.length < HEADER_BYTES || !bytes.subarray(0, 8).equals(INDEX_MAGIC)) return undefined;
  if (crc32(bytes.subarray(12)) !== bytes.readUInt32LE(8)) return undefined;
  const tracesAt = HEADER_BYTES + bytes.readUInt32LE(20) * RECORD_BYTES;
  const entriesAt = tracesAt + bytes.readUInt32LE(24) * TRACE_BYTES;
  const namesAt = entriesAt + bytes.readUInt32LE(28) * ENTRY_BYTES;
  if (namesAt + bytes.readUInt32LE(32) !== bytes.length) return undefined;
  return new SegmentIndex(
    bytes.readDoubleLE(12),
    bytes.subarray(HEADER_BYTES, tracesAt),
    bytes.subarray(tracesAt, entriesAt),
    bytes.subarray(entriesAt, namesAt),
    JSON.parse(bytes.toString('utf8', namesAt)) as string[],
  );
};

/** Rows of one length in a buffer that doubles. New rows are zero. */
class Section {
  bytes = Buffer.alloc(4096);
  size = 0;
  readonly #rowBytes: number;

  constructor(rowBytes: number) {
    this.#rowBytes = rowBytes;
  }

  get count(): number {
    return this.size / this.#rowBytes;
  }

  /** Adds a row; gives its offset. */
  grow(): number {
    const at = this.size;
    this.size += this.#rowBytes;
    if (this.size > this.bytes.length) {
      const larger = Buffer.alloc(this.bytes.length * 2);
      this.bytes.copy(larger);
      this.bytes = larger;
    }
    return at;
  }

  content(): Buffer {
    return this.bytes.subarray(0, this.size);
  }
}

/** A loop beats a call into native code for so few bytes. */
const copyBytes = (from: Uint8Array, start: number, to: Uint8Array, at: number, count: number): void => {
  for (let i = 0; i < count; i += 1) to[at + i] = from[start + i] ?? 0;
};

const sameBytes = (a: Uint8Array, aStart: number, b: Uint8Array, bStart: number, count: number): boolean => {
  for (let i = 0; i < count; i += 1) if (a[aStart + i] !== b[bStart + i]) return false;
  return true;
};
