/**
 * Sends encoded batches over OTLP/gRPC. The settings come from the official JavaScript packages
 * (@opentelemetry/otlp-grpc-exporter-base 0.223), which read OTEL_EXPORTER_OTLP_* as every SDK does.
 */
import type { Metadata } from '@grpc/grpc-js';
import { convertLegacyOtlpGrpcOptions, createEmptyMetadata } from '@opentelemetry/otlp-grpc-exporter-base';
import { type ClientAuthenticator, clientAuthenticator } from '../../component/auth.js';
import type { Host, Settings } from '../../component/component.js';
import { PermanentError, type RetryableError } from '../../component/errors.js';
import type { Batch, Signal } from '../../component/signal.js';
import { decodeExportResponse, decodeStatus } from '../../otlp/responses.js';
import type { Sender } from '../../pipeline/exporter-wrappers.js';
import { ENV_SIGNAL, revealHeaders } from '../../pipeline/otlp-export/client-config.js';
import type { Compression } from '../../pipeline/otlp-export/compress.js';
import { exportFailure } from '../../pipeline/otlp-export/export-failure.js';
import type { PartialSuccessLog } from '../../pipeline/otlp-export/partial-success-log.js';
import { readable } from '../../pipeline/otlp-export/readable.js';
import type { GrpcResult } from '../../transport/grpc-call.js';
import type { GrpcPingOptions } from '../../transport/grpc-ping.js';
import { GRPC_STATUS, isRetryableGrpcStatus } from '../../transport/grpc-status.js';
import { type Channel, type GrpcCompression, openChannel } from './channel.js';
import { hostAndPort, type OtlpGrpcConfig, splitHostPort } from './config.js';
import { credentialsOf, reloadTls } from './credentials.js';

const PATHS: Readonly<Record<Signal, string>> = {
  traces: '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
  metrics: '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export',
  logs: '/opentelemetry.proto.collector.logs.v1.LogsService/Export',
  profiles: '/opentelemetry.proto.collector.profiles.v1development.ProfilesService/Export',
};

/** After so many exports in a row that ran out of time, a new connection is made: the old one may lead nowhere. */
const MAX_TIMEOUTS_IN_A_ROW = 5;
export interface OtlpGrpcSenderOptions {
  readonly config: OtlpGrpcConfig;
  /** 0: none. */
  readonly timeoutMs: number;
  readonly compression: Compression;
  readonly log: PartialSuccessLog;
}

export class OtlpGrpcSender implements Sender {
  readonly #settings: Settings;
  readonly #signal: Signal;
  readonly #options: OtlpGrpcSenderOptions;
  #connect: (() => Channel) | undefined;
  #stopReload = (): void => {};
  #channel: Channel | undefined;
  #metadata: Metadata = createEmptyMetadata();
  #timeoutsInARow = 0;
  #authenticator: ClientAuthenticator | undefined;

  constructor(settings: Settings, signal: Signal, options: OtlpGrpcSenderOptions) {
    this.#settings = settings;
    this.#signal = signal;
    this.#options = options;
  }

