/** What a subcommand writes to and reads from; tests give their own. */
export interface CliIo {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Results. */
  readonly out: (text: string) => void;
  /** Logs and errors. */
  readonly err: (text: string) => void;
}

/**
 * Runs a subcommand with the arguments behind its name; resolves to the exit code. Throws `ConfigError` (exit code 2) and
 * `UsageError` or others (exit code 1); the caller prints them as one line.
 */
export type Command = (args: readonly string[], io: CliIo) => Promise<number>;

/** The command line makes no sense. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export const EXIT_OK = 0;
export const EXIT_FAILURE = 1;
export const EXIT_CONFIG = 2;
