/**
 * Cuts received bytes into frames (RFC 9113, section 4.1). What DATA frames carry is passed on as it arrives, without
 * waiting for the frame's end and without a copy; other frames come whole.
 *
 *     +----------------+----------+-----------+---------------+-----------+
 *     | length (u24be) | type u8  | flags u8  | stream u31be  | payload   |
 *     +----------------+----------+-----------+---------------+-----------+
 */
import {
  DEFAULT_MAX_FRAME_BYTES,
  FLAG,
  FRAME,
  FRAME_HEADER_BYTES,
  H2_ERROR,
  Http2Error,
} from './protocol.js';

export interface FrameHandler {
  /** Bytes `chunk[start, end)` of a DATA frame, without padding. The chunk belongs to the parser's caller. */
  onData(streamId: number, chunk: Buffer, start: number, end: number): void;
  /** The DATA frame is complete. `payloadBytes` is what flow control counts: padding too. */
  onDataEnd(streamId: number, payloadBytes: number, flags: number): void;
  /** Any other frame. `payload` is valid during the call only. */
  onFrame(type: number, flags: number, streamId: number, payload: Buffer): void;
}

/** Both throw what the handler throws, and `Http2Error`; the parser can't be used after that. */
export class FrameParser {
  readonly #handler: FrameHandler;
  /** A frame header, or a whole payload, that arrived in pieces. */
  readonly #partial = Buffer.allocUnsafeSlow(FRAME_HEADER_BYTES + DEFAULT_MAX_FRAME_BYTES);
  #partialBytes = 0;
  #length = 0;
  #type = 0;
  #flags = 0;
  #streamId = 0;
  /** Of the frame whose header was read: payload bytes still to come; -1 while a header is awaited. */
  #left = -1;
  /** Of a DATA frame: padding at its end; -1 until the byte that says so was read. */
  #padding = 0;

  constructor(handler: FrameHandler) {
    this.#handler = handler;
  }

  /** Reads `chunk` from `at` on. */
  push(chunk: Buffer, at = 0): void {
    let pos = at;
    for (;;) {
      if (this.#left < 0) {
        if (pos === chunk.length) return;
        pos = this.#readHeader(chunk, pos);
        if (this.#left < 0) return;
      }
      if (this.#type === FRAME.DATA) {
        pos = this.#readData(chunk, pos);
        if (this.#left > 0 || this.#padding < 0) return;
        this.#left = -1;
        this.#handler.onDataEnd(this.#streamId, this.#length, this.#flags);
      } else {
        const end = pos + this.#left;
        if (this.#partialBytes === 0 && end <= chunk.length) {
          this.#left = -1;
          this.#handler.onFrame(this.#type, this.#flags, this.#streamId, chunk.subarray(pos, end));
          pos = end;
          continue;
        }
        pos = this.#gather(chunk, pos, this.#length);
        if (this.#partialBytes < this.#length) return;
        this.#partialBytes = 0;
        this.#left = -1;
        const payload = this.#partial.subarray(0, this.#length);
        this.#handler.onFrame(this.#type, this.#flags, this.#streamId, payload);
      }
    }
  }

  #readHeader(chunk: Buffer, at: number): number {
    let source = chunk;
    let header = at;
    let pos = at + FRAME_HEADER_BYTES;
    if (this.#partialBytes > 0 || pos > chunk.length) {
      pos = this.#gather(chunk, at, FRAME_HEADER_BYTES);
      if (this.#partialBytes < FRAME_HEADER_BYTES) return pos;
      this.#partialBytes = 0;
      source = this.#partial;
      header = 0;
    }
    this.#length = (source[header]! << 16) | (source[header + 1]! << 8) | source[header + 2]!;
    this.#type = source[header + 3]!;
    this.#flags = source[header + 4]!;
    this.#streamId = source.readUInt32BE(header + 5) & 0x7fff_ffff;
    if (this.#length > DEFAULT_MAX_FRAME_BYTES) {
      throw new Http2Error(H2_ERROR.FRAME_SIZE_ERROR, `a frame of ${this.#length} bytes`);
    }
    this.#left = this.#length;
    this.#padding = this.#type === FRAME.DATA && (this.#flags & FLAG.PADDED) !== 0 ? -1 : 0;
    return pos;
  }

  #readData(chunk: Buffer, at: number): number {
    let pos = at;
    if (this.#padding < 0) {
      if (this.#left === 0) throw new Http2Error(H2_ERROR.FRAME_SIZE_ERROR, 'a padded frame without length');
      if (pos === chunk.length) return pos;
      this.#padding = chunk[pos++]!;
      this.#left--;
      if (this.#padding > this.#left)
        throw new Http2Error(H2_ERROR.PROTOCOL_ERROR, 'more padding than frame');
    }
    const available = chunk.length - pos;
    const data = Math.min(this.#left - this.#padding, available);
    if (data > 0) {
      this.#left -= data;
      this.#handler.onData(this.#streamId, chunk, pos, pos + data);
      pos += data;
    }
    if (this.#left <= this.#padding) {
      const skipped = Math.min(this.#left, chunk.length - pos);
      this.#left -= skipped;
      this.#padding = this.#left;
      pos += skipped;
    }
    return pos;
  }

  /** Adds to the partial bytes until there are `wanted`. */
  #gather(chunk: Buffer, at: number, wanted: number): number {
    const end = Math.min(chunk.length, at + wanted - this.#partialBytes);
    chunk.copy(this.#partial, this.#partialBytes, at, end);
    this.#partialBytes += end - at;
    return end;
  }
}
