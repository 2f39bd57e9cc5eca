/** Spans of SQL databases: semantic conventions 1.44, database client spans and those of PostgreSQL, MySQL and MariaDB. */
import type { WireExchange } from '../exchange.js';
import type { ProtocolOptions } from '../options.js';
import type { SpanSink } from '../span-sink.js';
import type { SqlStatements } from './statement.js';

/** What is known of an exchange with an SQL database. */
export class SqlDetail {
  /** `query`: run `text`. `prepare`: parse it. `command`: neither; `command` says what. */
  readonly kind: 'query' | 'prepare' | 'command';
  readonly text: string | undefined;
  /** The text goes on beyond what was captured. */
  readonly cut: boolean;
  /** Values travel beside the text. */
  readonly parameterised: boolean;
  /** Database of the connection. */
  readonly namespace: string | undefined;
  /** What was asked for where no text tells: the protocol's command, or the server's word for it. */
  command = '';
  /** SQLSTATE or error number; '' on success. */
  errorCode = '';
  errorMessage = '';
  /** Rows that the server says it returned; -1 when it did not say. */
  rows = -1;

  constructor(
    kind: SqlDetail['kind'],
    text: string | undefined,
    cut: boolean,
    parameterised: boolean,
    namespace: string | undefined,
  ) {
    this.kind = kind;
    this.text = text;
    this.cut = cut;
    this.parameterised = parameterised;
    this.namespace = namespace;
  }
}

export const SQL_ATTRIBUTES = [
  'db.system.name',
  'db.namespace',
  'db.operation.name',
  'db.collection.name',
  'db.stored_procedure.name',
  'db.query.summary',
  'db.query.text',
  'db.response.status_code',
  'db.response.returned_rows',
  'error.type',
] as const;

/** `system` is the value of `db.system.name`. Span name: the summary, else command and database, else the system. */
export function describeSql(
  { detail }: WireExchange<SqlDetail>,
  span: SpanSink,
  options: ProtocolOptions,
  system: string,
  statements: SqlStatements,
): void {
  const { text, namespace, kind, command } = detail;
  span.put('db.system.name', system);
  span.put('db.namespace', namespace);
  if (text === undefined) {
    span.name = namespace === undefined || command === '' ? command : `${command} ${namespace}`;
    span.put('db.operation.name', command);
  } else {
    const { summary, operations, targets, procedure, sanitised, normalised } = statements.of(text);
    const prefix = kind === 'prepare' ? 'PREPARE' : '';
    const name = [prefix, summary].filter((part) => part !== '').join(' ');
    span.name = name === '' ? command : name;
    const operation = operations.length === 1 ? operations[0] : undefined;
    span.put('db.operation.name', prefix === '' ? (operation ?? command) : prefix);
    span.put('db.collection.name', operation !== undefined && targets.length === 1 ? targets[0] : undefined);
    span.put('db.stored_procedure.name', procedure);
    span.put('db.query.summary', name);
    if (options.queryText !== 'off') {
      const shown = options.queryText === 'full' ? text : detail.parameterised ? normalised : sanitised;
      span.put('db.query.text', detail.cut ? `${shown}...` : shown);
    }
  }
  if (detail.rows >= 0) span.put('db.response.returned_rows', detail.rows);
  if (detail.errorCode === '') return;
  if (detail.errorCode !== NOT_RUN) span.put('db.response.status_code', detail.errorCode);
  span.errorType = detail.errorCode;
  if (detail.errorMessage !== '') {
    span.statusMessage =
      options.queryText === 'full' ? detail.errorMessage : withoutValues(detail.errorMessage);
  }
}

/** `error.type` of a statement that the server passed over because one before it had failed. */
export const NOT_RUN = 'pipeline_aborted';

/**
 * Messages quote what they complain about, names and values alike. A name stays where the word before says that it is one,
 * because a missing table is worth its name; everything else in quotes goes.
 */
export function withoutValues(message: string): string {
  return message
    .replace(QUOTED, (whole: string, word: string | undefined, quote: string, content: string) =>
      word !== undefined && NAME.test(content) ? whole : `${word ?? ''}${quote}?${quote}`,
    )
    .replace(/: (?:"[^"]*"|'[^']*'|-?\d[\d.]*)$/, ': ?');
}

const QUOTED =
  /(\b(?:table|column|relation|database|schema|key|constraint|index|user|role|function|procedure|view|sequence|type|command|variable|trigger|extension) )?(?<![A-Za-z0-9])(['"])((?:(?!\2)[^\\]|\\.|\2\2)*)(?:\2|$)/gi;
const NAME = /^[A-Za-z_][A-Za-z0-9_$]*(?:\.[A-Za-z_][A-Za-z0-9_$]*)*$/;
