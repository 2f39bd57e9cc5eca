/**
 * HTTP/2 of one connection, RFC 9113: frames of both directions, a stream is an exchange.
 *
 *     client  HEADERS (CONTINUATION) ► begin    DATA ► grows    END_STREAM
 *     server  HEADERS ► status    DATA ► grows    HEADERS (trailers)    END_STREAM or RST_STREAM ► finish
 *
 * Header blocks of a direction are decoded in order whatever their stream, since they share a table.
 */
import { WireExchange } from '../exchange.js';
import { BAD, type Frame, type FrameFormat, FrameReader, MORE } from '../frame-reader.js';
import type { HttpDetail } from '../http/describe.js';
import { IdPairing } from '../pairing.js';
import type { Moment, ParserHost, ProtocolParser } from '../protocol.js';
import { CONTEXT_HEADERS, readWireContext } from '../trace-context/carriers.js';
import { Http2Detail } from './detail.js';
import {
  contentOf,
  FLAG,
  frameLengthAt,
  HEADER_BYTES,
  isFrameHeader,
  PREFACE,
  streamAt,
  TYPE,
} from './frames.js';
import { decodeMessage, MessageCounter } from './grpc.js';
import { HpackDecoder } from './hpack.js';

/** A header block of several frames that is larger is not read. */
const LARGEST_BLOCK = 64 * 1024;
/** Bytes kept of a frame without headers: a message's prefix, an error code. */
const KEEP_DATA = HEADER_BYTES + 32;
const KEEP_HEADERS = HEADER_BYTES + 16 * 1024;

/** A header block that goes on in CONTINUATION frames. */
interface Block {
  readonly stream: number;
  readonly endStream: boolean;
  readonly type: number;
  bytes: Buffer;
  whole: boolean;
}

/** One direction: frames and the header table. */
class Direction implements FrameFormat {
  keepBytes = KEEP_DATA;
  readonly reader: FrameReader;
  readonly hpack: HpackDecoder;
  block: Block | undefined;
  /** The client's preface may come. */
  preface: boolean;
  readonly #parser: Http2Parser;
  readonly #fromClient: boolean;

  constructor(parser: Http2Parser, fromClient: boolean, fromStart: boolean) {
    this.#parser = parser;
    this.#fromClient = fromClient;
    this.preface = fromClient;
    this.reader = new FrameReader(this, fromClient, !fromStart);
    this.hpack = new HpackDecoder(!fromStart);
  }

  frameLength(_: boolean, bytes: Buffer, start: number, end: number): number {
    if (this.preface) {
      const preface = prefaceLength(bytes, start, end);
      if (preface >= 0) return preface;
      this.preface = false;
    }
    if (end - start < HEADER_BYTES) return MORE;
    if (!isFrameHeader(bytes, start)) return BAD;
    const type = bytes[start + 3]!;
    const hasHeaders = type === TYPE.headers || type === TYPE.continuation || type === TYPE.pushPromise;
    this.keepBytes = hasHeaders ? KEEP_HEADERS : KEEP_DATA;
    return HEADER_BYTES + frameLengthAt(bytes, start);
  }

  startsFrame(_: boolean, bytes: Buffer, start: number, end: number): boolean {
    return startsFrames(bytes, start, end);
  }

  frame(_: boolean, frame: Frame): void {
    if (this.preface && frame.bytes[frame.start] === 0x50 && frame.length === PREFACE.length) {
      this.preface = false;
      return;
    }
    this.#parser.frame(this.#fromClient, this, frame);
  }

  badFrame(): void {
    this.lost();
    this.#parser.malformed();
  }

  missedFrames(): void {
    this.lost();
    this.#parser.missed(this.#fromClient);
  }

  lost(): void {
    this.block = undefined;
    this.hpack.lose();
  }
}

