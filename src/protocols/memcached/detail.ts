/** Spans of Memcached: semantic conventions 1.44, database client spans (there are none of its own). */
import type { WireExchange } from '../exchange.js';
import type { ProtocolOptions } from '../options.js';
import type { SpanSink } from '../span-sink.js';

export class MemcachedDetail {
  /** Lower case, as in the text protocol: `get`, `set`, `mg`. */
  readonly command: string;
  /** Keys that were asked for, or 1. */
  readonly keys: number;
  readonly firstKey: string;
  /** Answered only when something is to be told. */
  readonly quiet: boolean;
  /** Of the binary protocol. */
  readonly opcode: number;
  readonly opaque: number;
  /** Tag of a meta command (`O`), or its key where that is answered (`k`). */
  readonly tag: string;
  /** `SERVER_ERROR`, or the binary status; '' on success. */
  errorCode = '';

  constructor(
    command: string,
    firstKey: string,
    keys: number,
    quiet: boolean,
    opcode = -1,
    opaque = 0,
    tag = '',
  ) {
    this.command = command;
    this.firstKey = firstKey;
    this.keys = keys;
    this.quiet = quiet;
    this.opcode = opcode;
    this.opaque = opaque;
    this.tag = tag;
  }
}

export const MEMCACHED_ATTRIBUTES = [
  'db.system.name',
  'db.operation.name',
  'db.query.text',
  'db.response.status_code',
  'error.type',
] as const;

export function describeMemcached(
  { detail }: WireExchange<MemcachedDetail>,
  span: SpanSink,
  options: ProtocolOptions,
): void {
  const { command, firstKey, keys, errorCode } = detail;
  span.name = command;
  span.put('db.system.name', 'memcached');
  span.put('db.operation.name', command);
  if (options.queryText !== 'off') {
    const shown = firstKey === '' ? '' : options.queryText === 'full' ? ` ${firstKey}` : ' ?';
    span.put('db.query.text', `${command}${shown}${keys > 1 ? ' ...' : ''}`);
  }
  if (errorCode === '') return;
  span.put('db.response.status_code', errorCode);
  span.errorType = errorCode;
}
