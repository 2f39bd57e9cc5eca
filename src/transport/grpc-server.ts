/**
 * A gRPC server for methods that take and give encoded bytes: unary ones, and those whose client sends a stream.
 *
 * Why not `@grpc/grpc-js`: it knows neither zstd nor snappy, which Collectors use, and its HTTP/2 windows of 64 KiB
 * bound a client to a third of the throughput measured with the ones below. Why not `node:http2`: see `Http2Connection`.
 *
 * Source: https://github.com/grpc/grpc/blob/v1.66.0/doc/PROTOCOL-HTTP2.md; error texts are those of grpc-go v1.7x,
 * which users of a Collector know.
 */
import * as net from 'node:net';
import * as tls from 'node:tls';
import type { ServerAuthenticator } from '../component/auth.js';
import type { Origin } from '../component/signal.js';
import { encodeStatus } from '../otlp/responses.js';
import type { ByteBudget } from './byte-budget.js';
import { DecompressError, GRPC_DECOMPRESSORS } from './decompress.js';
import { type GrpcKeepaliveOptions, keepGrpcConnectionAlive } from './grpc-keepalive.js';
import { GRPC_PREFIX_BYTES, type GrpcMessage, GrpcMessageCollector } from './grpc-message.js';
import { checkGrpcRequest } from './grpc-request.js';
import { encodeGrpcMessage, GRPC_STATUS, RpcError } from './grpc-status.js';
import { GrpcMessageSplitter } from './grpc-stream.js';
import { Http2Connection } from './http2/connection.js';
import type { DecodedHeaders, Headers } from './http2/hpack-decoder.js';
import { encodeHeaders } from './http2/hpack-encoder.js';
import type { Http2Stream, StreamListener } from './http2/stream.js';
import { listen, type OpenListener, TCP_KEEPALIVE_MS } from './listen.js';
import { connectionOf } from './peer.js';

/** One method. Bytes are encoded messages without the gRPC prefix. */
export interface UnaryMethod {
  /**
   * Resolves to the encoded response; rejects with `RpcError`. `message` belongs to the method. Anything else that it
   * rejects with is a bug: the client sees INTERNAL. `headers` are the request's, names in lower case.
   */
  handle(message: Uint8Array, connection: Origin['connection'], headers: Headers): Promise<Uint8Array>;
  /** A call ended before `handle`: too large, cut, not decompressible. The client has been told. */
  refused(error: RpcError): void;
}

/** One call of a method whose client sends a stream. */
export interface StreamCall {
  /**
   * One message, which belongs to the call. Several may be handled at once; what a rejection says is told to the client at
   * the end, and the messages after it are handled all the same.
   */
  message(bytes: Uint8Array): Promise<void>;
  /** A message that is not handed on: the memory for requests is used up. */
  dropped(): void;
  /**
   * The encoded response, once the client has said everything and every message is settled. Also called, for nobody to hear,
   * when the client went away before that.
   */
  end(): Promise<Uint8Array>;
}

/** A method whose client sends any number of messages and is answered once. */
export interface StreamMethod {
  open(connection: Origin['connection'], headers: Headers): StreamCall;
  /** As in `UnaryMethod`. */
  refused(error: RpcError): void;
}

export interface GrpcServerOptions {
  readonly listen: net.ListenOptions;
  /** Methods by path, `/package.Service/Method`. */
  readonly methods: ReadonlyMap<string, UnaryMethod | StreamMethod>;
  /** Largest message, as sent and as decompressed. */
  readonly maxMessageBytes: number;
  /** Calls at the same time on one connection; more wait in the client. */
  readonly maxConcurrentStreams: number;
  readonly keepalive: GrpcKeepaliveOptions;
  readonly budget: ByteBudget;
  readonly tls?: tls.TlsOptions | undefined;
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
const GRPC_TYPE = 'application/grpc';
const OK_RESPONSE = encodeHeaders([
  [':status', '200'],
  ['content-type', GRPC_TYPE],
]);
const OK_TRAILERS = encodeHeaders([['grpc-status', '0']]);

export class GrpcServer {
  readonly #options: GrpcServerOptions;
  readonly #connections = new Set<Http2Connection>();
  #server: net.Server | undefined;
  #listener: OpenListener | undefined;

