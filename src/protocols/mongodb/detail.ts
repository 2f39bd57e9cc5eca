/** Spans of MongoDB: semantic conventions 1.44, MongoDB client spans. */
import type { WireExchange } from '../exchange.js';
import type { ProtocolOptions } from '../options.js';
import type { SpanSink } from '../span-sink.js';
import { withoutValues } from '../sql/describe.js';
import { SECRET } from './command.js';
import { queryText } from './query-text.js';

export class MongoDetail {
  /** `find`; '' when it could not be read. */
  readonly command: string;
  readonly collection: string;
  readonly database: string;
  /** Operations in a bulk write; 0 for none. */
  batch = 0;
  /** The command's document as far as it was captured. */
  document: Buffer | undefined;
  compression = '';
  /** Its cursor waits for what is to come. */
  opensWaiting = false;
  /** 0 on success; -1 for an error without a code. */
  errorCode = 0;
  errorMessage = '';
  rows = -1;

  constructor(command: string, collection: string, database: string) {
    this.command = command;
    this.collection = collection;
    this.database = database;
  }
}

export const MONGODB_ATTRIBUTES = [
  'db.system.name',
  'db.namespace',
  'db.operation.name',
  'db.collection.name',
  'db.operation.batch.size',
  'db.query.summary',
  'db.query.text',
  'db.response.status_code',
  'db.response.returned_rows',
  'kindling.compression',
  'error.type',
] as const;

export function describeMongo(
  { detail }: WireExchange<MongoDetail>,
  span: SpanSink,
  options: ProtocolOptions,
): void {
  const { command, collection, database, document } = detail;
  const summary = collection === '' ? command : `${command} ${collection}`;
  span.name = command !== '' && collection === '' && database !== '' ? `${command} ${database}` : summary;
  span.put('db.system.name', 'mongodb');
  span.put('db.namespace', database);
  span.put('db.operation.name', command);
  span.put('db.collection.name', collection);
  if (detail.batch > 1) span.put('db.operation.batch.size', detail.batch);
  span.put('db.query.summary', summary);
  if (document !== undefined && options.queryText !== 'off' && !SECRET.has(command)) {
    span.put('db.query.text', queryText(document, options.queryText === 'full'));
  }
  if (detail.rows >= 0) span.put('db.response.returned_rows', detail.rows);
  span.put('kindling.compression', detail.compression);
  if (detail.errorCode === 0) return;
  const code = detail.errorCode < 0 ? '_OTHER' : String(detail.errorCode);
  if (detail.errorCode > 0) span.put('db.response.status_code', code);
  span.errorType = code;
  if (detail.errorMessage !== '') {
    span.statusMessage =
      options.queryText === 'full' ? detail.errorMessage : shownMessage(detail.errorMessage);
  }
}

/** `E11000 duplicate key error collection: shop.orders index: a_1 dup key: { a: 17 }` */
const shownMessage = (message: string): string =>
  withoutValues(message.slice(0, 512).replace(/\{.*/s, '{...}'));
