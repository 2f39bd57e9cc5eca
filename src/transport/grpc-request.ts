/**
 * What a gRPC server checks in the headers of a request before it looks for the method. Order, statuses and sentences are
 * those of grpc-go v1.8x (internal/transport/http2_server.go).
 */
import { GRPC_STATUS } from './grpc-status.js';
import { parseGrpcTimeout } from './grpc-timeout.js';
import type { Headers } from './http2/hpack-decoder.js';

/** Why the request is none, with the HTTP status for those who don't speak gRPC. */
export interface RequestProblem {
  readonly httpStatus: number;
  readonly code: number;
  readonly message: string;
}

/** Milliseconds that the client waits (undefined: as long as it takes), or what is wrong. */
export function checkGrpcRequest(
  headers: Headers,
): RequestProblem | { readonly timeoutMs: number | undefined } {
  const type = headers['content-type'] ?? '';
  if (!/^application\/grpc(?:$|[+;])/i.test(type)) {
    const message = `invalid gRPC request content-type ${JSON.stringify(type)}`;
    return { httpStatus: 415, code: GRPC_STATUS.INVALID_ARGUMENT, message };
  }
  const timeout = headers['grpc-timeout'];
  const timeoutMs = timeout === undefined ? undefined : parseGrpcTimeout(timeout);
  const malformed =
    typeof timeoutMs === 'object' ? `malformed grpc-timeout: ${timeoutMs.problem}` : binaryProblem(headers);
  if (malformed !== undefined) return { httpStatus: 400, code: GRPC_STATUS.INTERNAL, message: malformed };
  const method = headers[':method'] ?? '';
  if (method !== 'POST') {
    const message = `Received a HEADERS frame with :method ${JSON.stringify(method)} which should be POST`;
    return { httpStatus: 405, code: GRPC_STATUS.INTERNAL, message };
  }
  return { timeoutMs: typeof timeoutMs === 'object' ? undefined : timeoutMs };
}

/** Names that end in `-bin` carry base64, with or without padding; several values are separated by commas. */
function binaryProblem(headers: Headers): string | undefined {
  for (const name in headers) {
    if (!name.endsWith('-bin')) continue;
    const value = headers[name] ?? '';
    for (const one of value.split(/, ?/)) {
      const at = /^[A-Za-z0-9+/]*(?:={0,2})$/.test(one) ? -1 : one.search(/[^A-Za-z0-9+/]/);
      if (at >= 0) {
        return `malformed binary metadata ${JSON.stringify(value)} in header ${JSON.stringify(name)}: illegal base64 data at input byte ${at}`;
      }
    }
  }
  return undefined;
}
