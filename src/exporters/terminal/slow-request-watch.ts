/**
 * Waits for the first slow request worth explaining, and explains it once. Until then it keeps recent batches, within
 * a byte budget, because the spans of one trace come from several processes and at different times; afterwards nothing.
 */

import { explainTrace, readSpans, type TraceExplanation } from '../../explain/trace-explanation.js';
import type { TimeClass } from '../../observer/types.js';

const SLOW_NS = 50e6;
/** Other processes' spans of the same trace arrive within this time: SDK batches, and what the join holds back. */
const SETTLE_MS = 1500;
/** After this the slowest so far is taken, however fast it was. */
const PATIENCE_MS = 10_000;
const MAX_BUFFERED_BYTES = 4 << 20;
const MAX_CANDIDATES = 16;

interface Candidate {
  readonly traceId: string;
  readonly durationNs: number;
  readonly seenMs: number;
}

export class SlowRequestWatch {
  #batches: Uint8Array[] = [];
  #bufferedBytes = 0;
  #candidates: Candidate[] = [];
  #firstMs: number | undefined;
  #done = false;

  /** True as long as batches and candidates are wanted. */
  get isWatching(): boolean {
    return !this.#done;
  }

  /** Keeps a reference to `bytes`. */
  addBatch(bytes: Uint8Array): void {
    if (this.#done) return;
    this.#batches.push(bytes);
    this.#bufferedBytes += bytes.length;
    while (this.#bufferedBytes > MAX_BUFFERED_BYTES && this.#batches.length > 1) {
      this.#bufferedBytes -= this.#batches.shift()?.length ?? 0;
    }
  }

  /** Notes an enriched span that served a request. */
  addCandidate(traceId: string, durationNs: number, nowMs: number): void {
    if (this.#done) return;
    this.#firstMs ??= nowMs;
    const known = this.#candidates.find((candidate) => candidate.traceId === traceId);
    if (known !== undefined && known.durationNs >= durationNs) return;
    const others = this.#candidates.filter((candidate) => candidate !== known);
    this.#candidates = [...others, { traceId, durationNs, seenMs: nowMs }]
      .sort((a, b) => b.durationNs - a.durationNs)
      .slice(0, MAX_CANDIDATES);
  }

  /**
   * The explanation when it is time for it, once. The slowest request whose cause is named is preferred to a slower one
   * that waited for somebody unknown, until patience ends. `isLast`: nothing more will come, so it is time now.
   */
  take(nowMs: number, isLast = false): TraceExplanation | undefined {
    if (this.#done || this.#firstMs === undefined) return undefined;
    const patient = !isLast && nowMs - this.#firstMs < PATIENCE_MS;
    const ready = this.#candidates.filter(
      (candidate) =>
        (isLast || nowMs - candidate.seenMs >= SETTLE_MS) && (!patient || candidate.durationNs >= SLOW_NS),
    );
    if (ready.length === 0) return undefined;
    const wanted = new Set(ready.map((candidate) => candidate.traceId));
    const spans = readSpans(this.#batches, (traceId) => wanted.has(traceId));
    const traces = ready
      .map((candidate) => explainTrace(spans.get(candidate.traceId) ?? []))
      .filter((trace) => trace !== undefined);
    const chosen = traces.find(namesCause) ?? (patient ? undefined : (traces.find(namesClass) ?? traces[0]));
    if (chosen !== undefined) this.stop();
    return chosen;
  }

  /** Forgets everything; nothing will be explained any more. */
  stop(): void {
    this.#done = true;
    this.#batches = [];
    this.#candidates = [];
    this.#bufferedBytes = 0;
  }
}

/** The chain of reasons ends at something that can be acted upon, and not at a peer or a wait without a face. */
const namesCause = (trace: TraceExplanation): boolean => {
  const last = trace.why.at(-1);
  return last?.kind === 'spent' && TELLING_CLASSES.has(last.timeClass);
};

const TELLING_CLASSES: ReadonlySet<TimeClass> = new Set(['cpu', 'lock', 'disk', 'sleep']);

const namesClass = (trace: TraceExplanation): boolean => {
  const last = trace.why.at(-1);
  return last?.kind === 'spent' && last.timeClass !== 'unattributed';
};
