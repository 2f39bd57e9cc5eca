/**
 * Settings of the `otlp` receiver: the fields, defaults and sentences of the Collector's
 * (https://github.com/open-telemetry/opentelemetry-collector/tree/v0.159.0/receiver/otlpreceiver, `configgrpc`,
 * `confighttp`), and `max_in_flight_mib`, which is ours.
 */
import { z } from 'zod';
import { DECODING_ISSUE, duration, endpointProblem, headers, tlsServer } from '../../config/fields.js';
import { collectorType } from '../../config/schema-walk.js';

/** grpc-go's limit when `max_recv_msg_size_mib` is 0. */
export const DEFAULT_GRPC_MESSAGE_BYTES = 4 * 1024 * 1024;
/** confighttp's limit when `max_request_body_size` is 0. */
export const DEFAULT_HTTP_BODY_BYTES = 20 * 1024 * 1024;

const unsupportedTransport = ({ input }: { readonly input?: unknown }): string =>
  `unsupported transport type ${JSON.stringify(input)}`;

const auth = () =>
  collectorType(
    'configauth.Config',
    z.strictObject({
      authenticator: z.string().describe('Id of the extension that checks clients.'),
      request_params: z.array(z.string()).default([]).describe('Query parameters that it sees (HTTP).'),
    }),
    { optional: true },
  )
    .optional()
    .describe('Who may send. Left out: everybody who reaches the address.');

const includeMetadata = () =>
  z
    .boolean()
    .default(false)
    .describe('Keep the headers of requests for later components. No component of Kindling reads them.');

const keepalive = () =>
  collectorType(
    'configgrpc.KeepaliveServerConfig',
    z.strictObject({
      server_parameters: collectorType(
        'configgrpc.KeepaliveServerParameters',
        z.strictObject({
          max_connection_idle: duration()
            .prefault('0s')
            .describe('Close a connection that had no request for this long. 0 means never.'),
          max_connection_age: duration()
            .prefault('0s')
            .describe('Close a connection that is this old, so that clients spread again. 0 means never.'),
          max_connection_age_grace: duration()
            .prefault('0s')
            .describe('How long running requests may go on then. 0 means no limit.'),
          time: duration().prefault('2h').describe('Ping a connection that has been silent for this long.'),
          timeout: duration()
            .prefault('20s')
            .describe('Cut it when the ping is not answered within this time.'),
        }),
        { optional: true },
      )
        .prefault({})
        .describe('When to close connections and to look for dead ones.'),
      enforcement_policy: collectorType(
        'configgrpc.KeepaliveEnforcementPolicy',
        z.strictObject({
          min_time: duration()
            .prefault('5m')
            .describe('A client that pings more often than this is disconnected.'),
          permit_without_stream: z.boolean().default(false).describe('Allow pings while no request runs.'),
        }),
        { optional: true },
      )
        .prefault({})
        .describe('What is asked of the pings of clients.'),
    }),
    { optional: true },
  );

const grpc = () =>
  collectorType(
    'configgrpc.ServerConfig',
    z.strictObject({
      endpoint: z.string().default('localhost:4317').describe('Address to listen on.'),
      transport: z
        .enum(['tcp', 'tcp4', 'tcp6', 'unix'], { error: unsupportedTransport })
        .default('tcp')
        .describe('With `unix`, `endpoint` is the path of a socket.'),
      max_recv_msg_size_mib: z
        .int()
        .default(0)
        .describe('Largest request, as sent and as decompressed, in MiB. 0 means 4.'),
      max_concurrent_streams: z
        .uint32()
        .default(0)
        .describe('Requests at the same time on one connection; more wait in the client. 0 means 256.'),
      read_buffer_size: z
        .int()
        .default(524_288)
        .describe('Accepted for compatibility; Node.js sizes its buffers itself.'),
      write_buffer_size: z.int().default(0).describe('Accepted for compatibility, as `read_buffer_size`.'),
      keepalive: keepalive().prefault({}).describe('Life of connections.'),
      include_metadata: includeMetadata(),
      tls: tlsServer().optional().describe('Certificates. Left out: plain text.'),
      auth: auth(),
    }),
    { optional: true },
  );

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

const cors = () =>
  collectorType(
    'confighttp.CORSConfig',
    z.strictObject({
      allowed_origins: z
        .array(z.string())
        .default([])
        .describe('Origins of web pages that may send, for example `https://*.example.com`. Empty: none.'),
      allowed_headers: z
        .array(z.string())
        .default([])
        .describe('Request headers beside the safe ones. Replaces the default; list `content-type` too.'),
      exposed_headers: z.array(z.string()).default([]).describe('Response headers that a page may read.'),
      max_age: z
        .int()
        .min(0)
        .default(0)
        .describe('Seconds that a browser may keep the answer. 0: its default.'),
    }),
    { optional: true },
  );

