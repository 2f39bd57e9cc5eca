/**
 * The messages of one direction of one HTTP/1.x connection (RFC 9112), read from what capture shows of them.
 *
 *     bytes captured ── read() ──►  head │ body … │ head │ …      events: head, end, …
 *     bytes that exist, unseen ── skip() ──►  body goes on by counting; a head does not
 *
 * Each call consumes as far as the next event, so call in a loop until everything is consumed; `event` says why it
 * stopped. After `head` or `head_cut` the owner decides the framing (a response's depends on its request) and calls
 * `startBody`. Never throws; keeps no reference to the bytes.
 */
import { CR, LF } from './ascii.js';
import { ChunkedReader } from './chunked-reader.js';
import type { Framing } from './framing.js';
import type { MessageHead } from './head.js';
import type { HeadCarry, HeadParser } from './head-parser.js';

export type ReaderEvent =
  /** Everything was consumed. */
  | 'none'
  /** A head is complete: read it, then call `startBody`. */
  | 'head'
  /** The rest of a head was not captured: what was read of it is in `head`; then call `startBody`. */
  | 'head_cut'
  /** The message is complete. */
  | 'end'
  /** A message began in bytes that were not seen, or its start line was cut. The reader is now `lost`. */
  | 'lost_start'
  /** This is not HTTP. The reader is now `lost`. */
  | 'malformed';

type State = 'idle' | 'head' | 'framing' | 'length' | 'chunked' | 'open' | 'lost';

export class MessageReader {
  event: ReaderEvent = 'none';
  readonly #parser: HeadParser;
  readonly #request: boolean;
  #state: State = 'idle';
  #carry: HeadCarry | undefined;
  #chunked: ChunkedReader | undefined;
  #remaining = 0;
  #openChunked = false;

  constructor(parser: HeadParser, request: boolean) {
    this.#parser = parser;
    this.#request = request;
  }

  /** After `head` and `head_cut`, until the next call. Shared: copy what you keep. */
  get head(): MessageHead {
    return this.#carry?.head ?? this.#parser.head;
  }
  /** Between messages: the next byte is expected to start one. */
  get idle(): boolean {
    return this.#state === 'idle';
  }
  /** Inside a message whose start line was not seen: everything is passed over until `reset`. */
  get lost(): boolean {
    return this.#state === 'lost';
  }
  /** Inside a head of which some bytes were seen. */
  get inHead(): boolean {
    return this.#state === 'head';
  }
  /** Inside a body whose end is known by counting. */
  get inCountedBody(): boolean {
    return this.#state === 'length' || this.#state === 'chunked';
  }
  /** Inside a body that only the connection ends (until-close, unknown, or a chunked one that got lost). */
  get inOpenBody(): boolean {
    return this.#state === 'open';
  }
  /** Bytes that the body still needs, when they are known to the byte; else 0. */
  get remaining(): number {
    return this.#state === 'length' ? this.#remaining : 0;
  }

  /** Forgets the current message; the next byte is taken as the start of one. */
  reset(): void {
    this.#state = 'idle';
    this.#carry = undefined;
    this.#remaining = 0;
    this.#openChunked = false;
  }

  /** Passes over everything until `reset`. */
  lose(): void {
    this.reset();
    this.#state = 'lost';
  }

  /** Says where the body ends. A message without one ends here: the next `read` or `skip` starts another. */
  startBody(framing: Framing, contentLength: number): void {
    this.#carry = undefined;
    this.#openChunked = false;
    switch (framing) {
      case 'none':
      case 'interim':
      case 'tunnel':
        this.#state = 'idle';
        break;
      case 'length':
        this.#state = 'length';
        this.#remaining = contentLength;
        break;
      case 'chunked':
        this.#state = 'chunked';
        this.#chunked ??= new ChunkedReader();
        this.#chunked.reset();
        break;
      case 'close':
      case 'unknown':
        this.#state = 'open';
        break;
    }
  }

  /** Reads `bytes[start, end)` up to the next event; returns the position after what it consumed. */
  read(bytes: Buffer, start: number, end: number): number {
    this.event = 'none';
    let at = start;
    switch (this.#state) {
      case 'idle':
        // RFC 9112 section 2.2: empty lines before a request line are to be ignored.
        while (at < end && (bytes[at] === CR || bytes[at] === LF)) at++;
        return at < end ? this.#readHead(bytes, at, end) : end;
      case 'head':
        return this.#resumeHead(bytes, at, end);
      case 'length': {
        const step = Math.min(this.#remaining, end - at);
        this.#remaining -= step;
        if (this.#remaining === 0) this.#end();
        return at + step;
      }
      case 'chunked':
        at = this.#chunked!.read(bytes, at, end);
        this.#afterChunks();
        return at;
      default:
        return end;
    }
  }

  /** Goes past `count` bytes that exist but are not visible; returns how many it consumed before the event. */
  skip(count: number): number {
    this.event = 'none';
    switch (this.#state) {
      case 'idle':
        if (count > 0) this.#lostStart();
        return count;
      case 'head': {
        if (count === 0) return 0;
        const carry = this.#carry;
        if (carry?.startLine) {
          this.event = 'head_cut';
          this.#state = 'framing';
          return 0;
        }
        this.#lostStart();
        return count;
      }
      case 'length': {
        const step = Math.min(this.#remaining, count);
        this.#remaining -= step;
        if (this.#remaining === 0) this.#end();
        return step;
      }
      case 'chunked':
        this.#chunked!.skip(count);
        this.#afterChunks();
        return count;
      default:
        return count;
    }
  }

  /**
   * The operation is over; `bytes[tail, tail + 8)` are its last bytes. A chunked body of which not everything was
   * visible ends with an operation that ends with the last chunk: event `end`.
   */
  operationEnd(bytes: Uint8Array, tail: number): void {
    this.event = 'none';
    if (this.#state !== 'open' || !this.#openChunked || !endsChunked(bytes, tail)) return;
    this.#end();
  }

  #readHead(bytes: Buffer, at: number, end: number): number {
    const parser = this.#parser;
    const result = parser.parse(bytes, at, end, this.#request);
    if (result === 'done') {
      this.event = 'head';
      this.#state = 'framing';
      return parser.end;
    }
    if (result === 'malformed') return this.#malformed(end);
    this.#carry = parser.carry(bytes, at, end, this.#request);
    this.#state = 'head';
    return end;
  }

  #resumeHead(bytes: Buffer, at: number, end: number): number {
    const result = this.#parser.resume(this.#carry!, bytes, at, end, this.#request);
    if (result === 'malformed') return this.#malformed(end);
    if (result === 'more') return end;
    this.event = 'head';
    this.#state = 'framing';
    return this.#parser.end;
  }

  #afterChunks(): void {
    const { state } = this.#chunked!;
    if (state === 'done') this.#end();
    else if (state === 'lost') {
      this.#state = 'open';
      this.#openChunked = true;
    }
  }

  #end(): void {
    this.reset();
    this.event = 'end';
  }

  #malformed(end: number): number {
    this.lose();
    this.event = 'malformed';
    return end;
  }

  #lostStart(): void {
    this.lose();
    this.event = 'lost_start';
  }
}

/** "0 CRLF CRLF" at the end, as a line of its own where the byte before it is visible. */
function endsChunked(bytes: Uint8Array, tail: number): boolean {
  return (
    bytes[tail + 3] === 0x30 &&
    bytes[tail + 4] === CR &&
    bytes[tail + 5] === LF &&
    bytes[tail + 6] === CR &&
    bytes[tail + 7] === LF &&
    (bytes[tail + 2] === LF || bytes[tail + 2] === 0)
  );
}
