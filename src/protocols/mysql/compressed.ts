/**
 * The compressed form of the MySQL protocol ("Compression" in its documentation):
 *
 *     ┌ length 3 ┬ sequence 1 ┬ length before compression 3 ┬ content …    0: the content is not compressed
 *
 * Contents are a stream of packets, in any pieces. What was not captured as a whole, is too large or is zstd is passed over:
 * its length is known.
 */
import { inflateSync } from 'node:zlib';
import { copyMoment, createMoment, type Frame, type FrameFormat, FrameReader } from '../frame-reader.js';
import type { Moment } from '../protocol.js';
import { payloadLength } from './packets.js';

const HEADER_BYTES = 7;
const KEEP_BYTES = 32 * 1024;
/** Contents that are unpacked are at most so long. */
const LONGEST = 256 * 1024;

export class Decompressor implements FrameFormat {
  readonly keepBytes = KEEP_BYTES;
  readonly #outer: FrameReader;
  readonly #inner: FrameReader;
  readonly #method: 'zlib' | 'zstd';
  readonly #moment = createMoment();

  constructor(fromClient: boolean, method: 'zlib' | 'zstd', inner: FrameReader) {
    this.#outer = new FrameReader(this, fromClient, false);
    this.#inner = inner;
    this.#method = method;
  }

  read(bytes: Buffer, start: number, end: number, at: Moment): void {
    this.#outer.read(bytes, start, end, at);
  }

  skip(count: number, lost: boolean, at: Moment): void {
    this.#outer.skip(count, lost, at);
  }

  frameLength(_fromClient: boolean, bytes: Buffer, start: number, end: number): number {
    return end - start < HEADER_BYTES ? 0 : HEADER_BYTES + payloadLength(bytes, start);
  }

  frame(_fromClient: boolean, frame: Frame): void {
    const { bytes, start, end, length } = frame;
    copyMoment(frame.last, this.#moment, frame.first.offset);
    const at = start + HEADER_BYTES;
    const content = length - HEADER_BYTES;
    const unpacked = payloadLength(bytes, start + 4);
    if (unpacked === 0) {
      const visible = Math.min(end - at, content);
      if (visible > 0) this.#inner.read(bytes, at, at + visible, this.#moment);
      if (visible < content) this.#inner.skip(content - visible, frame.gap, this.#moment);
      return;
    }
    const plain = end - start === length ? this.#inflate(bytes.subarray(at, end), unpacked) : undefined;
    if (plain === undefined) this.#inner.skip(unpacked, frame.gap, this.#moment);
    else this.#inner.read(plain, 0, plain.length, this.#moment);
  }

  badFrame(): void {
    this.#inner.skip(1, true, this.#moment);
  }

  missedFrames(_fromClient: boolean, lost: boolean): void {
    this.#inner.skip(LONGEST, lost, this.#moment);
    this.#inner.lose();
  }

  #inflate(content: Buffer, unpacked: number): Buffer | undefined {
    if (this.#method !== 'zlib' || unpacked > LONGEST) return undefined;
    try {
      const plain = inflateSync(content, { maxOutputLength: unpacked });
      return plain.length === unpacked ? plain : undefined;
    } catch {
      return undefined;
    }
  }
}
