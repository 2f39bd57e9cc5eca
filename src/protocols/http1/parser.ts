/**
 * HTTP/1.x of one connection: two `MessageReader`s and the order of requests (RFC 9112 section 9.3.2).
 *
 *     client ─► requests ──► head: begin ──► body: grows ──► end
 *     server ─► responses ─► head: whose? the oldest request's ──► body: grows ──► end: finish
 *
 * A response's framing depends on its request's method, so responses are read with the queue at hand. 1xx responses
 * belong to no exchange of their own; 101 and a successful CONNECT end HTTP on this connection.
 */
import type { WireExchange } from '../exchange.js';
import { copyMoment, createMoment } from '../frame-reader.js';
import type { HttpDetail } from '../http/describe.js';
import { OrderedPairing } from '../pairing.js';
import type { CloseReason, MessageExtent, Moment, ParserHost, ProtocolParser } from '../protocol.js';
import { readWireContext } from '../trace-context/carriers.js';
import { requestFraming, responseFraming } from './framing.js';
import type { HeadParser } from './head-parser.js';
import { MessageReader } from './message-reader.js';
import { isProbableRequest, startKind } from './start-line.js';

/** What is known of the message that is being read. */
class Extent implements MessageExtent {
  readonly first: Moment = createMoment();
  readonly last: Moment = createMoment();
  length = 0;
  gap = false;
}

export class Http1Parser implements ProtocolParser {
  readonly #host: ParserHost<HttpDetail>;
  readonly #pairing: OrderedPairing<HttpDetail>;
  readonly #requests: MessageReader;
  readonly #responses: MessageReader;
  readonly #request = new Extent();
  readonly #response = new Extent();
  /** The request whose body is being read. */
  #asking: WireExchange<HttpDetail> | undefined;
  /** A request was seen on this connection. */
  #began = false;
  /** The oldest request's response has begun. */
  #answering = false;
  /** The response that is being read belongs to a request that was not seen. */
  #stray = false;
  /** Requests that were not visible, behind those of the queue; their responses count them. */
  #unseenRequests = false;
  /** The client sends requests before their predecessors are answered. */
  #pipelining = false;
  /** A request began in the slice that is being read. */
  #beganHere = false;
  /** Requests that were dropped and whose responses may still come. */
  #owed = 0;
  #upgrade = '';

  constructor(host: ParserHost<HttpDetail>, heads: HeadParser) {
    this.#host = host;
    this.#pairing = new OrderedPairing(host);
    this.#requests = new MessageReader(heads, true);
    this.#responses = new MessageReader(heads, false);
    if (!host.facts.fromStart) {
      this.#requests.lose();
      this.#responses.lose();
    }
  }

  read(fromClient: boolean, bytes: Buffer, start: number, end: number, at: Moment): void {
    const reader = fromClient ? this.#requests : this.#responses;
    const extent = fromClient ? this.#request : this.#response;
    if ((reader.lost || reader.inOpenBody) && beginsMessage(bytes, start, end, fromClient)) {
      this.#nextMessage(fromClient, reader, at);
    }
    this.#beganHere = false;
    let from = start;
    while (from < end) {
      if (reader.idle) this.#beginExtent(extent, at, at.offset + from - start);
      const before = from;
      from = reader.read(bytes, from, end);
      this.#grow(fromClient, extent, from - before, at, at.offset + from - start - 1);
      if (reader.event !== 'none' && !this.#handle(fromClient, reader, extent)) {
        this.#leave(at.offset + from - start);
        return;
      }
    }
  }

  skip(fromClient: boolean, count: number, lost: boolean, at: Moment): void {
    const reader = fromClient ? this.#requests : this.#responses;
    const extent = fromClient ? this.#request : this.#response;
    let left = count;
    while (left > 0) {
      if (reader.idle) this.#beginExtent(extent, at, at.offset + count - left);
      else if (lost && !reader.lost) this.#gap(fromClient, extent);
      const taken = reader.skip(left);
      left -= taken;
      this.#grow(fromClient, extent, taken, at, at.offset + count - left - 1);
      if (reader.event !== 'none' && !this.#handle(fromClient, reader, extent)) {
        this.#leave(at.offset + count - left);
        return;
      }
    }
  }

