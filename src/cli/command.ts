/** What a subcommand writes to and reads from; tests give their own. */
export interface CliIo {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Results. */
  readonly out: (text: string) => void;
  /** Results that are no text; left out: they go to files only. */
  readonly outBytes?: (bytes: Uint8Array) => void;
  /** Logs and errors. */
  readonly err: (text: string) => void;
  /** Set when results go to a terminal, with its width in columns where it is known. */
  readonly terminal?: { readonly columns: number | undefined } | undefined;
  /** Milliseconds since the epoch; left out: the clock. */
  readonly now?: () => number;
}

/**
 * Runs a subcommand with the arguments behind its name; resolves to the exit code. Throws `ConfigError` and `UsageError`
 * (exit code 2) or others (exit code 1); the caller prints them as one line.
 */
export type Command = (args: readonly string[], io: CliIo) => Promise<number>;

/** The command line makes no sense. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export const EXIT_OK = 0;
export const EXIT_FAILURE = 1;
/** Whoever called has to change what he gave: arguments or configuration. */
export const EXIT_INPUT = 2;
