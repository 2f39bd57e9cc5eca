/** Spans of MQTT: semantic conventions 1.44, messaging spans (there are none of its own). */
import type { WireExchange } from '../exchange.js';
import { describeMessaging, MESSAGING_ATTRIBUTES, type MessagingOperation } from '../messaging/describe.js';
import { Destinations } from '../messaging/destinations.js';
import type { SpanSink } from '../span-sink.js';

export class MqttDetail {
  /** `publish`, `deliver`, `subscribe`, `unsubscribe`, `connect`, `disconnect` */
  readonly operation: string;
  readonly type: MessagingOperation;
  /** Topic, or the first filter. */
  readonly topic: string;
  readonly clientId: string;
  /** '3.1', '3.1.1', '5'; undefined when the CONNECT was not seen. */
  readonly version: string | undefined;
  /** Type of the packet that ends it. */
  readonly answer: number;
  /** -1: there is none. */
  bodyBytes = -1;
  errorCode = '';
  errorText = '';

  constructor(
    operation: string,
    type: MessagingOperation,
    topic: string,
    answer: number,
    clientId: string,
    version: string | undefined,
  ) {
    this.operation = operation;
    this.type = type;
    this.topic = topic;
    this.answer = answer;
    this.clientId = clientId;
    this.version = version;
  }
}

export const MQTT_ATTRIBUTES = [
  ...MESSAGING_ATTRIBUTES,
  'messaging.client.id',
  'messaging.message.body.size',
  'network.protocol.version',
  'error.type',
] as const;

/** One for the thread: topics are nothing of any connection. */
const names = new Destinations('/');

export function describeMqtt({ detail }: WireExchange<MqttDetail>, span: SpanSink): void {
  const { operation, type, topic } = detail;
  describeMessaging(span, { system: 'mqtt', operation, type, destination: topic }, names);
  span.put('messaging.client.id', detail.clientId);
  span.put('messaging.message.body.size', detail.bodyBytes >= 0 ? detail.bodyBytes : undefined);
  span.network('mqtt', detail.version);
  if (detail.errorCode === '') return;
  span.errorType = detail.errorCode;
  span.statusMessage = detail.errorText === '' ? undefined : detail.errorText;
}
