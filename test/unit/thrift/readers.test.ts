import { describe, expect, it } from 'vitest';
import { ThriftBinaryReader } from '../../../src/thrift/binary-reader.js';
import { ThriftCompactReader } from '../../../src/thrift/compact-reader.js';
import { ThriftError } from '../../../src/thrift/thrift-error.js';
import { type ThriftReader, ThriftType } from '../../../src/thrift/thrift-reader.js';
import {
  binaryMessage,
  binaryStruct,
  compactMessage,
  compactStruct,
  type ThriftStruct,
} from '../../helpers/thrift-writer.js';

const NUMBERS = [
  0n,
  1n,
  -1n,
  63n,
  -64n,
  300n,
  -70_000n,
  2n ** 31n,
  -(2n ** 33n),
  2n ** 53n - 1n,
  2n ** 63n - 1n,
  -(2n ** 63n),
];

const encodings = [
  {
    name: 'binary',
    reader: (bytes: Uint8Array): ThriftReader => new ThriftBinaryReader(bytes),
    struct: binaryStruct,
    message: binaryMessage,
  },
  {
    name: 'compact',
    reader: (bytes: Uint8Array): ThriftReader => new ThriftCompactReader(bytes),
    struct: compactStruct,
    message: compactMessage,
  },
];

describe.each(encodings)('Thrift $name', ({ reader, struct, message }) => {
  it('reads 64-bit integers of both signs', () => {
    for (const value of NUMBERS) {
      let read: bigint | undefined;
      const cursor = reader(struct({ 1: { i64: value } }));
      cursor.struct(() => {
        read = cursor.i64BigInt();
      });
      expect(read).toBe(value);
      expect(cursor.rest).toBe(0);
    }
  });

  it('reads every kind of value, and numbers of fields far apart', () => {
    const value: ThriftStruct = {
      1: { bool: true },
      2: { bool: false },
      30: { i16: -300 },
      31: { i32: 70_000 },
      40: { double: -1.5 },
      41: { text: 'h\u00e9' },
      42: { bytes: Buffer.from([0, 255]) },
      43: { list: Array.from({ length: 20 }, (_, index) => ({ 1: { i32: index } })) },
      44: { struct: { 7: { text: 'inner' } } },
    };
    const cursor = reader(struct(value));
    const seen: Record<number, unknown> = {};
    cursor.struct((id, type) => {
      switch (type) {
        case ThriftType.bool:
          seen[id] = cursor.bool();
          break;
        case ThriftType.i16:
          seen[id] = cursor.i16();
          break;
        case ThriftType.i32:
          seen[id] = cursor.i32();
          break;
        case ThriftType.double:
          seen[id] = cursor.double();
          break;
        case ThriftType.string:
          seen[id] = id === 41 ? cursor.text() : [...cursor.binary()];
          break;
        case ThriftType.list: {
          const numbers: number[] = [];
          cursor.list(ThriftType.struct, () => cursor.struct(() => numbers.push(cursor.i32())));
          seen[id] = numbers;
          break;
        }
        default:
          cursor.struct(() => {
            seen[id] = cursor.text();
          });
      }
    });
    expect(seen).toEqual({
      1: true,
      2: false,
      30: -300,
      31: 70_000,
      40: -1.5,
      41: 'h\u00e9',
      42: [0, 255],
      43: Array.from({ length: 20 }, (_, index) => index),
      44: 'inner',
    });
  });

  it('skips what nobody asked for and goes on behind it', () => {
    const cursor = reader(
      struct({
        1: { list: [{ 1: { bool: true }, 2: { double: 1 } }] },
        2: { struct: { 1: { i64: 5n }, 2: { text: 'x' } } },
        3: { text: 'wanted' },
      }),
    );
    let text = '';
    cursor.struct((id, type) => {
      if (id === 3) text = cursor.text();
      else cursor.skip(type);
    });
    expect(text).toBe('wanted');
  });

  it('reads the name of a message', () => {
    expect(reader(message('emitBatch', {})).message()).toEqual({ name: 'emitBatch', kind: 4 });
  });

  it('refuses lengths beyond the end, and structures without an end', () => {
    const bytes = struct({ 1: { text: 'hello' }, 2: { list: [{}, {}] } });
    for (let length = 0; length < bytes.length; length++) {
      const cursor = reader(bytes.subarray(0, length));
      expect(() => cursor.struct((_, type) => cursor.skip(type))).toThrow(ThriftError);
    }
    let nested: ThriftStruct = {};
    for (let depth = 0; depth < 100; depth++) nested = { 1: { struct: nested } };
    const cursor = reader(struct(nested));
    expect(() => cursor.struct((_, type) => cursor.skip(type))).toThrow('depth limit exceeded');
  });
});

describe('Thrift binary', () => {
  it('reads messages of old clients, without a version', () => {
    expect(new ThriftBinaryReader(binaryMessage('emitBatch', {}, false)).message()).toEqual({
      name: 'emitBatch',
      kind: 4,
    });
  });

  it('does not believe a list that is longer than what is there', () => {
    const cursor = new ThriftBinaryReader(Buffer.from([ThriftType.struct, 0x7f, 0xff, 0xff, 0xff, 0]));
    expect(() => cursor.list(ThriftType.struct, () => cursor.struct(() => {}))).toThrow('unexpected EOF');
  });
});
