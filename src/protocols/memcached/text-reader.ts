/** Lines of the text protocol, and the blocks of data that some of them announce. */
export class TextReader {
  /** The line that has ended, without its end; at most `KEPT` characters. */
  line = '';
  #kept = Buffer.alloc(KEPT);
  #length = 0;
  #total = 0;
  #dataLeft = 0;
  #lost: boolean;

  constructor(lost: boolean) {
    this.#lost = lost;
  }

  get lost(): boolean {
    return this.#lost;
  }

  get idle(): boolean {
    return this.#total === 0 && this.#dataLeft === 0;
  }

  /** So many bytes of data follow the line. */
  expectData(count: number): void {
    this.#dataLeft = count;
  }

  lose(): void {
    this.#total = 0;
    this.#length = 0;
    this.#dataLeft = 0;
    this.#lost = true;
  }

  find(): void {
    this.#lost = false;
  }

  /** Position after a line, a block of data, or everything; `event` tells which. */
  event: 'none' | 'line' | 'data' | 'malformed' = 'none';

  read(bytes: Buffer, start: number, end: number): number {
    this.event = 'none';
    if (this.#dataLeft > 0) return start + this.#pass(end - start);
    const newline = bytes.indexOf(0x0a, start);
    const stop = newline < 0 || newline >= end ? end : newline + 1;
    this.#length += bytes.copy(this.#kept, this.#length, start, stop);
    this.#total += stop - start;
    if (stop === end && bytes[end - 1] !== 0x0a) {
      if (this.#total > LONGEST) this.event = 'malformed';
      return end;
    }
    let length = this.#length;
    while (length > 0 && (this.#kept[length - 1] === 0x0a || this.#kept[length - 1] === 0x0d)) length--;
    this.line = this.#kept.toString('latin1', 0, length);
    this.#length = 0;
    this.#total = 0;
    this.event = 'line';
    return stop;
  }

  /** Bytes that are not visible: counted inside of data; in a line the place is lost (false). */
  skip(count: number): boolean {
    this.event = 'none';
    if (this.#dataLeft < count) {
      this.lose();
      return false;
    }
    this.#pass(count);
    return true;
  }

  #pass(available: number): number {
    const step = Math.min(this.#dataLeft, available);
    this.#dataLeft -= step;
    if (this.#dataLeft === 0) this.event = 'data';
    return step;
  }
}

/** Enough for a command with its longest key (250 bytes). */
const KEPT = 512;
/** A `get` of many keys. */
const LONGEST = 64 * 1024;
