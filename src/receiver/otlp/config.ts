/**
 * Settings of the `otlp` receiver: the fields, defaults and sentences of the Collector's
 * (https://github.com/open-telemetry/opentelemetry-collector/tree/v0.159.0/receiver/otlpreceiver), and
 * `max_in_flight_mib`, which is ours.
 */
import { z } from 'zod';
import { DECODING_ISSUE } from '../../config/fields.js';
import { collectorType } from '../../config/schema-walk.js';
import {
  grpcServer,
  httpServerFields,
  maxInFlight,
  orNull,
  serverProblems,
} from '../../config/server-fields.js';

const urlPath = (path: string, signal: string) =>
  z
    .string()
    .superRefine((text, context) => {
      const bad = /%(?![0-9a-fA-F]{2}).{0,2}/.exec(text)?.[0];
      if (bad === undefined) return;
      const quoted = JSON.stringify(text);
      const message = `invalid HTTP URL path set for signal: parse ${quoted}: invalid URL escape ${JSON.stringify(bad)}`;
      context.addIssue({ code: 'custom', message, params: DECODING_ISSUE });
    })
    .default(path)
    .describe(`URL path of ${signal}. A missing leading slash is added.`);

const http = () =>
  collectorType(
    'otlpreceiver.HTTPConfig',
    z.strictObject({
      ...httpServerFields('localhost:4318'),
      traces_url_path: urlPath('/v1/traces', 'traces'),
      metrics_url_path: urlPath('/v1/metrics', 'metrics'),
      logs_url_path: urlPath('/v1/logs', 'logs'),
    }),
    { optional: true },
  );

export const otlpReceiverConfig = () =>
  z
    .strictObject({
      protocols: orNull(
        z.strictObject({
          grpc: orNull(grpcServer('localhost:4317')).optional().describe('OTLP/gRPC. Left out: off.'),
          http: orNull(http()).optional().describe('OTLP/HTTP, protobuf and JSON. Left out: off.'),
        }),
      )
        .prefault({})
        .describe('What to listen for.'),
      max_in_flight_mib: maxInFlight(),
    })
    .superRefine(({ protocols }, context) => {
      const fail = (path: string[], message: string) => context.addIssue({ code: 'custom', path, message });
      if (protocols.grpc === undefined && protocols.http === undefined) {
        fail([], 'must specify at least one protocol when using the OTLP receiver');
      }
      for (const name of ['grpc', 'http'] as const) {
        const protocol = protocols[name];
        if (protocol === undefined) continue;
        for (const problem of serverProblems(protocol)) fail(['protocols', name], problem);
      }
    });

export type OtlpReceiverConfig = z.output<ReturnType<typeof otlpReceiverConfig>>;
export type OtlpHttpConfig = NonNullable<OtlpReceiverConfig['protocols']['http']>;
