/**
 * Holds spans of SDKs back until the observer has told what their threads did, appends that, and passes them on.
 *
 * A sender is answered at once by default (`acknowledge: received`): SDKs have one export under way at a time, and one
 * that takes two seconds makes their queues overflow. What follows may then refuse a batch whose sender has gone; it is
 * offered again until it is taken, and when such batches fill `max_held_bytes`, new ones are refused. With
 * `acknowledge: forwarded` the sender is answered when what follows has taken its batch, and gets its refusal.
 *
 * Batches of one connection may overtake each other. A batch leaves as it came when there is no observer, when the
 * observer does not answer in time, when too much is held, and when the program stops; each is counted.
 */
import type { Consumer, Host, Processor, Settings } from '../../component/component.js';
import { PermanentError, RetryableError } from '../../component/errors.js';
import type { Batch } from '../../component/signal.js';
import type { JoinConfig, SpanEdit } from '../../observer/join-types.js';
import { JOIN_CONFIG_KEY, OBSERVER_KEY, type ObserverService } from '../../observer/observer-service.js';
import { appendToSpans } from '../../otlp/edit.js';
import type { TraceProfilingConfig } from './config.js';
import { toTriggerConfig } from './triggers-config.js';

/** The observer answers by its own clock; this much later it is not waited for any more. */
const GUARD_MS = 1_000;

/** Waits between offers of a batch to a consumer that refuses it for now: the first, and the longest. */
const FIRST_RETRY_MS = 100;
const LONGEST_RETRY_MS = 5_000;

/** Why a batch left without having been joined. */
type Unjoined = 'no_observer' | 'observer_timeout' | 'hold_budget' | 'shutdown' | 'unreadable';

interface Held {
  readonly bytes: number;
  release(reason: Unjoined): void;
}

export class TraceProfiling implements Processor {
  readonly #settings: Settings;
  readonly #config: TraceProfilingConfig;
  readonly #next: Consumer;
  #host: Host | undefined;
  #warned = false;
  #stopping = false;
  /** Oldest first. */
  readonly #held = new Set<Held>();
  /** Batches taken and not yet passed on. */
  readonly #inside = new Set<Promise<void>>();
  #heldBytes = 0;
  #heldSpans = 0;
  /** Bytes of acknowledged batches that what follows has refused so far. */
  #refusedBytes = 0;
  readonly #stop = new AbortController();

  constructor(settings: Settings, config: TraceProfilingConfig, next: Consumer) {
    this.#settings = settings;
    this.#config = config;
    this.#next = next;
  }

