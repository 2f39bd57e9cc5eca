/**
 * NATS of one connection. The server takes what is published and says nothing; answers are messages of their own:
 *
 *     client  PUB subject reply ──► server  MSG reply            a request: paired by the reply subject
 *     server  MSG subject reply ──► client  PUB reply            a request that this client serves, or JetStream's ack
 *     PUB, MSG without a reply                                   one-way
 */
import { textOf } from '../byte-cursor.js';
import type { WireExchange } from '../exchange.js';
import { type Frame, type FrameFormat, FrameReader } from '../frame-reader.js';
import { IdPairing } from '../pairing.js';
import type { Moment, ParserHost, ProtocolParser } from '../protocol.js';
import { HeaderValues } from '../trace-context/header-values.js';
import { NatsDetail } from './detail.js';
import { ControlLine } from './line.js';
import { ackOf, consumerStream, isInbox, nextOf, Subscriptions } from './subjects.js';

/** Bytes of a line with its headers and payload that are kept: INFO is the longest that has to be passed over. */
const KEEP_BYTES = 20 * 1024;
/** Of an answer in JSON, where an error stands. */
const ANSWER_BYTES = 384;
/** Of the call that makes a consumer, where its policy stands. */
const CREATE_BYTES = 1024;
const MAX_SILENT = 256;

export class NatsParser implements ProtocolParser, FrameFormat {
  readonly keepBytes = KEEP_BYTES;
  readonly #host: ParserHost<NatsDetail>;
  readonly #client: FrameReader;
  readonly #server: FrameReader;
  readonly #line = new ControlLine();
  readonly #context = new HeaderValues();
  readonly #subscriptions = new Subscriptions();
  /** By the subject that the answer will have. */
  readonly #requests: IdPairing<NatsDetail, string>;
  readonly #served: IdPairing<NatsDetail, string>;
  /** Streams of which this client consumes without acknowledging. */
  readonly #silent = new Set<string>();
  #connect: WireExchange<NatsDetail> | undefined;
  /** Every SUB of this connection was seen. */
  #complete: boolean;

  constructor(host: ParserHost<NatsDetail>) {
    this.#host = host;
    this.#requests = new IdPairing(host);
    this.#served = new IdPairing(host);
    this.#complete = host.facts.fromStart;
    this.#client = new FrameReader(this, true, !host.facts.fromStart);
    this.#server = new FrameReader(this, false, !host.facts.fromStart);
  }

  read(fromClient: boolean, bytes: Buffer, start: number, end: number, at: Moment): void {
    (fromClient ? this.#client : this.#server).read(bytes, start, end, at);
  }

  skip(fromClient: boolean, count: number, lost: boolean, at: Moment): void {
    (fromClient ? this.#client : this.#server).skip(count, lost, at);
  }

  frameLength(fromClient: boolean, bytes: Buffer, start: number, end: number): number {
    return this.#line.read(fromClient, bytes, start, end);
  }

  badFrame(fromClient: boolean): void {
    this.#host.malformed();
    this.missedFrames(fromClient);
  }

  /** Answers are found by their subject: nothing need be given up. */
  missedFrames(fromClient: boolean): void {
    if (fromClient) this.#complete = false;
  }

  frame(fromClient: boolean, frame: Frame): void {
    const line = this.#line;
    const { bytes, start, end } = frame;
    if (line.read(fromClient, bytes, start, end) <= 0) return;
    switch (line.verb.name) {
      case 'PUB':
      case 'HPUB':
        this.#published(frame, this.#field(bytes, 0));
        return;
      case 'MSG':
      case 'HMSG':
        this.#message(frame, this.#field(bytes, 0));
        return;
      case 'SUB':
        this.#subscriptions.add(this.#field(bytes, line.count - 1), {
          subject: this.#field(bytes, 0),
          queue: line.count === 3 ? this.#field(bytes, 1) : '',
        });
        return;
      case 'UNSUB':
        // With a number it goes on until so many messages have come: it is forgotten with the connection.
        if (line.count === 1) this.#subscriptions.remove(this.#field(bytes, 0));
        return;
      case 'CONNECT':
        this.#connect ??= this.#host.begin(new NatsDetail('connect', 'control', ''), frame);
        return;
      case 'PONG':
      case '+OK':
        if (fromClient || this.#connect === undefined) return;
        this.#host.finish(this.#connect, frame);
        this.#connect = undefined;
        return;
      case '-ERR':
        this.#failed(frame, line.count === 0 ? '' : this.#field(bytes, 0));
    }
  }

  #field(bytes: Buffer, index: number): string {
    const { fields } = this.#line;
    return textOf(bytes, fields[2 * index]!, fields[2 * index + 1]!);
  }

