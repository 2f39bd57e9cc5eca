/**
 * Fields that several components share. Each call makes a fresh schema, because a zod schema carries its own
 * description and default. Keys stay as in the file (`timeout`); values are plain numbers in the unit that the
 * function names, so copy them into `…Ms` / `…Bytes` names where a component keeps them.
 *
 * A default is written as the user would write it, with `prefault`:
 *
 *     timeout: duration().prefault('5s').describe('Longest time for one attempt. 0 means no limit.'),
 *
 * (zod's `default` takes the parsed value, and then the generated documentation would show milliseconds.)
 *
 * Problems found by these functions are reported as decoding errors, with the Collector's sentences; problems found by
 * a component's own `.check()` / `.superRefine()` are reported as validation errors under the component's path.
 */
import { z } from 'zod';
import { formatByteSize, parseByteSize } from './byte-size.js';
import { durationProblem, formatDuration, parseDuration } from './duration.js';
import { Opaque } from './opaque.js';
import { collectorType } from './schema-walk.js';

/** Marks a custom issue as one of decoding (a wrong type), as opposed to validation (a wrong value). */
export const DECODING_ISSUE = { decoding: true } as const;

/** For `params` of a custom issue: the Collector reports it at this path, relative to what is around the value. */
export const reportedAt = (...at: readonly string[]) => ({ at });

/** Milliseconds from Go's duration syntax ("200ms", "1m30s"). A bare number is nanoseconds, as in the Collector. */
export const duration = () =>
  z.codec(z.union([z.string(), z.number()]).meta({ 'x-unit': 'duration' }), z.number(), {
    decode: (value, context) => {
      // Go has no fractions of a nanosecond.
      const ms = typeof value === 'number' ? Math.trunc(value) / 1e6 : parseDuration(value);
      const problem = typeof value === 'number' ? undefined : durationProblem(value);
      if (ms !== undefined && problem === undefined) return ms;
      context.issues.push({
        code: 'custom',
        message: problem ?? 'time: invalid duration',
        input: value,
        params: DECODING_ISSUE,
      });
      return z.NEVER;
    },
    encode: (ms) => formatDuration(ms),
  });

/**
 * One of the levels of Go's `configtelemetry.Level`, in upper or lower case. Those that exist and are not in `levels` get
 * the sentence of a wrong value, others that of a wrong word.
 */
export const levelOf = <const L extends readonly Level[]>(levels: L) =>
  z.codec(z.string().meta({ enum: levels }), z.enum(levels), {
    decode: (text, context) => {
      const known = LEVELS.find((level) => level === text.toLowerCase());
      const level = levels.find((one) => one === known);
      if (level !== undefined) return level;
      context.issues.push(
        known === undefined
          ? {
              code: 'custom',
              message: `unknown metrics level ${JSON.stringify(text)}`,
              input: text,
              params: DECODING_ISSUE,
            }
          : {
              code: 'custom',
              message: `verbosity level "${capitalized(known)}" is not supported`,
              input: text,
              params: reportedAt(),
            },
      );
      return z.NEVER;
    },
    encode: (level) => capitalized(level),
  });

const LEVELS = ['none', 'basic', 'normal', 'detailed'] as const;
type Level = (typeof LEVELS)[number];

const capitalized = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);

/** Bytes from "64KiB", "10MB" or a number of bytes. */
export const byteSize = () =>
  z.codec(z.union([z.string(), z.number()]).meta({ 'x-unit': 'size' }), z.number(), {
    decode: (value, context) => {
      const bytes = parseByteSize(String(value));
      if (bytes !== undefined) return bytes;
      context.issues.push({
        code: 'custom',
        message: 'invalid size: expected a number of bytes or a text like "64KiB"',
        input: value,
        params: DECODING_ISSUE,
      });
      return z.NEVER;
    },
    encode: (bytes) => formatByteSize(bytes),
  });

/** A secret; its value prints as `[REDACTED]` (see `Opaque`). */
export const opaque = () =>
  z.codec(z.string(), z.instanceof(Opaque), {
    decode: (text) => new Opaque(text),
    encode: (secret) => secret.toString(),
  });

/** HTTP or gRPC headers. The Collector also accepts a list of `{name, value}`; so do we. */
export const headers = () =>
  z.codec(
    z.union([
      z.record(z.string(), z.string()),
      z.array(z.strictObject({ name: z.string(), value: z.string() })),
    ]),
    z.record(z.string(), z.instanceof(Opaque)),
    {
      decode: (value) => {
        const pairs = Array.isArray(value)
          ? value.map((header) => [header.name, header.value] as const)
          : Object.entries(value);
        return Object.fromEntries(pairs.map(([name, text]) => [name, new Opaque(text)]));
      },
      encode: (value) => Object.fromEntries(Object.keys(value).map((name) => [name, '[REDACTED]'])),
    },
  );

