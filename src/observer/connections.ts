/**
 * The connections of this host, each end for itself: what is known of them, and what their bytes become. What is no
 * connection, UDP, is in `datagrams.ts`.
 *
 *     net records ──► table (cookie) ──► recognition ──► pairing ──► exchanges
 *                          │                  └► not HTTP/1.x: a conversation of another protocol; of none that is known:
 *                          │                     ignored from then on, and the kernel told so
 *                          └ bounded: least recently used ends leave first, and are remembered by their last turn only
 */

import { Conversation, type ConversationShared } from '../protocols/conversation.js';
import type { WireExchange } from '../protocols/exchange.js';
import { HeadParser } from '../protocols/http1/head-parser.js';
import { Connection } from './connection.js';
import type { ExchangeCounters } from './exchange-counters.js';
import type { ExchangeDraft } from './exchange-draft.js';
import { ExchangePairing, type PairingHost } from './exchange-pairing.js';
import { ExchangeRecognition } from './exchange-recognition.js';
import { HttpEndpoints } from './http-endpoints.js';
import { RecordSegment } from './record-segment.js';
import type {
  Exchange,
  MonoNs,
  NetCloseRecord,
  NetDataRecord,
  NetErrorRecord,
  NetOpenRecord,
  NetTurnsRecord,
  NetUnixRecord,
  SocketTuple,
  Transport,
} from './types.js';

export interface ConnectionLimits {
  /** Most connections in the table. */
  readonly maxConnections: number;
  /** A request without response is given up after this long without a byte on its connection. */
  readonly timeoutNs: number;
  /** A connection without a byte for this long leaves the table (and comes back with its next byte). */
  readonly idleNs: number;
}

export const DEFAULT_LIMITS: ConnectionLimits = {
  maxConnections: 65_536,
  timeoutNs: 60e9,
  idleNs: 15 * 60e9,
};

/** What becomes of what is found. */
export interface ConnectionOutput {
  /** A request's head is known; its end is not. */
  opened(connection: Connection, draft: ExchangeDraft): void;
  finished(connection: Connection, draft: ExchangeDraft, incomplete: Exchange['incomplete']): void;
  /** A request of another protocol was read; `connection.conversation` is set. */
  begun(connection: Connection, exchange: WireExchange): void;
  /** An exchange of another protocol is over. */
  ended(connection: Connection, exchange: WireExchange): void;
  /** It is known what the connection speaks: `connection.side` is set. */
  recognized(connection: Connection): void;
  removed(connection: Connection): void;
  /** Its bytes are of no known protocol; `record` is the one that decided. */
  ignored?(connection: Connection, record: NetDataRecord): void;
}

/** A closed client that half-closed before may read its answer from the queue for this long. */
const LINGER_NS = 1e9;
/** In the place of a last turn: the connection is closed, nothing more counts. */
const ALL_TURNS = 0xffff_ffff;

/** What a new entry of the table is made from. */
interface Newcomer {
  readonly socketCookie: number;
  readonly role: number;
  readonly tuple: SocketTuple;
}

export class ConnectionTable {
  readonly counters: ExchangeCounters;
  evicted = 0;
  expired = 0;
  ignored = 0;
  /** Turns that were seen or are known to be lost: what the kernel counted beyond them is not known of any socket. */
  turns = 0;
  readonly #limits: ConnectionLimits;
  readonly #output: ConnectionOutput;
  readonly #parser = new HeadParser();
  readonly #byCookie = new Map<number, Connection>();
  readonly #endpoints = new HttpEndpoints();
  /** Cookie to last accounted turn of connections that left the table while they lived, oldest first. */
  readonly #left = new Map<number, number>();
  /** Cookies of connections of which nothing more counts: closed ones, and those that are not HTTP. */
  readonly #over = new Set<number>();
  #newest: Connection | undefined;
  #oldest: Connection | undefined;
  /** The connection of the last record: records come in runs, so most look-ups end here. */
  #last: Connection | undefined;
  #lastSweep: MonoNs = 0;

  readonly #wires: ConversationShared | undefined;
  #segment: RecordSegment = new RecordSegment();

  /** `wires`: the protocols besides HTTP/1.x; without them everything else is ignored. */
  constructor(
    limits: ConnectionLimits,
    counters: ExchangeCounters,
    output: ConnectionOutput,
    wires?: ConversationShared,
  ) {
    this.#wires = wires;
    this.#limits = limits;
    this.counters = counters;
    this.#output = output;
  }

  get size(): number {
    return this.#byCookie.size;
  }

