import type { ServiceKey } from '../component/component.js';
import type { Origin } from '../component/signal.js';
import type { JoinConfig, SpanEdit } from './join-types.js';
import type { RecallAnswer, RecallQuestion } from './recall-types.js';
import type { CatchAnswer, CatchRequest } from './triggers/trigger-types.js';

/**
 * What the rest of the program may ask of the observer. Published by the `ebpf` or `replay` receiver when it starts;
 * receivers start last, so look it up at the first batch and not in `start`.
 */
export interface ObserverService {
  /**
   * What the kernel knows about the spans of an OTLP traces batch, as edits in ascending order of offset. Resolves
   * with no edits when the observer ends or is too busy (counted there); never rejects. `batch` is copied.
   */
  join(batch: Uint8Array, origin: Origin): Promise<readonly SpanEdit[]>;
  /** What the flight recorder still has; absent in a replay. Rejects when the observer ends first. */
  recall?(question: RecallQuestion): Promise<RecallAnswer>;
  /** Tells the next spans of some kind in detail; absent in a replay. Rejects when the observer ends first. */
  catch?(request: CatchRequest): Promise<CatchAnswer>;
}

export const OBSERVER_KEY: ServiceKey<ObserverService> = { name: 'observer' };

/**
 * Published by the `trace_profiling` processor in `start`, hence before any receiver starts. Without it the observer
 * runs no join: exchanges become spans at once and unprofiled.
 */
export const JOIN_CONFIG_KEY: ServiceKey<JoinConfig> = { name: 'join_config' };

/** Settings of an observer that no `trace_profiling` processor asks for anything. */
export const DEFAULT_JOIN: JoinConfig = { holdMs: 2000, windowMs: 60_000, minConfidence: 0.5 };
