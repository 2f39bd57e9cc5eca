import type { AddressInfo, ListenOptions } from 'node:net';
import type { TlsOptions } from 'node:tls';
import { serverAuthenticator } from '../../component/auth.js';
import type { Host, Receiver, ReceiverOutputs, Settings } from '../../component/component.js';
import { parseEndpoint } from '../../config/fields.js';
import { ByteBudget } from '../../transport/byte-budget.js';
import { GrpcServer, type UnaryMethod } from '../../transport/grpc-server.js';
import { hostPort, listenOptions } from '../../transport/listen.js';
import { readServerTls } from '../../transport/tls-files.js';
import { DEFAULT_GRPC_MESSAGE_BYTES, type OtlpGrpcConfig, type OtlpReceiverConfig } from './config.js';
import { grpcMethods } from './grpc-methods.js';
import { OtlpHttpServer } from './http-server.js';
import { Intake } from './intake.js';

const DEFAULT_CONCURRENT_STREAMS = 256;

type TlsConfig = NonNullable<OtlpGrpcConfig['tls']>;
type Server = GrpcServer | OtlpHttpServer;

/** Receives OTLP over gRPC and HTTP. One instance serves all signals that have a pipeline. */
export class OtlpReceiver implements Receiver {
  readonly #settings: Settings;
  readonly #config: OtlpReceiverConfig;
  #intakes: readonly Intake[] = [];
  /** Of the gRPC server, which looks here for each call. */
  readonly #methods = new Map<string, UnaryMethod>();
  readonly #servers = new Map<'grpc' | 'http', Server>();
  readonly #timers: NodeJS.Timeout[] = [];

  constructor(settings: Settings, config: OtlpReceiverConfig, next: ReceiverOutputs) {
    this.#settings = settings;
    this.#config = config;
    this.feed(next);
  }

  /** Serves the signals of `next`, and answers for others as for services that do not exist. */
  feed(next: ReceiverOutputs): void {
    this.#intakes = (['traces', 'metrics', 'logs', 'profiles'] as const).flatMap((signal) => {
      const consumer = next[signal];
      if (consumer === undefined) return [];
      const existing = this.#intakes.find((intake) => intake.signal === signal);
      return [existing ?? new Intake(signal, consumer, this.#settings)];
    });
    this.#methods.clear();
    for (const [path, method] of grpcMethods(this.#intakes)) this.#methods.set(path, method);
    for (const server of this.#servers.values())
      if (server instanceof OtlpHttpServer) server.serve(this.#intakes);
  }

  /** Where a protocol listens; null before `start` and for a protocol that is off. A path for a unix socket. */
  address(protocol: 'grpc' | 'http'): AddressInfo | string | null {
    return this.#servers.get(protocol)?.address ?? null;
  }

  /** Rejects when a certificate can't be read or an address can't be bound; nothing listens then. */
  async start(host: Host): Promise<void> {
    const { grpc, http } = this.#config.protocols;
    const grpcAuthenticator = serverAuthenticator(host, grpc?.auth?.authenticator);
    const httpAuthenticator = serverAuthenticator(host, http?.auth?.authenticator);
    this.#settings.metrics.gauge('transports', [grpc, http].filter((one) => one !== undefined).length);
    const budget = new ByteBudget(this.#config.max_in_flight_mib * 1024 * 1024);
    try {
      if (grpc !== undefined) {
        const tls = await this.#tlsOf(grpc.tls);
        await this.#open(
          'grpc',
          grpc,
          new GrpcServer({ ...this.#grpcOptions(grpc, budget, tls), authenticator: grpcAuthenticator }),
        );
      }
      if (http !== undefined) {
        const tls = await this.#tlsOf(http.tls);
        const server = new OtlpHttpServer({
          listen: listenOn(http),
          config: http,
          intakes: this.#intakes,
          budget,
          tls,
          authenticator: httpAuthenticator,
          onPeerError: (error) => this.#onPeerError('http', error),
        });
        await this.#open('http', http, server);
      }
    } catch (error) {
      await this.shutdown(AbortSignal.abort());
      throw error;
    }
  }

  async shutdown(deadline: AbortSignal): Promise<void> {
    for (const timer of this.#timers.splice(0)) clearInterval(timer);
    await Promise.all([...this.#servers.values()].map((server) => server.shutdown(deadline)));
  }

  async #open(
    protocol: 'grpc' | 'http',
    config: { readonly endpoint: string; readonly tls?: TlsConfig | undefined },
    server: Server,
  ): Promise<void> {
    await server.start();
    this.#servers.set(protocol, server);
    this.#reloadTls(server, config.tls);
    const { address } = server;
    this.#settings.logger.info(`Starting ${protocol.toUpperCase()} server`, {
      endpoint:
        typeof address === 'object' && address !== null
          ? hostPort(address.address, address.port)
          : config.endpoint,
    });
  }

  #grpcOptions(grpc: OtlpGrpcConfig, budget: ByteBudget, tls: TlsOptions | undefined) {
    const { server_parameters: server, enforcement_policy: policy } = grpc.keepalive;
    return {
      listen: listenOn(grpc),
      methods: this.#methods,
      maxMessageBytes:
        grpc.max_recv_msg_size_mib > 0
          ? grpc.max_recv_msg_size_mib * 1024 * 1024
          : DEFAULT_GRPC_MESSAGE_BYTES,
      maxConcurrentStreams: grpc.max_concurrent_streams || DEFAULT_CONCURRENT_STREAMS,
      keepalive: {
        maxConnectionIdleMs: server.max_connection_idle,
        maxConnectionAgeMs: server.max_connection_age,
        maxConnectionAgeGraceMs: server.max_connection_age_grace,
        timeMs: server.time,
        timeoutMs: server.timeout,
        minPingIntervalMs: policy.min_time,
        permitWithoutStream: policy.permit_without_stream,
      },
      budget,
      tls,
      onPeerError: (error: Error) => this.#onPeerError('grpc', error),
    };
  }

  async #tlsOf(config: TlsConfig | undefined): Promise<TlsOptions | undefined> {
    return config === undefined ? undefined : readServerTls(config);
  }

  /** Reads the certificate files again at `reload_interval`; a bad file keeps the old certificate. */
  #reloadTls(server: Server, config: TlsConfig | undefined): void {
    if (config === undefined || config.reload_interval <= 0) return;
    const reload = async (): Promise<void> => {
      try {
        server.setSecureContext(await readServerTls(config));
      } catch (error) {
        const { message } = error as Error;
        this.#settings.logger.error('Reading the certificates again failed. The old ones stay.', {
          error: message,
        });
      }
    };
    this.#timers.push(setInterval(() => void reload(), config.reload_interval).unref());
  }

  #onPeerError(protocol: 'grpc' | 'http', error: Error): void {
    this.#settings.metrics.count('connection_errors', 1, { transport: protocol });
    this.#settings.logger.debug('A connection failed.', { transport: protocol, error: error.message });
  }
}

function listenOn({ endpoint, transport }: { endpoint: string; transport: string }): ListenOptions {
  if (transport === 'unix') return { path: endpoint };
  const { host, port } = parseEndpoint(endpoint);
  const options = listenOptions(host, port);
  if (host !== '') return options;
  return transport === 'tcp4'
    ? { host: '0.0.0.0', port }
    : transport === 'tcp6'
      ? { host: '::', port }
      : options;
}
