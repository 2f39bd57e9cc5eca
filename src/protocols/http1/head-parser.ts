/**
 * Heads of HTTP/1.x messages: start line, header fields, empty line (RFC 9112 sections 2 to 5).
 *
 * Almost every head lies in one slice and is parsed in place into a head object that all connections share. A head
 * that is cut over slices moves into a `HeadCarry` of its own, which remembers where it stood, so that a head sent
 * byte by byte costs its length and not its square.
 */

import { TextCache } from '../text-cache.js';
import { CONTEXT_HEADERS } from '../trace-context/carriers.js';
import { COLON, CR, equalsIgnoreCase, isBlank, isDigit, isTokenByte, LF, listHas, SP } from './ascii.js';
import { createHead, type MessageHead, resetHead } from './head.js';

/** A head longer than this is not believed. Servers accept 8 to 64 KiB. */
const LONGEST_HEAD = 64 * 1024;
const EMPTY = Buffer.alloc(0);
const NO_WORDS = new Uint32Array(0);

/** First bytes of the headers that matter, in both cases: other lines are not looked at. */
const INITIALS = new Uint8Array(256);
for (const name of [
  'host',
  'user-agent',
  'upgrade',
  'content-length',
  'connection',
  'expect',
  'transfer-encoding',
  ...CONTEXT_HEADERS,
]) {
  INITIALS[name.charCodeAt(0)] = 1;
  INITIALS[name.toUpperCase().charCodeAt(0)] = 1;
}

export type HeadResult =
  | 'done'
  /** The slice ended before the head did. */
  | 'more'
  | 'malformed';

/** A head that arrives in pieces. */
export interface HeadCarry {
  bytes: Buffer;
  readonly head: MessageHead;
  /** Bytes of `bytes` in use. */
  length: number;
  /** Start of the first line that is not parsed yet, and how far it has been searched for its end. */
  line: number;
  searched: number;
  startLine: boolean;
}

/** Parses heads; holds no state of any connection. One for each thread is enough. */
export class HeadParser {
  /** The head of the last `parse`, until the next one. */
  readonly head: MessageHead = createHead();
  /** After `done`: the position after the empty line. */
  end = 0;
  /** The start line of the last head was complete and well-formed. */
  startLine = false;
  readonly #texts = new TextCache();
  #line = 0;
  #searched = 0;
  /** The memory last searched, and the same as words. */
  #bytes: Buffer = EMPTY;
  #words: Uint32Array = NO_WORDS;

  /** Parses a head that begins at `start`. After `more`, hand the same bytes to `carry`. */
  parse(bytes: Buffer, start: number, end: number, request: boolean): HeadResult {
    resetHead(this.head);
    this.startLine = false;
    return this.#lines(bytes, start, start, end, request, this.head);
  }

  /** Keeps a head whose `parse` ended with `more`. */
  carry(bytes: Buffer, start: number, end: number, request: boolean): HeadCarry {
    const carry: HeadCarry = {
      bytes: Buffer.alloc(Math.max(512, (end - start) * 2)),
      head: createHead(),
      length: 0,
      line: 0,
      searched: 0,
      startLine: false,
    };
    this.resume(carry, bytes, start, end, request);
    return carry;
  }

  /** Goes on with a carried head. After `done`, `end` is the position in `bytes`; the head is `carry.head`. */
  resume(carry: HeadCarry, bytes: Buffer, start: number, end: number, request: boolean): HeadResult {
    const before = carry.length;
    const length = before + end - start;
    if (length > LONGEST_HEAD) return 'malformed';
    if (length > carry.bytes.length) {
      const larger = Buffer.alloc(Math.min(LONGEST_HEAD, length * 2));
      carry.bytes.copy(larger, 0, 0, before);
      carry.bytes = larger;
    }
    bytes.copy(carry.bytes, before, start, end);
    carry.length = length;
    this.startLine = carry.startLine;
    const result = this.#lines(carry.bytes, carry.line, carry.searched, length, request, carry.head);
    carry.line = this.#line;
    carry.searched = this.#searched;
    carry.startLine = this.startLine;
    if (result === 'done') {
      this.end = start + (this.end - before);
      carry.bytes = EMPTY;
    }
    return result;
  }

