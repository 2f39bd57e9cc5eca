import type { Consumer, Processor, Settings } from '../../component/component.js';
import { PermanentError, RetryableError } from '../../component/errors.js';
import type { Batch, Origin } from '../../component/signal.js';
import { MalformedError } from '../../otlp/malformed-error.js';
import { mergeBatches } from '../../otlp/reshape.js';
import { OttlError } from '../../ottl/values.js';
import { pause } from '../../pipeline/pause.js';
import type { TailSamplingConfig } from './config.js';
import { DecisionCache } from './decision-cache.js';
import { compilePolicy, type Decision, type Policy } from './policies.js';
import { splitByTrace, type TracePiece } from './split-by-trace.js';
import { TraceData } from './trace.js';

const TICK_MS = 1000;
/** Wait before a refused batch is offered again, when the refusal doesn't say; and the same while stopping. */
const RETRY_MS = 1000;
const DRAIN_RETRY_MS = 200;

/** A trace from its first span on. Decided ones stay for their late spans, without spans of their own. */
interface HeldTrace {
  readonly traceId: Uint8Array;
  readonly firstMs: number;
  readonly origin: Origin;
  parts: Uint8Array[];
  spanCount: number;
  bytes: number;
  decision: Decision | undefined;
  /** When its root span came. */
  rootMs: number | undefined;
  /** `span-ingest`: a policy has said yes, and a `drop` policy may still say no. */
  isWanted: boolean;
}

/**
 * Holds spans until their trace is complete as far as one can know, and then keeps or drops it as a whole. What comes late
 * shares the fate of its trace. Memory is bounded by traces and by bytes: beyond either the oldest trace is decided about
 * early, with what has arrived; nothing is dropped but by decision, refusal for good, or the shutdown deadline.
 */
export class TailSampling implements Processor {
  readonly #settings: Settings;
  readonly #config: TailSamplingConfig;
  readonly #next: Consumer;
  readonly #policies: readonly { readonly name: string; readonly evaluate: Policy }[];
  readonly #hasDrop: boolean;
  readonly #kept: DecisionCache;
  readonly #notKept: DecisionCache;
  /** By trace id in latin1, oldest first. */
  readonly #traces = new Map<string, HeldTrace>();
  /** Ids of undecided traces, oldest first. */
  readonly #undecided = new Set<string>();
  /** The same of those whose root span has come and makes them due earlier, oldest root first. */
  readonly #rooted = new Set<string>();
  readonly #outbox: { readonly batch: Batch }[] = [];
  readonly #draining = new AbortController();
  readonly #deadline = new AbortController();
  #heldSpans = 0;
  /** Everything not yet taken by what follows. */
  #heldBytes = 0;
  /** Of undecided traces only. */
  #undecidedBytes = 0;
  #timer: NodeJS.Timeout | undefined;
  #delivering: Promise<void> | undefined;

