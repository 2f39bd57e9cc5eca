/**
 * UDP sockets of this host, each end for itself. A datagram is a message; a socket without a fixed peer talks to many:
 *
 *     datagrams ──► socket (cookie) ──► flow: the socket and one peer ──► a conversation ──► exchanges
 *                      └ the kernel numbers a socket's datagrams: a hole in them casts doubt on all of its flows
 *
 * Nothing tells that a UDP socket was closed, and most are used for one question: a flow leaves when nothing is open and
 * nothing moved for a while, when its process ends, or when there are too many.
 */
import { Conversation, type ConversationShared } from '../protocols/conversation.js';
import type { WireExchange } from '../protocols/exchange.js';
import { Connection } from './connection.js';
import type { ConnectionLimits } from './connections.js';
import { LruMap } from './process/lru-map.js';
import { RecordSegment } from './record-segment.js';
import type { MonoNs, NetDataRecord, NetErrorRecord, NetTurnsRecord, SocketTuple } from './types.js';

/** What becomes of what is found. */
export interface DatagramOutput {
  /** A request was read. `record` carried it; undefined when an earlier one did. */
  begun(flow: Connection, exchange: WireExchange, record: NetDataRecord | undefined): void;
  ended(flow: Connection, exchange: WireExchange): void;
  /** It is known what the flow speaks: `flow.side` is set. */
  recognized(flow: Connection): void;
  removed(flow: Connection): void;
}

interface Socket {
  readonly cookie: number;
  readonly localPort: number;
  readonly flows: Set<Flow>;
  /** Number of the next datagram of each direction. */
  sent: number;
  received: number;
  /** Last number of a datagram in either direction. */
  turn: number;
  /** Datagrams that were passed over. */
  missing: number;
  /** Lost datagrams that the kernel has told of, and whose place among the others was not seen yet. */
  noted: number;
}

interface Flow {
  readonly key: string;
  readonly socket: Socket;
  readonly connection: Connection;
  readonly conversation: Conversation;
  readonly tgid: number;
  /** When its process ended; 0: it lives. */
  endedAt: MonoNs;
  /** Bytes that went before, of each direction. */
  sent: number;
  received: number;
}

/** A flow of which nothing is open leaves after this long. */
const IDLE_NS = 30e9;
/** What a process that ended has left open is closed after this long: the kernel's notes on losses come once a second. */
const ENDED_NS = 2e9;
/** How far the records of a socket's threads may be out of order. */
const DISORDER = 64;
/** There are far more connections than peers of UDP sockets. */
const SHARE = 4;

export class DatagramTable {
  /** Datagrams that the kernel has numbered and nobody saw. */
  lost = 0;
  /** Datagrams of which no byte was captured, or of which nobody told the sender. */
  unread = 0;
  evicted = 0;
  /** Failed sends and receives. */
  failed = 0;
  readonly #limits: ConnectionLimits;
  readonly #output: DatagramOutput;
  readonly #wires: ConversationShared;
  readonly #flows: LruMap<string, Flow>;
  readonly #sockets = new Map<number, Socket>();
  readonly #byProcess = new Map<number, Set<Flow>>();
  readonly #segment = new RecordSegment();
  /** The datagram that is being read. */
  #record: NetDataRecord | undefined;
  #lastSweep: MonoNs = 0;

  constructor(limits: ConnectionLimits, output: DatagramOutput, wires: ConversationShared) {
    this.#limits = limits;
    this.#output = output;
    this.#wires = wires;
    this.#flows = new LruMap(Math.max(16, Math.floor(limits.maxConnections / SHARE)));
  }

  /** Sockets and their peers. */
  get size(): number {
    return this.#flows.size;
  }

