/**
 * Sends encoded batches over OTLP/HTTP (https://opentelemetry.io/docs/specs/otlp/#otlphttp). How bytes travel, and what
 * of the official JavaScript packages is used, is in `pipeline/http-transport.ts`.
 */
import { Agent } from 'node:https';
import { convertLegacyHttpOptions } from '@opentelemetry/otlp-exporter-base/node-http';
import { clientAuthenticator } from '../../component/auth.js';
import type { Host, Settings } from '../../component/component.js';
import { PermanentError, RetryableError } from '../../component/errors.js';
import type { Batch, Signal } from '../../component/signal.js';
import { toJson } from '../../otlp/json-writer.js';
import {
  decodeExportResponse,
  decodeStatus,
  exportResponseFromJson,
  statusFromJson,
} from '../../otlp/responses.js';
import { CookieJar } from '../../pipeline/cookie-jar.js';
import type { Sender } from '../../pipeline/exporter-wrappers.js';
import { httpConnectionOf, reloadClientTls, tlsOptionsOf } from '../../pipeline/http-connection.js';
import { type HttpAnswer, HttpTransport } from '../../pipeline/http-transport.js';
import { ENV_SIGNAL, revealHeaders } from '../../pipeline/otlp-export/client-config.js';
import { type Compression, compressorOf } from '../../pipeline/otlp-export/compress.js';
import { exportFailure } from '../../pipeline/otlp-export/export-failure.js';
import type { PartialSuccessLog } from '../../pipeline/otlp-export/partial-success-log.js';
import { readable } from '../../pipeline/otlp-export/readable.js';
import { GRPC_STATUS, grpcStatusOfHttp } from '../../transport/grpc-status.js';
import type { OtlpHttpConfig } from './config.js';

const PATHS: Readonly<Record<Signal, string>> = {
  traces: 'v1/traces',
  metrics: 'v1/metrics',
  logs: 'v1/logs',
  profiles: 'v1development/profiles',
};

const RETRYABLE: ReadonlySet<number> = new Set([429, 502, 503, 504]);

export interface OtlpHttpSenderOptions {
  readonly config: OtlpHttpConfig;
  readonly compression: Compression;
  readonly log: PartialSuccessLog;
  /** Milliseconds since the epoch, for a Retry-After that is a date. */
  readonly now: () => number;
}

export class OtlpHttpSender implements Sender {
  readonly #settings: Settings;
  readonly #signal: Signal;
  readonly #options: OtlpHttpSenderOptions;
  #transport: HttpTransport | undefined;
  #stopReload = (): void => {};

  constructor(settings: Settings, signal: Signal, options: OtlpHttpSenderOptions) {
    this.#settings = settings;
    this.#signal = signal;
    this.#options = options;
  }

  /** Reads certificates; connects with the first batch. */
  async start(host: Host): Promise<void> {
    const { config, compression } = this.#options;
    const authenticator = clientAuthenticator(host, config.auth?.authenticator, 'HTTP');
    const url = urlOf(config, this.#signal);
    const resolved = convertLegacyHttpOptions(
      { ...(url === undefined ? {} : { url }), headers: revealHeaders(config.headers) },
      ENV_SIGNAL[this.#signal],
      PATHS[this.#signal],
      { 'Content-Type': config.encoding === 'json' ? 'application/json' : 'application/x-protobuf' },
    );
    const target = new URL(resolved.url);
    const fromEnvironment = await resolved.agentFactory(target.protocol);
    const environmentTls = fromEnvironment instanceof Agent ? fromEnvironment.options : {};
    const tls = config.tls === undefined ? environmentTls : await tlsOptionsOf(config.tls);
    const connection = httpConnectionOf(target, config, tls);
    this.#stopReload = reloadClientTls(connection, config.tls, this.#settings.logger);
    this.#transport = new HttpTransport({
      url: resolved.url,
      headers: async () => ({
        'User-Agent': 'kindling',
        ...(await resolved.headers()),
        ...authenticator?.headers(),
      }),
      connection,
      cookies: config.cookies?.enabled === true ? new CookieJar(this.#options.now) : undefined,
      compression:
        compression === 'none'
          ? undefined
          : { name: compression, compress: compressorOf(compression, config.compression_params.level) },
    });
    const { hostname, port, protocol, pathname } = target;
    this.#settings.metrics.gauge('endpoint_info', 1, {
      server_address: hostname,
      server_port: port || (protocol === 'https:' ? '443' : '80'),
      url_path: pathname,
    });
    this.#settings.logger.debug('Exporting over HTTP.', { endpoint: resolved.url, compression });
  }

