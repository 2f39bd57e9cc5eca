/** Writes a recording (`recording-format.ts`) to a file while the observer runs. */
import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import { createGzip, type Gzip } from 'node:zlib';
import type { Origin } from '../component/signal.js';
import type { Logger } from '../telemetry/logger.js';
import type { UnixNs } from './join-types.js';
import type { RecordedLookup } from './process/recorded.js';
import {
  FRAME,
  FRAME_HEADER_BYTES,
  MAX_FRAME_BYTES,
  type RecordingHeader,
  type RecordingSink,
} from './recording-format.js';
import { withoutHostName } from './recording-redaction.js';
import type { MonoNs } from './types.js';

/** Bytes that may wait for a slow disk; above it the recording ends, since the observer never waits. */
const MAX_WAITING_BYTES = 64 * 1024 * 1024;

export interface RecordingOptions {
  readonly path: string;
  /** Size of the file after which the recording ends. */
  readonly maxBytes: number;
  /** Replaced by something of the same length in what SDKs sent; '' for nothing. */
  readonly hostName: string;
}

export class RecordingWriter implements RecordingSink {
  readonly #options: RecordingOptions;
  readonly #log: Logger;
  readonly #gzip: Gzip;
  readonly #written: Promise<void>;
  readonly #file: { readonly bytesWritten: number };
  #open = true;

  /** Opens the file; errors of the file end the recording with a log line. */
  constructor(options: RecordingOptions, header: RecordingHeader, log: Logger) {
    this.#options = options;
    this.#log = log;
    this.#gzip = createGzip({ level: 3 });
    const file = createWriteStream(options.path, { mode: 0o600 });
    this.#file = file;
    this.#written = finished(this.#gzip.pipe(file));
    const failed = (error: Error) => {
      if (this.#open)
        this.#log.error('The recording ended: the file cannot be written.', {
          path: options.path,
          error: error.message,
        });
      this.#open = false;
    };
    this.#written.catch(failed);
    this.#gzip.on('error', failed);
    this.#frame(FRAME.HEADER, Buffer.from(JSON.stringify(header)));
  }

  records(bytes: Uint8Array, length: number): void {
    // Compression runs on another thread: it gets its own copy.
    this.#frame(FRAME.RECORDS, Buffer.from(bytes.subarray(0, length)));
  }

  advance(watermark: MonoNs): void {
    const payload = Buffer.alloc(8);
    payload.writeDoubleLE(watermark);
    this.#frame(FRAME.ADVANCE, payload);
  }

  clock(now: MonoNs, offset: UnixNs, errorNs: number): void {
    const payload = Buffer.alloc(24);
    payload.writeDoubleLE(now);
    payload.writeUInt32LE(offset.hi, 8);
    payload.writeUInt32LE(offset.lo, 12);
    payload.writeDoubleLE(errorNs, 16);
    this.#frame(FRAME.CLOCK, payload);
  }

  kernelStats(now: MonoNs, stats: Float64Array): void {
    const payload = Buffer.alloc(8 + 8 * stats.length);
    payload.writeDoubleLE(now);
    stats.forEach((value, i) => {
      payload.writeDoubleLE(value, 8 + 8 * i);
    });
    this.#frame(FRAME.KERNEL_STATS, payload);
  }

  query(batch: Uint8Array, origin: Origin): void {
    const json = Buffer.from(JSON.stringify(origin));
    const payload = Buffer.alloc(4 + json.length + batch.length);
    payload.writeUInt32LE(json.length);
    json.copy(payload, 4);
    payload.set(batch, 4 + json.length);
    withoutHostName(payload, 4 + json.length, this.#options.hostName);
    this.#frame(FRAME.QUERY, payload);
  }

  lookup(lookup: RecordedLookup): void {
    const redacted =
      lookup.kind === 'process' && lookup.process.resourceAttributes['host.name'] !== undefined
        ? {
            ...lookup,
            process: {
              ...lookup.process,
              resourceAttributes: { ...lookup.process.resourceAttributes, 'host.name': 'localhost' },
            },
          }
        : lookup;
    this.#frame(FRAME.LOOKUP, Buffer.from(JSON.stringify(redacted)));
  }

  /** Completes the file. */
  async close(): Promise<void> {
    this.#open = false;
    this.#gzip.end();
    await this.#written.catch(() => {});
  }

  #frame(kind: number, payload: Buffer): void {
    if (!this.#open || payload.length > MAX_FRAME_BYTES) return;
    const isFull = this.#file.bytesWritten >= this.#options.maxBytes;
    if (isFull || this.#gzip.writableLength > MAX_WAITING_BYTES) {
      this.#stop(isFull ? 'it has reached its largest size' : 'the disk is too slow');
      return;
    }
    const head = Buffer.alloc(FRAME_HEADER_BYTES);
    head.writeUInt32LE(payload.length);
    head[4] = kind;
    this.#gzip.write(head);
    this.#gzip.write(payload);
  }

  #stop(reason: string): void {
    this.#open = false;
    this.#gzip.end();
    this.#log.warn('The recording ended; the agent runs on.', { reason, path: this.#options.path });
  }
}
