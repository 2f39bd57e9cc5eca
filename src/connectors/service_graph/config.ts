/**
 * Settings of `service_graph`: fields, defaults and sentences of the Collector's
 * (https://github.com/open-telemetry/opentelemetry-collector-contrib, connector/servicegraphconnector). The lists of
 * attributes also name what the conventions have put in place of those that it knows. `max_size` is our own.
 */
import { z } from 'zod';
import { byteSize, duration } from '../../config/fields.js';

export const serviceGraphConfig = () =>
  z
    .strictObject({
      latency_histogram_buckets: z
        .array(duration())
        .optional()
        .describe('Upper bounds of the buckets. Left out: 2ms to 15s.'),
      exponential_histogram_max_size: z
        .int()
        .default(0)
        .describe('Most buckets of exponential histograms, which are used when it is not 0.'),
      dimensions: z
        .array(z.string())
        .default([])
        .describe('Attributes of resources and spans that become `client_` and `server_` dimensions.'),
      store: z
        .strictObject({
          ttl: duration()
            .prefault('2s')
            .describe('How long the span of one end waits for that of the other end.'),
          max_items: z
            .int()
            .min(1)
            .default(1000)
            .describe('Most spans that wait; more are dropped, counted.'),
        })
        .prefault({})
        .describe('Spans whose other end has not come yet.'),
      store_expiration_loop: duration()
        .prefault('2s')
        .describe('How often it is looked which have waited too long.'),
      cache_loop: duration().prefault('1m').describe('Without effect, accepted for old configurations.'),
      metrics_flush_interval: duration()
        .prefault('60s')
        .describe('How often metrics are sent. 0s: with each batch of spans.'),
      metrics_expiration: duration()
        .prefault('15m')
        .describe('Edges that nobody used for so long are forgotten.'),
      metrics_timestamp_offset: duration().prefault('0s').describe('Metrics are dated back by so much.'),
      metrics_exporter: z.string().optional().describe('Without effect, accepted for old configurations.'),
      virtual_node_peer_attributes: z
        .array(z.string())
        .default([
          'service.peer.name',
          'peer.service',
          'db.name',
          'db.system.name',
          'db.system',
          'server.address',
          'network.peer.address',
        ])
        .describe('What a peer without spans is called: the first of these attributes of the client.'),
      virtual_node_extra_label: z
        .boolean()
        .default(false)
        .describe('Add `virtual_node`, which says which end has no spans.'),
      database_name_attributes: z
        .array(z.string())
        .default(['db.name', 'db.namespace', 'db.system.name', 'db.system'])
        .describe(
          'What makes the server of a client span a database, and its name: the first of these attributes that is no number.',
        ),
      database_name_attribute: z
        .string()
        .optional()
        .describe('As `database_name_attributes`, one, before them. For old configurations.'),
      max_size: byteSize()
        .prefault('32MiB')
        .describe('Memory of all edges. What exceeds it is counted with `otel.metric.overflow=true`.'),
    })
    .superRefine((config, context) => {
      const fail = (message: string) => context.addIssue({ code: 'custom', message });
      const { latency_histogram_buckets: buckets, exponential_histogram_max_size: size } = config;
      if (buckets === undefined && size < 0) fail('`exponential_histogram_max_size` can not be negative');
      if (buckets !== undefined && size > 0) {
        fail('use either `latency_histogram_buckets` or `exponential_histogram_max_size`');
      }
    });

export type ServiceGraphConfig = z.output<ReturnType<typeof serviceGraphConfig>>;
