/** Stands behind the exporters of the probed programs: says what a probe wants it to say, and keeps what it gets. */
import * as http from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Signal } from '../../../src/component/signal.js';
import { toJson } from '../../../src/otlp/json-writer.js';
import { encodeExportResponse } from '../../../src/otlp/responses.js';
import { ByteBudget } from '../../../src/transport/byte-budget.js';
import { GrpcServer } from '../../../src/transport/grpc-server.js';
import { RpcError } from '../../../src/transport/grpc-status.js';
import { type BackendAnswer, signalOf } from './probe.js';

const SERVICES: Readonly<Record<Signal, string>> = {
  traces: 'trace.v1.TraceService',
  metrics: 'metrics.v1.MetricsService',
  logs: 'logs.v1.LogsService',
  profiles: 'profiles.v1development.ProfilesService',
};

export class Backend {
  answer: BackendAnswer = { code: 0 };
  /** OTLP/JSON, parsed. */
  readonly received: unknown[] = [];
  readonly #grpc: GrpcServer;
  readonly #http = http.createServer((request, response) => this.#onHttp(request, response));

  constructor() {
    const methods = Object.entries(SERVICES).map(([signal, service]) => {
      const handle = (message: Uint8Array): Promise<Uint8Array> => this.#onGrpc(signal as Signal, message);
      return [`/opentelemetry.proto.collector.${service}/Export`, { handle, refused: () => {} }] as const;
    });
    this.#grpc = new GrpcServer({
      listen: { host: '127.0.0.1', port: 0 },
      methods: new Map(methods),
      maxMessageBytes: 64 << 20,
      maxConcurrentStreams: 100,
      keepalive: {
        maxConnectionIdleMs: 0,
        maxConnectionAgeMs: 0,
        maxConnectionAgeGraceMs: 0,
        timeMs: 0,
        timeoutMs: 0,
        minPingIntervalMs: 0,
        permitWithoutStream: true,
      },
      budget: new ByteBudget(256 << 20),
      onPeerError: () => {},
    });
  }

  async start(): Promise<{ readonly grpcPort: number; readonly httpPort: number }> {
    await this.#grpc.start();
    await new Promise<void>((resolve) => this.#http.listen(0, '127.0.0.1', resolve));
    return {
      grpcPort: (this.#grpc.address as AddressInfo).port,
      httpPort: (this.#http.address() as AddressInfo).port,
    };
  }

  async stop(): Promise<void> {
    this.#http.closeAllConnections();
    await Promise.all([
      this.#grpc.shutdown(AbortSignal.abort()),
      new Promise((resolve) => this.#http.close(resolve)),
    ]);
  }

  async #onGrpc(signal: Signal, message: Uint8Array): Promise<Uint8Array> {
    const { code, message: text = 'boom', retrySeconds, rejected } = this.answer;
    if (code !== 0) {
      throw new RpcError(code, text, retrySeconds === undefined ? undefined : retrySeconds * 1000);
    }
    this.received.push(JSON.parse(toJson(signal, message)));
    return encodeExportResponse(rejected === undefined ? undefined : { rejected, message: text });
  }

  #onHttp(request: http.IncomingMessage, response: http.ServerResponse): void {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { code, message = 'boom', retrySeconds } = this.answer;
      const headers: http.OutgoingHttpHeaders =
        retrySeconds === undefined ? {} : { 'retry-after': String(retrySeconds) };
      if (code === 0 || (code >= 200 && code < 300)) {
        this.received.push(JSON.parse(toJson(signalOf(request.url ?? ''), Buffer.concat(chunks))));
        response.writeHead(code === 0 ? 200 : code, { 'content-type': 'application/x-protobuf' }).end();
        return;
      }
      response.writeHead(code, { ...headers, 'content-type': 'text/plain' }).end(message);
    });
  }
}
