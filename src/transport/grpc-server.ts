/**
 * A gRPC server for unary methods that take and give encoded bytes, directly on `node:http2`.
 *
 * Why not `@grpc/grpc-js`: it knows neither zstd nor snappy, which Collectors use, and its HTTP/2 windows of 64 KiB
 * bound a client to a third of the throughput measured with the ones below.
 *
 * Source: https://github.com/grpc/grpc/blob/v1.66.0/doc/PROTOCOL-HTTP2.md; error texts are those of grpc-go v1.7x,
 * which users of a Collector know.
 */
import * as http2 from 'node:http2';
import type { AddressInfo, ListenOptions } from 'node:net';
import type { SecureContextOptions, TlsOptions } from 'node:tls';
import type { ServerAuthenticator } from '../component/auth.js';
import type { Origin } from '../component/signal.js';
import { encodeStatus } from '../otlp/responses.js';
import type { ByteBudget } from './byte-budget.js';
import { DecompressError, GRPC_DECOMPRESSORS } from './decompress.js';
import { type GrpcKeepaliveOptions, keepGrpcSessionAlive } from './grpc-keepalive.js';
import { type GrpcMessage, GrpcMessageCollector } from './grpc-message.js';
import { encodeGrpcMessage, GRPC_STATUS, RpcError } from './grpc-status.js';
import { parseGrpcTimeout } from './grpc-timeout.js';
import { listen, type OpenListener } from './listen.js';
import { connectionOf } from './peer.js';

/** One method. Bytes are encoded messages without the gRPC prefix. */
export interface UnaryMethod {
  /**
   * Resolves to the encoded response; rejects with `RpcError`. `message` belongs to the method. Anything else that it
   * rejects with is a bug: the client sees INTERNAL.
   */
  handle(message: Uint8Array, connection: Origin['connection']): Promise<Uint8Array>;
  /** A call ended before `handle`: too large, cut, not decompressible. The client has been told. */
  refused(error: RpcError): void;
}

export interface GrpcServerOptions {
  readonly listen: ListenOptions;
  /** Methods by path, `/package.Service/Method`. */
  readonly methods: ReadonlyMap<string, UnaryMethod>;
  /** Largest message, as sent and as decompressed. */
  readonly maxMessageBytes: number;
  /** Calls at the same time on one connection; more wait in the client. */
  readonly maxConcurrentStreams: number;
  readonly keepalive: GrpcKeepaliveOptions;
  readonly budget: ByteBudget;
  readonly tls?: TlsOptions | undefined;
  /** Who may call; left out: everybody. */
  readonly authenticator?: ServerAuthenticator | undefined;
  /** Something odd that concerns no single call: a peer that speaks another protocol, a failed handshake. */
  readonly onPeerError: (error: Error) => void;
}

/**
 * Per stream and per connection. A window bounds what a client may send before we have read it, so the connection's
 * window times the number of connections is the worst case that `budget` does not see.
 */
const STREAM_WINDOW_BYTES = 4 * 1024 * 1024;
const CONNECTION_WINDOW_BYTES = 16 * 1024 * 1024;
/**
 * Node.js refuses new streams (ENHANCE_YOUR_CALM) on a session that holds more than this, in megabytes. Its default of
 * 10 is less than one connection window. What matters here is bounded by `budget`.
 */
const SESSION_MEMORY_MB = 64;

const RESPONSE_HEADERS = { ':status': 200, 'content-type': 'application/grpc' } as const;
const OK_TRAILERS = { 'grpc-status': '0' } as const;

export class GrpcServer {
  readonly #options: GrpcServerOptions;
  readonly #sessions = new Set<http2.ServerHttp2Session>();
  #server: http2.Http2Server | http2.Http2SecureServer | undefined;
  #listener: OpenListener | undefined;

  constructor(options: GrpcServerOptions) {
    this.#options = options;
  }

