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
import { MalformedError } from '../../otlp/malformed-error.js';
import { encodeStatus, exportResponseToJson, statusToJson } from '../../otlp/responses.js';
import type { ByteBudget } from '../../transport/byte-budget.js';
import { GRPC_STATUS, httpStatusOf, RpcError } from '../../transport/grpc-status.js';
import { listen, type OpenListener, TCP_KEEPALIVE_MS } from '../../transport/listen.js';
import { connectionOf } from '../../transport/peer.js';
import { DEFAULT_HTTP_BODY_BYTES, type OtlpHttpConfig } from './config.js';
import { type CorsHandler, corsHandler } from './cors.js';
import { BodyError, type HttpBody, type HttpBodyLimits, readHttpBody } from './http-body.js';
import { EXPORT_RESPONSE, type Intake } from './intake.js';
import { requestMetadata } from './request-metadata.js';

type Encoding = 'application/x-protobuf' | 'application/json';

const JSON_TYPE = 'application/json';
const PROTOBUF_TYPE = 'application/x-protobuf';
const JSON_RESPONSE = Buffer.from(exportResponseToJson('traces'));

/** After a refusal with bytes still on their way: how long to read on, so that the client sees the answer. */
const LINGER_MS = 500;
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
  #routes: ReadonlyMap<string, Intake> = new Map();
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
      // The kernel finds peers that vanished without a word, as it does for every server in Go.
      keepAlive: true,
      keepAliveInitialDelay: TCP_KEEPALIVE_MS,
    };
    const server =
      tls === undefined ? http.createServer(options) : https.createServer({ ...options, ...tls });
    server.on('request', (request, response) => void this.#onRequest(request, response));
    server.on('tlsClientError', (error: Error) => this.#options.onPeerError(error));
    this.#server = server;
    this.#listener = await listen(server, this.#options.listen);
  }

  /** Serves these signals and no others from now on. Requests that have begun go on. */
  serve(intakes: readonly Intake[]): void {
    this.#routes = new Map(intakes.map((intake) => [urlPathOf(intake.signal, this.#options.config), intake]));
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
    this.#prepare(response);
    if (this.#cors?.(request, response)) return;
    if (this.#refuseUnauthenticated(request, response)) return;
    const [path = '/'] = (request.url ?? '/').split('?', 1);
    const clean = path.replace(/\/{2,}/g, '/');
    if (clean !== path) {
      answer(response, 301, undefined, '', { location: clean });
      return;
    }
    const intake = this.#routes.get(path);
    if (intake === undefined) {
      answer(response, 404, 'text/plain; charset=utf-8', '404 page not found\n', {
        'x-content-type-options': 'nosniff',
      });
      return;
    }
    if (request.method !== 'POST') {
      answer(response, 405, 'text/plain', '405 method not allowed, supported: [POST]');
      return;
    }
    const encoding = encodingOf(request.headers['content-type']);
    if (encoding === undefined) {
      const text = '415 unsupported media type, supported: [application/json, application/x-protobuf]';
      answer(response, 415, 'text/plain', text);
      return;
    }
    let body: HttpBody | undefined;
    try {
      body = await readHttpBody(request, this.#limits);
      const bytes = encoding === JSON_TYPE ? parseJson(intake, body.bytes) : body.bytes;
      const metadata = this.#options.config.include_metadata ? requestMetadata(request.headers) : undefined;
      await intake.accept(bytes, 'http', this.#connectionOf(request.socket), metadata);
      answer(response, 200, encoding, encoding === JSON_TYPE ? JSON_RESPONSE : EXPORT_RESPONSE);
    } catch (error) {
      if (error instanceof BodyError) countBodyError(intake, error);
      refuse(request, response, encoding, error);
    } finally {
      body?.release();
    }
  }

  #prepare(response: http.ServerResponse): void {
    const { config } = this.#options;
    for (const [name, value] of this.#responseHeaders) response.setHeader(name, value);
    if (config.write_timeout > 0) response.setTimeout(config.write_timeout, () => response.destroy());
    if (!config.keep_alives_enabled || this.#stopping) response.shouldKeepAlive = false;
    // HTTP/1.1 connections are persistent without saying so, and a Collector does not say so.
    else if (response.req.httpVersion === '1.1') response.removeHeader('connection');
  }

  /** Before anything is said about paths and methods: strangers learn nothing. True when the request has its answer. */
  #refuseUnauthenticated(request: http.IncomingMessage, response: http.ServerResponse): boolean {
    const { authenticator, config } = this.#options;
    if (authenticator === undefined) return false;
    const { searchParams } = new URL(request.url ?? '/', 'http://localhost');
    const params = (config.auth?.request_params ?? [])
      .filter((name) => searchParams.has(name))
      .map((name) => [name.toLowerCase(), searchParams.getAll(name)] as const);
    const problem = authenticator.problem({ ...request.headers, ...Object.fromEntries(params) });
    if (problem === undefined) return false;
    const encoding = encodingOf(request.headers['content-type']);
    const unread = new BodyError('malformed', problem, true);
    if (encoding !== undefined) {
      refuse(request, response, encoding, unread, new RpcError(GRPC_STATUS.UNAUTHENTICATED, problem));
    } else answer(response, 401, 'text/plain; charset=utf-8', `${problem}\n`);
    return true;
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

/** The media type without its parameters, when it is one of ours. */
function encodingOf(contentType: string | undefined): Encoding | undefined {
  const type = contentType?.split(';', 1)[0]?.trim().toLowerCase();
  return type === JSON_TYPE || type === PROTOBUF_TYPE ? type : undefined;
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
  else if (error.reason !== 'aborted') intake.lost(error.reason, 'http');
}

function refuse(
  request: http.IncomingMessage,
  response: http.ServerResponse,
  encoding: Encoding,
  error: unknown,
  status = statusOf(error),
): void {
  if (response.destroyed || request.socket.destroyed) return;
  const body = encoding === JSON_TYPE ? statusToJson(status) : encodeStatus(status);
  const { retryDelayMs } = status;
  const retryAfter =
    retryDelayMs === undefined ? {} : { 'retry-after': String(Math.max(1, Math.ceil(retryDelayMs / 1000))) };
  if (!(error instanceof BodyError && error.unread)) {
    answer(response, httpStatusOf(status.code), encoding, body, retryAfter);
    return;
  }
  // Closing a socket with unread bytes resets it, and the client would lose the answer: read on for a moment.
  response.writeHead(httpStatusOf(status.code), {
    'content-type': encoding,
    'content-length': Buffer.byteLength(body),
    connection: 'close',
    ...retryAfter,
  });
  response.write(body);
  const end = (): void => {
    clearTimeout(timer);
    response.end();
  };
  const timer = setTimeout(end, LINGER_MS);
  request.once('end', end).once('close', end).resume();
}

function statusOf(error: unknown): RpcError {
  if (error instanceof RpcError) return error;
  const message = error instanceof Error ? error.message : String(error);
  const isMalformed = error instanceof MalformedError || error instanceof InvalidJsonError;
  const code = isMalformed ? GRPC_STATUS.INVALID_ARGUMENT : GRPC_STATUS.INTERNAL;
  return new RpcError(code, message);
}

function answer(
  response: http.ServerResponse,
  status: number,
  type: string | undefined,
  body: string | Uint8Array,
  headers: http.OutgoingHttpHeaders = {},
): void {
  response.writeHead(status, {
    ...(type === undefined ? {} : { 'content-type': type }),
    'content-length': typeof body === 'string' ? Buffer.byteLength(body) : body.length,
    ...headers,
  });
  response.end(body);
}