  #lines(
    bytes: Buffer,
    first: number,
    searched: number,
    end: number,
    request: boolean,
    head: MessageHead,
  ): HeadResult {
    let line = first;
    let at = searched;
    for (;;) {
      at = this.#findLineFeed(bytes, at, end);
      if (at >= end) {
        this.#line = line;
        this.#searched = end;
        return 'more';
      }
      const lineEnd = at > line && bytes[at - 1] === CR ? at - 1 : at;
      at++;
      if (!this.startLine) {
        const good = request
          ? this.#requestLine(bytes, line, lineEnd, head)
          : statusLine(bytes, line, lineEnd, head);
        if (!good) return 'malformed';
        this.startLine = true;
      } else if (lineEnd === line) {
        this.end = at;
        return 'done';
      } else if (INITIALS[bytes[line]!] === 1) {
        this.#field(bytes, line, lineEnd, head);
      }
      line = at;
    }
  }

  /**
   * Position of the first LF of `bytes[from, end)`, else `end`. Four bytes at a time where the memory is aligned: for a
   * head of two lines half the time of `Buffer.indexOf`, for one of eight the same (38 and 127 ns, Node 20).
   */
  #findLineFeed(bytes: Buffer, from: number, end: number): number {
    if (bytes !== this.#bytes) this.#view(bytes);
    const words = this.#words;
    let at = from;
    while ((at & 3) !== 0) {
      if (at >= end || bytes[at] === LF) return at;
      at++;
    }
    const last = Math.min(end >> 2, words.length);
    let word = at >> 2;
    for (; word < last; word++) {
      const zeroWhereLf = words[word]! ^ 0x0a0a0a0a;
      if (((zeroWhereLf - 0x01010101) & ~zeroWhereLf & 0x80808080) !== 0) break;
    }
    at = Math.max(at, word << 2);
    while (at < end && bytes[at] !== LF) at++;
    return at;
  }

  /** Slabs come again and again, each for hundreds of heads. */
  #view(bytes: Buffer): void {
    this.#bytes = bytes;
    this.#words =
      bytes.byteOffset % 4 === 0
        ? new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2)
        : NO_WORDS;
  }

  #requestLine(bytes: Buffer, start: number, end: number, head: MessageHead): boolean {
    let at = start;
    while (at < end && isTokenByte(bytes[at]!)) at++;
    if (at === start || at >= end || bytes[at] !== SP) return false;
    head.method = this.#texts.text(bytes, start, at);
    const target = at + 1;
    const version = end - 8; // "HTTP/1.1"
    if (version <= target + 1 || bytes[version - 1] !== SP || !readVersion(bytes, version, head))
      return false;
    let query = target;
    while (query < version - 1 && bytes[query] !== 0x3f) {
      if (bytes[query]! <= SP) return false;
      query++;
    }
    head.path = this.#texts.text(bytes, target, query);
    if (query < version - 1) head.query = this.#texts.text(bytes, query + 1, version - 1);
    return true;
  }

  /** Reads a header field if it is one that matters. */
  #field(bytes: Buffer, line: number, end: number, head: MessageHead): void {
    switch (bytes[line]! | 0x20) {
      case 0x68: // h
        if (named(bytes, line, end, 'host')) head.host = this.#value(bytes, line + 5, end);
        break;
      case 0x75: // u
        if (named(bytes, line, end, 'user-agent')) head.userAgent = this.#value(bytes, line + 11, end);
        else if (named(bytes, line, end, 'upgrade')) head.upgrade = this.#value(bytes, line + 8, end);
        break;
      case 0x63: // c
        if (named(bytes, line, end, 'content-length')) readContentLength(bytes, line + 15, end, head);
        else if (named(bytes, line, end, 'connection'))
          head.connectionClose ||= listHas(bytes, line + 11, end, 'close');
        break;
      case 0x65: // e
        if (named(bytes, line, end, 'expect'))
          head.expectContinue = listHas(bytes, line + 7, end, '100-continue');
        break;
      case 0x74: // t
        if (named(bytes, line, end, 'transfer-encoding')) {
          head.transferEncoding = true;
          head.chunked = lastIs(bytes, line + 18, end, 'chunked');
        }
        break;
    }
    for (let i = 0; i < CONTEXT_HEADERS.length; i++) {
      const name = CONTEXT_HEADERS[i]!;
      if ((bytes[line]! | 0x20) !== name.charCodeAt(0) || !named(bytes, line, end, name)) continue;
      // A context given twice is no context: nothing says which one is meant.
      head.contextValues[i] =
        head.contextValues[i] === undefined ? this.#value(bytes, line + name.length + 1, end) : '';
    }
  }

  #value(bytes: Buffer, start: number, end: number): string {
    let a = start;
    let b = end;
    while (a < b && isBlank(bytes[a]!)) a++;
    while (b > a && isBlank(bytes[b - 1]!)) b--;
    return this.#texts.text(bytes, a, b);
  }
}

