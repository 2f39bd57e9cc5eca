/**
 * OTLP/HTTP, protobuf and JSON (https://opentelemetry.io/docs/specs/otlp/#otlphttp), with the statuses, bodies and
 * headers of a Collector.
 */
import * as http from 'node:http';
import * as https from 'node:https';
import type { AddressInfo, ListenOptions, Socket } from 'node:net';
import type { SecureContextOptions, TlsOptions } from 'node:tls';
import type { ServerAuthenticator } from '../../component/auth.js';
import type { Origin, Signal } from '../../component/signal.js';
import { fromJson, InvalidJsonError } from '../../otlp/json-reader.js';
import { exportResponseToJson } from '../../otlp/responses.js';
import type { ByteBudget } from '../../transport/byte-budget.js';
import { listen, type OpenListener, TCP_KEEPALIVE_MS } from '../../transport/listen.js';
import { connectionOf } from '../../transport/peer.js';
import { BrokenRequests } from './broken-requests.js';
import { DEFAULT_HTTP_BODY_BYTES, type OtlpHttpConfig } from './config.js';
import { type CorsHandler, corsHandler } from './cors.js';
import {
  answer,
  answerBadRequest,
  answerNotFound,
  answerRedirect,
  type Encoding,
  JSON_TYPE,
  refuse,
} from './http-answer.js';
import { BodyError, encodingProblem, type HttpBody, type HttpBodyLimits, readHttpBody } from './http-body.js';
import { answerEncoding, encodingOf, protocolProblem } from './http-request.js';
import { Routes, type Target, targetOf } from './http-target.js';
import { EXPORT_RESPONSE, type Intake } from './intake.js';
import { requestMetadata } from './request-metadata.js';

const JSON_RESPONSE = Buffer.from(exportResponseToJson('traces'));

/** Of all headers of a request together: Go's limit. */
const MAX_HEADER_BYTES = 1024 * 1024;
const DEFAULT_HEADER_TIMEOUT_MS = 60_000;

export interface OtlpHttpServerOptions {
  readonly listen: ListenOptions;
  readonly config: OtlpHttpConfig;
  readonly intakes: readonly Intake[];
  readonly budget: ByteBudget;
  readonly tls?: TlsOptions | undefined;
  /** Who may send; left out: everybody. */
  readonly authenticator?: ServerAuthenticator | undefined;
  /** Something odd that concerns no single request, for example a failed handshake. */
  readonly onPeerError: (error: Error) => void;
}

export class OtlpHttpServer {
  readonly #options: OtlpHttpServerOptions;
  #routes = new Routes<Intake>([]);
  readonly #broken = new BrokenRequests();
  readonly #limits: HttpBodyLimits;
  readonly #cors: CorsHandler | undefined;
  readonly #responseHeaders: readonly (readonly [string, string])[];
  readonly #connections = new WeakMap<Socket, NonNullable<Origin['connection']>>();
  #server: http.Server | https.Server | undefined;
  #listener: OpenListener | undefined;
  #stopping = false;

