import type { Consumer, Processor, Settings } from '../../component/component.js';
import { RetryableError } from '../../component/errors.js';
import type { Batch } from '../../component/signal.js';
import type { MemoryLimiterConfig } from './config.js';

const MIB = 2 ** 20;
/** Spike limit where none is set, as a part of the limit. */
const DEFAULT_SPIKE = 0.2;

/** The process and the machine, injected for tests. Bytes. */
export interface MemoryTools {
  /** Resident memory: heap, buffers, the addon and its maps. */
  readonly resident: () => number;
  /** What this machine or its cgroup has. */
  readonly total: () => number;
  /** Collects garbage now, where the engine allows it. */
  readonly collect: (() => void) | undefined;
}

/**
 * Refuses batches, retryably, while the process uses more memory than the soft limit. The senders keep their data and come
 * back; a receiver tells its clients with its protocol's own error. Looks at resident memory, because most of ours is
 * outside the JavaScript heap.
 */
export class MemoryLimiter implements Processor {
  readonly #settings: Settings;
  readonly #config: MemoryLimiterConfig;
  readonly #next: Consumer;
  readonly #tools: MemoryTools;
  readonly #hardBytes: number;
  readonly #softBytes: number;
  #refusing = false;
  #lastCollection = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;

  constructor(settings: Settings, config: MemoryLimiterConfig, next: Consumer, tools: MemoryTools) {
    this.#settings = settings;
    this.#config = config;
    this.#next = next;
    this.#tools = tools;
    const total = tools.total();
    this.#hardBytes = config.limit_mib > 0 ? config.limit_mib * MIB : (total * config.limit_percentage) / 100;
    const spike =
      config.limit_mib > 0 ? config.spike_limit_mib * MIB : (total * config.spike_limit_percentage) / 100;
    this.#softBytes = this.#hardBytes - (spike > 0 ? spike : this.#hardBytes * DEFAULT_SPIKE);
  }

  async start(): Promise<void> {
    this.#settings.logger.info('Memory limiter configured', {
      limit_mib: Math.round(this.#hardBytes / MIB),
      spike_limit_mib: Math.round((this.#hardBytes - this.#softBytes) / MIB),
      check_interval: this.#config.check_interval / 1000,
    });
    this.check();
    this.#timer = setInterval(() => this.check(), this.#config.check_interval);
    this.#timer.unref();
  }

  async consume(batch: Batch): Promise<void> {
    const { metrics } = this.#settings;
    if (this.#refusing) {
      metrics.count('refused', batch.itemCount, { signal: batch.signal });
      throw new RetryableError('data refused due to high memory usage');
    }
    metrics.count('accepted', batch.itemCount, { signal: batch.signal });
    await this.#next.consume(batch);
  }

  async shutdown(): Promise<void> {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** Measures once. The timer calls it; tests call it themselves. */
  check(): void {
    const { logger, metrics } = this.#settings;
    let used = this.#tools.resident();
    if (used > this.#hardBytes) {
      if (this.#mayCollect(this.#config.min_gc_interval_when_hard_limited)) {
        logger.warn('Memory usage is above hard limit. Forcing a GC.', {
          cur_mem_mib: Math.round(used / MIB),
        });
        used = this.#collect();
      }
    } else if (used > this.#softBytes && this.#mayCollect(this.#config.min_gc_interval_when_soft_limited)) {
      logger.info('Memory usage is above soft limit. Forcing a GC.', { cur_mem_mib: Math.round(used / MIB) });
      used = this.#collect();
    }
    metrics.gauge('resident_bytes', used);
    const refuse = used > this.#softBytes;
    if (refuse === this.#refusing) return;
    this.#refusing = refuse;
    const fields = { cur_mem_mib: Math.round(used / MIB) };
    if (refuse) logger.warn('Memory usage is above soft limit. Refusing data.', fields);
    else logger.info('Memory usage back within limits. Resuming normal operation.', fields);
  }

  #mayCollect(intervalMs: number): boolean {
    return this.#tools.collect !== undefined && this.#settings.now() - this.#lastCollection >= intervalMs;
  }

  #collect(): number {
    this.#tools.collect?.();
    this.#lastCollection = this.#settings.now();
    return this.#tools.resident();
  }
}
