import type { Consumer, Processor, Settings } from '../../component/component.js';
import { PermanentError } from '../../component/errors.js';
import type { Batch } from '../../component/signal.js';
import { getAttribute, setAttribute } from '../../otlp/attribute-edit.js';
import { MalformedError } from '../../otlp/malformed-error.js';
import { MessageNode } from '../../otlp/message-node.js';
import { field } from '../../otlp/wire-reader.js';
import { isEqual } from '../../ottl/compare.js';
import type { ResourceDetectionConfig } from './config.js';
import { type Attributes, createDetector } from './detectors.js';
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
    const detectors = this.#config.detectors.map((name) => createDetector(name, this.#config, this.#machine));
    const results = await Promise.all(
      detectors.map(async ({ name, detect }) => ({ name, found: await this.#limited(name, detect) })),
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

  async #limited(name: string, detect: (signal: AbortSignal) => Promise<Attributes>): Promise<Attributes> {
    const abort = new AbortController();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(new Error(`detector ${JSON.stringify(name)} took longer than ${this.#config.timeout} ms`));
        abort.abort();
      }, this.#config.timeout);
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
