/**
 * An HTTP server with the settings of a Collector's `confighttp`: timeouts, cross-origin requests, certificates, added
 * headers, who may send. What is asked of it is the business of its handler.
 */
import * as http from 'node:http';
import * as https from 'node:https';
import type { AddressInfo, ListenOptions, Socket } from 'node:net';
import type { SecureContextOptions, TlsOptions } from 'node:tls';
import type { ServerAuthenticator } from '../component/auth.js';
import type { Origin } from '../component/signal.js';
import { DEFAULT_HTTP_BODY_BYTES, type HttpServerConfig } from '../config/server-fields.js';
import { BrokenRequests } from './broken-requests.js';
import type { ByteBudget } from './byte-budget.js';
import { type CorsHandler, corsHandler } from './cors.js';
import type { HttpBodyLimits } from './http-body.js';
import { protocolProblem } from './http-protocol.js';
import { type Target, targetOf } from './http-target.js';
import { listen, type OpenListener, TCP_KEEPALIVE_MS } from './listen.js';
import { connectionOf } from './peer.js';

/** After a refusal with bytes still on their way: how long to read on, so that the client sees the answer. */
export const LINGER_MS = 500;
const DEFAULT_HEADER_TIMEOUT_MS = 60_000;
/** Of all headers of a request together: Go's limit. */
const MAX_HEADER_BYTES = 1024 * 1024;
const TEXT_TYPE = 'text/plain; charset=utf-8';

/** What a request asks for; who asks for nothing that can be read has been answered. */
export type HttpTarget = Exclude<Target, { kind: 'malformed' }>;

export interface HttpListenerOptions {
  readonly listen: ListenOptions;
  readonly config: HttpServerConfig;
  readonly tls?: TlsOptions | undefined;
  /** Who may send; left out: everybody. */
  readonly authenticator?: ServerAuthenticator | undefined;
  /** Something odd that concerns no single request, for example a failed handshake. */
  readonly onPeerError: (error: Error) => void;
  /** Answers one request. Must not throw. */
  readonly handle: (request: http.IncomingMessage, response: http.ServerResponse, target: HttpTarget) => void;
  /** Answers a request that may not be sent; `problem` says why. Left out: 401 with the problem as text. */
  readonly unauthenticated?: (
    request: http.IncomingMessage,
    response: http.ServerResponse,
    problem: string,
  ) => void;
}

export class HttpListener {
  readonly #options: HttpListenerOptions;
  readonly #cors: CorsHandler | undefined;
  readonly #responseHeaders: readonly (readonly [string, string])[];
  readonly #broken = new BrokenRequests();
  readonly #connections = new WeakMap<Socket, NonNullable<Origin['connection']>>();
  #server: http.Server | https.Server | undefined;
  #listener: OpenListener | undefined;
  #stopping = false;

  constructor(options: HttpListenerOptions) {
    const { config } = options;
    this.#options = options;
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
    server.on('request', (request, response) => this.#onRequest(request, response));
    server.on('clientError', this.#broken.onClientError);
    server.on('checkExpectation', (_request, response) => answerBadRequest(response, 417, ''));
    server.on('tlsClientError', (error: Error) => this.#options.onPeerError(error));
    this.#server = server;
    this.#listener = await listen(server, this.#options.listen);
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

  connectionOf({ socket }: http.IncomingMessage): Origin['connection'] {
    const known = this.#connections.get(socket);
    if (known !== undefined) return known;
    const connection = connectionOf(socket);
    if (connection !== undefined) this.#connections.set(socket, connection);
    return connection;
  }

  #onRequest(request: http.IncomingMessage, response: http.ServerResponse): void {
    this.#broken.opened(request, response);
    this.#prepare(request, response);
    const malformed = protocolProblem(request);
    const target = targetOf(request.url ?? '/');
    if (malformed !== undefined || target.kind === 'malformed') {
      answerBadRequest(response, ...(malformed ?? ([400, '400 Bad Request'] as const)));
      return;
    }
    if (this.#cors?.(request, response)) return;
    const problem = this.#authenticationProblem(request);
    if (problem === undefined) this.#options.handle(request, response, target);
    // Before anything is said about paths and methods: strangers learn nothing.
    else if (this.#options.unauthenticated !== undefined) {
      this.#options.unauthenticated(request, response, problem);
    } else answer(response, 401, TEXT_TYPE, `${problem}\n`);
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

  #authenticationProblem(request: http.IncomingMessage): string | undefined {
    const { authenticator, config } = this.#options;
    if (authenticator === undefined) return undefined;
    const { searchParams } = new URL(request.url ?? '/', 'http://localhost');
    const params = (config.auth?.request_params ?? [])
      .filter((name) => searchParams.has(name))
      .map((name) => [name.toLowerCase(), searchParams.getAll(name)] as const);
    // A header comes before a parameter of the same name.
    return authenticator.problem({ ...Object.fromEntries(params), ...request.headers });
  }
}

export const bodyLimitsOf = (config: HttpServerConfig, budget: ByteBudget): HttpBodyLimits => ({
  maxBytes: config.max_request_body_size > 0 ? config.max_request_body_size : DEFAULT_HTTP_BODY_BYTES,
  encodings: new Set(config.compression_algorithms),
  budget,
});

export function answer(
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

/** Go's `http.Error`: the text on a line of its own. */
export const answerText = (response: http.ServerResponse, status: number, text: string): void =>
  answer(response, status, TEXT_TYPE, `${text}\n`, { 'x-content-type-options': 'nosniff' });

/** A request that is no HTTP/1.1; nothing more is read from its connection. */
export function answerBadRequest(response: http.ServerResponse, status: number, text: string): void {
  response.shouldKeepAlive = false;
  if (text === '') answer(response, status, undefined, '', { connection: 'close' });
  else answer(response, status, TEXT_TYPE, text, { connection: 'close' });
}

/**
 * Answers a request whose body was not read to its end. Closing a socket with unread bytes resets it, and the client would
 * lose the answer: reads on for a moment.
 */
export function answerUnread(
  request: http.IncomingMessage,
  response: http.ServerResponse,
  status: number,
  type: string,
  body: string | Uint8Array,
  headers: http.OutgoingHttpHeaders = {},
): void {
  response.writeHead(status, {
    'content-type': type,
    'content-length': typeof body === 'string' ? Buffer.byteLength(body) : body.length,
    connection: 'close',
    ...headers,
  });
  response.write(body);
  const end = (): void => {
    clearTimeout(timer);
    response.end();
  };
  const timer = setTimeout(end, LINGER_MS);
  request.once('end', end).once('close', end).resume();
}

/** Whether anybody is there to be answered. */
export const isGone = (request: http.IncomingMessage, response: http.ServerResponse): boolean =>
  response.destroyed || request.socket.destroyed;
