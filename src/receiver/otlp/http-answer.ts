/** Responses of the OTLP/HTTP server. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { InvalidJsonError } from '../../otlp/json-reader.js';
import { MalformedError } from '../../otlp/malformed-error.js';
import { encodeStatus, statusToJson } from '../../otlp/responses.js';
import { GRPC_STATUS, httpStatusOf, RpcError } from '../../transport/grpc-status.js';
import { BodyError } from '../../transport/http-body.js';
import { answer, answerUnread, isGone, LINGER_MS } from '../../transport/http-listener.js';

export const JSON_TYPE = 'application/json';
export const PROTOBUF_TYPE = 'application/x-protobuf';
export type Encoding = typeof JSON_TYPE | typeof PROTOBUF_TYPE;

/** As Go's server: what is left of a body is read up to here, to use the connection again. */
const DRAIN_BYTES = 256 * 1024;

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
  if (isGone(request, response)) return;
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
  if (isBroken) {
    answer(response, httpStatusOf(status.code), encoding, body, { connection: 'close', ...retryAfter });
  } else answerUnread(request, response, httpStatusOf(status.code), encoding, body, retryAfter);
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