  /** Bytes of headers before the payload; reads the context in them. */
  #headers(frame: Frame): number {
    const { verb, count, end } = this.#line;
    if (verb.name.charCodeAt(0) !== 0x48) return 0; // H
    const length = Math.max(0, this.#line.number(count - 2, frame.bytes));
    this.#context.clear();
    readHeaders(frame.bytes, end, Math.min(end + length, frame.end), this.#context);
    return length;
  }

  // From the client

  #published(frame: Frame, subject: string): void {
    const { verb, count, payload } = this.#line;
    const fixed = verb.name === 'PUB' ? 2 : 3;
    const reply = count > fixed ? this.#field(frame.bytes, 1) : '';
    const headers = this.#headers(frame);
    const served = this.#served.take(subject);
    if (served !== undefined) {
      const answer = frame.bytes.toString('latin1', this.#line.end, Math.min(this.#line.end + 5, frame.end));
      if (answer.startsWith('-NAK') || answer === '+TERM')
        served.detail.errorCode = answer.slice(1, 5).toLowerCase().trim();
      // Work goes on.
      if (answer.startsWith('+WPI')) this.#served.add(subject, served);
      else this.#host.finish(served, frame);
      return;
    }
    if (subject.startsWith('$JS.')) this.#learn(subject, frame);
    const asks = reply !== '' && (this.#subscriptions.covers(reply) || (!this.#complete && isInbox(reply)));
    const detail = publishDetail(subject, asks);
    detail.bodyBytes = payload - headers;
    let exchange: WireExchange<NatsDetail>;
    if (asks) {
      exchange = this.#requests.begin(reply, detail, frame);
      exchange.waiting = detail.operation === 'fetch';
    } else exchange = this.#host.begin(detail, frame);
    if (headers > 0) exchange.context = this.#context.context();
    if (!asks) this.#host.finish(exchange, undefined);
  }

  #learn(subject: string, { bytes, end }: Frame): void {
    const stream = ackOf(subject)?.stream ?? consumerStream(subject);
    if (stream === '') return;
    const created = bytes.toString('latin1', this.#line.end, Math.min(end, this.#line.end + CREATE_BYTES));
    if (!created.includes('"ack_policy":"none"')) this.#silent.delete(stream);
    else if (this.#silent.size < MAX_SILENT) this.#silent.add(stream);
  }

  // From the server

  #message(frame: Frame, subject: string): void {
    const { verb, count, payload, end } = this.#line;
    const fixed = verb.name === 'MSG' ? 3 : 4;
    const reply = count > fixed ? this.#field(frame.bytes, 2) : '';
    const sid = this.#field(frame.bytes, 1);
    const headers = this.#headers(frame);
    const request = this.#requests.take(this.#addressed(subject, sid));
    if (request !== undefined && this.#answer(request, frame, headers, reply)) return;
    const subscription = this.#subscriptions.get(sid);
    const detail = new NatsDetail('deliver', 'process', subject);
    if (subscription !== undefined && !isInbox(subscription.subject)) {
      detail.subscribed = subscription.subject;
      detail.group = subscription.queue;
    }
    detail.bodyBytes = payload - headers;
    // A status without a payload is no message: heartbeats, the end of a fetch.
    if (headers > 0 && payload === headers && statusOf(frame.bytes, end, frame.end) !== '') return;
    const place = reply === '' ? undefined : ackOf(reply);
    if (place !== undefined) detail.group = place.consumer;
    // Consumers of a stream may have been made so that nothing is acknowledged.
    const answered = reply !== '' && (place === undefined || !this.#silent.has(place.stream));
    const exchange = answered ? this.#served.begin(reply, detail, frame) : this.#host.begin(detail, frame);
    exchange.pushed = true;
    if (headers > 0) exchange.context = this.#context.context();
    if (!answered) this.#host.finish(exchange, undefined);
  }

  /** Messages of a stream come under their own subject to the inbox that a fetch has named. */
  #addressed(subject: string, sid: string): string {
    if (this.#requests.get(subject) !== undefined) return subject;
    return this.#subscriptions.get(sid)?.subject ?? subject;
  }

  /** False when the message is one that was fetched: it is a message of its own, too. */
  #answer(request: WireExchange<NatsDetail>, frame: Frame, headers: number, reply: string): boolean {
    const { detail } = request;
    const { end } = this.#line;
    if (headers > 0) {
      const status = statusOf(frame.bytes, end, frame.end);
      // 404 and 408: nothing came while the fetch waited.
      const fault = status.startsWith('4') || status.startsWith('5');
      if (fault && !(detail.operation === 'fetch' && (status === '404' || status === '408')))
        detail.errorCode = status;
    }
    if (detail.errorCode === '') this.#readError(detail, frame, end + headers);
    this.#host.finish(request, frame);
    return detail.operation !== 'fetch' || reply === '';
  }

  /** JetStream answers in JSON: `{"type":…,"error":{"code":404,"err_code":10059,"description":"stream not found"}}`. */
  #readError(detail: NatsDetail, frame: Frame, start: number): void {
    if (frame.bytes[start] !== 0x7b || start >= frame.end) return;
    const text = frame.bytes.toString('utf8', start, Math.min(frame.end, start + ANSWER_BYTES));
    const error = JETSTREAM_ERROR.exec(text);
    if (error === null) return;
    detail.errorCode = error[1]!;
    detail.errorText = error[2] ?? '';
  }

  #failed(frame: Frame, text: string): void {
    const message = text.replace(/^'|'$/g, '');
    const login = this.#connect;
    const subject = QUOTED.exec(message)?.[1];
    let blamed: WireExchange<NatsDetail> | undefined;
    if (login !== undefined) {
      blamed = login;
      this.#connect = undefined;
    } else if (subject !== undefined) {
      for (const open of this.#requests.values())
        if (open.detail.subject === subject && !open.over) blamed ??= open;
    }
    const exchange = blamed ?? this.#host.begin(new NatsDetail('error', 'control', subject ?? ''), frame);
    exchange.pushed ||= blamed === undefined;
    exchange.detail.errorCode = errorName(message);
    exchange.detail.errorText = message;
    this.#host.finish(exchange, blamed === undefined ? undefined : frame);
  }
}

const JETSTREAM_ERROR = /"error":\{"code":(\d{3})(?:,"err_code":\d+)?(?:,"description":"([^"]{0,200}))?/;
const QUOTED = /"([^"]+)"/;

