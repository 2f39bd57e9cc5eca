/**
 * What the join remembers of connections and of requests that are not finished: enough to tell whose work a thread does
 * between two socket operations. Bounded; the oldest entries go first.
 */
import type { MonoNs, NetDataRecord, NetOpenRecord } from './types.js';

export interface JoinConnection {
  role: 'unknown' | 'client' | 'server';
  readonly peer: { readonly address: string; readonly port: number };
  /** Client: the thread that connected, and when connecting began and ended; 0 when not seen. */
  connectTid: number;
  connectStart: MonoNs;
  connectEnd: MonoNs;
}

const ROLE_CLIENT = 1;
const ROLE_SERVER = 2;
const MAX_CONNECTIONS = 65_536;
const MAX_PENDING = 65_536;

interface Pending {
  readonly tgid: number;
  readonly tid: number;
  readonly since: MonoNs;
}

export class JoinConnections {
  readonly #byCookie = new Map<number, JoinConnection>();
  /** Requests being read or worked on, by the cookie of their server-side socket. */
  readonly #pending = new Map<number, Pending>();

  get(cookie: number): JoinConnection | undefined {
    return this.#byCookie.get(cookie);
  }

  opened(record: NetOpenRecord): void {
    const connection = this.#touch(record.socketCookie, record.tuple.remoteAddress, record.tuple.remotePort);
    setRole(connection, record.role);
    if (record.connectStart > 0) {
      connection.connectTid = record.tid;
      connection.connectStart = record.connectStart;
      connection.connectEnd = record.time;
    }
  }

  operation(record: NetDataRecord): void {
    const { socketCookie } = record;
    let connection = this.#byCookie.get(socketCookie);
    if (connection === undefined) {
      connection = this.#touch(socketCookie, record.tuple.remoteAddress, record.tuple.remotePort);
    }
    setRole(connection, record.role);
    if (connection.role === 'client') return;
    if (record.egress) this.#pending.delete(socketCookie);
    else if (!this.#pending.has(socketCookie)) {
      if (this.#pending.size >= MAX_PENDING) deleteOldest(this.#pending);
      this.#pending.set(socketCookie, { tgid: record.tgid, tid: record.tid, since: record.time });
    }
  }

  /** A finished exchange tells the role of a connection that was there before the agent. */
  learn(cookie: number, role: 'client' | 'server', address: string, port: number): void {
    this.#touch(cookie, address, port).role = role;
    this.#pending.delete(cookie);
  }

  /** The connection itself is remembered: spans about it come later. */
  closed(cookie: number): void {
    this.#pending.delete(cookie);
  }

  /** Whether a request on another socket than `except` was being worked on by the thread at `until`. */
  hasPending(tgid: number, tid: number, until: MonoNs, except: number): boolean {
    for (const [cookie, pending] of this.#pending) {
      if (pending.tid === tid && pending.tgid === tgid && cookie !== except && pending.since <= until)
        return true;
    }
    return false;
  }

  #touch(cookie: number, address: string, port: number): JoinConnection {
    let connection = this.#byCookie.get(cookie);
    if (connection === undefined) {
      if (this.#byCookie.size >= MAX_CONNECTIONS) deleteOldest(this.#byCookie);
      connection = {
        role: 'unknown',
        peer: { address, port },
        connectTid: 0,
        connectStart: 0,
        connectEnd: 0,
      };
      this.#byCookie.set(cookie, connection);
    }
    return connection;
  }
}

function setRole(connection: JoinConnection, role: number): void {
  if (role === ROLE_CLIENT) connection.role = 'client';
  else if (role === ROLE_SERVER) connection.role = 'server';
}

function deleteOldest(map: Map<number, unknown>): void {
  for (const key of map.keys()) {
    map.delete(key);
    return;
  }
}
