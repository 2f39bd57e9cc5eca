/**
 * What the join remembers of connections and of requests that are not finished: enough to tell whose work a thread does
 * between two socket operations. Bounded; the oldest entries go first.
 */
import type { Exchange, MonoNs, NetDataRecord, NetOpenRecord, SocketTuple } from './types.js';

export interface JoinConnection {
  /** The process at the near end, and its key in the index of owners. */
  tgid: number;
  readonly ownerKey: string;
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
  /** Connections by their near end and the far port. */
  readonly #byNearEnd = new Map<string, JoinConnection>();
  /** Requests being read or worked on, by the cookie of their server-side socket. */
  readonly #pending = new Map<number, Pending>();

  get(cookie: number): JoinConnection | undefined {
    return this.#byCookie.get(cookie);
  }

  /** The process that was seen to use the near end of a connection; quicker than /proc, and still right after its end. */
  ownerOf(address: string, port: number, remotePort: number): number | undefined {
    const tgid = this.#byNearEnd.get(nearEnd(address, port, remotePort))?.tgid;
    return tgid === 0 ? undefined : tgid;
  }

  opened(record: NetOpenRecord): void {
    const connection = this.#touch(record.socketCookie, record.tuple);
    if (record.tgid !== 0) connection.tgid = record.tgid;
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
      connection = this.#touch(socketCookie, record.tuple);
    }
    connection.tgid = record.tgid;
    setRole(connection, record.role);
    if (connection.role === 'client') return;
    if (record.egress) this.#pending.delete(socketCookie);
    else if (!this.#pending.has(socketCookie)) {
      if (this.#pending.size >= MAX_PENDING) deleteOldest(this.#pending);
      this.#pending.set(socketCookie, { tgid: record.tgid, tid: record.tid, since: record.time });
    }
  }

  /** A finished exchange tells the role of a connection that was there before the agent. */
  learn({ socketCookie, role, tuple }: Exchange): void {
    this.#touch(socketCookie, tuple).role = role;
    this.#pending.delete(socketCookie);
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

  #touch(cookie: number, tuple: SocketTuple): JoinConnection {
    let connection = this.#byCookie.get(cookie);
    if (connection === undefined) {
      if (this.#byCookie.size >= MAX_CONNECTIONS) this.#forgetOldest();
      const ownerKey = nearEnd(tuple.localAddress, tuple.localPort, tuple.remotePort);
      connection = {
        tgid: 0,
        ownerKey,
        role: 'unknown',
        peer: { address: tuple.remoteAddress, port: tuple.remotePort },
        connectTid: 0,
        connectStart: 0,
        connectEnd: 0,
      };
      this.#byCookie.set(cookie, connection);
      this.#byNearEnd.set(ownerKey, connection);
    }
    return connection;
  }

  #forgetOldest(): void {
    for (const [cookie, connection] of this.#byCookie) {
      this.#byCookie.delete(cookie);
      if (this.#byNearEnd.get(connection.ownerKey) === connection)
        this.#byNearEnd.delete(connection.ownerKey);
      return;
    }
  }
}

const nearEnd = (address: string, port: number, remotePort: number): string =>
  `${address}|${port}|${remotePort}`;

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
