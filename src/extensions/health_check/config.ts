/**
 * Settings of `health_check`: names, defaults and sentences are the Collector's, version 1 at the top, version 2 under
 * `http` and `grpc` with `use_v2: true`.
 */
import { z } from 'zod';
import { duration, endpoint, reportedAt } from '../../config/fields.js';
import { collectorType } from '../../config/schema-walk.js';

const componentHealth = () =>
  z.strictObject({
    include_permanent_errors: z.boolean().default(false).describe('A permanent error makes unhealthy.'),
    include_recoverable_errors: z
      .boolean()
      .default(false)
      .describe('So does a recoverable one that lasts for `recovery_duration`.'),
    recovery_duration: duration().prefault('5m').describe('How long an error may take to mend itself.'),
  });

/** With nothing behind it (null) a protocol is on with its defaults. */
const orNull = <T extends z.ZodType>(schema: T) =>
  schema.nullable().transform((value): z.output<T> => (value === null ? schema.parse({}) : value));

const urlPath = () =>
  z
    .string()
    .refine((path) => path.startsWith('/'), { error: 'path must start with /', params: reportedAt() });

export const healthCheckConfig = () =>
  collectorType('healthcheck.Config', fields(), { unmarshals: true }).superRefine(
    ({ use_v2: v2, http, grpc }, context) => {
      if (!v2 || http !== undefined || grpc !== undefined) return;
      context.addIssue({ code: 'custom', path: ['config'], message: 'must specify at least one protocol' });
    },
  );

const fields = () =>
  z.strictObject({
    endpoint: endpoint().default('localhost:13133').describe('Version 1: address to listen on.'),
    path: urlPath().default('/').describe('Version 1: URL path of the probe.'),
    response_body: z
      .strictObject({
        healthy: z.string().default('').describe('Body of the answer 200. Empty: JSON with the uptime.'),
        unhealthy: z.string().default('').describe('Body of the answer 503.'),
      })
      .optional()
      .describe('Version 1: what to answer instead of JSON.'),
    check_collector_pipeline: z
      .strictObject({
        enabled: z.boolean().default(false).describe('Accepted.'),
        interval: z.string().default('5m').describe('Accepted.'),
        exporter_failure_threshold: z.int().default(5).describe('Accepted.'),
      })
      .optional()
      .describe('Accepted; changes nothing, as in a Collector of today.'),
    use_v2: z
      .boolean()
      .default(false)
      .describe('Answer with the status of each pipeline, see `http` and `grpc`.'),
    http: orNull(
      z.strictObject({
        endpoint: endpoint().default('localhost:13133').describe('Address to listen on.'),
        status: z
          .strictObject({
            enabled: z.boolean().default(true).describe('Serve the status.'),
            path: urlPath().default('/status').describe('Its URL path.'),
          })
          .prefault({})
          .describe('`?pipeline=traces` asks for one pipeline, `?verbose` for all components.'),
        config: z
          .strictObject({
            enabled: z.boolean().default(false).describe('Serve it.'),
            path: urlPath().default('/config').describe('Its URL path.'),
          })
          .prefault({})
          .describe('The configuration that runs, as JSON, with its secrets redacted.'),
      }),
    )
      .optional()
      .describe('Version 2 over HTTP. Left out: off.'),
    grpc: orNull(
      z.strictObject({
        endpoint: endpoint().default('localhost:13132').describe('Address to listen on.'),
      }),
    )
      .optional()
      .describe('Version 2 as `grpc.health.v1.Health`; services are the pipelines. Left out: off.'),
    component_health: componentHealth().prefault({}).describe('Version 2: which errors count.'),
  });

export type HealthCheckConfig = z.output<ReturnType<typeof healthCheckConfig>>;