export class Http2Parser implements ProtocolParser {
  readonly #host: ParserHost<HttpDetail>;
  readonly #streams: IdPairing<HttpDetail>;
  readonly #client: Direction;
  readonly #server: Direction;
  readonly #context: (string | undefined)[] = new Array<string | undefined>(CONTEXT_HEADERS.length);
  #lastStream = 0;

  constructor(host: ParserHost<HttpDetail>) {
    this.#host = host;
    this.#streams = new IdPairing(host);
    const { fromStart, carried } = host.facts;
    // After `h2c` both directions begin here, wherever the connection was joined.
    const upgraded = carried instanceof WireExchange;
    this.#client = new Direction(this, true, fromStart || upgraded);
    this.#server = new Direction(this, false, fromStart || upgraded);
    if (!upgraded) return;
    this.#streams.add(1, carried as WireExchange<HttpDetail>);
    this.#lastStream = 1;
  }

  read(fromClient: boolean, bytes: Buffer, start: number, end: number, at: Moment): void {
    (fromClient ? this.#client : this.#server).reader.read(bytes, start, end, at);
  }

  skip(fromClient: boolean, count: number, lost: boolean, at: Moment): void {
    (fromClient ? this.#client : this.#server).reader.skip(count, lost, at);
  }

  malformed(): void {
    this.#host.malformed();
  }

  /** Frames of a direction were not visible: what they ended is not known. */
  missed(fromClient: boolean): void {
    if (fromClient) return;
    // Streams whose response may have ended in the hole; those that go on are found again by their next frame.
    for (const exchange of this.#streams.values()) exchange.incomplete ??= 'gap';
  }

  frame(fromClient: boolean, direction: Direction, frame: Frame): void {
    const { bytes, start } = frame;
    const flags = bytes[start + 4]!;
    const stream = streamAt(bytes, start);
    switch (bytes[start + 3]) {
      case TYPE.data:
        this.#data(fromClient, frame, stream, (flags & FLAG.endStream) !== 0);
        break;
      case TYPE.headers:
      case TYPE.pushPromise:
        this.#headers(fromClient, direction, frame, stream);
        break;
      case TYPE.continuation:
        this.#continuation(fromClient, direction, frame, stream);
        break;
      case TYPE.rstStream:
        if (frame.end - start >= HEADER_BYTES + 4) {
          this.#reset(stream, bytes.readUInt32BE(start + HEADER_BYTES), frame);
        }
        break;
      default:
        break;
    }
  }

  #headers(fromClient: boolean, direction: Direction, frame: Frame, stream: number): void {
    const { bytes, start, end } = frame;
    const type = bytes[start + 3]!;
    const flags = bytes[start + 4]!;
    const content = contentOf(bytes, start, frame.length);
    if (content === undefined) {
      this.#host.malformed();
      direction.lost();
      return;
    }
    const whole = content.end <= end;
    const endStream = type === TYPE.headers && (flags & FLAG.endStream) !== 0;
    if ((flags & FLAG.endHeaders) !== 0) {
      this.#block(
        fromClient,
        direction,
        frame,
        type,
        stream,
        endStream,
        bytes,
        content.start,
        Math.min(content.end, end),
        whole,
      );
      return;
    }
    const kept = Buffer.from(bytes.subarray(content.start, Math.min(content.end, end)));
    direction.block = { stream, endStream, type, bytes: kept, whole };
  }

  #continuation(fromClient: boolean, direction: Direction, frame: Frame, stream: number): void {
    const { block } = direction;
    if (block === undefined || block.stream !== stream) {
      // Its beginning was not seen.
      direction.hpack.lose();
      return;
    }
    const from = frame.start + HEADER_BYTES;
    if (block.bytes.length + frame.length <= LARGEST_BLOCK && block.whole) {
      block.bytes = Buffer.concat([block.bytes, frame.bytes.subarray(from, frame.end)]);
      block.whole = frame.end - frame.start === frame.length;
    } else block.whole = false;
    if ((frame.bytes[frame.start + 4]! & FLAG.endHeaders) === 0) return;
    direction.block = undefined;
    const { bytes, endStream, type, whole } = block;
    this.#block(fromClient, direction, frame, type, stream, endStream, bytes, 0, bytes.length, whole);
  }

