/**
 * What happens when a statement or condition fails on data: `ignore` logs and goes on, `silent` goes on, `propagate` makes
 * the batch fail for good.
 */
import { z } from 'zod';
import type { Settings } from '../component/component.js';
import { PermanentError } from '../component/errors.js';
import { DECODING_ISSUE } from '../config/fields.js';
import { OttlError } from './values.js';

const MODES = ['ignore', 'silent', 'propagate'] as const;
export type ErrorMode = (typeof MODES)[number];

/** The setting `error_mode`, in any letter case. */
export const errorMode = () =>
  z.codec(z.string(), z.enum(MODES), {
    decode: (text, context) => {
      const mode = MODES.find((one) => one === text.toLowerCase());
      if (mode !== undefined) return mode;
      const message = `unknown error mode ${text.toLowerCase()}`;
      context.issues.push({ code: 'custom', message, input: text, params: DECODING_ISSUE });
      return z.NEVER;
    },
    encode: (mode) => mode,
  });

/** What could not be done, in the Collector's words. */
export type Failure = 'failed to execute statement' | 'failed to eval condition';

/**
 * Counts failures, and logs the first one of each text in each batch. Make one per batch and call `finish` after it: logs
 * are per batch, never per item.
 */
export class FailureLog {
  readonly #failures = new Map<string, { count: number; readonly error: string; readonly logged: boolean }>();

  /** Throws `PermanentError` in mode `propagate`, and anything that is no `OttlError` as it is. */
  add(mode: ErrorMode, failure: Failure, text: string, error: unknown): void {
    if (!(error instanceof OttlError)) throw error;
    if (mode === 'propagate') {
      throw new PermanentError(`${failure}: ${text}, ${error.message}`, { cause: error });
    }
    const known = this.#failures.get(text);
    if (known === undefined)
      this.#failures.set(text, { count: 1, error: error.message, logged: mode === 'ignore' });
    else known.count++;
  }

  finish({ logger, metrics }: Settings, message: string): void {
    for (const [text, { count, error, logged }] of this.#failures) {
      metrics.count('ottl_errors', count);
      if (logged) logger.warn(message, { statement: text, error, count });
    }
  }
}