  constructor(options: OtlpHttpServerOptions) {
    const { config } = options;
    this.#options = options;
    this.serve(options.intakes);
    this.#limits = {
      maxBytes: config.max_request_body_size > 0 ? config.max_request_body_size : DEFAULT_HTTP_BODY_BYTES,
      encodings: new Set(config.compression_algorithms),
      budget: options.budget,
    };
    this.#cors = config.cors === undefined ? undefined : corsHandler(config.cors);
    this.#responseHeaders = Object.entries(config.response_headers).map(([name, value]) => [
      name,
      value.reveal(),
    ]);
  }

  /** Where it listens, once `start` has resolved. */
  get address(): AddressInfo | string | null {
    return this.#listener?.address ?? null;
  }

  /** Rejects when the address can't be bound. */
  async start(): Promise<void> {
    const { config, tls } = this.#options;
    const headersTimeout = config.read_header_timeout || config.read_timeout || DEFAULT_HEADER_TIMEOUT_MS;
    const shortest = Math.min(headersTimeout, config.read_timeout || Number.POSITIVE_INFINITY);
    const options: http.ServerOptions = {
      keepAliveTimeout: config.idle_timeout,
      requestTimeout: config.read_timeout,
      headersTimeout,
      // Node.js looks at the clock only this often, and every 30 s by default.
      connectionsCheckingInterval: Math.min(30_000, Math.max(250, shortest / 4)),
      noDelay: true,
      maxHeaderSize: MAX_HEADER_BYTES,
      // Missed with a sentence, in `protocolProblem`.
      requireHostHeader: false,
      // The kernel finds peers that vanished without a word, as it does for every server in Go.
      keepAlive: true,
      keepAliveInitialDelay: TCP_KEEPALIVE_MS,
    };
    const server =
      tls === undefined ? http.createServer(options) : https.createServer({ ...options, ...tls });
    server.on('request', (request, response) => void this.#onRequest(request, response));
    server.on('clientError', this.#broken.onClientError);
    server.on('checkExpectation', (_request, response) => answerBadRequest(response, 417, ''));
    server.on('tlsClientError', (error: Error) => this.#options.onPeerError(error));
    this.#server = server;
    this.#listener = await listen(server, this.#options.listen);
  }

  /** Serves these signals and no others from now on. Requests that have begun go on. */
  serve(intakes: readonly Intake[]): void {
    this.#routes = new Routes(
      intakes.map((intake) => [urlPathOf(intake.signal, this.#options.config), intake] as const),
    );
  }

  /** Uses other certificates from now on. Only when the server was made with `tls`. */
  setSecureContext(context: SecureContextOptions): void {
    const server = this.#server;
    if (server instanceof https.Server) server.setSecureContext(context);
  }

  /** Stops intake, lets running requests end until `deadline` aborts, then cuts them. */
  async shutdown(deadline: AbortSignal): Promise<void> {
    this.#stopping = true;
    const closed = this.#listener?.close();
    this.#server?.closeIdleConnections();
    const cut = (): void => this.#server?.closeAllConnections();
    if (deadline.aborted) cut();
    else deadline.addEventListener('abort', cut, { once: true });
    await closed;
    deadline.removeEventListener('abort', cut);
  }

  async #onRequest(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    this.#broken.opened(request, response);
    this.#prepare(request, response);
    const problem = protocolProblem(request);
    const target = targetOf(request.url ?? '/');
    if (problem !== undefined || target.kind === 'malformed') {
      answerBadRequest(response, ...(problem ?? ([400, '400 Bad Request'] as const)));
      return;
    }
    if (this.#cors?.(request, response)) return;
    const refusal = this.#unauthenticated(request);
    if (refusal !== undefined) {
      const encoding = answerEncoding(request);
      if (encoding !== undefined) await refuse(request, response, encoding, refusal);
      else answer(response, 401, 'text/plain; charset=utf-8', `${refusal.message}\n`);
      return;
    }
    await this.#route(request, response, target);
  }

  async #route(
    request: http.IncomingMessage,
    response: http.ServerResponse,
    target: Exclude<Target, { kind: 'malformed' }>,
  ): Promise<void> {
    const intake = target.kind === 'path' ? this.#routes.find(target.path) : undefined;
    const problem = encodingProblem(request, this.#limits.encodings);
    const answered = problem === undefined ? undefined : answerEncoding(request);
    if (problem !== undefined && answered !== undefined) {
      intake?.lost('malformed', 'http');
      await refuse(request, response, answered, problem);
    } else if (target.kind === 'redirect') answerRedirect(request, response, target.location);
    else if (intake === undefined) {
      if (this.#routes.isTree(target.path)) answerRedirect(request, response, `${target.path}/`);
      else answerNotFound(response);
    } else if (request.method !== 'POST') {
      answer(response, 405, 'text/plain', '405 method not allowed, supported: [POST]');
    } else {
      const encoding = encodingOf(request);
      if (encoding !== undefined) await this.#accept(request, response, intake, encoding);
      else {
        const text = '415 unsupported media type, supported: [application/json, application/x-protobuf]';
        answer(response, 415, 'text/plain', text);
      }
    }
  }

  async #accept(
    request: http.IncomingMessage,
    response: http.ServerResponse,
    intake: Intake,
    encoding: Encoding,
  ): Promise<void> {
    let body: HttpBody | undefined;
    try {
      body = await readHttpBody(request, this.#limits);
      const bytes = encoding === JSON_TYPE ? parseJson(intake, body.bytes) : body.bytes;
      const metadata = this.#options.config.include_metadata ? requestMetadata(request.headers) : undefined;
      await intake.accept(bytes, 'http', this.#connectionOf(request.socket), metadata);
      answer(response, 200, encoding, encoding === JSON_TYPE ? JSON_RESPONSE : EXPORT_RESPONSE);
    } catch (error) {
      if (error instanceof BodyError) countBodyError(intake, error);
      await refuse(request, response, encoding, error);
    } finally {
      body?.release();
    }
  }

  #prepare(request: http.IncomingMessage, response: http.ServerResponse): void {
    const { config } = this.#options;
    for (const [name, value] of this.#responseHeaders) response.setHeader(name, value);
    if (config.write_timeout > 0) response.setTimeout(config.write_timeout, () => response.destroy());
    if (!config.keep_alives_enabled || this.#stopping) response.shouldKeepAlive = false;
    // What follows from the version of HTTP is not said, as a Collector does not say it.
    else if (response.shouldKeepAlive === (request.httpVersion === '1.1'))
      response.removeHeader('connection');
  }

  /** Before anything is said about paths and methods: strangers learn nothing. */
  #unauthenticated(request: http.IncomingMessage): BodyError | undefined {
    const { authenticator, config } = this.#options;
    if (authenticator === undefined) return undefined;
    const { searchParams } = new URL(request.url ?? '/', 'http://localhost');
    const params = (config.auth?.request_params ?? [])
      .filter((name) => searchParams.has(name))
      .map((name) => [name.toLowerCase(), searchParams.getAll(name)] as const);
    // A header comes before a parameter of the same name.
    const problem = authenticator.problem({ ...Object.fromEntries(params), ...request.headers });
    return problem === undefined ? undefined : new BodyError('unauthenticated', problem, true);
  }

  #connectionOf(socket: Socket): Origin['connection'] {
    const known = this.#connections.get(socket);
    if (known !== undefined) return known;
    const connection = connectionOf(socket);
    if (connection !== undefined) this.#connections.set(socket, connection);
    return connection;
  }
}

function urlPathOf(signal: Signal, config: OtlpHttpConfig): string {
  const path = {
    traces: config.traces_url_path,
    metrics: config.metrics_url_path,
    logs: config.logs_url_path,
    profiles: '/v1development/profiles',
  }[signal];
  return path.startsWith('/') ? path : `/${path}`;
}

function parseJson(intake: Intake, body: Uint8Array): Uint8Array {
  try {
    return fromJson(intake.signal, body);
  } catch (error) {
    if (error instanceof InvalidJsonError) intake.lost('malformed', 'http');
    throw error;
  }
}

function countBodyError(intake: Intake, error: BodyError): void {
  if (error.reason === 'busy') intake.refusedCall(error, 'http');
  // Who went away has kept his request, or lost it himself.
  else if (error.reason !== 'aborted' && error.reason !== 'cut') {
    intake.lost(error.reason === 'too_large' ? 'too_large' : 'malformed', 'http');
  }
}
