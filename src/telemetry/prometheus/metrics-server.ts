/** Serves the agent's own numbers to Prometheus: `service.telemetry.metrics.readers`, `pull` with `prometheus`. */
import type { AddressInfo } from 'node:net';
import { z } from 'zod';
import type { TelemetryConfig } from '../../config/service.js';
import { hostPort, type OpenListener } from '../../transport/listen.js';
import { NOT_FOUND, servePages } from '../../transport/page-server.js';
import type { Logger } from '../logger.js';
import type { MetricsRegistry } from '../registry.js';
import { CONTENT_TYPE, metricsPage } from './metrics-page.js';

const prometheus = z.object({
  host: z.string().default('localhost'),
  port: z.int().min(0).max(65_535).default(8888),
  without_type_suffix: z.boolean().default(false),
  without_units: z.boolean().default(false),
});
type PrometheusReader = z.output<typeof prometheus>;

const pullReader = z.object({
  pull: z.object({
    exporter: z.union([
      z.object({ prometheus: prometheus.nullable() }),
      z.object({ 'prometheus/development': prometheus.nullable() }),
    ]),
  }),
});

/** What serves when the configuration has no `readers`, as in a Collector. */
const DEFAULT_READER: PrometheusReader = {
  host: 'localhost',
  port: 8888,
  without_type_suffix: true,
  without_units: true,
};

/** The settings of a pull reader, or undefined when `reader` is another one. */
export function pullReaderOf(reader: unknown): PrometheusReader | undefined {
  const parsed = pullReader.safeParse(reader);
  if (!parsed.success) return undefined;
  const { exporter } = parsed.data.pull;
  const found = 'prometheus' in exporter ? exporter.prometheus : exporter['prometheus/development'];
  return found ?? prometheus.parse({});
}

/** Serves what a configuration asks for, and what the next one does. */
export class MetricsServers {
  readonly #registry: MetricsRegistry;
  readonly #logger: Logger;
  /** By address as configured, and which of the readers with that address it is: any number may ask for port 0. */
  readonly #open = new Map<string, { readonly listener: OpenListener; reader: PrometheusReader }>();
  #level: TelemetryConfig['metrics']['level'] = 'none';
  #target: Readonly<Record<string, string>> = {};

  constructor(registry: MetricsRegistry, logger: Logger) {
    this.#registry = registry;
    this.#logger = logger;
  }

  get addresses(): readonly AddressInfo[] {
    return [...this.#open.values()].flatMap(({ listener: { address } }) =>
      typeof address === 'object' && address !== null ? [address] : [],
    );
  }

  /**
   * Serves `metrics` with `target` from now on. Addresses that were served before stay open. One that is taken is an
   * error when it was asked for, and nothing changes then; it is a warning when it is the default: a Collector on the same
   * machine has it, and the agent has work to do without it.
   */
  async apply({ metrics }: TelemetryConfig, target: Readonly<Record<string, string>>): Promise<void> {
    const asked = metrics.readers?.flatMap((reader) => pullReaderOf(reader) ?? []) ?? [DEFAULT_READER];
    const wanted = new Map<string, PrometheusReader>();
    for (const reader of metrics.level === 'none' ? [] : asked) {
      const where = hostPort(reader.host, reader.port);
      let count = 0;
      while (wanted.has(`${where} ${count}`)) count++;
      wanted.set(`${where} ${count}`, reader);
    }
    const opened: string[] = [];
    for (const [key, reader] of wanted) {
      if (this.#open.has(key)) continue;
      const where = hostPort(reader.host, reader.port);
      try {
        this.#open.set(key, { listener: await this.#serve(key, where), reader });
        opened.push(key);
      } catch (error) {
        const { message } = error as Error;
        if (metrics.readers != null) {
          await Promise.all(opened.map((other) => this.#close(other)));
          throw new Error(`binding address ${where} for Prometheus exporter: ${message}`, { cause: error });
        }
        this.#logger.warn('Own metrics are not served, because the default address can not be used.', {
          error: message,
          hint: 'set service.telemetry.metrics.readers to another address, or level to none',
        });
      }
    }
    this.#level = metrics.level;
    this.#target = target;
    for (const [key, one] of this.#open) one.reader = wanted.get(key) ?? one.reader;
    for (const key of opened) {
      const address = this.#open.get(key)?.listener.address;
      if (typeof address !== 'object' || address === null) continue;
      const endpoint = `http://${hostPort(address.address, address.port)}/metrics`;
      this.#logger.info('Serving own metrics', { endpoint });
    }
    const needless = [...this.#open.keys()].filter((key) => !wanted.has(key));
    await Promise.all(needless.map((key) => this.#close(key)));
  }

  /** Never rejects. */
  async shutdown(): Promise<void> {
    await Promise.all([...this.#open.keys()].map((key) => this.#close(key)));
  }

  #serve(key: string, where: string): Promise<OpenListener> {
    return servePages(where, ({ pathname }) => {
      const reader = this.#open.get(key)?.reader;
      if (pathname !== '/metrics' || reader === undefined) return NOT_FOUND;
      const naming = { typeSuffix: !reader.without_type_suffix, unitSuffix: !reader.without_units };
      return { type: CONTENT_TYPE, body: metricsPage(this.#registry, this.#level, naming, this.#target) };
    });
  }

  async #close(key: string): Promise<void> {
    const one = this.#open.get(key);
    this.#open.delete(key);
    await one?.listener.close();
  }
}
