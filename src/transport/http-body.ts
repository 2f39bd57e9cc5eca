/**
 * Receives and decompresses the body of one HTTP request, within the size limit and the memory budget.
 * `Content-Encoding` is matched exactly, as the Collector does: `GZIP`, `identity` and lists are refused.
 */
import type { IncomingMessage } from 'node:http';
import { BROKEN_BODY, CUT } from './broken-requests.js';
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

const CODES = {
  malformed: GRPC_STATUS.INVALID_ARGUMENT,
  too_large: GRPC_STATUS.INVALID_ARGUMENT,
  /** No HTTP from some place on. */
  broken: GRPC_STATUS.INVALID_ARGUMENT,
  /** The client stopped before its end. */
  cut: GRPC_STATUS.INVALID_ARGUMENT,
  aborted: GRPC_STATUS.INVALID_ARGUMENT,
  busy: GRPC_STATUS.UNAVAILABLE,
  unauthenticated: GRPC_STATUS.UNAUTHENTICATED,
} as const;

/** Why a body was not taken. */
export class BodyError extends RpcError {
  readonly reason: keyof typeof CODES;
  /** The rest of the body is still on its way: the connection can't be used again. */
  readonly unread: boolean;

  constructor(reason: BodyError['reason'], message: string, unread = false) {
    super(CODES[reason], message);
    this.reason = reason;
    this.unread = unread;
  }
}

/** As what a request is counted whose body was not taken; undefined when nothing was lost here. */
export function lossOf({ reason }: BodyError): 'too_large' | 'malformed' | undefined {
  // Who went away has kept his request, or lost it himself.
  if (reason === 'busy' || reason === 'aborted' || reason === 'cut') return undefined;
  return reason === 'too_large' ? 'too_large' : 'malformed';
}

export interface HttpBody {
  readonly bytes: Uint8Array;
  /** Gives the memory back to the budget; call it once, when the request is over. */
  release(): void;
}

/** What is wrong with the encoding of a body, which can be told without reading it. */
export function encodingProblem(
  request: IncomingMessage,
  encodings: HttpBodyLimits['encodings'],
): BodyError | undefined {
  const encoding = contentEncoding(request);
  const isKnown = encoding === '' || Object.hasOwn(HTTP_DECOMPRESSORS, encoding);
  if (isKnown && encodings.has(encoding)) return undefined;
  return new BodyError('malformed', `unsupported Content-Encoding: ${encoding}`, true);
}

/** Of several headers the first, as a Collector reads them; a list in one header is no name. */
function contentEncoding({ headers, headersDistinct }: IncomingMessage): string {
  const joined = headers['content-encoding'] ?? '';
  return joined.includes(',') ? (headersDistinct['content-encoding']?.[0] ?? '') : joined;
}

/** Rejects with `BodyError`; the budget is settled then. */
export async function readHttpBody(request: IncomingMessage, limits: HttpBodyLimits): Promise<HttpBody> {
  const problem = encodingProblem(request, limits.encodings);
  if (problem !== undefined) throw problem;
  const encoding = contentEncoding(request);
  const decompressor = HTTP_DECOMPRESSORS[encoding];
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
    if (error.reason !== 'too_large') throw new BodyError('malformed', error.message);
    throw encoding === 'snappy'
      ? new BodyError('too_large', 'snappy: decoded size exceeds max request body size')
      : tooLarge(false);
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
    request.on(BROKEN_BODY, (message: string) =>
      stop(new BodyError(message === CUT ? 'cut' : 'broken', message)),
    );
    request.on('close', () => stop(new BodyError('aborted', 'the client went away')));
  });
}
