/**
 * Follows the response to one command, packet by packet, to where it ends.
 *
 *     OK | ERR | LOCAL INFILE | n columns ► n definitions ► (EOF) ► rows ► EOF or OK ─┐ more results: again from the start
 *
 * Whether an EOF stands between definitions and rows (CLIENT_DEPRECATE_EOF) is seen from the packet itself: an EOF has 5
 * bytes, an OK in its place 7 or more, and a row that begins with 0xfe at least 16 MiB. So nothing need be known of the
 * handshake.
 */
import { eofStatus, LARGEST_PAYLOAD, lengthEncoded, okStatus, STATUS } from './packets.js';

export type Answer =
  /** The response goes on. */
  'more' | 'end' | 'error';

/** What the command's response looks like. */
export type ResponseShape =
  /** OK, ERR or result sets. */
  | 'results'
  /** Of COM_STMT_PREPARE. */
  | 'prepared'
  /** Definitions or rows up to an EOF. */
  | 'list'
  /** One packet, whatever it is. */
  | 'single'
  /** OK or ERR; others in between belong to authentication. */
  | 'ok'
  /** Without end. */
  | 'stream';

const OK = 0x00;
const ERR = 0xff;
const EOF = 0xfe;
const LOCAL_INFILE = 0xfb;

export class ResponseReader {
  /** Number that a prepared statement was given; -1 when none was. */
  statementId = -1;
  #shape: ResponseShape = 'results';
  #state: 'first' | 'definitions' | 'rows?' | 'rows' = 'first';
  /** Definitions still to come in this block, and in the next one. */
  #definitions = 0;
  #nextDefinitions = 0;
  /** The connection has EOF packets between definitions and rows; undefined while that was not seen. */
  #hasEof: boolean | undefined;

  begin(shape: ResponseShape): void {
    this.#shape = shape;
    this.#state = 'first';
    this.statementId = -1;
  }

  /** Known from the handshake. */
  learn(hasEof: boolean): void {
    this.#hasEof = hasEof;
  }

  /** A packet's payload is at `bytes[start, end)` as far as it is visible, of `length` bytes. */
  packet(bytes: Buffer, start: number, end: number, length: number): Answer {
    const first = end > start ? bytes[start]! : -1;
    if (first === ERR && length < LARGEST_PAYLOAD && (this.#state === 'first' || length >= 3)) {
      // A row can't begin with 0xff: there are no texts of that length code. 0xffff: MariaDB reports progress.
      if (end - start >= 3 && bytes.readUInt16LE(start + 1) === 0xffff) return 'more';
      return 'error';
    }
    switch (this.#shape) {
      case 'single':
        return 'end';
      case 'stream':
        return 'more';
      case 'ok':
        return first === OK || (first === EOF && length <= 5) ? 'end' : 'more';
      case 'list':
        return isEnd(first, length) ? 'end' : 'more';
      case 'prepared':
        return this.#prepared(bytes, start, end, length, first);
      case 'results':
        return this.#results(bytes, start, end, length, first);
    }
  }

  #results(bytes: Buffer, start: number, end: number, length: number, first: number): Answer {
    switch (this.#state) {
      case 'first':
        if (first === OK) return again(okStatus(bytes, start, end));
        if (first === LOCAL_INFILE || first < 0) return 'more';
        return this.#columns(bytes, start, end, length);
      case 'definitions':
        if (--this.#definitions === 0) this.#state = 'rows?';
        return 'more';
      case 'rows?':
        this.#state = 'rows';
        if (first === EOF && length === 5) {
          this.#hasEof = true;
          // Rows wait for FETCH.
          return (eofStatus(bytes, start, end) & STATUS.cursorExists) !== 0 ? 'end' : 'more';
        }
        break;
      default:
    }
    if (!isEnd(first, length)) return 'more';
    this.#state = 'first';
    return again(length === 5 ? eofStatus(bytes, start, end) : okStatus(bytes, start, end));
  }

  #columns(bytes: Buffer, start: number, end: number, length: number): Answer {
    const count = lengthEncoded(bytes, start, end);
    if (count === undefined || count.value === 0) return 'more';
    this.#definitions = count.value;
    // MariaDB may leave out definitions that the client knows (a second byte, 0).
    const cached = length === count.next - start + 1 && bytes[count.next] === 0;
    this.#state = cached ? 'rows?' : 'definitions';
    return 'more';
  }

  #prepared(bytes: Buffer, start: number, end: number, length: number, first: number): Answer {
    if (this.#state === 'first') {
      if (first !== OK || end - start < 9) return 'end';
      this.statementId = bytes.readUInt32LE(start + 1);
      const columns = bytes.readUInt16LE(start + 5);
      const parameters = bytes.readUInt16LE(start + 7);
      this.#definitions = parameters > 0 ? parameters : columns;
      this.#nextDefinitions = parameters > 0 ? columns : 0;
      this.#state = 'definitions';
      return this.#definitions === 0 ? 'end' : 'more';
    }
    if (first === EOF && length === 5) {
      this.#hasEof = true;
      return this.#definitions === 0 ? this.#nextBlock() : 'more';
    }
    if (this.#definitions === 0) {
      // No EOF between the blocks.
      this.#hasEof = false;
      if (this.#nextBlock() === 'end') return 'end';
    }
    this.#definitions--;
    if (this.#definitions > 0 || this.#hasEof !== false) return 'more';
    return this.#nextBlock();
  }

  #nextBlock(): Answer {
    this.#definitions = this.#nextDefinitions;
    this.#nextDefinitions = 0;
    return this.#definitions === 0 ? 'end' : 'more';
  }
}

const isEnd = (first: number, length: number): boolean =>
  first === EOF && length < LARGEST_PAYLOAD && length < 0x1_0000;

const again = (status: number): Answer => ((status & STATUS.moreResults) !== 0 ? 'more' : 'end');