function statusLine(bytes: Buffer, start: number, end: number, head: MessageHead): boolean {
  if (end - start < 12 || !readVersion(bytes, start, head) || bytes[start + 8] !== SP) return false;
  let status = 0;
  for (let i = start + 9; i < start + 12; i++) {
    if (!isDigit(bytes[i]!)) return false;
    status = status * 10 + bytes[i]! - 0x30;
  }
  if (status < 100 || (end > start + 12 && bytes[start + 12] !== SP)) return false;
  head.statusCode = status;
  return true;
}

/** "HTTP/1.x" at `at`. */
function readVersion(bytes: Buffer, at: number, head: MessageHead): boolean {
  if (
    bytes[at] !== 0x48 ||
    bytes[at + 1] !== 0x54 ||
    bytes[at + 2] !== 0x54 ||
    bytes[at + 3] !== 0x50 ||
    bytes[at + 4] !== 0x2f ||
    bytes[at + 5] !== 0x31 ||
    bytes[at + 6] !== 0x2e ||
    !isDigit(bytes[at + 7]!)
  )
    return false;
  head.minorVersion = bytes[at + 7]! - 0x30;
  return true;
}

const named = (bytes: Buffer, line: number, end: number, name: string): boolean =>
  line + name.length < end &&
  bytes[line + name.length] === COLON &&
  equalsIgnoreCase(bytes, line, line + name.length, name);

/** RFC 9110 section 8.6: digits, or a list of equal ones. Two fields that differ make it invalid. */
function readContentLength(bytes: Buffer, start: number, end: number, head: MessageHead): void {
  let value = -1;
  let at = start;
  while (at <= end) {
    while (at < end && isBlank(bytes[at]!)) at++;
    let one = -1;
    while (at < end && isDigit(bytes[at]!)) {
      one = Math.max(one, 0) * 10 + bytes[at]! - 0x30;
      at++;
    }
    while (at < end && isBlank(bytes[at]!)) at++;
    const whole = at === end || bytes[at] === 0x2c;
    if (one < 0 || !whole || !Number.isSafeInteger(one) || (value >= 0 && value !== one)) {
      head.contentLength = -2;
      return;
    }
    value = one;
    at++;
  }
  head.contentLength = head.contentLength === -1 || head.contentLength === value ? value : -2;
}

function lastIs(bytes: Buffer, start: number, end: number, lower: string): boolean {
  let from = end;
  while (from > start && bytes[from - 1] !== 0x2c) from--;
  let b = end;
  while (from < b && isBlank(bytes[from]!)) from++;
  while (b > from && isBlank(bytes[b - 1]!)) b--;
  return equalsIgnoreCase(bytes, from, b, lower);
}
