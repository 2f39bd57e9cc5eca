/**
 * Holds spans of SDKs back until the observer has told what their threads did, appends that, and passes them on.
 *
 * A sender is answered when what follows has taken its batch, so nothing is lost that was promised to be kept. Batches
 * of one connection may overtake each other. A batch leaves as it came when there is no observer, when the observer does
 * not answer in time, when too much is held, and when the program stops; each is counted.
 */
import type { Consumer, Host, Processor, Settings } from '../../component/component.js';
import { PermanentError, RetryableError } from '../../component/errors.js';
import type { Batch } from '../../component/signal.js';
import type { JoinConfig, SpanEdit } from '../../observer/join-types.js';
import { JOIN_CONFIG_KEY, OBSERVER_KEY, type ObserverService } from '../../observer/observer-service.js';
import { appendToSpans } from '../../otlp/edit.js';
import type { TraceProfilingConfig } from './config.js';

/** The observer answers by its own clock; this much later it is not waited for any more. */
const GUARD_MS = 1_000;

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
    metrics.received('traces', batch.itemCount);
    this.#count(batch.itemCount);
    const work = this.#process(batch);
    const settled = work.catch(() => {});
    this.#inside.add(settled);
    try {
      await work;
      metrics.sent('traces', batch.itemCount);
    } catch (error) {
      metrics.dropped('traces', batch.itemCount, reasonOf(error));
      throw error;
    } finally {
      this.#inside.delete(settled);
      this.#count(-batch.itemCount);
    }
  }

  /** Passes on what is held, unjoined, and waits until it has been taken or `deadline` aborts. */
  async shutdown(deadline: AbortSignal): Promise<void> {
    this.#stopping = true;
    for (const held of [...this.#held]) held.release('shutdown');
    if (deadline.aborted) return;
    let giveUp = (): void => {};
    const late = new Promise<void>((resolve) => {
      giveUp = resolve;
    });
    deadline.addEventListener('abort', giveUp, { once: true });
    await Promise.race([Promise.all([...this.#inside]), late]);
    deadline.removeEventListener('abort', giveUp);
  }

  async #process(batch: Batch): Promise<void> {
    if (batch.origin.joined === true) return this.#next.consume(batch);
    const observer = this.#host?.service(OBSERVER_KEY);
    const edits = observer === undefined ? this.#withoutObserver() : await this.#ask(observer, batch);
    return this.#next.consume(this.#joined(batch, edits));
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
  };
}
