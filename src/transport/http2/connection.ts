/**
 * One HTTP/2 connection, either end of it, for unary calls: RFC 9113 without server push and priorities.
 *
 * `node:http2` has a stream object with events, timers and its own buffers for each call, and one chunk for each DATA frame
 * of 16 KiB; for OTLP, where a call is one message each way, that was more work than everything the pipeline does with the
 * message (docs/decisions/0009). Here received bytes go from the socket's chunk to the call's own buffer, and what is
 * sent goes to the socket in the pieces in which it came.
 */
import type { Socket } from 'node:net';
import { type FrameHandler, FrameParser } from './frame-parser.js';
import { HeaderBlocks } from './header-blocks.js';
import { type DecodedHeaders, HpackDecoder } from './hpack-decoder.js';
import { Nuisance } from './nuisance.js';
import { Outbound } from './outbound.js';
import {
  DEFAULT_MAX_FRAME_BYTES,
  DEFAULT_WINDOW_BYTES,
  FLAG,
  FRAME,
  frameOf,
  H2_ERROR,
  Http2Error,
  MAX_WINDOW_BYTES,
  PREFACE,
  SETTING,
} from './protocol.js';
import { Http2Stream, type StreamListener } from './stream.js';

export interface Http2Options {
  readonly role: 'client' | 'server';
  /** What the peer may send before it is read, on one stream and on all together. */
  readonly streamWindowBytes: number;
  readonly connectionWindowBytes: number;
  /** Of the peer's streams; a client's is 0. */
  readonly maxConcurrentStreams: number;
  readonly events: Http2Events;
}

export interface Http2Events {
  /** Servers only: a request. Gives the listener for the rest of it; `stream` may be answered at once. */
  onRequest?(stream: Http2Stream, decoded: DecodedHeaders): StreamListener;
  /** The peer sent a PING, which has been answered. */
  onPing?(): void;
  /** Clients only: room for another stream, or the first SETTINGS. */
  onRoom?(): void;
  /** The peer will not take new streams. */
  onGoaway?(): void;
  /** Something broke, on either side; `onClose` follows. */
  onError(error: Error): void;
  /** The connection is gone, and so are its streams. */
  onClose(): void;
}

/** All headers of a message together, encoded and decoded. */
const MAX_HEADER_BYTES = 65_536;
const MAX_STREAM_ID = 0x7fff_ffff;
/** How long a peer has to take our last words. */
const LINGER_MS = 1000;
const NO_BYTES = Buffer.alloc(0);

/** Code of `onClose` for streams that the peer did not look at, so that they may be sent elsewhere. */
export const UNPROCESSED = H2_ERROR.REFUSED_STREAM;
/** Code of `onClose` for streams that were cut off with their connection; no RST_STREAM has it. */
export const CONNECTION_LOST = -1;

export class Http2Connection implements FrameHandler {
  readonly socket: Socket;
  readonly #options: Http2Options;
  readonly #isServer: boolean;
  readonly #streams = new Map<number, Http2Stream>();
  readonly #parser = new FrameParser(this);
  readonly #blocks = new HeaderBlocks(MAX_HEADER_BYTES);
  readonly #decoder = new HpackDecoder(MAX_HEADER_BYTES);
  readonly #nuisance = new Nuisance();
  readonly #pongs: (() => void)[] = [];
  readonly #out: Outbound;
  #prefaceBytes: number;
  #sawSettings = false;
  #lastStreamId = 0;
  #nextStreamId = 1;
  #receiveWindow: number;
  #peerStreamWindow = DEFAULT_WINDOW_BYTES;
  #peerMaxStreams = Number.POSITIVE_INFINITY;
  #goingAway = false;
  #peerGoesAway = false;
  #dead = false;