  /** Exchanges that are neither emitted nor lost yet. Walks the table. */
  get held(): number {
    let held = 0;
    for (const connection of this.#byCookie.values()) {
      held += (connection.pairing?.held ?? 0) + (connection.conversation?.held ?? 0);
    }
    return held;
  }

  netData(record: NetDataRecord): void {
    const connection = this.#find(record);
    if (connection === undefined) return;
    connection.lastTime = record.time;
    if (record.repeatsTail) return;
    const newTurn = record.turn > connection.lastTurn;
    this.#sawTurn(connection, record.turn);
    if (connection.setAside) return;
    if (connection.pairing !== undefined) this.#feed(connection, record);
    else if (connection.undecided && record.shed && record.payloadEnd === record.payloadStart) {
      // It says nothing of what the connection speaks.
      if (newTurn) connection.shedTurns[record.turn % 2 === 1 ? 1 : 0]++;
    } else {
      if (connection.recognition !== undefined) this.#recognize(connection, connection.recognition, record);
      if (connection.pairing === undefined && this.#wires !== undefined) this.#converse(connection, record);
    }
  }

  /** What the connection carries is read elsewhere: nothing is looked for in its bytes any more. */
  setAside(cookie: number): void {
    const connection = this.#byCookie.get(cookie);
    if (connection === undefined || !connection.undecided) return;
    connection.setAside = true;
    connection.recognition = undefined;
    connection.conversation = undefined;
  }

  netOpen(record: NetOpenRecord): void {
    const known = this.#byCookie.get(record.socketCookie);
    if (record.existing && (known !== undefined || this.#over.has(record.socketCookie))) return;
    const connection = this.#begin(record, 'tcp', !record.existing);
    connection.netns = record.netns ?? 0;
  }

  netUnix(record: NetUnixRecord): void {
    // Its first byte may have moved before anybody watched.
    const connection = this.#begin(record, 'unix', false);
    connection.peerCookie = record.peerCookie;
    connection.peerTgid = record.peerTgid;
  }

  netTurns(record: NetTurnsRecord): void {
    const { socketCookie } = record;
    let connection = this.#byCookie.get(socketCookie);
    if (connection === undefined) {
      const accounted = this.#left.get(socketCookie) ?? 0;
      if (accounted >= record.turns || this.#over.has(socketCookie)) return;
      this.#left.delete(socketCookie);
      connection = this.#add({ ...record, role: 0 }, record.transport, false, accounted);
      connection.lastTime = record.time;
      connection.noted = true;
    }
    this.#sawTurn(connection, record.turns);
    connection.pairing?.missedUpTo(record.turns);
  }

  /** A unix stream has no other record of its end. */
  netError(record: NetErrorRecord): void {
    const connection = this.#byCookie.get(record.socketCookie);
    if (connection === undefined) return;
    // Whoever has said all may still be answered.
    const half = record.error === 0 && connection.pairing?.role === 'server' && connection.pairing.unanswered;
    if (!half) this.#close(connection, connection.lastTurn, record.error, record.time);
  }

  /** The cookie of a socket that is connected again, or of another one, starts anew. */
  #begin(record: Newcomer & { readonly time: MonoNs }, transport: Transport, fresh: boolean): Connection {
    const known = this.#byCookie.get(record.socketCookie);
    if (known !== undefined) this.#close(known, known.pairing?.turn ?? 0, 0, record.time);
    this.#left.delete(record.socketCookie);
    this.#over.delete(record.socketCookie);
    const connection = this.#add(record, transport, fresh, 0);
    connection.lastTime = record.time;
    return connection;
  }

  netClose(record: NetCloseRecord): void {
    const connection = this.#byCookie.get(record.socketCookie);
    if (connection === undefined) {
      this.#closeUnknown(record);
      return;
    }
    connection.tuple = record.tuple;
    this.#sawTurn(connection, record.turns);
    const { pairing } = connection;
    if (
      pairing?.role === 'client' &&
      record.error === 0 &&
      pairing.turn >= record.turns &&
      pairing.unanswered
    ) {
      // The kernel's own state ends with the socket: `turn` starts anew, so the rest goes by position.
      connection.closed = { turns: record.turns, error: record.error, time: record.time };
      return;
    }
    this.#close(connection, record.turns, record.error, record.time);
  }

  /** Every event up to `now` was delivered: ends what only time can end. Cheap; does its work once a second. */
  advance(now: MonoNs): void {
    if (now - this.#lastSweep < 1e9) return;
    this.#lastSweep = now;
    const { timeoutNs, idleNs } = this.#limits;
    for (let connection = this.#oldest; connection !== undefined; ) {
      const next: Connection | undefined = connection.newer;
      connection.pairing?.sweep(now, timeoutNs);
      connection.conversation?.sweep(now, timeoutNs);
      const { closed } = connection;
      if (closed !== undefined && now - closed.time >= LINGER_NS) {
        this.#close(connection, closed.turns, closed.error, closed.time);
      } else if (now - connection.lastTime >= idleNs) {
        this.expired++;
        this.#leave(connection);
      }
      connection = next;
    }
  }

  /** Ends everything that is under way, for shutdown. */
  flush(): void {
    for (const connection of [...this.#byCookie.values()]) {
      const { closed } = connection;
      if (closed === undefined) this.#leave(connection, 'shutdown');
      else this.#close(connection, closed.turns, closed.error, closed.time);
    }
  }

  #find(record: NetDataRecord): Connection | undefined {
    const last = this.#last;
    if (last !== undefined && last.cookie === record.socketCookie) return last;
    let connection = this.#byCookie.get(record.socketCookie);
    if (connection === undefined) {
      if (this.#over.has(record.socketCookie)) return undefined;
      const accounted = this.#left.get(record.socketCookie) ?? 0;
      this.#left.delete(record.socketCookie);
      const { transport } = record;
      connection = this.#add(record, transport, beginsHere(record, accounted), accounted);
    } else this.#touch(connection);
    this.#last = connection;
    return connection;
  }

  #add(record: Newcomer, transport: Transport, fresh: boolean, accountedTurn: number): Connection {
    if (this.#byCookie.size >= this.#limits.maxConnections && this.#oldest !== undefined) {
      this.evicted++;
      this.#leave(this.#oldest);
    }
    const { tuple } = record;
    const recognition = new ExchangeRecognition(accountedTurn);
    const connection = new Connection(
      record.socketCookie,
      transport,
      tuple,
      record.role,
      fresh,
      accountedTurn,
      recognition,
    );
    this.#byCookie.set(connection.cookie, connection);
    this.#link(connection);
    return connection;
  }

  #recognize(connection: Connection, recognition: ExchangeRecognition, record: NetDataRecord): void {
    if (connection.noted) {
      connection.noted = false;
      connection.role = record.role;
      connection.fresh = beginsHere(record, connection.accountedTurn);
    }
    const seenBefore = recognition.turn;
    const kind = recognition.look(record, connection.fresh);
    if (kind === 'undecided') return;
    if (kind === 'other') {
      connection.recognition = undefined;
      this.ignored++;
      if (this.#wires === undefined || connection.conversation?.hopeless)
        this.#output.ignored?.(connection, record);
      return;
    }
    const isRequest = kind !== 'response';
    const role = record.egress === isRequest ? 'client' : 'server';
    const before = Math.max(record.turn - 1, connection.accountedTurn);
    // The last turn before this record was of the other direction.
    const proven = kind !== 'probable_request';
    const pairing = new ExchangePairing(this.#hostOf(connection), role, before, !isRequest, proven);
    connection.pairing = pairing;
    if (proven) {
      connection.recognition = undefined;
      // It has looked at bytes that were no beginning of anything.
      connection.conversation = undefined;
    }
    this.#output.recognized(connection);
    if (!isRequest) pairing.skipResponse();
    this.#countUnseen(connection, role, record.turn, isRequest, seenBefore);
    if (proven) this.#confirm(connection, role);
    this.#feed(connection, record);
  }

  /** Bytes that are not HTTP/1.x, or not known to be. */
  #converse(connection: Connection, record: NetDataRecord): void {
    connection.conversation ??= this.#createConversation(connection, this.#wires!);
    const { conversation } = connection;
    if (conversation.protocol !== undefined) this.#countHidden(connection, record);
    const segment = this.#segment;
    segment.set(record);
    const { protocol: before, hopeless } = conversation;
    conversation.data(segment);
    const { protocol } = conversation;
    if (conversation.hopeless && !hopeless && connection.recognition === undefined) {
      this.#output.ignored?.(connection, record);
    }
    if (protocol === undefined || before !== undefined) return;
    if (connection.recognition === undefined) this.ignored--;
    connection.recognition = undefined;
    connection.visibleTurn = record.turn;
    connection.visibleEgress = record.egress;
  }

  /**
   * Exchanges of which no byte was seen are known by the turns between those that were: `record`, or the end of the
   * connection at turn `turns`, comes after them.
   */
  #countHidden(connection: Connection, record: NetDataRecord | undefined, turns = 0): void {
    const { visibleTurn, visibleEgress } = connection;
    const conversation = connection.conversation!;
    if (record !== undefined) {
      if (record.payloadEnd === record.payloadStart || record.turn <= visibleTurn) return;
      connection.visibleTurn = record.turn;
      connection.visibleEgress = record.egress;
    }
    if (visibleTurn === 0) return;
    let hidden = (record?.turn ?? turns + 1) - visibleTurn - 1;
    // The answer of the request that was seen last, and the request of the answer that is seen now: their parser knows.
    if (visibleEgress === conversation.localIsClient) hidden--;
    if (record !== undefined && record.egress !== conversation.localIsClient) hidden--;
    if (hidden > 0) conversation.hiddenExchanges(Math.ceil(hidden / 2));
  }

  #createConversation(connection: Connection, wires: ConversationShared): Conversation {
    const { tuple, role, fresh } = connection;
    const output = this.#output;
    return new Conversation(
      wires,
      {
        transport: tuple.family === 'unix' ? 'unix' : 'tcp',
        localAddress: tuple.localAddress,
        localPort: tuple.localPort,
        remoteAddress: tuple.remoteAddress,
        remotePort: tuple.remotePort,
      },
      role === 0 ? undefined : role === ROLE.client,
      fresh && connection.lastTurn <= 1,
      {
        begun: (exchange) => {
          if (connection.place === undefined) output.recognized(connection);
          output.begun(connection, exchange);
        },
        finished: (exchange) => output.ended(connection, exchange),
      },
    );
  }

  /** Counts the requests of the turns that went by before the connection was recognized at turn `turn`. */
  #countUnseen(
    connection: Connection,
    role: 'server' | 'client',
    turn: number,
    isRequest: boolean,
    lastSeen: number,
  ): void {
    const { accountedTurn, fresh, shedTurns } = connection;
    const { lost } = this.counters[role];
    const missed = Math.max(turn - 1 - accountedTurn, 0);
    const all = isRequest ? Math.floor(missed / 2) : Math.ceil(missed / 2);
    const shed = Math.min(all, shedTurns[isRequest === (turn % 2 === 1) ? 1 : 0]);
    lost.not_captured += shed;
    const requests = all - shed;
    const firstIsRequest = isRequest === (turn % 2 === 1);
    if (accountedTurn > 0) lost.ring_full += requests;
    else if (fresh) {
      lost.ring_full += requests;
      if (!firstIsRequest) this.counters.unsolicited++;
    } else {
      // Turn 1 of a connection older than the programs is the rest of a message: of a request, or of a response
      // whose request went by unseen.
      const joined = !firstIsRequest || (requests > 0 && lastSeen >= 1) ? 1 : 0;
      lost.joined_in_middle += joined;
      lost.ring_full += requests - (firstIsRequest ? joined : 0);
    }
  }

  #feed(connection: Connection, record: NetDataRecord): void {
    const pairing = connection.pairing!;
    pairing.data(record);
    const { recognition } = connection;
    if (recognition !== undefined && pairing.proven) {
      connection.recognition = undefined;
      this.#confirm(connection, pairing.role);
    }
    if (pairing.live) return;
    this.#output.removed(connection);
    connection.pairing = undefined;
    // What looked like the first bytes of a request was not: look on.
    if (recognition !== undefined) recognition.turn = record.turn;
  }