  async start(host: Host): Promise<void> {
    this.#host = host;
    const config = toJoinConfig(this.#config);
    const other = host.service(JOIN_CONFIG_KEY);
    if (other === undefined) host.provide(JOIN_CONFIG_KEY, config);
    else if (JSON.stringify(other) !== JSON.stringify(config)) {
      this.#settings.logger.warn('Another trace_profiling processor has set other limits for the join.', {
        in_use: other,
      });
    }
  }

  async consume(batch: Batch): Promise<void> {
    const { metrics } = this.#settings;
    const isHeld =
      this.#config.acknowledge === 'received' &&
      batch.origin.joined !== true &&
      this.#host?.service(OBSERVER_KEY) !== undefined;
    if (isHeld && this.#refusedBytes + batch.bytes.length > this.#config.max_held_bytes) {
      throw new RetryableError('The next component takes nothing, and no more can be held back.');
    }
    metrics.received('traces', batch.itemCount);
    this.#count(batch.itemCount);
    const work = this.#account(batch, this.#process(batch, isHeld));
    const settled = work.catch(() => {});
    this.#inside.add(settled);
    void settled.then(() => this.#inside.delete(settled));
    if (!isHeld) return work;
  }

  /** Counts what became of a batch. */
  async #account(batch: Batch, work: Promise<void>): Promise<void> {
    const { metrics } = this.#settings;
    try {
      await work;
      metrics.sent('traces', batch.itemCount);
    } catch (error) {
      metrics.dropped('traces', batch.itemCount, this.#stop.signal.aborted ? 'shutdown' : reasonOf(error));
      throw error;
    } finally {
      this.#count(-batch.itemCount);
    }
  }

  /** Passes on what is held, unjoined, and waits until it has been taken or `deadline` aborts. */
  async shutdown(deadline: AbortSignal): Promise<void> {
    this.#stopping = true;
    for (const held of [...this.#held]) held.release('shutdown');
    if (!deadline.aborted) {
      let giveUp = (): void => {};
      const late = new Promise<void>((resolve) => {
        giveUp = resolve;
      });
      deadline.addEventListener('abort', giveUp, { once: true });
      await Promise.race([Promise.all([...this.#inside]), late]);
      deadline.removeEventListener('abort', giveUp);
    }
    this.#stop.abort();
  }

  async #process(batch: Batch, isAcknowledged: boolean): Promise<void> {
    if (batch.origin.joined === true) return this.#next.consume(batch);
    const observer = this.#host?.service(OBSERVER_KEY);
    const edits = observer === undefined ? this.#withoutObserver() : await this.#ask(observer, batch);
    const joined = this.#joined(batch, edits);
    return isAcknowledged ? this.#offer(joined) : this.#next.consume(joined);
  }

  /** Offers a batch until it is taken, refused for good, or the program's shutdown is over. */
  async #offer(batch: Batch): Promise<void> {
    for (let waitMs = FIRST_RETRY_MS; ; waitMs = Math.min(2 * waitMs, LONGEST_RETRY_MS)) {
      try {
        return await this.#next.consume(batch);
      } catch (error) {
        if (!(error instanceof RetryableError) || this.#stop.signal.aborted) throw error;
        this.#refusedBytes += batch.bytes.length;
        await sleep(error.retryAfterMs ?? waitMs, this.#stop.signal);
        this.#refusedBytes -= batch.bytes.length;
      }
    }
  }

  #withoutObserver(): Unjoined {
    if (!this.#warned) {
      this.#warned = true;
      this.#settings.logger.warn(
        'No receiver observes the kernel; spans pass unchanged. Add `ebpf` to the receivers of a traces pipeline.',
      );
    }
    return 'no_observer';
  }

  /** The observer's edits, or why there are none. */
  async #ask(observer: ObserverService, batch: Batch): Promise<readonly SpanEdit[] | Unjoined> {
    if (this.#stopping) return 'shutdown';
    let release!: Held['release'];
    const released = new Promise<Unjoined>((resolve) => {
      release = resolve;
    });
    const held: Held = { bytes: batch.bytes.length, release };
    this.#held.add(held);
    this.#heldBytes += held.bytes;
    for (const oldest of this.#held) {
      if (this.#heldBytes <= this.#config.max_held_bytes) break;
      this.#letGo(oldest);
      oldest.release('hold_budget');
    }
    const guard = setTimeout(() => release('observer_timeout'), this.#config.hold + GUARD_MS);
    try {
      return await Promise.race([observer.join(batch.bytes, batch.origin), released]);
    } catch (error) {
      // `join` promises not to reject; a broken one must not cost a batch.
      this.#settings.logger.warn('The observer failed to join a batch.', { error: String(error) });
      return 'observer_timeout';
    } finally {
      clearTimeout(guard);
      this.#letGo(held);
    }
  }

  #letGo(held: Held): void {
    if (this.#held.delete(held)) this.#heldBytes -= held.bytes;
  }

  #joined(batch: Batch, edits: readonly SpanEdit[] | Unjoined): Batch {
    if (typeof edits === 'string') return this.#unjoined(batch, edits);
    this.#settings.metrics.count('spans_joined', edits.length);
    if (edits.length === 0) return batch;
    try {
      const bytes = appendToSpans(batch.bytes, new Map(edits.map(({ offset, fields }) => [offset, fields])));
      return { ...batch, bytes, origin: { ...batch.origin, joined: true } };
    } catch (error) {
      this.#settings.logger.warn('What the observer told does not fit its batch.', { error: String(error) });
      return this.#unjoined(batch, 'unreadable');
    }
  }

  #unjoined(batch: Batch, reason: Unjoined): Batch {
    this.#settings.metrics.count('spans_unjoined', batch.itemCount, { reason });
    return batch;
  }

  #count(spans: number): void {
    this.#heldSpans += spans;
    this.#settings.metrics.held('traces', this.#heldSpans);
  }
}

/** Resolves after `ms`, or at once when `signal` aborts. */
function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done, { once: true });
  });
}

function reasonOf(error: unknown): string {
  if (error instanceof PermanentError) return 'rejected';
  return error instanceof RetryableError ? 'refused' : 'internal_error';
}

function toJoinConfig(config: TraceProfilingConfig): JoinConfig {
  return {
    holdMs: config.hold,
    windowMs: config.window,
    minConfidence: config.min_confidence,
    apmWaitMs: config.apm_wait,
    maxEvents: config.max_events,
    timelineBytes: config.timeline,
    maxHeldExchanges: config.max_held_exchanges,
    triggers: toTriggerConfig(config.triggers),
  };
}
