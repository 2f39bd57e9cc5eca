/** Errors are few, and each class means one action for whoever catches it. Anything else is a bug. */

/** Fix the configuration; exit code 2 before start. `message` holds every problem found, one per line. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** The batch can never be accepted: drop it and count it. */
export class PermanentError extends Error {
  override readonly name = 'PermanentError';
}

/** Offer the batch again, after `retryAfterMs` when it is set. */
export class RetryableError extends Error {
  override readonly name = 'RetryableError';
  readonly retryAfterMs: number | undefined;

  constructor(message: string, options?: { retryAfterMs?: number; cause?: unknown }) {
    super(message, { cause: options?.cause });
    this.retryAfterMs = options?.retryAfterMs;
  }
}

/** This machine lacks something (kernel, BTF, capability): the feature is off, with one warning that says why. */
export class UnsupportedError extends Error {
  override readonly name = 'UnsupportedError';
}
