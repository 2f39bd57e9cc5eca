/** What one end of an HTTP/2 connection sends: frames in order, bodies as flow control lets them (RFC 9113, section 5.2). */
import type { Socket } from 'node:net';
import {
  DEFAULT_MAX_FRAME_BYTES,
  DEFAULT_WINDOW_BYTES,
  FLAG,
  FRAME,
  FRAME_HEADER_BYTES,
  frameOf,
  H2_ERROR,
  Http2Error,
  MAX_WINDOW_BYTES,
  writeFrameHeader,
} from './protocol.js';
import type { Http2Stream, Outgoing } from './stream.js';

/** Handed to the socket before we wait for it to be sent. */
const MAX_BUFFERED_BYTES = 1024 * 1024;
/** A response of this size goes out in one write, put together from its parts. */
const SMALL_BYTES = 4096;

export class Outbound {
  /** The peer's SETTINGS_MAX_FRAME_SIZE. */
  maxFrameBytes = DEFAULT_MAX_FRAME_BYTES;
  /** The peer wants a smaller table than ours would be: the next header block says that ours is empty. */
  announceNoTable = false;
  readonly #socket: Socket;
  readonly #onSent: (stream: Http2Stream) => void;
  /** Streams with something to send, in turn. */
  readonly #sending: Http2Stream[] = [];
  /** What the peer lets us send on all streams together. */
  #window = DEFAULT_WINDOW_BYTES;
  #blocked = false;

  /** `onSent` is told when a stream's body and trailers are with the socket. */
  constructor(socket: Socket, onSent: (stream: Http2Stream) => void) {
    this.#socket = socket;
    this.#onSent = onSent;
    socket.on('drain', () => {
      this.#blocked = false;
      this.flush();
    });
  }

