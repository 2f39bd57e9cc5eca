/**
 * PostgreSQL of one connection (PostgreSQL 18 documentation, chapter 54 "Frontend/Backend Protocol").
 *
 *     client  Q ──────────────► one exchange                 P B D E  E  S ─────► one for each E; the first has P B D
 *     server    T D … C  C  Z ─► ends at Z                     1 2 T D … C  C  Z ─► each ends at its C (I, s, E)
 *
 * A cycle is what one ReadyForQuery (Z) ends: a Query, a FunctionCall, or everything up to a Sync. After an error the
 * server passes over the rest of the cycle. Cycles are numbered at both ends, so that a Z ends what belongs to it even when
 * requests are pipelined. A cycle that parses and executes nothing is an exchange of its own (`prepare`).
 */
import type { WireExchange } from '../exchange.js';
import { copyMoment, createMoment, type Frame, type FrameFormat, FrameReader } from '../frame-reader.js';
import { OrderedPairing } from '../pairing.js';
import type { MessageExtent, Moment, ParserHost, ProtocolParser } from '../protocol.js';
import { NOT_RUN, SqlDetail } from '../sql/describe.js';
import { PreparedStatements, type PreparedText } from '../sql/prepared.js';
import { readSqlContext } from '../sql/sqlcommenter.js';
import {
  chain,
  code,
  errorField,
  HEADER_BYTES,
  isTransactionStatus,
  messageLength,
  START,
  startLength,
  startParameters,
  textAt,
  textEnd,
} from './messages.js';

/** What the server will answer, in order. */
class PostgresDetail extends SqlDetail {
  /** Number of the cycle that it belongs to. */
  cycle = 0;
  /** Ends with its CommandComplete, not with the cycle. */
  step = false;
}

/** Bytes of a message that are kept: the largest text that is wanted, and its header. */
const KEEP_BYTES = 8192;
const MAX_PORTALS = 256;

class Extent implements MessageExtent {
  readonly first: Moment = createMoment();
  readonly last: Moment = createMoment();
  length = 0;
  gap = false;

  add(frame: MessageExtent): void {
    if (this.length === 0) {
      copyMoment(frame.first, this.first, frame.first.offset);
      this.gap = false;
    }
    copyMoment(frame.last, this.last, frame.last.offset);
    this.length += frame.length;
    this.gap ||= frame.gap;
  }
}

export class PostgresParser implements ProtocolParser, FrameFormat {
  readonly keepBytes = KEEP_BYTES;
  readonly #host: ParserHost<SqlDetail>;
  readonly #pairing: OrderedPairing<PostgresDetail>;
  readonly #client: FrameReader;
  readonly #server: FrameReader;
  readonly #statements = new PreparedStatements<string>();
  readonly #portals = new Map<string, PreparedText>();
  /** The client's next message has no type. */
  #starting: boolean;
  /** The server's next byte answers a request for encryption. */
  #answersEncryption = false;
  #startup: Extent | undefined;
  #namespace: string | undefined;
  /** Messages of the extended protocol that lead up to the next Execute. */
  readonly #leadIn = new Extent();
  /** Parsed since the last Execute or Sync. */
  #parsed: PreparedText | undefined;
  /** Cycles that the client has ended, and those that the server has. */
  #asked = 0;
  #answered = 0;
  /** The client does not wait for an answer before it sends the next cycle. */
  #pipelining = false;
  /** The last message of the server was a ReadyForQuery. */
  #ready = false;
  #began = false;
  /** A step of the cycle has failed. */
  #failed = false;
  /** The order is lost: nothing is paired until both ends are quiet. */
  #astray = false;

  constructor(host: ParserHost<SqlDetail>) {
    this.#host = host;
    this.#pairing = new OrderedPairing(host as ParserHost<PostgresDetail>);
    this.#starting = host.facts.fromStart;
    this.#client = new FrameReader(this, true, !host.facts.fromStart);
    this.#server = new FrameReader(this, false, !host.facts.fromStart);
  }

