/** Spans of Redis: semantic conventions 1.44, Redis client spans. */
import type { WireExchange } from '../exchange.js';
import type { ProtocolOptions } from '../options.js';
import type { SpanSink } from '../span-sink.js';
import { withoutValues } from '../sql/describe.js';
import { KEYLESS, type KeyPatterns } from './commands.js';

export class RedisDetail {
  /** Upper case, with its subcommand: `GET`, `CLIENT LIST`. */
  readonly command: string;
  /** What comes after the command, as far as it was kept. */
  readonly args: readonly Buffer[];
  /** Number of them on the wire. */
  readonly argCount: number;
  /** Number of the database; undefined when it is not known. */
  readonly database: string | undefined;
  /** Commands that EXEC runs. */
  batch = 0;
  /** Answers still to come. */
  answers = 1;
  /** The whole error message; '' on success. */
  error = '';

  constructor(command: string, args: readonly Buffer[], argCount: number, database: string | undefined) {
    this.command = command;
    this.args = args;
    this.argCount = argCount;
    this.database = database;
  }
}

export const REDIS_ATTRIBUTES = [
  'db.system.name',
  'db.namespace',
  'db.operation.name',
  'db.operation.batch.size',
  'db.stored_procedure.name',
  'db.query.summary',
  'db.query.text',
  'db.response.status_code',
  'error.type',
] as const;

/** Arguments that are shown. */
const SHOWN = 8;
const SCRIPTS = new Set(['EVALSHA', 'EVALSHA_RO', 'FCALL', 'FCALL_RO']);

export function describeRedis(
  { detail }: WireExchange<RedisDetail>,
  span: SpanSink,
  options: ProtocolOptions,
  patterns: KeyPatterns,
): void {
  const { command, args } = detail;
  const key =
    args[0] === undefined || KEYLESS.has(command) || command.includes(' ') ? '' : patterns.of(text(args[0]));
  const summary = key === '' ? command : `${command} ${key}`;
  span.name = summary;
  span.put('db.system.name', 'redis');
  span.put('db.namespace', detail.database);
  span.put('db.operation.name', command);
  if (command === 'EXEC' && detail.batch !== 1) span.put('db.operation.batch.size', detail.batch);
  if (SCRIPTS.has(command) && args[0] !== undefined) span.put('db.stored_procedure.name', text(args[0]));
  span.put('db.query.summary', summary);
  if (options.queryText !== 'off')
    span.put('db.query.text', queryText(detail, key, options.queryText === 'full'));
  if (detail.error === '') return;
  const code = errorCode(detail.error);
  span.put('db.response.status_code', code);
  span.errorType = code;
  span.statusMessage = options.queryText === 'full' ? detail.error : shownError(detail.error);
}

/** `SET cart:* ?` */
function queryText({ command, args, argCount }: RedisDetail, key: string, full: boolean): string {
  let result = command;
  const secret =
    command === 'AUTH' || command === 'HELLO' || command.startsWith('ACL ') || command === 'CONFIG SET';
  for (let i = 0; i < argCount; i++) {
    if (i === SHOWN || (full && i >= args.length)) return `${result} ...`;
    const value = full && !secret ? text(args[i]!) : i === 0 && key !== '' ? key : '?';
    result += ` ${value}`;
  }
  return result;
}

/** The word before the first blank: `WRONGTYPE`, `MOVED`; `ERR` for what has none. */
function errorCode(message: string): string {
  const word = /^[A-Z][A-Z0-9_]*(?= |$)/.exec(message)?.[0];
  return word ?? 'ERR';
}

/** Redis repeats arguments of commands that it does not know. */
function shownError(message: string): string {
  const repeated = message.indexOf(', with args beginning with:');
  return withoutValues(repeated < 0 ? message.slice(0, 256) : message.slice(0, repeated));
}

const text = (bytes: Buffer): string => bytes.toString('utf8');