  operationEnd(fromClient: boolean, bytes: Buffer, tail: number): void {
    const reader = fromClient ? this.#requests : this.#responses;
    if (!reader.inOpenBody) return;
    reader.operationEnd(bytes, tail);
    if (reader.event === 'end') this.#ended(fromClient);
  }

  end(fromClient: boolean, _at: Moment): void {
    if (fromClient) return;
    this.#cutHead(false);
    // A body that only the end of the stream ends.
    if (this.#answering && this.#responses.inOpenBody) this.#ended(false);
  }

  close(reason: CloseReason, at: Moment): void {
    if (reason === 'evicted' || reason === 'shutdown') return;
    this.#cutHead(true);
    if (reason === 'closed') this.end(false, at);
    else this.#cutHead(false);
  }

  /** Bytes of a new message come while the end of the one before is not known: that was its end. */
  #nextMessage(fromClient: boolean, reader: MessageReader, at: Moment): void {
    if (reader.inOpenBody) this.#ended(fromClient);
    else if (!fromClient && this.#answering) this.#finish('gap');
    reader.reset();
    this.#beginExtent(fromClient ? this.#request : this.#response, at, at.offset);
  }

  #beginExtent(extent: Extent, at: Moment, offset: number): void {
    copyMoment(at, extent.first, offset);
    extent.length = 0;
    extent.gap = false;
  }

