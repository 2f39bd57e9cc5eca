import type { Exporter, Host } from '../../../src/component/component.js';
import type { ExporterFactory } from '../../../src/component/factory.js';
import type { Batch, Signal } from '../../../src/component/signal.js';
import { countBatch } from '../../../src/otlp/count.js';
import { CountingMetrics, NOP_HOST, settingsFor } from './receiver-harness.js';

/** No queue and no retries: the caller of `consume` sees what the peer said. */
export const SYNCHRONOUS = { sending_queue: { enabled: false }, retry_on_failure: { enabled: false } };

export interface RunningExporter {
  readonly exporter: Exporter;
  readonly metrics: CountingMetrics;
  stop(): Promise<void>;
}

/** Configures an exporter as from YAML, creates and starts it. */
export async function startExporter(
  factory: ExporterFactory,
  config: Record<string, unknown>,
  signal: Signal = 'traces',
  host: Host = NOP_HOST,
): Promise<RunningExporter> {
  const metrics = new CountingMetrics();
  const parsed = factory.config().parse(config);
  const exporter = factory.create(settingsFor(factory.type, metrics), parsed, signal);
  await exporter.start(host);
  return { exporter, metrics, stop: () => exporter.shutdown(AbortSignal.timeout(2000)) };
}

export const batchOf = (signal: Signal, bytes: Uint8Array): Batch => ({
  signal,
  bytes,
  itemCount: countBatch(signal, bytes),
  origin: { receiver: 'test' },
});

/** What a promise rejects with. */
export const rejection = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => {
      throw new Error('nothing was rejected');
    },
    (error: unknown) => error,
  );