  read(fromClient: boolean, bytes: Buffer, start: number, end: number, at: Moment): void {
    const reader = fromClient ? this.#client : this.#server;
    reader.read(bytes, start, end, at);
    if (!fromClient && this.#server.lost) this.#unseenResponse(end - start, at);
  }

  skip(fromClient: boolean, count: number, lost: boolean, at: Moment): void {
    const reader = fromClient ? this.#client : this.#server;
    reader.skip(count, lost, at);
    if (!fromClient && this.#server.lost) this.#unseenResponse(count, at);
  }

  /** The last bytes of what the server sent: a ReadyForQuery ends every response. */
  operationEnd(fromClient: boolean, bytes: Buffer, tail: number, at: Moment): void {
    if (fromClient || !this.#server.lost) return;
    const ready =
      bytes[tail + 2] === code('Z') &&
      bytes.readUInt32BE(tail + 3) === 5 &&
      isTransactionStatus(bytes[tail + 7]!);
    if (!ready) return;
    this.#failed = false;
    this.#endCycle({ first: at, last: at, length: 0, gap: false });
  }

  // FrameFormat

  frameLength(fromClient: boolean, bytes: Buffer, start: number, end: number): number {
    if (fromClient && this.#starting) return startLength(bytes, start, end);
    if (!fromClient && this.#answersEncryption) {
      const answer = bytes[start]!;
      if (answer === code('S') || answer === code('N') || answer === code('G')) return 1;
    }
    return messageLength(fromClient, bytes, start, end);
  }

  startsFrame(fromClient: boolean, bytes: Buffer, start: number, end: number): boolean {
    return chain(fromClient, bytes, start, end) >= 0 && messageLength(fromClient, bytes, start, end) > 0;
  }

  badFrame(fromClient: boolean): void {
    this.#host.malformed();
    this.missedFrames(fromClient);
  }

  missedFrames(fromClient: boolean): void {
    if (fromClient) {
      this.#leadIn.length = 0;
      this.#parsed = undefined;
    }
    // One request at a time can be told apart by the next one; several can't.
    if (this.#pipelining) {
      this.#pairing.dropAll('not_captured');
      this.#astray = true;
    } else if (!fromClient && this.#asked - this.#answered > 1) {
      this.#answered = this.#asked - 1;
      this.#giveUpBefore(this.#answered);
    }
  }

  frame(fromClient: boolean, frame: Frame): void {
    if (fromClient) this.#fromClient(frame);
    else this.#fromServer(frame);
  }

  // Requests

  #fromClient(frame: Frame): void {
    if (this.#starting) {
      this.#start(frame);
      return;
    }
    const type = String.fromCharCode(frame.bytes[frame.start]!);
    if (type !== 'd' && type !== 'c' && type !== 'f') this.#settle();
    switch (type) {
      case 'Q': {
        const { bytes, start, end, length } = frame;
        const statement = readText(bytes, start + HEADER_BYTES, end, end - start < length);
        this.#begin('query', statement, frame, false, false);
        this.#endRequest();
        break;
      }
      case 'F': {
        const exchange = this.#begin('command', undefined, frame, false, false);
        if (exchange !== undefined) exchange.detail.command = 'CALL';
        this.#endRequest();
        break;
      }
      case 'P':
        this.#parse(frame);
        break;
      case 'B':
        this.#bind(frame);
        break;
      case 'E':
        this.#execute(frame);
        break;
      case 'C':
        this.#closeNamed(frame);
        break;
      case 'D':
      case 'H':
        if (this.#leadIn.length > 0) this.#leadIn.add(frame);
        break;
      case 'S':
        this.#sync(frame);
        break;
      case 'd':
      case 'c':
      case 'f': {
        const copying = this.#pairing.first;
        if (copying !== undefined && !copying.over) copying.requestGrew(frame.last, frame.length);
        break;
      }
      default:
    }
  }

  /** The first message, and again after a refused request for encryption. */
  #start(frame: Frame): void {
    const { bytes, start, end } = frame;
    if (end - start < 8) {
      this.#starting = false;
      return;
    }
    switch (bytes.readUInt32BE(start + 4)) {
      case START.ssl:
      case START.gss:
        this.#answersEncryption = true;
        return;
      case START.cancel: {
        const detail = new PostgresDetail('command', undefined, false, false, undefined);
        detail.command = 'CANCEL';
        this.#host.finish(this.#host.begin(detail, frame), undefined);
        return;
      }
      default:
    }
    this.#starting = false;
    const parameters = startParameters(frame);
    this.#namespace = parameters.get('database') ?? parameters.get('user');
    this.#startup = new Extent();
    this.#startup.add(frame);
    this.#asked++;
  }

  #parse(frame: Frame): void {
    const { bytes, end } = frame;
    const start = frame.start + HEADER_BYTES;
    const zero = textEnd(bytes, start, end);
    this.#leadIn.add(frame);
    if (zero < 0) return;
    const name = bytes.toString('utf8', start, zero);
    const statement = readText(bytes, zero + 1, end, end - frame.start < frame.length);
    this.#statements.set(name, statement);
    this.#parsed = statement;
  }

  #bind(frame: Frame): void {
    const { bytes, end } = frame;
    const start = frame.start + HEADER_BYTES;
    this.#leadIn.add(frame);
    const zero = textEnd(bytes, start, end);
    if (zero < 0) return;
    const portal = bytes.toString('utf8', start, zero);
    const statement = this.#statements.get(textAt(bytes, zero + 1, end));
    if (statement === undefined) this.#portals.delete(portal);
    else if (this.#portals.size < MAX_PORTALS || this.#portals.has(portal))
      this.#portals.set(portal, statement);
  }

  #execute(frame: Frame): void {
    const portal = textAt(frame.bytes, frame.start + HEADER_BYTES, frame.end);
    const statement = this.#portals.get(portal);
    this.#leadIn.add(frame);
    this.#parsed = undefined;
    this.#begin('query', statement, this.#leadIn, true, true);
    this.#leadIn.length = 0;
  }

  #closeNamed(frame: Frame): void {
    const what = frame.bytes[frame.start + HEADER_BYTES];
    const name = textAt(frame.bytes, frame.start + HEADER_BYTES + 1, frame.end);
    if (what === code('S')) this.#statements.delete(name);
    else this.#portals.delete(name);
  }

