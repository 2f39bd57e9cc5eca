/** Backends for HTTP and gRPC that follow scripts; each exporter says in a header which one is its own. */
import * as net from 'node:net';
import { encodeExportResponse } from '../../../src/otlp/responses.js';
import { Http2Connection } from '../../../src/transport/http2/connection.js';
import { encodeHeaders } from '../../../src/transport/http2/hpack-encoder.js';
import { H2_ERROR } from '../../../src/transport/http2/protocol.js';
import type { Http2Stream } from '../../../src/transport/http2/stream.js';
import { framed } from '../wire/requests.js';
import type { GrpcScript, HttpScript, Script } from './script.js';

/** Name of the header. */
export const SCRIPT_HEADER = 'x-script';

const OK_BODY = Buffer.from(encodeExportResponse());
const HTTP_OK = Buffer.concat([
  Buffer.from(
    `HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\nContent-Length: ${OK_BODY.length}\r\n\r\n`,
  ),
  OK_BODY,
]);
const GRPC_HEAD = [
  [':status', '200'],
  ['content-type', 'application/grpc'],
] as const;
const WINDOW_BYTES = 1 << 20;

export class ScriptedBackend {
  /** Requests by script. */
  readonly attempts = new Map<number, number>();
  readonly #scripts: readonly Script[];
  readonly #servers: net.Server[] = [];
  readonly #sockets = new Set<net.Socket>();

  constructor(scripts: readonly Script[]) {
    this.#scripts = scripts;
  }

  async start(): Promise<{ readonly httpPort: number; readonly grpcPort: number }> {
    return {
      httpPort: await this.#listen((socket) => this.#serveHttp(socket)),
      grpcPort: await this.#listen((socket) => this.#serveGrpc(socket)),
    };
  }

  stop(): void {
    for (const socket of this.#sockets) socket.destroy();
    for (const server of this.#servers) server.close();
  }

  async #listen(serve: (socket: net.Socket) => void): Promise<number> {
    const server = net.createServer((socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      socket.on('error', () => {});
      serve(socket);
    });
    this.#servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return (server.address() as net.AddressInfo).port;
  }

  /** The script to follow now; undefined accepts. */
  #next(index: number): Script | undefined {
    const attempts = (this.attempts.get(index) ?? 0) + 1;
    this.attempts.set(index, attempts);
    return attempts === 1 ? this.#scripts[index] : undefined;
  }

  #serveHttp(socket: net.Socket): void {
    let received: Buffer = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      for (;;) {
        const end = received.indexOf('\r\n\r\n');
        const head = received.subarray(0, Math.max(end, 0)).toString('latin1');
        const length = Number(/^content-length: (\d+)/im.exec(head)?.[1] ?? 0);
        if (end < 0 || received.length < end + 4 + length) return;
        received = received.subarray(end + 4 + length);
        const index = Number(new RegExp(`^${SCRIPT_HEADER}: (\\d+)`, 'im').exec(head)?.[1]);
        this.#answerHttp(socket, this.#next(index) as HttpScript | undefined);
      }
    });
  }

  #answerHttp(socket: net.Socket, script: HttpScript | undefined): void {
    if (script === undefined) {
      socket.write(HTTP_OK);
      return;
    }
    socket.write(script.answer, () => {
      if (script.close === 'end') socket.end();
      else if (script.close === 'reset') socket.resetAndDestroy();
    });
  }

  #serveGrpc(socket: net.Socket): void {
    const connection: Http2Connection = new Http2Connection(socket, {
      role: 'server',
      streamWindowBytes: WINDOW_BYTES,
      connectionWindowBytes: WINDOW_BYTES,
      maxConcurrentStreams: 1000,
      events: {
        onRequest: (stream, { headers }) => ({
          onData() {},
          onClose() {},
          onEnd: () =>
            this.#answerGrpc(
              connection,
              stream,
              this.#next(Number(headers[SCRIPT_HEADER])) as GrpcScript | undefined,
            ),
        }),
        onError: () => {},
        onClose: () => {},
      },
    });
  }

  #answerGrpc(connection: Http2Connection, stream: Http2Stream, script: GrpcScript | undefined): void {
    const ok = script === undefined;
    const { headers, body, trailers, reset, close } = script ?? {
      headers: GRPC_HEAD,
      body: framed(OK_BODY),
      trailers: [['grpc-status', '0']] as const,
    };
    if (headers !== undefined && trailers === undefined && body === undefined && reset === undefined) {
      connection.respondHeaders(stream, encodeHeaders(headers));
    } else if (headers !== undefined && trailers !== undefined) {
      connection.respond(stream, encodeHeaders(headers), body ?? Buffer.alloc(0), encodeHeaders(trailers));
    }
    if (reset !== undefined) connection.reset(stream, reset);
    if (ok) return;
    if (close === 'goaway') connection.abort(H2_ERROR.NO_ERROR, 'bye');
    else if (close === 'end') connection.destroy();
  }
}
