/** A whole `ebpf` receiver around a piece of work, and what came out of it. */
import type { Batch } from '../../src/component/signal.js';
import { decodeSpans } from '../../src/otlp/decode.js';
import { SpanKind } from '../../src/otlp/span-constants.js';
import { ebpfConfig } from '../../src/receiver/ebpf/config.js';
import { EbpfReceiver } from '../../src/receiver/ebpf/ebpf.js';
import { NOP_LOGGER } from '../../src/telemetry/logger.js';
import { MetricsRegistry } from '../../src/telemetry/registry.js';
import { testHost } from './host.js';

export type ObservedSpan = ReturnType<typeof decodeSpans>[number];

export class Observation {
  readonly #batches: Batch[] = [];
  readonly #registry = new MetricsRegistry();
  readonly #receiver: EbpfReceiver;

  /** `settings`: the receiver's configuration. */
  constructor(settings: object) {
    this.#receiver = new EbpfReceiver(
      {
        id: 'ebpf',
        logger: NOP_LOGGER,
        metrics: this.#registry.account({ id: 'ebpf', kind: 'receiver' }).own,
        now: Date.now,
      },
      ebpfConfig().parse(settings),
      {
        traces: {
          consume: async (batch) => {
            this.#batches.push(batch);
          },
        },
      },
    );
  }

  async start(): Promise<void> {
    await this.#receiver.start(testHost());
  }

  /** Everything that was under way is there when it returns. */
  async stop(): Promise<void> {
    await this.#receiver.shutdown(AbortSignal.timeout(20_000));
  }

  get spans(): ObservedSpan[] {
    return this.#batches.flatMap(({ bytes }) => decodeSpans(bytes));
  }

  get servers(): ObservedSpan[] {
    return this.spans.filter(({ kind }) => kind === SpanKind.server);
  }

  get clients(): ObservedSpan[] {
    return this.spans.filter(({ kind }) => kind === SpanKind.client);
  }

  /** Sum of a metric over its labels. Those of the observer are a second old at most. */
  metric(name: string): number {
    return this.#registry
      .snapshot()
      .samples.filter((sample) => sample.name === name)
      .reduce((sum, { value }) => sum + value, 0);
  }

  get accounts() {
    return this.#registry.snapshot().accounts;
  }

  get metricNames(): string[] {
    return [...new Set(this.#registry.snapshot().samples.map(({ name }) => name))];
  }
}
