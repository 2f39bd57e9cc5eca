/**
 * Settings of the `otlp_grpc` exporter: fields, defaults and sentences of the Collector's
 * (https://github.com/open-telemetry/opentelemetry-collector/tree/v0.159.0/exporter/otlpexporter).
 */
import { z } from 'zod';
import { duration, endpointProblem, reportedAt } from '../../config/fields.js';
import { collectorType } from '../../config/schema-walk.js';
import { hasEndpointInEnvironment, otlpClientFields } from '../../pipeline/otlp-export/client-config.js';

export const DEFAULT_TIMEOUT_MS = 5000;

export const otlpGrpcConfig = () => collectorType('otlpexporter.Config', fields());

const BALANCERS: readonly string[] = ['round_robin', 'pick_first'];

const fields = () =>
  z
    .strictObject({
      endpoint: z
        .string()
        .default('')
        .describe(
          'Where to send: `host:port` (TLS unless `tls.insecure`), `http://host:port` for plain text, ' +
            '`https://host:port`, `dns:///host:port`, `unix:///path`. Empty: OTEL_EXPORTER_OTLP_ENDPOINT.',
        ),
      ...otlpClientFields('5s'),
      balancer_name: z
        .string()
        .default('round_robin')
        .refine((name) => BALANCERS.includes(name), {
          error: (issue) => `invalid balancer_name: ${String(issue.input)}`,
          params: reportedAt('clientconfig'),
        })
        .describe('Accepted; all requests go over one connection.'),
      keepalive: z
        .strictObject({
          time: duration()
            .prefault('10s')
            .describe('Ping the server this often; less than 10s is 10s. 0 means never.'),
          timeout: duration()
            .prefault('10s')
            .describe('Cut the connection when a ping is not answered within this time.'),
          permit_without_stream: z.boolean().default(false).describe('Ping while no request runs, too.'),
        })
        .optional()
        .describe('Finds out that the server is gone. Left out: no pings.'),
      read_buffer_size: z.int().default(0).describe('Accepted; Node.js sizes its buffers itself.'),
      write_buffer_size: z.int().default(524_288).describe('Accepted, as `read_buffer_size`.'),
      wait_for_ready: z
        .boolean()
        .default(false)
        .describe('Accepted; a request always waits for a connection that is being made, and fails with it.'),
      authority: z.string().default('').describe('Accepted; changes nothing.'),
    })
    .superRefine(({ endpoint }, context) => {
      const fail = (path: string[], message: string) => context.addIssue({ code: 'custom', path, message });
      if (endpoint === '') {
        if (!hasEndpointInEnvironment()) fail([], 'requires a non-empty "endpoint"');
        return;
      }
      if (endpoint.startsWith('unix:')) return;
      const problem = endpointProblem(hostAndPort(endpoint));
      if (problem !== undefined) fail(['clientconfig'], problem);
    });

export type OtlpGrpcConfig = z.output<ReturnType<typeof otlpGrpcConfig>>;

/** The endpoint without its scheme, its DNS authority and a trailing slash. */
export const hostAndPort = (endpoint: string): string =>
  endpoint.replace(/^(?:https?:\/\/|dns:(?:\/\/[^/]*\/)?)/, '').replace(/\/$/, '');

/** Of `host:port`; a path of a unix socket is all address. */
export function splitHostPort(target: string): { readonly host: string; readonly port: string } {
  const match = /^(?:\w+:\/*)?\[?([^/[\]]+?)\]?:(\d+)$/.exec(target);
  return { host: match?.[1] ?? target, port: match?.[2] ?? '' };
}
