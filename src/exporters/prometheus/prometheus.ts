/** Serves the metrics of its pipelines to whoever scrapes `/metrics`. */
import http from 'node:http';
import https from 'node:https';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { type ServerAuthenticator, serverAuthenticator } from '../../component/auth.js';
import type { Exporter, Host, Settings } from '../../component/component.js';
import { PermanentError } from '../../component/errors.js';
import type { Batch } from '../../component/signal.js';
import { parseEndpoint } from '../../config/fields.js';
import { decodeMetrics } from '../../otlp/decode.js';
import { hostPort, listen, listenOptions, type OpenListener } from '../../transport/listen.js';
import { readServerTls } from '../../transport/tls-files.js';
import type { PrometheusConfig } from './config.js';
import { contentType, formatFor, renderPage } from './exposition.js';
import { Families, type LeftOut } from './families.js';

const compress = promisify(gzip);
/** Pages below this size are sent as they are. */
const WORTH_COMPRESSING = 1024;

export class PrometheusExporter implements Exporter {
  readonly #settings: Settings;
  readonly #config: PrometheusConfig;
  readonly #families: Families;
  /** Metrics that were complained about. */
  readonly #told = new Set<string>();
  #authenticator: ServerAuthenticator | undefined;
  #listener: OpenListener | undefined;
  #server: http.Server | undefined;

  constructor(settings: Settings, config: PrometheusConfig) {
    this.#settings = settings;
    this.#config = config;
    this.#families = new Families(config, (reason, name) => this.#leftOut(reason, name));
  }

  /** Where it listens; undefined before `start`. */
  get address(): OpenListener['address'] | undefined {
    return this.#listener?.address;
  }

  async start(host: Host): Promise<void> {
    const { tls, endpoint, auth } = this.#config;
    this.#authenticator = serverAuthenticator(host, auth?.authenticator);
    const answer = (request: http.IncomingMessage, response: http.ServerResponse) =>
      void this.#answer(request, response);
    const server =
      tls === undefined ? http.createServer(answer) : https.createServer(await readServerTls(tls), answer);
    const where = parseEndpoint(endpoint);
    this.#listener = await listen(server, listenOptions(where.host, where.port));
    this.#server = server;
    const { address } = this.#listener;
    if (typeof address === 'object' && address !== null) {
      const scheme = tls === undefined ? 'http' : 'https';
      const page = `${scheme}://${hostPort(address.address, address.port)}/metrics`;
      this.#settings.logger.info('Serving metrics', { endpoint: page });
    }
  }

  async consume({ bytes }: Batch): Promise<void> {
    const nowMs = this.#settings.now();
    try {
      this.#families.add(decodeMetrics(bytes), nowMs);
    } catch (error) {
      throw new PermanentError(`metrics can't be read: ${(error as Error).message}`, { cause: error });
    }
    this.#families.expire(nowMs);
    this.#settings.metrics.gauge('series', this.#families.size);
  }

  async shutdown(): Promise<void> {
    const listener = this.#listener;
    this.#listener = undefined;
    const closed = listener?.close();
    this.#server?.closeAllConnections();
    await closed;
  }

  async #answer(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const { headers, url = '/' } = request;
    const problem = this.#authenticator?.problem(headers);
    if (problem !== undefined) {
      response.writeHead(401, { 'content-type': 'text/plain; charset=utf-8' }).end(`${problem}\n`);
      return;
    }
    if (new URL(url, 'http://localhost').pathname !== '/metrics') {
      response.writeHead(404, { 'content-type': 'text/plain; charset=utf-8' }).end('404 page not found\n');
      return;
    }
    this.#families.expire(this.#settings.now());
    const { enable_open_metrics: openMetrics, send_timestamps: timestamps } = this.#config;
    const format = formatFor(headers.accept ?? '', { openMetrics, timestamps, utf8: this.#families.isUtf8 });
    const page = Buffer.from([...renderPage(this.#families.all(), format)].join(''));
    const isCompressed =
      page.length >= WORTH_COMPRESSING && /\bgzip\b/.test(String(headers['accept-encoding'] ?? ''));
    try {
      const body = isCompressed ? await compress(page) : page;
      response.writeHead(200, {
        'content-type': contentType(format),
        'content-length': body.length,
        ...(isCompressed ? { 'content-encoding': 'gzip' } : {}),
        vary: 'accept, accept-encoding',
      });
      response.end(request.method === 'HEAD' ? undefined : body);
    } catch (error) {
      this.#settings.logger.warn('A page of metrics could not be sent.', { error: String(error) });
      response.destroy();
    }
  }

  #leftOut(reason: LeftOut, name: string): void {
    const { metrics, logger } = this.#settings;
    metrics.count('points_left_out', 1, { reason });
    const key = `${reason} ${name}`;
    if (this.#told.has(key) || this.#told.size >= 1000) return;
    this.#told.add(key);
    logger.warn('A metric is not shown, or not whole.', { metric: name, reason });
  }
}
