/**
 * `MessageNode` against a model that decodes: whatever the bytes, reads give what `WireReader` gives, edits change what
 * they name and nothing else, encoding without edits gives the same bytes, and broken bytes give `MalformedError`.
 *
 * `FUZZ_ROUNDS` and `FUZZ_SEED` make the run longer or different; a failure names its round and bytes.
 */
import { expect, test } from 'vitest';
import { MalformedError } from '../../../src/otlp/malformed-error.js';
import { MessageNode } from '../../../src/otlp/message-node.js';
import { field, WireReader, WireType } from '../../../src/otlp/wire-reader.js';
import { WireWriter } from '../../../src/otlp/wire-writer.js';
import { Random } from '../../unit/otlp/support/random.js';

const ROUNDS = Number(process.env.FUZZ_ROUNDS ?? 3000);
const SEED = Number(process.env.FUZZ_SEED ?? 1);

/** A field of the model: its tag, and its whole bytes or the message in it that was looked into. */
interface Plain {
  readonly tag: number;
  /** With tag and length. */
  bytes: Uint8Array;
  /** The value; for a length-delimited field its content. */
  value: Uint8Array;
}

/** Few numbers, so that fields repeat; one of them has a tag of two bytes. */
const NUMBERS = [1, 2, 3, 20] as const;
const MAKERS = [field.varint, field.fixed64, field.delimited, field.fixed32] as const;
const anyTag = (random: Random): number => random.pick(MAKERS)(random.pick(NUMBERS));

function randomMessage(random: Random, depth = 0): Uint8Array {
  const writer = new WireWriter(64);
  for (let count = random.int(0, 6); count > 0; count--) {
    const tag = anyTag(random);
    writer.varint(tag);
    if ((tag & 7) === WireType.varint)
      writer.varint64(random.int(0, 2 ** 32 - 1), random.int(0, 2 ** 32 - 1));
    else if ((tag & 7) === WireType.fixed64) writer.fixed64(random.int(0, 9), random.int(0, 2 ** 32 - 1));
    else if ((tag & 7) === WireType.fixed32) writer.fixed32(random.int(0, 2 ** 32 - 1));
    else if (depth < 3 && random.chance(0.6)) writer.delimited(randomMessage(random, depth + 1));
    else writer.delimited(random.bytes(random.pick([0, 1, 3, 126, 130])));
  }
  return writer.finish();
}

/** Damages half of the messages in one or two places. */
function damaged(random: Random, bytes: Uint8Array): Uint8Array {
  const result = [...bytes];
  for (let count = random.pick([0, 0, 1, 2]); count > 0 && result.length > 0; count--) {
    const at = random.int(0, result.length - 1);
    const how = random.int(0, 3);
    if (how === 0) result[at] = random.int(0, 255);
    else if (how === 1) result.splice(at, random.int(1, 4));
    else if (how === 2) result.splice(at, 1, ...new Array<number>(random.int(1, 11)).fill(0xff), 0x01);
    else result.length = at;
  }
  return Uint8Array.from(result);
}

/** Undefined for a message whose fields cannot be stepped over. */
function plainFields(bytes: Uint8Array): Plain[] | undefined {
  return orMalformed(() => {
    const fields: Plain[] = [];
    const reader = new WireReader(bytes);
    for (let from = 0, tag = reader.next(); tag !== 0; from = reader.pos, tag = reader.next()) {
      fields.push({
        tag,
        bytes: bytes.slice(from, reader.pos),
        value: bytes.slice(reader.start, reader.pos),
      });
    }
    return fields;
  });
}

function orMalformed<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch (error) {
    if (error instanceof MalformedError) return undefined;
    throw error;
  }
}

const join = (fields: readonly Plain[]): Uint8Array =>
  new Uint8Array(Buffer.concat(fields.map(({ bytes }) => bytes)));

function plain(tag: number, write: (writer: WireWriter) => void): Plain {
  const writer = new WireWriter(64);
  writer.varint(tag);
  write(writer);
  return plainFields(writer.finish())![0]!;
}

const lastOf = (fields: readonly Plain[], tag: number): number =>
  fields.findLastIndex((one) => one.tag === tag);

function put(fields: Plain[], fresh: Plain): void {
  const last = lastOf(fields, fresh.tag);
  if (last < 0) fields.push(fresh);
  else fields[last] = fresh;
}

function checkReads(node: MessageNode, fields: readonly Plain[], random: Random): void {
  const tag = anyTag(random);
  const last = fields[lastOf(fields, tag)];
  expect(node.has(tag)).toBe(last !== undefined);
  switch (tag & 7) {
    case WireType.delimited:
      expect(Buffer.from(node.content(tag))).toEqual(Buffer.from(last?.value ?? []));
      expect(node.text(tag)).toBe(Buffer.from(last?.value ?? []).toString());
      break;
    case WireType.fixed64:
      expect(node.uint64(tag)).toBe(last === undefined ? 0n : Buffer.from(last.value).readBigUInt64LE());
      expect(node.double(tag)).toEqual(
        last === undefined ? undefined : Buffer.from(last.value).readDoubleLE(),
      );
      break;
    case WireType.fixed32:
      expect(node.uint32(tag)).toBe(last === undefined ? 0 : Buffer.from(last.value).readUInt32LE());
      break;
    default:
      expect(orMalformed(() => node.uint64(tag))).toBe(
        orMalformed(() => (last === undefined ? 0n : varintOf(last.value))),
      );
  }
}

