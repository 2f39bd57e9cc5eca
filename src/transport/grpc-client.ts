/**
 * Unary gRPC calls over plain TCP, on one connection that is made when it is needed.
 *
 * Source: https://github.com/grpc/grpc/blob/v1.66.0/doc/PROTOCOL-HTTP2.md. Codes for what went wrong below gRPC are
 * those of `@grpc/grpc-js`, and so are the texts, since users know them.
 */
import { connect, type Socket, type TcpNetConnectOpts } from 'node:net';
import { GrpcCall, type GrpcRequest, type GrpcResult } from './grpc-call.js';
import { GRPC_STATUS } from './grpc-status.js';
import { Http2Connection } from './http2/connection.js';
import { encodeHeaders } from './http2/hpack-encoder.js';
import { TCP_KEEPALIVE_MS } from './listen.js';

export interface GrpcClientOptions {
  /** `host:port`, also what the server is told. */
  readonly authority: string;
  readonly connect: TcpNetConnectOpts;
  readonly userAgent: string;
}

/** Of responses, which are small. */
const WINDOW_BYTES = 1024 * 1024;
const CONNECT_TIMEOUT_MS = 20_000;

export class GrpcClient {
  readonly #options: GrpcClientOptions;
  /** Calls without a connection or without room on it; as many at most as the caller has open. */
  readonly #waiting: GrpcCall[] = [];
  #socket: Socket | undefined;
  #connection: Http2Connection | undefined;
  #lastError = '';
  #closed = false;

  constructor(options: GrpcClientOptions) {
    this.#options = options;
  }

  /** Resolves to whatever came of the call; never rejects. */
  unary(request: GrpcRequest): Promise<GrpcResult> {
    return new Promise((resolve) => {
      if (this.#closed) {
        resolve({ code: GRPC_STATUS.UNAVAILABLE, message: 'Channel has been shut down' });
        return;
      }
      this.#waiting.push(new GrpcCall(request, this.#headersOf(request), resolve));
      this.#pump();
    });
  }

  /** Ends the connection; calls that run end as cancelled. */
  close(): void {
    this.#closed = true;
    this.#failWaiting(GRPC_STATUS.CANCELLED, 'Channel has been shut down');
    this.#connection?.destroy();
    this.#socket?.destroy();
  }

  #pump(): void {
    while (this.#waiting.length > 0) {
      const connection = this.#connection;
      if (connection === undefined || connection.closed) {
        this.#connection = undefined;
        if (this.#socket === undefined && !this.#closed) this.#connect();
        return;
      }
      if (!connection.hasRoom) return;
      this.#start(this.#waiting.shift()!, connection);
    }
  }

  #start(call: GrpcCall, connection: Http2Connection): void {
    // Its time may be over already.
    if (call.settled) return;
    call.onUnprocessed = (again) => {
      this.#waiting.push(again);
      queueMicrotask(() => this.#pump());
    };
    call.start(connection);
  }

  #connect(): void {
    const keepAlive = { keepAlive: true, keepAliveInitialDelay: TCP_KEEPALIVE_MS };
    const socket = connect({ ...keepAlive, ...this.#options.connect, noDelay: true });
    this.#socket = socket;
    const fail = (error: Error): void => {
      if (this.#socket !== socket) return;
      this.#socket = undefined;
      socket.destroy();
      const message = `No connection established. Last error: ${error.message || String(error)}`;
      this.#failWaiting(GRPC_STATUS.UNAVAILABLE, message);
    };
    socket.once('error', fail);
    socket.setTimeout(CONNECT_TIMEOUT_MS, () => fail(new Error('connection timed out')));
    socket.once('connect', () => this.#open(socket, fail));
  }

  #open(socket: Socket, fail: (error: Error) => void): void {
    socket.off('error', fail);
    const connection: Http2Connection = new Http2Connection(socket, {
      role: 'client',
      streamWindowBytes: WINDOW_BYTES,
      connectionWindowBytes: WINDOW_BYTES,
      maxConcurrentStreams: 0,
      events: {
        onRoom: () => {
          // Connected means that the other side has spoken HTTP/2.
          if (this.#socket === socket) {
            this.#socket = undefined;
            socket.setTimeout(0);
            this.#connection = connection;
          }
          this.#pump();
        },
        onGoaway: () => {
          if (this.#connection === connection) this.#connection = undefined;
        },
        onError: (error) => {
          this.#lastError = error.message;
        },
        onClose: () => {
          if (this.#connection === connection) this.#connection = undefined;
          fail(new Error(this.#lastError || 'the connection was closed'));
          if (!this.#closed) this.#pump();
        },
      },
    });
  }

  #failWaiting(code: number, message: string): void {
    for (let call = this.#waiting.shift(); call !== undefined; call = this.#waiting.shift()) {
      call.settle({ code, message });
    }
  }

  #headersOf({ path, metadata, encoding, timeoutMs }: GrpcRequest): Buffer {
    return encodeHeaders([
      [':method', 'POST'],
      [':scheme', 'http'],
      [':authority', this.#options.authority],
      [':path', path],
      ['content-type', 'application/grpc'],
      ['te', 'trailers'],
      ['user-agent', this.#options.userAgent],
      ['grpc-accept-encoding', 'identity,gzip'],
      ...(encoding === 'identity' ? [] : [['grpc-encoding', encoding] as const]),
      ...(timeoutMs === 0 ? [] : [['grpc-timeout', timeoutOf(timeoutMs)] as const]),
      ...metadata,
    ]);
  }
}

/** At most eight digits and a unit. */
const timeoutOf = (ms: number): string =>
  ms < 1e8 ? `${Math.max(1, Math.ceil(ms))}m` : `${Math.min(Math.ceil(ms / 1000), 99_999_999)}S`;
