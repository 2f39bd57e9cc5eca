/**
 * Settings of the `otlp_http` exporter: fields, defaults and sentences of the Collector's
 * (https://github.com/open-telemetry/opentelemetry-collector/tree/v0.159.0/exporter/otlphttpexporter).
 */
import { z } from 'zod';
import { DECODING_ISSUE } from '../../config/fields.js';
import { httpClientFields } from '../../pipeline/http-client-fields.js';
import { hasEndpointInEnvironment, otlpClientFields } from '../../pipeline/otlp-export/client-config.js';
import { levelProblem } from '../../pipeline/otlp-export/compress.js';

export const DEFAULT_TIMEOUT_MS = 30_000;

const signalEndpoint = (signal: string) =>
  z.string().default('').describe(`Whole URL for ${signal}, used as it is. Empty: from \`endpoint\`.`);

export const otlpHttpConfig = () =>
  z
    .strictObject({
      endpoint: z
        .string()
        .default('')
        .describe('Base URL; `/v1/traces` and so on are added. Empty: OTEL_EXPORTER_OTLP_ENDPOINT.'),
      traces_endpoint: signalEndpoint('traces'),
      metrics_endpoint: signalEndpoint('metrics'),
      logs_endpoint: signalEndpoint('logs'),
      profiles_endpoint: signalEndpoint('profiles'),
      encoding: z
        .string()
        .default('proto')
        .superRefine((encoding, context) => {
          if (encoding === 'proto' || encoding === 'json') return;
          context.addIssue({
            code: 'custom',
            message: `invalid encoding type: ${encoding}`,
            params: DECODING_ISSUE,
          });
        })
        .describe('`proto` or `json`.'),
      ...httpClientFields(512 * 1024),
      compression_params: z
        .strictObject({
          level: z
            .int()
            .default(0)
            .describe('1 (fast) to 9 (small), of gzip, zlib and deflate; of zstd up to 22. 0: 1.'),
        })
        .prefault({})
        .describe('How hard to compress.'),
      ...otlpClientFields('30s'),
    })
    .superRefine((config, context) => {
      const level = levelProblem(config.compression ?? 'gzip', config.compression_params.level);
      if (level !== undefined) context.addIssue({ code: 'custom', path: ['clientconfig'], message: level });
      const urls = ENDPOINT_FIELDS.map((field) => [field, config[field]] as const).filter(
        ([, url]) => url !== '',
      );
      if (urls.length === 0 && !hasEndpointInEnvironment()) {
        context.addIssue({ code: 'custom', path: [], message: 'at least one endpoint must be specified' });
      }
      for (const [field, url] of urls) {
        if (/^https?:\/\//.test(url) && URL.canParse(url)) continue;
        const message = `\`${field}\` must be a URL that begins with http:// or https://: "${url}"`;
        context.addIssue({ code: 'custom', path: [], message });
      }
    });

const ENDPOINT_FIELDS = [
  'endpoint',
  'traces_endpoint',
  'metrics_endpoint',
  'logs_endpoint',
  'profiles_endpoint',
] as const;

export type OtlpHttpConfig = z.output<ReturnType<typeof otlpHttpConfig>>;