  /** Exchanges that are neither emitted nor lost yet. Walks the table. */
  get held(): number {
    let held = 0;
    for (const { conversation } of this.#flows.values()) held += conversation.held;
    return held;
  }

  netData(record: NetDataRecord): void {
    if (record.repeatsTail) return;
    const { egress, tuple, payloadStart, payloadEnd } = record;
    const socket = this.#socketOf(record);
    const missing = (record.position - (egress ? socket.sent : socket.received)) | 0;
    // Two threads' records may not be in the order of their numbers: this one was thought to be lost.
    if (missing < 0 && socket.missing > 0) {
      socket.missing--;
      this.lost--;
    }
    if (missing >= 0) {
      if (egress) socket.sent = (record.position + 1) >>> 0;
      else socket.received = (record.position + 1) >>> 0;
      socket.turn = Math.max(socket.turn, record.turn);
      if (missing > 0) this.#missed(socket, missing);
    }
    if (tuple.remotePort === 0 || (payloadEnd === payloadStart && record.length > 0)) {
      this.unread++;
      if (socket.flows.size === 0) this.#sockets.delete(socket.cookie);
      else doubt(socket);
      return;
    }
    const flow = this.#flowOf(socket, tuple, record);
    flow.connection.lastTime = record.time;
    const segment = this.#segment;
    segment.set(record);
    // Of all peers together, datagrams have numbers; of this one, bytes have places.
    segment.position = egress ? flow.sent : flow.received;
    if (egress) flow.sent = (flow.sent + record.length) >>> 0;
    else flow.received = (flow.received + record.length) >>> 0;
    this.#record = record;
    flow.conversation.data(segment);
    this.#record = undefined;
  }

  /** The records of some of a socket's datagrams were lost. */
  netTurns(record: NetTurnsRecord): void {
    const socket = this.#sockets.get(record.socketCookie);
    if (socket === undefined) return;
    const missing = record.turns - socket.turn;
    if (missing <= 0) return;
    socket.turn = record.turns;
    socket.noted += missing;
    this.lost += missing;
    doubt(socket);
  }

  /** A send or receive failed; on a connected socket, because of an earlier datagram that nobody took. */
  netError({ socketCookie, tuple, error, time }: NetErrorRecord): void {
    this.failed++;
    const flow = this.#flows.get(flowKey(socketCookie, tuple));
    if (flow === undefined) return;
    flow.connection.lastTime = time;
    flow.conversation.fail(error, time);
  }

  /** A process ended: nobody waits for its answers any more. */
  ended(tgid: number, time: MonoNs): void {
    for (const flow of this.#byProcess.get(tgid) ?? []) flow.endedAt = time;
  }

  /** Every event up to `now` was delivered. Does its work once a second. */
  advance(now: MonoNs): void {
    if (now - this.#lastSweep < 1e9) return;
    this.#lastSweep = now;
    for (const flow of this.#flows.values()) {
      const { conversation, connection, endedAt } = flow;
      if (endedAt > 0 && now - endedAt >= ENDED_NS) {
        conversation.close('closed', endedAt);
        this.#remove(flow);
        continue;
      }
      conversation.sweep(now, this.#limits.timeoutNs);
      if (conversation.held === 0 && now - connection.lastTime >= IDLE_NS) this.#leave(flow, 'evicted');
    }
  }

  /** Ends everything that is under way, for shutdown. */
  flush(): void {
    for (const flow of [...this.#flows.values()]) {
      if (flow.endedAt > 0) flow.conversation.close('closed', flow.endedAt);
      this.#leave(flow, 'shutdown');
    }
  }

  #socketOf({ socketCookie, position, egress, turn, time, tuple }: NetDataRecord): Socket {
    const known = this.#sockets.get(socketCookie);
    const { localPort } = tuple;
    if (known !== undefined) {
      if (known.localPort === localPort && turn + DISORDER > known.turn) return known;
      // A cookie that is made of an address names the next socket there too, whose numbers begin again.
      for (const flow of known.flows) {
        flow.conversation.close('closed', time);
        this.#remove(flow);
      }
    }
    // Datagrams before this one went by before anybody watched, or while nothing was open here.
    const socket: Socket = {
      cookie: socketCookie,
      localPort,
      flows: new Set(),
      sent: egress ? position : turn - 1 - position,
      received: egress ? turn - 1 - position : position,
      turn,
      missing: 0,
      noted: 0,
    };
    this.#sockets.set(socketCookie, socket);
    return socket;
  }

  #missed(socket: Socket, count: number): void {
    const told = Math.min(count, socket.noted);
    socket.noted -= told;
    this.lost += count - told;
    socket.missing += count - told;
    doubt(socket);
  }

  #flowOf(socket: Socket, tuple: SocketTuple, record: NetDataRecord): Flow {
    const key = flowKey(socket.cookie, tuple);
    const known = this.#flows.get(key);
    if (known !== undefined) return known;
    const connection = new Connection(socket.cookie, 'udp', tuple, 0, false, 0, undefined);
    const output = this.#output;
    const conversation = new Conversation(
      this.#wires,
      {
        transport: 'udp',
        // A server may listen on every address of the machine; nobody tells on which one it was asked.
        localAddress: isUnspecified(tuple.localAddress) ? '' : tuple.localAddress,
        localPort: tuple.localPort,
        remoteAddress: tuple.remoteAddress,
        remotePort: tuple.remotePort,
      },
      undefined,
      record.turn === 1,
      {
        begun: (exchange) => {
          if (connection.place === undefined) output.recognized(connection);
          const first = this.#record;
          output.begun(connection, exchange, first?.time === exchange.requestStart ? first : undefined);
        },
        finished: (exchange) => output.ended(connection, exchange),
      },
    );
    connection.conversation = conversation;
    const { tgid } = record;
    const flow: Flow = { key, socket, connection, conversation, tgid, endedAt: 0, sent: 0, received: 0 };
    socket.flows.add(flow);
    let ofProcess = this.#byProcess.get(flow.tgid);
    if (ofProcess === undefined) {
      ofProcess = new Set();
      this.#byProcess.set(flow.tgid, ofProcess);
    }
    ofProcess.add(flow);
    const oldest = this.#flows.set(key, flow);
    if (oldest !== undefined) {
      this.evicted++;
      this.#leave(oldest, 'evicted');
    }
    return flow;
  }

  #leave(flow: Flow, reason: 'evicted' | 'shutdown'): void {
    flow.conversation.close(reason, flow.connection.lastTime);
    this.#remove(flow);
  }

  #remove(flow: Flow): void {
    const { key, socket, connection, tgid } = flow;
    this.#flows.delete(key);
    socket.flows.delete(flow);
    if (socket.flows.size === 0) this.#sockets.delete(socket.cookie);
    const ofProcess = this.#byProcess.get(tgid);
    ofProcess?.delete(flow);
    if (ofProcess?.size === 0) this.#byProcess.delete(tgid);
    if (connection.place !== undefined) this.#output.removed(connection);
  }
}

const flowKey = (cookie: number, { remoteAddress, remotePort }: SocketTuple): string =>
  `${cookie} ${remoteAddress} ${remotePort}`;

const isUnspecified = (address: string): boolean => address === '0.0.0.0' || address === '::';

function doubt({ flows }: Socket): void {
  for (const { conversation } of flows) conversation.missedMessages();
}