  /** Reads certificates; connects with the first batch. */
  async start(host: Host): Promise<void> {
    const { config } = this.#options;
    const compression = grpcCompression(this.#options.compression);
    this.#authenticator = clientAuthenticator(host, config.auth?.authenticator, 'gRPC');
    const credentials = await credentialsOf(config);
    const resolved = convertLegacyOtlpGrpcOptions(
      {
        ...(config.endpoint === '' ? {} : { url: urlOf(config.endpoint) }),
        ...(credentials === undefined ? {} : { credentials: credentials.channel }),
        metadata: metadataOf(revealHeaders(config.headers)),
      },
      ENV_SIGNAL[this.#signal],
    );
    // A secret over plain text is no secret any more.
    if (this.#authenticator !== undefined && !resolved.credentials()._isSecure()) {
      throw new Error(
        'grpc: the credentials require transport level security (use grpc.WithTransportCredentials() to set)',
      );
    }
    this.#metadata = resolved.metadata();
    const target = resolved.url;
    const resolvedCredentials = resolved.credentials();
    const options = {
      target,
      credentials: resolvedCredentials,
      tls: credentials?.tls,
      compression,
      keepalive: pingsOf(config),
    };
    this.#connect = () => openChannel(options, process.env);
    if (config.tls !== undefined && credentials?.tls !== undefined) {
      this.#stopReload = reloadTls(credentials.tls, config.tls, this.#settings.logger);
    }
    // Both kinds connect with the first call; what can't be done is told now.
    this.#channel = this.#connect();
    const peer = splitHostPort(resolved.url);
    this.#settings.metrics.gauge('endpoint_info', 1, { server_address: peer.host, server_port: peer.port });
    this.#settings.logger.debug('Exporting over gRPC.', { endpoint: resolved.url, compression });
  }

  async send(batch: Batch, _abort: AbortSignal): Promise<void> {
    if (this.#connect === undefined) throw new PermanentError('exporter is not started');
    this.#channel ??= this.#connect();
    const channel = this.#channel;
    const { timeoutMs, log } = this.#options;
    const result = await channel.unary(PATHS[this.#signal], batch, this.#metadataOfCall(), timeoutMs);
    const { response } = result;
    if (result.code !== GRPC_STATUS.OK) {
      if (result.code === GRPC_STATUS.DEADLINE_EXCEEDED) this.#timedOut(channel);
      throw failureOf(result);
    }
    this.#timeoutsInARow = 0;
    if (response !== undefined) {
      log.note(
        batch,
        readable(() => decodeExportResponse(response)),
      );
    }
  }

  #metadataOfCall(): Metadata {
    if (this.#authenticator === undefined) return this.#metadata;
    const metadata = this.#metadata.clone();
    for (const [name, value] of Object.entries(this.#authenticator.headers())) metadata.set(name, value);
    return metadata;
  }

  #timedOut(channel: Channel): void {
    if (++this.#timeoutsInARow <= MAX_TIMEOUTS_IN_A_ROW || channel !== this.#channel) return;
    this.#timeoutsInARow = 0;
    channel.close();
    this.#channel = undefined;
  }

  rejectedItems(batch: Batch): number {
    return this.#options.log.take(batch);
  }

  /** Running exports have ended, or were given up: the wrappers see to it. */
  async shutdown(_deadline: AbortSignal): Promise<void> {
    this.#stopReload();
    this.#channel?.close();
    this.#channel = undefined;
    this.#connect = undefined;
  }
}

/** grpc-js takes `host:port`; the official configuration wants to see the scheme and knows no `dns:`. */
function urlOf(endpoint: string): string {
  return endpoint.startsWith('dns:') ? `https://${hostAndPort(endpoint)}` : endpoint;
}

function grpcCompression(compression: Compression): GrpcCompression {
  switch (compression) {
    case 'gzip':
    case 'none':
    case 'snappy':
    case 'zstd':
      return compression;
    default:
      throw new Error(`unsupported compression type "${compression}"`);
  }
}

/** grpc-go pings no more often, whatever the file says, because servers send such clients away. */
const MIN_PING_INTERVAL_MS = 10_000;

function pingsOf({ keepalive }: OtlpGrpcConfig): GrpcPingOptions | undefined {
  if (keepalive === undefined || keepalive.time <= 0) return undefined;
  return {
    timeMs: Math.max(keepalive.time, MIN_PING_INTERVAL_MS),
    timeoutMs: keepalive.timeout,
    permitWithoutStream: keepalive.permit_without_stream,
  };
}

function metadataOf(headers: Readonly<Record<string, string>>): Metadata {
  const metadata = createEmptyMetadata();
  for (const [name, value] of Object.entries(headers)) metadata.set(name.toLowerCase(), value);
  return metadata;
}

function failureOf({ code, message, details }: GrpcResult): RetryableError | PermanentError {
  const retryDelayMs =
    details === undefined ? undefined : readable(() => decodeStatus(details))?.retryDelayMs;
  const rpcStatus = { code, message, retryDelayMs };
  if (isRetryableGrpcStatus(code, retryDelayMs !== undefined)) return exportFailure(rpcStatus, 'retryable');
  const tooLarge = code === GRPC_STATUS.RESOURCE_EXHAUSTED && /larger than max/.test(message);
  return exportFailure(rpcStatus, tooLarge ? 'too_large' : 'permanent');
}
