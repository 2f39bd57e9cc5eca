/**
 * Sends encoded batches over OTLP/gRPC with the export delegate of the official JavaScript packages
 * (@opentelemetry/otlp-grpc-exporter-base 0.223): its configuration reads OTEL_EXPORTER_OTLP_* as every SDK does, its
 * transport is `@grpc/grpc-js` without a codec, so that ready bytes go through it untouched.
 *
 * Checked in that version: the delegate hands the gRPC error through with code and trailers, does not retry, and calls
 * `deserializeResponse` and the result callback in the same turn. Its limit of 30 exports at a time, beyond which it
 * would lose data, is lifted: `sending_queue.num_consumers` bounds them.
 */
import { type Metadata, type ServiceError, status } from '@grpc/grpc-js';
import type { IOtlpExportDelegate } from '@opentelemetry/otlp-exporter-base';
import {
  convertLegacyOtlpGrpcOptions,
  createEmptyMetadata,
  createOtlpGrpcExportDelegate,
} from '@opentelemetry/otlp-grpc-exporter-base';
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

const SERVICES: Readonly<Record<Signal, { readonly name: string; readonly path: string }>> = {
  traces: service('trace.v1.TraceService'),
  metrics: service('metrics.v1.MetricsService'),
  logs: service('logs.v1.LogsService'),
  profiles: service('profiles.v1development.ProfilesService'),
};

function service(name: string): { readonly name: string; readonly path: string } {
  return { name: name.split('.')[2]!, path: `/opentelemetry.proto.collector.${name}/Export` };
}

/** For "no limit": longer than any process waits, short enough for a timer. */
const NO_TIMEOUT_MS = 0x7fff_ffff;

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
  #delegate: IOtlpExportDelegate<Batch> | undefined;
  /** Of the export whose result callback is about to run. */
  #response: Uint8Array | undefined;

  constructor(settings: Settings, signal: Signal, options: OtlpGrpcSenderOptions) {
    this.#settings = settings;
    this.#signal = signal;
    this.#options = options;
  }

  /** Reads certificates; connects with the first batch. */
  async start(_host: Host): Promise<void> {
    const { config, timeoutMs, compression } = this.#options;
    const credentials = await credentialsOf(config);
    const resolved = convertLegacyOtlpGrpcOptions(
      {
        ...(config.endpoint === '' ? {} : { url: urlOf(config.endpoint) }),
        ...(credentials === undefined ? {} : { credentials }),
        metadata: metadataOf(revealHeaders(config.headers)),
        timeoutMillis: timeoutMs === 0 ? NO_TIMEOUT_MS : timeoutMs,
        concurrencyLimit: Number.POSITIVE_INFINITY,
        userAgent: 'kindling',
      },
      ENV_SIGNAL[this.#signal],
    );
    const { name, path } = SERVICES[this.#signal];
    this.#delegate = createOtlpGrpcExportDelegate<Batch, undefined>(
      { ...resolved, compression },
      {
        serializeRequest: (batch) => batch.bytes,
        deserializeResponse: (bytes) => {
          this.#response = bytes;
          return undefined;
        },
      },
      'otlp_grpc_exporter',
      // Used only with a meter provider, and we count ourselves.
      { name: 'span', countItems: (batch) => batch.itemCount },
      undefined,
      name,
      path,
    );
    this.#settings.logger.debug('Exporting over gRPC.', { endpoint: resolved.url, compression });
  }

  send(batch: Batch, _abort: AbortSignal): Promise<void> {
    const delegate = this.#delegate;
    if (delegate === undefined) return Promise.reject(new PermanentError('exporter is not started'));
    return new Promise((resolve, reject) => {
      delegate.export(batch, ({ code, error }) => {
        const response = this.#response;
        this.#response = undefined;
        if (code !== 0) {
          reject(failureOf(error));
          return;
        }
        if (response !== undefined) {
          this.#options.log.note(
            batch,
            readable(() => decodeExportResponse(response)),
          );
        }
        resolve();
      });
    });
  }

  rejectedItems(batch: Batch): number {
    return this.#options.log.take(batch);
  }

  /** Waits for running exports and closes the connection. */
  async shutdown(_deadline: AbortSignal): Promise<void> {
    await this.#delegate?.shutdown();
    this.#delegate = undefined;
  }
}

/** grpc-js takes `host:port`; the official configuration wants to see the scheme and knows no `dns:`. */
function urlOf(endpoint: string): string {
  return endpoint.startsWith('dns:') ? `https://${hostAndPort(endpoint)}` : endpoint;
}

function metadataOf(headers: Readonly<Record<string, string>>): Metadata {
  const metadata = createEmptyMetadata();
  for (const [name, value] of Object.entries(headers)) metadata.set(name.toLowerCase(), value);
  return metadata;
}

function failureOf(error: Error | undefined): RetryableError | PermanentError {
  if (error === undefined || !isServiceError(error)) {
    return new PermanentError(`Permanent error: ${error?.message ?? 'unknown error'}`, { cause: error });
  }
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

const isServiceError = (error: Error): error is ServiceError =>
  'code' in error && typeof error.code === 'number' && 'details' in error;