  #grow(fromClient: boolean, extent: Extent, count: number, at: Moment, lastOffset: number): void {
    extent.length += count;
    copyMoment(at, extent.last, lastOffset);
    if (count === 0) return;
    if (fromClient) {
      const asking = this.#asking;
      if (asking === undefined || asking.over) return;
      asking.requestGrew(extent.last, count);
    } else if (this.#answering && !this.#responses.lost) {
      this.#pairing.first?.responseGrew(extent.first, extent.last, count);
    }
  }

  #gap(fromClient: boolean, extent: Extent): void {
    extent.gap = true;
    const exchange = fromClient ? this.#asking : this.#answering ? this.#pairing.first : undefined;
    if (exchange !== undefined && !exchange.over) exchange.incomplete ??= 'gap';
  }

  /** False when the connection is no longer HTTP/1.x. */
  #handle(fromClient: boolean, reader: MessageReader, extent: Extent): boolean {
    switch (reader.event) {
      case 'head':
      case 'head_cut': {
        const cut = reader.event === 'head_cut';
        if (fromClient) this.#requestHead(extent, cut);
        else return this.#responseHead(extent, cut);
        break;
      }
      case 'end':
        this.#ended(fromClient);
        break;
      case 'lost_start':
        this.#lostStart(fromClient);
        break;
      case 'malformed':
        this.#host.malformed();
        this.#lostStart(fromClient);
        break;
      case 'none':
        break;
    }
    return true;
  }

  #requestHead(extent: Extent, cut: boolean): void {
    const { head } = this.#requests;
    // A request that follows one whose response went by unseen (or has no visible end): nobody pipelines there.
    if (this.#unseenRequests && this.#pairing.size === 0) this.#countUnseen();
    if (this.#answering && this.#responses.inOpenBody) {
      this.#ended(false);
      this.#responses.reset();
    }
    const exchange = this.#pairing.begin(
      {
        method: head.method,
        path: head.path,
        query: head.query,
        host: head.host,
        userAgent: head.userAgent,
        scheme: 'http',
        version: `1.${head.minorVersion}`,
        statusCode: 0,
      },
      extent,
    );
    exchange.context = readWireContext(head.contextValues);
    if (cut) exchange.incomplete = 'gap';
    this.#pipelining ||= this.#beganHere;
    this.#began = true;
    this.#beganHere = true;
    this.#owed = 0;
    this.#upgrade = head.upgrade;
    this.#requests.startBody(cut ? 'unknown' : requestFraming(head), head.contentLength);
    this.#asking = this.#requests.idle ? undefined : exchange;
  }

  #responseHead(extent: Extent, cut: boolean): boolean {
    const { head } = this.#responses;
    // An answer before the request's head was complete (400, 408, 431).
    if (this.#pairing.size === 0) this.#cutHead(true);
    const exchange = this.#pairing.first;
    const framing = responseFraming(head, exchange?.detail.method ?? '');
    this.#responses.startBody(cut && framing !== 'interim' ? 'unknown' : framing, head.contentLength);
    if (framing === 'interim') return true;
    if (exchange === undefined) {
      this.#strayResponse(head.statusCode, head.connectionClose);
      this.#stray = this.#responses.inCountedBody || this.#responses.inOpenBody;
      return true;
    }
    exchange.detail.statusCode = head.statusCode;
    exchange.responseGrew(extent.first, extent.last, extent.length);
    if (extent.gap || cut) exchange.incomplete ??= 'gap';
    this.#answering = true;
    if (framing === 'none') this.#finish();
    return framing !== 'tunnel';
  }

  /** A response whose request was not visible. */
  #strayResponse(statusCode: number, close: boolean): void {
    if (this.#unseenRequests) this.#countUnseen();
    else if (this.#owed > 0) this.#owed--;
    else if (!this.#began) this.#host.missed('joined_in_middle', 1);
    // 408 before a server closes an idle connection (RFC 9110 section 15.5.9): nobody asked.
    else if (statusCode !== 408 || !close) this.#host.missed('not_captured', 1);
  }

  #ended(fromClient: boolean): void {
    if (fromClient) this.#asking = undefined;
    else if (this.#stray) this.#stray = false;
    else if (this.#answering) this.#finish();
  }

  #finish(incomplete?: 'gap'): void {
    this.#answering = false;
    this.#pairing.finish(undefined, incomplete);
  }

  /** A message began in bytes that were not visible, or is none; its reader passes over bytes until one begins. */
  #lostStart(fromClient: boolean): void {
    if (fromClient) {
      this.#unseenRequests = true;
      return;
    }
    this.#answering = false;
    if (this.#pipelining && this.#pairing.size > 1) {
      // How many responses were in the lost bytes is not known, so neither is whose the next one is.
      this.#owed = this.#pairing.size - 1;
      this.#pairing.dropAll('not_captured');
      return;
    }
    // One after the other: what was lost answered every request but the last, and that one too if it is alone.
    do {
      const exchange = this.#pairing.shift();
      if (exchange !== undefined) this.#host.drop(exchange, 'not_captured');
    } while (this.#pairing.size > 1);
  }

  #countUnseen(): void {
    this.#unseenRequests = false;
    this.#host.missed('not_captured', 1);
  }

  /** What was seen of a head whose rest will not come. */
  #cutHead(fromClient: boolean): void {
    const reader = fromClient ? this.#requests : this.#responses;
    if (!reader.inHead) return;
    reader.skip(1);
    if (reader.event === 'head_cut') {
      if (fromClient) this.#requestHead(this.#request, true);
      else this.#responseHead(this.#response, true);
    } else reader.reset();
  }

  /** 101 or a tunnel: what follows is something else. */
  #leave(offset: number): void {
    const exchange = this.#pairing.first;
    const upgraded = exchange?.detail.statusCode === 101;
    if (upgraded && /\bh2c\b/i.test(this.#upgrade)) {
      // RFC 7540 section 3.2: the response comes as stream 1.
      this.#pairing.shift();
      this.#answering = false;
      this.#host.become('http2', offset, exchange);
      return;
    }
    if (this.#answering) this.#finish();
    this.#host.become(upgraded ? this.#upgrade.trim().toLowerCase() || 'upgraded' : undefined, offset);
  }
}

function beginsMessage(bytes: Buffer, start: number, end: number, request: boolean): boolean {
  const kind = startKind(bytes, start, end);
  if (kind === 'undecided') return request && isProbableRequest(bytes, start, end);
  return kind === (request ? 'request' : 'response');
}
