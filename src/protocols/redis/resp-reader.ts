/**
 * RESP2 and RESP3 of one direction (https://redis.io/docs/latest/develop/reference/protocol-spec/), and inline commands.
 *
 *     *2\r\n $3\r\nGET\r\n $6\r\ncart:7\r\n            a value may hold values; bulk content is passed over by counting
 *
 * Of each value at the top level it keeps the first strings (command and arguments, or kind and channel) and the first
 * error; nothing else. A value of any depth and size costs the same few hundred bytes.
 */
export type RespEvent = 'none' | 'value' | 'malformed';

/** Strings of a value that are kept, and bytes of each. */
export const KEPT_STRINGS = 16;
const KEPT_BYTES = 128;
const MAX_LINE = 64 * 1024;
const MAX_DEPTH = 16;
const MAX_BULK = 0x2000_0000;
const MAX_ELEMENTS = 0x100_0000;

export class RespReader {
  /** Of the value that has ended: its type, for example `*`; `i` for an inline command. */
  type = '';
  /** Elements of it at the top level, 0 for scalars; -1 for a null one. */
  elements = 0;
  /** The first strings of it, all levels in order; of a status or a number, itself. */
  readonly strings: Buffer[] = [];
  /** The first error in it, without its mark. */
  error: string | undefined;
  readonly #inline: boolean;
  /** Strings that are kept: of replies only the kind of a push is wanted. */
  readonly #keep: number;
  readonly #left = new Float64Array(MAX_DEPTH);
  #depth = 0;
  readonly #collected = Buffer.alloc(KEPT_BYTES * 2);
  /** The line that is being read: `#line[#lineStart, #lineStart + #lineLength)`. Used during a call only. */
  #line: Buffer = this.#collected;
  #lineStart = 0;
  #lineLength = 0;
  #lineTotal = 0;
  #inLine = false;
  /** Bytes of a bulk string that are still to come, its CRLF included; 0 outside. */
  #bulkLeft = 0;
  /** The bulk string is an error. */
  #bulkError = false;
  #kept: Buffer | undefined;
  #keptLength = 0;
  #lost: boolean;
  #began = false;

  /** `inline`: lines without a mark are commands (of a client). */
  constructor(inline: boolean, lost: boolean) {
    this.#inline = inline;
    this.#keep = inline ? KEPT_STRINGS : 1;
    this.#lost = lost;
  }

  get lost(): boolean {
    return this.#lost;
  }

  /** Between two values. */
  get idle(): boolean {
    return !this.#began;
  }

  lose(): void {
    this.#reset();
    this.#lost = true;
  }

  find(): void {
    this.#lost = false;
  }

  /** Reads up to the end of a value at most; returns the position after what it took. `event` tells what ended. */
  event: RespEvent = 'none';

