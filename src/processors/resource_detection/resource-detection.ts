import { setTimeout as sleep } from 'node:timers/promises';
import type { Consumer, Processor, Settings } from '../../component/component.js';
import { PermanentError } from '../../component/errors.js';
import type { Batch } from '../../component/signal.js';
import { getAttribute, setAttribute } from '../../otlp/attribute-edit.js';
import { MalformedError } from '../../otlp/malformed-error.js';
import { MessageNode } from '../../otlp/message-node.js';
import { field } from '../../otlp/wire-reader.js';
import { isEqual } from '../../ottl/compare.js';
import type { ResourceDetectionConfig } from './config.js';
import { type Attributes, createDetector, type Detector } from './detectors.js';
import type { Machine } from './machine.js';

const FIRST = field.delimited(1);

/**
 * Writes on every resource what is known about this machine. Detection happens at start, and again at each
 * `refresh_interval`; a refresh that fails keeps what was known.
 */
export class ResourceDetection implements Processor {
  readonly #settings: Settings;
  readonly #config: ResourceDetectionConfig;
  readonly #next: Consumer;
  readonly #machine: Machine;
  #detected: Attributes = new Map();
  #timer: NodeJS.Timeout | undefined;
  readonly #stopping = new AbortController();

  constructor(settings: Settings, config: ResourceDetectionConfig, next: Consumer, machine: Machine) {
    this.#settings = settings;
    this.#config = config;
    this.#next = next;
    this.#machine = machine;
  }

  async start(): Promise<void> {
    this.#settings.logger.info('began detecting resource information');
    this.#detected = await this.#detect();
    this.#settings.logger.info('detected resource information', {
      resource: Object.fromEntries(this.#detected),
    });
    if (this.#config.refresh_interval <= 0) return;
    this.#timer = setInterval(() => void this.refresh(), this.#config.refresh_interval);
    this.#timer.unref();
  }

  async shutdown(): Promise<void> {
    this.#stopping.abort();
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** Detects anew. The timer calls it; tests call it themselves. */
  async refresh(): Promise<void> {
    try {
      this.#detected = await this.#detect();
    } catch (error) {
      this.#settings.logger.warn('resource refresh failed', { error: String(error) });
    }
  }

  async consume(batch: Batch): Promise<void> {
    await this.#next.consume(this.#describe(batch));
  }

  #describe(batch: Batch): Batch {
    try {
      const request = new MessageNode(batch.bytes);
      for (const group of request.children(FIRST)) this.#describeResource(group);
      return request.isChanged ? { ...batch, bytes: request.encode() } : batch;
    } catch (cause) {
      if (!(cause instanceof MalformedError)) throw cause;
      throw new PermanentError(cause.message, { cause });
    }
  }

  #describeResource(group: MessageNode): void {
    const resource = group.child(FIRST);
    for (const [key, value] of this.#detected) {
      const found = getAttribute(resource, FIRST, key);
      if (found !== undefined && (!this.#config.override || isEqual(found, value))) continue;
      setAttribute(resource, FIRST, key, value);
    }
  }

  /** The first detector in the list that knows an attribute wins. */
  async #detect(): Promise<Attributes> {
    if (this.#config.detectors.length === 0) {
      throw new Error('resource detection failed: no detectors succeeded');
    }
    const detectors = this.#config.detectors.map((name) => createDetector(name, this.#config, this.#machine));
    const results = await Promise.all(
      detectors.map(async ({ name, detect }) => ({ name, found: await this.#repeated(name, detect) })),
    );
    const merged: Attributes = new Map();
    for (const { name, found } of results) {
      if (found.size === 0 && this.#config.fail_on_missing_metadata) {
        throw new Error(`failed to detect resource: detector ${JSON.stringify(name)} found nothing`);
      }
      for (const [key, value] of found) if (!merged.has(key)) merged.set(key, value);
    }
    return merged;
  }

  /** Tries until a detector succeeds or no other attempt has room. */
  async #repeated(name: string, detect: Detector['detect']): Promise<Attributes> {
    const { retry, timeout } = this.#config;
    const began = performance.now();
    const allMs = retry.max_elapsed_time > 0 ? retry.max_elapsed_time : timeout;
    let waitMs = retry.initial_interval;
    for (;;) {
      const leftMs = allMs - (performance.now() - began);
      try {
        const attemptMs = retry.enabled ? Math.min(timeout || leftMs, leftMs) : timeout;
        return await this.#limited(name, detect, Math.max(attemptMs, 1));
      } catch (error) {
        const jitter = 1 + retry.randomization_factor * (2 * Math.random() - 1);
        const pauseMs = Math.min(waitMs, retry.max_interval) * jitter;
        const isOver = performance.now() - began + pauseMs >= allMs;
        if (!retry.enabled || isOver || this.#stopping.signal.aborted) throw error;
        this.#settings.logger.warn('failed to detect resource, will retry', {
          detector: name,
          error: (error as Error).message,
        });
        await sleep(pauseMs, undefined, { signal: this.#stopping.signal }).catch(() => {});
        waitMs *= retry.multiplier;
      }
    }
  }

  async #limited(name: string, detect: Detector['detect'], timeoutMs: number): Promise<Attributes> {
    const abort = new AbortController();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(new Error(`detector ${JSON.stringify(name)} took longer than ${Math.round(timeoutMs)} ms`));
        abort.abort();
      }, timeoutMs);
    });
    try {
      return await Promise.race([detect(abort.signal), late]);
    } catch (error) {
      throw new Error(`failed to detect resource: ${(error as Error).message}`, { cause: error });
    } finally {
      clearTimeout(timer);
    }
  }
}