  constructor(options: GrpcServerOptions) {
    this.#options = options;
  }

  /** Where it listens, once `start` has resolved. */
  get address(): net.AddressInfo | string | null {
    return this.#listener?.address ?? null;
  }

  /** Rejects when the address can't be bound. */
  async start(): Promise<void> {
    const { tls: tlsOptions } = this.#options;
    const keepAlive = { keepAlive: true, keepAliveInitialDelay: TCP_KEEPALIVE_MS };
    const server =
      tlsOptions === undefined
        ? net.createServer(keepAlive)
        : tls.createServer({ ...tlsOptions, ...keepAlive, ALPNProtocols: ['h2'] });
    server.on(tlsOptions === undefined ? 'connection' : 'secureConnection', (socket: net.Socket) => {
      // grpc clients insist on ALPN, and so does a Collector.
      if (socket instanceof tls.TLSSocket && socket.alpnProtocol !== 'h2') socket.destroy();
      else this.#onConnection(socket);
    });
    server.on('tlsClientError', (error: Error) => this.#options.onPeerError(error));
    this.#server = server;
    this.#listener = await listen(server, this.#options.listen);
  }

  /** Uses other certificates from now on. Only when the server was made with `tls`. */
  setSecureContext(context: tls.SecureContextOptions): void {
    const server = this.#server;
    if (server instanceof tls.Server) server.setSecureContext(context);
  }

  /**
   * Takes no new connections and no new calls (GOAWAY), lets running calls end until `deadline` aborts, then cuts
   * them. May be called without `start` and again.
   */
  async shutdown(deadline: AbortSignal): Promise<void> {
    const closed = this.#listener?.close();
    for (const connection of this.#connections) connection.close();
    const cut = (): void => {
      for (const connection of this.#connections) connection.destroy();
    };
    if (deadline.aborted) cut();
    else deadline.addEventListener('abort', cut, { once: true });
    await closed;
    deadline.removeEventListener('abort', cut);
  }

  #onConnection(socket: net.Socket): void {
    const origin = connectionOf(socket);
    const connection: Http2Connection = new Http2Connection(socket, {
      role: 'server',
      streamWindowBytes: STREAM_WINDOW_BYTES,
      connectionWindowBytes: CONNECTION_WINDOW_BYTES,
      maxConcurrentStreams: this.#options.maxConcurrentStreams,
      events: {
        onRequest: (stream, decoded) => {
          keepalive.streamOpened();
          return this.#onRequest(connection, stream, decoded, origin, keepalive.streamClosed);
        },
        onPing: () => keepalive.pinged(),
        onError: (error) => this.#options.onPeerError(error),
        onClose: () => {
          keepalive.stop();
          this.#connections.delete(connection);
        },
      },
    });
    const keepalive = keepGrpcConnectionAlive(connection, this.#options.keepalive);
    this.#connections.add(connection);
  }

  #onRequest(
    http2: Http2Connection,
    stream: Http2Stream,
    { headers }: DecodedHeaders,
    connection: Origin['connection'],
    closed: () => void,
  ): StreamListener {
    const refuse = (error: RpcError, httpStatus?: number): StreamListener => {
      respondError(http2, stream, error, responseType(headers), httpStatus);
      return { onData() {}, onEnd() {}, onClose: closed };
    };
    const checked = checkGrpcRequest(headers);
    if ('code' in checked) {
      return refuse(new RpcError(checked.code, checked.message), checked.httpStatus);
    }
    const path = headers[':path'] ?? '';
    const method = this.#options.methods.get(path);
    if (method === undefined) return refuse(this.#unknown(path));
    const encoding = headers['grpc-encoding'] || 'identity';
    const refusal = unknownEncoding(encoding) ?? this.#unauthenticated(headers);
    if (refusal !== undefined) {
      if (refusal.code === GRPC_STATUS.UNIMPLEMENTED) method.refused(refusal);
      return refuse(refusal);
    }
    if ('open' in method) return this.#receiveStream(http2, stream, method, connection, headers, closed);
    const { timeoutMs } = checked;
    const call: Call = {
      http2,
      stream,
      method,
      connection,
      headers,
      encoding,
      deadline: timeoutMs === undefined ? undefined : performance.now() + timeoutMs,
      reservedBytes: 0,
      answered: false,
    };
    return this.#receive(call, closed);
  }

  #receive(call: Call, closed: () => void): StreamListener {
    const collector = new GrpcMessageCollector(this.#options.maxMessageBytes);
    return {
      onData: (chunk, start, end) => {
        if (call.answered) return;
        try {
          this.#reserve(call, end - start);
          collector.push(chunk, start, end);
        } catch (error) {
          this.#refuse(call, error);
        }
      },
      onEnd: () => {
        if (call.answered) return;
        let message: GrpcMessage;
        try {
          message = collector.finish();
        } catch (error) {
          this.#refuse(call, error);
          return;
        }
        void this.#answer(call, message);
      },
      onClose: () => {
        // While the method runs, `#answer` still holds the bytes and releases them.
        if (!call.answered) this.#release(call);
        call.answered = true;
        closed();
      },
    };
  }

  #receiveStream(
    http2: Http2Connection,
    stream: Http2Stream,
    method: StreamMethod,
    connection: Origin['connection'],
    headers: Headers,
    closed: () => void,
  ): StreamListener {
    const { maxMessageBytes, budget } = this.#options;
    const splitter = new GrpcMessageSplitter(maxMessageBytes);
    const call = method.open(connection, headers);
    const encoding = headers['grpc-encoding'] || 'identity';
    const running = new Set<Promise<void>>();
    let failure: unknown;
    let isOver = false;
    const refuse = (error: unknown): void => {
      isOver = true;
      const refusal = toRpcError(error instanceof Refused ? error.reason : error);
      if (error instanceof Refused || error instanceof RpcError) method.refused(refusal);
      respondError(http2, stream, refusal, responseType(headers));
    };
    const handle = async ({ compressed, bytes }: GrpcMessage): Promise<void> => {
      let reserved = bytes.length;
      if (!budget.reserve(reserved)) {
        call.dropped();
        return;
      }
      try {
        let plain: Uint8Array = bytes;
        if (compressed) {
          plain = await this.#inflate(encoding, bytes);
          if (!budget.reserve(plain.length)) {
            call.dropped();
            return;
          }
          reserved += plain.length;
        }
        await call.message(plain);
      } catch (error) {
        if (error instanceof Refused) method.refused(error.reason);
        failure ??= error instanceof Refused ? error.reason : error;
      } finally {
        budget.release(reserved);
      }
    };
    const settle = async (): Promise<Uint8Array | undefined> => {
      await Promise.all(running);
      try {
        return await call.end();
      } catch (error) {
        failure ??= error;
        return undefined;
      }
    };
    return {
      onData: (chunk, start, end) => {
        if (isOver) return;
        try {
          for (const message of splitter.push(chunk, start, end)) {
            const one = handle(message).finally(() => running.delete(one));
            running.add(one);
          }
        } catch (error) {
          refuse(error);
        }
      },
      onEnd: () => {
        if (isOver) return;
        if (!splitter.isComplete) {
          refuse(new RpcError(GRPC_STATUS.INTERNAL, 'unexpected EOF'));
          return;
        }
        isOver = true;
        void settle().then((response) => {
          if (failure === undefined && response !== undefined)
            respondMessage(http2, stream, headers, response);
          else respondError(http2, stream, toRpcError(failure), responseType(headers));
        });
      },
      onClose: () => {
        if (!isOver) void settle();
        isOver = true;
        closed();
      },
    };
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
      response = call.method.handle(bytes, call.connection, call.headers);
      respond(call, await withDeadline(response, call.deadline));
    } catch (error) {
      if (error instanceof Refused) call.method.refused(error.reason);
      const reason = toRpcError(error instanceof Refused ? error.reason : error);
      respondError(call.http2, call.stream, reason, responseType(call.headers));
    } finally {
      // Past its deadline the call has its answer, but the method still has the bytes.
      const release = (): void => this.#release(call);
      if (response === undefined) release();
      else response.then(release, release);
    }
  }

  async #decompress(call: Call, bytes: Buffer): Promise<Uint8Array> {
    const plain = await this.#inflate(call.encoding, bytes);
    try {
      this.#reserve(call, plain.length);
      return plain;
    } catch (error) {
      throw error instanceof RpcError ? new Refused(error) : error;
    }
  }

