import { PermanentError, RetryableError } from '../component/errors.js';
import { GRPC_STATUS, RpcError } from './grpc-status.js';

/** How grpc-go prints a status; a client is shown the description alone, because the code travels beside it. */
const PRINTED_STATUS = /^rpc error: code = \w+(?:\(\d+\))? desc = ([\s\S]*)$/;
const PERMANENT = 'Permanent error: ';

/**
 * What a receiver tells its client when the pipeline refused a batch: the code that the backend gave where there was
 * one, else UNAVAILABLE for what may be sent again and INTERNAL for what may not. The texts are a Collector's.
 */
export function rpcErrorOf(error: unknown): RpcError {
  if (error instanceof RetryableError) {
    const text = PRINTED_STATUS.exec(error.message)?.[1] ?? error.message;
    return new RpcError(error.grpcStatus ?? GRPC_STATUS.UNAVAILABLE, text, error.retryAfterMs);
  }
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof PermanentError) {
    const text = message.startsWith(PERMANENT) ? message : PERMANENT + message;
    return new RpcError(error.grpcStatus ?? GRPC_STATUS.INTERNAL, text);
  }
  return new RpcError(GRPC_STATUS.INTERNAL, message);
}
