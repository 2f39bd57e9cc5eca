import type { WireContext } from '../observer/types.js';
import type { Moment } from './protocol.js';

/** Why a part of an exchange is missing; undefined when nothing is. */
export type Incomplete = 'gap' | 'no_response' | 'reset' | undefined;

/**
 * One request and what answered it, on one connection. Flat, because there are many: times are `Moment.time`.
 * Parsers change `detail`, `context` and the flags; the host keeps the rest.
 */
export class WireExchange<D extends object = object> {
  readonly protocol: string;
  readonly detail: D;
  /** The trace context that travelled with the request. */
  context: WireContext | undefined;

  readonly tgid: number;
  readonly requestTid: number;
  readonly requestStart: number;
  /** Stream position of the request's first byte (see `Moment.offset`). */
  readonly requestOffset: number;
  requestEnd: number;
  requestBytes: number;

  responseTid: number;
  /** 0 until a byte of the response was seen. */
  responseStart = 0;
  responseEnd = 0;
  responseBytes = 0;

  incomplete: Incomplete;
  /** errno that ended the connection before the exchange was complete; 0: none. */
  error = 0;
  /** Messages were lost while it was open: that no answer was seen does not say that there was none. */
  unsure = false;
  /**
   * A long poll, a subscription or a stream: its duration says how long somebody waited for something to happen, and not
   * how slow the other end is. Shown as an attribute; kept out of latency.
   */
  waiting = false;
  /**
   * The server sent it without being asked (a message to a subscriber), and the client is the one that works on it. Said
   * before the parser returns from the call in which the exchange began.
   */
  pushed = false;
  /** Finished or dropped: nothing more will come of it. */
  over = false;
  /** Kept by the observer: ids of the span it becomes. */
  identity: Uint8Array | undefined;

  constructor(protocol: string, detail: D, first: Moment, last: Moment, bytes: number) {
    this.protocol = protocol;
    this.detail = detail;
    this.tgid = first.tgid;
    this.requestTid = first.tid;
    this.requestStart = first.time;
    this.requestOffset = first.offset;
    this.requestEnd = last.time;
    this.requestBytes = bytes;
    this.responseTid = first.tid;
  }

  /** More of the request: a body after the head, a further message of a stream. */
  requestGrew(last: Moment, bytes: number): void {
    this.requestEnd = last.time;
    this.requestBytes += bytes;
  }

  /** More of the response. */
  responseGrew(first: Moment, last: Moment, bytes: number): void {
    if (this.responseStart === 0) this.responseStart = first.time;
    this.responseEnd = last.time;
    this.responseTid = last.tid;
    this.responseBytes += bytes;
  }
}