  #hostOf(connection: Connection): PairingHost {
    const output = this.#output;
    return {
      parser: this.#parser,
      counters: this.counters,
      opened: (_, draft) => output.opened(connection, draft),
      finished: (_, draft, incomplete) => output.finished(connection, draft, incomplete),
    };
  }

  #close(connection: Connection, turns: number, error: number, time: MonoNs): void {
    const { pairing } = connection;
    if (pairing?.proven) pairing.close(turns, error, time);
    else if (connection.recognition !== undefined) this.#lostUnrecognized(connection, turns);
    if (connection.conversation?.protocol !== undefined) this.#countHidden(connection, undefined, turns);
    connection.conversation?.close(error === 0 ? 'closed' : 'reset', time, error);
    this.#remove(connection, ALL_TURNS);
  }

  /** Leaves the table while the connection lives on. */
  #leave(connection: Connection, reason: 'evicted' | 'shutdown' = 'evicted'): void {
    const { pairing, recognition } = connection;
    const proven = pairing?.proven === true;
    const turn = proven ? pairing.turn : connection.accountedTurn;
    if (proven) pairing.abandon(reason);
    connection.conversation?.close(reason, connection.lastTime);
    if (connection.conversation?.protocol !== undefined) this.#remove(connection, connection.lastTurn);
    else this.#remove(connection, pairing === undefined && recognition === undefined ? ALL_TURNS : turn);
  }

  #remove(connection: Connection, accountedTurn: number): void {
    this.#byCookie.delete(connection.cookie);
    this.#unlink(connection);
    if (this.#last === connection) this.#last = undefined;
    if (connection.place !== undefined) this.#output.removed(connection);
    // Numbers only: cheap enough to remember more of them than of connections.
    const limit = Math.max(4096, 4 * this.#limits.maxConnections);
    if (accountedTurn === ALL_TURNS) {
      this.#over.add(connection.cookie);
      dropOldest(this.#over, limit);
    } else {
      this.#left.set(connection.cookie, accountedTurn);
      dropOldest(this.#left, limit);
    }
  }

  /** A connection of which no record but the last one arrived. */
  #closeUnknown(record: NetCloseRecord): void {
    const accounted = this.#left.get(record.socketCookie) ?? 0;
    if (accounted >= record.turns || this.#over.has(record.socketCookie)) return;
    const connection = this.#add({ ...record, role: 0 }, 'tcp', false, accounted);
    this.#sawTurn(connection, record.turns);
    this.#close(connection, record.turns, record.error, record.time);
  }

  /** Its end came before any message that could be read: the requests among its turns count if the server is HTTP. */
  #lostUnrecognized(connection: Connection, turns: number): void {
    const missed = turns - connection.accountedTurn;
    if (missed <= 0) return;
    // HTTP: the client speaks first, so odd turns are requests.
    const requests = Math.ceil(turns / 2) - Math.ceil(connection.accountedTurn / 2);
    const roles = (['server', 'client'] as const).filter((role) => connection.role !== ROLE[opposite(role)]);
    const shed = Math.min(requests, connection.shedTurns[1]);
    const known = roles.find((role) => this.#endpoints.isHttp(endpointKey(connection, role)));
    // Which end this is may have been lost too: only one of both addresses is that of a server.
    for (const role of known === undefined ? roles : [known]) {
      for (const [reason, count] of [
        ['not_captured', shed],
        ['ring_full', requests - shed],
      ] as const) {
        if (known !== undefined) this.counters[known].lost[reason] += count;
        else this.#endpoints.keep(endpointKey(connection, role), role, reason, count);
      }
    }
  }

  #confirm(connection: Connection, role: 'server' | 'client'): void {
    const kept = this.#endpoints.confirm(endpointKey(connection, role));
    if (kept === undefined) return;
    for (const role of ['server', 'client'] as const) {
      this.counters[role].lost.ring_full += kept[role].ring_full;
      this.counters[role].lost.not_captured += kept[role].not_captured;
    }
  }

  #sawTurn(connection: Connection, turn: number): void {
    if (turn <= connection.lastTurn) return;
    this.turns += turn - connection.lastTurn;
    connection.lastTurn = turn;
  }

  #touch(connection: Connection): void {
    if (connection === this.#newest) return;
    this.#unlink(connection);
    this.#link(connection);
  }

  #link(connection: Connection): void {
    connection.older = this.#newest;
    connection.newer = undefined;
    if (this.#newest !== undefined) this.#newest.newer = connection;
    this.#newest = connection;
    this.#oldest ??= connection;
  }

  #unlink(connection: Connection): void {
    const { newer, older } = connection;
    if (newer !== undefined) newer.older = older;
    else this.#newest = older;
    if (older !== undefined) older.newer = newer;
    else this.#oldest = newer;
  }
}

function dropOldest(collection: Set<number> | Map<number, number>, limit: number): void {
  if (collection.size <= limit) return;
  const oldest = collection.keys().next().value;
  if (oldest !== undefined) collection.delete(oldest);
}

/** Was the connection opened under our eyes? The kernel knows the role of such sockets only; unix ones tell it later. */
const beginsHere = ({ transport, role }: NetDataRecord, accountedTurn: number): boolean =>
  transport === 'tcp' && role !== 0 && accountedTurn === 0;

/** Values of `enum net_role`. */
const ROLE = { client: 1, server: 2 } as const;

const opposite = (role: 'server' | 'client') => (role === 'server' ? 'client' : 'server');

function endpointKey(connection: Connection, role: 'server' | 'client'): string {
  const { tuple } = connection;
  return role === 'server'
    ? `${tuple.localAddress} ${tuple.localPort}`
    : `${tuple.remoteAddress} ${tuple.remotePort}`;
}
