/**
 * What the agent tells of itself, as `service.telemetry` wants it: log, metrics to fetch, metrics to send. A reload applies
 * the next configuration: listeners and counters that both have go on.
 */
import { createWriteStream, type WriteStream } from 'node:fs';
import type { TelemetryConfig } from '../config/service.js';
import { ConsoleLogger, type ConsoleLoggerOptions } from './console-logger.js';
import { ownResource } from './own-resource.js';
import { MetricsServers } from './prometheus/metrics-server.js';
import type { MetricsRegistry } from './registry.js';
import { RegistryMetricProducer } from './registry-metric-producer.js';
import { type SelfMetrics, startSelfMetrics } from './self-metrics.js';

export interface OwnTelemetryTools {
  readonly registry: MetricsRegistry;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  readonly version: string;
  /** `service.instance.id`, unless the configuration says otherwise. */
  readonly instanceId: string;
}

export class OwnTelemetry {
  readonly logger: ConsoleLogger;
  readonly #tools: OwnTelemetryTools;
  readonly #servers: MetricsServers;
  readonly #producer: RegistryMetricProducer;
  #files: WriteStream[] = [];
  #sent: { readonly by: SelfMetrics | undefined; readonly wish: string } | undefined;

  /** The log works at once; the metrics begin with `apply`. */
  constructor(telemetry: TelemetryConfig, tools: OwnTelemetryTools) {
    this.#tools = tools;
    this.logger = ConsoleLogger.create(this.#logOptions(telemetry), telemetry.logs.initial_fields);
    this.#servers = new MetricsServers(tools.registry, this.logger);
    this.#producer = new RegistryMetricProducer(tools.registry);
  }

  /**
   * Rejects when an address that was asked for can't be bound; everything is as before then. Log files are opened anew,
   * which is what log rotation expects of a SIGHUP.
   */
  async apply(telemetry: TelemetryConfig): Promise<void> {
    const { env, version, instanceId } = this.#tools;
    const target = ownResource(telemetry, version, instanceId);
    await this.#servers.apply(telemetry, target);
    const before = this.#files;
    this.#files = [];
    this.logger.reconfigure(this.#logOptions(telemetry), telemetry.logs.initial_fields);
    for (const file of before) file.end();
    const wish = JSON.stringify([telemetry.metrics, target]);
    if (this.#sent?.wish === wish) return;
    await this.#sent?.by?.shutdown();
    this.#sent = { by: startSelfMetrics(this.#producer, telemetry, target, env, this.logger), wish };
  }

  /** Sends the metrics once more and closes everything. Never rejects. The log still works. */
  async shutdown(): Promise<void> {
    await this.#sent?.by?.shutdown();
    await this.#servers.shutdown();
  }

  #logOptions({ logs }: TelemetryConfig): ConsoleLoggerOptions {
    const { out, err } = this.#tools;
    const sinks = logs.output_paths.map((path): ((line: string) => void) => {
      if (path === 'stderr') return err;
      if (path === 'stdout') return out;
      const stream = createWriteStream(path, { flags: 'a' });
      stream.on('error', (error) => err(`Error: cannot write the log file ${path}: ${error.message}\n`));
      this.#files.push(stream);
      return (line) => stream.write(line);
    });
    const { sampling } = logs;
    return {
      level: logs.level,
      encoding: logs.encoding,
      write: (line) => {
        for (const sink of sinks) sink(line);
      },
      repeats: sampling.enabled
        ? { tickMs: sampling.tick, initial: sampling.initial, thereafter: sampling.thereafter }
        : undefined,
    };
  }
}
