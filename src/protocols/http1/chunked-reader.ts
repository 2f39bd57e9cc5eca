/**
 * The chunked transfer coding, RFC 9112 section 7.1, followed through bytes of which not all are visible:
 *
 *     chunk-size [ ;extension ] CRLF  chunk-data CRLF  …  0 CRLF  [ trailer fields ] CRLF
 *
 * Bytes inside a chunk may be skipped without loss. When the line with the next size was skipped, the reader is lost
 * and says so; then only the end of an operation can show the end of the body (see `MessageReader.operationEnd`).
 */
import { CR, LF } from './ascii.js';

export type ChunkedState =
  /** Reading a size line. */
  | 'size'
  /** Inside an extension, up to the end of the line. */
  | 'extension'
  /** Inside data or the line end after it: `remaining` bytes. */
  | 'data'
  /** At the start of a trailer line, and inside one. */
  | 'trailer'
  | 'trailer_line'
  | 'done'
  /** Bytes do not follow the grammar, or a size was not visible. */
  | 'lost';

export class ChunkedReader {
  state: ChunkedState = 'size';
  #remaining = 0;
  #size = 0;
  #digits = 0;

  reset(): void {
    this.state = 'size';
    this.#remaining = 0;
    this.#size = 0;
    this.#digits = 0;
  }

  /** Reads from `start`; returns the position after the body, or `end` when it goes on (or the reader is lost). */
  read(bytes: Uint8Array, start: number, end: number): number {
    let at = start;
    while (at < end) {
      switch (this.state) {
        case 'size':
          this.#sizeByte(bytes[at++]!);
          break;
        case 'extension':
          if (bytes[at++] === LF) this.#sizeEnd();
          break;
        case 'data': {
          const step = Math.min(this.#remaining, end - at);
          at += step;
          this.#remaining -= step;
          if (this.#remaining === 0) this.state = 'size';
          break;
        }
        case 'trailer': {
          const byte = bytes[at++]!;
          if (byte === LF) {
            this.state = 'done';
            return at;
          }
          if (byte !== CR) this.state = 'trailer_line';
          break;
        }
        case 'trailer_line':
          if (bytes[at++] === LF) this.state = 'trailer';
          break;
        case 'done':
          return at;
        case 'lost':
          return end;
      }
    }
    return at;
  }

  /** Goes past `count` bytes that are not visible. */
  skip(count: number): void {
    if (count === 0 || this.state === 'done' || this.state === 'lost') return;
    if (this.state === 'data' && this.#remaining >= count) {
      this.#remaining -= count;
      if (this.#remaining === 0) this.state = 'size';
    } else {
      this.state = 'lost';
    }
  }

  #sizeByte(byte: number): void {
    const digit = hexDigit(byte);
    if (digit >= 0) {
      this.#size = this.#size * 16 + digit;
      this.#digits++;
      if (this.#digits > 12) this.state = 'lost';
    } else if (byte === LF && this.#digits > 0) this.#sizeEnd();
    else if (this.#digits > 0 && (byte === CR || byte === 0x3b || byte === 0x20 || byte === 0x09))
      this.state = 'extension';
    else this.state = 'lost';
  }

  #sizeEnd(): void {
    this.state = this.#size === 0 ? 'trailer' : 'data';
    this.#remaining = this.#size + 2;
    this.#size = 0;
    this.#digits = 0;
  }
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}
