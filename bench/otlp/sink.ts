/** Process behind the pipelines: takes OTLP/gRPC, counts spans, keeps nothing. Tells its count when asked over IPC. */
import { countSpans } from '../../src/otlp/count.js';
import { encodeExportResponse } from '../../src/otlp/responses.js';
import { ByteBudget } from '../../src/transport/byte-budget.js';
import { GrpcServer } from '../../src/transport/grpc-server.js';
import type { SinkMessage } from './messages.js';

const RESPONSE = encodeExportResponse();
const tell = (message: SinkMessage): void => void process.send?.(message);

let spans = 0;
const server = new GrpcServer({
  listen: { host: '127.0.0.1', port: 0 },
  methods: new Map([
    [
      '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
      {
        handle: async (message) => {
          spans += countSpans(message);
          return RESPONSE;
        },
        refused: (error) => {
          throw error;
        },
      },
    ],
  ]),
  // A full batch of large spans has 33 MB.
  maxMessageBytes: 256 * 2 ** 20,
  maxConcurrentStreams: 256,
  keepalive: {
    maxConnectionIdleMs: 0,
    maxConnectionAgeMs: 0,
    maxConnectionAgeGraceMs: 0,
    timeMs: 0,
    timeoutMs: 0,
    minPingIntervalMs: 0,
    permitWithoutStream: true,
  },
  budget: new ByteBudget(4 * 2 ** 30),
  onPeerError: () => {},
});
await server.start();
const { address } = server;
if (typeof address !== 'object' || address === null) throw new Error('the sink has no port');
tell({ kind: 'listening', port: address.port });
process.on('message', () => tell({ kind: 'seen', spans }));
process.on('disconnect', () => process.exit());
