/**
 * What spans of all messaging systems have in common: semantic conventions 1.44, messaging spans
 * (https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/, development).
 */
import type { SpanKindName, SpanSink } from '../span-sink.js';
import type { Destinations } from './destinations.js';

/** `control`: creates, changes or asks for something beside messages; the conventions have no type for it. */
export type MessagingOperation = 'send' | 'receive' | 'process' | 'settle' | 'control';

export interface MessagingFacts {
  readonly system: string;
  /** As people who know the system call it: `publish`, `queue.declare`. */
  readonly operation: string;
  readonly type: MessagingOperation;
  readonly destination: string;
  /** A destination that lives as long as its connection: a reply inbox, a queue that the server named. */
  readonly temporary?: boolean;
  /** What the destination is an instance of, where that is known; '' or absent: found out by its looks. */
  readonly template?: string;
}

export const MESSAGING_ATTRIBUTES = [
  'messaging.system',
  'messaging.operation.name',
  'messaging.operation.type',
  'messaging.destination.name',
  'messaging.destination.template',
  'messaging.destination.temporary',
] as const;

/** What the client's end does; the other end is the broker, which serves, whatever it is asked. */
const CLIENT_KINDS: Readonly<Record<MessagingOperation, SpanKindName>> = {
  send: 'producer',
  receive: 'client',
  process: 'consumer',
  settle: 'client',
  control: 'client',
};

/** Puts name, kind and the attributes in `MESSAGING_ATTRIBUTES`. `names` makes the destination fit for a name. */
export function describeMessaging(span: SpanSink, facts: MessagingFacts, names: Destinations): void {
  const { operation, type, destination, temporary } = facts;
  const template =
    temporary === true ? '' : facts.template ? names.admit(facts.template) : names.of(destination);
  span.name =
    temporary === true
      ? `${operation} (temporary)`
      : template === ''
        ? operation
        : `${operation} ${template}`;
  span.kind = span.side === 'client' ? CLIENT_KINDS[type] : 'server';
  span.put('messaging.system', facts.system);
  span.put('messaging.operation.name', operation);
  span.put('messaging.operation.type', type === 'control' ? undefined : type);
  span.put('messaging.destination.name', destination);
  if (template !== destination) span.put('messaging.destination.template', template);
  if (temporary === true) span.put('messaging.destination.temporary', true);
}
