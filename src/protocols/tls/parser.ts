/**
 * The handshake of one TLS connection (RFC 8446 section 2, RFC 5246 section 7.3), as far as it is in clear:
 *
 *     client  ClientHello ───────────────────────────► key exchange, CCS, Finished ──►        1.2
 *     server              ◄── ServerHello … Done                        ◄── CCS, Finished
 *     client  ClientHello ──────────────────────────────────► CCS, [Finished] ──►             1.3, [ ] encrypted
 *     server              ◄── ServerHello, CCS, [… Finished]
 *
 * It is one exchange: from the ClientHello to the last byte that the client had to wait for. What follows is not looked at.
 */
import type { WireExchange } from '../exchange.js';
import { type Frame, type FrameFormat, FrameReader } from '../frame-reader.js';
import type { CloseReason, Moment, ParserHost, ProtocolParser } from '../protocol.js';
import { alertName, TlsDetail } from './detail.js';
import { readClientHello, readServerHello } from './hello.js';
import { HANDSHAKE, HEADER_BYTES, RECORD, recordLength } from './record.js';

const KEEP_BYTES = 4096;
const TLS_1_3 = 0x0304;
/** An alert and its type, with the tag of the usual ciphers: nothing else that a client sends first is so short. */
const ENCRYPTED_ALERT = 2 + 1 + 16;
const FATAL = 2;
const CLOSE_NOTIFY = 0;
/** What the rest of the connection is: no protocol of the list, so that nobody looks at it. */
const REST = 'tls_data';

/** How far one end is. */
interface End {
  /** It sent ChangeCipherSpec: what follows is encrypted. */
  changed: boolean;
  /** A handshake record came after that. */
  finished: boolean;
}

export class TlsParser implements ProtocolParser, FrameFormat {
  readonly keepBytes = KEEP_BYTES;
  readonly #host: ParserHost<TlsDetail>;
  readonly #readers: { readonly client: FrameReader; readonly server: FrameReader };
  readonly #client: End = { changed: false, finished: false };
  readonly #server: End = { changed: false, finished: false };
  #exchange: WireExchange<TlsDetail> | undefined;
  #over = false;

