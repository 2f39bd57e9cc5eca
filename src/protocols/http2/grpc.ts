/**
 * gRPC over HTTP/2 (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md), and its spans: semantic conventions
 * 1.44, RPC and gRPC (https://opentelemetry.io/docs/specs/semconv/rpc/grpc/).
 */
import type { WireExchange } from '../exchange.js';
import { splitAuthority } from '../http/describe.js';
import type { SpanSink } from '../span-sink.js';
import type { Http2Detail } from './detail.js';

/** By number. */
const STATUS = [
  'OK',
  'CANCELLED',
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
] as const;

const SERVER_ERRORS = new Set([
  'UNKNOWN',
  'DEADLINE_EXCEEDED',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
]);

/** PROTOCOL-HTTP2.md, "Errors": what a stream's reset means. */
const BY_RESET: Readonly<Record<number, (typeof STATUS)[number]>> = {
  7: 'UNAVAILABLE',
  8: 'CANCELLED',
  11: 'RESOURCE_EXHAUSTED',
  12: 'PERMISSION_DENIED',
};

export const GRPC_ATTRIBUTES = ['rpc.system.name', 'rpc.method', 'rpc.response.status_code'] as const;

export function describeGrpc(exchange: WireExchange<Http2Detail>, span: SpanSink): void {
  const { detail } = exchange;
  const method = detail.path.startsWith('/') ? detail.path.slice(1) : '';
  span.protocol = 'grpc';
  span.network('http', '2');
  // A path that is not known (`joined in the middle`) leaves the system's name.
  span.name = method === '' ? 'grpc' : method;
  span.put('rpc.system.name', 'grpc');
  span.put('rpc.method', method);
  const named = splitAuthority(detail.host, detail.scheme === 'https' ? 443 : 80);
  if (named !== undefined) span.server(named.address, named.port);
  span.put('user_agent.original', detail.userAgent);
  const status = statusOf(detail);
  if (status === undefined) {
    if (detail.statusCode >= 400) span.errorType ??= String(detail.statusCode);
    return;
  }
  span.put('rpc.response.status_code', status);
  if (span.side === 'client' ? status !== 'OK' : SERVER_ERRORS.has(status)) {
    span.errorType = status;
    span.statusMessage = detail.grpcMessage;
  }
}

function statusOf(detail: Http2Detail): string | undefined {
  const { grpcStatus, resetCode } = detail;
  if (grpcStatus !== undefined) return STATUS[grpcStatus] ?? String(grpcStatus);
  if (resetCode === undefined) return undefined;
  return BY_RESET[resetCode] ?? 'INTERNAL';
}

/** `grpc-message`: percent-encoded UTF-8. */
export function decodeMessage(text: string): string {
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Follows the 5-byte prefixes of messages through DATA frames, as far as they are visible. */
export class MessageCounter {
  /** Messages that began. */
  messages = 0;
  #remaining = 0;
  #lost = false;

  /** A frame with `length` bytes of content, of which `bytes[start, end)` are visible. */
  data(bytes: Buffer, start: number, end: number, length: number): void {
    let at = 0;
    while (!this.#lost && at < length) {
      const step = Math.min(this.#remaining, length - at);
      at += step;
      this.#remaining -= step;
      if (at === length) return;
      const prefix = start + at;
      if (prefix + 5 > end || bytes[prefix]! > 1) {
        this.#lost = true;
        if (this.messages === 0) this.messages = 1;
        return;
      }
      this.messages++;
      this.#remaining = bytes.readUInt32BE(prefix + 1) + 5;
    }
  }
}
