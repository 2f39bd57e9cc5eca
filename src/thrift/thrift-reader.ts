/**
 * What both encodings of Apache Thrift have in common for those who read structures: fields by number, in any order, unknown
 * ones skipped. Source: https://github.com/apache/thrift/blob/v0.22.0/doc/specs/thrift-binary-protocol.md and
 * thrift-compact-protocol.md.
 *
 *     reader.struct((id, type) => {
 *       if (id === 1 && type === ThriftType.i64) reader.i64();
 *       else reader.skip(type);
 *     });
 */
import { ThriftError } from './thrift-error.js';

/** Type numbers of the binary encoding, which readers of the compact one translate theirs to. */
export const ThriftType = {
  stop: 0,
  bool: 2,
  byte: 3,
  double: 4,
  i16: 6,
  i32: 8,
  i64: 10,
  string: 11,
  struct: 12,
  map: 13,
  set: 14,
  list: 15,
  uuid: 16,
} as const;

/** `emitBatch` and the like. */
export interface ThriftMessage {
  readonly name: string;
  /** 1 call, 2 reply, 3 exception, 4 call without reply. */
  readonly kind: number;
}

/** Structures within structures: more is an attack. */
export const MAX_DEPTH = 64;

/** A cursor. Reading beyond the end throws `ThriftError`, and so does a length that is longer than what is there. */
export abstract class ThriftReader {
  protected readonly bytes: Buffer;
  protected pos: number;
  #depth = 0;
  /** After `i64()`: the halves of the value, unsigned. */
  hi = 0;
  lo = 0;

  constructor(bytes: Uint8Array, pos = 0) {
    this.bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.pos = pos;
  }

  /** Bytes that have not been read. */
  get rest(): number {
    return this.bytes.length - this.pos;
  }

  abstract message(): ThriftMessage;
  abstract bool(): boolean;
  abstract i16(): number;
  abstract i32(): number;
  /** Reads into `hi` and `lo`. */
  abstract i64(): void;
  abstract double(): number;
  /** Shares memory with what is read. */
  abstract binary(): Buffer;
  /** Calls `visit` for each field; it must read the value or `skip` it. */
  protected abstract fields(visit: (id: number, type: number) => void): void;
  /** Type and number of the elements that follow, at least one byte each. */
  protected abstract listHeader(): { readonly type: number; readonly size: number };
  protected abstract mapHeader(): { readonly key: number; readonly value: number; readonly size: number };
  protected abstract skipScalar(type: number): void;

  text(): string {
    return this.binary().toString('utf8');
  }

  /** The signed number in `hi` and `lo` after `i64()`: exact below 2^53. */
  i64Number(): number {
    this.i64();
    return (this.hi | 0) * 0x1_0000_0000 + this.lo;
  }

  i64BigInt(): bigint {
    this.i64();
    return (BigInt(this.hi | 0) << 32n) | BigInt(this.lo);
  }

  struct(visit: (id: number, type: number) => void): void {
    if (++this.#depth > MAX_DEPTH) throw new ThriftError('depth limit exceeded');
    this.fields(visit);
    this.#depth--;
  }

  /** Elements of a list or a set; those of another type than `type` are skipped. */
  list<T>(type: number, read: () => T): T[] {
    const header = this.listHeader();
    const items: T[] = [];
    for (let index = 0; index < header.size; index++) {
      if (header.type === type) items.push(read());
      else this.skip(header.type);
    }
    return items;
  }

  skip(type: number): void {
    if (++this.#depth > MAX_DEPTH) throw new ThriftError('depth limit exceeded');
    if (type === ThriftType.struct) this.fields((_, inner) => this.skip(inner));
    else if (type === ThriftType.list || type === ThriftType.set) {
      const header = this.listHeader();
      for (let index = 0; index < header.size; index++) this.skip(header.type);
    } else if (type === ThriftType.map) {
      const header = this.mapHeader();
      for (let index = 0; index < header.size; index++) {
        this.skip(header.key);
        this.skip(header.value);
      }
    } else this.skipScalar(type);
    this.#depth--;
  }

  /** Moves over `count` bytes and gives where they begin. */
  protected take(count: number): number {
    const at = this.pos;
    if (count < 0) throw new ThriftError(`negative size: ${count}`);
    if (count > this.rest) throw new ThriftError(this.rest === 0 ? 'EOF' : 'unexpected EOF');
    this.pos = at + count;
    return at;
  }

  /** Every element takes a byte at least: a larger number is a lie, and must not cost a loop. */
  protected checkSize(size: number): number {
    if (size < 0) throw new ThriftError(`negative size: ${size}`);
    if (size > this.rest) throw new ThriftError('unexpected EOF');
    return size;
  }
}
