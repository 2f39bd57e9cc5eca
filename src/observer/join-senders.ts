/** Which local processes send us spans: found by the connection of a batch, remembered by process. */
import type { Origin } from '../component/signal.js';
import type { JoinConnections } from './join-connections.js';
import type { MonoNs, ProcessTable, SocketTuple } from './types.js';

interface KnownConnection {
  readonly tgid: number | undefined;
  readonly until: MonoNs;
}

/** Looking up a socket's owner reads /proc; a connection keeps its owner, a port may get another one. */
const REMEMBER_NS = 10_000_000_000;
const MAX_CONNECTIONS = 4_096;
const MAX_PROCESSES = 65_536;
/** Listeners of this agent; a configuration has a handful. */
const MAX_LISTENERS = 64;
/** An SDK sends its first batch within this time after the process' first request. */
const YOUNG_NS = 10_000_000_000;

export class JoinSenders {
  readonly #processes: ProcessTable;
  readonly #seen: JoinConnections;
  readonly #connections = new Map<string, KnownConnection>();
  readonly #delivering = new Set<number>();
  /** Our own ends of the connections that spans came over, "address|port". */
  readonly #listeners = new Set<string>();
  readonly #firstExchange = new Map<number, MonoNs>();

  constructor(processes: ProcessTable, seen: JoinConnections) {
    this.#processes = processes;
    this.#seen = seen;
  }

  /** The local process at the other end, or undefined when it is on another host or gone. */
  senderOf(connection: NonNullable<Origin['connection']>, now: MonoNs): number | undefined {
    const tuple = reversed(connection);
    if (this.#listeners.size < MAX_LISTENERS)
      this.#listeners.add(`${tuple.remoteAddress}|${tuple.remotePort}`);
    const seen = this.#seen.ownerOf(tuple.localAddress, tuple.localPort, tuple.remotePort);
    if (seen !== undefined) return seen;
    const key = `${connection.remoteAddress}|${connection.remotePort}`;
    const known = this.#connections.get(key);
    if (known !== undefined && now < known.until) return known.tgid;
    const tgid = this.#processes.socketOwner(tuple);
    if (this.#connections.size >= MAX_CONNECTIONS) this.#connections.clear();
    this.#connections.set(key, { tgid, until: now + REMEMBER_NS });
    return tgid;
  }

  /** Whether the remote end of a client's socket is this agent: telemetry on its way, nobody's request. */
  isAgent({ remoteAddress, remotePort }: SocketTuple): boolean {
    return this.#listeners.has(`${remoteAddress}|${remotePort}`);
  }

  /** The process has an SDK that delivers to us: its exchanges wait for its spans. */
  delivers(tgid: number): void {
    if (this.#delivering.size < MAX_PROCESSES) this.#delivering.add(tgid);
  }

  /** Whether an exchange of the process is to wait for a span of an SDK. */
  mayDeliver(tgid: number, now: MonoNs): boolean {
    if (this.#delivering.has(tgid)) return true;
    const first = this.#firstExchange.get(tgid);
    if (first !== undefined) return now - first < YOUNG_NS;
    if (this.#firstExchange.size >= MAX_PROCESSES) this.#firstExchange.clear();
    this.#firstExchange.set(tgid, now);
    return true;
  }

  /** The process ended or runs another program; its id may come back as somebody else. */
  forget(tgid: number): void {
    this.#delivering.delete(tgid);
    this.#firstExchange.delete(tgid);
    for (const [key, known] of this.#connections) if (known.tgid === tgid) this.#connections.delete(key);
  }
}

function reversed(connection: NonNullable<Origin['connection']>): SocketTuple {
  const { remoteAddress, remotePort, localAddress, localPort } = connection;
  const plain = (address: string): string => address.replace(/^::ffff:(?=\d+\.)/, '');
  return {
    family: plain(remoteAddress).includes(':') ? 'inet6' : 'inet',
    localAddress: plain(remoteAddress),
    localPort: remotePort,
    remoteAddress: plain(localAddress),
    remotePort: localPort,
  };
}
