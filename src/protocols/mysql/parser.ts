/**
 * MySQL and MariaDB of one connection: the handshake, then commands that are answered in order (sources in `packets.ts`).
 *
 *     server  greeting ──► client answer ──► … ──► OK        sequence numbers begin at 0 with each command
 *     client  command (sequence 0) ──► server  response (from 1) ──► end: the next command's
 *
 * Compressed connections (zlib) are unpacked: a compressed packet holds packets of the protocol, in any pieces.
 */
import type { WireExchange } from '../exchange.js';
import { type Frame, type FrameFormat, FrameReader } from '../frame-reader.js';
import { OrderedPairing } from '../pairing.js';
import type { MessageExtent, Moment, ParserHost, ProtocolParser } from '../protocol.js';
import { PreparedStatements, type PreparedText } from '../sql/prepared.js';
import { readSqlContext } from '../sql/sqlcommenter.js';
import { readWireContext } from '../trace-context/carriers.js';
import { readQueryAttributes } from './attributes.js';
import { Decompressor } from './compressed.js';
import { MySqlDetail } from './detail.js';
import {
  CAPABILITY,
  COMMAND,
  COMMAND_NAMES,
  HEADER_BYTES,
  LARGEST_PAYLOAD,
  payloadLength,
  readError,
  readGreeting,
  readHandshakeResponse,
  textEnd,
} from './packets.js';
import { ResponseReader, type ResponseShape } from './response.js';

/** Bytes of a packet that are kept: the largest text that is wanted. */
const KEEP_BYTES = 8192;
/** COM_STMT_EXECUTE of the statement that was prepared last (MariaDB). */
const LAST_PREPARED = 0xffff_ffff;

export class MySqlParser implements ProtocolParser, FrameFormat {
  readonly keepBytes = KEEP_BYTES;
  readonly #host: ParserHost<MySqlDetail>;
  readonly #pairing: OrderedPairing<MySqlDetail>;
  readonly #client: FrameReader;
  readonly #server: FrameReader;
  #unpackClient: Decompressor | undefined;
  #unpackServer: Decompressor | undefined;
  readonly #response = new ResponseReader();
  readonly #statements = new PreparedStatements<number>();
  #lastPrepared: PreparedText | undefined;
  #phase: 'greeting' | 'handshake' | 'commands';
  #handshake: MessageExtent | undefined;
  #system = 'mysql';
  #capabilities = 0;
  #database: string | undefined;
  /** The next packet of that direction continues a payload. */
  readonly #continues = { client: false, server: false };
  /** The command whose response is being read. */
  #answering: WireExchange<MySqlDetail> | undefined;
  #began = false;
  #pipelining = false;
  #beganHere = false;
  /** Which response comes next is not known until the client sends after the server did. */
  #astray = false;
  #serverSpoke = false;

  constructor(host: ParserHost<MySqlDetail>) {
    this.#host = host;
    this.#pairing = new OrderedPairing(host);
    this.#phase = host.facts.fromStart ? 'greeting' : 'commands';
    this.#client = new FrameReader(this, true, !host.facts.fromStart);
    this.#server = new FrameReader(this, false, !host.facts.fromStart);
  }

