import type { Component } from '../component/component.js';
import type { PermanentError, RetryableError } from '../component/errors.js';
import type { Batch, Signal } from '../component/signal.js';

/**
 * The innermost part of an exporter: knows the protocol, nothing of queues, retries or time limits.
 *
 * `send` makes one attempt for one batch. It resolves when the other side has accepted it, and rejects with
 * `RetryableError` (with `retryAfterMs` when the other side said when) or `PermanentError`. It should stop its I/O when
 * `abort` fires; the wrappers do not wait for it then. Several calls may be open at once (`num_consumers`).
 */
export interface Sender<S extends Signal = Signal> extends Component {
  send(batch: Batch<S>, abort: AbortSignal): Promise<void>;
  /**
   * Items of an accepted batch that the other side refused for good (partial success) and that the sender has counted
   * as dropped. Asked once for each batch that was sent; left out by senders whose peers take all or nothing.
   */
  rejectedItems?(batch: Batch<S>): number;
}

/** One attempt, as a function. */
export type Attempt = (batch: Batch, abort: AbortSignal) => Promise<void>;

/** Why a batch was given up. These words appear as `reason` of the dropped counter. */
export type DropReason =
  /** The other side said that it never will accept the batch. */
  | 'permanent'
  /** `retry_on_failure.max_elapsed_time` is over, or retrying is off. */
  | 'retries_exhausted'
  /** The queue had no room. */
  | 'queue_full'
  /** The memory for data in flight (`service.limits.memory_budget`) was used up. */
  | 'memory_budget'
  /** The persistent queue could not be written. */
  | 'storage_failed'
  /** Files of the persistent queue were damaged or deleted. */
  | 'storage_lost'
  /** The shutdown deadline passed before the batch could be sent. */
  | 'shutdown'
  /** A bug in the exporter; the log has the stack. */
  | 'internal_error';

/** What became of a batch after all attempts. */
export type Outcome =
  | { readonly status: 'sent' }
  | {
      readonly status: 'failed';
      readonly reason: DropReason;
      readonly error: RetryableError | PermanentError;
    };
