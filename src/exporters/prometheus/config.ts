/**
 * Settings of the `prometheus` exporter: fields and defaults of the Collector's
 * (https://github.com/open-telemetry/opentelemetry-collector-contrib, exporter/prometheusexporter), and `max_series`.
 */
import { z } from 'zod';
import { duration, endpoint, tlsServer } from '../../config/fields.js';

const STRATEGIES = [
  'UnderscoreEscapingWithSuffixes',
  'UnderscoreEscapingWithoutSuffixes',
  'NoUTF8EscapingWithSuffixes',
  'NoTranslation',
] as const;
export type TranslationStrategy = (typeof STRATEGIES)[number];

const resourceLabels = () =>
  z.strictObject({
    enabled: z.boolean().default(false).describe('Every resource attribute becomes a label of every series.'),
    exclude_service_attributes: z
      .boolean()
      .default(false)
      .describe('Except those that make `job` and `instance`.'),
  });

export const prometheusConfig = () =>
  z.strictObject({
    endpoint: endpoint().describe('Where `/metrics` is served, for example `localhost:8889`.'),
    tls: tlsServer().optional().describe('TLS of the server. Left out: plain text.'),
    auth: z
      .strictObject({ authenticator: z.string().describe('Id of the extension that checks clients.') })
      .optional()
      .describe('Who may read.'),
    namespace: z.string().default('').describe('What the names of metrics begin with, and an underscore.'),
    const_labels: z.record(z.string(), z.string()).default({}).describe('Labels that every series gets.'),
    send_timestamps: z.boolean().default(false).describe('Show when each point was measured.'),
    metric_expiration: duration()
      .prefault('5m')
      .describe('A series without news for so long is not shown any more.'),
    enable_open_metrics: z
      .boolean()
      .default(false)
      .describe('Serve OpenMetrics, which has exemplars, to those who accept it.'),
    add_metric_suffixes: z
      .boolean()
      .default(true)
      .describe('Units and types at the end of names. Without effect where `translation_strategy` is set.'),
    translation_strategy: z
      .string()
      .default('')
      .superRefine((value, context) => {
        if (value === '' || STRATEGIES.some((one) => one === value)) return;
        context.addIssue({ code: 'custom', message: `invalid translation_strategy: ${value}` });
      })
      .transform((value) => value as TranslationStrategy | '')
      .describe(
        `How names are translated: ${STRATEGIES.map((one) => `\`${one}\``).join(', ')}. Left out: as \`add_metric_suffixes\` says.`,
      ),
    resource_to_telemetry_conversion: resourceLabels()
      .prefault({})
      .describe('Resource attributes as labels; without, they are labels of `target_info`.'),
    resource_constant_labels: resourceLabels()
      .optional()
      .describe('Newer name of `resource_to_telemetry_conversion`.'),
    without_scope_info: z
      .boolean()
      .default(false)
      .describe('Leave out `otel_scope_name` and `otel_scope_version`.'),
    max_series: z
      .int()
      .min(1)
      .default(200_000)
      .describe(
        'Series that are remembered; more are left out, counted. About 500 bytes each, histograms 1 KiB.',
      ),
  });

export type PrometheusConfig = z.output<ReturnType<typeof prometheusConfig>>;
