/**
 * What both OTLP exporters share in their settings, and how these meet the OTEL_EXPORTER_OTLP_* environment variables
 * (https://opentelemetry.io/docs/specs/otel/protocol/exporter/): the file wins, then the variable of the signal, then
 * the general one, then the Collector's default. Headers of file and environment are merged.
 */
import { getSharedConfigurationFromEnvironment } from '@opentelemetry/otlp-exporter-base/node-http';
import { z } from 'zod';
import type { Signal } from '../../component/signal.js';
import { duration, headers, reportedAt, tlsClient } from '../../config/fields.js';
import type { Opaque } from '../../config/opaque.js';
import { deliveryFields } from '../exporter-wrappers.js';
import { COMPRESSIONS, type Compression, compressionProblem } from './compress.js';

/** The part of a variable's name that stands for a signal. */
export const ENV_SIGNAL: Readonly<Record<Signal, string>> = {
  traces: 'TRACES',
  metrics: 'METRICS',
  logs: 'LOGS',
  profiles: 'PROFILES',
};

/** Whether the environment names an endpoint, for all signals or for some. */
export const hasEndpointInEnvironment = (): boolean =>
  ['', ...Object.values(ENV_SIGNAL).map((signal) => `${signal}_`)].some(
    (part) => (process.env[`OTEL_EXPORTER_OTLP_${part}ENDPOINT`] ?? '').trim() !== '',
  );

export const otlpClientFields = (defaultTimeout: string) => ({
  headers: headers()
    .prefault({})
    .describe('Headers of each request, beside those of OTEL_EXPORTER_OTLP_HEADERS.'),
  compression: z
    .enum([...COMPRESSIONS, ''], {
      error: (issue) => `unsupported compression type ${JSON.stringify(issue.input)}`,
    })
    .superRefine((compression, context) => {
      const message = compressionProblem(compression);
      if (message !== undefined) context.addIssue({ code: 'custom', message });
    })
    .optional()
    .describe(
      'How to compress requests; zstd needs Node.js 22.15. Left out: OTEL_EXPORTER_OTLP_COMPRESSION, or gzip.',
    ),
  auth: z
    .strictObject({ authenticator: z.string().describe('Id of the extension that adds credentials.') })
    .optional()
    .describe('How to show who we are. Left out: not at all.'),
  tls: tlsClient()
    .optional()
    .describe('Certificates, and whether to use TLS. Left out: OTEL_EXPORTER_OTLP_CERTIFICATE and its like.'),
  ...deliveryFields(),
  timeout: duration()
    .refine((ms) => ms >= 0, { error: "'timeout' must be non-negative", params: reportedAt('timeoutconfig') })
    .optional()
    .describe(
      `Longest time for one attempt; 0 means no limit. Left out: OTEL_EXPORTER_OTLP_TIMEOUT, or ${defaultTimeout}.`,
    ),
});

interface FileSettings {
  readonly compression?: Compression | '' | undefined;
  readonly timeout?: number | undefined;
}

/** Time limit (0: none) and compression after the environment has been asked. */
export function resolveShared(
  file: FileSettings,
  signal: Signal,
  defaultTimeoutMs: number,
): { readonly timeoutMs: number; readonly compression: Compression } {
  const environment = getSharedConfigurationFromEnvironment(ENV_SIGNAL[signal]);
  return {
    timeoutMs: file.timeout ?? environment.timeoutMillis ?? defaultTimeoutMs,
    compression: file.compression === '' ? 'none' : (file.compression ?? environment.compression ?? 'gzip'),
  };
}

/** Secrets as text, at the place where they are sent. */
export const revealHeaders = (secrets: Readonly<Record<string, Opaque>>): Record<string, string> =>
  Object.fromEntries(Object.entries(secrets).map(([name, value]) => [name, value.reveal()]));
