/**
 * Pairs requests with responses on one HTTP/1.x connection, in order (RFC 9112 section 9.3.2), as seen at one end.
 *
 * Two things place a record. `turn` counts the changes of direction, lost ones included: without pipelining each turn
 * is one message, so a gap in it is an exact number of lost requests and responses. `position` places bytes within a
 * direction: what is missing before a record, and whether a body that was announced goes on.
 *
 *     turn        1          2            3          4
 *     direction   request    response     request    response      a record of turn 4 after one of turn 1 says:
 *                 ─────────► ◄─────────── ─────────► ◄──────────   one response (2) and one request (3) were lost
 *
 * Two exceptions have more turns than messages and are told apart by position: `Expect: 100-continue`, and a response
 * that begins before the request's body has ended.
 *
 * See `exchange-counters.ts` for what is promised. Never throws; keeps no reference to a record.
 */
import { requestFraming, responseFraming } from '../protocols/http1/framing.js';
import type { HeadParser } from '../protocols/http1/head-parser.js';
import { MessageReader } from '../protocols/http1/message-reader.js';
import { isProbableRequest, startKind } from '../protocols/http1/start-line.js';
import type { ExchangeCounters, LossReason, SideCounters } from './exchange-counters.js';
import { ExchangeDraft, type MessageStart } from './exchange-draft.js';
import { StreamCursor } from './stream-cursor.js';
import type { Exchange, MonoNs, NetDataRecord } from './types.js';

/** What all connections share. */
export interface PairingHost {
  readonly parser: HeadParser;
  readonly counters: ExchangeCounters;
  /** A request's head is known. */
  opened(pairing: ExchangePairing, draft: ExchangeDraft): void;
  /** The exchange is over; it is counted as emitted already. */
  finished(pairing: ExchangePairing, draft: ExchangeDraft, incomplete: Exchange['incomplete']): void;
}

/** A send longer than one segment reports its progress in later records; wait for them to know when it ended. */
const LARGEST_SEGMENT = 65_536;
/** A message of which only silence can tell the end ends after this. */
const QUIET_NS = 1e9;
/** Turns in a row that make no sense, after which the connection is not HTTP any more. */
const MALFORMED_TURNS = 3;

export class ExchangePairing {
  readonly role: 'server' | 'client';
  /** False when the connection has stopped being HTTP/1.x: feed it no more. */
  live = true;
  /** A start line has been read: this is HTTP. Until then nothing is counted. */
  proven: boolean;
  /** Last turn that is accounted for. */
  turn: number;
  readonly #host: PairingHost;
  readonly #counters: SideCounters;
  readonly #requests: MessageReader;
  readonly #responses: MessageReader;
  readonly #requestCursor = new StreamCursor();
  readonly #responseCursor = new StreamCursor();
  readonly #requestStart: MessageStart = { time: 0, tgid: 0, tid: 0, offset: 0 };
  readonly #responseStart: MessageStart = { time: 0, tgid: 0, tid: 0, offset: 0 };
  /** Requests whose response is not complete, oldest first. */
  readonly #queue: ExchangeDraft[] = [];
  /** The request whose bytes are being read, or were read last. */
  #asking: ExchangeDraft | undefined;
  /** The exchange whose response is being read: the first of the queue. */
  #answering: ExchangeDraft | undefined;
  /** Complete, but its last bytes are still being handed to the kernel. */
  #draining: ExchangeDraft | undefined;
  #drainEnd = 0;
  /** The request of the current request turn is counted as lost: its response must not count again. */
  #skipResponse = false;
  #lastWasRequest: boolean;
  /** The message of this turn is counted as lost: what is left of it must not count again. */
  #countedTurn = -1;
  #malformedTurns = 0;
  /** Requests that were lost before a start line proved that they were any. */
  #unproven = 0;
  /** errno that ended the connection. */
  #error = 0;
  #lastActivity: MonoNs = 0;
  #lastTid = 0;

  /**
   * `turn` and `lastWasRequest`: the last turn that is accounted for, and its direction. Until a start line has been
   * read nothing is counted unless the connection is `proven` to be HTTP.
   */
  constructor(
    host: PairingHost,
    role: 'server' | 'client',
    turn: number,
    lastWasRequest: boolean,
    proven: boolean,
  ) {
    this.proven = proven;
    this.#host = host;
    this.role = role;
    this.turn = turn;
    this.#lastWasRequest = lastWasRequest;
    this.#counters = host.counters[role];
    this.#requests = new MessageReader(host.parser, true);
    this.#responses = new MessageReader(host.parser, false);
  }

