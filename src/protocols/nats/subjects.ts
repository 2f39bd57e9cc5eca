/** Subjects of NATS as names of low cardinality, and what JetStream's own subjects say. */
import { Destinations, withoutIds } from '../messaging/destinations.js';

/** One for the thread: subjects are nothing of any connection. */
export const subjectNames = new Destinations('.');

/**
 * Calls of JetStream (https://docs.nats.io/reference/reference-protocols/nats_api_reference): names of streams and
 * consumers follow, and a domain may stand before `API`.
 */
const API =
  /^\$JS\.(?:[^.]+\.)?API\.(INFO|ACCOUNT\.[A-Z.]+|STREAM\.(?:CREATE|UPDATE|NAMES|LIST|INFO|DELETE|PURGE|SNAPSHOT|RESTORE|MSG\.(?:GET|DELETE)|PEER\.REMOVE|LEADER\.STEPDOWN)|CONSUMER\.(?:DURABLE\.CREATE|CREATE|NAMES|LIST|INFO|DELETE|PAUSE|LEADER\.STEPDOWN)|DIRECT\.GET)(?:\.|$)/;
const NEXT = /^\$JS\.(?:[^.]+\.)?API\.CONSUMER\.MSG\.NEXT\.([^.]+)\.([^.]+)$/;
/** Stream and consumer; since 2.9 with domain and account before them, which makes eleven parts and more. */
const ACK = /^\$JS\.ACK\.(?:[^.]+\.[^.]+\.(?=(?:[^.]+\.){7}[^.]+))?([^.]+)\.([^.]+)\./;
const CREATE = /^\$JS\.(?:[^.]+\.)?API\.CONSUMER\.(?:DURABLE\.)?CREATE\.([^.]+)/;
/** Keys of a bucket, chunks and names of an object store. */
const BUCKET = /^(\$(?:KV|O)\.[^.]+)\.(.+)$/;

/** The call that a subject of JetStream's API is, '' for others. */
export function apiTemplate(subject: string): string {
  if (!subject.startsWith('$JS.')) return '';
  const call = API.exec(subject)?.[1];
  return call === undefined ? '' : `$JS.API.${call}`;
}

export interface StreamPlace {
  readonly stream: string;
  readonly consumer: string;
}

/** Asks for the next messages of a consumer. */
export const nextOf = (subject: string): StreamPlace | undefined => placeOf(NEXT, subject);
/** The stream of which a call makes a consumer, '' for other subjects. */
export const consumerStream = (subject: string): string => CREATE.exec(subject)?.[1] ?? '';
/** Acknowledges a message of a consumer. */
export const ackOf = (subject: string): StreamPlace | undefined => placeOf(ACK, subject);

function placeOf(pattern: RegExp, subject: string): StreamPlace | undefined {
  if (!subject.startsWith('$JS.')) return undefined;
  const found = pattern.exec(subject);
  return found === null ? undefined : { stream: found[1]!, consumer: found[2]! };
}

export const isInbox = (subject: string): boolean =>
  subject.startsWith('_INBOX.') || subject.startsWith('_R_.');

/** What is known to be a pattern; '' when `Destinations` has to find out. */
export function knownTemplate(subject: string, subscribed: string): string {
  if (subscribed !== subject && (subscribed.includes('*') || subscribed.endsWith('>')))
    return withoutIds(subscribed, '.');
  const api = apiTemplate(subject);
  if (api !== '') return api;
  const bucket = subject.startsWith('$') ? BUCKET.exec(subject)?.[1] : undefined;
  return bucket === undefined ? '' : `${bucket}.{key}`;
}

/** Subscriptions of one connection that are remembered; answers to later ones are not paired. */
const MAX_SUBSCRIPTIONS = 4096;

export interface Subscription {
  readonly subject: string;
  readonly queue: string;
}

export class Subscriptions {
  readonly #bySid = new Map<string, Subscription>();
  readonly #subjects = new Map<string, number>();

  add(sid: string, subscription: Subscription): void {
    if (this.#bySid.size >= MAX_SUBSCRIPTIONS) return;
    this.remove(sid);
    this.#bySid.set(sid, subscription);
    this.#subjects.set(subscription.subject, (this.#subjects.get(subscription.subject) ?? 0) + 1);
  }

  remove(sid: string): void {
    const known = this.#bySid.get(sid);
    if (known === undefined) return;
    this.#bySid.delete(sid);
    const left = this.#subjects.get(known.subject)! - 1;
    if (left === 0) this.#subjects.delete(known.subject);
    else this.#subjects.set(known.subject, left);
  }

  get(sid: string): Subscription | undefined {
    return this.#bySid.get(sid);
  }

  /** Will messages to `subject` come to this connection? Knows a wildcard in its last part. */
  covers(subject: string): boolean {
    if (this.#subjects.has(subject)) return true;
    for (let dot = subject.lastIndexOf('.'), last = true; dot > 0; dot = subject.lastIndexOf('.', dot - 1)) {
      const before = subject.slice(0, dot);
      if (this.#subjects.has(`${before}.>`) || (last && this.#subjects.has(`${before}.*`))) return true;
      last = false;
    }
    return false;
  }
}
