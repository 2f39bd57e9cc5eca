/** Spans of NATS: semantic conventions 1.44, messaging spans (there are none of its own). */
import type { WireExchange } from '../exchange.js';
import { describeMessaging, MESSAGING_ATTRIBUTES, type MessagingOperation } from '../messaging/describe.js';
import type { SpanSink } from '../span-sink.js';
import { isInbox, knownTemplate, subjectNames } from './subjects.js';

export class NatsDetail {
  /** `publish`, `request`, `deliver`, `fetch`, `ack`, `connect`, `error` */
  readonly operation: string;
  readonly type: MessagingOperation;
  /** Of a fetch and an acknowledgement: the stream. */
  readonly subject: string;
  /** The subject that was subscribed to, where a message came by it. */
  subscribed = '';
  /** Queue group, or consumer of a stream. */
  group = '';
  /** Of the payload, without headers; -1: there is none. */
  bodyBytes = -1;
  errorCode = '';
  errorText = '';

  constructor(operation: string, type: MessagingOperation, subject: string) {
    this.operation = operation;
    this.type = type;
    this.subject = subject;
  }
}

export const NATS_ATTRIBUTES = [
  ...MESSAGING_ATTRIBUTES,
  'messaging.consumer.group.name',
  'messaging.message.body.size',
  'error.type',
] as const;

export function describeNats({ detail }: WireExchange<NatsDetail>, span: SpanSink): void {
  const { operation, type, subject, group } = detail;
  const facts = { system: 'nats', operation, type, destination: subject };
  const temporary = isInbox(subject);
  describeMessaging(
    span,
    temporary ? { ...facts, temporary } : { ...facts, template: knownTemplate(subject, detail.subscribed) },
    subjectNames,
  );
  span.put('messaging.consumer.group.name', group);
  span.put('messaging.message.body.size', detail.bodyBytes >= 0 ? detail.bodyBytes : undefined);
  if (detail.errorCode === '') return;
  span.errorType = detail.errorCode;
  span.statusMessage = detail.errorText === '' ? undefined : detail.errorText;
}
