/**
 * Settings of the `skywalking` receiver: fields, defaults and sentences of the Collector's
 * (https://github.com/open-telemetry/opentelemetry-collector-contrib/tree/v0.155.0/receiver/skywalkingreceiver), and
 * `max_in_flight_mib`, which is ours.
 */
import { z } from 'zod';
import { collectorType } from '../../config/schema-walk.js';
import {
  grpcServer,
  httpServerFields,
  maxInFlight,
  orNull,
  serverProblems,
} from '../../config/server-fields.js';

const http = () =>
  collectorType('confighttp.ServerConfig', z.strictObject(httpServerFields('localhost:12800')), {
    optional: true,
  });

export const skywalkingReceiverConfig = () =>
  z
    .strictObject({
      protocols: orNull(
        z.strictObject({
          grpc: orNull(grpcServer('localhost:11800'))
            .optional()
            .describe('What agents speak by default. Left out: off.'),
          http: orNull(http()).optional().describe('Segments and logs as JSON. Left out: off.'),
        }),
      )
        .prefault({})
        .describe('What to listen for.'),
      max_in_flight_mib: maxInFlight(),
    })
    .superRefine(({ protocols }, context) => {
      const fail = (message: string, path: string[] = []) =>
        context.addIssue({ code: 'custom', path, message });
      if (protocols.grpc === undefined && protocols.http === undefined) {
        fail('must specify at least one protocol when using the Skywalking receiver');
      }
      for (const name of ['grpc', 'http'] as const) {
        const protocol = protocols[name];
        if (protocol === undefined) continue;
        for (const problem of serverProblems(protocol)) fail(problem, ['protocols', name]);
      }
    });

export type SkywalkingReceiverConfig = z.output<ReturnType<typeof skywalkingReceiverConfig>>;
