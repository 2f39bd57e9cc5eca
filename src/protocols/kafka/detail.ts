/** Spans of Kafka: semantic conventions 1.44, messaging spans and those of Kafka. */
import type { WireExchange } from '../exchange.js';
import type { SpanSink } from '../span-sink.js';
import { API, apiOf } from './apis.js';
import { errorName } from './errors.js';
import type { KafkaTopic } from './facts.js';
import type { TopicIds } from './topic-ids.js';

export class KafkaDetail {
  readonly key: number;
  readonly version: number;
  readonly clientId: string;
  topics: readonly KafkaTopic[] = [];
  group = '';
  /** Records in the request (Produce) or response (Fetch); -1 when not known. */
  records = -1;
  /** Of the first batch; '' for none. */
  compression = '';
  tombstone = false;
  /** Of the first record that was appended; -1 when not known. */
  offset = -1;
  /** First error of the response; 0 for none. */
  error = 0;
  /** The fetch session that the request uses, and whether it only says what changes. */
  session = 0;
  incremental = false;

  constructor(key: number, version: number, clientId: string) {
    this.key = key;
    this.version = version;
    this.clientId = clientId;
  }
}

export const KAFKA_ATTRIBUTES = [
  'messaging.system',
  'messaging.operation.name',
  'messaging.operation.type',
  'messaging.destination.name',
  'messaging.destination.partition.id',
  'messaging.consumer.group.name',
  'messaging.client.id',
  'messaging.batch.message_count',
  'messaging.kafka.offset',
  'messaging.kafka.message.tombstone',
  'kindling.compression',
  'error.type',
] as const;

/** What the conventions call the operations that move messages. */
const OPERATIONS: Readonly<Record<number, readonly [name: string, type: string]>> = {
  [API.produce]: ['send', 'send'],
  [API.fetch]: ['poll', 'receive'],
  [API.shareFetch]: ['poll', 'receive'],
  [API.offsetCommit]: ['commit', 'settle'],
  [API.txnOffsetCommit]: ['commit', 'settle'],
  [API.shareAcknowledge]: ['acknowledge', 'settle'],
};

export function describeKafka({ detail }: WireExchange<KafkaDetail>, span: SpanSink, ids: TopicIds): void {
  const { key, topics, records } = detail;
  const [operation, type] = OPERATIONS[key] ?? [apiOf(key)?.name ?? `Api${key}`, undefined];
  const [topic] = topics;
  const destination = topics.length === 1 && topic !== undefined ? nameOf(topic, ids) : '';
  span.name = destination === '' ? operation : `${operation} ${destination}`;
  if (type === 'send' && span.side === 'client') span.kind = 'producer';
  span.put('messaging.system', 'kafka');
  span.put('messaging.operation.name', operation);
  span.put('messaging.operation.type', type);
  span.put('messaging.destination.name', destination);
  if (topics.length === 1 && topic !== undefined && topic.partition >= 0) {
    span.put('messaging.destination.partition.id', String(topic.partition));
  }
  span.put('messaging.consumer.group.name', detail.group);
  span.put('messaging.client.id', detail.clientId);
  if (type === 'send' || type === 'receive') {
    if (records >= 0) span.put('messaging.batch.message_count', records);
    if (records === 1 && detail.offset >= 0) span.put('messaging.kafka.offset', detail.offset);
    if (records === 1 && detail.tombstone) span.put('messaging.kafka.message.tombstone', true);
    span.put('kindling.compression', detail.compression);
  }
  span.network('kafka', undefined);
  if (detail.error !== 0) span.errorType = errorName(detail.error);
}

const nameOf = ({ name, id }: KafkaTopic, ids: TopicIds): string =>
  name !== '' ? name : (ids.get(id) ?? '');