/** Where a server listens: `host:port`, `:port` for all interfaces, `[::1]:port`, port 0 for any free port. */
export const endpoint = () =>
  z.string().check((context) => {
    const problem = endpointProblem(context.value);
    if (problem !== undefined) {
      context.issues.push({ code: 'custom', message: problem, input: context.value });
    }
  });

/** Host (without brackets, '' for all interfaces) and port (0 when empty) of an address that `endpoint()` accepted. */
export function parseEndpoint(text: string): { readonly host: string; readonly port: number } {
  const colon = text.lastIndexOf(':');
  return {
    host: text.slice(0, colon).replace(/^\[(.*)\]$/, '$1'),
    port: Number(text.slice(colon + 1) || '0'),
  };
}

/** The sentence for a bad `host:port`, or undefined when it is good. */
export function endpointProblem(text: string): string | undefined {
  const match = /^(\[[^\]]*\]|[^:]*):([^:]*)$/.exec(text);
  if (match === null) {
    return text.includes(':') && !text.startsWith('[')
      ? `address ${text}: too many colons in address`
      : `address ${text}: missing port in address`;
  }
  const port = match[2] ?? '';
  if (port !== '' && !(/^\d{1,5}$/.test(port) && Number(port) <= 65535)) return `invalid port "${port}"`;
  return undefined;
}

/** TLS versions by the names that the Collector uses. */
const tlsVersion = () => z.enum(['1.0', '1.1', '1.2', '1.3']);

const tlsCommonFields = () => ({
  ca_file: z.string().optional().describe('PEM file with the authorities to trust. Empty: those of Node.js.'),
  ca_pem: opaque().optional().describe('The same as text.'),
  cert_file: z.string().optional().describe('PEM file with our certificate chain.'),
  cert_pem: opaque().optional().describe('The same as text.'),
  key_file: z.string().optional().describe('PEM file with the private key of the certificate.'),
  key_pem: opaque().optional().describe('The same as text.'),
  min_version: tlsVersion().default('1.2').describe('Oldest protocol version to accept.'),
  max_version: tlsVersion()
    .optional()
    .describe('Newest protocol version to accept. Empty: what Node.js offers.'),
  cipher_suites: z
    .array(z.string())
    .default([])
    .describe('OpenSSL or IANA names. Empty: the list of Node.js.'),
});

interface TlsPair {
  readonly cert_file?: string | undefined;
  readonly cert_pem?: Opaque | undefined;
  readonly key_file?: string | undefined;
  readonly key_pem?: Opaque | undefined;
}

const hasCertificateAndKey = (tls: TlsPair): boolean =>
  (tls.cert_file === undefined && tls.cert_pem === undefined) ===
  (tls.key_file === undefined && tls.key_pem === undefined);

const PAIR_MESSAGE =
  'TLS configuration must include both certificate and key (CertFile/CertPem and KeyFile/KeyPem)';

/** `tls` of a server. Leave it out for plain text. */
export const tlsServer = () => collectorType('configtls.ServerConfig', tlsServerFields(), { optional: true });

const tlsServerFields = () =>
  z
    .strictObject({
      ...tlsCommonFields(),
      reload_interval: duration()
        .prefault('0s')
        .describe('How often to read the certificate files again. 0 means never.'),
      client_ca_file: z
        .string()
        .optional()
        .describe('PEM file with the authorities of clients. When set, a client must present a certificate.'),
      client_ca_file_reload: z
        .boolean()
        .default(false)
        .describe('Read `client_ca_file` again when it changes.'),
    })
    .refine(hasCertificateAndKey, {
      message: `tls: config: ${PAIR_MESSAGE}`,
      params: reportedAt(),
    });

/** `tls` of a client: on by default, `insecure: true` for plain text. */
export const tlsClient = () =>
  z
    .strictObject({
      ...tlsCommonFields(),
      reload_interval: duration()
        .prefault('0s')
        .describe('How often the files are read again, for connections made afterwards. 0: never.'),
      insecure: z.boolean().default(false).describe('Plain text instead of TLS.'),
      insecure_skip_verify: z
        .boolean()
        .default(false)
        .describe('Accept any certificate. For tests only: the peer can be anyone.'),
      server_name_override: z
        .string()
        .optional()
        .describe('Name to expect in the certificate instead of the host of `endpoint`.'),
      include_system_ca_certs_pool: z
        .boolean()
        .default(false)
        .describe('Trust the built-in authorities in addition to `ca_file`.'),
    })
    .refine(hasCertificateAndKey, { message: PAIR_MESSAGE, params: reportedAt('clientconfig', 'tls') });
