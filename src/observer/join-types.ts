import type { Origin } from '../component/signal.js';
import type { Logger } from '../telemetry/logger.js';
import type { RecallAnswer, RecallQuestion } from './recall-types.js';
import type { CatchAnswer, CatchRequest, TriggerConfig } from './triggers/trigger-types.js';
import type {
  EventSink,
  Exchange,
  MonoNs,
  NetCloseRecord,
  NetDataRecord,
  NetOpenRecord,
  ProcessTable,
  Symbolizer,
} from './types.js';

/**
 * Where the observer and the join meet. The observer feeds events, finished exchanges and the batches of SDKs in the
 * order in which it saw them; the join holds them back until it knows enough, then answers through `JoinOutput`.
 */
export interface JoinEngine extends Pick<EventSink, 'wait' | 'sample' | 'exec' | 'exit'> {
  /**
   * A finished exchange, either side of a connection. Comes back once through `emitExchange` to become a span of its
   * own, or never: when a span of an SDK stands for it (counted in `stats` as `exchanges_joined`), and when it delivered
   * telemetry to this agent (`exchanges_telemetry`).
   */
  exchange(exchange: Exchange): void;
  /**
   * Every socket operation, before the exchange it completes. Tells which request an event loop worked for, and that the
   * thread was running. Nothing is kept of `record`. Without it event loops with several requests stay unexplained.
   */
  netOperation?(record: NetDataRecord): void;
  /** A connection was established. Explains the time in which an event loop waited for it. */
  netOpened?(record: NetOpenRecord): void;
  /** A connection was closed: nothing is worked on for it any more. */
  netClosed?(record: NetCloseRecord): void;
  /** Scheduler records or socket operations may be missing between both times: the ring was full. */
  lost?(from: MonoNs, to: MonoNs): void;
  /** All losses up to `time` have been told. An observer that calls `lost` calls this with every look at the counters. */
  checked?(time: MonoNs): void;
  /** An OTLP traces batch from an SDK. `id` comes back exactly once through `answer`. */
  query(id: number, batch: Uint8Array, connection?: Origin['connection']): void;
  /** What is still remembered of some threads' past; absent where nothing is. */
  recall?(question: RecallQuestion): RecallAnswer;
  /** Tells the next spans of some kind in detail; absent where no span has details. */
  catch?(request: CatchRequest): CatchAnswer;
  /** Every event up to `watermark` has been delivered; it never goes back. Results are emitted from here. */
  advance(watermark: MonoNs): void;
  /**
   * Emits and answers everything that is held now. Called once, before the observer ends. From when `hasTime` is
   * false (default: never) exchanges leave without a profile, counted in `stats` as `exchanges_unprofiled`.
   */
  flush(hasTime?: () => boolean): void;
  /** Counters since creation (names are `lower_snake_case`); `<what>_held` are gauges. */
  stats(): Record<string, number>;
}

/** OTLP `Span` fields (encoded, tags included) to append to one span of a batch. */
export interface SpanEdit {
  /** Where the span's message (its first field's tag, after the length prefix) starts in the batch. */
  readonly offset: number;
  readonly fields: Uint8Array;
}

/** What the join may call; never before the first call into the engine, always on the same thread. */
export interface JoinOutput {
  /** Hands an exchange back. `profile` are encoded OTLP `Span` fields to append to its span, valid during the call. */
  emitExchange(exchange: Exchange, profile: Uint8Array | undefined): void;
  /** Answers a query; `edits` are in ascending order of offset, one for each span that gains something. */
  answer(id: number, edits: readonly SpanEdit[]): void;
}

/** Unix time as two halves of a u64 of nanoseconds: `hi * 2^32 + lo`, both unsigned. */
export interface UnixNs {
  readonly hi: number;
  readonly lo: number;
}

/** Converts between the wall clock of telemetry and the monotonic clock of kernel events (see `clock.ts`). */
export interface MonoClock {
  toMono(hi: number, lo: number): MonoNs;
  toUnix(mono: MonoNs): UnixNs;
}

/** Settings of the join. Plain data: it crosses a thread boundary. */
export interface JoinConfig {
  /** Longest time that an exchange or a batch is held back, milliseconds. */
  readonly holdMs: number;
  /** How far back the timeline of a thread reaches, milliseconds. */
  readonly windowMs: number;
  /** What is attached must be at least this sure, 0…1. */
  readonly minConfidence: number;
  /** How long an exchange waits for the span of its process' SDK, milliseconds (default 6000: SDKs batch 5 s). */
  readonly apmWaitMs?: number;
  /** Most events on one span; the rest is merged by class (default 64). */
  readonly maxEvents?: number;
  /** Memory of the timeline, bytes (default 40 MiB). */
  readonly timelineBytes?: number;
  /** Most exchanges that wait; above it the oldest leave early, counted (default 50,000). */
  readonly maxHeldExchanges?: number;
  /** Which spans get stacks and events (default: all). */
  readonly triggers?: TriggerConfig | undefined;
}

export interface JoinDependencies extends JoinOutput {
  readonly processes: ProcessTable;
  readonly symbolizer: Symbolizer;
  readonly clock: MonoClock;
  readonly config: JoinConfig;
  readonly log: Logger;
}

/** Signature of `createJoinEngine` in `join-engine.ts`. */
export type CreateJoinEngine = (dependencies: JoinDependencies) => JoinEngine;
