import { RetryableError } from '../component/errors.js';
import { formatDuration } from '../config/duration.js';
import type { Attempt } from './sender.js';

/**
 * Limits one attempt to `timeoutMs` (0: no limit). The returned promise settles as soon as the time is over or the outer
 * signal fires, even when `attempt` ignores its signal: a hanging exporter can't hold a queue consumer for ever.
 */
export function withTimeout(attempt: Attempt, timeoutMs: number): Attempt {
  return (batch, abort) =>
    new Promise((resolve, reject) => {
      const controller = new AbortController();
      const stop = (reason: Error) => {
        reject(reason);
        controller.abort(reason);
      };
      const onAbort = () => stop(new RetryableError('interrupted due to shutdown'));
      const timer =
        timeoutMs > 0
          ? setTimeout(
              () => stop(new RetryableError(`no answer within the timeout of ${formatDuration(timeoutMs)}`)),
              timeoutMs,
            )
          : undefined;
      if (abort.aborted) return onAbort();
      abort.addEventListener('abort', onAbort, { once: true });
      attempt(batch, controller.signal)
        .then(resolve, reject)
        .finally(() => {
          clearTimeout(timer);
          abort.removeEventListener('abort', onAbort);
        });
    });
}
