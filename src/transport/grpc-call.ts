import { DecompressError, GRPC_DECOMPRESSORS } from './decompress.js';
import { GRPC_PREFIX_BYTES, GrpcMessageCollector } from './grpc-message.js';
import { decodeGrpcMessage, GRPC_STATUS } from './grpc-status.js';
import { CONNECTION_LOST, type Http2Connection, UNPROCESSED } from './http2/connection.js';
import type { DecodedHeaders } from './http2/hpack-decoder.js';
import { H2_ERROR } from './http2/protocol.js';
import type { Http2Stream, StreamListener } from './http2/stream.js';

export interface GrpcRequest {
  readonly path: string;
  /** Names in lower case, values as they go on the wire. */
  readonly metadata: readonly (readonly [name: string, value: string])[];
  /** The message, in pieces, compressed already unless `identity`. Nobody may write into them until the call is over. */
  readonly message: readonly Uint8Array[];
  readonly encoding: 'identity' | 'gzip';
  /** 0: no limit. */
  readonly timeoutMs: number;
}

export interface GrpcResult {
  /** 0: `response` is there. */
  readonly code: number;
  /** Why not. */
  readonly message: string;
  /** An encoded `google.rpc.Status`, when the server sent one. */
  readonly details?: Buffer | undefined;
  readonly response?: Uint8Array | undefined;
}

/** grpc's default. */
const MAX_RESPONSE_BYTES = 4 * 1024 * 1024;

/** One call, from the queue to its result. */
export class GrpcCall implements StreamListener {
  /** Called instead of a result, once, when the server closed its doors before it saw the call. */
  onUnprocessed: ((call: GrpcCall) => void) | undefined;
  readonly #request: GrpcRequest;
  readonly #headers: Buffer;
  readonly #done: (result: GrpcResult) => void;
  readonly #timer: NodeJS.Timeout | undefined;
  readonly #collector = new GrpcMessageCollector(MAX_RESPONSE_BYTES);
  #connection: Http2Connection | undefined;
  #heardBefore = 0;
  #stream: Http2Stream | undefined;
  #status: DecodedHeaders['headers'] = {};
  #encoding = 'identity';
  #isGrpc = false;
  #hasBody = false;
  #repeated = false;
  settled = false;

  constructor(request: GrpcRequest, headers: Buffer, done: (result: GrpcResult) => void) {
    this.#request = request;
    this.#headers = headers;
    this.#done = done;
    const { timeoutMs } = request;
    if (timeoutMs > 0) this.#timer = setTimeout(() => this.#timedOut(timeoutMs), timeoutMs);
  }

  start(connection: Http2Connection): void {
    const { message, encoding } = this.#request;
    const prefix = Buffer.allocUnsafe(GRPC_PREFIX_BYTES);
    prefix[0] = encoding === 'identity' ? 0 : 1;
    prefix.writeUInt32BE(
      message.reduce((sum, piece) => sum + piece.length, 0),
      1,
    );
    this.#connection = connection;
    this.#heardBefore = connection.socket.bytesRead;
    this.#stream = connection.request(this.#headers, [prefix, ...message], this);
  }