  read(fromClient: boolean, bytes: Buffer, start: number, end: number, at: Moment): void {
    this.#turn(fromClient);
    const unpack = fromClient ? this.#unpackClient : this.#unpackServer;
    if (unpack !== undefined) unpack.read(bytes, start, end, at);
    else (fromClient ? this.#client : this.#server).read(bytes, start, end, at);
    if (!fromClient && this.#server.lost) this.#unseen(end - start, at);
  }

  skip(fromClient: boolean, count: number, lost: boolean, at: Moment): void {
    const unpack = fromClient ? this.#unpackClient : this.#unpackServer;
    if (unpack !== undefined) unpack.skip(count, lost, at);
    else (fromClient ? this.#client : this.#server).skip(count, lost, at);
    if (!fromClient && this.#server.lost) this.#unseen(count, at);
  }

  /** The last bytes of what the server sent: does a response of which only the beginning was visible end here? */
  operationEnd(fromClient: boolean, bytes: Buffer, tail: number, at: Moment): void {
    if (fromClient || !this.#server.lost || this.#unpackServer !== undefined) return;
    if (endsRows(bytes, tail)) this.#finish({ first: at, last: at, length: 0, gap: false });
  }

  // FrameFormat

  frameLength(_fromClient: boolean, bytes: Buffer, start: number, end: number): number {
    return end - start < HEADER_BYTES ? 0 : HEADER_BYTES + payloadLength(bytes, start);
  }

  startsFrame(fromClient: boolean, bytes: Buffer, start: number, end: number): boolean {
    if (end - start < HEADER_BYTES + 1) return false;
    const length = payloadLength(bytes, start);
    if (length === 0) return false;
    if (!fromClient) return bytes[start + 3] === 1 && this.#pairing.size > 0;
    return bytes[start + 3] === 0 && isCommand(bytes[start + HEADER_BYTES]!);
  }

  badFrame(fromClient: boolean): void {
    this.#host.malformed();
    this.missedFrames(fromClient, true);
  }

  missedFrames(fromClient: boolean, lost: boolean): void {
    this.#continues[fromClient ? 'client' : 'server'] = false;
    if (fromClient) return;
    if (this.#phase !== 'commands') this.#phase = 'commands';
    const unfinished = this.#answering;
    this.#answering = undefined;
    if (this.#pipelining && this.#pairing.size > 1) {
      this.#pairing.dropAll('not_captured');
      this.#astray = true;
      return;
    }
    // One after the other: what is out of sight answered every command but the last.
    while (this.#pairing.size > 1) this.#giveUp();
    if (lost && unfinished !== undefined && this.#pairing.first === unfinished)
      unfinished.incomplete ??= 'gap';
  }

  frame(fromClient: boolean, frame: Frame): void {
    const side = fromClient ? 'client' : 'server';
    const payload = frame.length - HEADER_BYTES;
    const continued = this.#continues[side];
    this.#continues[side] = payload === LARGEST_PAYLOAD;
    if (continued) {
      const exchange = fromClient ? this.#pairing.last : this.#answering;
      if (exchange === undefined || exchange.over) return;
      if (fromClient) exchange.requestGrew(frame.last, frame.length);
      else exchange.responseGrew(frame.first, frame.last, frame.length);
    } else if (fromClient) this.#fromClient(frame);
    else this.#fromServer(frame);
  }

  #turn(fromClient: boolean): void {
    this.#beganHere = false;
    if (fromClient && this.#serverSpoke) {
      this.#astray = false;
      if (this.#server.lost && !this.#pipelining) while (this.#pairing.size > 0) this.#giveUp();
    }
    this.#serverSpoke = !fromClient;
  }

  // Handshake

  #greeting(frame: Frame): void {
    const start = frame.start + HEADER_BYTES;
    if (frame.bytes[start] === 0xff) {
      // Too many connections, a blocked host: the server refuses before it was asked.
      this.#refused(frame, frame);
      return;
    }
    const greeting = readGreeting(frame.bytes, start, frame.end);
    this.#phase = greeting === undefined ? 'commands' : 'handshake';
    if (greeting === undefined) this.#host.malformed();
    else this.#system = greeting.mariadb ? 'mariadb' : 'mysql';
  }

  #handshakeAnswer(frame: Frame): void {
    if (this.#handshake !== undefined) return;
    const start = frame.start + HEADER_BYTES;
    const answer = readHandshakeResponse(frame.bytes, start, frame.end);
    if (answer === undefined) return;
    this.#capabilities = answer.capabilities;
    if ((answer.capabilities & CAPABILITY.ssl) !== 0 && frame.length - HEADER_BYTES === 32) {
      this.#host.become('tls', frame.last.offset + 1);
      return;
    }
    this.#database = answer.database;
    this.#response.learn((answer.capabilities & CAPABILITY.deprecateEof) === 0);
    this.#handshake = {
      first: { ...frame.first },
      last: { ...frame.last },
      length: frame.length,
      gap: frame.gap,
    };
  }

  #handshakeReply(frame: Frame): void {
    const first = frame.bytes[frame.start + HEADER_BYTES];
    if (first === 0xff) this.#refused(this.#handshake ?? frame, frame);
    else if (first === 0x00) {
      this.#phase = 'commands';
      if ((this.#capabilities & CAPABILITY.compress) !== 0) this.#unpack('zlib');
      else if ((this.#capabilities & CAPABILITY.zstd) !== 0) this.#unpack('zstd');
    }
  }

  #unpack(method: 'zlib' | 'zstd'): void {
    this.#unpackClient = new Decompressor(true, method, this.#client);
    this.#unpackServer = new Decompressor(false, method, this.#server);
  }

  #refused(request: MessageExtent, frame: Frame): void {
    const detail = this.#detail('command', undefined, false);
    detail.command = 'CONNECT';
    this.#failed(detail, frame);
    this.#host.finish(this.#host.begin(detail, request), frame);
  }

  // Commands

  #fromClient(frame: Frame): void {
    const { bytes, start, end } = frame;
    const sequence = bytes[start + 3]!;
    if (this.#phase !== 'commands') {
      // A greeting that was not seen.
      if (sequence !== 0) {
        this.#handshakeAnswer(frame);
        return;
      }
      this.#phase = 'commands';
    }
    if (sequence !== 0) {
      // A file that the server asked for, or an answer in a change of user.
      const exchange = this.#pairing.first;
      if (exchange !== undefined && !exchange.over) exchange.requestGrew(frame.last, frame.length);
      return;
    }
    const at = start + HEADER_BYTES;
    const command = end > at ? bytes[at]! : -1;
    switch (command) {
      case COMMAND.query:
        this.#query(frame);
        break;
      case COMMAND.prepare:
        this.#begin(this.#detail('prepare', textOf(frame, at + 1), false), frame, 'prepared');
        break;
      case COMMAND.execute:
      case COMMAND.bulkExecute:
        this.#execute(frame);
        break;
      case COMMAND.closeStatement:
        if (end - at >= 5) this.#statements.delete(bytes.readUInt32LE(at + 1));
        break;
      case COMMAND.longData:
      case COMMAND.quit:
        break;
      default:
        this.#other(frame, command);
    }
  }

  #query(frame: Frame): void {
    const at = frame.start + HEADER_BYTES + 1;
    const attributes =
      (this.#capabilities & CAPABILITY.queryAttributes) !== 0 && this.#system === 'mysql'
        ? readQueryAttributes(frame.bytes, at, frame.end)
        : undefined;
    const statement = textOf(frame, attributes?.textStart ?? at);
    const exchange = this.#begin(this.#detail('query', statement, false), frame, 'results');
    if (attributes?.traceparent === undefined || exchange === undefined) return;
    exchange.context = readWireContext([attributes.traceparent, attributes.tracestate]) ?? exchange.context;
  }

  #execute(frame: Frame): void {
    const at = frame.start + HEADER_BYTES + 1;
    const id = frame.end - at >= 4 ? frame.bytes.readUInt32LE(at) : -1;
    const statement = id === LAST_PREPARED ? this.#lastPrepared : this.#statements.get(id);
    const detail = this.#detail('query', statement, true);
    if (statement === undefined) detail.command = 'EXECUTE';
    this.#begin(detail, frame, 'results');
  }

  #other(frame: Frame, command: number): void {
    const name = COMMAND_NAMES.get(command);
    if (name === undefined) {
      this.#host.malformed();
      return;
    }
    const at = frame.start + HEADER_BYTES + 1;
    const databaseBefore = this.#database;
    if (command === COMMAND.initDb) this.#database = frame.bytes.toString('utf8', at, frame.end);
    if (command === COMMAND.changeUser) this.#database = changedDatabase(frame, at);
    if (command === COMMAND.resetConnection || command === COMMAND.changeUser) this.#statements.clear();
    const detail = this.#detail('command', undefined, false);
    detail.command = name;
    detail.databaseBefore = databaseBefore;
    const exchange = this.#begin(detail, frame, shapeOf(command));
    if (exchange !== undefined && shapeOf(command) === 'stream') exchange.waiting = true;
  }

  #detail(
    kind: MySqlDetail['kind'],
    statement: PreparedText | undefined,
    parameterised: boolean,
  ): MySqlDetail {
    const { text, cut = false } = statement ?? {};
    const holes = parameterised && text?.includes('?') === true;
    return new MySqlDetail(this.#system, kind, text, cut, holes, this.#database);
  }

  #begin(
    detail: MySqlDetail,
    frame: MessageExtent,
    shape: ResponseShape,
  ): WireExchange<MySqlDetail> | undefined {
    this.#pipelining ||= this.#beganHere;
    this.#beganHere = true;
    this.#began = true;
    if (detail.kind === 'prepare' && detail.text !== undefined) {
      this.#lastPrepared = { text: detail.text, cut: detail.cut };
    }
    if (this.#astray) {
      this.#host.missed('not_captured', 1);
      return undefined;
    }
    detail.shape = shape;
    const exchange = this.#pairing.begin(detail, frame);
    if (detail.text !== undefined) {
      exchange.context = readSqlContext(detail.text);
      const used = USE.exec(detail.text)?.[1];
      if (used !== undefined && detail.kind === 'query') {
        detail.databaseBefore = this.#database;
        this.#database = used;
      }
    }
    return exchange;
  }

  // Responses

  #fromServer(frame: Frame): void {
    if (this.#phase === 'greeting') {
      this.#greeting(frame);
      return;
    }
    if (this.#phase === 'handshake') {
      this.#handshakeReply(frame);
      return;
    }
    const { bytes, start, end } = frame;
    const exchange = this.#pairing.first;
    if (exchange === undefined) {
      this.#stray(bytes, start);
      return;
    }
    if (this.#answering !== exchange) {
      this.#answering = exchange;
      this.#response.begin(exchange.detail.shape);
    }
    const answer = this.#response.packet(bytes, start + HEADER_BYTES, end, frame.length - HEADER_BYTES);
    if (answer === 'more') {
      if (!exchange.over) exchange.responseGrew(frame.first, frame.last, frame.length);
      return;
    }
    const { detail } = exchange;
    if (answer === 'error') {
      this.#failed(detail, frame);
      if (changesDatabase(detail)) this.#database = detail.databaseBefore;
    } else if (detail.kind === 'prepare' && this.#response.statementId >= 0 && detail.text !== undefined) {
      this.#statements.set(this.#response.statementId, { text: detail.text, cut: detail.cut });
    }
    this.#finish(frame);
  }

  /** A packet of a response without a command. */
  #stray(bytes: Buffer, start: number): void {
    if (bytes[start + 3] !== 1 || this.#astray) return;
    this.#host.missed(this.#began ? 'not_captured' : 'joined_in_middle', 1);
  }

  #failed(detail: MySqlDetail, frame: Frame): void {
    const { code, message } = readError(frame.bytes, frame.start + HEADER_BYTES, frame.end);
    detail.errorCode = code === 0 ? '_OTHER' : String(code);
    detail.errorMessage = message;
  }

  #finish(frame: MessageExtent): void {
    this.#answering = undefined;
    this.#pairing.finish(frame);
  }