  /** Where it listens, once `start` has resolved. */
  get address(): AddressInfo | string | null {
    return this.#listener?.address ?? null;
  }

  /** Rejects when the address can't be bound. */
  async start(): Promise<void> {
    const common = {
      settings: {
        initialWindowSize: STREAM_WINDOW_BYTES,
        maxConcurrentStreams: this.#options.maxConcurrentStreams,
        enablePush: false,
      },
      maxSessionMemory: SESSION_MEMORY_MB,
    };
    const { tls } = this.#options;
    const server =
      tls === undefined
        ? http2.createServer(common)
        : http2.createSecureServer({ ...common, ...tls, allowHTTP1: false });
    server.on('session', (session) => this.#onSession(session));
    server.on('sessionError', (error) => this.#options.onPeerError(error));
    server.on('tlsClientError', (error: Error) => this.#options.onPeerError(error));
    server.on('unknownProtocol', (socket) => socket.destroy());
    this.#server = server;
    this.#listener = await listen(server, this.#options.listen);
  }

  /** Uses other certificates from now on. Only when the server was made with `tls`. */
  setSecureContext(context: SecureContextOptions): void {
    const server = this.#server;
    if (server !== undefined && 'setSecureContext' in server) server.setSecureContext(context);
  }

  /**
   * Takes no new connections and no new calls (GOAWAY), lets running calls end until `deadline` aborts, then cuts
   * them. May be called without `start` and again.
   */
  async shutdown(deadline: AbortSignal): Promise<void> {
    const closed = this.#listener?.close();
    for (const session of this.#sessions) session.close();
    const cut = (): void => {
      for (const session of this.#sessions) session.destroy();
    };
    if (deadline.aborted) cut();
    else deadline.addEventListener('abort', cut, { once: true });
    await closed;
    deadline.removeEventListener('abort', cut);
  }

  #onSession(session: http2.ServerHttp2Session): void {
    this.#sessions.add(session);
    session.setLocalWindowSize(CONNECTION_WINDOW_BYTES);
    const keepalive = keepGrpcSessionAlive(session, this.#options.keepalive);
    const connection = connectionOf(session.socket);
    session.on('error', (error) => this.#options.onPeerError(error));
    session.on('close', () => {
      keepalive.stop();
      this.#sessions.delete(session);
    });
    session.on('stream', (stream, headers) => {
      keepalive.streamOpened();
      stream.on('close', () => keepalive.streamClosed());
      this.#onStream(stream, headers, connection);
    });
  }

  #onStream(
    stream: http2.ServerHttp2Stream,
    headers: http2.IncomingHttpHeaders,
    connection: Origin['connection'],
  ): void {
    // A client that resets its stream is not our error; the 'close' handler below gives everything back.
    stream.on('error', () => {});
    const path = headers[':path'] ?? '';
    const method = this.#options.methods.get(path);
    const refusal =
      requestProblem(headers) ??
      (method === undefined ? this.#unknown(path) : this.#unauthenticated(headers));
    if (refusal !== undefined || method === undefined) {
      stream.resume();
      if (typeof refusal === 'number') respondHttpOnly(stream, refusal);
      else if (refusal !== undefined) respondError(stream, refusal);
      return;
    }
    const timeoutMs = parseGrpcTimeout(header(headers, 'grpc-timeout'));
    const call: Call = {
      stream,
      method,
      connection,
      encoding: header(headers, 'grpc-encoding') ?? 'identity',
      deadline: timeoutMs === undefined ? undefined : performance.now() + timeoutMs,
      reservedBytes: 0,
      answered: false,
    };
    this.#receive(call);
  }

  #receive(call: Call): void {
    const { stream } = call;
    const collector = new GrpcMessageCollector(this.#options.maxMessageBytes);
    stream.on('data', (chunk: Buffer) => {
      if (call.answered) return;
      try {
        this.#reserve(call, chunk.length);
        collector.push(chunk);
      } catch (error) {
        this.#refuse(call, error);
      }
    });
    stream.on('end', () => {
      if (call.answered || stream.aborted) return;
      let message: GrpcMessage;
      try {
        message = collector.finish();
      } catch (error) {
        this.#refuse(call, error);
        return;
      }
      void this.#answer(call, message);
    });
    stream.on('close', () => {
      // While the method runs, `#answer` still holds the bytes and releases them.
      if (!call.answered) this.#release(call);
    });
  }

  async #answer(call: Call, message: GrpcMessage): Promise<void> {
    call.answered = true;
    let response: Promise<Uint8Array> | undefined;
    try {
      const bytes = message.compressed ? await this.#decompress(call, message.bytes) : message.bytes;
      if (call.deadline !== undefined && performance.now() >= call.deadline) {
        // Not handed on, because the client has given up and will send it again.
        throw new RpcError(GRPC_STATUS.DEADLINE_EXCEEDED, 'context deadline exceeded');
      }
      response = call.method.handle(bytes, call.connection);
      respond(call.stream, await withDeadline(response, call.deadline));
    } catch (error) {
      if (error instanceof Refused) call.method.refused(error.reason);
      respondError(call.stream, toRpcError(error instanceof Refused ? error.reason : error));
    } finally {
      // Past its deadline the call has its answer, but the method still has the bytes.
      const release = (): void => this.#release(call);
      if (response === undefined) release();
      else response.then(release, release);
    }
  }

  async #decompress(call: Call, bytes: Buffer): Promise<Uint8Array> {
    const { maxMessageBytes } = this.#options;
    const decompressor = GRPC_DECOMPRESSORS[call.encoding];
    if (decompressor === undefined) {
      throw new Refused(
        call.encoding === 'identity'
          ? new RpcError(GRPC_STATUS.INTERNAL, 'grpc: compressed flag set with identity or empty encoding')
          : new RpcError(
              GRPC_STATUS.UNIMPLEMENTED,
              `grpc: Decompressor is not installed for grpc-encoding "${call.encoding}"`,
            ),
      );
    }
    try {
      const plain = await decompressor(bytes, maxMessageBytes);
      this.#reserve(call, plain.length);
      return plain;
    } catch (error) {
      if (!(error instanceof DecompressError)) throw error instanceof RpcError ? new Refused(error) : error;
      throw new Refused(
        error.reason === 'too_large'
          ? new RpcError(
              GRPC_STATUS.RESOURCE_EXHAUSTED,
              `grpc: received message after decompression larger than max ${maxMessageBytes}`,
            )
          : new RpcError(
              GRPC_STATUS.INTERNAL,
              `grpc: failed to decompress the received message: ${error.message}`,
            ),
      );
    }
  }

  /** Ends a call before its method ran. */
  #refuse(call: Call, error: unknown): void {
    const refusal = toRpcError(error);
    call.answered = true;
    this.#release(call);
    call.method.refused(refusal);
    respondError(call.stream, refusal);
  }

  #reserve(call: Call, bytes: number): void {
    if (!this.#options.budget.reserve(bytes)) {
      throw new RpcError(GRPC_STATUS.UNAVAILABLE, 'data refused due to high memory usage');
    }
    call.reservedBytes += bytes;
  }

  #release(call: Call): void {
    this.#options.budget.release(call.reservedBytes);
    call.reservedBytes = 0;
  }

  #unauthenticated(headers: http2.IncomingHttpHeaders): RpcError | undefined {
    const problem = this.#options.authenticator?.problem(headers);
    return problem === undefined ? undefined : new RpcError(GRPC_STATUS.UNAUTHENTICATED, problem);
  }

