/** Thrift's binary encoding: fixed widths, most significant byte first. */
import { ThriftError } from './thrift-error.js';
import { type ThriftMessage, ThriftReader, ThriftType } from './thrift-reader.js';

const VERSION_1 = 0x8001;

export class ThriftBinaryReader extends ThriftReader {
  /** With a version in front (strict), or without, as old clients send it. */
  message(): ThriftMessage {
    const first = this.i32();
    if (first < 0) {
      if (first >>> 16 !== VERSION_1) throw new ThriftError('bad version in ReadMessageBegin');
      const name = this.text();
      this.i32();
      return { name, kind: first & 0xff };
    }
    const at = this.take(first);
    const name = this.bytes.toString('utf8', at, at + first);
    const kind = this.bytes[this.take(1)]!;
    this.i32();
    return { name, kind };
  }

  bool(): boolean {
    return this.bytes[this.take(1)] === 1;
  }

  i16(): number {
    return this.bytes.readInt16BE(this.take(2));
  }

  i32(): number {
    return this.bytes.readInt32BE(this.take(4));
  }

  i64(): void {
    const at = this.take(8);
    this.hi = this.bytes.readUInt32BE(at);
    this.lo = this.bytes.readUInt32BE(at + 4);
  }

  double(): number {
    return this.bytes.readDoubleBE(this.take(8));
  }

  binary(): Buffer {
    const length = this.i32();
    const at = this.take(length);
    return this.bytes.subarray(at, at + length);
  }

  protected fields(visit: (id: number, type: number) => void): void {
    for (;;) {
      const type = this.bytes[this.take(1)]!;
      if (type === ThriftType.stop) return;
      visit(this.i16(), type);
    }
  }

  protected listHeader(): { readonly type: number; readonly size: number } {
    const type = this.bytes[this.take(1)]!;
    return { type, size: this.checkSize(this.i32()) };
  }

  protected mapHeader(): { readonly key: number; readonly value: number; readonly size: number } {
    const key = this.bytes[this.take(1)]!;
    const value = this.bytes[this.take(1)]!;
    return { key, value, size: this.checkSize(this.i32()) };
  }

  protected skipScalar(type: number): void {
    switch (type) {
      case ThriftType.bool:
      case ThriftType.byte:
        this.take(1);
        return;
      case ThriftType.i16:
        this.take(2);
        return;
      case ThriftType.i32:
        this.take(4);
        return;
      case ThriftType.i64:
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
}