function publishDetail(subject: string, asks: boolean): NatsDetail {
  const next = nextOf(subject);
  const ack = next === undefined ? ackOf(subject) : undefined;
  const place = next ?? ack;
  if (place === undefined) return new NatsDetail(asks ? 'request' : 'publish', 'send', subject);
  const detail = new NatsDetail(
    ack === undefined ? 'fetch' : 'ack',
    ack === undefined ? 'receive' : 'settle',
    place.stream,
  );
  detail.group = place.consumer;
  return detail;
}

/** `Permissions Violation for Publish to "a"`: permissions_violation. Without what is named, which differs each time. */
function errorName(message: string): string {
  const words = message
    .split(/ for |[:"']/, 1)[0]!
    .trim()
    .toLowerCase();
  return words.replace(/[^a-z0-9]+/g, '_').slice(0, 40) || '_OTHER';
}

/** Headers like those of HTTP, after a line `NATS/1.0` with or without a status (ADR-4). */
function readHeaders(bytes: Buffer, start: number, end: number, context: HeaderValues): void {
  let at = afterLine(bytes, start, end);
  while (at < end) {
    const next = afterLine(bytes, at, end);
    let colon = at;
    while (colon < next && bytes[colon] !== 0x3a) colon++;
    if (colon < next) {
      let valueStart = colon + 1;
      while (valueStart < next && bytes[valueStart] === 0x20) valueStart++;
      let valueEnd = next;
      while (valueEnd > valueStart && bytes[valueEnd - 1]! <= 0x20) valueEnd--;
      context.take(bytes, at, colon, valueStart, valueEnd);
    }
    at = next;
  }
}

function afterLine(bytes: Buffer, start: number, end: number): number {
  let at = start;
  while (at < end && bytes[at] !== 0x0a) at++;
  return Math.min(end, at + 1);
}

/** `503` of `NATS/1.0 503`, '' where there is none. */
function statusOf(bytes: Buffer, start: number, end: number): string {
  const text = bytes.toString('latin1', start, Math.min(end, start + 12));
  return /^NATS\/1\.0 (\d{3})/.exec(text)?.[1] ?? '';
}
