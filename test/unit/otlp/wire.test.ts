import { describe, expect, test } from 'vitest';
import { fromHex, isZeroId, randomId, toHex, writeHex } from '../../../src/otlp/ids.js';
import { MalformedError } from '../../../src/otlp/malformed-error.js';
import { readKeyText, readText } from '../../../src/otlp/text.js';
import { field, WireReader } from '../../../src/otlp/wire-reader.js';
import { putVarint, varintSize, WireWriter } from '../../../src/otlp/wire-writer.js';
import { Random } from './support/random.js';

/** The value of the first field as unsigned 64 bits. */
function readVarint(bytes: Uint8Array): bigint {
  const reader = new WireReader(bytes);
  reader.next();
  reader.varint();
  return (BigInt(reader.hi) << 32n) | BigInt(reader.lo);
}

describe('varints', () => {
  const values = [0n, 1n, 127n, 128n, 16_383n, 16_384n, 2n ** 28n - 1n, 2n ** 28n, 2n ** 31n, 2n ** 32n - 1n];
  values.push(
    2n ** 32n,
    2n ** 35n - 1n,
    2n ** 35n,
    2n ** 42n,
    2n ** 49n,
    2n ** 53n - 1n,
    2n ** 63n,
    2n ** 64n - 1n,
  );

  test.each(values)('%d survives', (value) => {
    const writer = new WireWriter(1);
    writer.varint(8);
    writer.int64(value);
    expect(readVarint(writer.finish())).toBe(value);
    if (value < 2n ** 53n) {
      const asNumber = new WireWriter(1);
      asNumber.varintField(8, Number(value));
      expect(asNumber.finish()).toEqual(writer.finish());
      const target = new Uint8Array(12);
      expect(putVarint(target, 0, Number(value))).toBe(varintSize(Number(value)));
    }
  });

  test.each([-1, -128, -(2 ** 31), -(2 ** 32), -(2 ** 53 - 1)])('%d is ten bytes', (value) => {
    const writer = new WireWriter(1);
    writer.varint(8);
    writer.int64(value);
    expect(writer.pos).toBe(11);
    expect(BigInt.asIntN(64, readVarint(writer.finish()))).toBe(BigInt(value));
  });
});

describe('WireReader', () => {
  test('gives fields of every wire type, padded tags and lengths included', () => {
    const bytes = Uint8Array.from([
      ...[0x08, 0x96, 0x01],
      ...[0x11, 1, 0, 0, 0, 2, 0, 0, 0x80],
      // Tag 0x1a and length 2, each padded to three bytes.
      ...[0x9a, 0x80, 0x00, 0x82, 0x80, 0x00, 0x68, 0x69],
      ...[0x25, 0xff, 0xff, 0xff, 0xff],
      ...[0x85, 0x01, 7, 0, 0, 0],
      ...[0x2b, 0x08, 0x01, 0x2b, 0x2c, 0x2c],
    ]);
    const reader = new WireReader(bytes);
    expect([reader.next(), reader.varint32()]).toEqual([field.varint(1), 150]);
    expect(reader.next()).toBe(field.fixed64(2));
    reader.fixed64();
    expect([reader.hi, reader.lo]).toEqual([0x8000_0002, 1]);
    expect([reader.next(), reader.text()]).toEqual([field.delimited(3), 'hi']);
    expect([reader.next(), reader.fixed32()]).toEqual([field.fixed32(4), 0xffff_ffff]);
    expect([reader.next(), reader.fixed32()]).toEqual([field.fixed32(16), 7]);
    expect(reader.next()).toBe((5 << 3) | 3);
    expect(reader.next()).toBe(0);
  });

  test('never reads beyond the end of its message', () => {
    const bytes = Uint8Array.of(
      0x11,
      1,
      2,
      3,
      4,
      5,
      6,
      7,
      8,
      0x0a,
      3,
      1,
      2,
      3,
      0x25,
      1,
      2,
      3,
      4,
      0x08,
      0x80,
      0x01,
    );
    for (let end = 0; end <= bytes.length; end++) {
      const reader = new WireReader(bytes, 0, end);
      try {
        while (reader.next() !== 0) expect(reader.pos).toBeLessThanOrEqual(end);
        expect([0, 9, 14, 19, 22]).toContain(end);
      } catch (error) {
        expect(error).toBeInstanceOf(MalformedError);
        expect((error as MalformedError).offset).toBeLessThanOrEqual(end);
      }
    }
    expect(() => new WireReader(bytes, 0, bytes.length + 1)).toThrow(RangeError);
    expect(() => new WireReader(bytes, 5, 4)).toThrow(RangeError);
  });
});

