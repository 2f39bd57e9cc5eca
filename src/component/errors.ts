/** Errors are few, and each class means one action for whoever catches it. Anything else is a bug. */

/** Fix the configuration; exit code 2 before start. `message` holds every problem found, one per line. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** The batch can never be accepted: drop it and count it. */
export class PermanentError extends Error {
  override readonly name = 'PermanentError';
  /** The gRPC status code (or its HTTP equivalent) that a backend refused with; undefined when none was asked. */
  readonly grpcStatus: number | undefined;

  constructor(message: string, options?: { grpcStatus?: number | undefined; cause?: unknown }) {
    super(message, { cause: options?.cause });
    this.grpcStatus = options?.grpcStatus;
  }
}

/** Offer the batch again, after `retryAfterMs` when it is set. */
export class RetryableError extends Error {
  override readonly name = 'RetryableError';
  readonly retryAfterMs: number | undefined;
  /** As in `PermanentError`. */
  readonly grpcStatus: number | undefined;

  constructor(
    message: string,
    options?: {
      retryAfterMs?: number | undefined;
      grpcStatus?: number | undefined;
      cause?: unknown;
    },
  ) {
    super(message, { cause: options?.cause });
    this.retryAfterMs = options?.retryAfterMs;
    this.grpcStatus = options?.grpcStatus;
  }
}

/** This machine lacks something (kernel, BTF, capability): the feature is off, with one warning that says why. */
export class UnsupportedError extends Error {
  override readonly name = 'UnsupportedError';
}
