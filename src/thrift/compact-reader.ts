/** Thrift's compact encoding: varints, zigzag, numbers of fields as differences, booleans inside the field's type. */
import { ThriftError } from './thrift-error.js';
import { type ThriftMessage, ThriftReader, ThriftType } from './thrift-reader.js';

const PROTOCOL_ID = 0x82;
const VERSION = 1;
const TRUE = 1;
const FALSE = 2;

/** By the compact number of a type. */
const TYPES = [
  ThriftType.stop,
  ThriftType.bool,
  ThriftType.bool,
  ThriftType.byte,
  ThriftType.i16,
  ThriftType.i32,
  ThriftType.i64,
  ThriftType.double,
  ThriftType.string,
  ThriftType.list,
  ThriftType.set,
  ThriftType.map,
  ThriftType.struct,
  ThriftType.uuid,
] as const;

export class ThriftCompactReader extends ThriftReader {
  /** Of a field whose type was one of the two booleans; its value has no bytes of its own. */
  #pendingBool: boolean | undefined;

  message(): ThriftMessage {
    const protocol = this.bytes[this.take(1)]!;
    if (protocol !== PROTOCOL_ID) {
      throw new ThriftError(`expected protocol id 82 but got ${protocol.toString(16).padStart(2, '0')}`);
    }
    const second = this.bytes[this.take(1)]!;
    if ((second & 0x1f) !== VERSION)
      throw new ThriftError(`expected version ${VERSION} but got ${second & 0x1f}`);
    this.#varint32();
    return { name: this.text(), kind: (second >>> 5) & 7 };
  }

  bool(): boolean {
    const pending = this.#pendingBool;
    this.#pendingBool = undefined;
    return pending ?? this.bytes[this.take(1)] === TRUE;
  }

  i16(): number {
    return this.i32();
  }

  i32(): number {
    const zigzag = this.#varint32();
    return (zigzag >>> 1) ^ -(zigzag & 1);
  }

  i64(): void {
    let lo = 0;
    let hi = 0;
    for (let shift = 0; ; shift += 7) {
      if (shift >= 70) throw new ThriftError('variable-length int over 10 bytes.');
      const byte = this.bytes[this.take(1)]!;
      const part = byte & 0x7f;
      if (shift < 32) lo |= part << shift;
      if (shift + 7 > 32) hi |= shift < 32 ? part >>> (32 - shift) : part << (shift - 32);
      if (byte < 0x80) break;
    }
    const sign = -(lo & 1);
    this.lo = ((((lo >>> 1) | (hi << 31)) ^ sign) & -1) >>> 0;
    this.hi = ((hi >>> 1) ^ sign) >>> 0;
  }

  double(): number {
    return this.bytes.readDoubleLE(this.take(8));
  }

  binary(): Buffer {
    const length = this.#varint32();
    const at = this.take(length);
    return this.bytes.subarray(at, at + length);
  }

  protected fields(visit: (id: number, type: number) => void): void {
    for (let id = 0; ; ) {
      const header = this.bytes[this.take(1)]!;
      const compact = header & 0x0f;
      if (compact === 0) return;
      const difference = header >>> 4;
      id = difference === 0 ? this.i16() : id + difference;
      this.#pendingBool = compact === TRUE ? true : compact === FALSE ? false : undefined;
      visit(id, typeOf(compact));
      this.#pendingBool = undefined;
    }
  }

  protected listHeader(): { readonly type: number; readonly size: number } {
    const header = this.bytes[this.take(1)]!;
    const short = header >>> 4;
    const size = short === 15 ? this.#varint32() : short;
    return { type: typeOf(header & 0x0f), size: this.checkSize(size) };
  }

  protected mapHeader(): { readonly key: number; readonly value: number; readonly size: number } {
    const size = this.checkSize(this.#varint32());
    if (size === 0) return { key: ThriftType.stop, value: ThriftType.stop, size };
    const types = this.bytes[this.take(1)]!;
    return { key: typeOf(types >>> 4), value: typeOf(types & 0x0f), size };
  }

  protected skipScalar(type: number): void {
    switch (type) {
      case ThriftType.bool:
        this.bool();
        return;
      case ThriftType.byte:
        this.take(1);
        return;
      case ThriftType.i16:
      case ThriftType.i32:
      case ThriftType.i64:
        this.i64();
        return;
      case ThriftType.double:
        this.take(8);
        return;
      case ThriftType.uuid:
        this.take(16);
        return;
      case ThriftType.string:
        this.binary();
        return;
      default:
        throw new ThriftError(`unknown data type ${type}`);
    }
  }

  #varint32(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.bytes[this.take(1)]!;
      if (shift < 32) value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
    throw new ThriftError('variable-length int over 5 bytes.');
  }
}

function typeOf(compact: number): number {
  const type = TYPES[compact];
  if (type === undefined) throw new ThriftError(`don't know what type: ${compact}`);
  return type;
}
