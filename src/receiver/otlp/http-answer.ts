/** Responses of the OTLP/HTTP server. */
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { InvalidJsonError } from '../../otlp/json-reader.js';
import { MalformedError } from '../../otlp/malformed-error.js';
import { encodeStatus, statusToJson } from '../../otlp/responses.js';
import { GRPC_STATUS, httpStatusOf, RpcError } from '../../transport/grpc-status.js';
import { BodyError } from './http-body.js';

export const JSON_TYPE = 'application/json';
export const PROTOBUF_TYPE = 'application/x-protobuf';
export type Encoding = typeof JSON_TYPE | typeof PROTOBUF_TYPE;

const TEXT_TYPE = 'text/plain; charset=utf-8';
/** How long to read on after a refusal with bytes still on their way, so that the client sees the answer. */
const LINGER_MS = 500;
/** As Go's server: what is left of a body is read up to here, to use the connection again. */
const DRAIN_BYTES = 256 * 1024;

export function answer(
  response: ServerResponse,
  status: number,
  type: string | undefined,
  body: string | Uint8Array,
  headers: OutgoingHttpHeaders = {},
): void {
  response.writeHead(status, {
    ...(type === undefined ? {} : { 'content-type': type }),
    'content-length': typeof body === 'string' ? Buffer.byteLength(body) : body.length,
    ...headers,
  });
  response.end(body);
}

export function answerNotFound(response: ServerResponse): void {
  answer(response, 404, TEXT_TYPE, '404 page not found\n', { 'x-content-type-options': 'nosniff' });
}

export function answerRedirect(request: IncomingMessage, response: ServerResponse, location: string): void {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    answer(response, 307, undefined, '', { location });
    return;
  }
  const page = `<a href="${escapeHtml(location)}">Temporary Redirect</a>.\n\n`;
  answer(response, 307, 'text/html; charset=utf-8', page, { location });
}

const escapeHtml = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

/** A request that is no HTTP/1.1; nothing more is read from its connection. */
export function answerBadRequest(response: ServerResponse, status: number, text: string): void {
  response.shouldKeepAlive = false;
  if (text === '') answer(response, status, undefined, '', { connection: 'close' });
  else answer(response, status, TEXT_TYPE, text, { connection: 'close' });
}

/** Tells the client what went wrong, in its own encoding. */
export async function refuse(
  request: IncomingMessage,
  response: ServerResponse,
  encoding: Encoding,
  error: unknown,
): Promise<void> {
  const status = statusOf(error);
  const isUnread = error instanceof BodyError && error.unread && !request.complete;
  const isDrained = !isUnread || (await drain(request));
  if (response.destroyed || request.socket.destroyed) return;
  const body = encoding === JSON_TYPE ? statusToJson(status) : encodeStatus(status);
  const { retryDelayMs } = status;
  const retryAfter =
    retryDelayMs === undefined ? {} : { 'retry-after': String(Math.max(1, Math.ceil(retryDelayMs / 1000))) };
  const isBroken = error instanceof BodyError && (error.reason === 'broken' || error.reason === 'cut');
  if (isDrained && !isBroken) {
    answer(response, httpStatusOf(status.code), encoding, body, retryAfter);
    return;
  }
  response.shouldKeepAlive = false;
  response.writeHead(httpStatusOf(status.code), {
    'content-type': encoding,
    'content-length': Buffer.byteLength(body),
    connection: 'close',
    ...retryAfter,
  });
  if (isBroken) {
    response.end(body);
    return;
  }
  // Closing a socket with unread bytes resets it, and the client would lose the answer: read on for a moment.
  response.write(body);
  const end = (): void => {
    clearTimeout(timer);
    response.end();
  };
  const timer = setTimeout(end, LINGER_MS);
  request.once('end', end).once('close', end).resume();
}

/** Reads the rest of a small body. False when it is not small, or does not come. */
function drain(request: IncomingMessage): Promise<boolean> {
  if (Number(request.headers['content-length'] ?? 0) > DRAIN_BYTES) return Promise.resolve(false);
  return new Promise((resolve) => {
    let left = DRAIN_BYTES;
    const done = (isDrained: boolean): void => {
      clearTimeout(timer);
      request.off('data', onData);
      resolve(isDrained);
    };
    const onData = (chunk: Buffer): void => {
      left -= chunk.length;
      if (left < 0) done(false);
    };
    const timer = setTimeout(() => done(false), LINGER_MS);
    request.on('data', onData);
    request.once('end', () => done(true)).once('close', () => done(false));
  });
}

function statusOf(error: unknown): RpcError {
  if (error instanceof RpcError) return error;
  const message = error instanceof Error ? error.message : String(error);
  const isMalformed = error instanceof MalformedError || error instanceof InvalidJsonError;
  const code = isMalformed ? GRPC_STATUS.INVALID_ARGUMENT : GRPC_STATUS.INTERNAL;
  return new RpcError(code, message);
}
