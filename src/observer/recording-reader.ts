/** Reads a recording (`recording-format.ts`). */
import { createReadStream } from 'node:fs';
import { createGunzip } from 'node:zlib';
import type { Origin } from '../component/signal.js';
import type { RecordedLookup } from './process/recorded.js';
import {
  FRAME,
  FRAME_HEADER_BYTES,
  MAX_FRAME_BYTES,
  RECORDING_FORMAT,
  RECORDING_VERSION,
  type RecordingFrame,
  type RecordingHeader,
} from './recording-format.js';

/** The file is no recording, or of another version. The message says which. */
export class RecordingError extends Error {
  override readonly name = 'RecordingError';
}

/**
 * The frames of a file, in order; the first one is the header. A recording that ends in the middle (its recorder was
 * killed) ends with its last complete frame. Throws `RecordingError` for a file that is no recording, and what the file
 * system throws.
 */
export async function* readRecording(path: string): AsyncGenerator<RecordingFrame> {
  const source = createReadStream(path);
  const plain = createGunzip();
  source.on('error', (error) => plain.destroy(error));
  source.pipe(plain);
  let waiting: Buffer = Buffer.alloc(0);
  let first = true;
  try {
    for await (const chunk of plain) {
      waiting = waiting.length === 0 ? (chunk as Buffer) : Buffer.concat([waiting, chunk as Buffer]);
      let at = 0;
      while (waiting.length - at >= FRAME_HEADER_BYTES) {
        const length = waiting.readUInt32LE(at);
        const kind = waiting[at + 4]!;
        if (length > MAX_FRAME_BYTES || (first && kind !== FRAME.HEADER)) {
          throw new RecordingError(`${path} is not a recording.`);
        }
        const start = at + FRAME_HEADER_BYTES;
        if (waiting.length - start < length) break;
        const frame = decodeFrame(kind, waiting.subarray(start, start + length), path);
        first = false;
        at = start + length;
        if (frame !== undefined) yield frame;
      }
      waiting = waiting.subarray(at);
    }
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'Z_BUF_ERROR' && !first) return;
    if (code?.startsWith('Z_')) throw new RecordingError(`${path} is not a recording.`, { cause: error });
    throw error;
  } finally {
    source.destroy();
    plain.destroy();
  }
  if (first) throw new RecordingError(`${path} is not a recording.`);
}

function decodeFrame(kind: number, payload: Buffer, path: string): RecordingFrame | undefined {
  try {
    switch (kind) {
      case FRAME.HEADER:
        return {
          kind: 'header',
          header: checkHeader(JSON.parse(payload.toString()) as RecordingHeader, path),
        };
      case FRAME.RECORDS:
        // A copy, which begins at a multiple of 8 of its own memory.
        return { kind: 'records', bytes: Uint8Array.from(payload) };
      case FRAME.ADVANCE:
        return { kind: 'advance', watermark: payload.readDoubleLE() };
      case FRAME.CLOCK:
        return {
          kind: 'clock',
          now: payload.readDoubleLE(),
          offset: { hi: payload.readUInt32LE(8), lo: payload.readUInt32LE(12) },
          errorNs: payload.readDoubleLE(16),
        };
      case FRAME.KERNEL_STATS:
        return {
          kind: 'kernel_stats',
          now: payload.readDoubleLE(),
          stats: Float64Array.from({ length: payload.length / 8 - 1 }, (_, i) =>
            payload.readDoubleLE(8 + 8 * i),
          ),
        };
      case FRAME.LOOKUP:
        return { kind: 'lookup', lookup: JSON.parse(payload.toString()) as RecordedLookup };
      case FRAME.QUERY: {
        const json = payload.readUInt32LE();
        return {
          kind: 'query',
          origin: JSON.parse(payload.toString('utf8', 4, 4 + json)) as Origin,
          batch: Uint8Array.from(payload.subarray(4 + json)),
        };
      }
      default:
        return undefined;
    }
  } catch (error) {
    if (error instanceof RecordingError) throw error;
    throw new RecordingError(`${path} holds a broken frame of kind ${kind}.`, { cause: error });
  }
}

function checkHeader(header: RecordingHeader, path: string): RecordingHeader {
  if (header.format !== RECORDING_FORMAT) throw new RecordingError(`${path} is not a recording.`);
  if (header.version !== RECORDING_VERSION) {
    throw new RecordingError(
      `${path} is a recording of version ${header.version}; this agent reads version ${RECORDING_VERSION}.`,
    );
  }
  return header;
}
