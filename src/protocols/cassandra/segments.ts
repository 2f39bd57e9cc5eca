/**
 * Version 5 puts its messages into frames once the connection is set up (native_protocol_v5.spec, section 2):
 *
 *     ┌ payload length 17 bits ┬ self-contained 1 ┬ 0 … 6 ┬ CRC24 3 ┬ payload ┬ CRC32 4         little endian
 *     ┌ length 17 ┬ length before LZ4 17 ┬ self-contained 1 ┬ 0 … 5 ┬ CRC24 3 ┬ payload ┬ CRC32 4
 *
 * A frame holds whole messages, or a part of one that is longer. The CRC24 tells the beginning of a frame from any other
 * bytes.
 */
import { copyMoment, createMoment, type Frame, type FrameFormat, FrameReader } from '../frame-reader.js';
import type { Moment } from '../protocol.js';
import { decompressLz4 } from './lz4.js';

const KEEP_BYTES = 8192;
const TRAILER_BYTES = 4;
/** Payloads are at most 128 KiB; of a compressed one so much is unpacked. */
const UNPACKED = 16 * 1024;

const CRC24_INIT = 0x87_5060;
const CRC24_POLYNOMIAL = 0x1_97_4f0b;

function crc24(bytes: Buffer, start: number, count: number): number {
  let crc = CRC24_INIT;
  for (let at = start; at < start + count; at++) {
    crc ^= bytes[at]! << 16;
    for (let bit = 0; bit < 8; bit++) {
      crc <<= 1;
      if ((crc & 0x100_0000) !== 0) crc ^= CRC24_POLYNOMIAL;
    }
  }
  return crc;
}

/** Bytes of the header at `start`; 0 when `end` comes before that is known, -1 for none. */
export function segmentHeader(bytes: Buffer, start: number, end: number, compressed: boolean): number {
  const fields = compressed ? 5 : 3;
  if (end - start < fields + 3) return 0;
  return crc24(bytes, start, fields) === bytes.readUIntLE(start + fields, 3) ? fields + 3 : -1;
}

/** Takes frames apart and gives what is in them to `inner`. */
export class SegmentReader implements FrameFormat {
  readonly keepBytes = KEEP_BYTES;
  readonly #outer: FrameReader;
  readonly #inner: FrameReader;
  readonly #compressed: boolean;
  readonly #malformed: () => void;
  readonly #moment = createMoment();

  constructor(
    fromClient: boolean,
    compressed: boolean,
    inner: FrameReader,
    midstream: boolean,
    malformed: () => void,
  ) {
    this.#outer = new FrameReader(this, fromClient, midstream);
    this.#inner = inner;
    this.#compressed = compressed;
    this.#malformed = malformed;
  }

  read(bytes: Buffer, start: number, end: number, at: Moment): void {
    this.#outer.read(bytes, start, end, at);
  }

  skip(count: number, lost: boolean, at: Moment): void {
    this.#outer.skip(count, lost, at);
  }

  frameLength(_: boolean, bytes: Buffer, start: number, end: number): number {
    const header = segmentHeader(bytes, start, end, this.#compressed);
    if (header <= 0) return header;
    return header + (bytes.readUIntLE(start, 3) & 0x1_ffff) + TRAILER_BYTES;
  }

  frame(_: boolean, frame: Frame): void {
    const { bytes, start, end } = frame;
    const header = this.#compressed ? 8 : 6;
    const length = frame.length - header - TRAILER_BYTES;
    const payload = start + header;
    const stop = Math.min(end, payload + length);
    const unpacked = this.#compressed ? Math.floor(bytes.readUIntLE(start + 2, 3) / 2) & 0x1_ffff : 0;
    const moment = this.#moment;
    copyMoment(frame.first, moment, frame.first.offset + header);
    if (unpacked === 0) {
      this.#give(bytes, payload, stop, length, frame);
      return;
    }
    const plain = decompressLz4(bytes, payload, stop, Math.min(unpacked, UNPACKED));
    this.#give(plain, 0, plain.length, unpacked, frame);
  }

  #give(bytes: Buffer, start: number, end: number, length: number, frame: Frame): void {
    const moment = this.#moment;
    if (end > start) this.#inner.read(bytes, start, end, moment);
    const rest = length - Math.max(0, end - start);
    if (rest > 0) {
      copyMoment(frame.last, moment, moment.offset + length - rest);
      this.#inner.skip(rest, frame.gap, moment);
    }
  }

  badFrame(): void {
    this.#malformed();
    this.#inner.lose();
  }

  missedFrames(): void {
    this.#inner.lose();
  }
}
