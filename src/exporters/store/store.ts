/** Keeps recent telemetry on disk for `kindling trace` and `kindling traces`. See src/store/README.md for the format. */
import { accessSync, constants, mkdirSync } from 'node:fs';
import type { Exporter, Settings } from '../../component/component.js';
import type { Batch, Signal } from '../../component/signal.js';
import { indexTraces } from '../../store/index-traces.js';
import { expandHome, LOCAL_STORE_DIRECTORY, SYSTEM_STORE_DIRECTORY } from '../../store/layout.js';
import { StoreWriter } from '../../store/store-writer.js';
import type { StoreConfig } from './config.js';

/** `consume` accepts every batch at once: a full disk or a slow one never holds a pipeline up, it is counted. */
export class StoreExporter implements Exporter {
  readonly #settings: Settings;
  readonly #config: StoreConfig;
  readonly #signal: Signal;
  #writer: StoreWriter | undefined;

  constructor(settings: Settings, config: StoreConfig, signal: Signal) {
    this.#settings = settings;
    this.#config = config;
    this.#signal = signal;
  }

  async start(): Promise<void> {
    const { now, logger, metrics } = this.#settings;
    const config = this.#config;
    const writer = new StoreWriter({
      directory: config.directory === '' ? defaultDirectory() : expandHome(config.directory),
      signal: this.#signal,
      maxBytes: config.max_bytes,
      maxAgeMs: config.max_age,
      segmentBytes: config.segment_bytes,
      maxPendingBytes: config.max_pending_bytes,
      flushIntervalMs: config.flush_interval,
      indexPayload: indexTraces,
      now,
      logger,
      metrics,
    });
    await writer.start();
    this.#writer = writer;
  }

  async consume(batch: Batch): Promise<void> {
    if (this.#writer !== undefined) this.#writer.offer(batch);
    else {
      this.#settings.metrics.received(batch.signal, batch.itemCount);
      this.#settings.metrics.dropped(batch.signal, batch.itemCount, 'shutdown');
    }
  }

  async shutdown(deadline: AbortSignal): Promise<void> {
    await this.#writer?.close(deadline);
  }
}

const defaultDirectory = (): string => {
  try {
    mkdirSync(SYSTEM_STORE_DIRECTORY, { recursive: true, mode: 0o750 });
    accessSync(SYSTEM_STORE_DIRECTORY, constants.W_OK);
    return SYSTEM_STORE_DIRECTORY;
  } catch {
    return LOCAL_STORE_DIRECTORY;
  }
};
