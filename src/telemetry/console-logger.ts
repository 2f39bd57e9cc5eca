/**
 * Log lines in the two encodings of the Collector (zap): `console` is `time<TAB>level<TAB>message<TAB>{fields}`, `json`
 * is one object per line. There is no caller column, as with the Collector's `disable_caller: true`.
 */
import type { LogFields, Logger, LogLevel } from './logger.js';
import { RepeatLimiter, type RepeatLimits } from './repeat-limiter.js';

const SEVERITY: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 };

export interface ConsoleLoggerOptions {
  readonly level: LogLevel;
  readonly encoding: 'console' | 'json';
  /** Receives one line with its newline. */
  readonly write: (line: string) => void;
  readonly now?: () => number;
  /** Absent: each line is written. */
  readonly repeats?: RepeatLimits | undefined;
}

/** What a logger and its children share. */
interface Sink {
  options: ConsoleLoggerOptions;
  now: () => number;
  limiter: RepeatLimiter | undefined;
  /** In each line, before the fields of the logger. */
  fields: LogFields;
}

/** Create with `ConsoleLogger.create`; `child` loggers share its level, output, repeat limits and initial fields. */
export class ConsoleLogger implements Logger {
  readonly #sink: Sink;
  readonly #fields: LogFields;

  private constructor(sink: Sink, fields: LogFields) {
    this.#sink = sink;
    this.#fields = fields;
  }

  static create(options: ConsoleLoggerOptions, fields: LogFields = {}): ConsoleLogger {
    return new ConsoleLogger(sinkOf(options, fields), {});
  }

  /** Changes this logger and all that have the same origin, as if they had been created like this. */
  reconfigure(options: ConsoleLoggerOptions, fields: LogFields = {}): void {
    Object.assign(this.#sink, sinkOf(options, fields));
  }

  debug(message: string, fields?: LogFields): void {
    this.#log('debug', message, fields);
  }

  info(message: string, fields?: LogFields): void {
    this.#log('info', message, fields);
  }

  warn(message: string, fields?: LogFields): void {
    this.#log('warn', message, fields);
  }

  error(message: string, fields?: LogFields): void {
    this.#log('error', message, fields);
  }

  child(fields: LogFields): Logger {
    return new ConsoleLogger(this.#sink, { ...this.#fields, ...fields });
  }

  #log(level: LogLevel, message: string, fields: LogFields | undefined): void {
    const { options, now, limiter, fields: initial } = this.#sink;
    if (SEVERITY[level] < SEVERITY[options.level]) return;
    let all: LogFields = { ...initial, ...this.#fields, ...fields };
    if (limiter !== undefined) {
      const verdict = limiter.admit(`${level} ${String(this.#fields['otelcol.component.id'])} ${message}`);
      if (!verdict.admitted) return;
      if (verdict.suppressed > 0) all = { ...all, suppressed: verdict.suppressed };
    }
    const time = new Date(now()).toISOString();
    if (options.encoding === 'json') {
      options.write(`${toJson({ level, ts: time, msg: message, ...all })}\n`);
      return;
    }
    const tail = Object.keys(all).length === 0 ? '' : `\t${toJson(all)}`;
    options.write(`${time}\t${level}\t${message}${tail}\n`);
  }
}

function sinkOf(options: ConsoleLoggerOptions, fields: LogFields): Sink {
  const now = options.now ?? Date.now;
  const limiter = options.repeats === undefined ? undefined : new RepeatLimiter(options.repeats, now);
  return { options, now, limiter, fields };
}

/** JSON that never throws: errors become their message, bigints decimal text, cycles are cut. */
function toJson(fields: LogFields): string {
  const ancestors: unknown[] = [];
  return JSON.stringify(fields, function (this: unknown, _key, value: unknown) {
    if (typeof value === 'bigint') return value.toString();
    if (value instanceof Error) return value.message;
    if (typeof value !== 'object' || value === null) return value;
    while (ancestors.length > 0 && ancestors.at(-1) !== this) ancestors.pop();
    if (ancestors.includes(value)) return '[circular]';
    ancestors.push(value);
    return value;
  });
}
