/** Consequence, not volume: error = data lost or operator needed; warn = recovered; info = start, stop, reload. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** A fixed sentence and its facts as fields. Never called once per event. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A logger that adds `fields` to each line. */
  child(fields: LogFields): Logger;
}

export type LogFields = Readonly<Record<string, unknown>>;

const noop = (): void => {};

/** Says nothing; for tests. */
export const NOP_LOGGER: Logger = {
  debug: noop,
  info: noop,
  warn: noop,
  error: noop,
  child: () => NOP_LOGGER,
};
