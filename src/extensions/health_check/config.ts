/**
 * Settings of `health_check`: names and defaults are the Collector's, version 1 at the top, version 2 under `http` with
 * `use_v2: true`. Version 2 over gRPC is not there.
 */
import { z } from 'zod';
import { duration, endpoint } from '../../config/fields.js';

const componentHealth = () =>
  z.strictObject({
    include_permanent_errors: z.boolean().default(false).describe('A permanent error makes unhealthy.'),
    include_recoverable_errors: z
      .boolean()
      .default(false)
      .describe('So does a recoverable one that lasts for `recovery_duration`.'),
    recovery_duration: duration().prefault('5m').describe('How long an error may take to mend itself.'),
  });

export const healthCheckConfig = () =>
  z.strictObject({
    endpoint: endpoint().default('localhost:13133').describe('Version 1: address to listen on.'),
    path: z.string().default('/').describe('Version 1: URL path of the probe.'),
    response_body: z
      .strictObject({
        healthy: z.string().default('').describe('Body of the answer 200. Empty: JSON with the uptime.'),
        unhealthy: z.string().default('').describe('Body of the answer 503.'),
      })
      .optional()
      .describe('Version 1: what to answer instead of JSON.'),
    check_collector_pipeline: z
      .record(z.string(), z.unknown())
      .optional()
      .describe('Accepted; changes nothing, as in a Collector of today.'),
    use_v2: z.boolean().default(false).describe('Answer with the status of each pipeline, see `http`.'),
    http: z
      .strictObject({
        endpoint: endpoint().default('localhost:13133').describe('Address to listen on.'),
        status: z
          .strictObject({
            enabled: z.boolean().default(true).describe('Serve the status.'),
            path: z.string().default('/status').describe('Its URL path.'),
          })
          .prefault({})
          .describe('`?pipeline=traces` asks for one pipeline, `?verbose` for all components.'),
      })
      .prefault({})
      .describe('Version 2.'),
    component_health: componentHealth().prefault({}).describe('Version 2: which errors count.'),
  });

export type HealthCheckConfig = z.output<ReturnType<typeof healthCheckConfig>>;
