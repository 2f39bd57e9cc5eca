/**
 * Counts what passes the edges of a component, so that components without buffers need no counting of their own (see
 * `ComponentAccount`).
 */
import type { Consumer } from '../component/component.js';
import { PermanentError, RetryableError } from '../component/errors.js';
import type { EdgeCounter } from '../telemetry/component-account.js';

/** Around an exporter, a connector, or what a receiver feeds: accepted means sent. */
export const observeThrough = (consumer: Consumer, edges: EdgeCounter): Consumer =>
  observeInput(observeOutput(consumer, edges), edges);

/** Around a processor: what comes in. */
export function observeInput(consumer: Consumer, edges: EdgeCounter): Consumer {
  return {
    async consume(batch) {
      const { signal, itemCount } = batch;
      edges.received(signal, itemCount);
      edges.open(signal, itemCount);
      try {
        await consumer.consume(batch);
      } catch (error) {
        edges.dropped(signal, itemCount, refusalReason(error));
        throw error;
      } finally {
        edges.open(signal, -itemCount);
      }
    },
  };
}

/** Behind a processor: what goes out. */
export function observeOutput(consumer: Consumer, edges: EdgeCounter): Consumer {
  return {
    async consume(batch) {
      await consumer.consume(batch);
      edges.sent(batch.signal, batch.itemCount);
    },
  };
}

/** `refused` may be offered again by whoever sent it; `rejected` never will be accepted. */
function refusalReason(error: unknown): string {
  if (error instanceof RetryableError) return 'refused';
  return error instanceof PermanentError ? 'rejected' : 'internal_error';
}