  /** The peer has made its window larger. */
  grow(bytes: number): void {
    this.#window += bytes;
    if (this.#window > MAX_WINDOW_BYTES) throw new Http2Error(H2_ERROR.FLOW_CONTROL_ERROR, 'WINDOW_UPDATE');
  }

  /** A header block in as many frames as it takes. */
  headers(streamId: number, block: Buffer, endStream: boolean): void {
    this.write(this.#headerFrames(streamId, block, endStream));
  }

  /** A whole response: headers, one message and trailers. */
  response(stream: Http2Stream, headers: Buffer, body: Uint8Array, trailers: Buffer): void {
    const size = 3 * FRAME_HEADER_BYTES + headers.length + body.length + trailers.length;
    const isSmall = size <= SMALL_BYTES && !this.announceNoTable && this.#sending.length === 0;
    if (!isSmall || body.length > stream.sendWindow || body.length > this.#window) {
      this.headers(stream.id, headers, false);
      this.queue(stream, [body], trailers);
      return;
    }
    stream.sendWindow -= body.length;
    this.#window -= body.length;
    const frames = Buffer.allocUnsafe(size);
    const { id } = stream;
    let at = put(frames, 0, FRAME.HEADERS, FLAG.END_HEADERS, id, headers);
    at = put(frames, at, FRAME.DATA, 0, id, body);
    put(frames, at, FRAME.HEADERS, FLAG.END_HEADERS | FLAG.END_STREAM, id, trailers);
    this.write(frames);
    this.#onSent(stream);
  }

  /** Nothing more will be sent. */
  stop(): void {
    this.#sending.length = 0;
  }

  /** Sends a body, as far as it may go now, and the rest later. `trailers` end the stream, or the body's last frame does. */
  queue(stream: Http2Stream, pieces: readonly Uint8Array[], trailers: Buffer | undefined): void {
    const bytesLeft = pieces.reduce((sum, piece) => sum + piece.length, 0);
    stream.outgoing = { pieces, piece: 0, offset: 0, bytesLeft, trailers };
    this.#sending.push(stream);
    this.flush();
  }

  /** Sends what the windows allow and the socket takes, streams in the order in which they came. */
  flush(): void {
    if (this.#sending.length === 0 || this.#blocked) return;
    this.#socket.cork();
    const finished: Http2Stream[] = [];
    let budget = MAX_BUFFERED_BYTES;
    for (const stream of this.#sending) {
      if (budget <= 0) break;
      const { outgoing } = stream;
      if (outgoing === undefined) {
        finished.push(stream);
        continue;
      }
      const allowed = Math.min(outgoing.bytesLeft, stream.sendWindow, this.#window, budget);
      if (allowed > 0 || outgoing.bytesLeft === 0) {
        budget -= allowed;
        this.#sendData(stream, Math.max(allowed, 0));
      }
      if (outgoing.bytesLeft === 0) finished.push(stream);
    }
    this.#socket.uncork();
    // All are off the list before the first is told, because who is told may send the next.
    for (const stream of finished) {
      this.#sending.splice(this.#sending.indexOf(stream), 1);
      stream.outgoing = undefined;
    }
    for (const stream of finished) if (!stream.closed) this.#onSent(stream);
  }

  /** The next `bytes` of a stream's body in frames; its end, when that is all. */
  #sendData(stream: Http2Stream, bytes: number): void {
    const outgoing = stream.outgoing!;
    stream.sendWindow -= bytes;
    this.#window -= bytes;
    outgoing.bytesLeft -= bytes;
    const endsHere = outgoing.bytesLeft === 0 && outgoing.trailers === undefined;
    let left = bytes;
    do {
      const size = Math.min(left, this.maxFrameBytes);
      left -= size;
      const header = Buffer.allocUnsafe(FRAME_HEADER_BYTES);
      const flags = endsHere && left === 0 ? FLAG.END_STREAM : 0;
      writeFrameHeader(header, 0, size, FRAME.DATA, flags, stream.id);
      this.write(header);
      this.#writePieces(outgoing, size);
    } while (left > 0);
    if (outgoing.bytesLeft === 0 && outgoing.trailers !== undefined) {
      this.write(this.#headerFrames(stream.id, outgoing.trailers, true));
    }
  }

  #writePieces(outgoing: Outgoing, bytes: number): void {
    for (let left = bytes; left > 0; ) {
      const piece = outgoing.pieces[outgoing.piece]!;
      const size = Math.min(left, piece.length - outgoing.offset);
      if (size > 0) this.write(piece.subarray(outgoing.offset, outgoing.offset + size));
      left -= size;
      outgoing.offset += size;
      if (outgoing.offset === piece.length) {
        outgoing.piece++;
        outgoing.offset = 0;
      }
    }
  }

  /** What the peer makes us send: a peer that asks and never reads is sent away. */
  answer(frame: Buffer): void {
    if (this.#socket.writableLength > 2 * MAX_BUFFERED_BYTES) {
      throw new Http2Error(H2_ERROR.ENHANCE_YOUR_CALM, 'answers are not read');
    }
    this.write(frame);
  }

  /** Sends bytes that no window counts. */
  write(bytes: Uint8Array): void {
    if (!this.#socket.writable) return;
    if (!this.#socket.write(bytes) && this.#socket.writableLength >= MAX_BUFFERED_BYTES) this.#blocked = true;
  }

  #headerFrames(streamId: number, headers: Buffer, endStream: boolean): Buffer {
    // A change of the table's size to 0 (RFC 7541, section 6.3), which ours never exceeds.
    const block = this.announceNoTable ? Buffer.concat([Buffer.of(0x20), headers]) : headers;
    this.announceNoTable = false;
    const end = endStream ? FLAG.END_STREAM : 0;
    if (block.length <= this.maxFrameBytes) {
      return frameOf(FRAME.HEADERS, FLAG.END_HEADERS | end, streamId, block);
    }
    const frames: Buffer[] = [];
    for (let at = 0; at < block.length; at += this.maxFrameBytes) {
      const isLast = at + this.maxFrameBytes >= block.length;
      const flags = (isLast ? FLAG.END_HEADERS : 0) | (at === 0 ? end : 0);
      const type = at === 0 ? FRAME.HEADERS : FRAME.CONTINUATION;
      frames.push(frameOf(type, flags, streamId, block.subarray(at, at + this.maxFrameBytes)));
    }
    return Buffer.concat(frames);
  }
}

/** Writes a whole frame at `at`; gives its end. */
function put(
  target: Buffer,
  at: number,
  type: number,
  flags: number,
  streamId: number,
  payload: Uint8Array,
): number {
  writeFrameHeader(target, at, payload.length, type, flags, streamId);
  target.set(payload, at + FRAME_HEADER_BYTES);
  return at + FRAME_HEADER_BYTES + payload.length;
}