/** Body encodings that a Collector accepts by default; `lz4` is refused, and `zstd` before Node.js 22.15. */
const COMPRESSION_ALGORITHMS = ['', 'gzip', 'zstd', 'zlib', 'snappy', 'deflate', 'lz4'];

const http = () =>
  collectorType(
    'otlpreceiver.HTTPConfig',
    z.strictObject({
      endpoint: z.string().default('localhost:4318').describe('Address to listen on.'),
      transport: z
        .enum(['tcp', 'tcp4', 'tcp6', 'unix'], { error: unsupportedTransport })
        .default('tcp')
        .describe('With `unix`, `endpoint` is the path of a socket.'),
      traces_url_path: urlPath('/v1/traces', 'traces'),
      metrics_url_path: urlPath('/v1/metrics', 'metrics'),
      logs_url_path: urlPath('/v1/logs', 'logs'),
      max_request_body_size: z
        .int()
        .default(0)
        .describe('Largest request, as sent and as decompressed, in bytes. 0 or less means 20 MiB.'),
      compression_algorithms: z
        .array(z.string())
        .default(COMPRESSION_ALGORITHMS)
        .describe('Values of Content-Encoding to accept; the empty text is an uncompressed body.'),
      cors: cors().optional().describe('Lets web pages send. Left out: only programs can.'),
      response_headers: headers().prefault({}).describe('Headers to add to each response.'),
      read_timeout: duration()
        .prefault('0s')
        .describe('Longest time to receive a request. 0 means no limit.'),
      read_header_timeout: duration()
        .prefault('0s')
        .describe('Longest time to receive the headers of a request. 0 means 1m.'),
      write_timeout: duration().prefault('0s').describe('Longest time to send a response. 0 means no limit.'),
      idle_timeout: duration()
        .prefault('0s')
        .describe('How long a connection may wait for its next request. 0 means no limit.'),
      keep_alives_enabled: z.boolean().default(true).describe('Several requests on one connection.'),
      include_metadata: includeMetadata(),
      tls: tlsServer().optional().describe('Certificates. Left out: plain text.'),
      auth: auth(),
    }),
    { optional: true },
  );

/** `grpc:` with nothing behind it (null) switches the protocol on with its defaults. */
const orNull = <T extends z.ZodType>(schema: T) =>
  schema.nullable().transform((value): z.output<T> => (value === null ? schema.parse({}) : value));

export const otlpReceiverConfig = () =>
  z
    .strictObject({
      protocols: orNull(
        z.strictObject({
          grpc: orNull(grpc()).optional().describe('OTLP/gRPC. Left out: off.'),
          http: orNull(http()).optional().describe('OTLP/HTTP, protobuf and JSON. Left out: off.'),
        }),
      )
        .prefault({})
        .describe('What to listen for.'),
      max_in_flight_mib: z
        .int()
        .min(1)
        .default(256)
        .describe(
          'Requests in memory at the same time, in MiB. More are refused, and clients send them again.',
        ),
    })
    .superRefine(({ protocols }, context) => {
      const fail = (path: string[], message: string) => context.addIssue({ code: 'custom', path, message });
      if (protocols.grpc === undefined && protocols.http === undefined) {
        fail([], 'must specify at least one protocol when using the OTLP receiver');
      }
      for (const name of ['grpc', 'http'] as const) {
        const protocol = protocols[name];
        if (protocol === undefined || protocol.transport === 'unix') continue;
        const problem = endpointProblem(protocol.endpoint);
        if (problem !== undefined) fail(['protocols', name], problem);
      }
      for (const name of ['read_buffer_size', 'write_buffer_size'] as const) {
        const value = protocols.grpc?.[name] ?? 0;
        if (value < 0) fail(['protocols', 'grpc'], `invalid ${name} value: ${value}`);
      }
      const size = protocols.grpc?.max_recv_msg_size_mib ?? 0;
      if (size < 0 || size > MAX_RECV_MSG_SIZE_MIB) {
        fail(
          ['protocols', 'grpc'],
          `invalid max_recv_msg_size_mib value, must be between 1 and ${MAX_RECV_MSG_SIZE_MIB}: ${size}`,
        );
      }
    });

const MAX_RECV_MSG_SIZE_MIB = 8_796_093_022_207;

export type OtlpReceiverConfig = z.output<ReturnType<typeof otlpReceiverConfig>>;
export type OtlpGrpcConfig = NonNullable<OtlpReceiverConfig['protocols']['grpc']>;
export type OtlpHttpConfig = NonNullable<OtlpReceiverConfig['protocols']['http']>;
