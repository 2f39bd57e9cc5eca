/**
 * Settings of `span_metrics`: fields, defaults and sentences of the Collector's
 * (https://github.com/open-telemetry/opentelemetry-collector-contrib, connector/spanmetricsconnector), and two of our own:
 * `naming` and `max_size`.
 */
import { z } from 'zod';
import { byteSize, duration } from '../../config/fields.js';

const RESERVED = ['service.name', 'span.kind', 'status.code', 'span.name'];

const dimension = z
  .strictObject({
    name: z.string().optional().describe('Attribute of the span, or else of its resource.'),
    default: z
      .string()
      .optional()
      .describe('Value where the attribute is missing. Without one it is left out.'),
    glob: z.string().optional().describe('In place of `name`: every attribute whose name matches.'),
  })
  .refine(({ name, glob }) => (name === undefined) !== (glob === undefined), {
    message: 'exactly one of `name` and `glob` must be set',
  });

export type Dimension = z.output<typeof dimension>;

const dimensions = (what: string) => z.array(dimension).default([]).describe(what);

export const spanMetricsConfig = () =>
  z
    .strictObject({
      namespace: z
        .string()
        .default('traces.span.metrics')
        .describe('What the names of metrics begin with, and a dot.'),
      histogram: z
        .strictObject({
          disable: z.boolean().default(false).describe('No durations.'),
          unit: z.enum(['ms', 's']).default('ms').describe('Unit of durations.'),
          explicit: z
            .strictObject({
              buckets: z.array(duration()).optional().describe('Upper bounds of the buckets.'),
            })
            .optional()
            .describe('Buckets as listed. Left out: 2ms to 15s.'),
          exponential: z
            .strictObject({
              max_size: z.int().min(0).default(160).describe('Most buckets. 0: 160.'),
            })
            .optional()
            .describe('Buckets of exponential width.'),
          dimensions: dimensions('Further dimensions of durations.'),
        })
        .prefault({})
        .describe('Durations of spans.'),
      dimensions: dimensions('Dimensions besides those that all metrics have.'),
      calls_dimensions: dimensions('Further dimensions of calls.'),
      exclude_dimensions: z.array(z.string()).default([]).describe('Dimensions to leave out of all metrics.'),
      events: z
        .strictObject({
          enabled: z.boolean().default(false).describe('Count the events of spans.'),
          dimensions: dimensions('Dimensions by attributes of events.'),
        })
        .prefault({})
        .describe('Events of spans.'),
      exemplars: z
        .strictObject({
          enabled: z.boolean().default(false).describe('Name traces.'),
          max_per_data_point: z.int().min(1).optional().describe('Most traces of a point. Left out: 5.'),
        })
        .prefault({})
        .describe('Traces behind the durations.'),
      aggregation_temporality: z
        .enum(['AGGREGATION_TEMPORALITY_CUMULATIVE', 'AGGREGATION_TEMPORALITY_DELTA'])
        .default('AGGREGATION_TEMPORALITY_CUMULATIVE')
        .describe('Since the start of a series, or since the last flush.'),
      metrics_flush_interval: duration().prefault('60s').describe('How often metrics are sent.'),
      metrics_expiration: duration()
        .prefault('0s')
        .describe('Metrics of a resource without spans for so long are forgotten. 0s: never.'),
      series_expiration: duration()
        .prefault('0s')
        .describe('A series without spans for so long is forgotten. 0s: never.'),
      aggregation_cardinality_limit: z
        .int()
        .default(0)
        .describe(
          'Series of one metric of one resource; what exceeds it is counted with `otel.metric.overflow=true`. 0: any number.',
        ),
      resource_metrics_cache_size: z
        .int()
        .min(1)
        .default(1000)
        .describe('Resources; the least recently seen makes room for another.'),
      resource_metrics_key_attributes: z
        .array(z.string())
        .default([])
        .describe('Resource attributes that tell resources apart. Empty: all.'),
      add_resource_attributes: z
        .boolean()
        .default(false)
        .describe("The metrics have the spans' resources, instead of the agent's."),
      include_instrumentation_scope: z
        .array(z.string())
        .default([])
        .describe('Scopes whose name and version become dimensions.'),
      enable_metrics_sampling_method: z
        .boolean()
        .default(false)
        .describe('Add `sampling.method`: `extrapolated` for spans that stand for others, else `counted`.'),
      dimensions_cache_size: z
        .int()
        .default(1000)
        .describe('Without effect, accepted for old configurations.'),
      metric_timestamp_cache_size: z
        .int()
        .optional()
        .describe('Without effect, accepted for old configurations.'),
      naming: z
        .enum(['connector', 'tempo'])
        .default('connector')
        .describe(
          "`tempo`: names, labels, unit and buckets of Tempo's metrics generator, whatever `namespace` and `histogram` say.",
        ),
      max_size: byteSize()
        .prefault('64MiB')
        .describe('Memory of all series. What exceeds it is counted with `otel.metric.overflow=true`.'),
    })
    .superRefine((config, context) => {
      const fail = (message: string) => context.addIssue({ code: 'custom', message });
      const problem = repeated(config.dimensions);
      if (problem !== undefined) fail(`failed validating dimensions: duplicate dimension name ${problem}`);
      const { enabled, dimensions: ofEvents } = config.events;
      const eventProblem = repeated(ofEvents);
      if (enabled && ofEvents.length === 0) {
        fail('failed validating event dimensions: no dimensions configured for events');
      } else if (enabled && eventProblem !== undefined) {
        fail(`failed validating event dimensions: duplicate dimension name ${eventProblem}`);
      }
      if (config.histogram.explicit !== undefined && config.histogram.exponential !== undefined) {
        fail('use either `explicit` or `exponential` buckets histogram');
      }
      if (config.aggregation_cardinality_limit < 0) {
        fail(
          `invalid aggregation_cardinality_limit: ${config.aggregation_cardinality_limit}, the limit should be positive`,
        );
      }
      for (const name of ['metrics_flush_interval', 'metrics_expiration'] as const) {
        if (config[name] < 0) fail(`invalid ${name}: ${config[name]}ms, the duration should be positive`);
      }
    });

export type SpanMetricsConfig = z.output<ReturnType<typeof spanMetricsConfig>>;

/** The first name that occurs twice, or is one of those that all metrics have. */
function repeated(list: readonly Dimension[]): string | undefined {
  const names = new Set(RESERVED);
  for (const { name } of list) {
    if (name === undefined) continue;
    if (names.has(name)) return name;
    names.add(name);
  }
  return undefined;
}
