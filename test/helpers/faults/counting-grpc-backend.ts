import { encodeExportResponse } from '../../../src/otlp/responses.js';
import { ByteBudget } from '../../../src/transport/byte-budget.js';
import { GrpcServer } from '../../../src/transport/grpc-server.js';
import { RpcError } from '../../../src/transport/grpc-status.js';
import { numbersIn } from './numbers.js';

const RESPONSE = encodeExportResponse();

/** An OTLP/gRPC server that counts numbered spans, except where `refusal` gives a status to answer with. */
export class CountingGrpcBackend {
  readonly counts = new Map<number, number>();
  /** How often each status was answered; 0 is success. */
  readonly met = new Map<number, number>();
  refusal: (request: number) => { readonly code: number; readonly retryDelayMs?: number } | undefined = () =>
    undefined;
  #requests = 0;
  readonly #server: GrpcServer;

  constructor(host = '127.0.0.1') {
    this.#server = this.#make(host);
  }

  #make(host: string): GrpcServer {
    return new GrpcServer({
      listen: { host, port: 0 },
      methods: new Map([
        [
          '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
          {
            handle: async (message) => {
              const refusal = this.refusal(this.#requests++);
              const code = refusal?.code ?? 0;
              this.met.set(code, (this.met.get(code) ?? 0) + 1);
              if (refusal !== undefined) throw new RpcError(refusal.code, 'as told', refusal.retryDelayMs);
              for (const number of numbersIn(message)) {
                this.counts.set(number, (this.counts.get(number) ?? 0) + 1);
              }
              return RESPONSE;
            },
            refused: () => {},
          },
        ],
      ]),
      maxMessageBytes: 64 * 2 ** 20,
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
      budget: new ByteBudget(2 ** 30),
      onPeerError: () => {},
    });
  }

  /** Resolves to the port. */
  async start(): Promise<number> {
    await this.#server.start();
    const { address } = this.#server;
    if (typeof address !== 'object' || address === null) throw new Error('no port');
    return address.port;
  }

  stop(): Promise<void> {
    return this.#server.shutdown(AbortSignal.abort());
  }
}
