/** What the flight recorder can be asked for. Plain data: it crosses threads and the control socket. */

/** The longest list of ranges in one question, and the most samples in one answer. */
export const MAX_RECALL_RANGES = 4096;
export const MAX_RECALL_SAMPLES = 20_000;

export interface RecallRange {
  /** Kernel thread id. */
  readonly tid: number;
  /** Unix time, ns, decimal digits. */
  readonly from: string;
  readonly durationNs: number;
}

export interface RecallQuestion {
  readonly ranges: readonly RecallRange[];
}

/** A CPU sample of a thread. */
export interface RecalledSample {
  /** Nanoseconds after the range's `from`. */
  readonly offsetNs: number;
  /** Names, outermost first; empty when the addresses have been overwritten. */
  readonly stack: readonly string[];
}

export interface RecallAnswer {
  /** For each range, in its order; oldest first. */
  readonly samples: readonly (readonly RecalledSample[])[];
  /** Samples left out because there were more than `MAX_RECALL_SAMPLES`. */
  readonly omitted: number;
}
