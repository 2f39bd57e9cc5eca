import type { MessageHead } from '../protocols/http1/head.js';
import { readWireContext } from '../protocols/trace-context/carriers.js';
import type { TlsView } from './tls/tls-join.js';
import type { MonoNs, WireContext } from './types.js';

/** An exchange while it happens. */
export class ExchangeDraft {
  readonly method: string;
  readonly path: string;
  readonly query: string | undefined;
  readonly minorVersion: number;
  readonly host: string | undefined;
  readonly userAgent: string | undefined;
  readonly context: WireContext | undefined;

  readonly tgid: number;
  readonly requestTid: number;
  readonly requestStart: MonoNs;
  /** Stream position of the request's first byte, not wrapped at 2^32 (see `StreamCursor.offset`). */
  readonly requestOffset: number;
  requestEnd: MonoNs;
  requestBytes = 0;

  /** Set when the request's head is known, see `ExchangeLinks`. */
  identity: Uint8Array | undefined;

  /** Set when the request's head is known, for plaintext of a TLS session. */
  tls: TlsView | undefined;

  /** The client waits for `100 Continue` before it sends the body: an extra pair of turns is not a lost request. */
  expectsContinue: boolean;

  statusCode = 0;
  responseTid = 0;
  responseStart: MonoNs = 0;
  responseEnd: MonoNs = 0;
  responseOffset = 0;
  responseBytes = 0;
  /** The response's body ends with the connection. */
  untilClose = false;
  /** The end of the response's head was not captured: only silence or the next request tells where it ends. */
  cut = false;
  /** Bytes of it were not seen, so that an end may be later than its last seen byte. */
  gap = false;

  /** `head` is the request's; `first` is where and when its first byte moved. */
  constructor(head: MessageHead, first: MessageStart, now: MonoNs) {
    this.method = head.method;
    this.path = head.path;
    this.query = head.query;
    this.minorVersion = head.minorVersion;
    this.host = head.host;
    this.userAgent = head.userAgent;
    this.context = readWireContext(head.contextValues);
    this.expectsContinue = head.expectContinue;
    this.tgid = first.tgid;
    this.requestTid = first.tid;
    this.requestStart = first.time;
    this.requestOffset = first.offset;
    this.requestEnd = now;
    this.responseTid = first.tid;
  }
}

/** Where and when a message's first byte moved. */
export interface MessageStart {
  time: MonoNs;
  tgid: number;
  tid: number;
  offset: number;
}
