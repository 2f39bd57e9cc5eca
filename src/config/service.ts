/** The `service` section: which components run, how they are wired, and what the agent tells of itself. */
import { z } from 'zod';
import { DECODING_ISSUE, duration, levelOf } from './fields.js';
import { parseComponentId } from './ids.js';
import { COMPONENT_ID, collectorType } from './schema-walk.js';

const logLevel = () =>
  z.codec(z.string(), z.enum(['debug', 'info', 'warn', 'error']), {
    decode: (text, context) => {
      const level = text === '' ? 'info' : text.toLowerCase();
      if (level === 'debug' || level === 'info' || level === 'warn' || level === 'error') return level;
      context.issues.push({
        code: 'custom',
        message: `unrecognized level: ${JSON.stringify(text)}`,
        input: text,
        params: { decoding: true },
      });
      return z.NEVER;
    },
    encode: (level) => level.toUpperCase(),
  });

const samplingFields = () =>
  z.strictObject({
    enabled: z.boolean().default(true).describe('Limit repeated log lines.'),
    tick: duration().prefault('10s').describe('The period that the next two count in.'),
    initial: z.int().default(10).describe('Lines with the same sentence that are written in each period.'),
    thereafter: z
      .int()
      .default(100)
      .describe('After those, one in this many is written, with the number of lines left out.'),
  });

const logsFields = () => collectorType('migration.LogsConfigV030', logFields());

const logFields = () =>
  z.strictObject({
    level: logLevel().prefault('INFO').describe('DEBUG, INFO, WARN or ERROR.'),
    encoding: z.enum(['console', 'json']).default('console').describe('Form of a line.'),
    development: z.boolean().default(false).describe('Accepted; changes nothing.'),
    sampling: samplingFields().prefault({}).describe('Repeated lines.'),
    output_paths: z.array(z.string()).default(['stderr']).describe('`stderr`, `stdout` or files.'),
    error_output_paths: z.array(z.string()).default(['stderr']).describe('Accepted; changes nothing.'),
    disable_caller: z.boolean().default(false).describe('Accepted; lines have no caller.'),
    disable_stacktrace: z.boolean().default(false).describe('Accepted; changes nothing.'),
    initial_fields: z.record(z.string(), z.unknown()).default({}).describe('Added to each line.'),
    processors: z.array(z.unknown()).default([]).describe('Accepted; changes nothing.'),
  });

/** The parts of a reader that are used have types, the others may be anything. */
const metricReader = () =>
  z.strictObject({
    pull: z
      .looseObject({
        exporter: z
          .looseObject({
            prometheus: prometheusReader().nullish(),
            'prometheus/development': prometheusReader().nullish(),
          })
          .nullish(),
      })
      .nullish()
      .describe('Serves the numbers: `exporter.prometheus` with `host` and `port`.'),
    periodic: z
      .looseObject({ interval: z.int().nullish(), timeout: z.int().nullish() })
      .nullish()
      .describe(
        'Sends the numbers each `interval` milliseconds: `exporter.otlp` with `protocol` and `endpoint`.',
      ),
  });

const prometheusReader = () => z.looseObject({ host: z.string().nullish(), port: z.int().nullish() });

const metricsFields = () =>
  collectorType(
    'migration.MetricsConfigV030',
    z.strictObject({
      level: levelOf(['none', 'basic', 'normal', 'detailed'])
        .prefault('normal')
        .describe('`none` exports nothing.'),
      readers: z
        .array(metricReader())
        .nullish()
        .describe(
          'Who gets the numbers of the agent itself: `pull` readers with a `prometheus` exporter serve them, `periodic` ' +
            'readers with an `otlp` exporter send them. Left out: served on http://localhost:8888/metrics if it is free.',
        ),
      views: z.array(z.unknown()).optional().describe('Accepted; changes nothing.'),
    }),
  );

const tracesFields = () =>
  collectorType(
    'migration.TracesConfigV030',
    z.strictObject({
      level: z.string().nullish(),
      propagators: z.array(z.string()).nullish(),
      processors: z.array(z.unknown()).nullish(),
      sampler: z.unknown().optional(),
      limits: z.unknown().optional(),
    }),
  );

/** `name: value`, or the newer form with a list `attributes`. */
const resourceFields = () =>
  z
    .looseObject({
      attributes: z.array(z.looseObject({ name: z.string(), value: z.unknown() })).optional(),
    })
    .superRefine((resource, context) => {
      for (const [name, value] of Object.entries(resource)) {
        if (typeof value === 'string' || value === null || NEW_RESOURCE_KEYS.includes(name)) continue;
        const message = `legacy resource attribute ${JSON.stringify(name)} must be string or null`;
        context.addIssue({ code: 'custom', message });
      }
    });

const NEW_RESOURCE_KEYS = [
  'attributes',
  'attributes_list',
  'detectors',
  'detection/development',
  'schema_url',
];

const telemetryFields = () =>
  z
    .strictObject({
      logs: logsFields().prefault({}),
      metrics: metricsFields().prefault({}),
      traces: tracesFields().nullish().describe('Accepted; see the page tracez of zpages.'),
      resource: resourceFields()
        .default({})
        .describe('Resource attributes of the agent itself; null removes one.'),
    })
    .superRefine(({ metrics }, context) => {
      const fail = (message: string) => context.addIssue({ code: 'custom', message });
      if (metrics.views !== undefined && metrics.level !== 'detailed') {
        fail(
          'service::telemetry::metrics::views can only be set when service::telemetry::metrics::level is detailed',
        );
      }
      if (metrics.readers?.length === 0 && metrics.level !== 'none') {
        fail('collector telemetry metrics reader should exist when metric level is not none');
      }
    });

/** Ids of components. Unlike lists of texts, they are not split out of one text at commas. */
const idList = () =>
  z.array(
    collectorType(
      COMPONENT_ID,
      z.string().superRefine((text, context) => {
        const parsed = parseComponentId(text);
        if (!('problem' in parsed)) return;
        context.addIssue({ code: 'custom', message: parsed.problem, params: DECODING_ISSUE });
      }),
    ),
  );

export const pipelineFields = () =>
  z.strictObject({
    receivers: idList().default([]),
    processors: idList().default([]),
    exporters: idList().default([]),
  });

/** Schema of `service`. */
export const serviceFields = () =>
  z.strictObject({
    extensions: idList().default([]),
    pipelines: z.record(z.string(), pipelineFields()).default({}),
    telemetry: telemetryFields().prefault({}),
  });

export type ServiceConfig = z.output<ReturnType<typeof serviceFields>>;
export type TelemetryConfig = ServiceConfig['telemetry'];
