/**
 * Snappy decompression, the block format and the framing format, with a bound on the output.
 *
 * OTLP/HTTP clients send blocks (the Go Collector detects frames too); gRPC clients send frames.
 * Sources: https://github.com/google/snappy/blob/1.2.1/format_description.txt and framing_format.txt
 */
import { crc32c } from './crc32c.js';

/** Thrown on bad input and on output larger than allowed (`tooLarge`). */
export class SnappyError extends Error {
  override readonly name = 'SnappyError';
  readonly tooLarge: boolean;

  constructor(message: string, tooLarge = false) {
    super(message);
    this.tooLarge = tooLarge;
  }
}

const corrupt = (): SnappyError => new SnappyError('snappy: corrupt input');

/** Chunk type 0xff, length 6, "sNaPpY". */
const STREAM_IDENTIFIER = Buffer.from('ff060000734e61507059', 'hex');

/** Whether `input` begins as a framed stream does. */
export const isSnappyFramed = (input: Uint8Array): boolean =>
  input.length >= STREAM_IDENTIFIER.length &&
  STREAM_IDENTIFIER.equals(input.subarray(0, STREAM_IDENTIFIER.length));

/** Decompresses one block. The block announces its size, so nothing above `maxBytes` is ever allocated. */
export function decompressSnappyBlock(input: Uint8Array, maxBytes: number): Buffer {
  const header = readLength(input);
  if (header.length > maxBytes) throw new SnappyError('snappy: decoded block is too large', true);
  const output = Buffer.allocUnsafe(header.length);
  let at = header.next;
  let end = 0;
  while (at < input.length) {
    const tag = input[at++]!;
    const kind = tag & 3;
    if (kind === 0) {
      let length = (tag >>> 2) + 1;
      if (length > 60) {
        const bytes = length - 60;
        if (at + bytes > input.length) throw corrupt();
        length = readLittleEndian(input, at, bytes) + 1;
        at += bytes;
      }
      if (length > input.length - at || length > output.length - end) throw corrupt();
      output.set(input.subarray(at, at + length), end);
      at += length;
      end += length;
      continue;
    }
    const offsetBytes = kind === 1 ? 1 : kind === 2 ? 2 : 4;
    if (at + offsetBytes > input.length) throw corrupt();
    let offset = readLittleEndian(input, at, offsetBytes);
    at += offsetBytes;
    let length = (tag >>> 2) + 1;
    if (kind === 1) {
      length = ((tag >>> 2) & 7) + 4;
      offset += (tag >>> 5) << 8;
    }
    if (offset === 0 || offset > end || length > output.length - end) throw corrupt();
    // Source and target may overlap: each byte must be written before a later one reads it.
    for (const stop = end + length; end < stop; end++) output[end] = output[end - offset]!;
  }
  if (end !== output.length) throw corrupt();
  return output;
}

/** Decompresses a framed stream and checks the CRC-32C of each chunk. */
export function decompressSnappyFrames(input: Uint8Array, maxBytes: number): Buffer {
  if (!isSnappyFramed(input)) throw corrupt();
  const chunks: Buffer[] = [];
  let total = 0;
  for (let at = 0; at < input.length; ) {
    if (at + 4 > input.length) throw corrupt();
    const type = input[at]!;
    const length = readLittleEndian(input, at + 1, 3);
    at += 4;
    if (type >= 0x02 && type <= 0x7f) throw new SnappyError('snappy: unsupported input');
    if (length > input.length - at) throw corrupt();
    const body = input.subarray(at, at + length);
    at += length;
    if (type === 0x00 || type === 0x01) {
      if (body.length < 4) throw corrupt();
      const content = body.subarray(4);
      const chunk = type === 0x00 ? decompressSnappyBlock(content, maxBytes - total) : Buffer.from(content);
      if (maskedCrc32c(chunk) !== readLittleEndian(body, 0, 4)) throw corrupt();
      total += chunk.length;
      if (total > maxBytes) throw new SnappyError('snappy: decoded stream is too large', true);
      chunks.push(chunk);
    }
    // 0x80..0xfe: skippable; 0xff: another stream identifier.
  }
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, total);
}

function readLength(input: Uint8Array): { length: number; next: number } {
  let length = 0;
  for (let at = 0; at < 5 && at < input.length; at++) {
    const byte = input[at]!;
    length += (byte & 0x7f) * 2 ** (7 * at);
    if (byte < 0x80) {
      if (length > 0xffff_ffff) throw corrupt();
      return { length, next: at + 1 };
    }
  }
  throw corrupt();
}

function readLittleEndian(input: Uint8Array, at: number, bytes: number): number {
  let value = 0;
  for (let i = bytes - 1; i >= 0; i--) value = value * 256 + input[at + i]!;
  return value;
}

/** framing_format.txt section 3: rotated, plus a constant, so that a CRC of a CRC is not weak. */
function maskedCrc32c(bytes: Uint8Array): number {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282_ead8) >>> 0;
}
