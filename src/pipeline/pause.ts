/** The two moments of a shutdown that matter to a delivery. */
export interface StopSignals {
  /** Shutdown has begun: waits end, one more attempt is made at once, and later waits are short. */
  readonly draining: AbortSignal;
  /** The deadline has passed: give up. */
  readonly deadline: AbortSignal;
  /** The batch is kept on disk: once draining, the attempt that runs is the last one. */
  readonly isKept?: boolean;
}

/** Waits `waitMs`; ends at once at the deadline, or when draining begins during the wait. */
export function pause(waitMs: number, { draining, deadline }: StopSignals): Promise<void> {
  return new Promise((resolve) => {
    if (deadline.aborted) return resolve();
    const wakers = draining.aborted ? [deadline] : [deadline, draining];
    const done = () => {
      clearTimeout(timer);
      for (const signal of wakers) signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, waitMs);
    for (const signal of wakers) signal.addEventListener('abort', done, { once: true });
  });
}
