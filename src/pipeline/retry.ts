/**
 * Tries again with growing intervals. Fields, defaults and log sentences are those of the Collector's
 * `retry_on_failure` (go.opentelemetry.io/collector/config/configretry).
 */
import { z } from 'zod';
import { PermanentError, RetryableError } from '../component/errors.js';
import type { Batch } from '../component/signal.js';
import { formatDuration } from '../config/duration.js';
import { duration } from '../config/fields.js';
import type { Logger } from '../telemetry/logger.js';
import { pause, type StopSignals } from './pause.js';
import type { Attempt, Outcome } from './sender.js';

export type { StopSignals };

const notNegative = (field: string) => `${field} value must be greater than or equal to 0`;

const NOT_NEGATIVE = [
  'initial_interval',
  'randomization_factor',
  'multiplier',
  'max_interval',
  'max_elapsed_time',
] as const;

/** `retry_on_failure` of an exporter. */
export const retryFields = () =>
  z
    .strictObject({
      enabled: z.boolean().default(true).describe('Offer a batch again after a failure that may pass.'),
      initial_interval: duration().prefault('5s').describe('Wait before the second attempt.'),
      randomization_factor: z
        .number()
        .default(0.5)
        .describe('Each wait is multiplied by a random factor within 1 +/- this.'),
      multiplier: z.number().default(1.5).describe('Each wait is this much longer than the one before.'),
      max_interval: duration().prefault('30s').describe('Longest wait.'),
      max_elapsed_time: duration()
        .prefault('5m')
        .describe('Time from the first attempt after which the batch is dropped. 0 means never.'),
    })
    .superRefine((retry, context) => {
      const fail = (message: string) => context.addIssue({ code: 'custom', message });
      for (const field of NOT_NEGATIVE) if (retry[field] < 0) fail(notNegative(field));
      if (retry.randomization_factor > 1) fail('randomization_factor value must be less than or equal to 1');
      if (retry.max_elapsed_time > 0) {
        if (retry.max_elapsed_time < retry.initial_interval) {
          fail("'max_elapsed_time' must not be less than 'initial_interval'");
        }
        if (retry.max_elapsed_time < retry.max_interval) {
          fail("'max_elapsed_time' must not be less than 'max_interval'");
        }
      }
    });

export type RetryConfig = z.output<ReturnType<typeof retryFields>>;

/** Longest wait between attempts while draining; a user waits for the program to end. */
const DRAIN_INTERVAL_MS = 500;

interface RetryTools {
  readonly logger: Logger;
  /** Monotonic milliseconds. */
  readonly clock: () => number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

/** Delivers one batch: attempts until it is accepted, refused for good, out of time, or `stop.deadline` fires. */
export function retrying(
  attempt: Attempt,
  config: RetryConfig,
  { logger, clock, random }: RetryTools,
): (batch: Batch, stop: StopSignals) => Promise<Outcome> {
  return async (batch, stop) => {
    const startedAt = clock();
    let intervalMs = config.initial_interval;
    for (;;) {
      const error = await attempt(batch, stop.deadline).then(
        () => undefined,
        (reason: unknown) => reason,
      );
      if (error === undefined) return { status: 'sent' };
      if (!(error instanceof RetryableError)) return permanentFailure(error, logger);
      if (stop.deadline.aborted) return shutdownFailure(error);
      if (!config.enabled) return { status: 'failed', reason: 'retries_exhausted', error };

      const jitter = 1 + config.randomization_factor * (2 * random() - 1);
      let waitMs = Math.max(intervalMs * jitter, error.retryAfterMs ?? 0);
      intervalMs = Math.min(intervalMs * config.multiplier, config.max_interval);
      if (stop.draining.aborted && error.retryAfterMs === undefined) {
        waitMs = Math.min(waitMs, DRAIN_INTERVAL_MS);
      }
      if (config.max_elapsed_time > 0 && clock() - startedAt + waitMs > config.max_elapsed_time) {
        return {
          status: 'failed',
          reason: 'retries_exhausted',
          error: new RetryableError(`no more retries left: ${error.message}`, {
            cause: error,
            grpcStatus: error.grpcStatus,
          }),
        };
      }
      logger.info('Exporting failed. Will retry the request after interval.', {
        error: error.message,
        interval: formatDuration(Math.round(waitMs)),
      });
      await pause(waitMs, stop);
      if (stop.deadline.aborted) return shutdownFailure(error);
    }
  };
}

function permanentFailure(error: unknown, logger: Logger): Outcome {
  if (error instanceof PermanentError) return { status: 'failed', reason: 'permanent', error };
  logger.error('Exporter failed in an unexpected way. Dropping data.', {
    error: error instanceof Error ? (error.stack ?? error.message) : String(error),
  });
  const message = error instanceof Error ? error.message : String(error);
  return { status: 'failed', reason: 'internal_error', error: new PermanentError(message, { cause: error }) };
}

function shutdownFailure(error: Error): Outcome {
  const prefix = 'interrupted due to shutdown';
  const message = error.message.startsWith(prefix) ? error.message : `${prefix}: ${error.message}`;
  return { status: 'failed', reason: 'shutdown', error: new RetryableError(message, { cause: error }) };
}
