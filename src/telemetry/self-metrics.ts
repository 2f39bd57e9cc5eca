/**
 * Ships the agent's own numbers over OTLP: with the metrics SDK's periodic reader and the official exporter packages, so
 * that the `OTEL_EXPORTER_OTLP_*` variables and `service.telemetry.metrics.readers` mean what users know.
 */
import { OTLPExporterBase } from '@opentelemetry/otlp-exporter-base';
import {
  convertLegacyHttpOptions,
  createOtlpHttpExportDelegate,
} from '@opentelemetry/otlp-exporter-base/node-http';
import {
  convertLegacyOtlpGrpcOptions,
  createEmptyMetadata,
  createOtlpGrpcExportDelegate,
} from '@opentelemetry/otlp-grpc-exporter-base';
import { MetricsExporterMetricsHelper, ProtobufMetricsSerializer } from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  MeterProvider,
  type MetricProducer,
  PeriodicExportingMetricReader,
  type PushMetricExporter,
  type ResourceMetrics,
} from '@opentelemetry/sdk-metrics';
import { z } from 'zod';
import type { TelemetryConfig } from '../config/service.js';
import type { Logger } from './logger.js';
import { pullReaderOf } from './prometheus/metrics-server.js';

const DEFAULT_INTERVAL_MS = 60_000;
const GRPC_PATH = '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export';
/** Port by which an endpoint without `OTEL_EXPORTER_OTLP_PROTOCOL` is known to speak HTTP. */
const HTTP_PORT = /:4318(?:\/|$)/;

type Protocol = 'grpc' | 'http/protobuf';

interface Destination {
  readonly protocol: Protocol;
  /** Undefined: the exporter reads the environment. */
  readonly url: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly intervalMs: number;
}

/** The part of a `periodic` reader that is used; milliseconds, as the OpenTelemetry configuration schema has them. */
const periodicReader = z.object({
  periodic: z.object({
    interval: z.number().optional(),
    exporter: z.object({
      otlp: z.object({
        protocol: z.enum(['grpc', 'http/protobuf']).default('grpc'),
        endpoint: z.string(),
        headers: z.array(z.object({ name: z.string(), value: z.string() })).default([]),
      }),
    }),
  }),
});

export interface SelfMetrics {
  /** Sends once more and releases everything. Never rejects. */
  shutdown(): Promise<void>;
}

/** Starts to ship, or returns undefined when nobody asked for it. Creates timers; call `shutdown`. */
export function startSelfMetrics(
  producer: MetricProducer,
  { metrics }: TelemetryConfig,
  target: Readonly<Record<string, string>>,
  env: Readonly<Record<string, string | undefined>>,
  logger: Logger,
): SelfMetrics | undefined {
  if (metrics.level === 'none') return undefined;
  const destinations = [...fromReaders(metrics.readers ?? [], logger), ...fromEnvironment(env)];
  if (destinations.length === 0) return undefined;
  const provider = new MeterProvider({
    resource: resourceFromAttributes(target),
    readers: destinations.map(
      (destination) =>
        new PeriodicExportingMetricReader({
          exporter: exporterTo(destination, logger),
          exportIntervalMillis: destination.intervalMs,
          exportTimeoutMillis: Math.min(destination.intervalMs, 10_000),
          metricProducers: [producer],
        }),
    ),
  });
  return {
    shutdown: async () => {
      try {
        await provider.shutdown({ timeoutMillis: 2000 });
      } catch (error) {
        logger.warn('The last own metrics could not be sent.', {
          error: error instanceof Error ? error.message : String(error),
        });
      }
    },
  };
}

function fromReaders(readers: readonly unknown[], logger: Logger): Destination[] {
  return readers.flatMap((reader) => {
    if (pullReaderOf(reader) !== undefined) return [];
    const parsed = periodicReader.safeParse(reader);
    if (!parsed.success) {
      logger.warn('Metrics reader is not supported and stays off.', {
        reader: JSON.stringify(reader),
        supported: 'pull with a prometheus exporter, periodic with an otlp exporter',
      });
      return [];
    }
    const { interval, exporter } = parsed.data.periodic;
    const { protocol, endpoint, headers } = exporter.otlp;
    return [
      {
        protocol,
        url: endpoint,
        headers: Object.fromEntries(headers.map(({ name, value }) => [name, value])),
        intervalMs: interval ?? DEFAULT_INTERVAL_MS,
      },
    ];
  });
}

function fromEnvironment(env: Readonly<Record<string, string | undefined>>): Destination[] {
  const endpoint = env.OTEL_EXPORTER_OTLP_METRICS_ENDPOINT ?? env.OTEL_EXPORTER_OTLP_ENDPOINT;
  if (endpoint === undefined || endpoint === '' || env.OTEL_METRICS_EXPORTER === 'none') return [];
  const wish = env.OTEL_EXPORTER_OTLP_METRICS_PROTOCOL ?? env.OTEL_EXPORTER_OTLP_PROTOCOL;
  const http = wish === undefined ? HTTP_PORT.test(endpoint) : wish.startsWith('http');
  const interval = Number(env.OTEL_METRIC_EXPORT_INTERVAL ?? '');
  return [
    {
      protocol: http ? 'http/protobuf' : 'grpc',
      url: undefined,
      headers: {},
      intervalMs: interval > 0 ? interval : DEFAULT_INTERVAL_MS,
    },
  ];
}

function exporterTo({ protocol, url, headers }: Destination, logger: Logger): PushMetricExporter {
  const where = url === undefined ? {} : { url };
  if (protocol === 'grpc') {
    const metadata = createEmptyMetadata();
    for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
    return new LoggingExporter(
      createOtlpGrpcExportDelegate(
        convertLegacyOtlpGrpcOptions({ ...where, metadata }, 'METRICS'),
        ProtobufMetricsSerializer,
        'otlp_grpc_metric_exporter',
        MetricsExporterMetricsHelper,
        undefined,
        'MetricsExportService',
        GRPC_PATH,
      ),
      logger,
    );
  }
  const options = convertLegacyHttpOptions({ ...where, headers: { ...headers } }, 'METRICS', 'v1/metrics', {
    'Content-Type': 'application/x-protobuf',
  });
  return new LoggingExporter(
    createOtlpHttpExportDelegate(
      options,
      ProtobufMetricsSerializer,
      'otlp_http_metric_exporter',
      MetricsExporterMetricsHelper,
      undefined,
    ),
    logger,
  );
}

/** The SDK tells of failures only through its own global log, which is off. */
class LoggingExporter extends OTLPExporterBase<ResourceMetrics> implements PushMetricExporter {
  readonly #logger: Logger;

  constructor(delegate: ConstructorParameters<typeof OTLPExporterBase<ResourceMetrics>>[0], logger: Logger) {
    super(delegate);
    this.#logger = logger;
  }

  override export(metrics: ResourceMetrics, done: Parameters<PushMetricExporter['export']>[1]): void {
    super.export(metrics, (result) => {
      if (result.error !== undefined) {
        this.#logger.warn('Own metrics could not be exported.', { error: result.error.message });
      }
      done(result);
    });
  }
}
