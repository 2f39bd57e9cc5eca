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

export interface MetricsServers {
  readonly addresses: readonly AddressInfo[];
  /** Never rejects. */
  shutdown(): Promise<void>;
}

/**
 * Starts what the configuration asks for. An address that is taken is an error when it was asked for, and a warning when
 * it is the default: a Collector on the same machine has it then, and the agent has work to do without it.
 */
export async function startMetricsServers(
  registry: MetricsRegistry,
  { metrics }: TelemetryConfig,
  target: Readonly<Record<string, string>>,
  logger: Logger,
): Promise<MetricsServers> {
  const open: OpenListener[] = [];
  const shutdown = async (): Promise<void> => {
    await Promise.all(open.map((listener) => listener.close()));
  };
  const readers = metrics.readers?.flatMap((reader) => pullReaderOf(reader) ?? []) ?? [DEFAULT_READER];
  for (const reader of metrics.level === 'none' ? [] : readers) {
    const naming = { typeSuffix: !reader.without_type_suffix, unitSuffix: !reader.without_units };
    try {
      open.push(await serve(reader, () => metricsPage(registry, metrics.level, naming, target)));
    } catch (error) {
      const { message } = error as Error;
      if (metrics.readers !== undefined) {
        await shutdown();
        const where = hostPort(reader.host, reader.port);
        throw new Error(`binding address ${where} for Prometheus exporter: ${message}`, { cause: error });
      }
      logger.warn('Own metrics are not served, because the default address can not be used.', {
        error: message,
        hint: 'set service.telemetry.metrics.readers to another address, or level to none',
      });
    }
  }
  const addresses = open.flatMap(({ address }) =>
    typeof address === 'object' && address !== null ? [address] : [],
  );
  for (const { address, port } of addresses) {
    logger.info('Serving own metrics', { endpoint: `http://${hostPort(address, port)}/metrics` });
  }
  return { addresses, shutdown };
}

const serve = ({ host, port }: PrometheusReader, page: () => string): Promise<OpenListener> =>
  servePages(hostPort(host, port), ({ pathname }) =>
    pathname === '/metrics' ? { type: CONTENT_TYPE, body: page() } : NOT_FOUND,
  );