  constructor(host: ParserHost<TlsDetail>) {
    this.#host = host;
    const midstream = !host.facts.fromStart;
    this.#readers = {
      client: new FrameReader(this, true, midstream),
      server: new FrameReader(this, false, midstream),
    };
  }

  read(fromClient: boolean, bytes: Buffer, start: number, end: number, at: Moment): void {
    if (!this.#over) (fromClient ? this.#readers.client : this.#readers.server).read(bytes, start, end, at);
  }

  skip(fromClient: boolean, count: number, lost: boolean, at: Moment): void {
    if (!this.#over) (fromClient ? this.#readers.client : this.#readers.server).skip(count, lost, at);
  }

  /** Closed before it was done: the client did not like what it saw, or the server went away. */
  close(reason: CloseReason): void {
    const exchange = this.#exchange;
    if (exchange === undefined || exchange.over || exchange.responseStart === 0) return;
    if (reason !== 'closed' && reason !== 'reset') return;
    exchange.detail.error = reason === 'reset' ? 'reset' : 'closed_in_handshake';
    this.#host.finish(exchange, undefined);
  }

  frameLength(_: boolean, bytes: Buffer, start: number, end: number): number {
    return recordLength(bytes, start, end);
  }

  badFrame(): void {
    if (!this.#over) this.#host.malformed();
  }

  missedFrames(): void {}

  frame(fromClient: boolean, frame: Frame): void {
    if (this.#over) return;
    const { bytes, start, end } = frame;
    const type = bytes[start]!;
    const own = fromClient ? this.#client : this.#server;
    if (type === RECORD.alert) this.#alert(own, frame);
    else if (type === RECORD.changeCipherSpec) {
      own.changed = true;
      this.#grow(fromClient, frame);
    } else if (type === RECORD.handshake) {
      if (own.changed && this.#exchange?.detail.version !== TLS_1_3) own.finished = true;
      else if (end > start + HEADER_BYTES) this.#hello(fromClient, frame);
      this.#grow(fromClient, frame);
    } else this.#encrypted(fromClient, frame);
    if (this.#client.finished && this.#server.finished) this.#established(frame);
  }

  #hello(fromClient: boolean, frame: Frame): void {
    const { bytes, start, end } = frame;
    const at = start + HEADER_BYTES;
    if (fromClient && bytes[at] === HANDSHAKE.clientHello) {
      // The second one, after a HelloRetryRequest, says nothing new.
      if (this.#exchange !== undefined) return;
      const detail = new TlsDetail();
      const hello = readClientHello(bytes, at, end);
      detail.serverName = hello?.serverName ?? '';
      detail.offered = hello?.protocols ?? [];
      detail.sessionId = hello?.sessionId ?? '';
      this.#exchange = this.#host.begin(detail, frame);
    } else if (!fromClient && bytes[at] === HANDSHAKE.serverHello && this.#exchange !== undefined) {
      const hello = readServerHello(bytes, at, end);
      if (hello === undefined) return;
      const { detail } = this.#exchange;
      detail.version = hello.version;
      if (hello.retry) return;
      detail.cipher = hello.cipher;
      detail.group = hello.group;
      detail.protocol = hello.protocol;
      detail.resumed =
        hello.version === TLS_1_3
          ? hello.resumed
          : hello.sessionId !== '' && hello.sessionId === detail.sessionId;
    }
  }

  #alert(own: End, frame: Frame): void {
    const { bytes, start, end, length } = frame;
    const exchange = this.#exchange;
    if (exchange === undefined || exchange.over) return;
    const clear = !own.changed && length === HEADER_BYTES + 2 && end === start + length;
    const level = clear ? bytes[start + HEADER_BYTES] : FATAL;
    const description = clear ? bytes[start + HEADER_BYTES + 1]! : -1;
    // A warning (an unknown server name) changes nothing.
    if (level !== FATAL && description !== CLOSE_NOTIFY) return;
    exchange.detail.error = clear ? alertName(description) : 'encrypted_alert';
    this.#end(frame, own === this.#server ? frame : undefined);
  }

  /** Application data, or what TLS 1.3 makes look like it. */
  #encrypted(fromClient: boolean, frame: Frame): void {
    const exchange = this.#exchange;
    if (exchange === undefined || exchange.over) {
      // Joined after the handshake: nothing will be in clear.
      this.#leave(frame);
      return;
    }
    if (exchange.detail.version === 0) return; // early data
    if (exchange.detail.version !== TLS_1_3) this.#established(frame);
    else if (!fromClient) this.#grow(false, frame);
    else if (frame.length === HEADER_BYTES + ENCRYPTED_ALERT) {
      exchange.detail.error = 'encrypted_alert';
      this.#end(frame, undefined);
    } else this.#established(frame);
  }

  #grow(fromClient: boolean, frame: Frame): void {
    const exchange = this.#exchange;
    if (exchange === undefined || exchange.over) return;
    if (!fromClient) exchange.responseGrew(frame.first, frame.last, frame.length);
    else if (frame.first.offset !== exchange.requestOffset) exchange.requestBytes += frame.length;
  }

  #established(frame: Frame): void {
    if (this.#exchange === undefined) return;
    this.#exchange.detail.established = true;
    this.#end(frame, undefined);
  }

  #end(frame: Frame, response: Frame | undefined): void {
    if (this.#exchange !== undefined) this.#host.finish(this.#exchange, response);
    this.#leave(frame);
  }

  #leave(frame: Frame): void {
    if (this.#over) return;
    this.#over = true;
    this.#host.become(REST, frame.last.offset + 1);
  }
}
