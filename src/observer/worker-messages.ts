/** What the observer's thread and the main thread say to each other. Everything is plain data. */
import type { Origin } from '../component/signal.js';
import type { CaptureOptions, TopicReport } from '../receiver/ebpf/native.js';
import type { LogFields, LogLevel } from '../telemetry/logger.js';
import type { CostOptions, CostReport } from './cost/cost-control.js';
import type { SpanEdit } from './join-types.js';
import type { ObserverOptions } from './observer.js';
import type { RecallAnswer, RecallQuestion } from './recall-types.js';
import type { RecordingOptions } from './recording-writer.js';
import type { TlsProbeOptions } from './tls/tls-probes.js';
import type { CatchAnswer, CatchRequest } from './triggers/trigger-types.js';

/** How TLS is read in clear. */
export type ObserverTlsOptions = TlsProbeOptions;

/** How the thread is set up (`workerData`). */
export interface ObserverWorkerData {
  readonly capture: CaptureOptions;
  readonly observer: ObserverOptions;
  /** Undefined: TLS stays unread. */
  readonly tls?: ObserverTlsOptions | undefined;
  /** False: nothing asks for joins, exchanges become spans at once. */
  readonly profile: boolean;
  /** Modules of users, and names of protocols not to look for. */
  readonly protocols: { readonly modules: readonly string[]; readonly disabled: readonly string[] };
  readonly recording: RecordingOptions | undefined;
  readonly cost: CostOptions;
  readonly agentVersion: string;
  /** Bytes of span batches that may be under way to the pipelines; above it new ones are dropped and counted. */
  readonly maxUnackedBytes: number;
  /** See `SpanBudget`. */
  readonly budget: SharedArrayBuffer;
}

export type ToWorker =
  | { readonly type: 'query'; readonly id: number; readonly batch: Uint8Array; readonly origin: Origin }
  | { readonly type: 'recall'; readonly id: number; readonly question: RecallQuestion }
  | { readonly type: 'catch'; readonly id: number; readonly request: CatchRequest }
  /** Drain, flush, detach; the thread ends after `stopped`. */
  | { readonly type: 'stop' };

export type FromWorker =
  | { readonly type: 'started'; readonly report: readonly TopicReport[] }
  /** It can't run here. The thread ends. */
  | { readonly type: 'unsupported'; readonly message: string }
  | { readonly type: 'failed'; readonly message: string; readonly stack: string | undefined }
  | { readonly type: 'spans'; readonly bytes: Uint8Array; readonly itemCount: number }
  /** As `spans`. */
  | { readonly type: 'metrics'; readonly bytes: Uint8Array; readonly itemCount: number }
  | { readonly type: 'answer'; readonly id: number; readonly edits: readonly SpanEdit[] }
  | { readonly type: 'recalled'; readonly id: number; readonly answer: RecallAnswer }
  | { readonly type: 'caught'; readonly id: number; readonly answer: CatchAnswer }
  | { readonly type: 'stats'; readonly stats: ObserverStats }
  | { readonly type: 'log'; readonly level: LogLevel; readonly message: string; readonly fields: LogFields }
  | { readonly type: 'stopped' };

/** Counters since the start, sent once a second and at the end. */
export interface ObserverStats {
  readonly observer: Readonly<Record<string, number>>;
  /** In the order of `STATS`. */
  readonly kernel: Float64Array;
  /** Spans that were dropped because too many waited for the pipelines. */
  readonly spansDropped: number;
  /** Data points that were. */
  readonly pointsDropped?: number;
  /** Absent in a replay. */
  readonly cost?: CostReport | undefined;
}
