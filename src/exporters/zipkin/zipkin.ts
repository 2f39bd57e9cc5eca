/** Posts spans to a Zipkin server (https://zipkin.io/zipkin-api/#/default/post_spans). */
import { clientAuthenticator } from '../../component/auth.js';
import type { Host, Settings } from '../../component/component.js';
import { PermanentError, RetryableError } from '../../component/errors.js';
import type { Batch } from '../../component/signal.js';
import { CookieJar } from '../../pipeline/cookie-jar.js';
import type { Sender } from '../../pipeline/exporter-wrappers.js';
import { httpConnectionOf, reloadClientTls, tlsOptionsOf } from '../../pipeline/http-connection.js';
import { type HttpAnswer, HttpTransport } from '../../pipeline/http-transport.js';
import { revealHeaders } from '../../pipeline/otlp-export/client-config.js';
import { compressorOf } from '../../pipeline/otlp-export/compress.js';
import { grpcStatusOfHttp } from '../../transport/grpc-status.js';
import type { ZipkinExporterConfig } from './config.js';
import { toZipkin } from './from-otlp.js';
import { toV2Json } from './json.js';
import { toV2Protobuf } from './protobuf.js';

export class ZipkinSender implements Sender {
  readonly #settings: Settings;
  readonly #config: ZipkinExporterConfig;
  /** Spans that no Zipkin takes, by the batch they were in. */
  readonly #invalid = new WeakMap<Batch, number>();
  #transport: HttpTransport | undefined;
  #stopReload = (): void => {};

  constructor(settings: Settings, config: ZipkinExporterConfig) {
    this.#settings = settings;
    this.#config = config;
  }

  /** Reads certificates; connects with the first batch. */
  async start(host: Host): Promise<void> {
    const config = this.#config;
    const authenticator = clientAuthenticator(host, config.auth?.authenticator, 'HTTP');
    const target = new URL(config.endpoint);
    const { protocol, hostname, port, pathname } = target;
    const contentType = config.format === 'proto' ? 'application/x-protobuf' : 'application/json';
    const connection = httpConnectionOf(target, config, await tlsOptionsOf(config.tls));
    this.#stopReload = reloadClientTls(connection, config.tls, this.#settings.logger);
    this.#transport = new HttpTransport({
      url: config.endpoint,
      headers: async () => ({
        'User-Agent': 'kindling',
        'Content-Type': contentType,
        ...revealHeaders(config.headers),
        ...authenticator?.headers(),
      }),
      connection,
      cookies: config.cookies?.enabled === true ? new CookieJar(this.#settings.now) : undefined,
      compression:
        config.compression === 'gzip' ? { name: 'gzip', compress: compressorOf('gzip') } : undefined,
    });
    this.#settings.metrics.gauge('endpoint_info', 1, {
      server_address: hostname,
      server_port: port || (protocol === 'https:' ? '443' : '80'),
      url_path: pathname,
    });
  }

  async send(batch: Batch, abort: AbortSignal): Promise<void> {
    const transport = this.#transport;
    if (transport === undefined) throw new PermanentError('exporter is not started');
    const { spans, invalid } = toZipkin(batch.bytes, this.#config.default_service_name);
    if (spans.length > 0) {
      const body = this.#config.format === 'proto' ? toV2Protobuf(spans) : toV2Json(spans);
      await this.#post(transport, body, abort);
    }
    if (invalid === 0) return;
    this.#invalid.set(batch, invalid);
    this.#settings.metrics.dropped('traces', invalid, 'invalid_id');
    this.#settings.logger.warn('Spans without an id can not be sent to Zipkin.', { dropped: invalid });
  }

  rejectedItems(batch: Batch): number {
    return this.#invalid.get(batch) ?? 0;
  }

  async shutdown(_deadline: AbortSignal): Promise<void> {
    this.#stopReload();
    this.#transport?.close();
    this.#transport = undefined;
  }

  async #post(transport: HttpTransport, body: Uint8Array, abort: AbortSignal): Promise<void> {
    let answer: HttpAnswer;
    try {
      answer = await transport.post(body, abort);
    } catch (error) {
      const { message } = error as Error;
      throw new RetryableError(
        `failed to push trace data via Zipkin exporter: Post "${transport.url}": ${message}`,
        {
          cause: error,
        },
      );
    }
    const { status } = answer;
    if (status >= 200 && status <= 299) return;
    const message = `failed the request with status code ${status}`;
    const options = { grpcStatus: grpcStatusOfHttp(status) };
    // A server that does not understand spans will not understand them later. A Collector tries all the same.
    const isFinal = status >= 400 && status <= 499 && status !== 408 && status !== 429;
    if (isFinal) throw new PermanentError(`Permanent error: ${message}`, options);
    throw new RetryableError(message, options);
  }
}
