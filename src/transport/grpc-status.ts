/**
 * gRPC status codes and their mapping to HTTP.
 *
 * Sources: https://github.com/grpc/grpc/blob/v1.66.0/doc/statuscodes.md,
 * https://github.com/grpc/grpc/blob/v1.66.0/doc/PROTOCOL-HTTP2.md (Status-Message percent-encoding),
 * https://opentelemetry.io/docs/specs/otlp/ (retryable codes, throttling).
 */
import type { RpcStatus } from '../otlp/responses.js';

export const GRPC_STATUS = {
  OK: 0,
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
} as const;

/** The spelling that grpc-go uses in error texts, and therefore what users of a Collector search for. */
const GO_NAMES = [
  'OK',
  'Canceled',
  'Unknown',
  'InvalidArgument',
  'DeadlineExceeded',
  'NotFound',
  'AlreadyExists',
  'PermissionDenied',
  'ResourceExhausted',
  'FailedPrecondition',
  'Aborted',
  'OutOfRange',
  'Unimplemented',
  'Internal',
  'Unavailable',
  'DataLoss',
  'Unauthenticated',
];

/** `Unavailable` for 14; `Code(99)` for a number that gRPC does not define. */
export const grpcStatusName = (code: number): string => GO_NAMES[code] ?? `Code(${code})`;

const RETRYABLE: ReadonlySet<number> = new Set([
  GRPC_STATUS.CANCELLED,
  GRPC_STATUS.DEADLINE_EXCEEDED,
  GRPC_STATUS.ABORTED,
  GRPC_STATUS.OUT_OF_RANGE,
  GRPC_STATUS.UNAVAILABLE,
  GRPC_STATUS.DATA_LOSS,
]);

/** Whether OTLP lets a client send again. RESOURCE_EXHAUSTED counts only with a RetryInfo. */
export function isRetryableGrpcStatus(code: number, hasRetryInfo: boolean): boolean {
  return RETRYABLE.has(code) || (code === GRPC_STATUS.RESOURCE_EXHAUSTED && hasRetryInfo);
}

/** The HTTP status with which a Collector answers an OTLP/HTTP client for a gRPC status. */
export function httpStatusOf(code: number): number {
  if (RETRYABLE.has(code)) return 503;
  switch (code) {
    case GRPC_STATUS.OK:
      return 200;
    case GRPC_STATUS.INVALID_ARGUMENT:
      return 400;
    case GRPC_STATUS.UNAUTHENTICATED:
      return 401;
    case GRPC_STATUS.PERMISSION_DENIED:
      return 403;
    case GRPC_STATUS.UNIMPLEMENTED:
      return 404;
    case GRPC_STATUS.RESOURCE_EXHAUSTED:
      return 429;
    default:
      return 500;
  }
}

/** The gRPC status that stands for an HTTP response of a backend. */
export function grpcStatusOfHttp(httpStatus: number): number {
  switch (httpStatus) {
    case 400:
      return GRPC_STATUS.INVALID_ARGUMENT;
    case 401:
      return GRPC_STATUS.UNAUTHENTICATED;
    case 403:
      return GRPC_STATUS.PERMISSION_DENIED;
    case 404:
      return GRPC_STATUS.UNIMPLEMENTED;
    case 429:
      return GRPC_STATUS.RESOURCE_EXHAUSTED;
    case 502:
    case 503:
    case 504:
      return GRPC_STATUS.UNAVAILABLE;
    default:
      return GRPC_STATUS.UNKNOWN;
  }
}

/** A failed call. Thrown by a handler of `GrpcServer`, whose text and code the client then sees. */
export class RpcError extends Error implements RpcStatus {
  override readonly name = 'RpcError';
  readonly code: number;
  readonly retryDelayMs: number | undefined;

  constructor(code: number, message: string, retryDelayMs?: number) {
    super(message);
    this.code = code;
    this.retryDelayMs = retryDelayMs;
  }
}

/** Percent-encodes what may not stand in a `grpc-message` header: everything but printable ASCII, and `%`. */
export function encodeGrpcMessage(text: string): string {
  if (/^[ -$&-~]*$/.test(text)) return text;
  let out = '';
  for (const byte of Buffer.from(text, 'utf8')) {
    const plain = byte >= 0x20 && byte <= 0x7e && byte !== 0x25;
    out += plain ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return out;
}

/** The text of a `grpc-message` header. What is no percent-encoding stands for itself. */
export function decodeGrpcMessage(text: string): string {
  if (!text.includes('%')) return text;
  const latin1 = text.replace(/%([0-9a-fA-F]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(latin1, 'latin1').toString('utf8');
}
