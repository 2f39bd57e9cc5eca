/** The servers of one receiver: opens them, reads certificates again, and closes them. */
import type { AddressInfo, ListenOptions } from 'node:net';
import type { SecureContextOptions, TlsOptions } from 'node:tls';
import { type ServerAuthenticator, serverAuthenticator } from '../component/auth.js';
import type { Host, Settings } from '../component/component.js';
import { parseEndpoint } from '../config/fields.js';
import {
  DEFAULT_GRPC_MESSAGE_BYTES,
  type GrpcServerConfig,
  type HttpServerConfig,
} from '../config/server-fields.js';
import { ByteBudget } from '../transport/byte-budget.js';
import { GrpcServer, type GrpcServerOptions } from '../transport/grpc-server.js';
import { hostPort, listenOptions } from '../transport/listen.js';
import { reloadCertificates } from '../transport/reload-certificates.js';
import { readServerTls } from '../transport/tls-files.js';
import { MEMORY_BUDGET } from './memory-budget.js';

const DEFAULT_CONCURRENT_STREAMS = 256;

export interface NetworkServer {
  readonly address: AddressInfo | string | null;
  start(): Promise<void>;
  shutdown(deadline: AbortSignal): Promise<void>;
  /** Uses other certificates from now on. */
  setSecureContext?(context: SecureContextOptions): void;
}

/** What a server is made with, beside what it serves. */
export interface ServerParts {
  readonly listen: ListenOptions;
  readonly tls: TlsOptions | undefined;
  readonly authenticator: ServerAuthenticator | undefined;
  readonly onPeerError: (error: Error) => void;
}

/** The memory of requests that a receiver may hold, within what the whole process may. */
export const requestBudget = (host: Host, maxInFlightMib: number): ByteBudget =>
  new ByteBudget(maxInFlightMib * 1024 * 1024, host.service(MEMORY_BUDGET));

export class ReceiverServers {
  readonly #settings: Settings;
  readonly #servers = new Map<string, NetworkServer>();
  readonly #reloads: (() => void)[] = [];

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  /** Where a server listens; null before it is open. A path for a unix socket. */
  address(name: string): AddressInfo | string | null {
    return this.#servers.get(name)?.address ?? null;
  }

  /** Opens the server that `create` makes. Rejects when a certificate can't be read or the address can't be bound. */
  async open<T extends NetworkServer>(
    name: string,
    config: GrpcServerConfig | HttpServerConfig,
    host: Host,
    create: (parts: ServerParts) => T,
  ): Promise<T> {
    const authenticator = serverAuthenticator(host, config.auth?.authenticator);
    const tls = config.tls === undefined ? undefined : await readServerTls(config.tls);
    const onPeerError = (error: Error): void => this.#onPeerError(name, error);
    const server = create({ listen: listenOn(config), tls, authenticator, onPeerError });
    await this.add(name, server, config.endpoint);
    this.#reloadTls(server, config.tls);
    return server;
  }

  /** Starts a server that needs nothing of the above. */
  async add(name: string, server: NetworkServer, endpoint: string): Promise<void> {
    await server.start();
    this.#servers.set(name, server);
    const { address } = server;
    this.#settings.logger.info(`Starting ${name.toUpperCase()} server`, {
      endpoint:
        typeof address === 'object' && address !== null ? hostPort(address.address, address.port) : endpoint,
    });
  }

  /** May be called without `open` and again. */
  async shutdown(deadline: AbortSignal): Promise<void> {
    for (const stop of this.#reloads.splice(0)) stop();
    await Promise.all([...this.#servers.values()].map((server) => server.shutdown(deadline)));
  }

  /** At `reload_interval`; a bad file keeps the old certificate. */
  #reloadTls(server: NetworkServer, config: GrpcServerConfig['tls']): void {
    if (config === undefined) return;
    this.#reloads.push(
      reloadCertificates(
        config.reload_interval,
        () => readServerTls(config),
        (certificates) => server.setSecureContext?.(certificates),
        this.#settings.logger,
      ),
    );
  }

  #onPeerError(name: string, error: Error): void {
    this.#settings.metrics.count('connection_errors', 1, { transport: name });
    this.#settings.logger.debug('A connection failed.', { transport: name, error: error.message });
  }
}

/** A gRPC server with the settings of `config`. */
export function grpcServerOf(
  config: GrpcServerConfig,
  parts: ServerParts,
  budget: ByteBudget,
  methods: GrpcServerOptions['methods'],
): GrpcServer {
  const { server_parameters: server, enforcement_policy: policy } = config.keepalive;
  return new GrpcServer({
    ...parts,
    methods,
    budget,
    maxMessageBytes:
      config.max_recv_msg_size_mib > 0
        ? config.max_recv_msg_size_mib * 1024 * 1024
        : DEFAULT_GRPC_MESSAGE_BYTES,
    maxConcurrentStreams: config.max_concurrent_streams || DEFAULT_CONCURRENT_STREAMS,
    keepalive: {
      maxConnectionIdleMs: server.max_connection_idle,
      maxConnectionAgeMs: server.max_connection_age,
      maxConnectionAgeGraceMs: server.max_connection_age_grace,
      timeMs: server.time,
      timeoutMs: server.timeout,
      minPingIntervalMs: policy.min_time,
      permitWithoutStream: policy.permit_without_stream,
    },
  });
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
