/**
 * Connections as the kernel opens and closes them: how long it took, how they ended, what they carried. A server's peers are
 * anybody, so its side is told by its port alone; a client's by the server.
 */
import type { AttributesInput } from '../../otlp/attribute-writer.js';
import { connectionErrorType } from '../../protocols/connection-error.js';
import { LruMap } from '../process/lru-map.js';
import type { MonoNs, NetCloseRecord, NetOpenRecord, SocketTuple } from '../types.js';
import type { FormerNames } from './former-names.js';
import type { ServiceGroup } from './service-groups.js';
import {
  CONNECT_DURATION,
  CONNECT_FAILURES,
  CONNECTIONS_CLOSED,
  CONNECTIONS_OPEN,
  CONNECTIONS_OPENED,
  TCP_IO,
} from './tcp-definitions.js';

type Side = 'client' | 'server';
type GroupOf = (tgid: number) => ServiceGroup;

/** What the kernel may say of a connection that never was. */
type CloseRecord = NetCloseRecord & {
  /** It was closed while it was still being established. */
  readonly unconnected?: boolean;
  readonly connectStart?: MonoNs;
};

interface Open {
  readonly tgid: number;
  readonly side: Side;
}

const NS_PER_S = 1e9;
const EPIPE = 32;
const ECONNRESET = 104;

/** Value of `error.type` for the errno that ended a connection. */
const errnoType = (errno: number): string =>
  connectionErrorType(errno) ?? (errno === ECONNRESET || errno === EPIPE ? 'reset' : `errno_${errno}`);

export class TcpMetrics {
  readonly #groupOf: GroupOf;
  readonly #former: FormerNames | undefined;
  readonly #open: LruMap<number, Open>;
  /** Open connections of each process that has or had some since the last collection. */
  readonly #counts = new Map<number, Record<Side, number>>();

  /** `maxConnections`: remembered at most; the least recently opened are taken for closed. */
  constructor(maxConnections: number, groupOf: GroupOf, former?: FormerNames) {
    this.#groupOf = groupOf;
    this.#former = former;
    this.#open = new LruMap(maxConnections);
  }

  opened(record: NetOpenRecord): void {
    const { socketCookie, tgid, tuple, role, time, connectStart } = record;
    if (tuple.family === 'unix' || role === 0) return;
    const side: Side = role === 1 ? 'client' : 'server';
    if (this.#open.get(socketCookie) !== undefined) return;
    const evicted = this.#open.set(socketCookie, { tgid, side });
    this.#change(tgid, side, 1);
    if (evicted !== undefined) this.#change(evicted.tgid, evicted.side, -1);
    // One that is older than the agent was not established now.
    if (record.existing === true) return;
    const group = this.#groupOf(tgid);
    group
      .numbers(CONNECTIONS_OPENED)
      .of({ 'kindling.side': side, ...serverOf(tuple, side) })
      .add(1);
    this.#former?.connected(record, group);
    if (connectStart === 0) return;
    group
      .histogram(CONNECT_DURATION)
      .of(serverOf(tuple, side))
      .record(Math.max(0, time - connectStart) / NS_PER_S);
  }

  closed(record: CloseRecord): void {
    const { socketCookie, tgid, tuple, error, bytesSent, bytesReceived } = record;
    if (tuple.family === 'unix') return;
    const known = this.#open.get(socketCookie);
    if (known === undefined) {
      this.#neverOpened(record);
      return;
    }
    this.#open.delete(socketCookie);
    this.#change(known.tgid, known.side, -1);
    const group = this.#groupOf(tgid || known.tgid);
    const common = { 'kindling.side': known.side, ...serverOf(tuple, known.side) };
    const reason = error === 0 ? undefined : errnoType(error);
    group
      .numbers(CONNECTIONS_CLOSED)
      .of({ ...common, 'error.type': reason })
      .add(1);
    const io = group.numbers(TCP_IO);
    io.of({ ...common, 'network.io.direction': 'transmit' }).add(bytesSent);
    io.of({ ...common, 'network.io.direction': 'receive' }).add(bytesReceived);
  }

  /** Writes down how many are open now. */
  collect(): void {
    const totals = new Map<ServiceGroup, Record<Side, number>>();
    for (const [tgid, counts] of this.#counts) {
      const group = this.#groupOf(tgid);
      const total = totals.get(group) ?? { client: 0, server: 0 };
      total.client += counts.client;
      total.server += counts.server;
      totals.set(group, total);
      if (counts.client === 0 && counts.server === 0) this.#counts.delete(tgid);
    }
    for (const [group, total] of totals) {
      for (const side of ['client', 'server'] as const) {
        group.numbers(CONNECTIONS_OPEN).of({ 'kindling.side': side }).set(total[side]);
      }
    }
  }

  #neverOpened(record: CloseRecord): void {
    const { unconnected, error, turns, bytesSent, bytesReceived, tgid, tuple } = record;
    const isSilent = turns === 0 && bytesSent === 0 && bytesReceived === 0;
    if (error === 0 || !(unconnected ?? isSilent)) return;
    const attributes = { 'error.type': errnoType(error), ...serverOf(tuple, 'client') };
    const group = this.#groupOf(tgid);
    group.numbers(CONNECT_FAILURES).of(attributes).add(1);
    this.#former?.notConnected(record, group);
  }

  #change(tgid: number, side: Side, by: number): void {
    let counts = this.#counts.get(tgid);
    if (counts === undefined) {
      counts = { client: 0, server: 0 };
      this.#counts.set(tgid, counts);
    }
    counts[side] += by;
  }
}

const serverOf = (tuple: SocketTuple, side: Side): AttributesInput =>
  side === 'client'
    ? { 'server.address': tuple.remoteAddress, 'server.port': tuple.remotePort }
    : { 'server.port': tuple.localPort };
