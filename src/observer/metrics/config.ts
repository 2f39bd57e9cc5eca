/** Settings of what is measured, shared by the receivers that run an observer. */
import { z } from 'zod';
import { byteSize, duration } from '../../config/fields.js';
import { type AggregatorOptions, DEFAULT_AGGREGATION } from '../../metrics/aggregator.js';
import { VERSION } from '../../version.js';
import { SCHEMA_URL } from '../span-attributes.js';
import type { MeasurementOptions } from './observer-measurements.js';

export const metricsConfig = () =>
  z
    .strictObject({
      interval: duration()
        .prefault('15s')
        .refine((ms) => ms >= 100, { message: 'must be at least 100ms' })
        .describe('How often metrics are sent.'),
      naming: z
        .enum(['semconv', 'kindling', 'both'])
        .default('semconv')
        .describe(
          'Names of the semantic conventions, those of the Kindling collector before this one, for dashboards that were made for it, or both.',
        ),
      temporality: z
        .enum(['cumulative', 'delta'])
        .default('cumulative')
        .describe(
          'Sums and histograms since the start of their series (Prometheus), or since the last time.',
        ),
      histogram: z
        .enum(['explicit', 'exponential'])
        .default('explicit')
        .describe('Buckets of the semantic conventions, or exponential ones of at most 160.'),
      series_limit: z
        .int()
        .min(0)
        .default(DEFAULT_AGGREGATION.seriesLimit)
        .describe(
          'Series of one metric of one service; what exceeds it is counted together, with `otel.metric.overflow=true`. 0: any number.',
        ),
      max_size: byteSize().prefault('32MiB').describe('Memory of all series. What exceeds it overflows too.'),
      expiration: duration()
        .prefault('15m')
        .describe('A series that measured nothing for so long is forgotten. 0s: never.'),
      exemplars: z
        .int()
        .min(0)
        .max(20)
        .default(DEFAULT_AGGREGATION.exemplars)
        .describe('Traces that a point of a histogram names at most, the slowest first. 0: none.'),
      dns_labels: z
        .int()
        .min(0)
        .default(0)
        .describe(
          'Labels of `dns.question.name` that metrics show, from its end: 2 makes `a.b.example.org` `example.org`. 0: all.',
        ),
    })
    .prefault({})
    .describe('Metrics of requests. Nothing is measured where no metrics pipeline has the receiver.');

export type MetricsConfig = z.output<ReturnType<typeof metricsConfig>>;

export const METRICS_SCOPE = 'kindling/ebpf';

/** About 100 bytes each. */
const MAX_CONNECTIONS = 65_536;

/** `agentId`: see `ServiceGroupOptions`. */
export function measurementOptions(
  config: MetricsConfig,
  agentId: string,
  hostName: string,
  spansAreSent: boolean,
): MeasurementOptions {
  const aggregation: AggregatorOptions = {
    ...DEFAULT_AGGREGATION,
    scope: METRICS_SCOPE,
    version: VERSION,
    schemaUrl: SCHEMA_URL,
    temporality: config.temporality,
    histogram: config.histogram,
    seriesLimit: config.series_limit,
    maxBytes: config.max_size,
    expirationMs: config.expiration,
    exemplars: config.exemplars,
  };
  return {
    aggregation,
    intervalNs: config.interval * 1e6,
    dnsLabels: config.dns_labels,
    spansAreSent,
    maxConnections: MAX_CONNECTIONS,
    naming: config.naming,
    agentId,
    hostName,
  };
}