  /** True when there is a method of `service`. The methods may change while the server runs. */
  #hasService(service: string): boolean {
    return [...this.#options.methods.keys()].some((path) => path.startsWith(`/${service}/`));
  }

  #unknown(path: string): RpcError {
    const slash = path.lastIndexOf('/');
    if (!path.startsWith('/') || slash <= 0) {
      return new RpcError(GRPC_STATUS.UNIMPLEMENTED, `malformed method name: "${path}"`);
    }
    const service = path.slice(1, slash);
    const text = this.#hasService(service)
      ? `unknown method ${path.slice(slash + 1)} for service ${service}`
      : `unknown service ${service}`;
    return new RpcError(GRPC_STATUS.UNIMPLEMENTED, text);
  }
}

interface Call {
  readonly stream: http2.ServerHttp2Stream;
  readonly method: UnaryMethod;
  readonly connection: Origin['connection'];
  readonly encoding: string;
  /** On the clock of `performance.now`, when the client set one. */
  readonly deadline: number | undefined;
  reservedBytes: number;
  /** The method runs, or the client has its answer. */
  answered: boolean;
}

/** Marks an error that arose before the method ran, so that the method hears of it. */
class Refused extends Error {
  readonly reason: RpcError;

  constructor(reason: RpcError) {
    super(reason.message);
    this.reason = reason;
  }
}

