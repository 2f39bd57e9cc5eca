import type { Consumer, Host, Settings } from '../../../src/component/component.js';
import type { Batch, Signal } from '../../../src/component/signal.js';
import { otlpReceiverConfig } from '../../../src/receiver/otlp/config.js';
import { OtlpReceiver } from '../../../src/receiver/otlp/otlp.js';
import { NOP_LOGGER } from '../../../src/telemetry/logger.js';
import type { ComponentMetrics } from '../../../src/telemetry/metrics.js';

export const NOP_HOST: Host = {
  provide: () => {},
  service: () => undefined,
  reportFatal: (error) => {
    throw error;
  },
  requestStop: () => {},
};

/** Adds up what a component counts. */
export class CountingMetrics implements ComponentMetrics {
  readonly sums = new Map<string, number>();

  received(signal: string, items: number): void {
    this.#add(`received ${signal}`, items);
  }
  sent(signal: string, items: number): void {
    this.#add(`sent ${signal}`, items);
  }
  dropped(signal: string, items: number, reason: string): void {
    this.#add(`dropped ${signal} ${reason}`, items);
  }
  held(signal: string, items: number): void {
    this.sums.set(`held ${signal}`, items);
  }
  count(name: string, value: number, labels: Readonly<Record<string, string>> = {}): void {
    this.#add([name, ...Object.values(labels)].join(' '), value);
  }
  gauge(): void {}

  /** Only what is not zero. */
  snapshot(): Record<string, number> {
    return Object.fromEntries([...this.sums].filter(([, value]) => value !== 0).sort());
  }

  #add(key: string, value: number): void {
    this.sums.set(key, (this.sums.get(key) ?? 0) + value);
  }
}

export const settingsFor = (id: string, metrics: ComponentMetrics = new CountingMetrics()): Settings => ({
  id,
  logger: NOP_LOGGER,
  metrics,
  now: () => Date.now(),
});

/** Keeps every batch; `answer` decides what the pipeline says. */
export class Sink implements Consumer {
  readonly batches: Batch[] = [];
  answer: (batch: Batch) => Promise<void> = async () => {};

  async consume(batch: Batch): Promise<void> {
    await this.answer(batch);
    this.batches.push(batch);
  }

  get itemCount(): number {
    return this.batches.reduce((sum, { itemCount }) => sum + itemCount, 0);
  }
}

export interface RunningReceiver {
  readonly sink: Sink;
  readonly metrics: CountingMetrics;
  readonly grpcPort: number;
  readonly httpPort: number;
  stop(): Promise<void>;
}

interface Options {
  readonly grpc?: Record<string, unknown>;
  readonly http?: Record<string, unknown>;
  readonly signals?: readonly Signal[];
  /** Where extensions have published themselves. */
  readonly host?: Host;
  readonly [field: string]: unknown;
}

/** A receiver on free ports of 127.0.0.1, configured as from YAML. */
export async function startReceiver(options: Options = {}): Promise<RunningReceiver> {
  const { grpc = {}, http = {}, signals = ['traces', 'metrics', 'logs'], host = NOP_HOST, ...rest } = options;
  const config = otlpReceiverConfig().parse({
    protocols: {
      grpc: { endpoint: '127.0.0.1:0', ...grpc },
      http: { endpoint: '127.0.0.1:0', ...http },
    },
    ...rest,
  });
  const sink = new Sink();
  const metrics = new CountingMetrics();
  const next = Object.fromEntries(signals.map((signal) => [signal, sink]));
  const receiver = new OtlpReceiver(settingsFor('otlp', metrics), config, next);
  await receiver.start(host);
  return {
    sink,
    metrics,
    grpcPort: portOf(receiver.address('grpc')),
    httpPort: portOf(receiver.address('http')),
    stop: () => receiver.shutdown(AbortSignal.timeout(2000)),
  };
}

function portOf(address: ReturnType<OtlpReceiver['address']>): number {
  if (typeof address !== 'object' || address === null) throw new Error(`not a TCP address: ${address}`);
  return address.port;
}