  read(bytes: Buffer, start: number, end: number): number {
    this.event = 'none';
    let at = start;
    while (at < end) {
      if (!this.#began) this.#begin();
      if (this.#bulkLeft > 0) {
        const step = Math.min(this.#bulkLeft, end - at);
        this.#store(bytes, at, Math.min(at + step, at + this.#bulkLeft - 2));
        at += step;
        this.#bulkLeft -= step;
        if (this.#bulkLeft === 0 && this.#bulkEnd()) return at;
        continue;
      }
      const stop = afterNewline(bytes, at, end);
      if (!this.#inLine && bytes[stop - 1] === 0x0a && stop - at <= this.#collected.length) {
        // The line is in one piece: read it where it is.
        this.#line = bytes;
        this.#lineStart = at;
        this.#lineLength = stop - at;
        at = stop;
        const ended = this.#lineEnd();
        this.#line = this.#collected;
        if (ended) return at;
        continue;
      }
      this.#addLine(bytes, at, stop);
      at = stop;
      if (stop === end && bytes[end - 1] !== 0x0a) {
        if (this.#lineTotal > MAX_LINE) this.event = 'malformed';
        else if (!this.#lineMayBe()) this.event = 'malformed';
        if (this.event !== 'none') return at;
        continue;
      }
      this.#inLine = false;
      if (this.#lineEnd()) return at;
    }
    return at;
  }

  /** Passes over bytes that are not visible; false when a line was among them and the place is lost. */
  skip(count: number): boolean {
    this.event = 'none';
    if (this.#lost) return true;
    if (this.#bulkLeft >= count && this.#bulkLeft > 0) {
      this.#bulkLeft -= count;
      if (this.#bulkLeft === 0) this.#bulkEnd();
      return true;
    }
    this.lose();
    return false;
  }

  /** What was read of a value whose rest will not come: true when there are enough strings to name it. */
  cut(): boolean {
    if (!this.#began || this.#depth === 0) return false;
    this.#storeKept();
    return this.strings.length > 0;
  }

  #begin(): void {
    this.#began = true;
    this.type = '';
    this.elements = 0;
    this.strings.length = 0;
    this.error = undefined;
    this.#depth = 0;
  }

  #reset(): void {
    this.#began = false;
    this.#inLine = false;
    this.#lineLength = 0;
    this.#lineTotal = 0;
    this.#bulkLeft = 0;
    this.#kept = undefined;
    this.#depth = 0;
  }

  #addLine(bytes: Buffer, start: number, end: number): void {
    if (!this.#inLine) {
      this.#inLine = true;
      this.#line = this.#collected;
      this.#lineStart = 0;
      this.#lineLength = 0;
      this.#lineTotal = 0;
    }
    const stop = Math.min(end, start + this.#collected.length - this.#lineLength);
    if (stop > start) {
      bytes.copy(this.#collected, this.#lineLength, start, stop);
      this.#lineLength += stop - start;
    }
    this.#lineTotal += end - start;
  }

  /** An incomplete line: does it begin as one may? */
  #lineMayBe(): boolean {
    const mark = this.#collected[0]!;
    if (isMark(mark)) return true;
    return this.#inline && this.#depth === 0 && isLetter(mark);
  }

  /** True when `event` is set. */
  #lineEnd(): boolean {
    const line = this.#line;
    const start = this.#lineStart;
    let end = start + this.#lineLength;
    while (end > start && (line[end - 1] === 0x0a || line[end - 1] === 0x0d)) end--;
    const length = end - start;
    const mark = line[start]!;
    if (length === 0 || !isMark(mark)) {
      // Servers take empty lines for nothing.
      if (length === 0 && this.#inline && this.#depth === 0) {
        this.#began = false;
        return false;
      }
      return this.#inlineCommand(start, end);
    }
    const type = MARK_TEXTS[mark]!;
    if (this.type === '') this.type = type;
    switch (type) {
      case '*':
      case '%':
      case '~':
      case '>':
      case '|':
        return this.#aggregate(type, start, end);
      case '$':
      case '!':
      case '=':
        return this.#bulk(type, start, end);
      case '-':
        this.error ??= line.toString('utf8', start + 1, end);
        return this.#scalar();
      default:
        if (this.strings.length < this.#keep && (type === '+' || type === ':' || this.#depth > 0)) {
          this.strings.push(Buffer.from(line.subarray(start + 1, Math.min(end, start + 1 + KEPT_BYTES))));
        }
        return this.#scalar();
    }
  }

  #inlineCommand(start: number, end: number): boolean {
    if (!this.#inline || this.#depth > 0 || !isLetter(this.#line[start]!)) return this.#bad();
    this.type = 'i';
    for (const word of this.#line.toString('latin1', start, end).split(/\s+/, KEPT_STRINGS)) {
      if (word === '') continue;
      this.strings.push(Buffer.from(word.slice(0, KEPT_BYTES), 'latin1'));
    }
    this.elements = this.strings.length;
    return this.#end();
  }

  #aggregate(type: string, start: number, end: number): boolean {
    const count = readCount(this.#line, start + 1, end);
    if (count === undefined || count > MAX_ELEMENTS) return this.#bad();
    if (this.#depth === 0 && type !== '|') this.elements = count;
    const values = type === '%' || type === '|' ? 2 * count : count;
    if (values <= 0) return type === '|' ? false : this.#scalar();
    if (this.#depth === MAX_DEPTH) return this.#bad();
    // Attributes (RESP3) stand before the value that they belong to and count as none.
    this.#left[this.#depth++] = type === '|' ? values + 1 : values;
    if (type === '|' && this.#depth === 1) this.type = '';
    return false;
  }

  #bulk(type: string, start: number, end: number): boolean {
    const count = readCount(this.#line, start + 1, end);
    if (count === undefined || count > MAX_BULK) return this.#bad();
    if (count < 0) return this.#scalar();
    this.#bulkLeft = count + 2;
    this.#bulkError = type === '!';
    this.#kept = undefined;
    this.#keptLength = 0;
    if (this.strings.length < this.#keep && (this.#inline || this.#depth > 0 || this.#bulkError)) {
      this.#kept = Buffer.allocUnsafe(Math.min(count, KEPT_BYTES));
    }
    return false;
  }

  #store(bytes: Buffer, start: number, end: number): void {
    const kept = this.#kept;
    if (kept === undefined || end <= start) return;
    this.#keptLength += bytes.copy(kept, this.#keptLength, start, end);
  }

  #storeKept(): void {
    if (this.#kept === undefined) return;
    this.strings.push(this.#kept.subarray(0, this.#keptLength));
    this.#kept = undefined;
  }

  #bulkEnd(): boolean {
    if (this.#bulkError && this.#kept !== undefined) {
      this.error ??= this.#kept.toString('utf8', 0, this.#keptLength);
    }
    this.#storeKept();
    return this.#scalar();
  }

  /** A value without parts has ended, and with it perhaps those around it. */
  #scalar(): boolean {
    while (this.#depth > 0) {
      const left = --this.#left[this.#depth - 1]!;
      if (left > 0) return false;
      this.#depth--;
    }
    return this.#end();
  }

  #end(): boolean {
    this.#began = false;
    this.#inLine = false;
    this.event = 'value';
    return true;
  }

  #bad(): boolean {
    this.#reset();
    this.event = 'malformed';
    return true;
  }
}

/** Marks of RESP2 and RESP3. */
export function isMark(value: number): boolean {
  return MARKS[value] === 1;
}
const MARKS = new Uint8Array(256);
for (const mark of '+-:$*_#,(!=%~>|') MARKS[mark.charCodeAt(0)] = 1;

export const isLetter = (value: number): boolean => {
  const lower = value | 0x20;
  return lower >= 0x61 && lower <= 0x7a;
};

const MARK_TEXTS = Array.from({ length: 256 }, (_, code) => String.fromCharCode(code));

/** Position behind the next LF, or `end`. Lines are short: calling into the engine costs more than looking. */
function afterNewline(bytes: Buffer, start: number, end: number): number {
  const near = Math.min(end, start + 64);
  for (let at = start; at < near; at++) if (bytes[at] === 0x0a) return at + 1;
  if (near === end) return end;
  const found = bytes.indexOf(0x0a, near);
  return found < 0 || found >= end ? end : found + 1;
}

/** `-1`, `0`, `12`; undefined for anything else. */
export function readCount(bytes: Buffer, start: number, end: number): number | undefined {
  if (end - start === 2 && bytes[start] === 0x2d && bytes[start + 1] === 0x31) return -1;
  if (end === start || end - start > 10) return undefined;
  let value = 0;
  for (let at = start; at < end; at++) {
    const digit = bytes[at]! - 0x30;
    if (digit < 0 || digit > 9) return undefined;
    value = value * 10 + digit;
  }
  return value;
}
