/** Lists of numbers in one delimited field (protobuf "packed"), as histograms have them. */
import { WireReader } from './wire-reader.js';
import { WireWriter } from './wire-writer.js';

/** Values of eight bytes each, as ints. Bytes that do not fill a value are left out. */
export const readFixed64s = (content: Uint8Array): bigint[] =>
  readEights(content, (reader) => {
    reader.fixed64();
    return int64Of(reader);
  });

export const readDoubles = (content: Uint8Array): number[] =>
  readEights(content, (reader) => {
    reader.fixed64();
    return reader.double();
  });

export function readVarints(content: Uint8Array): bigint[] {
  const values: bigint[] = [];
  for (let at = 0; at < content.length; ) {
    const start = at;
    while (at < content.length && content[at]! >= 0x80) at++;
    const reader = new WireReader(content, start);
    reader.pointAt(start, ++at);
    reader.varint();
    values.push(int64Of(reader));
  }
  return values;
}

export function packFixed64s(values: readonly bigint[]): Uint8Array {
  const writer = new WireWriter(8 * values.length);
  for (const value of values) {
    const bits = BigInt.asUintN(64, value);
    writer.fixed64(Number(bits >> 32n), Number(bits & 0xffff_ffffn));
  }
  return writer.finish();
}

export function packDoubles(values: readonly number[]): Uint8Array {
  const writer = new WireWriter(8 * values.length);
  for (const value of values) writer.double(value);
  return writer.finish();
}

export function packVarints(values: readonly bigint[]): Uint8Array {
  const writer = new WireWriter(2 * values.length + 8);
  for (const value of values) writer.int64(value);
  return writer.finish();
}

const int64Of = (reader: WireReader): bigint =>
  BigInt.asIntN(64, (BigInt(reader.hi) << 32n) | BigInt(reader.lo));

function readEights<T>(content: Uint8Array, read: (reader: WireReader) => T): T[] {
  const reader = new WireReader(content);
  const values: T[] = [];
  for (let at = 0; at + 8 <= content.length; at += 8) {
    reader.pointAt(at, at + 8);
    values.push(read(reader));
  }
  return values;
}
