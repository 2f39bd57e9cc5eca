/** Spans of AMQP 0-9-1: semantic conventions 1.44, RabbitMQ. */
import type { WireExchange } from '../exchange.js';
import { describeMessaging, MESSAGING_ATTRIBUTES, type MessagingOperation } from '../messaging/describe.js';
import { Destinations } from '../messaging/destinations.js';
import type { SpanSink } from '../span-sink.js';

export class AmqpDetail {
  /** `publish`, `deliver`, `get`, `ack`, or the method with its class: `queue.declare`. */
  readonly operation: string;
  readonly type: MessagingOperation;
  exchange = '';
  routingKey = '';
  queue = '';
  /** -1: there is no message, or its size was not seen. */
  bodyBytes = -1;
  messageId = '';
  correlationId = '';
  deliveryTag = 0;
  /** A reply code of AMQP, `nack`, `reject`; '' on success. */
  errorCode = '';
  errorText = '';
  /** Method that answers it; 0: none does. */
  readonly method: number;
  /** It asks for an exchange of a return when no queue takes it. */
  mandatory = false;
  /** Of basic.consume: the consumer acknowledges nothing. */
  noAck = false;
  consumerTag = '';

  constructor(operation: string, type: MessagingOperation, method = 0) {
    this.operation = operation;
    this.type = type;
    this.method = method;
  }
}

export const AMQP_ATTRIBUTES = [
  ...MESSAGING_ATTRIBUTES,
  'messaging.rabbitmq.destination.routing_key',
  'messaging.rabbitmq.message.delivery_tag',
  'messaging.message.id',
  'messaging.message.conversation_id',
  'messaging.message.body.size',
  'error.type',
] as const;

/** One for the thread: names are nothing of any connection. */
const names = new Destinations('.');
/** Queues that the server names, and RabbitMQ's pseudo queue for replies. */
const TEMPORARY = /^amq\.(?:gen-|rabbitmq\.reply-to)/;

export function describeAmqp({ detail }: WireExchange<AmqpDetail>, span: SpanSink): void {
  const { operation, type, routingKey, queue, errorCode } = detail;
  const place = destinationOf(detail);
  const temporary = TEMPORARY.test(queue === '' ? routingKey : queue);
  const parts = { system: 'rabbitmq', operation, type, destination: place };
  describeMessaging(span, temporary ? { ...parts, temporary } : parts, names);
  if (type !== 'control') {
    span.put('messaging.rabbitmq.destination.routing_key', routingKey);
    span.put(
      'messaging.rabbitmq.message.delivery_tag',
      detail.deliveryTag > 0 ? detail.deliveryTag : undefined,
    );
    span.put('messaging.message.id', detail.messageId);
    span.put('messaging.message.conversation_id', detail.correlationId);
    span.put('messaging.message.body.size', detail.bodyBytes >= 0 ? detail.bodyBytes : undefined);
  }
  if (errorCode === '') return;
  span.errorType = errorCode;
  span.statusMessage = detail.errorText === '' ? undefined : detail.errorText;
}

/** Exchange, routing key and queue with colons, without what is empty or said twice; `amq.default` when all are. */
function destinationOf({ type, exchange, routingKey, queue }: AmqpDetail): string {
  const key = routingKey === queue ? '' : routingKey;
  const place = [exchange, key, queue].filter((part) => part !== '').join(':');
  return place === '' && type !== 'control' ? 'amq.default' : place;
}