  /** Ends the call with this result, unless it has one. */
  settle(result: GrpcResult): void {
    if (this.settled) return;
    this.settled = true;
    clearTimeout(this.#timer);
    this.#done(result);
  }

  onHeaders({ headers, problem }: DecodedHeaders): void {
    if (problem !== undefined) this.settle({ code: GRPC_STATUS.INTERNAL, message: problem });
    // 1xx is followed by the response.
    if (/^1/.test(headers[':status'] ?? '')) return;
    this.#status = { ...this.#status, ...headers };
    this.#encoding = this.#status['grpc-encoding'] ?? 'identity';
    const type = this.#status['content-type'] ?? '';
    this.#isGrpc = this.#status[':status'] === '200' && type.startsWith('application/grpc');
  }

  onData(chunk: Buffer, start: number, end: number): void {
    if (this.settled) return;
    this.#hasBody = true;
    // What a proxy says to a call that is not for it is no message.
    if (!this.#isGrpc) return;
    try {
      this.#collector.push(chunk, start, end);
    } catch (error) {
      this.settle({ code: GRPC_STATUS.INTERNAL, message: `response: ${(error as Error).message}` });
      this.#cancel();
    }
  }

  onEnd(): void {
    void this.#finish();
    // The answer is there before the request was sent: nobody waits for the rest.
    if (this.#stream?.localEnded === false) this.#cancel();
  }

  onClose(code: number | undefined): void {
    if (this.settled || code === undefined) return;
    if (code === UNPROCESSED && !this.#repeated && this.onUnprocessed !== undefined) {
      this.#repeated = true;
      this.#status = {};
      this.onUnprocessed(this);
      return;
    }
    // With its status in hand the call is over, whatever became of the stream.
    if (this.#status['grpc-status'] === undefined) this.settle(resultOfReset(code));
  }

  async #finish(): Promise<void> {
    const status = this.#status;
    const text = status['grpc-status'];
    if (text === undefined) {
      const http = Number(status[':status']);
      const code = codeOfHttpStatus(http);
      const message = http === 200 ? 'Call ended without gRPC status' : `Received HTTP status code ${http}`;
      this.settle({ code, message });
      return;
    }
    const code = /^\d{1,3}$/.test(text) ? Number(text) : GRPC_STATUS.UNKNOWN;
    if (code !== GRPC_STATUS.OK) {
      const details = status['grpc-status-details-bin'];
      this.settle({
        code,
        message: decodeGrpcMessage(status['grpc-message'] ?? ''),
        details: details === undefined ? undefined : Buffer.from(details.split(',')[0]!, 'base64'),
      });
      return;
    }
    try {
      this.settle({
        code,
        message: '',
        response: this.#hasBody ? await this.#response() : new Uint8Array(0),
      });
    } catch (error) {
      this.settle({ code: GRPC_STATUS.INTERNAL, message: (error as Error).message });
    }
  }

  async #response(): Promise<Uint8Array> {
    const { compressed, bytes } = this.#collector.finish();
    if (!compressed) return bytes;
    const decompressor = GRPC_DECOMPRESSORS[this.#encoding];
    if (decompressor === undefined)
      throw new DecompressError('corrupt', `unknown grpc-encoding "${this.#encoding}"`);
    return decompressor(bytes, MAX_RESPONSE_BYTES);
  }

  #timedOut(timeoutMs: number): void {
    this.settle({
      code: GRPC_STATUS.DEADLINE_EXCEEDED,
      message: `Deadline exceeded after ${(timeoutMs / 1000).toFixed(3)}s`,
    });
    this.#cancel();
    // Not a byte in all that time: the peer may have vanished, and TCP takes a quarter of an hour to say so.
    if (this.#connection?.socket.bytesRead === this.#heardBefore) this.#connection.close();
  }

  #cancel(): void {
    if (this.#stream !== undefined) this.#connection?.reset(this.#stream, H2_ERROR.CANCEL);
  }
}

/** PROTOCOL-HTTP2.md, "Errors". */
function resultOfReset(code: number): GrpcResult {
  switch (code) {
    case CONNECTION_LOST:
      return { code: GRPC_STATUS.UNAVAILABLE, message: 'Connection dropped' };
    case H2_ERROR.REFUSED_STREAM:
      return { code: GRPC_STATUS.UNAVAILABLE, message: 'Stream refused by server' };
    case H2_ERROR.CANCEL:
      return { code: GRPC_STATUS.CANCELLED, message: 'Call cancelled' };
    case H2_ERROR.ENHANCE_YOUR_CALM:
      return {
        code: GRPC_STATUS.RESOURCE_EXHAUSTED,
        message: 'Bandwidth exhausted or memory limit exceeded',
      };
    case H2_ERROR.INADEQUATE_SECURITY:
      return { code: GRPC_STATUS.PERMISSION_DENIED, message: 'Protocol not secure enough' };
    default:
      return { code: GRPC_STATUS.INTERNAL, message: `Received RST_STREAM with code ${code}` };
  }
}

/** https://github.com/grpc/grpc/blob/v1.66.0/doc/http-grpc-status-mapping.md */
function codeOfHttpStatus(status: number): number {
  switch (status) {
    case 400:
      return GRPC_STATUS.INTERNAL;
    case 401:
      return GRPC_STATUS.UNAUTHENTICATED;
    case 403:
      return GRPC_STATUS.PERMISSION_DENIED;
    case 404:
      return GRPC_STATUS.UNIMPLEMENTED;
    case 429:
    case 502:
    case 503:
    case 504:
      return GRPC_STATUS.UNAVAILABLE;
    default:
      return GRPC_STATUS.UNKNOWN;
  }
}