  /** Rejects with `Refused`. */
  async #inflate(encoding: string, bytes: Buffer): Promise<Uint8Array> {
    const { maxMessageBytes } = this.#options;
    const decompressor = GRPC_DECOMPRESSORS[encoding];
    if (decompressor === undefined) {
      throw new Refused(
        new RpcError(GRPC_STATUS.INTERNAL, 'grpc: compressed flag set with identity or empty encoding'),
      );
    }
    try {
      return await decompressor(bytes, maxMessageBytes);
    } catch (error) {
      if (!(error instanceof DecompressError)) throw error;
      throw new Refused(
        error.reason === 'too_large'
          ? new RpcError(
              GRPC_STATUS.RESOURCE_EXHAUSTED,
              `grpc: received message after decompression larger than max ${maxMessageBytes}`,
            )
          : new RpcError(GRPC_STATUS.INTERNAL, decompressionSentence(encoding, bytes, error.message)),
      );
    }
  }

  /** Ends a call before its method ran. */
  #refuse(call: Call, error: unknown): void {
    const refusal = toRpcError(error);
    call.answered = true;
    this.#release(call);
    call.method.refused(refusal);
    respondError(call.http2, call.stream, refusal, responseType(call.headers));
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

  #unauthenticated(headers: Headers): RpcError | undefined {
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
  readonly http2: Http2Connection;
  readonly stream: Http2Stream;
  readonly method: UnaryMethod;
  readonly connection: Origin['connection'];
  readonly headers: Headers;
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

/** The request's type with its `+proto`; nothing else of it goes into the answer. */
const responseType = (headers: Headers): string =>
  /^application\/grpc\+\w[\w.-]*$/.exec(headers['content-type'] ?? '')?.[0] ?? GRPC_TYPE;

/** Said before the message is there, whether it turns out to be compressed or not. */
function unknownEncoding(encoding: string): RpcError | undefined {
  if (encoding === 'identity' || Object.hasOwn(GRPC_DECOMPRESSORS, encoding)) return undefined;
  return new RpcError(
    GRPC_STATUS.UNIMPLEMENTED,
    `grpc: Decompressor is not installed for grpc-encoding "${encoding}"`,
  );
}

/** Readers of gzip in Go look at its header when they are made, which has a sentence of its own. */
function decompressionSentence(encoding: string, bytes: Uint8Array, reason: string): string {
  const isHeader = encoding === 'gzip' && (bytes.length < 10 || reason === 'gzip: invalid header');
  return isHeader
    ? `grpc: failed to decompress the message: ${reason}`
    : `grpc: failed to read decompressed data: ${reason}`;
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

const respond = ({ http2, stream, headers }: Call, message: Uint8Array): void =>
  respondMessage(http2, stream, headers, message);

function respondMessage(
  http2: Http2Connection,
  stream: Http2Stream,
  headers: Headers,
  message: Uint8Array,
): void {
  const frame = Buffer.allocUnsafe(GRPC_PREFIX_BYTES + message.length);
  frame[0] = 0;
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, GRPC_PREFIX_BYTES);
  const type = responseType(headers);
  const head =
    type === GRPC_TYPE
      ? OK_RESPONSE
      : encodeHeaders([
          [':status', '200'],
          ['content-type', type],
        ]);
  http2.respond(stream, head, frame, OK_TRAILERS);
}

/** A Trailers-Only response. */
function respondError(
  http2: Http2Connection,
  stream: Http2Stream,
  error: RpcError,
  type: string,
  httpStatus = 200,
): void {
  const details: [string, string][] =
    error.retryDelayMs === undefined
      ? []
      : [['grpc-status-details-bin', Buffer.from(encodeStatus(error)).toString('base64')]];
  const block = encodeHeaders([
    [':status', String(httpStatus)],
    ['content-type', type],
    ['grpc-status', String(error.code)],
    ['grpc-message', encodeGrpcMessage(error.message)],
    ...details,
  ]);
  http2.respondHeaders(stream, block);
}
