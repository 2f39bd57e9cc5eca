/**
 * Settings of the `jaeger` receiver: fields, defaults and sentences of the Collector's
 * (https://github.com/open-telemetry/opentelemetry-collector-contrib/tree/v0.155.0/receiver/jaegerreceiver). `sampling` and
 * `max_in_flight_mib` are ours.
 */
import { z } from 'zod';
import { collectorType } from '../../config/schema-walk.js';
import { grpcServer, httpServerFields, maxInFlight, orNull } from '../../config/server-fields.js';

const http = (defaultEndpoint: string) =>
  collectorType('confighttp.ServerConfig', z.strictObject(httpServerFields(defaultEndpoint)), {
    optional: true,
  });

const udp = (defaultEndpoint: string) =>
  collectorType(
    'jaegerreceiver.ProtocolUDP',
    z.strictObject({
      endpoint: z.string().default(defaultEndpoint).describe('Address to listen on.'),
      queue_size: z
        .int()
        .min(0)
        .default(1000)
        .describe('Datagrams that may wait for the pipeline. More are dropped and counted.'),
      max_packet_size: z.int().min(1).default(65_000).describe('Largest datagram, in bytes.'),
      workers: z.int().min(1).default(10).describe('Datagrams that the pipeline is given at the same time.'),
      socket_buffer_size: z
        .int()
        .min(0)
        .default(0)
        .describe("The kernel's receive buffer, in bytes. 0: what the system gives."),
    }),
    { optional: true },
  );

const sampling = () =>
  z.strictObject({
    ...httpServerFields('localhost:5778'),
    rate: z
      .number()
      .min(0)
      .max(1)
      .default(0.001)
      .describe('Part of the traces that clients with a remote sampler are told to keep.'),
  });

const PROTOCOLS = ['grpc', 'thrift_http', 'thrift_binary', 'thrift_compact'] as const;
const NAMES: Readonly<Record<string, string>> = {
  grpc: 'gRPC',
  thrift_http: 'Thrift HTTP',
  thrift_binary: 'Thrift UDP Binary',
  thrift_compact: 'Thrift UDP Compact',
};

export const jaegerReceiverConfig = () =>
  z
    .strictObject({
      protocols: orNull(
        z.strictObject({
          grpc: orNull(grpcServer('localhost:14250')).optional().describe('Spans over gRPC. Left out: off.'),
          thrift_http: orNull(http('localhost:14268'))
            .optional()
            .describe('Batches in Thrift over HTTP, at /api/traces. Left out: off.'),
          thrift_binary: orNull(udp('localhost:6832'))
            .optional()
            .describe('Binary Thrift over UDP (clients for Node.js). Left out: off.'),
          thrift_compact: orNull(udp('localhost:6831'))
            .optional()
            .describe('Compact Thrift over UDP (all other clients). Left out: off.'),
          sampling: orNull(sampling())
            .optional()
            .describe(
              'Answers clients that ask how much to sample: here, at /api/sampling of `thrift_http`, and over `grpc`. Left out: nobody is answered.',
            ),
        }),
      )
        .prefault({})
        .describe('What to listen for.'),
      remote_sampling: z.unknown().optional().describe('Not supported any more.'),
      max_in_flight_mib: maxInFlight(),
    })
    .superRefine(({ protocols, remote_sampling }, context) => {
      const fail = (message: string) => context.addIssue({ code: 'custom', path: [], message });
      if (PROTOCOLS.every((name) => protocols[name] === undefined)) {
        fail('must specify at least one protocol when using the Jaeger receiver');
        return;
      }
      for (const name of PROTOCOLS) {
        const problem = portProblem(protocols[name]?.endpoint);
        if (problem === undefined) continue;
        fail(`invalid port number for the ${NAMES[name]} endpoint: ${problem}`);
        return;
      }
      if (remote_sampling !== undefined) {
        fail(
          'remote sampling config detected in the Jaeger receiver; use the `jaegerremotesampling` extension instead',
        );
      }
    });

/** Port 0 is any free one. */
function portProblem(endpoint: string | undefined): string | undefined {
  if (endpoint === undefined) return undefined;
  const colon = endpoint.lastIndexOf(':');
  const format = 'endpoint is not formatted correctly: address';
  if (colon < 0 || endpoint.endsWith(']')) return `${format} ${endpoint}: missing port in address`;
  if (endpoint.slice(0, colon).includes(':') && !/^\[.*\]$/.test(endpoint.slice(0, colon))) {
    return `${format} ${endpoint}: too many colons in address`;
  }
  const port = endpoint.slice(colon + 1);
  if (!/^[+-]?\d+$/.test(port)) {
    return `endpoint port is not a number: strconv.ParseInt: parsing ${JSON.stringify(port)}: invalid syntax`;
  }
  return Number(port) < 0 || Number(port) > 65_535 ? 'port number must be between 1 and 65535' : undefined;
}

export type JaegerReceiverConfig = z.output<ReturnType<typeof jaegerReceiverConfig>>;
export type JaegerUdpConfig = NonNullable<JaegerReceiverConfig['protocols']['thrift_compact']>;