  /** Takes over a connected socket. Sends the preface and settings at once. */
  constructor(socket: Socket, options: Http2Options) {
    this.socket = socket;
    this.#options = options;
    this.#isServer = options.role === 'server';
    this.#prefaceBytes = this.#isServer ? 0 : PREFACE.length;
    this.#receiveWindow = options.connectionWindowBytes;
    this.#out = new Outbound(socket, (stream) => {
      if (!stream.closed) this.#endLocal(stream);
    });
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.#onChunk(chunk));
    socket.on('error', (error) => {
      if (!this.#dead) options.events.onError(error);
    });
    socket.on('end', () => this.destroy());
    socket.on('close', () => this.destroy());
    this.#out.write(this.#opening());
  }

  get openStreams(): number {
    return this.#streams.size;
  }

  /** No new streams: one side said GOAWAY, or the connection is gone. */
  get closed(): boolean {
    return this.#goingAway || this.#peerGoesAway || this.#dead;
  }

  /** Whether the peer takes another stream now. Not before its SETTINGS: until then it may not be HTTP/2 at all. */
  get hasRoom(): boolean {
    return this.#sawSettings && !this.closed && this.#streams.size < this.#peerMaxStreams;
  }

  /** Clients only, and only when `hasRoom`: sends a request with a body of `pieces`. */
  request(headers: Buffer, pieces: readonly Uint8Array[], listener: StreamListener): Http2Stream {
    const stream = new Http2Stream(
      this.#nextStreamId,
      listener,
      this.#peerStreamWindow,
      this.#options.streamWindowBytes,
    );
    this.#nextStreamId += 2;
    // Stream numbers end some day (section 5.1.1); the next call goes on a new connection.
    if (this.#nextStreamId > MAX_STREAM_ID) this.#goingAway = true;
    this.#streams.set(stream.id, stream);
    this.#out.headers(stream.id, headers, false);
    this.#out.queue(stream, pieces, undefined);
    return stream;
  }

  /** Servers: a whole response of headers, one message and trailers. */
  respond(stream: Http2Stream, headers: Buffer, body: Uint8Array, trailers: Buffer): void {
    if (stream.closed || stream.localEnded) return;
    this.#out.response(stream, headers, body, trailers);
  }

  /** Servers: a response that is only headers. The rest of the request is not wanted. */
  respondHeaders(stream: Http2Stream, headers: Buffer): void {
    if (stream.closed || stream.localEnded) return;
    this.#out.headers(stream.id, headers, true);
    stream.localEnded = true;
    if (stream.remoteEnded) this.#remove(stream, undefined);
    else this.reset(stream, H2_ERROR.NO_ERROR);
  }

  /** Ends a stream at once; `onClose` is told the code. */
  reset(stream: Http2Stream, code: number): void {
    if (stream.closed) return;
    this.#out.write(frameOf(FRAME.RST_STREAM, 0, stream.id, u32(code)));
    this.#remove(stream, code);
  }

  /** Calls `pong` when the peer has answered. */
  ping(pong: () => void): void {
    if (this.#dead) return;
    this.#pongs.push(pong);
    this.#out.write(frameOf(FRAME.PING, 0, 0, Buffer.alloc(8)));
  }

  /** Takes no new streams, lets the running ones end, and closes then. */
  close(): void {
    if (this.#goingAway || this.#dead) return;
    this.#goingAway = true;
    this.#sayGoaway(H2_ERROR.NO_ERROR, '');
    this.#endWhenIdle();
  }

  /** Ends the connection with a reason for the peer. */
  abort(code: number, text: string): void {
    if (this.#dead) return;
    this.#sayGoaway(code, text);
    this.#endSocket();
    this.destroy(false);
  }

  /** Ends the connection now. Streams that run are closed as cancelled. */
  destroy(withSocket = true): void {
    if (withSocket) this.socket.destroy();
    if (this.#dead) return;
    this.#dead = true;
    for (const stream of [...this.#streams.values()]) this.#remove(stream, CONNECTION_LOST);
    this.#out.stop();
    this.#options.events.onClose();
  }

  // --- receiving ---

  #onChunk(chunk: Buffer): void {
    if (this.#dead) return;
    try {
      let at = 0;
      if (this.#prefaceBytes < PREFACE.length) {
        at = this.#readPreface(chunk);
        if (this.#prefaceBytes < PREFACE.length) return;
      }
      this.#parser.push(chunk, at);
    } catch (error) {
      if (this.#dead) return;
      this.#options.events.onError(error as Error);
      const known = error instanceof Http2Error;
      this.abort(known ? error.code : H2_ERROR.INTERNAL_ERROR, known ? error.message : '');
    }
  }

  #readPreface(chunk: Buffer): number {
    const count = Math.min(chunk.length, PREFACE.length - this.#prefaceBytes);
    if (PREFACE.compare(chunk, 0, count, this.#prefaceBytes, this.#prefaceBytes + count) !== 0) {
      throw new Http2Error(H2_ERROR.PROTOCOL_ERROR, 'Protocol error: the peer does not speak HTTP/2');
    }
    this.#prefaceBytes += count;
    return count;
  }

  onData(streamId: number, chunk: Buffer, start: number, end: number): void {
    const stream = this.#streams.get(streamId);
    if (stream === undefined || stream.remoteEnded) return;
    stream.listener.onData(chunk, start, end);
  }

  onDataEnd(streamId: number, payloadBytes: number, flags: number): void {
    if (this.#dead) return;
    if (this.#blocks.isOpen || !this.#sawSettings) throw protocolError('DATA out of place');
    if (payloadBytes > this.#receiveWindow)
      throw new Http2Error(H2_ERROR.FLOW_CONTROL_ERROR, 'too much DATA');
    this.#receiveWindow -= payloadBytes;
    const window = this.#options.connectionWindowBytes;
    if (this.#receiveWindow < window / 2) {
      this.#out.write(frameOf(FRAME.WINDOW_UPDATE, 0, 0, u32(window - this.#receiveWindow)));
      this.#receiveWindow = window;
    }
    const isLast = (flags & FLAG.END_STREAM) !== 0;
    if (payloadBytes === 0 && !isLast) this.#spend();
    const stream = this.#streams.get(streamId);
    if (stream === undefined) {
      if (this.#isIdle(streamId)) throw protocolError('DATA on a stream that was never opened');
      return;
    }
    if (stream.remoteEnded) {
      this.reset(stream, H2_ERROR.STREAM_CLOSED);
      return;
    }
    if (payloadBytes > stream.receiveWindow) {
      this.reset(stream, H2_ERROR.FLOW_CONTROL_ERROR);
      return;
    }
    stream.receiveWindow -= payloadBytes;
    if (isLast) {
      this.#endRemote(stream);
      return;
    }
    const { streamWindowBytes } = this.#options;
    if (stream.receiveWindow < streamWindowBytes / 2) {
      this.#out.write(
        frameOf(FRAME.WINDOW_UPDATE, 0, streamId, u32(streamWindowBytes - stream.receiveWindow)),
      );
      stream.receiveWindow = streamWindowBytes;
    }
  }

  onFrame(type: number, flags: number, streamId: number, payload: Buffer): void {
    if (this.#dead) return;
    if (!this.#sawSettings && type !== FRAME.SETTINGS) throw protocolError('no SETTINGS first');
    if (this.#blocks.isOpen && type !== FRAME.CONTINUATION) throw protocolError('headers were cut short');
    switch (type) {
      case FRAME.HEADERS:
      case FRAME.CONTINUATION: {
        const block = this.#blocks.push(type, flags, streamId, payload);
        if (block !== undefined) this.#onBlock(block.flags, streamId, block.bytes);
        break;
      }
      case FRAME.PRIORITY:
        if (streamId === 0) throw protocolError('PRIORITY without a stream');
        this.#spend();
        break;
      case FRAME.RST_STREAM:
        this.#onReset(streamId, payload);
        break;
      case FRAME.SETTINGS:
        this.#onSettings(flags, streamId, payload);
        break;
      case FRAME.PUSH_PROMISE:
        throw protocolError('PUSH_PROMISE is switched off');
      case FRAME.PING:
        this.#onPing(flags, streamId, payload);
        break;
      case FRAME.GOAWAY:
        this.#onGoaway(streamId, payload);
        break;
      case FRAME.WINDOW_UPDATE:
        this.#onWindowUpdate(streamId, payload);
        break;
      default:
      // Unknown types are ignored (section 4.1).
    }
  }

  #onBlock(flags: number, streamId: number, block: Buffer): void {
    // Always, even when nobody wants it: later blocks depend on it.
    const decoded = this.#decoder.decode(block);
    const isLast = (flags & FLAG.END_STREAM) !== 0;
    const stream = this.#streams.get(streamId);
    if (stream !== undefined) {
      if (stream.remoteEnded) {
        this.reset(stream, H2_ERROR.STREAM_CLOSED);
        return;
      }
      if (decoded.problem !== undefined || (this.#isServer && !isLast)) {
        this.reset(stream, H2_ERROR.PROTOCOL_ERROR);
        return;
      }
      stream.listener.onHeaders?.(decoded);
      if (isLast) this.#endRemote(stream);
      return;
    }
    if (!this.#isServer) {
      if (this.#isIdle(streamId)) throw protocolError('HEADERS on a stream that was never opened');
      return;
    }
    // Trailers of a request that has its answer already.
    if (streamId <= this.#lastStreamId) return;
    if (streamId % 2 === 0) throw protocolError('a client opened an even stream');
    if (this.#goingAway) return;
    this.#lastStreamId = streamId;
    this.#open(streamId, decoded, isLast);
  }

  #open(id: number, decoded: DecodedHeaders, isLast: boolean): void {
    const stream = new Http2Stream(id, NOBODY, this.#peerStreamWindow, this.#options.streamWindowBytes);
    const { headers, problem } = decoded;
    const isComplete = headers[':method'] !== undefined && headers[':scheme'] !== undefined;
    if (this.#streams.size >= this.#options.maxConcurrentStreams) {
      this.reset(stream, H2_ERROR.REFUSED_STREAM);
      return;
    }
    if (problem !== undefined || !isComplete || headers[':path'] === undefined) {
      this.reset(stream, H2_ERROR.PROTOCOL_ERROR);
      return;
    }
    this.#streams.set(id, stream);
    const listener = this.#options.events.onRequest?.(stream, decoded);
    if (listener !== undefined) stream.listener = listener;
    if (stream.closed) stream.listener.onClose(undefined);
    else if (isLast) this.#endRemote(stream);
  }

  #onReset(streamId: number, payload: Buffer): void {
    if (payload.length !== 4) throw new Http2Error(H2_ERROR.FRAME_SIZE_ERROR, 'RST_STREAM');
    if (this.#isIdle(streamId)) throw protocolError('RST_STREAM on a stream that was never opened');
    this.#spend();
    const stream = this.#streams.get(streamId);
    if (stream !== undefined) this.#remove(stream, payload.readUInt32BE(0));
  }

  #onSettings(flags: number, streamId: number, payload: Buffer): void {
    if (streamId !== 0) throw protocolError('SETTINGS of a stream');
    const isAck = (flags & FLAG.ACK) !== 0;
    if (payload.length % 6 !== 0 || (isAck && payload.length > 0)) {
      throw new Http2Error(H2_ERROR.FRAME_SIZE_ERROR, 'SETTINGS');
    }
    if (isAck) return;
    if (this.#sawSettings) this.#spend();
    this.#sawSettings = true;
    for (let at = 0; at < payload.length; at += 6) {
      this.#applySetting(payload.readUInt16BE(at), payload.readUInt32BE(at + 2));
    }
    this.#out.answer(frameOf(FRAME.SETTINGS, FLAG.ACK, 0, NO_BYTES));
    this.#out.flush();
    this.#options.events.onRoom?.();
  }

  #applySetting(setting: number, value: number): void {
    switch (setting) {
      case SETTING.HEADER_TABLE_SIZE:
        if (value < 4096) this.#out.announceNoTable = true;
        return;
      case SETTING.ENABLE_PUSH:
        if (value > 1) throw protocolError('ENABLE_PUSH');
        return;
      case SETTING.MAX_CONCURRENT_STREAMS:
        this.#peerMaxStreams = value;
        return;
      case SETTING.INITIAL_WINDOW_SIZE: {
        if (value > MAX_WINDOW_BYTES)
          throw new Http2Error(H2_ERROR.FLOW_CONTROL_ERROR, 'INITIAL_WINDOW_SIZE');
        const change = value - this.#peerStreamWindow;
        this.#peerStreamWindow = value;
        for (const stream of this.#streams.values()) {
          stream.sendWindow += change;
          if (stream.sendWindow > MAX_WINDOW_BYTES) {
            throw new Http2Error(H2_ERROR.FLOW_CONTROL_ERROR, 'INITIAL_WINDOW_SIZE');
          }
        }
        return;
      }
      case SETTING.MAX_FRAME_SIZE:
        if (value < DEFAULT_MAX_FRAME_BYTES || value > 0xff_ffff) throw protocolError('MAX_FRAME_SIZE');
        this.#out.maxFrameBytes = value;
        return;
      default:
    }
  }

  #onPing(flags: number, streamId: number, payload: Buffer): void {
    if (streamId !== 0) throw protocolError('PING of a stream');
    if (payload.length !== 8) throw new Http2Error(H2_ERROR.FRAME_SIZE_ERROR, 'PING');
    if ((flags & FLAG.ACK) !== 0) {
      this.#pongs.shift()?.();
      return;
    }
    this.#out.answer(frameOf(FRAME.PING, FLAG.ACK, 0, payload));
    this.#options.events.onPing?.();
  }

  #onGoaway(streamId: number, payload: Buffer): void {
    if (streamId !== 0) throw protocolError('GOAWAY of a stream');
    if (payload.length < 8) throw new Http2Error(H2_ERROR.FRAME_SIZE_ERROR, 'GOAWAY');
    this.#peerGoesAway = true;
    this.#options.events.onGoaway?.();
    if (!this.#isServer) {
      const last = payload.readUInt32BE(0) & 0x7fff_ffff;
      for (const stream of [...this.#streams.values()]) {
        if (stream.id > last) this.#remove(stream, UNPROCESSED);
      }
    }
    this.#endWhenIdle();
  }

  #onWindowUpdate(streamId: number, payload: Buffer): void {
    if (payload.length !== 4) throw new Http2Error(H2_ERROR.FRAME_SIZE_ERROR, 'WINDOW_UPDATE');
    const increment = payload.readUInt32BE(0) & 0x7fff_ffff;
    if (increment === 0) throw protocolError('WINDOW_UPDATE of nothing');
    if (streamId === 0) {
      this.#out.grow(increment);
    } else {
      if (this.#isIdle(streamId)) throw protocolError('WINDOW_UPDATE on a stream that was never opened');
      const stream = this.#streams.get(streamId);
      if (stream === undefined) return;
      stream.sendWindow += increment;
      if (stream.sendWindow > MAX_WINDOW_BYTES) {
        this.reset(stream, H2_ERROR.FLOW_CONTROL_ERROR);
        return;
      }
    }
    this.#out.flush();
  }

  /** Never opened by the side whose turn it is: clients open odd streams, servers none. */
  #isIdle(id: number): boolean {
    if (id % 2 === 0) return true;
    return this.#isServer ? id > this.#lastStreamId : id >= this.#nextStreamId;
  }

  #spend(): void {
    if (!this.#nuisance.spend()) throw new Http2Error(H2_ERROR.ENHANCE_YOUR_CALM, 'too many idle frames');
  }

  #endRemote(stream: Http2Stream): void {
    stream.remoteEnded = true;
    stream.listener.onEnd();
    if (stream.localEnded && !stream.closed) this.#remove(stream, undefined);
  }

  // --- sending ---

  #opening(): Buffer {
    const { streamWindowBytes, connectionWindowBytes, maxConcurrentStreams } = this.#options;
    const settings: [number, number][] = [
      [SETTING.INITIAL_WINDOW_SIZE, streamWindowBytes],
      this.#isServer ? [SETTING.MAX_CONCURRENT_STREAMS, maxConcurrentStreams] : [SETTING.ENABLE_PUSH, 0],
      [SETTING.MAX_HEADER_LIST_SIZE, MAX_HEADER_BYTES],
    ];
    const payload = Buffer.alloc(6 * settings.length);
    for (const [index, [setting, value]] of settings.entries()) {
      payload.writeUInt16BE(setting, 6 * index);
      payload.writeUInt32BE(value, 6 * index + 2);
    }
    return Buffer.concat([
      this.#isServer ? NO_BYTES : PREFACE,
      frameOf(FRAME.SETTINGS, 0, 0, payload),
      connectionWindowBytes > DEFAULT_WINDOW_BYTES
        ? frameOf(FRAME.WINDOW_UPDATE, 0, 0, u32(connectionWindowBytes - DEFAULT_WINDOW_BYTES))
        : NO_BYTES,
    ]);
  }

  #endLocal(stream: Http2Stream): void {
    stream.localEnded = true;
    if (stream.remoteEnded && !stream.closed) this.#remove(stream, undefined);
  }

  /** `code` is undefined when the stream ended as it should. */
  #remove(stream: Http2Stream, code: number | undefined): void {
    if (stream.closed) return;
    stream.closed = true;
    stream.outgoing = undefined;
    if (this.#streams.delete(stream.id)) stream.listener.onClose(code);
    if (this.#dead) return;
    this.#endWhenIdle();
    this.#options.events.onRoom?.();
  }

  #endWhenIdle(): void {
    if (this.#dead || this.#streams.size > 0 || !(this.#goingAway || this.#peerGoesAway)) return;
    this.#endSocket();
    this.destroy(false);
  }

  /** Closes when the peer has got everything, or does not take it. */
  #endSocket(): void {
    this.socket.setTimeout(LINGER_MS, () => this.socket.destroy());
    this.socket.destroySoon();
  }

  #sayGoaway(code: number, text: string): void {
    this.#out.write(
      frameOf(FRAME.GOAWAY, 0, 0, Buffer.concat([u32(this.#lastStreamId), u32(code), Buffer.from(text)])),
    );
  }
}

function u32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

const protocolError = (what: string): Http2Error => new Http2Error(H2_ERROR.PROTOCOL_ERROR, what);

/** Until a request has its listener. */
const NOBODY: StreamListener = { onData() {}, onEnd() {}, onClose() {} };
