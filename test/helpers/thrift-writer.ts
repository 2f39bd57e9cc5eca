/** Thrift in both encodings, from values with their types. */

export type ThriftValue =
  | { readonly bool: boolean }
  | { readonly i16: number }
  | { readonly i32: number }
  | { readonly i64: bigint }
  | { readonly double: number }
  | { readonly text: string }
  | { readonly bytes: Uint8Array }
  | { readonly struct: ThriftStruct }
  /** Of structures. */
  | { readonly list: readonly ThriftStruct[] };

/** Values by field number; undefined ones are left out. */
export type ThriftStruct = Readonly<Record<number, ThriftValue | undefined>>;

const BINARY = { bool: 2, i16: 6, i32: 8, i64: 10, double: 4, text: 11, bytes: 11, struct: 12, list: 15 };
const COMPACT = { bool: 1, i16: 4, i32: 5, i64: 6, double: 7, text: 8, bytes: 8, struct: 12, list: 9 };
type Kind = keyof typeof BINARY;

const kindOf = (value: ThriftValue): Kind => Object.keys(value)[0] as Kind;
const entriesOf = (struct: ThriftStruct) =>
  Object.entries(struct).flatMap(([id, value]) =>
    value === undefined ? [] : [[Number(id), value] as const],
  );

function int(size: 1 | 2 | 4 | 8, value: number | bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(BigInt.asIntN(64, BigInt(value)));
  return bytes.subarray(8 - size);
}

const sizedBytes = (bytes: Uint8Array): Buffer => Buffer.concat([int(4, bytes.length), bytes]);

function binaryValue(value: ThriftValue): Buffer {
  if ('bool' in value) return int(1, value.bool ? 1 : 0);
  if ('i16' in value) return int(2, value.i16);
  if ('i32' in value) return int(4, value.i32);
  if ('i64' in value) return int(8, value.i64);
  if ('double' in value) {
    const bytes = Buffer.alloc(8);
    bytes.writeDoubleBE(value.double);
    return bytes;
  }
  if ('text' in value) return sizedBytes(Buffer.from(value.text));
  if ('bytes' in value) return sizedBytes(value.bytes);
  if ('struct' in value) return binaryStruct(value.struct);
  return binaryList(value.list);
}

export const binaryStruct = (struct: ThriftStruct): Buffer =>
  Buffer.concat([
    ...entriesOf(struct).map(([id, value]) =>
      Buffer.concat([int(1, BINARY[kindOf(value)]), int(2, id), binaryValue(value)]),
    ),
    int(1, 0),
  ]);

export const binaryList = (items: readonly ThriftStruct[]): Buffer =>
  Buffer.concat([int(1, BINARY.struct), int(4, items.length), ...items.map(binaryStruct)]);

/** A call without reply. `strict`: with a version in front. */
export const binaryMessage = (name: string, args: ThriftStruct, strict = true): Buffer => {
  const text = sizedBytes(Buffer.from(name));
  const head = strict ? [int(4, 0x8001_0004), text] : [text, int(1, 4)];
  return Buffer.concat([...head, int(4, 1), binaryStruct(args)]);
};

function varint(value: bigint): Buffer {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80n) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return Buffer.from(bytes);
}

const zigzag = (value: bigint | number): Buffer => {
  const big = BigInt(value);
  return varint(BigInt.asUintN(64, (big << 1n) ^ (big >> 63n)));
};
const compactBytes = (bytes: Uint8Array): Buffer => Buffer.concat([varint(BigInt(bytes.length)), bytes]);

function compactValue(value: ThriftValue): Buffer {
  if ('bool' in value) return Buffer.alloc(0);
  if ('i16' in value) return zigzag(value.i16);
  if ('i32' in value) return zigzag(value.i32);
  if ('i64' in value) return zigzag(value.i64);
  if ('double' in value) {
    const bytes = Buffer.alloc(8);
    bytes.writeDoubleLE(value.double);
    return bytes;
  }
  if ('text' in value) return compactBytes(Buffer.from(value.text));
  if ('bytes' in value) return compactBytes(value.bytes);
  if ('struct' in value) return compactStruct(value.struct);
  const { length } = value.list;
  const head =
    length < 15
      ? int(1, (length << 4) | COMPACT.struct)
      : Buffer.concat([int(1, 0xf0 | COMPACT.struct), varint(BigInt(length))]);
  return Buffer.concat([head, ...value.list.map(compactStruct)]);
}

export function compactStruct(struct: ThriftStruct): Buffer {
  const parts: Buffer[] = [];
  let last = 0;
  for (const [id, value] of entriesOf(struct)) {
    const type = 'bool' in value ? (value.bool ? 1 : 2) : COMPACT[kindOf(value)];
    const difference = id - last;
    if (difference > 0 && difference < 16) parts.push(int(1, (difference << 4) | type));
    else parts.push(int(1, type), zigzag(id));
    parts.push(compactValue(value));
    last = id;
  }
  return Buffer.concat([...parts, int(1, 0)]);
}

export const compactMessage = (name: string, args: ThriftStruct): Buffer =>
  Buffer.concat([
    Buffer.from([0x82, 0x81]),
    varint(1n),
    compactBytes(Buffer.from(name)),
    compactStruct(args),
  ]);
