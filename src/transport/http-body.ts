/**
 * Receives and decompresses the body of one HTTP request, within the size limit and the memory budget.
 * `Content-Encoding` is matched exactly, as the Collector does: `GZIP`, `identity` and lists are refused.
 */
import type { IncomingMessage } from 'node:http';
import type { ByteBudget } from './byte-budget.js';
import { DecompressError, HTTP_DECOMPRESSORS } from './decompress.js';
import { GRPC_STATUS, RpcError } from './grpc-status.js';

export interface HttpBodyLimits {
  /** On the wire, and again after decompression. */
  readonly maxBytes: number;
  /** Values of Content-Encoding that are accepted. */
  readonly encodings: ReadonlySet<string>;
  readonly budget: ByteBudget;
}

/** Why a body was not taken. */
export class BodyError extends RpcError {
  readonly reason: 'malformed' | 'too_large' | 'busy' | 'aborted';
  /** The rest of the body is still on its way: the connection can't be used again. */
  readonly unread: boolean;

  constructor(reason: BodyError['reason'], message: string, unread = false) {
    super(reason === 'busy' ? GRPC_STATUS.UNAVAILABLE : GRPC_STATUS.INVALID_ARGUMENT, message);
    this.reason = reason;
    this.unread = unread;
  }
}

export interface HttpBody {
  readonly bytes: Uint8Array;
  /** Gives the memory back to the budget; call it once, when the request is over. */
  release(): void;
}

/** Rejects with `BodyError`; the budget is settled then. */
export async function readHttpBody(request: IncomingMessage, limits: HttpBodyLimits): Promise<HttpBody> {
  const encoding = request.headers['content-encoding'] ?? '';
  const decompressor = HTTP_DECOMPRESSORS[encoding];
  if (!limits.encodings.has(encoding) || (encoding !== '' && decompressor === undefined)) {
    throw new BodyError('malformed', `unsupported Content-Encoding: ${encoding}`, true);
  }
  let reserved = 0;
  const reserve = (bytes: number, unread: boolean): void => {
    if (!limits.budget.reserve(bytes)) {
      throw new BodyError('busy', 'data refused due to high memory usage', unread);
    }
    reserved += bytes;
  };
  const release = (): void => {
    limits.budget.release(reserved);
    reserved = 0;
  };
  try {
    const wire = await receive(request, limits.maxBytes, (bytes) => reserve(bytes, true));
    if (decompressor === undefined) return { bytes: wire, release };
    const bytes = await decompressor(wire, limits.maxBytes);
    reserve(bytes.length, false);
    return { bytes, release };
  } catch (error) {
    release();
    if (!(error instanceof DecompressError)) throw error;
    throw error.reason === 'too_large' ? tooLarge(false) : new BodyError('malformed', error.message);
  }
}

const tooLarge = (unread: boolean): BodyError =>
  new BodyError('too_large', 'http: request body too large', unread);

function receive(
  request: IncomingMessage,
  maxBytes: number,
  reserve: (bytes: number) => void,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    if (Number(request.headers['content-length'] ?? 0) > maxBytes) {
      reject(tooLarge(true));
      return;
    }
    const chunks: Buffer[] = [];
    let size = 0;
    const stop = (error: unknown): void => {
      request.off('data', onData);
      reject(error);
    };
    const onData = (chunk: Buffer): void => {
      size += chunk.length;
      if (size > maxBytes) {
        stop(tooLarge(true));
        return;
      }
      try {
        reserve(chunk.length);
        chunks.push(chunk);
      } catch (error) {
        stop(error);
      }
    };
    request.on('data', onData);
    request.on('end', () => resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, size)));
    request.on('close', () => stop(new BodyError('aborted', 'the client went away')));
  });
}
