/**
 * Settings of the `zipkin` exporter: fields and defaults of the Collector's
 * (https://github.com/open-telemetry/opentelemetry-collector-contrib/tree/v0.155.0/exporter/zipkinexporter).
 */
import { z } from 'zod';
import { headers, tlsClient } from '../../config/fields.js';
import { deliveryFields } from '../../pipeline/exporter-wrappers.js';
import { httpClientFields } from '../../pipeline/http-client-fields.js';

export const zipkinExporterConfig = () =>
  z
    .strictObject({
      endpoint: z
        .string()
        .default('')
        .describe('URL to post to, for example http://zipkin:9411/api/v2/spans.'),
      format: z.string().default('json').describe('`json` or `proto`.'),
      default_service_name: z
        .string()
        .default('<missing service name>')
        .describe('Name of a service whose resource has none.'),
      headers: headers().prefault({}).describe('Headers of each request.'),
      compression: z
        .enum(['gzip', 'none', ''], {
          error: (issue) => `unsupported compression type ${JSON.stringify(issue.input)}`,
        })
        .default('')
        .describe('How to compress requests. Empty: not at all.'),
      auth: z
        .strictObject({ authenticator: z.string().describe('Id of the extension that adds credentials.') })
        .optional()
        .describe('How to show who we are. Left out: not at all.'),
      tls: tlsClient().optional().describe('Certificates. Left out: those of Node.js are trusted.'),
      ...httpClientFields(),
      ...deliveryFields(),
    })
    .superRefine(({ endpoint, format }, context) => {
      const fail = (message: string) => context.addIssue({ code: 'custom', path: [], message });
      if (endpoint === '') fail('endpoint required');
      else if (!/^https?:\/\//.test(endpoint) || !URL.canParse(endpoint)) {
        fail(`\`endpoint\` must be a URL that begins with http:// or https://: "${endpoint}"`);
      }
      if (format !== 'json' && format !== 'proto') fail(`${format} is not one of json or proto`);
    });

export type ZipkinExporterConfig = z.output<ReturnType<typeof zipkinExporterConfig>>;
