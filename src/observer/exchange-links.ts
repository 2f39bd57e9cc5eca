/**
 * Which span is an exchange's parent? From the context on the wire, and from what this host sees of the other end.
 *
 * - Server, context on the wire: the wire's span is the parent.
 * - Client, context on the wire: the SDK owns that id, it names the client span itself; the kernel's span takes it.
 * - Client that passes on a context which its own process received (a proxy that hands headers on): not the owner of
 *   that id. Its span is a new one, child of the process' server span.
 * - Both ends on this host: the server's parent is the client's span, found by address and stream position.
 */
import { writeHex } from '../otlp/ids.js';
import type { Connection } from './connection.js';
import {
  type ConnectionSeed,
  connectionSeed,
  createIdentity,
  PARENT_ID,
  SPAN_ID,
  streamPosition,
  TRACE_ID,
} from './span-identity.js';
import type { WireContext } from './types.js';

/** Inbound contexts remembered to recognize headers that are passed on. */
const MAX_INBOUND = 16_384;
/** Connections whose last exchange may still find its client. */
const MAX_ORPHANS = 4096;

/** A connection, as both of its ends name it. */
export interface ConnectionPlace {
  readonly key: string;
  readonly seed: ConnectionSeed;
}

export class ExchangeLinks {
  readonly #seed: string;
  readonly #clients = new Map<string, Connection>();
  /** By connection, the last server's exchange whose client's was not seen. Oldest first. */
  readonly #orphans = new Map<string, { readonly offset: number; readonly identity: Uint8Array }>();
  /** Wire span id, to the server spans that received it. Oldest first. */
  readonly #inbound = new Map<string, Inbound>();

  /** `seed`: the same for a live run and its replay, different on each machine and boot. */
  constructor(seed: string) {
    this.#seed = seed;
  }

  recognized(connection: Connection): void {
    const { localAddress, localPort, remoteAddress, remotePort } = connection.tuple;
    const local = `${localAddress} ${localPort}`;
    const remote = `${remoteAddress} ${remotePort}`;
    const isClient = connection.side === 'client';
    const client = isClient ? local : remote;
    const server = isClient ? remote : local;
    const key = `${client} ${server}`;
    connection.place = { key, seed: connectionSeed(this.#seed, client, server) };
    if (isClient) this.#clients.set(key, connection);
  }

  removed(connection: Connection): void {
    const key = connection.place?.key;
    if (key === undefined) return;
    if (this.#clients.get(key) === connection) this.#clients.delete(key);
    if (connection.side === 'server') this.#orphans.delete(key);
  }

  /** Whether the server's span `identity` may still find that its client is on this host. */
  awaitsClient({ place }: Connection, identity: Uint8Array): boolean {
    return place !== undefined && this.#orphans.get(place.key)?.identity === identity;
  }

  /** The identity of the span that the request `draft` becomes. */
  identify(connection: Connection, draft: LinkedRequest, role: 'client' | 'server'): Uint8Array {
    const place = connection.place!;
    const pushed = draft.pushed === true;
    const identity = createIdentity(place.seed, streamPosition(draft.requestOffset, pushed), role);
    const { context } = draft;
    if (context !== undefined) writeHex(context.traceId, identity, TRACE_ID.start);
    if (role === 'client') {
      if (context !== undefined) this.#placeClient(identity, context.spanId, draft.tgid, pushed);
      if (!pushed) this.#adopt(place.key, draft.requestOffset, identity);
      return identity;
    }
    // What a server pushes has no request of a client before it.
    const client = pushed ? undefined : this.#clients.get(place.key)?.requestAt(draft.requestOffset);
    if (client?.identity !== undefined && sameTrace(client.identity, identity)) {
      setParent(identity, client.identity);
    } else {
      if (context !== undefined) writeHex(context.spanId, identity, PARENT_ID.start);
      this.#orphan(place.key, draft.requestOffset, identity);
    }
    if (context !== undefined) this.#remember(context.spanId, draft.tgid, identity);
    return identity;
  }

  #placeClient(identity: Uint8Array, spanId: string, tgid: number, pushed: boolean): void {
    let inbound = this.#inbound.get(spanId);
    while (inbound !== undefined && inbound.tgid !== tgid) inbound = inbound.next;
    // A broker hands on what it was sent before, perhaps long ago: that id is the publisher's.
    if (inbound === undefined) writeHex(spanId, identity, pushed ? PARENT_ID.start : SPAN_ID.start);
    else setParent(identity, inbound.identity);
  }

  /** The other end may be on this host, and its record late: what TLS writes is told after the bytes have left. */
  #orphan(key: string, offset: number, identity: Uint8Array): void {
    const orphans = this.#orphans;
    orphans.set(key, { offset, identity });
    if (orphans.size <= MAX_ORPHANS) return;
    const oldest = orphans.keys().next().value;
    if (oldest !== undefined) orphans.delete(oldest);
  }

  #adopt(key: string, offset: number, identity: Uint8Array): void {
    const orphan = this.#orphans.get(key);
    if (orphan?.offset !== offset || !sameTrace(orphan.identity, identity)) return;
    setParent(orphan.identity, identity);
    this.#orphans.delete(key);
  }

  #remember(spanId: string, tgid: number, identity: Uint8Array): void {
    const known = this.#inbound.get(spanId);
    if (known?.tgid === tgid) {
      known.identity = identity;
      return;
    }
    if (known === undefined && this.#inbound.size >= MAX_INBOUND) {
      const oldest = this.#inbound.keys().next().value;
      if (oldest !== undefined) this.#inbound.delete(oldest);
    }
    // A context that is handed from process to process is received by each; more than two are not worth a list.
    this.#inbound.set(spanId, { tgid, identity, next: known && { ...known, next: undefined } });
  }
}

/** What is needed of a request. */
export interface LinkedRequest {
  readonly context: WireContext | undefined;
  readonly requestOffset: number;
  /** `WireExchange.pushed` */
  readonly pushed?: boolean;
  readonly tgid: number;
}

interface Inbound {
  readonly tgid: number;
  identity: Uint8Array;
  readonly next: Inbound | undefined;
}

function setParent(identity: Uint8Array, parent: Uint8Array): void {
  for (let i = 0; i < 8; i++) identity[PARENT_ID.start + i] = parent[SPAN_ID.start + i]!;
}

function sameTrace(a: Uint8Array, b: Uint8Array): boolean {
  for (let i = TRACE_ID.start; i < TRACE_ID.end; i++) if (a[i] !== b[i]) return false;
  return true;
}
