/**
 * Settings of servers that receivers open, with the fields, defaults and sentences of the Collector's `configgrpc` and
 * `confighttp` (https://github.com/open-telemetry/opentelemetry-collector/tree/v0.159.0/config).
 */
import { z } from 'zod';
import { duration, endpointProblem, headers, tlsServer } from './fields.js';
import { collectorType } from './schema-walk.js';

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
    .describe(
      'Keep the headers of requests (without credentials) for `metadata_keys` of `batch` and of `sending_queue.batch.partition` of exporters.',
    );

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

/** `configgrpc.ServerConfig`. */
export const grpcServer = (defaultEndpoint: string) =>
  collectorType(
    'configgrpc.ServerConfig',
    z.strictObject({
      endpoint: z.string().default(defaultEndpoint).describe('Address to listen on.'),
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

/** Body encodings that a Collector accepts by default. */
const COMPRESSION_ALGORITHMS = ['', 'gzip', 'zstd', 'zlib', 'snappy', 'deflate', 'lz4', 'x-snappy-framed'];

/** Fields of `confighttp.ServerConfig`. */
export const httpServerFields = (defaultEndpoint: string) => ({
  endpoint: z.string().default(defaultEndpoint).describe('Address to listen on.'),
  transport: z
    .enum(['tcp', 'tcp4', 'tcp6', 'unix'], { error: unsupportedTransport })
    .default('tcp')
    .describe('With `unix`, `endpoint` is the path of a socket.'),
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
  read_timeout: duration().prefault('0s').describe('Longest time to receive a request. 0 means no limit.'),
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
});

/** `grpc:` with nothing behind it (null) switches the protocol on with its defaults. */
export const orNull = <T extends z.ZodType>(schema: T) =>
  schema.nullable().transform((value): z.output<T> => (value === null ? schema.parse({}) : value));

const MAX_RECV_MSG_SIZE_MIB = 8_796_093_022_207;

/** Sentences for what is wrong with a server of either kind. */
export function serverProblems(server: HttpServerConfig | GrpcServerConfig): string[] {
  const problems: (string | undefined)[] = [];
  if (server.transport !== 'unix') problems.push(endpointProblem(server.endpoint));
  if ('max_recv_msg_size_mib' in server) {
    for (const name of ['read_buffer_size', 'write_buffer_size'] as const) {
      if (server[name] < 0) problems.push(`invalid ${name} value: ${server[name]}`);
    }
    const size = server.max_recv_msg_size_mib;
    if (size < 0 || size > MAX_RECV_MSG_SIZE_MIB) {
      problems.push(
        `invalid max_recv_msg_size_mib value, must be between 1 and ${MAX_RECV_MSG_SIZE_MIB}: ${size}`,
      );
    }
  }
  return problems.filter((problem) => problem !== undefined);
}

export const maxInFlight = () =>
  z
    .int()
    .min(1)
    .default(256)
    .describe('Requests in memory at the same time, in MiB. More are refused, and clients send them again.');

export type GrpcServerConfig = z.output<ReturnType<typeof grpcServer>>;
export type HttpServerConfig = z.output<z.ZodObject<ReturnType<typeof httpServerFields>>>;
