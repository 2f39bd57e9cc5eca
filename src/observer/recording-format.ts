/**
 * A recording: everything the observer saw, in the order in which it saw it, so that a replay is the same run again.
 * One gzip stream of frames, little-endian:
 *
 *     0        4      5               5 + length
 *     │ length │ kind │ payload …     │
 *
 *     kind           payload
 *     HEADER         JSON, `RecordingHeader`; the first frame
 *     RECORDS        kernel records back to back (bpf/abi/events.h)
 *     ADVANCE        f64 watermark
 *     CLOCK          f64 now, u32 hi, u32 lo, f64 error
 *     KERNEL_STATS   f64 now, f64 counters in the order of `STATS`
 *     LOOKUP         JSON, `RecordedLookup`: an answer that was given while the frame before it was handled
 *     QUERY          u32 length of JSON `Origin`, JSON, OTLP traces
 *
 * Readers skip kinds they do not know. A recording holds what the applications sent: keep it as carefully as that.
 */
import type { Origin } from '../component/signal.js';
import type { UnixNs } from './join-types.js';
import type { RecordedLookup } from './process/recorded.js';
import type { MonoNs } from './types.js';

export const RECORDING_FORMAT = 'kindling-recording';
export const RECORDING_VERSION = 1;

export const FRAME = {
  HEADER: 1,
  RECORDS: 2,
  ADVANCE: 3,
  CLOCK: 4,
  KERNEL_STATS: 5,
  LOOKUP: 6,
  QUERY: 7,
} as const;

export const FRAME_HEADER_BYTES = 5;
/** A slab is far smaller, a batch of spans too. */
export const MAX_FRAME_BYTES = 64 * 1024 * 1024;

export interface RecordingHeader {
  readonly format: typeof RECORDING_FORMAT;
  readonly version: number;
  /** `ABI_HASH` of the records. */
  readonly abiHash: string;
  readonly agentVersion: string;
  /** See `ExchangeLinks`: the replay derives the same ids. */
  readonly idSeed: string;
  readonly kernelRelease: string;
  readonly machine: string;
  readonly cpus: number;
  /** Always `localhost`: a recording does not name the machine it is from. */
  readonly hostName: 'localhost';
}

/** What a recorder takes; the calls mirror those of `Observer`. Must be quick and must not throw. */
export interface RecordingSink {
  records(bytes: Uint8Array, length: number): void;
  advance(watermark: MonoNs): void;
  clock(now: MonoNs, offset: UnixNs, errorNs: number): void;
  kernelStats(now: MonoNs, stats: Float64Array): void;
  query(batch: Uint8Array, origin: Origin): void;
  lookup(lookup: RecordedLookup): void;
}

export type RecordingFrame =
  | { readonly kind: 'header'; readonly header: RecordingHeader }
  | { readonly kind: 'records'; readonly bytes: Uint8Array }
  | { readonly kind: 'advance'; readonly watermark: MonoNs }
  | { readonly kind: 'clock'; readonly now: MonoNs; readonly offset: UnixNs; readonly errorNs: number }
  | { readonly kind: 'kernel_stats'; readonly now: MonoNs; readonly stats: Float64Array }
  | { readonly kind: 'lookup'; readonly lookup: RecordedLookup }
  | { readonly kind: 'query'; readonly batch: Uint8Array; readonly origin: Origin };