  /** A header block is complete, as far as it was visible. */
  #block(
    fromClient: boolean,
    direction: Direction,
    frame: Frame,
    type: number,
    stream: number,
    endStream: boolean,
    bytes: Buffer,
    start: number,
    end: number,
    whole: boolean,
  ): void {
    const exchange = this.#streams.get(stream);
    const isRequest =
      fromClient && type === TYPE.headers && exchange === undefined && stream > this.#lastStream;
    const detail = isRequest ? new Http2Detail() : undefined;
    const response = !fromClient && type === TYPE.headers ? exchange : undefined;
    if (isRequest) this.#context.fill(undefined);
    let interim = false;
    const good = direction.hpack.decode(bytes, start, end, (name, value) => {
      if (detail !== undefined) this.#requestField(detail, name, value);
      else if (response !== undefined && responseField(response.detail, name, value)) interim = true;
    });
    if (!whole) direction.hpack.lose();
    else if (!good) this.#host.malformed();
    if (type !== TYPE.headers) return;
    if (detail !== undefined) this.#request(detail, stream, frame, whole && good);
    else if (fromClient) this.#grow(true, stream, frame);
    else if (exchange !== undefined) {
      if (interim) return;
      this.#grow(false, stream, frame);
      if (endStream) this.#finish(stream);
    } else this.#stray(stream, endStream);
  }

  #request(detail: Http2Detail, stream: number, frame: Frame, whole: boolean): void {
    this.#lastStream = stream;
    // Not even the method is known: its response counts it.
    if (detail.method === '') return;
    const exchange = this.#streams.begin(stream, detail, frame);
    exchange.context = readWireContext(this.#context);
    if (detail.unknownFields || !whole) exchange.incomplete = 'gap';
  }

  #requestField(detail: Http2Detail, name: string | undefined, value: string | undefined): void {
    if (name === undefined || value === undefined) {
      detail.unknownFields = true;
      return;
    }
    switch (name) {
      case ':status':
        // The ends were taken for each other.
        this.#host.malformed();
        return;
      case ':method':
        detail.method = value;
        return;
      case ':path': {
        const query = value.indexOf('?');
        detail.path = query < 0 ? value : value.slice(0, query);
        detail.query = query < 0 ? undefined : value.slice(query + 1);
        return;
      }
      case ':scheme':
        detail.scheme = value;
        return;
      case ':authority':
        detail.host = value;
        return;
      case 'host':
        detail.host ??= value;
        return;
      case 'user-agent':
        detail.userAgent = value;
        return;
      case 'content-type':
        detail.grpc ||= isGrpc(value);
        return;
      default: {
        const index = CONTEXT_HEADERS.indexOf(name);
        // A context given twice is no context.
        if (index >= 0) this.#context[index] = this.#context[index] === undefined ? value : '';
      }
    }
  }

  #data(fromClient: boolean, frame: Frame, stream: number, endStream: boolean): void {
    const exchange = this.#streams.get(stream);
    if (exchange === undefined) {
      if (!fromClient) this.#stray(stream, endStream);
      return;
    }
    this.#grow(fromClient, stream, frame);
    const { detail } = exchange;
    if (detail instanceof Http2Detail) {
      if (detail.unknownFields && detail.method === 'POST') detail.grpc ||= isOneMessage(frame);
      if (detail.grpc) this.#countMessages(exchange, detail, fromClient, frame);
    }
    if (endStream && !fromClient) this.#finish(stream);
  }

  /** A call with several messages in a direction is a stream: its duration is not a latency. */
  #countMessages(exchange: WireExchange, detail: Http2Detail, fromClient: boolean, frame: Frame): void {
    const content = contentOf(frame.bytes, frame.start, frame.length);
    if (content === undefined) return;
    let counter = fromClient ? detail.requests : detail.responses;
    if (counter === undefined) {
      counter = new MessageCounter();
      if (fromClient) detail.requests = counter;
      else detail.responses = counter;
    }
    counter.data(frame.bytes, content.start, Math.min(content.end, frame.end), content.end - content.start);
    if (counter.messages > 1) exchange.waiting = true;
  }

  #grow(fromClient: boolean, stream: number, frame: Frame): void {
    const exchange = this.#streams.get(stream);
    if (exchange === undefined || exchange.over) return;
    if (frame.gap) exchange.incomplete ??= 'gap';
    if (fromClient) exchange.requestGrew(frame.last, frame.length);
    else exchange.responseGrew(frame.first, frame.last, frame.length);
  }

  #reset(stream: number, code: number, frame: Frame): void {
    const exchange = this.#streams.take(stream);
    if (exchange === undefined) return;
    const { detail } = exchange;
    // NO_ERROR after a whole response asks the client not to send the rest of its request (RFC 9113 section 8.1).
    if (detail instanceof Http2Detail && code !== 0) detail.resetCode = code;
    this.#host.finish(exchange, frame);
  }

  #finish(stream: number): void {
    const exchange = this.#streams.take(stream);
    if (exchange !== undefined) this.#host.finish(exchange, undefined);
  }

  /** A response whose request was not seen. Streams of the server (pushed) are not requests. */
  #stray(stream: number, endStream: boolean): void {
    if (!endStream || stream % 2 === 0) return;
    this.#host.missed(
      stream > this.#lastStream || this.#lastStream === 0 ? 'joined_in_middle' : 'not_captured',
      1,
    );
  }
}

