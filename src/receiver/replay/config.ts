import { z } from 'zod';
import { metricsConfig } from '../../observer/metrics/config.js';
import { protocolsConfig } from '../../protocols/config.js';
import { urlTemplatesConfig } from '../../protocols/http/url-templates-config.js';

export const replayConfig = () =>
  z.strictObject({
    file: z
      .string()
      .min(1)
      .describe(
        'The recording (made by `kindling record` or `record_to` of `ebpf`), or a capture (pcap or pcapng).',
      ),
    pace: z
      .enum(['fast', 'recorded'])
      .default('fast')
      .describe('As fast as the pipelines take it, or with the pauses of the original.'),
    loop: z
      .boolean()
      .default(false)
      .describe('Start again at the end, with new trace ids, instead of stopping the agent.'),
    url_query: z
      .enum(['redacted', 'full', 'off'])
      .default('redacted')
      .describe('What spans show of query strings: names without values, everything, or nothing.'),
    side: z
      .enum(['client', 'server'])
      .default('client')
      .describe('Captures: whose view the spans have. A recording knows.'),
    url_templates: urlTemplatesConfig(),
    metrics: metricsConfig(),
    protocols: protocolsConfig(),
  });

export type ReplayConfig = z.output<ReturnType<typeof replayConfig>>;
