/**
 * Sends encoded batches over OTLP/gRPC. The settings come from the official JavaScript packages
 * (@opentelemetry/otlp-grpc-exporter-base 0.223), which read OTEL_EXPORTER_OTLP_* as every SDK does; the connection is
 * the one they use, `@grpc/grpc-js`. Their transport between the two is left out: it copies each request once more and
 * gives up beyond 30 exports at a time, which are bounded by `sending_queue.num_consumers` here.
 */
import { Client, type Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { convertLegacyOtlpGrpcOptions, createEmptyMetadata } from '@opentelemetry/otlp-grpc-exporter-base';
import { type ClientAuthenticator, clientAuthenticator } from '../../component/auth.js';
import type { Host, Settings } from '../../component/component.js';
import { PermanentError, type RetryableError } from '../../component/errors.js';
import type { Batch, Signal } from '../../component/signal.js';
import { decodeExportResponse, decodeStatus } from '../../otlp/responses.js';
import type { Sender } from '../../pipeline/exporter-wrappers.js';
import { ENV_SIGNAL, revealHeaders } from '../../pipeline/otlp-export/client-config.js';
import { exportFailure } from '../../pipeline/otlp-export/export-failure.js';
import type { PartialSuccessLog } from '../../pipeline/otlp-export/partial-success-log.js';
import { readable } from '../../pipeline/otlp-export/readable.js';
import { isRetryableGrpcStatus } from '../../transport/grpc-status.js';
import { hostAndPort, type OtlpGrpcConfig } from './config.js';
import { credentialsOf } from './credentials.js';
import { piecewise } from './piecewise.js';

const PATHS: Readonly<Record<Signal, string>> = {
  traces: '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
  metrics: '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export',
  logs: '/opentelemetry.proto.collector.logs.v1.LogsService/Export',
  profiles: '/opentelemetry.proto.collector.profiles.v1development.ProfilesService/Export',
};

/** After so many exports in a row that ran out of time, a new connection is made: the old one may lead nowhere. */
const MAX_TIMEOUTS_IN_A_ROW = 5;
/** Numbers of grpc-js's `compressionAlgorithms`. */
const COMPRESSION = { none: 0, gzip: 2 } as const;

export interface OtlpGrpcSenderOptions {
  readonly config: OtlpGrpcConfig;
  /** 0: none. */
  readonly timeoutMs: number;
  readonly compression: 'gzip' | 'none';
  readonly log: PartialSuccessLog;
}

export class OtlpGrpcSender implements Sender {
  readonly #settings: Settings;
  readonly #signal: Signal;
  readonly #options: OtlpGrpcSenderOptions;
  #connect: (() => Client) | undefined;
  #client: Client | undefined;
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
    const { config, compression } = this.#options;
    this.#authenticator = clientAuthenticator(host, config.auth?.authenticator, 'gRPC');
    const credentials = await credentialsOf(config);
    const resolved = convertLegacyOtlpGrpcOptions(
      {
        ...(config.endpoint === '' ? {} : { url: urlOf(config.endpoint) }),
        ...(credentials === undefined ? {} : { credentials }),
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
    this.#connect = () =>
      new Client(resolved.url, resolved.credentials(), {
        'grpc.default_compression_algorithm': COMPRESSION[compression],
        'grpc.primary_user_agent': 'kindling',
      });
    const peer = splitHostPort(resolved.url);
    this.#settings.metrics.gauge('endpoint_info', 1, { server_address: peer.host, server_port: peer.port });
    this.#settings.logger.debug('Exporting over gRPC.', { endpoint: resolved.url, compression });
  }

  send(batch: Batch, _abort: AbortSignal): Promise<void> {
    if (this.#connect === undefined) return Promise.reject(new PermanentError('exporter is not started'));
    this.#client ??= this.#connect();
    const client = this.#client;
    const { timeoutMs } = this.#options;
    return new Promise((resolve, reject) => {
      client.makeUnaryRequest(
        PATHS[this.#signal],
        this.#serialize,
        (bytes: Buffer) => bytes,
        batch,
        this.#metadataOfCall(),
        timeoutMs === 0 ? {} : { deadline: Date.now() + timeoutMs },
        (error, response) => {
          if (error !== null) {
            if (error.code === status.DEADLINE_EXCEEDED) this.#timedOut(client);
            reject(failureOf(error));
            return;
          }
          this.#timeoutsInARow = 0;
          if (response !== undefined) {
            this.#options.log.note(
              batch,
              readable(() => decodeExportResponse(response)),
            );
          }
          resolve();
        },
      );
    });
  }

  /** Compressing needs the bytes in one piece; sending plain does not. */
  readonly #serialize = (batch: Batch): Buffer => {
    if (this.#options.compression === 'none' && batch.parts !== undefined && batch.parts.length > 1) {
      return piecewise(batch.parts);
    }
    const { buffer, byteOffset, byteLength } = batch.bytes;
    return Buffer.from(buffer, byteOffset, byteLength);
  };

  #metadataOfCall(): Metadata {
    if (this.#authenticator === undefined) return this.#metadata;
    const metadata = this.#metadata.clone();
    for (const [name, value] of Object.entries(this.#authenticator.headers())) metadata.set(name, value);
    return metadata;
  }

  #timedOut(client: Client): void {
    if (++this.#timeoutsInARow <= MAX_TIMEOUTS_IN_A_ROW || client !== this.#client) return;
    this.#timeoutsInARow = 0;
    client.close();
    this.#client = undefined;
  }

  rejectedItems(batch: Batch): number {
    return this.#options.log.take(batch);
  }

  /** Running exports have ended, or were given up: the wrappers see to it. */
  async shutdown(_deadline: AbortSignal): Promise<void> {
    this.#client?.close();
    this.#client = undefined;
    this.#connect = undefined;
  }
}

/** grpc-js takes `host:port`; the official configuration wants to see the scheme and knows no `dns:`. */
function urlOf(endpoint: string): string {
  return endpoint.startsWith('dns:') ? `https://${hostAndPort(endpoint)}` : endpoint;
}

/** Of `host:port`; a path of a unix socket is all address. */
function splitHostPort(target: string): { readonly host: string; readonly port: string } {
  const match = /^(?:\w+:\/*)?\[?([^/[\]]+?)\]?:(\d+)$/.exec(target);
  return { host: match?.[1] ?? target, port: match?.[2] ?? '' };
}

function metadataOf(headers: Readonly<Record<string, string>>): Metadata {
  const metadata = createEmptyMetadata();
  for (const [name, value] of Object.entries(headers)) metadata.set(name.toLowerCase(), value);
  return metadata;
}

function failureOf(error: ServiceError): RetryableError | PermanentError {
  const [details] = error.metadata?.get('grpc-status-details-bin') ?? [];
  const retryDelayMs =
    details instanceof Buffer ? readable(() => decodeStatus(details))?.retryDelayMs : undefined;
  const rpcStatus = { code: error.code, message: error.details, retryDelayMs };
  if (isRetryableGrpcStatus(error.code, retryDelayMs !== undefined)) {
    return exportFailure(rpcStatus, 'retryable', error);
  }
  const tooLarge = error.code === status.RESOURCE_EXHAUSTED && /larger than max/.test(error.details);
  return exportFailure(rpcStatus, tooLarge ? 'too_large' : 'permanent', error);
}
