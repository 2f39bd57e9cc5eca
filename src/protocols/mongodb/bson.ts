/**
 * BSON, as far as commands need it (https://bsonspec.org/spec.html, version 1.1):
 *
 *     document: ┌ length 4, itself included ┬ type 1 ┬ name, 0 ┬ value ┬ type … ┬ 0 ┐
 *
 * Walks over elements where they are; what is not visible ends the walk.
 */

export const BSON = {
  double: 0x01,
  string: 0x02,
  document: 0x03,
  array: 0x04,
  bool: 0x08,
  date: 0x09,
  int32: 0x10,
  int64: 0x12,
} as const;

/** Bytes of values of a fixed size; -1: no such type, -2: it is in the value. */
const SIZES = new Int8Array(256).fill(-1);
for (const [type, size] of [
  [0x01, 8],
  [0x06, 0],
  [0x07, 12],
  [0x08, 1],
  [0x09, 8],
  [0x0a, 0],
  [0x10, 4],
  [0x11, 8],
  [0x12, 8],
  [0x13, 16],
  [0x7f, 0],
  [0xff, 0],
] as const) {
  SIZES[type] = size;
}
for (const type of [0x02, 0x03, 0x04, 0x05, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f]) SIZES[type] = -2;

export const isBsonType = (type: number): boolean => SIZES[type] !== -1;

/** Stands on one element after the other of the document at `start`; reusable. */
export class BsonWalk {
  type = 0;
  /** The element's name is `bytes[name, nameEnd)`, its value `bytes[value, valueEnd)`. */
  name = 0;
  nameEnd = 0;
  value = 0;
  /** May be beyond what is visible; then this element is the last. */
  valueEnd = 0;
  /** The whole document was walked through. */
  complete = false;
  #bytes: Buffer = Buffer.alloc(0);
  #at = 0;
  #end = 0;

  /** `bytes[start, end)` are visible. */
  open(bytes: Buffer, start: number, end: number): this {
    this.#bytes = bytes;
    this.#end = end;
    this.#at = start + 4;
    this.complete = false;
    return this;
  }

  /** Goes to the next element; false at the end of the document or of what is visible. */
  next(): boolean {
    const bytes = this.#bytes;
    const end = this.#end;
    if (this.#at >= end) return false;
    this.type = bytes[this.#at]!;
    if (this.type === 0) {
      this.complete = true;
      return false;
    }
    this.name = this.#at + 1;
    const zero = zeroAt(bytes, this.name, end);
    if (zero < 0) return false;
    this.nameEnd = zero;
    this.value = zero + 1;
    const size = this.#valueSize();
    if (size < 0) return false;
    this.valueEnd = this.value + size;
    this.#at = this.valueEnd;
    return true;
  }

  /** Is that the element's name? */
  is(name: string): boolean {
    if (this.nameEnd - this.name !== name.length) return false;
    for (let i = 0; i < name.length; i++) {
      if (this.#bytes[this.name + i] !== name.charCodeAt(i)) return false;
    }
    return true;
  }

  /** The value is visible as a whole. */
  get whole(): boolean {
    return this.valueEnd <= this.#end;
  }

  /** The element's text, '' for what is none; as far as it is visible. */
  text(): string {
    if (this.type !== BSON.string) return '';
    const stop = Math.min(this.#end, this.valueEnd - 1);
    return this.#bytes.toString('utf8', this.value + 4, Math.max(this.value + 4, stop));
  }

  /** The element's number or truth value; `undefined` for what is none or not visible. */
  number(): number | undefined {
    if (!this.whole) return undefined;
    switch (this.type) {
      case BSON.double:
        return this.#bytes.readDoubleLE(this.value);
      case BSON.int32:
        return this.#bytes.readInt32LE(this.value);
      case BSON.int64:
        return this.#bytes.readInt32LE(this.value + 4) * 2 ** 32 + this.#bytes.readUInt32LE(this.value);
      case BSON.bool:
        return this.#bytes[this.value]!;
      default:
        return undefined;
    }
  }

  #valueSize(): number {
    const bytes = this.#bytes;
    const known = SIZES[this.type]!;
    if (known !== -2) return known;
    const { value } = this;
    const end = this.#end;
    switch (this.type) {
      case 0x0b: {
        // A regular expression: two texts.
        const first = zeroAt(bytes, value, end);
        const second = first < 0 ? -1 : zeroAt(bytes, first + 1, end);
        return second < 0 ? -1 : second + 1 - value;
      }
      default: {
        if (value + 4 > end) return -1;
        const length = bytes.readInt32LE(value);
        if (length < 0) return -1;
        if (this.type === 0x03 || this.type === 0x04 || this.type === 0x0f) return length < 5 ? -1 : length;
        if (this.type === 0x05) return length + 5;
        return this.type === 0x0c ? length + 16 : length + 4;
      }
    }
  }
}

/** Names are short: longer ones are not looked for. */
const LONGEST_NAME = 1024;

function zeroAt(bytes: Buffer, start: number, end: number): number {
  const stop = Math.min(end, start + LONGEST_NAME);
  for (let at = start; at < stop; at++) if (bytes[at] === 0) return at;
  return -1;
}