  /** Exchanges that are neither emitted nor lost yet. */
  get held(): number {
    const draining = this.#draining === undefined ? 0 : 1;
    return draining + this.#queue.length + (this.#requests.inHead && this.proven ? 1 : 0);
  }

  /** The request that starts at stream position `offset`, while it is remembered (see `ExchangeLinks`). */
  requestAt(offset: number): ExchangeDraft | undefined {
    if (this.#asking?.requestOffset === offset) return this.#asking;
    return this.#queue.find((draft) => draft.requestOffset === offset);
  }

  /** The next response belongs to a request that is counted already. */
  skipResponse(): void {
    this.#skipResponse = true;
  }

  data(record: NetDataRecord): void {
    const request = record.egress === (this.role === 'client');
    const step = record.turn - this.turn;
    if (step > 0) {
      if (this.#draining !== undefined) this.#drained();
      if (request && this.#continuesBody(record)) {
        this.turn = record.turn;
        this.#lastWasRequest = true;
      } else this.#turnTo(record, request, step);
    }
    this.#bytes(record, request);
    this.#lastActivity = record.time;
    this.#lastTid = record.tid;
  }

  /** The socket was closed at `time`; `turns` is the kernel's last turn, `error` its errno. */
  close(turns: number, error: number, time: MonoNs): void {
    if (this.#draining !== undefined) this.#drained();
    if (turns > this.turn) this.#missed(turns - this.turn);
    const ended = error === 0 ? 'gap' : 'reset';
    this.#error = error;
    if (this.#answering !== undefined) {
      this.#finish(this.#answering, this.#responses.inCountedBody || error !== 0 ? ended : undefined);
    }
    this.#giveUp(error === 0 ? 'no_response' : 'reset', time);
    this.#dropHead('malformed');
    this.live = false;
  }

  /** The kernel has counted turns up to this one; the records of those after the last one were lost. */
  missedUpTo(turn: number): void {
    const count = turn - this.turn;
    if (count <= 0) return;
    if (this.#draining !== undefined) this.#drained();
    const lostRequest = this.#missed(count);
    this.#skipResponse ||= lostRequest;
    this.turn = turn;
    this.#countedTurn = turn;
    if (count % 2 === 1) this.#lastWasRequest = !this.#lastWasRequest;
  }

  /** True when closing now would report an exchange as unanswered: more may be read from the socket's queue. */
  get unanswered(): boolean {
    return this.#queue.length > 0;
  }

  /** The connection is to be forgotten while it lives on. */
  abandon(reason: 'evicted' | 'shutdown'): void {
    if (this.#draining !== undefined) this.#drained();
    if (this.#answering !== undefined) this.#finish(this.#answering, 'gap');
    this.#dropAll(reason);
    this.#dropHead(reason);
    this.live = false;
  }

  /** Ends what only time can end. Call about once a second. */
  sweep(now: MonoNs, timeoutNs: number): void {
    const quiet = now - this.#lastActivity;
    if (quiet < QUIET_NS) return;
    if (this.#draining !== undefined) this.#drained();
    const answering = this.#answering;
    if (answering !== undefined) {
      if (answering.cut) {
        this.#finish(answering, undefined);
        this.#responses.lose();
      } else if (!answering.untilClose && quiet >= timeoutNs) {
        this.#finish(answering, 'gap');
        this.#responses.lose();
      }
    } else if (this.#queue.length > 0 && quiet >= timeoutNs) {
      this.#giveUp('no_response', now);
      this.#skipResponse = true;
    }
  }

  /** Does a record of a new turn carry on the body of the request that was being sent before the other side spoke? */
  #continuesBody(record: NetDataRecord): boolean {
    const requests = this.#requests;
    if (!requests.inCountedBody) return false;
    const missing = this.#requestCursor.distance(record.position);
    if (missing <= 0 || missing < requests.remaining) return true;
    // Chunks: counting stops at lost bytes, but a body that was asked for is expected here.
    const chunked = requests.remaining === 0;
    return chunked && this.#queue[0]?.expectsContinue === true && !startsMessage(record, true);
  }

  #turnTo(record: NetDataRecord, request: boolean, step: number): void {
    let lostRequest = false;
    if (step > 1) lostRequest = this.#missed(step - 1, record);
    this.turn = record.turn;
    this.#lastWasRequest = request;
    if (request) {
      this.#skipResponse = false;
      // A counted body goes on by position: it may be that only its end was lost.
      if (!this.#responses.inCountedBody || this.#answering === undefined) this.#endAnswer();
      // A head or body that never came in full: its end was lost, or the server answered early.
      this.#dropHead('ring_full');
      this.#requests.reset();
    } else {
      if (this.#answering === undefined && !this.#responses.inHead) this.#responses.reset();
      this.#skipResponse ||= lostRequest;
      if (this.#skipResponse && this.#queue.length === 0) {
        this.#skipResponse = false;
        this.#responses.lose();
      }
    }
  }

  /** Nothing more of the response that is being read will be seen. */
  #endAnswer(): void {
    const responses = this.#responses;
    if (responses.inHead) {
      responses.skip(1);
      // Its status line was complete: that is worth an exchange.
      if (responses.event === 'head_cut') this.#responseHead(this.#lastActivity, this.#lastTid, true);
      else this.#dropFirst('ring_full');
    }
    if (this.#answering !== undefined) {
      this.#finish(this.#answering, responses.inCountedBody ? 'gap' : undefined);
    }
    responses.reset();
  }

  /**
   * `count` turns after the last one were lost; `next` is the record after them, undefined at the end of the
   * connection. Returns whether the last lost turn was a request (so that `next` answers a lost request).
   */
  #missed(count: number, next?: NetDataRecord): boolean {
    let responses = this.#lastWasRequest ? Math.ceil(count / 2) : Math.floor(count / 2);
    let requests = count - responses;
    const lastLostWasRequest = (count % 2 === 1) !== this.#lastWasRequest;

    const waiting = this.#queue[0];
    if (waiting?.expectsContinue && this.#requests.inCountedBody && this.#answering === undefined) {
      // The turns in between were "100 Continue" and the body.
      if (requests > 0 && (!this.#lastWasRequest || responses > 0)) {
        requests--;
        if (this.#lastWasRequest) responses--;
        waiting.expectsContinue = false;
        waiting.gap = true;
        this.#requests.reset();
        if (requests === 0 && responses === 0) return false;
      }
    }
    if (responses > 0) {
      this.#endAnswer();
      this.#dropAll('ring_full');
    } else if (next === undefined || !this.#continuesAnswer(next)) this.#endAnswer();
    this.#dropHead('ring_full');
    if (requests > 0) {
      this.#lose('ring_full', requests);
      this.#requests.reset();
    }
    return requests > 0 && lastLostWasRequest;
  }

  #continuesAnswer(record: NetDataRecord): boolean {
    const missing = this.#responseCursor.distance(record.position);
    return this.#responses.inCountedBody && (missing <= 0 || missing < this.#responses.remaining);
  }

  #bytes(record: NetDataRecord, request: boolean): void {
    const cursor = request ? this.#requestCursor : this.#responseCursor;
    const reader = request ? this.#requests : this.#responses;
    if (!cursor.known) {
      cursor.begin(record.position);
      // Nothing tells whether bytes came before these but what they look like.
      if (reader.idle && !startsMessage(record, request, true)) {
        reader.lose();
        this.#lostStart(request, 'ring_full');
      }
    }
    const distance = cursor.distance(record.position);
    let start = record.payloadStart;
    let length = record.length;
    if (distance > 0) {
      this.#gap(distance, record, request);
      cursor.advance(distance);
    } else if (distance < 0) {
      if (-distance >= length) {
        this.#seenAgain(record, request);
        return;
      }
      start = Math.min(start - distance, record.payloadEnd);
      length += distance;
    }
    if (length === 0) return;

    const end = record.payloadEnd;
    let unseen = length - (end - start);
    let at = start;
    while (at < end) {
      this.#noteStart(record, request, reader, cursor);
      const before = at;
      at = reader.read(record.bytes, at, end);
      cursor.advance(at - before);
      if (reader.event !== 'none') this.#handle(record, request, reader);
    }
    while (unseen > 0) {
      const skipped = reader.skip(unseen);
      cursor.advance(skipped);
      unseen -= skipped;
      if (reader.event !== 'none') this.#handle(record, request, reader);
    }
    this.#noteProgress(record, request, cursor);
    if (reader.inOpenBody) {
      reader.operationEnd(record.bytes, record.tailStart);
      if (reader.event === 'end') this.#ended(record, request);
    }
  }

  #noteStart(record: NetDataRecord, request: boolean, reader: MessageReader, cursor: StreamCursor): void {
    if (!reader.idle) return;
    const start = request ? this.#requestStart : this.#responseStart;
    start.time = record.time;
    start.tgid = record.tgid;
    start.tid = record.tid;
    start.offset = cursor.offset;
  }

  #noteProgress(record: NetDataRecord, request: boolean, cursor: StreamCursor): void {
    if (request) {
      const draft = this.#asking;
      if (draft === undefined || this.#requests.inHead || this.#requests.lost) return;
      draft.requestEnd = record.time;
      draft.requestBytes = cursor.offset - draft.requestOffset;
    } else if (this.#answering !== undefined) {
      const draft = this.#answering;
      draft.responseEnd = record.time;
      draft.responseTid = record.tid;
      draft.responseBytes = cursor.offset - draft.responseOffset;
    }
  }

  /** `missing` bytes before `record` were not seen at all. */
  #gap(missing: number, record: NetDataRecord, request: boolean): void {
    const reader = request ? this.#requests : this.#responses;
    let left = missing;
    while (left > 0 && !reader.idle && !reader.lost) {
      const draft = request ? this.#asking : this.#answering;
      if (draft !== undefined) draft.gap = true;
      const head = reader.inHead;
      left -= reader.skip(left);
      if (reader.event === 'lost_start' && head) this.#lostStart(request, 'ring_full');
      else if (reader.event !== 'none') this.#handle(record, request, reader);
    }
    // The record may still be the start of a message, for example when the gap was the end of the one before.
    if (reader.idle && !startsMessage(record, request)) {
      reader.lose();
      this.#lostStart(request, 'ring_full');
    }
  }

  /** Bytes that are known already: a peek that is read now, or the progress of a long send. */
  #seenAgain(record: NetDataRecord, request: boolean): void {
    if (!record.egress) return;
    if (request) {
      if (this.#asking !== undefined && this.#answering === undefined) this.#asking.requestEnd = record.time;
      return;
    }
    const draft = this.#draining ?? this.#answering;
    if (draft === undefined) return;
    draft.responseEnd = record.time;
    draft.responseTid = record.tid;
    const reaches = (record.position + record.length) >>> 0;
    if (this.#draining !== undefined && reaches === this.#drainEnd && record.length <= LARGEST_SEGMENT) {
      this.#drained();
    }
  }

  #handle(record: NetDataRecord, request: boolean, reader: MessageReader): void {
    switch (reader.event) {
      case 'head':
      case 'head_cut':
        this.#malformedTurns = 0;
        this.#prove();
        if (request) this.#requestHead(record.time, reader.event === 'head_cut');
        else this.#responseHead(record.time, record.tid, reader.event === 'head_cut');
        break;
      case 'end':
        this.#ended(record, request);
        break;
      case 'lost_start':
        // Bytes after the captured part of an operation, where a pipelined message may have begun: its response, if
        // one comes, is what counts it. A first message whose start line was not captured counts here.
        if (request ? this.#queue.length === 0 : true) this.#lostStart(request, 'not_captured');
        break;
      case 'malformed':
        this.#lostStart(request, 'malformed');
        if (++this.#malformedTurns >= MALFORMED_TURNS || !this.proven) this.#stop('malformed');
        break;
      case 'none':
        break;
    }
  }

  /** The message that is being read has no visible start line; its reader is lost until the turn changes. */
  #lostStart(request: boolean, reason: LossReason): void {
    if (this.turn === this.#countedTurn) return;
    if (request) {
      this.#lose(reason, 1);
      this.#skipResponse = true;
    } else this.#dropAll(reason);
  }

  #requestHead(time: MonoNs, cut: boolean): void {
    const head = this.#requests.head;
    const draft = new ExchangeDraft(head, this.#requestStart, time);
    draft.gap = cut;
    draft.requestBytes = this.#requestCursor.offset - draft.requestOffset;
    this.#queue.push(draft);
    this.#asking = draft;
    const framing = cut ? 'unknown' : requestFraming(head);
    this.#requests.startBody(framing, head.contentLength);
    this.#host.opened(this, draft);
  }

  #responseHead(time: MonoNs, tid: number, cut: boolean): void {
    const head = this.#responses.head;
    if (this.#queue.length === 0 && this.#requests.inHead) {
      // The rest of the request's head was lost, or never came (400, 408, 431).
      this.#requests.skip(1);
      if (this.#requests.event === 'head_cut') this.#requestHead(time, true);
    }
    const draft = this.#queue[0];
    const framing = responseFraming(head, draft?.method ?? '');
    this.#responses.startBody(cut && framing !== 'interim' ? 'unknown' : framing, head.contentLength);
    if (framing === 'interim') {
      if (draft !== undefined)
        draft.expectsContinue &&= head.statusCode !== 100 || this.#requests.inCountedBody;
      return;
    }
    if (draft === undefined) {
      if (this.#skipResponse) this.#skipResponse = false;
      else if (head.statusCode === 408 && head.connectionClose) this.#host.counters.unsolicited++;
      else this.#lose('not_captured', 1);
      return;
    }
    draft.statusCode = head.statusCode;
    draft.responseStart = this.#responseStart.time;
    draft.responseOffset = this.#responseStart.offset;
    draft.responseEnd = time;
    draft.responseTid = tid;
    draft.untilClose = framing === 'close' && !cut;
    draft.cut = cut;
    draft.gap ||= cut;
    this.#answering = draft;
    draft.responseBytes = this.#responseCursor.offset - draft.responseOffset;
    if (framing === 'none') this.#finish(draft, undefined);
    else if (framing === 'tunnel') {
      this.#finish(draft, undefined);
      this.#host.counters.upgraded++;
      this.#stop('not_captured');
    }
  }

  #ended(record: NetDataRecord, request: boolean): void {
    const cursor = request ? this.#requestCursor : this.#responseCursor;
    this.#noteProgress(record, request, cursor);
    if (request || this.#answering === undefined) return;
    if (record.egress && record.length > LARGEST_SEGMENT) {
      if (this.#draining !== undefined) this.#drained();
      this.#draining = this.#answering;
      this.#drainEnd = (record.position + record.length) >>> 0;
      this.#answering = undefined;
      this.#queue.shift();
    } else this.#finish(this.#answering, undefined);
  }

  #drained(): void {
    const draft = this.#draining!;
    this.#draining = undefined;
    this.#emit(draft, undefined);
  }

  #finish(draft: ExchangeDraft, incomplete: Exchange['incomplete']): void {
    this.#queue.shift();
    if (this.#answering === draft) this.#answering = undefined;
    this.#emit(draft, incomplete);
  }

  /** Ends everything that still waits for a response. */
  #giveUp(incomplete: 'no_response' | 'reset', time: MonoNs): void {
    while (this.#queue.length > 0) {
      const draft = this.#queue[0]!;
      draft.responseStart = time;
      draft.responseEnd = time;
      this.#finish(draft, incomplete);
    }
  }

  #emit(draft: ExchangeDraft, incomplete: Exchange['incomplete']): void {
    this.#counters.emitted++;
    draft.error = this.#error;
    this.#host.finished(this, draft, incomplete ?? (draft.gap ? 'gap' : undefined));
  }

  #lose(reason: LossReason, count: number): void {
    if (this.proven) this.#counters.lost[reason] += count;
    else this.#unproven += count;
  }

  /** A start line: this is HTTP, and so was what was lost before. */
  #prove(): void {
    if (this.proven) return;
    this.proven = true;
    this.#counters.lost.ring_full += this.#unproven;
  }

  /** Counts everything that still waits for a response. */
  #dropAll(reason: LossReason): void {
    this.#lose(reason, this.#queue.length);
    this.#queue.length = 0;
    this.#answering = undefined;
  }

  /** Counts a request whose head was being read. */
  #dropHead(reason: LossReason): void {
    if (!this.#requests.inHead) return;
    this.#lose(reason, 1);
    this.#requests.reset();
  }

  #dropFirst(reason: LossReason): void {
    if (this.#queue.shift() !== undefined) this.#lose(reason, 1);
  }

  #stop(reason: LossReason): void {
    if (reason === 'malformed' && this.proven) this.#host.counters.left++;
    this.#dropAll(reason);
    this.live = false;
  }
}

/**
 * Do the record's bytes begin a message? Used only where counting does not tell. `lenient`: the beginning of a start
 * line is enough.
 */
function startsMessage(record: NetDataRecord, request: boolean, lenient = false): boolean {
  const { bytes, payloadStart, payloadEnd } = record;
  const kind = startKind(bytes, payloadStart, payloadEnd);
  if (kind !== 'undecided') return kind === (request ? 'request' : 'response');
  if (payloadEnd === payloadStart || lenient) return lenient;
  return request ? isProbableRequest(bytes, payloadStart, payloadEnd) : false;
}