const header = (headers: http2.IncomingHttpHeaders, name: string): string | undefined => {
  const value = headers[name];
  return typeof value === 'string' ? value : undefined;
};

/** An HTTP status to answer with, when the request is not gRPC at all. */
function requestProblem(headers: http2.IncomingHttpHeaders): number | undefined {
  if (headers[':method'] !== 'POST') return http2.constants.HTTP_STATUS_METHOD_NOT_ALLOWED;
  const contentType = header(headers, 'content-type') ?? '';
  const isGrpc = /^application\/grpc(?:$|[+;])/i.test(contentType);
  return isGrpc ? undefined : http2.constants.HTTP_STATUS_UNSUPPORTED_MEDIA_TYPE;
}

function toRpcError(error: unknown): RpcError {
  if (error instanceof RpcError) return error;
  return new RpcError(GRPC_STATUS.INTERNAL, error instanceof Error ? error.message : String(error));
}

/** Rejects with DEADLINE_EXCEEDED when the client's deadline comes first; the call itself goes on. */
function withDeadline<T>(result: Promise<T>, deadline: number | undefined): Promise<T> {
  if (deadline === undefined) return result;
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new RpcError(GRPC_STATUS.DEADLINE_EXCEEDED, 'context deadline exceeded')),
      Math.min(deadline - performance.now(), 0x7fff_ffff),
    );
    result.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

const canAnswer = (stream: http2.ServerHttp2Stream): boolean =>
  !stream.destroyed && !stream.closed && !stream.headersSent;

function respond(stream: http2.ServerHttp2Stream, message: Uint8Array): void {
  if (!canAnswer(stream)) return;
  const frame = Buffer.allocUnsafe(5 + message.length);
  frame[0] = 0;
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, 5);
  stream.respond(RESPONSE_HEADERS, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers(OK_TRAILERS));
  stream.end(frame);
}

/** A Trailers-Only response. The rest of the request is not wanted: the stream is closed behind it. */
function respondError(stream: http2.ServerHttp2Stream, error: RpcError): void {
  if (!canAnswer(stream)) return;
  stream.respond(
    {
      ...RESPONSE_HEADERS,
      'grpc-status': String(error.code),
      'grpc-message': encodeGrpcMessage(error.message),
      ...(error.retryDelayMs === undefined
        ? {}
        : { 'grpc-status-details-bin': Buffer.from(encodeStatus(error)).toString('base64') }),
    },
    { endStream: true },
  );
  if (!stream.readableEnded) {
    stream.resume();
    stream.close(http2.constants.NGHTTP2_NO_ERROR);
  }
}

function respondHttpOnly(stream: http2.ServerHttp2Stream, status: number): void {
  if (!canAnswer(stream)) return;
  stream.respond({ ':status': status }, { endStream: true });
  if (!stream.readableEnded) stream.close(http2.constants.NGHTTP2_NO_ERROR);
}