/** Takes a field of a response or its trailers; true when it says that the response is an interim one. */
function responseField(detail: HttpDetail, name: string | undefined, value: string | undefined): boolean {
  if (name === undefined || value === undefined) return false;
  if (name === ':status') {
    const status = Number(value);
    if (status >= 100 && status < 200) return true;
    if (status >= 200 && status <= 999) detail.statusCode = status;
    return false;
  }
  if (!(detail instanceof Http2Detail)) return false;
  if (name === 'grpc-status') {
    detail.grpc = true;
    if (/^\d{1,3}$/.test(value)) detail.grpcStatus = Number(value);
  } else if (name === 'grpc-message') detail.grpcMessage = decodeMessage(value);
  else if (name === 'content-type') detail.grpc ||= isGrpc(value);
  return false;
}

/** Is the frame's content one gRPC message? Tells calls whose content type is an entry of a table that is not known. */
function isOneMessage({ bytes, start, end, length }: Frame): boolean {
  const content = contentOf(bytes, start, length);
  if (content === undefined || content.start + 5 > end || bytes[content.start]! > 1) return false;
  return bytes.readUInt32BE(content.start + 1) + 5 === content.end - content.start;
}

const isGrpc = (contentType: string): boolean =>
  contentType === 'application/grpc' || /^application\/grpc[+;]/.test(contentType);

/** Length of the preface at `start`, MORE when it may become one, -1 when it is none. */
export function prefaceLength(bytes: Buffer, start: number, end: number): number {
  const length = Math.min(PREFACE.length, end - start);
  for (let i = 0; i < length; i++) if (bytes[start + i] !== PREFACE[i]) return BAD;
  return length === PREFACE.length ? length : MORE;
}

/** Do frames begin here? The first one is checked, and what follows it where that is visible. */
export function startsFrames(bytes: Buffer, start: number, end: number): boolean {
  if (prefaceLength(bytes, start, end) === PREFACE.length) return true;
  if (end - start < HEADER_BYTES || !isFrameHeader(bytes, start)) return false;
  const next = start + HEADER_BYTES + frameLengthAt(bytes, start);
  return next + HEADER_BYTES > end || isFrameHeader(bytes, next);
}
