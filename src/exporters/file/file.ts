import type { Exporter, Host, ServiceKey, Settings } from '../../component/component.js';
import { PermanentError, RetryableError } from '../../component/errors.js';
import type { Batch, Signal } from '../../component/signal.js';
import { toJson } from '../../otlp/json-writer.js';
import { MalformedError } from '../../otlp/malformed-error.js';
import type { FileConfig } from './config.js';
import { RotatingFile } from './rotating-file.js';

/** One open file, shared by the instances (one for each signal) that write to it. */
interface SharedFile {
  readonly file: RotatingFile;
  readonly opened: Promise<void>;
  users: number;
}

const sharedFileKey = (path: string): ServiceKey<SharedFile> => ({ name: `file exporter ${path}` });

/**
 * Writes each batch as one line of OTLP/JSON. A batch counts as sent when its line is in the file (not when it is on
 * the disk: the operating system decides that) and as dropped with reason `write_failed` when it can't be written.
 */
export class FileExporter implements Exporter {
  readonly #settings: Settings;
  readonly #config: FileConfig;
  readonly #signal: Signal;
  #shared: SharedFile | undefined;
  #heldItems = 0;

  constructor(settings: Settings, config: FileConfig, signal: Signal) {
    this.#settings = settings;
    this.#config = config;
    this.#signal = signal;
  }

  /** Rejects when the file can't be opened. */
  async start(host: Host): Promise<void> {
    const { path, append, flush_interval: flushIntervalMs, rotation } = this.#config;
    const key = sharedFileKey(path);
    let shared = host.service(key);
    if (shared === undefined) {
      const file = new RotatingFile({
        path,
        append,
        flushIntervalMs,
        maxBytes: (rotation?.max_megabytes ?? 0) * 1024 * 1024,
        maxBackups: rotation?.max_backups ?? 0,
        now: this.#settings.now,
      });
      shared = { file, opened: file.open(), users: 0 };
      host.provide(key, shared);
    }
    shared.users += 1;
    this.#shared = shared;
    await shared.opened;
  }

  async consume(batch: Batch): Promise<void> {
    const { metrics } = this.#settings;
    const { itemCount } = batch;
    const shared = this.#shared;
    metrics.received(this.#signal, itemCount);
    if (shared === undefined) {
      metrics.dropped(this.#signal, itemCount, 'shutdown');
      throw new RetryableError('exporter is stopped');
    }
    this.#hold(itemCount);
    let line: string;
    try {
      line = toJson(batch.signal, batch.bytes);
    } catch (error) {
      this.#hold(-itemCount);
      metrics.dropped(this.#signal, itemCount, 'malformed');
      if (error instanceof MalformedError) throw new PermanentError(error.message, { cause: error });
      throw error;
    }
    await shared.file.append(line, (error) => this.#settle(itemCount, error));
  }

  async shutdown(_deadline: AbortSignal): Promise<void> {
    const shared = this.#shared;
    this.#shared = undefined;
    if (shared === undefined) return;
    shared.users -= 1;
    if (shared.users === 0) await shared.file.close();
    else await shared.file.flush();
  }

  #settle(itemCount: number, error: Error | undefined): void {
    const { metrics, logger } = this.#settings;
    this.#hold(-itemCount);
    if (error === undefined) {
      metrics.sent(this.#signal, itemCount);
      return;
    }
    metrics.dropped(this.#signal, itemCount, 'write_failed');
    logger.error('Writing to the file failed. Dropping data.', {
      path: this.#config.path,
      error: error.message,
      dropped_items: itemCount,
    });
  }

  #hold(items: number): void {
    this.#heldItems += items;
    this.#settings.metrics.held(this.#signal, this.#heldItems);
  }
}
