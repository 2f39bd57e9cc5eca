import { PermanentError, RetryableError } from '../../component/errors.js';
import { formatDuration } from '../../config/duration.js';
import type { RpcStatus } from '../../otlp/responses.js';
import { grpcStatusName } from '../../transport/grpc-status.js';

/** The peer refused a request only because of its size; smaller parts of it may be accepted. */
export class TooLargeError extends PermanentError {}

/**
 * The error of an exporter whose peer answered with `status`, with the texts of a Collector:
 * `rpc error: code = Unavailable desc = …`, in front of it `Throttle (7s), error: ` when the peer said when to come
 * back, or `Permanent error: `.
 */
export function exportFailure(
  status: RpcStatus,
  kind: 'retryable' | 'permanent' | 'too_large',
  cause?: unknown,
): RetryableError | PermanentError {
  const text = `rpc error: code = ${grpcStatusName(status.code)} desc = ${status.message}`;
  const options = { grpcStatus: status.code, cause };
  if (kind === 'too_large') return new TooLargeError(`Permanent error: ${text}`, options);
  if (kind === 'permanent') return new PermanentError(`Permanent error: ${text}`, options);
  const { retryDelayMs } = status;
  // "Now" is no throttle; the client is told all the same.
  if (retryDelayMs === undefined) return new RetryableError(text, options);
  if (retryDelayMs === 0) return new RetryableError(text, { ...options, retryAfterMs: 0 });
  const message = `Throttle (${formatDuration(retryDelayMs)}), error: ${text}`;
  return new RetryableError(message, { ...options, retryAfterMs: retryDelayMs });
}