  constructor(settings: Settings, config: TailSamplingConfig, next: Consumer) {
    this.#settings = settings;
    this.#config = config;
    this.#next = next;
    // Policies that drop go first, since they win.
    const ordered = config.policies.toSorted((a, b) => Number(b.type === 'drop') - Number(a.type === 'drop'));
    this.#policies = ordered.map((policy) => ({
      name: policy.name,
      evaluate: compilePolicy(policy, settings.now),
    }));
    this.#hasDrop = config.policies.some(({ type }) => type === 'drop');
    this.#kept = new DecisionCache(config.decision_cache.sampled_cache_size);
    this.#notKept = new DecisionCache(config.decision_cache.non_sampled_cache_size);
  }

  async start(): Promise<void> {
    const { decision_wait: wait, decision_wait_after_root_received: waitAfterRoot } = this.#config;
    const tickMs = Math.min(TICK_MS, wait, waitAfterRoot > 0 ? waitAfterRoot : TICK_MS);
    this.#timer = setInterval(() => this.tick(), tickMs);
    this.#timer.unref();
  }

  async consume(batch: Batch): Promise<void> {
    const { metrics } = this.#settings;
    metrics.received('traces', batch.itemCount);
    if (this.#draining.signal.aborted) {
      metrics.dropped('traces', batch.itemCount, 'refused');
      throw new RetryableError('tail_sampling processor is stopped');
    }
    // Decisions that nobody takes any more: the senders wait, or memory grows without bound.
    while (this.#delivering !== undefined && this.#heldBytes > this.#config.max_held_bytes)
      await this.#delivering;
    let pieces: ReturnType<typeof splitByTrace>;
    try {
      pieces = splitByTrace(batch.bytes);
    } catch (cause) {
      metrics.dropped('traces', batch.itemCount, 'rejected');
      if (cause instanceof MalformedError) throw new PermanentError(cause.message, { cause });
      throw cause;
    }
    for (const [key, piece] of pieces) this.#add(key, piece, batch.origin);
    this.#bound();
    this.#report();
    this.#deliver();
  }

  /** Decides what is due. The timer calls it; tests call it themselves. */
  tick(): void {
    const now = this.#settings.now();
    const due = now - this.#config.decision_wait;
    for (const key of this.#undecided) {
      if (this.#traces.get(key)!.firstMs > due) break;
      this.#decide(key);
    }
    const rootDue = now - this.#config.decision_wait_after_root_received;
    for (const key of this.#rooted) {
      if (this.#traces.get(key)!.rootMs! > rootDue) break;
      this.#decide(key);
    }
    this.#report();
    this.#deliver();
  }

  /** Decides about everything with what has arrived, and delivers what is kept until `deadline` aborts. */
  async shutdown(deadline: AbortSignal): Promise<void> {
    this.#draining.abort();
    clearInterval(this.#timer);
    this.#timer = undefined;
    const giveUp = () => this.#deadline.abort();
    if (deadline.aborted) giveUp();
    else deadline.addEventListener('abort', giveUp, { once: true });
    if (this.#config.drop_pending_traces_on_shutdown) this.#dropPending();
    for (const key of this.#undecided) this.#decide(key);
    this.#deliver();
    await this.#delivering;
    deadline.removeEventListener('abort', giveUp);
    this.#report();
  }

  #add(key: string, piece: TracePiece, origin: Origin): void {
    this.#hold(piece.spanCount, piece.bytes.length);
    const known = this.#traces.get(key);
    const decision = known === undefined ? this.#remembered(key) : known.decision;
    if (decision !== undefined) {
      this.#settings.metrics.count('late_spans', piece.spanCount, { decision });
      this.#settle(decision, [piece.bytes], piece.spanCount, piece.bytes.length, origin);
      return;
    }
    this.#undecidedBytes += piece.bytes.length;
    const trace = known ?? this.#begin(key, piece.traceId, origin);
    trace.parts.push(piece.bytes);
    trace.spanCount += piece.spanCount;
    trace.bytes += piece.bytes.length;
    if (piece.hasRoot && trace.rootMs === undefined && this.#config.decision_wait_after_root_received > 0) {
      trace.rootMs = this.#settings.now();
      this.#rooted.add(key);
    }
    if (this.#config.sampling_strategy === 'span-ingest') this.#judgePiece(key, trace, piece);
  }

  #begin(key: string, traceId: Uint8Array, origin: Origin): HeldTrace {
    const trace: HeldTrace = {
      traceId,
      firstMs: this.#settings.now(),
      origin,
      parts: [],
      spanCount: 0,
      bytes: 0,
      decision: undefined,
      rootMs: undefined,
      isWanted: false,
    };
    this.#traces.set(key, trace);
    this.#undecided.add(key);
    return trace;
  }

  /** Asks the policies about what has just come; whoever was not wanted by then is not kept when its time has come. */
  #judgePiece(key: string, trace: HeldTrace, piece: TracePiece): void {
    const decision = this.#evaluate(new TraceData(trace.traceId, trace.spanCount, [piece.bytes]));
    if (decision === 'dropped' || (decision === 'sampled' && !this.#hasDrop)) this.#close(key, decision);
    else if (decision === 'sampled') trace.isWanted = true;
  }

  #remembered(key: string): Decision | undefined {
    if (this.#kept.has(key)) return 'sampled';
    return this.#notKept.has(key) ? 'not_sampled' : undefined;
  }

  #bound(): void {
    for (const key of this.#traces.keys()) {
      if (this.#traces.size <= this.#config.num_traces) break;
      if (this.#undecided.has(key)) this.#decide(key, 'num_traces');
      this.#traces.delete(key);
    }
    for (const key of this.#undecided) {
      if (this.#undecidedBytes <= this.#config.max_held_bytes) break;
      this.#decide(key, 'max_held_bytes');
    }
  }

  #decide(key: string, early?: 'num_traces' | 'max_held_bytes'): void {
    const { metrics } = this.#settings;
    const trace = this.#traces.get(key)!;
    if (early !== undefined) metrics.count('early_decisions', 1, { reason: early });
    if (this.#config.sampling_strategy === 'span-ingest') {
      this.#close(key, trace.isWanted ? 'sampled' : 'not_sampled');
    } else this.#close(key, this.#evaluate(new TraceData(trace.traceId, trace.spanCount, trace.parts)));
  }

  #close(key: string, decision: Decision): void {
    const trace = this.#traces.get(key)!;
    trace.decision = decision;
    this.#settings.metrics.count('global_count_traces_sampled', 1, { decision });
    (decision === 'sampled' ? this.#kept : this.#notKept).add(key);
    this.#undecided.delete(key);
    this.#rooted.delete(key);
    const { parts, spanCount, bytes } = trace;
    this.#undecidedBytes -= bytes;
    trace.parts = [];
    this.#settle(decision, parts, spanCount, bytes, trace.origin);
  }

  #evaluate(trace: TraceData): Decision {
    const { metrics } = this.#settings;
    let result: Decision = 'not_sampled';
    for (const { name, evaluate } of this.#policies) {
      let decision: Decision;
      try {
        decision = evaluate(trace);
      } catch (error) {
        if (!(error instanceof OttlError)) throw error;
        metrics.count('sampling_policy_evaluation_error', 1);
        continue;
      }
      metrics.count('count_traces_sampled', 1, { policy: name, decision });
      if (decision === 'dropped') return 'dropped';
      if (decision !== 'sampled') continue;
      result = 'sampled';
      if (this.#config.sample_on_first_match) break;
    }
    return result;
  }

  /** Traces that nobody has decided about. */
  #dropPending(): void {
    for (const key of this.#undecided) {
      const trace = this.#traces.get(key)!;
      this.#undecidedBytes -= trace.bytes;
      this.#settings.metrics.dropped('traces', trace.spanCount, 'shutdown');
      this.#hold(-trace.spanCount, -trace.bytes);
      trace.parts = [];
    }
    this.#undecided.clear();
    this.#rooted.clear();
  }

  #settle(
    decision: Decision,
    parts: readonly Uint8Array[],
    spans: number,
    bytes: number,
    origin: Origin,
  ): void {
    if (decision === 'sampled') {
      const batch: Batch = { signal: 'traces', bytes: mergeBatches(parts), itemCount: spans, origin };
      this.#outbox.push({ batch });
      return;
    }
    this.#settings.metrics.dropped('traces', spans, decision);
    this.#hold(-spans, -bytes);
  }

  #deliver(): void {
    if (this.#delivering !== undefined || this.#outbox.length === 0) return;
    this.#delivering = this.#deliverAll().finally(() => {
      this.#delivering = undefined;
      // What was decided between the last look and now.
      if (this.#outbox.length > 0) this.#deliver();
    });
  }

  async #deliverAll(): Promise<void> {
    for (let entry = this.#outbox.shift(); entry !== undefined; entry = this.#outbox.shift()) {
      await this.#offer(entry.batch);
      this.#hold(-entry.batch.itemCount, -entry.batch.bytes.length);
      this.#report();
    }
  }

  /** Offers until taken, refused for good, or out of time. */
  async #offer(batch: Batch): Promise<void> {
    const { metrics, logger } = this.#settings;
    for (;;) {
      try {
        await this.#next.consume(batch);
        metrics.sent('traces', batch.itemCount);
        return;
      } catch (error) {
        logger.warn('Sender failed', { error: error instanceof Error ? error.message : String(error) });
        if (!(error instanceof RetryableError)) {
          const reason = error instanceof PermanentError ? 'rejected' : 'internal_error';
          metrics.dropped('traces', batch.itemCount, reason);
          return;
        }
        const waitMs = error.retryAfterMs ?? (this.#draining.signal.aborted ? DRAIN_RETRY_MS : RETRY_MS);
        await pause(waitMs, { draining: this.#draining.signal, deadline: this.#deadline.signal });
        if (!this.#deadline.signal.aborted) continue;
        metrics.dropped('traces', batch.itemCount, 'shutdown');
        return;
      }
    }
  }

  #hold(spans: number, bytes: number): void {
    this.#heldSpans += spans;
    this.#heldBytes += bytes;
  }

  #report(): void {
    const { metrics } = this.#settings;
    metrics.held('traces', this.#heldSpans);
    metrics.gauge('sampling_traces_on_memory', this.#traces.size);
    metrics.gauge('held_bytes', this.#heldBytes);
  }
}