  #giveUp(): void {
    const exchange = this.#pairing.shift();
    if (exchange === undefined) return;
    if (exchange === this.#answering) this.#answering = undefined;
    if (exchange.responseStart !== 0) this.#host.finish(exchange, undefined);
    else this.#host.drop(exchange, 'not_captured');
  }

  /** Bytes of a response whose packets can't be told apart. */
  #unseen(count: number, at: Moment): void {
    const exchange = this.#pairing.first;
    if (exchange !== undefined && !exchange.over && exchange.responseStart !== 0) {
      exchange.responseGrew(at, at, count);
    }
  }
}

const USE = /^\s*USE\s+`?([^\s`;]+)`?\s*;?\s*$/i;

const changesDatabase = ({ command, text }: MySqlDetail): boolean =>
  command === 'USE' || command === 'CHANGE_USER' || (text !== undefined && USE.test(text));

export const isCommand = (value: number): boolean =>
  COMMAND_NAMES.has(value) ||
  (value >= COMMAND.prepare && value <= COMMAND.closeStatement) ||
  value === COMMAND.query ||
  value === COMMAND.quit;

function shapeOf(command: number): ResponseShape {
  switch (command) {
    case COMMAND.fieldList:
    case COMMAND.fetch:
      return 'list';
    case COMMAND.statistics:
      return 'single';
    case COMMAND.changeUser:
      return 'ok';
    case COMMAND.binlogDump:
    case COMMAND.binlogDumpGtid:
      return 'stream';
    case 0x0a:
      return 'results';
    default:
      return 'ok';
  }
}

/** The text that ends a packet. */
function textOf(frame: Frame, start: number): PreparedText {
  return {
    text: frame.bytes.toString('utf8', Math.min(start, frame.end), frame.end),
    cut: frame.end - frame.start < frame.length || frame.length - HEADER_BYTES === LARGEST_PAYLOAD,
  };
}

/** COM_CHANGE_USER: user, password, database. */
function changedDatabase({ bytes, end }: Frame, start: number): string | undefined {
  const password = textEnd(bytes, start, end) + 1;
  const at = password + 1 + (bytes[password] ?? 0);
  if (at >= end) return undefined;
  const name = bytes.toString('utf8', at, textEnd(bytes, at, end));
  return name === '' ? undefined : name;
}

/**
 * Eight last bytes: an EOF packet (`… 00 00 seq fe warnings status`) or the OK that ends rows (`seq fe 00 00 status
 * warnings`), without more results to come.
 */
function endsRows(bytes: Buffer, tail: number): boolean {
  const eof = bytes[tail] === 0 && bytes[tail + 1] === 0 && bytes[tail + 3] === 0xfe;
  if (eof) return (bytes.readUInt16LE(tail + 6) & 0x8008) === 0;
  const ok = bytes[tail + 1] === 0xfe && bytes[tail + 2] === 0 && bytes[tail + 3] === 0;
  return ok && (bytes.readUInt16LE(tail + 4) & 0x8008) === 0;
}