function varintOf(value: Uint8Array): bigint {
  const reader = new WireReader(value);
  reader.pointAt(0, value.length);
  reader.varint();
  return (BigInt(reader.hi) << 32n) | BigInt(reader.lo);
}

/** One edit on both. Nested messages are edited in the same way, down to `depth`. */
function edit(node: MessageNode, fields: Plain[], random: Random, depth: number): Plain[] {
  const number = random.pick(NUMBERS);
  switch (random.int(0, 7)) {
    case 0: {
      const text = random.text();
      node.setText(field.delimited(number), text);
      put(
        fields,
        plain(field.delimited(number), (writer) => writer.string(text)),
      );
      return fields;
    }
    case 1: {
      const content = random.bytes(random.int(0, 200));
      node.setContent(field.delimited(number), content);
      put(
        fields,
        plain(field.delimited(number), (writer) => writer.delimited(content)),
      );
      return fields;
    }
    case 2: {
      const half = random.int(0, 2 ** 32 - 1);
      const make = random.pick([field.varint, field.fixed64, field.fixed32]);
      const tag = make(number);
      node.setInteger(tag, (BigInt(half) << 32n) | 7n);
      put(
        fields,
        plain(tag, (writer) => {
          if (make === field.varint) writer.varint64(half, 7);
          else if (make === field.fixed64) writer.fixed64(half, 7);
          else writer.fixed32(7);
        }),
      );
      return fields;
    }
    case 3: {
      const value = random.next();
      node.setDouble(field.fixed64(number), value);
      put(
        fields,
        plain(field.fixed64(number), (writer) => writer.double(value)),
      );
      return fields;
    }
    case 4: {
      const tag = anyTag(random);
      expect(node.remove(tag)).toBe(lastOf(fields, tag) >= 0);
      return fields.filter((one) => one.tag !== tag);
    }
    case 5: {
      const tag = field.delimited(number);
      let turn = 0;
      const kept = node.retain(tag, () => turn++ % 2 === 0);
      turn = 0;
      const left = fields.filter((one) => one.tag !== tag || turn++ % 2 === 0);
      expect(kept).toBe(left.filter((one) => one.tag === tag).length);
      return left;
    }
    case 6: {
      const fresh = plain(field.varint(number), (writer) => writer.varint(5));
      node.append(fresh.tag, (writer) => writer.raw(fresh.bytes));
      fields.push(fresh);
      return fields;
    }
    default:
      return depth === 0 ? fields : editChild(node, fields, random, field.delimited(number), depth);
  }
}

function editChild(node: MessageNode, fields: Plain[], random: Random, tag: number, depth: number): Plain[] {
  const first = fields.findIndex((one) => one.tag === tag);
  const whole = Buffer.concat(fields.filter((one) => one.tag === tag).map(({ value }) => value));
  const inner = plainFields(new Uint8Array(whole));
  const child = node.child(tag);
  if (inner === undefined) {
    // Not a message: the parts have been put together by now, and their content stays as it was.
    expect(() => child.slots()).toThrow(MalformedError);
  }
  const before = inner === undefined ? undefined : edit(child, inner, random, depth - 1);
  if (first < 0 && !child.isChanged) return fields;
  const content = before === undefined ? whole : Buffer.from(join(before));
  const fresh = plain(tag, (writer) => writer.delimited(content));
  if (first < 0) return [...fields, fresh];
  return fields.flatMap((one, at) => (at === first ? [fresh] : one.tag === tag ? [] : [one]));
}

/** False when the bytes are not a message. */
function check(bytes: Uint8Array, random: Random): boolean {
  const around = new Uint8Array([9, 9, ...bytes, 9]);
  const node = new MessageNode(around, 2, 2 + bytes.length);
  let fields = plainFields(bytes);
  if (fields === undefined) {
    const tag = anyTag(random);
    const results = [
      () => node.slots(),
      () => node.children(tag),
      () => node.setText(field.delimited(1), 'x'),
      () => node.has(tag),
      () => node.look(tag),
    ];
    for (const run of results) expect(run).toThrow(MalformedError);
    expect(node.isChanged).toBe(false);
    expect(Buffer.from(node.encode())).toEqual(Buffer.from(bytes));
    return false;
  }
  for (let count = 0; count < 4; count++) checkReads(node, fields, random);
  expect(node.isOpen).toBe(false);
  for (let count = random.int(0, 6); count > 0; count--) {
    fields = edit(node, fields, random, 3);
    checkReads(node, fields, random);
  }
  const expected = node.isChanged ? join(fields) : bytes;
  expect(Buffer.from(node.encode())).toEqual(Buffer.from(expected));
  expect(Buffer.from(around)).toEqual(Buffer.from([9, 9, ...bytes, 9]));
  return true;
}

test('MessageNode does what a model does, on whole and on broken messages', () => {
  let whole = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const random = new Random(SEED * 5_000_000 + round);
    const bytes = damaged(random, randomMessage(random));
    try {
      if (check(bytes, random)) whole++;
    } catch (error) {
      throw new Error(`Round ${round} of seed ${SEED}: ${Buffer.from(bytes).toString('hex')}`, {
        cause: error,
      });
    }
  }
  // Both kinds must have come up.
  expect(whole).toBeGreaterThan(ROUNDS / 3);
  expect(whole).toBeLessThan(ROUNDS);
});

test('random bytes', () => {
  for (let round = 0; round < ROUNDS; round++) {
    const random = new Random(SEED * 6_000_000 + round);
    check(random.bytes(random.int(0, 48)), random);
  }
});