describe('WireWriter', () => {
  test('mends wrong guesses of lengths', () => {
    for (const size of [0, 1, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152]) {
      for (const room of [1, 2, 3] as const) {
        const content = new Uint8Array(size).fill(7);
        const writer = new WireWriter(1);
        const mark = writer.open(0x0a, room);
        writer.raw(content);
        writer.close(mark);
        writer.varintField(0x10, 1);
        const reader = new WireReader(writer.finish());
        expect([reader.next(), reader.pos - reader.start]).toEqual([0x0a, size]);
        expect([reader.next(), reader.varint32(), reader.next()]).toEqual([0x10, 1, 0]);
      }
    }
  });

  test('writes texts of all lengths and scripts; lone surrogates become U+FFFD', () => {
    for (const letter of ['a', 'é', '漢', '😀', '\ud800']) {
      for (let length = 0; length < 140; length += 1) {
        const text = letter.repeat(length);
        const writer = new WireWriter(1);
        writer.stringField(0x0a, text);
        const expected = Buffer.from(text);
        const reader = new WireReader(writer.finish());
        reader.next();
        expect(Buffer.from(reader.bytes.subarray(reader.start, reader.pos))).toEqual(expected);
        expect(reader.text()).toBe(expected.toString());
        expect(reader.next()).toBe(0);
      }
    }
  });
});

describe('texts', () => {
  test('are read like Buffer does, invalid UTF-8 included', () => {
    const random = new Random(1);
    for (let round = 0; round < 2000; round++) {
      const bytes = random.chance(0.5) ? random.bytes(random.int(0, 70)) : Buffer.from(random.text());
      const start = random.int(0, bytes.length);
      const end = random.int(start, bytes.length);
      const expected = Buffer.from(bytes).toString('utf8', start, end);
      expect(readText(bytes, start, end)).toBe(expected);
      expect(readKeyText(bytes, start, end)).toBe(expected);
    }
  });

  test('remembered keys do not change with the memory they came from', () => {
    const memory = Buffer.from('http.route');
    expect(readKeyText(memory, 0, memory.length)).toBe('http.route');
    memory.write('xttp.route');
    expect(readKeyText(memory, 0, memory.length)).toBe('xttp.route');
    expect(readKeyText(Buffer.from('http.route'), 0, 10)).toBe('http.route');
  });
});

describe('ids', () => {
  test('hex goes both ways, in any case', () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);
    expect(toHex(bytes)).toBe(Buffer.from(bytes).toString('hex'));
    expect(fromHex(toHex(bytes).toUpperCase())).toEqual(bytes);
    for (const wrong of ['0', '0g', '‐0', '٣٣', '0x', ' 0']) expect(fromHex(wrong)).toBeUndefined();
    expect(writeHex('0102', new Uint8Array(1), 0)).toBe(false);
  });

  test('random ids are never zero', () => {
    expect(randomId(8, () => 0)).toBe('0000000000000001');
    expect(randomId(16)).toMatch(/^[0-9a-f]{32}$/);
    expect(isZeroId(new Uint8Array(8))).toBe(true);
    expect(isZeroId(Uint8Array.of(0, 1))).toBe(false);
  });
});