  #sync(frame: Frame): void {
    if (this.#parsed !== undefined) {
      this.#leadIn.add(frame);
      this.#begin('prepare', this.#parsed, this.#leadIn, true, false);
    }
    this.#parsed = undefined;
    this.#leadIn.length = 0;
    this.#endRequest();
  }

  #begin(
    kind: SqlDetail['kind'],
    statement: PreparedText | undefined,
    extent: MessageExtent,
    extended: boolean,
    step: boolean,
  ): WireExchange<PostgresDetail> | undefined {
    this.#began = true;
    if (this.#astray) {
      this.#host.missed('not_captured', 1);
      return undefined;
    }
    const text = statement?.text;
    const parameterised = extended && text !== undefined && /\$\d/.test(text);
    const detail = new PostgresDetail(kind, text, statement?.cut ?? false, parameterised, this.#namespace);
    detail.cycle = this.#asked;
    detail.step = step;
    const exchange = this.#pairing.begin(detail, extent);
    if (text !== undefined) exchange.context = readSqlContext(text);
    return exchange;
  }

  /** The client has asked for a ReadyForQuery. */
  #endRequest(): void {
    this.#asked++;
    this.#ready = false;
  }

  /**
   * The client asks while the server is ready, or while its last response is out of sight: what was asked before and is
   * still open was answered in bytes that nobody saw.
   */
  #settle(): void {
    if (this.#astray && this.#ready) {
      this.#astray = false;
      this.#answered = this.#asked;
    }
    if (this.#pipelining || (!this.#ready && !this.#server.lost)) return;
    this.#answered = this.#asked;
    this.#failed = false;
    this.#giveUpBefore(this.#asked);
  }

  /** Ends of what belongs to cycles before `cycle` were not seen, and will not be. */
  #giveUpBefore(cycle: number): void {
    for (let first = this.#pairing.first; first !== undefined; first = this.#pairing.first) {
      if (first.detail.cycle >= cycle) return;
      this.#pairing.shift();
      if (first.responseStart !== 0) this.#host.finish(first, undefined, 'gap');
      else this.#host.drop(first, 'not_captured');
    }
  }

  // Responses

  #fromServer(frame: Frame): void {
    const { bytes, start } = frame;
    if (this.#answersEncryption && frame.length === 1) {
      this.#answersEncryption = false;
      if (bytes[start] === code('S')) this.#host.become('tls', frame.last.offset + 1);
      else if (bytes[start] === code('G')) this.#host.become('gssapi', frame.last.offset + 1);
      return;
    }
    this.#answersEncryption = false;
    const type = String.fromCharCode(bytes[start]!);
    if (type === 'Z') {
      this.#endCycle(frame);
      return;
    }
    if (isUnasked(type)) return;
    this.#ready = false;
    if (this.#startup !== undefined) {
      if (type === 'E') this.#startFailed(this.#startup, frame);
      return;
    }
    const exchange = this.#current();
    if (exchange === undefined) return;
    const { detail } = exchange;
    if (type === 'C' || type === 'I' || type === 's') {
      if (type === 'C') completed(detail, frame);
      this.#stepEnd(exchange, frame);
    } else if (type === 'E') this.#error(exchange, frame);
    else {
      // Replication: both ends copy until they part.
      if (type === 'W') exchange.waiting = true;
      if (!exchange.over) exchange.responseGrew(frame.first, frame.last, frame.length);
    }
  }

  /** The exchange that the server answers now. */
  #current(): WireExchange<PostgresDetail> | undefined {
    const first = this.#pairing.first;
    return first !== undefined && first.detail.cycle <= this.#answered ? first : undefined;
  }

  #stepEnd(exchange: WireExchange<PostgresDetail>, frame: MessageExtent): void {
    if (exchange.detail.step) this.#pairing.finish(frame);
    else if (!exchange.over) exchange.responseGrew(frame.first, frame.last, frame.length);
  }

  #error(exchange: WireExchange<PostgresDetail>, frame: Frame): void {
    const { detail } = exchange;
    if (detail.errorCode === '') {
      detail.errorCode = errorField(frame, 'C') || '_OTHER';
      detail.errorMessage = errorField(frame, 'M');
    }
    this.#failed = true;
    // FATAL and PANIC: no ReadyForQuery follows.
    const severity = errorField(frame, 'V') || errorField(frame, 'S');
    if (severity === 'FATAL' || severity === 'PANIC') this.#pairing.finish(frame);
    else this.#stepEnd(exchange, frame);
  }

  #startFailed(startup: Extent, frame: Frame): void {
    this.#startup = undefined;
    const detail = new PostgresDetail('command', undefined, false, false, this.#namespace);
    detail.command = 'CONNECT';
    detail.errorCode = errorField(frame, 'C') || '_OTHER';
    detail.errorMessage = errorField(frame, 'M');
    this.#host.finish(this.#host.begin(detail, startup), frame);
  }

  /** ReadyForQuery: everything up to this cycle has been answered. */
  #endCycle(frame: MessageExtent): void {
    this.#ready = true;
    const failed = this.#failed;
    this.#failed = false;
    if (this.#startup !== undefined) {
      this.#startup = undefined;
      this.#answered = this.#asked;
      return;
    }
    if (this.#astray) return;
    if (this.#answered >= this.#asked) {
      this.#host.missed(this.#began ? 'not_captured' : 'joined_in_middle', 1);
      return;
    }
    if (this.#asked - this.#answered > 1) this.#pipelining = true;
    for (let first = this.#current(); first !== undefined; first = this.#current()) {
      if (failed && first.detail.errorCode === '' && first.detail.step) first.detail.errorCode = NOT_RUN;
      this.#pairing.finish(frame);
    }
    this.#answered++;
  }

  /** Bytes of a response whose messages can't be told apart. */
  #unseenResponse(count: number, at: Moment): void {
    const exchange = this.#current();
    if (exchange !== undefined && !exchange.over) exchange.responseGrew(at, at, count);
  }
}

/** Notices, parameters and notifications come whenever the server likes. */
const isUnasked = (type: string): boolean => type === 'N' || type === 'S' || type === 'A';

function readText(bytes: Buffer, start: number, end: number, partly: boolean): PreparedText {
  const zero = textEnd(bytes, start, end);
  return { text: bytes.toString('utf8', start, zero < 0 ? end : zero), cut: zero < 0 && partly };
}

/** `SELECT 5`, `INSERT 0 1`, `CREATE TABLE` */
function completed(detail: SqlDetail, frame: Frame): void {
  const tag = textAt(frame.bytes, frame.start + HEADER_BYTES, frame.end);
  const count = /^([A-Z ]+?)(?: \d+)? (\d+)$/.exec(tag);
  if (detail.text === undefined && detail.command === '') detail.command = count?.[1] ?? tag;
  if (count !== null && (count[1] === 'SELECT' || count[1] === 'FETCH')) {
    detail.rows = Math.max(detail.rows, 0) + Number(count[2]);
  }
}
