/** Spans of Cassandra: semantic conventions 1.44, Cassandra client spans. */
import type { WireExchange } from '../exchange.js';
import type { ProtocolOptions } from '../options.js';
import type { SpanSink } from '../span-sink.js';
import { describeSql, SQL_ATTRIBUTES, SqlDetail } from '../sql/describe.js';
import type { SqlStatements } from '../sql/statement.js';

export class CqlDetail extends SqlDetail {
  opcode = 0;
  /** [consistency]; -1 when not known. */
  consistency = -1;
  pageSize = 0;
  /** Values travel beside the text of a query. */
  bound = false;
  /** Statements of a batch. */
  batch = 0;
  compression = '';
}

export const CASSANDRA_ATTRIBUTES = [
  ...SQL_ATTRIBUTES,
  'db.operation.batch.size',
  'cassandra.consistency.level',
  'cassandra.page.size',
  'kindling.compression',
] as const;

const CONSISTENCY = [
  'any',
  'one',
  'two',
  'three',
  'quorum',
  'all',
  'local_quorum',
  'each_quorum',
  'serial',
  'local_serial',
  'local_one',
];

export function describeCassandra(
  exchange: WireExchange<CqlDetail>,
  span: SpanSink,
  options: ProtocolOptions,
  statements: SqlStatements,
): void {
  const { detail } = exchange;
  describeSql(exchange, span, options, 'cassandra', statements);
  if (detail.batch > 0 && detail.text === undefined) span.name = 'BATCH';
  if (detail.batch > 1) span.put('db.operation.batch.size', detail.batch);
  span.put('cassandra.consistency.level', CONSISTENCY[detail.consistency]);
  if (detail.pageSize > 0) span.put('cassandra.page.size', detail.pageSize);
  span.put('kindling.compression', detail.compression);
}

/** As the specification writes them: `0x2200`. */
export const errorCode = (code: number): string => `0x${code.toString(16).toUpperCase().padStart(4, '0')}`;
