/** Spans of RocketMQ: semantic conventions 1.44, RocketMQ. */
import type { WireExchange } from '../exchange.js';
import { describeMessaging, MESSAGING_ATTRIBUTES, type MessagingOperation } from '../messaging/describe.js';
import { Destinations } from '../messaging/destinations.js';
import type { SpanSink } from '../span-sink.js';

export interface RocketMqDetail {
  readonly operation: string;
  readonly type: MessagingOperation;
  /** Without its namespace. */
  readonly topic: string;
  readonly namespace: string;
  /** Of a consumer; '' for producers. */
  readonly group: string;
  readonly queue: string;
  /** Of the message that is sent; -1: there is none, or there are many. */
  readonly bodyBytes: number;
  readonly message: MessageFacts | undefined;
  /** Response code by name; '' on success. */
  errorCode: string;
  errorText: string;
}

/** What the properties of a message say. */
export interface MessageFacts {
  readonly id: string;
  readonly tag: string;
  readonly keys: string;
  readonly shardingKey: string;
  readonly delayLevel: string;
  readonly deliveryTime: string;
  readonly transaction: boolean;
}

export const ROCKETMQ_ATTRIBUTES = [
  ...MESSAGING_ATTRIBUTES,
  'messaging.destination.partition.id',
  'messaging.consumer.group.name',
  'messaging.rocketmq.namespace',
  'messaging.rocketmq.message.type',
  'messaging.rocketmq.message.tag',
  'messaging.rocketmq.message.keys',
  'messaging.rocketmq.message.group',
  'messaging.rocketmq.message.delay_time_level',
  'messaging.rocketmq.message.delivery_timestamp',
  'messaging.message.id',
  'messaging.message.body.size',
  'error.type',
] as const;

/** One for the thread: topics are nothing of any connection. `%RETRY%group` is a topic of its own. */
const names = new Destinations('/');

export function describeRocketMq({ detail }: WireExchange<RocketMqDetail>, span: SpanSink): void {
  const { operation, type, topic, message } = detail;
  describeMessaging(span, { system: 'rocketmq', operation, type, destination: topic }, names);
  span.put('messaging.destination.partition.id', detail.queue);
  span.put('messaging.consumer.group.name', detail.group);
  span.put('messaging.rocketmq.namespace', detail.namespace);
  span.put('messaging.message.body.size', detail.bodyBytes >= 0 ? detail.bodyBytes : undefined);
  if (message !== undefined) describeMessage(message, span);
  if (detail.errorCode === '') return;
  span.errorType = detail.errorCode;
  span.statusMessage = detail.errorText === '' ? undefined : detail.errorText;
}

function describeMessage(message: MessageFacts, span: SpanSink): void {
  const { shardingKey, delayLevel, deliveryTime, transaction, keys } = message;
  const delayed = delayLevel !== '' || deliveryTime !== '';
  const type = transaction ? 'transaction' : delayed ? 'delay' : shardingKey !== '' ? 'fifo' : 'normal';
  span.put('messaging.rocketmq.message.type', type);
  span.put('messaging.rocketmq.message.tag', message.tag);
  span.put('messaging.rocketmq.message.keys', keys === '' ? undefined : keys.split(' '));
  span.put('messaging.rocketmq.message.group', shardingKey);
  span.put('messaging.rocketmq.message.delay_time_level', numberOf(delayLevel));
  span.put('messaging.rocketmq.message.delivery_timestamp', numberOf(deliveryTime));
  span.put('messaging.message.id', message.id);
}

const numberOf = (text: string): number | undefined => (/^\d{1,15}$/.test(text) ? Number(text) : undefined);