  async send(batch: Batch, abort: AbortSignal): Promise<void> {
    const transport = this.#transport;
    if (transport === undefined) throw new PermanentError('exporter is not started');
    const json = this.#options.config.encoding === 'json';
    const bytes = json ? Buffer.from(toJson(batch.signal, batch.bytes)) : batch.bytes;
    let answer: HttpAnswer;
    try {
      answer = await transport.post(bytes, abort);
    } catch (error) {
      const { message } = error as Error;
      throw new RetryableError(`failed to make an HTTP request: Post "${transport.url}": ${message}`, {
        cause: error,
      });
    }
    if (answer.status < 200 || answer.status > 299) {
      throw failureOf(answer, transport.url, this.#options.now());
    }
    const { body } = answer;
    const partial = readable(() =>
      isJson(answer)
        ? exportResponseFromJson(batch.signal, body.toString('utf8'))
        : decodeExportResponse(body),
    );
    this.#options.log.note(batch, partial);
  }

  rejectedItems(batch: Batch): number {
    return this.#options.log.take(batch);
  }

  async shutdown(_deadline: AbortSignal): Promise<void> {
    this.#stopReload();
    this.#transport?.close();
    this.#transport = undefined;
  }
}

/** The URL that the file gives for a signal; undefined leaves it to the environment. */
function urlOf(config: OtlpHttpConfig, signal: Signal): string | undefined {
  const own = config[`${signal}_endpoint`];
  if (own !== '') return own;
  if (config.endpoint === '') return undefined;
  return `${config.endpoint.replace(/\/$/, '')}/${PATHS[signal]}`;
}

const isJson = ({ headers }: HttpAnswer): boolean =>
  (headers['content-type'] ?? '').toLowerCase().startsWith('application/json');

function failureOf(answer: HttpAnswer, url: string, nowMs: number): RetryableError | PermanentError {
  const { status, headers, body } = answer;
  const detail = readable(() =>
    isJson(answer) ? statusFromJson(body.toString('utf8')) : decodeStatus(body),
  );
  const text = detail === undefined || status < 400 ? '' : `, Message=${detail.message}, Details=[]`;
  const message = `error exporting items, request to ${url} responded with HTTP Status Code ${status}${text}`;
  const rpcStatus = { code: grpcStatusOfHttp(status), message };
  if (status === 413) return exportFailure(rpcStatus, 'too_large');
  // A Collector answers 400 where the specification says 413.
  const tooLarge = status === 400 && detail?.message === 'http: request body too large';
  if (tooLarge) return exportFailure({ ...rpcStatus, code: GRPC_STATUS.INVALID_ARGUMENT }, 'too_large');
  if (!RETRYABLE.has(status)) return exportFailure(rpcStatus, 'permanent');
  const retryDelayMs =
    status === 429 || status === 503 ? parseRetryAfter(headers['retry-after'], nowMs) : undefined;
  return exportFailure({ ...rpcStatus, retryDelayMs }, 'retryable');
}

/** Milliseconds from now: RFC 9110 section 10.2.3, seconds or an HTTP date. Undefined when absent or unreadable. */
export function parseRetryAfter(value: string | undefined, nowMs: number): number | undefined {
  if (value === undefined) return undefined;
  if (/^\d{1,9}$/.test(value.trim())) return Number(value) * 1000;
  const at = Date.parse(value);
  return Number.isNaN(at) ? undefined : Math.max(0, at - nowMs);
}
