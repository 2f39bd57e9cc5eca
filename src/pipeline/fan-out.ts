import type { Consumer } from '../component/component.js';
import { PermanentError, RetryableError } from '../component/errors.js';
import type { Batch } from '../component/signal.js';

/**
 * One consumer that hands each batch to all of `consumers`. Batches are immutable, so nothing is copied. A consumer that
 * fails doesn't keep the batch from the others; the error comes when all have answered. It is retryable when one of
 * them is: the caller then offers the batch to all again, which may double it for those that accepted (at least once).
 */
export function fanOut(consumers: readonly Consumer[]): Consumer {
  if (consumers.length === 1) return consumers[0]!;
  return {
    async consume(batch: Batch): Promise<void> {
      const results = await Promise.allSettled(consumers.map(async (consumer) => consumer.consume(batch)));
      const errors = results.flatMap((result) =>
        result.status === 'rejected' ? [result.reason as unknown] : [],
      );
      if (errors.length > 0) throw combine(errors);
    },
  };
}

function combine(errors: readonly unknown[]): unknown {
  if (errors.length === 1) return errors[0];
  const message = errors.map((error) => (error instanceof Error ? error.message : String(error))).join('; ');
  const cause = new AggregateError(errors);
  const retryable = errors.filter((error) => error instanceof RetryableError);
  if (retryable.length === 0) {
    const permanent = errors.find((error) => error instanceof PermanentError);
    return new PermanentError(message, { cause, grpcStatus: permanent?.grpcStatus });
  }
  const waits = retryable.flatMap(({ retryAfterMs }) => (retryAfterMs === undefined ? [] : [retryAfterMs]));
  return new RetryableError(message, {
    cause,
    grpcStatus: retryable[0]?.grpcStatus,
    retryAfterMs: waits.length === 0 ? undefined : Math.max(...waits),
  });
}
