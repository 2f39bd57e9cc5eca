/**
 * HPACK, RFC 7541: the header blocks of one direction of one connection.
 *
 * The table that both ends keep cannot be known when the connection was joined in the middle or a block was lost. Entries
 * that are inserted from then on have the lowest indexes, so they are known; older ones resolve to "unknown", which is
 * told apart from an error. What is inserted with an unknown name or value keeps its place.
 */
import { TextCache } from '../text-cache.js';
import { decodeHuffman } from './huffman.js';
import { STATIC_TABLE } from './static-table.js';

/** Called for each field; `name` or `value` is undefined when the table does not know it. */
export type TakeField = (name: string | undefined, value: string | undefined) => void;

const DEFAULT_SIZE = 4096;
/** A larger table is not followed: its older entries become unknown. */
const LARGEST_SIZE = 64 * 1024;
const ENTRY_OVERHEAD = 32;
/** What a block of 64 KiB can hold in codes of 5 bits. */
const LONGEST_STRING = 104 * 1024;

interface Entry {
  readonly name: string | undefined;
  readonly value: string | undefined;
  readonly size: number;
}

/** Shared by all decoders of a thread: valid until the next string. */
const decoded = Buffer.alloc(LONGEST_STRING);
const texts = new TextCache();

export class HpackDecoder {
  /** Oldest first. */
  readonly #table: Entry[] = [];
  #first = 0;
  #size = 0;
  #maxSize = DEFAULT_SIZE;
  /** Entries older than those in the table exist. */
  #incomplete: boolean;
  #at = 0;
  #text: string | undefined;

  /** `incomplete`: blocks were sent before the first one that is given to `decode`. */
  constructor(incomplete: boolean) {
    this.#incomplete = incomplete;
  }

  /** A block was not seen in full: nobody knows what it inserted. */
  lose(): void {
    this.#table.length = 0;
    this.#first = 0;
    this.#size = 0;
    this.#incomplete = true;
  }

  /** Decodes a whole block. False when it is malformed; the table is then lost. */
  decode(bytes: Buffer, start: number, end: number, take: TakeField): boolean {
    this.#at = start;
    while (this.#at < end) {
      if (!this.#field(bytes, end, take)) {
        this.lose();
        return false;
      }
    }
    return true;
  }

  #field(bytes: Buffer, end: number, take: TakeField): boolean {
    const byte = bytes[this.#at]!;
    if ((byte & 0x80) !== 0) {
      const index = this.#integer(bytes, end, 7);
      if (index <= 0) return false;
      const fixed = STATIC_TABLE[index];
      if (fixed !== undefined) {
        take(fixed[0], fixed[1]);
        return true;
      }
      const entry = this.#entry(index);
      if (entry === undefined && !this.#incomplete) return false;
      take(entry?.name, entry?.value);
      return true;
    }
    if ((byte & 0xe0) === 0x20) {
      const size = this.#integer(bytes, end, 5);
      if (size < 0) return false;
      this.#resize(size);
      return true;
    }
    const insert = (byte & 0x40) !== 0;
    const index = this.#integer(bytes, end, insert ? 6 : 4);
    if (index < 0) return false;
    let name: string | undefined;
    if (index === 0) {
      if (!this.#string(bytes, end)) return false;
      name = this.#text;
    } else {
      const known = STATIC_TABLE[index] ?? undefined;
      const entry = known === undefined ? this.#entry(index) : undefined;
      if (known === undefined && entry === undefined && !this.#incomplete) return false;
      name = known?.[0] ?? entry?.name;
    }
    if (!this.#string(bytes, end)) return false;
    const value = this.#text;
    if (insert) this.#insert(name, value);
    take(name, value);
    return true;
  }

  #entry(index: number): Entry | undefined {
    const at = this.#table.length - (index - STATIC_TABLE.length + 1);
    return at >= this.#first ? this.#table[at] : undefined;
  }

  #insert(name: string | undefined, value: string | undefined): void {
    const size = (name?.length ?? 0) + (value?.length ?? 0) + ENTRY_OVERHEAD;
    this.#table.push({ name, value, size });
    this.#size += size;
    this.#evict();
  }

  #resize(size: number): void {
    if (size > LARGEST_SIZE) this.#incomplete = true;
    this.#maxSize = Math.min(size, LARGEST_SIZE);
    this.#evict();
    // An emptied table is known again.
    if (size === 0) this.#incomplete = false;
  }

  #evict(): void {
    while (this.#size > this.#maxSize) {
      this.#size -= this.#table[this.#first]!.size;
      this.#first++;
    }
    if (this.#first < 64 || this.#first * 2 < this.#table.length) return;
    this.#table.splice(0, this.#first);
    this.#first = 0;
  }

  /** RFC 7541 section 5.1; -1 when it goes on behind `end` or is not believable. */
  #integer(bytes: Buffer, end: number, prefixBits: number): number {
    const mask = (1 << prefixBits) - 1;
    let value = bytes[this.#at++]! & mask;
    if (value < mask) return value;
    for (let shift = 0; shift <= 21; shift += 7) {
      if (this.#at >= end) return -1;
      const byte = bytes[this.#at++]!;
      value += (byte & 0x7f) << shift;
      if ((byte & 0x80) === 0) return value;
    }
    return -1;
  }

  /** Reads a string literal into `#text`. */
  #string(bytes: Buffer, end: number): boolean {
    if (this.#at >= end) return false;
    const huffman = (bytes[this.#at]! & 0x80) !== 0;
    const length = this.#integer(bytes, end, 7);
    const start = this.#at;
    if (length < 0 || start + length > end) return false;
    this.#at = start + length;
    if (!huffman) {
      this.#text = texts.text(bytes, start, start + length);
      return true;
    }
    const size = decodeHuffman(bytes, start, start + length, decoded);
    if (size < 0) return false;
    this.#text = texts.text(decoded, 0, size);
    return true;
  }
}
