/**
 * Decodes header blocks (HPACK, RFC 7541). One decoder for each connection and direction: blocks refer to what earlier
 * ones left in the dynamic table.
 */
import { decodeHuffman } from './huffman.js';
import { H2_ERROR, Http2Error } from './protocol.js';
import { type HeaderPair, STATIC_TABLE } from './static-table.js';

/** Headers of a request, response or trailer. Repeated ones are joined with `, `. No prototype. */
export type Headers = Record<string, string>;

/** What SETTINGS_HEADER_TABLE_SIZE is unless we say otherwise, and we do not. */
const TABLE_BYTES = 4096;
/** Section 4.1: what an entry costs beside its texts. */
const ENTRY_BYTES = 32;

const NAME = /^:?[!#$%&'*+\-.^_`|~0-9a-z]+$/;
/** RFC 9113, section 8.2.1. */
const BAD_VALUE = /[\0\r\n]|^[ \t]|[ \t]$/;
/** RFC 9113, section 8.2.2. */
const CONNECTION_HEADERS: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
]);

export interface DecodedHeaders {
  readonly headers: Headers;
  /** A reason to refuse the message (RFC 9113, section 8.1.1); the connection is fine. */
  readonly problem: string | undefined;
}

export class HpackDecoder {
  readonly #maxListBytes: number;
  /** Oldest first, so that number 62 is the last. */
  readonly #table: HeaderPair[] = [];
  #tableBytes = 0;
  #tableLimit = TABLE_BYTES;
  #pos = 0;

  /** `maxListBytes` bounds names and values of one block, with 32 bytes for each pair. */
  constructor(maxListBytes: number) {
    this.#maxListBytes = maxListBytes;
  }

  /** Throws `Http2Error` when the block is broken or too large: the connection is lost then. */
  decode(block: Uint8Array): DecodedHeaders {
    const list = new HeaderList(this.#maxListBytes);
    this.#pos = 0;
    while (this.#pos < block.length) {
      const first = block[this.#pos]!;
      if (first >= 0x80) list.add(this.#entry(this.#integer(block, 0x7f)));
      else if (first >= 0x40) {
        const pair = this.#literal(block, 0x3f);
        list.add(pair);
        this.#insert(pair);
      } else if (first >= 0x20) {
        if (!list.isEmpty) throw broken('a table size in the middle');
        this.#resize(this.#integer(block, 0x1f));
      } else list.add(this.#literal(block, 0x0f));
    }
    return list;
  }

  #literal(block: Uint8Array, mask: number): HeaderPair {
    const index = this.#integer(block, mask);
    const name = index === 0 ? this.#text(block) : this.#entry(index).name;
    const value = this.#text(block);
    return { name, value, problem: problemOf(name, value) };
  }

  #entry(index: number): HeaderPair {
    const dynamic = this.#table.length - (index - STATIC_TABLE.length);
    const pair = index <= STATIC_TABLE.length ? STATIC_TABLE[index - 1] : this.#table[dynamic];
    if (pair === undefined) throw broken(`no header has the number ${index}`);
    return pair;
  }

  /** Section 5.1. More than 28 bits are refused: nothing here is so large. */
  #integer(block: Uint8Array, mask: number): number {
    let value = block[this.#pos++]! & mask;
    if (value < mask) return value;
    for (let shift = 0; shift <= 21; shift += 7) {
      const byte = block[this.#pos++];
      if (byte === undefined) break;
      value += (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw broken('a broken integer');
  }

  /** Section 5.2. */
  #text(block: Uint8Array): string {
    const first = block[this.#pos];
    if (first === undefined) throw broken('a cut block');
    const length = this.#integer(block, 0x7f);
    const start = this.#pos;
    const end = start + length;
    if (end > block.length) throw broken('a cut block');
    this.#pos = end;
    if (first >= 0x80) return decodeHuffman(block, start, end);
    return Buffer.from(block.buffer, block.byteOffset + start, length).toString('latin1');
  }

  #insert(pair: HeaderPair): void {
    const bytes = sizeOf(pair);
    this.#shrinkTo(this.#tableLimit - bytes);
    // Larger than the whole table: empties it and is not kept (section 4.4).
    if (bytes > this.#tableLimit) return;
    this.#table.push(pair);
    this.#tableBytes += bytes;
  }

  #resize(limit: number): void {
    if (limit > TABLE_BYTES) throw broken(`a table of ${limit} bytes`);
    this.#tableLimit = limit;
    this.#shrinkTo(limit);
  }

  #shrinkTo(bytes: number): void {
    while (this.#tableBytes > bytes && this.#table.length > 0)
      this.#tableBytes -= sizeOf(this.#table.shift()!);
  }
}

class HeaderList implements DecodedHeaders {
  readonly headers = Object.create(null) as Headers;
  problem: string | undefined;
  #bytesLeft: number;
  #hasRegular = false;
  isEmpty = true;

  constructor(maxBytes: number) {
    this.#bytesLeft = maxBytes;
  }

  add({ name, value, problem }: HeaderPair): void {
    this.isEmpty = false;
    this.#bytesLeft -= name.length + value.length + ENTRY_BYTES;
    if (this.#bytesLeft < 0) throw new Http2Error(H2_ERROR.ENHANCE_YOUR_CALM, 'too many headers');
    const isPseudo = name.charCodeAt(0) === COLON;
    const before = this.headers[name];
    if (problem !== undefined) this.problem ??= problem;
    else if (before === undefined) this.headers[name] = value;
    else if (!isPseudo) this.headers[name] = `${before}, ${value}`;
    if (!isPseudo) this.#hasRegular = true;
    else if (this.#hasRegular || before !== undefined) this.problem ??= `${name} out of place`;
  }
}

const COLON = 0x3a;

function problemOf(name: string, value: string): string | undefined {
  if (!NAME.test(name)) return 'a header with a bad name';
  if (BAD_VALUE.test(value)) return `a bad value of ${name}`;
  if (CONNECTION_HEADERS.has(name) || (name === 'te' && value !== 'trailers')) {
    return `${name} does not belong into HTTP/2`;
  }
  return undefined;
}

const sizeOf = ({ name, value }: HeaderPair): number => name.length + value.length + ENTRY_BYTES;
const broken = (what: string): Http2Error => new Http2Error(H2_ERROR.COMPRESSION_ERROR, what);
