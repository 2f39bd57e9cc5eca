/**
 * Settings of the `zipkin` receiver: fields, defaults and sentences of the Collector's
 * (https://github.com/open-telemetry/opentelemetry-collector-contrib/tree/v0.155.0/receiver/zipkinreceiver), and
 * `max_in_flight_mib`, which is ours.
 */
import { z } from 'zod';
import { httpServerFields, maxInFlight, serverProblems } from '../../config/server-fields.js';

export const zipkinReceiverConfig = () =>
  z
    .strictObject({
      ...httpServerFields('localhost:9411'),
      parse_string_tags: z
        .boolean()
        .default(false)
        .describe('Make numbers and booleans of tags that look like them.'),
      max_in_flight_mib: maxInFlight(),
    })
    .superRefine((config, context) => {
      for (const message of serverProblems(config)) context.addIssue({ code: 'custom', path: [], message });
    });

export type ZipkinReceiverConfig = z.output<ReturnType<typeof zipkinReceiverConfig>>;
