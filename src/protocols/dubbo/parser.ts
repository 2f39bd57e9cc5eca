/**
 * Dubbo 2 of one connection: requests and responses by id, in any order; heartbeats and other events are no exchanges. A
 * server may call back on the connection that a client has opened.
 */
import { ByteCursor } from '../byte-cursor.js';
import { type Frame, type FrameFormat, FrameReader } from '../frame-reader.js';
import { IdPairing } from '../pairing.js';
import type { Moment, ParserHost, ProtocolParser } from '../protocol.js';
import { CONTEXT_HEADERS } from '../trace-context/carriers.js';
import { HeaderValues } from '../trace-context/header-values.js';
import type { DubboDetail } from './detail.js';
import { dubboLength, FLAG, HEADER_BYTES, OK, SERIALIZATION } from './header.js';
import { readMapText, readText } from './texts.js';

/** Bytes of a message that are kept. Attachments stand behind the arguments. */
const KEEP_BYTES = 8192;
/** Calls by name, of interfaces that the caller does not have: service and arguments stand in the arguments. */
const GENERIC = new Set(['$invoke', '$invokeAsync']);
/** Names of services and methods that one connection may bring. */
const NAME = /^[\w.$/:-]{1,200}$/;
/** First number of a response: the method threw (with attachments, and without). */
const THREW = new Set([0, 3]);

export class DubboParser implements ProtocolParser, FrameFormat {
  readonly keepBytes = KEEP_BYTES;
  readonly #host: ParserHost<DubboDetail>;
  readonly #client: FrameReader;
  readonly #server: FrameReader;
  /** Requests of the client, and of the server. */
  readonly #calls: IdPairing<DubboDetail, string>;
  readonly #callbacks: IdPairing<DubboDetail, string>;
  readonly #cursor = new ByteCursor();
  readonly #context = new HeaderValues();
  #began = false;

  constructor(host: ParserHost<DubboDetail>) {
    this.#host = host;
    this.#calls = new IdPairing(host);
    this.#callbacks = new IdPairing(host);
    this.#client = new FrameReader(this, true, !host.facts.fromStart);
    this.#server = new FrameReader(this, false, !host.facts.fromStart);
  }

  read(fromClient: boolean, bytes: Buffer, start: number, end: number, at: Moment): void {
    (fromClient ? this.#client : this.#server).read(bytes, start, end, at);
  }

  skip(fromClient: boolean, count: number, lost: boolean, at: Moment): void {
    (fromClient ? this.#client : this.#server).skip(count, lost, at);
  }

  frameLength(_: boolean, bytes: Buffer, start: number, end: number): number {
    return dubboLength(bytes, start, end);
  }

  badFrame(): void {
    this.#host.malformed();
  }

  /** Messages are found by their ids: nothing need be given up. */
  missedFrames(): void {}

  frame(fromClient: boolean, frame: Frame): void {
    const { bytes, start, end } = frame;
    if (end - start < HEADER_BYTES) return;
    const flags = bytes[start + 2]!;
    if ((flags & FLAG.event) !== 0) return;
    // Ids begin at a random number of 64 bits: more than a float64 holds.
    const id = bytes.toString('latin1', start + 4, start + 12);
    const cursor = this.#cursor.at(bytes, start + HEADER_BYTES, end);
    if ((flags & FLAG.request) !== 0) this.#request(fromClient, id, flags, frame, cursor);
    else this.#response(fromClient, id, flags, frame, cursor);
  }

  #request(fromClient: boolean, id: string, flags: number, frame: Frame, cursor: ByteCursor): void {
    this.#began = true;
    const serialization = flags & FLAG.serialization;
    const detail = readCall(serialization, cursor);
    const pairing = fromClient ? this.#calls : this.#callbacks;
    const twoWay = (flags & FLAG.twoWay) !== 0;
    const exchange = twoWay ? pairing.begin(id, detail, frame) : this.#host.begin(detail, frame);
    exchange.pushed = !fromClient;
    exchange.context = this.#attachments(serialization, frame);
    if (!twoWay) this.#host.finish(exchange, undefined);
  }

  /**
   * The attachments are a map at the end, behind arguments of any kind. Its keys are looked for from there: what does not
   * have the form of the context is none.
   */
  #attachments(serialization: number, { bytes, start, end }: Frame) {
    if (serialization !== SERIALIZATION.hessian2 && serialization !== SERIALIZATION.fastjson2)
      return undefined;
    const cursor = this.#cursor;
    const body = bytes.subarray(start + HEADER_BYTES, end);
    this.#context.clear();
    for (const name of CONTEXT_HEADERS) {
      const at = body.lastIndexOf(name, undefined, 'latin1');
      if (at < 1) {
        if (name === CONTEXT_HEADERS[0]) return undefined;
        continue;
      }
      cursor.at(bytes, start + HEADER_BYTES + at - 1, end);
      if (readMapText(serialization, cursor) !== name) continue;
      const value = readMapText(serialization, cursor);
      if (value !== undefined) this.#context.put(name, value);
    }
    return this.#context.context();
  }

  #response(fromClient: boolean, id: string, flags: number, frame: Frame, cursor: ByteCursor): void {
    const exchange = (fromClient ? this.#callbacks : this.#calls).take(id);
    if (exchange === undefined) {
      this.#host.missed(this.#began ? 'not_captured' : 'joined_in_middle', 1);
      return;
    }
    const { detail } = exchange;
    detail.status = frame.bytes[frame.start + 3]!;
    if (detail.status === OK) detail.exception = readException(flags & FLAG.serialization, cursor);
    this.#host.finish(exchange, frame);
  }
}

/** Dubbo's version, path, version of the service, method, types of the arguments, arguments, attachments. */
function readCall(serialization: number, cursor: ByteCursor): DubboDetail {
  readText(serialization, cursor);
  const service = readText(serialization, cursor) ?? '';
  const version = readText(serialization, cursor) ?? '';
  let method = readText(serialization, cursor) ?? '';
  if (GENERIC.has(method)) {
    readText(serialization, cursor);
    const named = readText(serialization, cursor);
    if (cursor.ok && named !== undefined && NAME.test(named)) method = named;
  }
  const readable = NAME.test(service) && NAME.test(method);
  return {
    service: readable ? service : '',
    version: version === '0.0.0' ? '' : version,
    method: readable ? method : '',
    status: 0,
    exception: '',
  };
}

/** The class of an exception, `_OTHER` when it could not be read, '' when there is none. */
function readException(serialization: number, cursor: ByteCursor): string {
  let kind = -1;
  if (serialization === SERIALIZATION.hessian2) kind = cursor.u8() - 0x90;
  else if (serialization === SERIALIZATION.fastjson2) {
    const length = cursor.u32();
    const first = cursor.u8();
    kind = length === 1 ? first : cursor.u8();
    cursor.skip(4);
  }
  if (!cursor.ok || !THREW.has(kind)) return '';
  // A definition of a class, or a value with its type before it.
  const mark = cursor.u8();
  if (mark !== 0x43 && mark !== 0x92) return '_OTHER';
  const name = readMapText(serialization, cursor);
  return cursor.ok && name !== undefined && NAME.test(name) ? name : '_OTHER';
}
