/**
 * Which socket does a TLS session use? The uprobes see plaintext and a session, the network programs see ciphertext and
 * a socket; here plaintext becomes records of its socket. One answer holds for the life of the session.
 *
 *     evidence     how                                                                              confidence
 *     descriptor   the library's own object led to the socket (Go)                                  1
 *     call         the thread moved bytes of this socket inside the very call                       1
 *     order        the program moves the ciphertext itself (Node, asyncio): plaintext that is read  0.9
 *                  belongs to what the thread received last, plaintext that is written to what it
 *                  sends next, if that is a TLS connection that no other session has
 *
 * Records of one thread come in the order of what it did; nothing here depends on the order of threads. Plaintext that
 * waits for its socket is bounded and what does not find it is counted. Pure; one thread.
 */
import { TLS_LIBRARY } from '../../receiver/ebpf/abi.gen.js';
import { LruMap } from '../process/lru-map.js';
import type { MonoNs, NetCloseRecord, NetDataRecord, SocketTuple } from '../types.js';
import { HelloReader } from './hello-reader.js';
import { PlainRecord } from './plain-record.js';
import type { TlsCloseRecord, TlsDataRecord } from './tls-records.js';
import { isTlsRecord } from './tls-wire.js';

export type TlsEvidence = 'descriptor' | 'call' | 'order';

/** What an exchange inside TLS says of that. */
export interface TlsView {
  readonly library: 'openssl' | 'gnutls' | 'go';
  /** "1.3"; undefined when the handshake was not seen. */
  readonly version: string | undefined;
  readonly evidence: TlsEvidence;
  readonly confidence: number;
}

export interface TlsJoinOutput {
  /** Plaintext as the stream of its socket: positions and turns are the session's. Valid during the call. */
  plaintext(record: NetDataRecord): void;
  /** The socket of a session was closed, or the session left it; `record.turns` are the session's. */
  closed(record: NetCloseRecord): void;
  /** A process speaks TLS. */
  handshake(tgid: number): void;
  /** The plaintext of a socket is seen and its handshake is over: of its ciphertext, lengths are enough. Once for each. */
  inClear(socketCookie: number): void;
}

/** Records of one session that may wait for its socket, and all of them together. */
const MAX_WAITING_RECORDS = 16;
const MAX_WAITING_TOTAL = 1024;
const MAX_THREADS = 16_384;

const LIBRARY: Readonly<Record<number, TlsView['library']>> = {
  [TLS_LIBRARY.OPENSSL]: 'openssl',
  [TLS_LIBRARY.GNUTLS]: 'gnutls',
  [TLS_LIBRARY.GO]: 'go',
};

const CONFIDENCE = { descriptor: 1, call: 1, order: 0.9 } as const;

type Positions = [number | undefined, number | undefined];

interface Socket {
  readonly cookie: number;
  tuple: SocketTuple;
  tgid: number;
  /** TCP position of the first byte seen in each direction (in, out): both ends agree on it. */
  readonly base: Positions;
  /** Ciphertext seen in each direction. */
  readonly bytes: [number, number];
  version: string | undefined;
  /** Undefined when the handshake is over. */
  hello: HelloReader | undefined;
  session: Session | undefined;
  /** `inClear` was told. */
  inClear: boolean;
}

interface Session {
  readonly id: number;
  socket: Socket | undefined;
  evidence: TlsEvidence;
  readonly library: TlsView['library'];
  /** Turns before the session came to its socket. */
  turnBase: number;
  /** What positions are counted from in each direction. */
  readonly base: Positions;
  lastTurn: number;
  waiting: PlainRecord[];
  view: TlsView | undefined;
}

/** What a thread did last with a TLS socket. */
interface ThreadState {
  last: Socket | undefined;
  lastTime: number;
  received: Socket | undefined;
  /** Has written plaintext whose ciphertext it will send. */
  writer: Session | undefined;
}

export class TlsJoin {
  /** Plaintext records whose socket never showed. */
  unjoined = 0;
  joinedByDescriptor = 0;
  joinedByCall = 0;
  joinedByOrder = 0;
  readonly #output: TlsJoinOutput;
  readonly #sockets: LruMap<number, Socket>;
  readonly #sessions: LruMap<number, Session>;
  readonly #threads = new LruMap<number, ThreadState>(MAX_THREADS);
  #waiting = 0;

  /** `maxConnections`: sockets and sessions remembered; the least recently used go first. */
  constructor(maxConnections: number, output: TlsJoinOutput) {
    this.#output = output;
    this.#sockets = new LruMap(maxConnections);
    this.#sessions = new LruMap(maxConnections);
  }

  /** Counters and gauges by name. Walks the sockets. */
  stats(): Record<string, number> {
    let inClear = 0;
    for (const socket of this.#sockets.values()) if (socket.session !== undefined) inClear++;
    return {
      tls_connections_held: this.#sockets.size,
      tls_connections_in_clear_held: inClear,
      tls_joined_by_descriptor: this.joinedByDescriptor,
      tls_joined_by_call: this.joinedByCall,
      tls_joined_by_order: this.joinedByOrder,
      tls_records_unjoined: this.unjoined,
    };
  }

  viewOf(cookie: number): TlsView | undefined {
    const socket = this.#sockets.get(cookie);
    const session = socket?.session;
    if (socket === undefined || session === undefined) return undefined;
    const { library, evidence } = session;
    session.view ??= { library, version: socket.version, evidence, confidence: CONFIDENCE[evidence] };
    return session.view;
  }

  /** A movement of bytes on any socket. Quick for those that are not TLS. */
  netData(record: NetDataRecord): void {
    const { bytes, payloadStart, payloadEnd } = record;
    const isTls = isTlsRecord(bytes, payloadStart, payloadEnd);
    // Not every record of a TLS connection begins where TLS begins one, or has content.
    if (!isTls && (this.#sockets.size === 0 || !this.#sockets.has(record.socketCookie))) return;
    const socket = this.#sockets.get(record.socketCookie) ?? this.#addSocket(record);
    const direction = record.egress ? 1 : 0;
    socket.base[direction] ??= record.position;
    if (!record.continuation) socket.bytes[direction] += record.length;
    if (socket.hello !== undefined) this.#handshake(socket, record, socket.hello);
    this.#threadMoved(socket, record);
  }

  tlsData(record: TlsDataRecord): void {
    const session = this.#sessionOf(record);
    const found = this.#socketFor(session, record);
    if (found !== undefined && found.socket !== session.socket) {
      this.#join(session, found.socket, found.evidence, record);
    }
    if (session.socket === undefined) this.#hold(session, record);
    else this.#emit(session, session.socket, new PlainRecord(record));
  }

  tlsClose({ session: id, turns }: TlsCloseRecord): void {
    const session = this.#sessions.get(id);
    if (session === undefined) return;
    session.lastTurn = Math.max(session.lastTurn, turns);
    this.#dropWaiting(session);
    // The socket keeps it until it is closed itself: nothing more comes, and its last turn is known.
    this.#sessions.delete(id);
  }

  netClose(record: NetCloseRecord): void {
    const socket = this.#sockets.get(record.socketCookie);
    if (socket === undefined) return;
    const { session } = socket;
    if (session !== undefined) {
      this.#output.closed({ ...record, turns: session.lastTurn - session.turnBase });
      session.socket = undefined;
      this.#sessions.delete(session.id);
    }
    this.#sockets.delete(record.socketCookie);
  }

  #addSocket(record: NetDataRecord): Socket {
    const { socketCookie: cookie, tuple, tgid } = record;
    const socket: Socket = {
      cookie,
      tuple,
      tgid,
      base: [undefined, undefined],
      bytes: [0, 0],
      version: undefined,
      hello: new HelloReader(),
      session: undefined,
      inClear: false,
    };
    this.#sockets.set(cookie, socket);
    // Also when the handshake is over: the agent may have come late.
    this.#output.handshake(tgid);
    return socket;
  }

  #handshake(
    socket: Socket,
    { bytes, payloadStart, payloadEnd, egress }: NetDataRecord,
    hello: HelloReader,
  ): void {
    hello.read(bytes, payloadStart, payloadEnd, egress);
    if (hello.version !== undefined) socket.version = hello.version;
    if (hello.over) socket.hello = undefined;
  }

  #threadMoved(socket: Socket, record: NetDataRecord): void {
    const { tid, time, egress } = record;
    let thread = this.#threads.get(tid);
    if (thread === undefined) {
      thread = { last: undefined, lastTime: 0, received: undefined, writer: undefined };
      this.#threads.set(tid, thread);
    }
    socket.tgid = record.tgid;
    socket.tuple = record.tuple;
    thread.last = socket;
    thread.lastTime = time;
    if (!egress) {
      thread.received = socket;
      return;
    }
    const { writer } = thread;
    thread.writer = undefined;
    if (
      writer !== undefined &&
      writer.socket === undefined &&
      this.#mayCarry(socket, writer, record.length)
    ) {
      this.#join(writer, socket, 'order', record);
    }
  }

  /** Is what is sent now the ciphertext of what the session's owner has written? */
  #mayCarry(socket: Socket, session: Session, sent: number): boolean {
    if (socket.session !== undefined) return false;
    const written = session.waiting.reduce((sum, { length }) => sum + length, 0);
    // One record at least goes out in one piece; ciphertext is longer than its plaintext.
    return sent > Math.min(written, 1 << 14);
  }

  #sessionOf(record: TlsDataRecord): Session {
    let session = this.#sessions.get(record.session);
    if (session === undefined) {
      session = {
        id: record.session,
        socket: undefined,
        evidence: 'order',
        library: LIBRARY[record.library] ?? 'openssl',
        turnBase: 0,
        base: [undefined, undefined],
        lastTurn: 0,
        waiting: [],
        view: undefined,
      };
      const evicted = this.#sessions.set(record.session, session);
      if (evicted !== undefined) this.#dropWaiting(evicted);
    }
    return session;
  }

  #socketFor(session: Session, record: TlsDataRecord): { socket: Socket; evidence: TlsEvidence } | undefined {
    if (record.socketCookie !== 0) {
      const socket = session.socket;
      if (socket?.cookie === record.socketCookie) return undefined;
      const named = this.#sockets.get(record.socketCookie);
      return named && { socket: named, evidence: 'descriptor' };
    }
    // A goroutine is not bound to its thread: what the thread did meanwhile says nothing.
    if (session.library === 'go') return undefined;
    const thread = this.#threads.get(record.tid);
    if (thread === undefined) return undefined;
    if (thread.last !== undefined && thread.lastTime >= record.start && thread.lastTime <= record.time) {
      return { socket: thread.last, evidence: 'call' };
    }
    if (session.socket !== undefined || record.egress) return undefined;
    const { received } = thread;
    const fits =
      received !== undefined && received.session === undefined && received.bytes[0] > record.length;
    return fits ? { socket: received, evidence: 'order' } : undefined;
  }

  #join(session: Session, socket: Socket, evidence: TlsEvidence, at: { time: MonoNs; turn: number }): void {
    if (session.socket !== undefined) {
      // The program has put its session on another socket, or the weaker evidence was wrong: the old one is over.
      this.#leaveSocket(session, at.time);
      session.turnBase = at.turn - 1;
      session.base.fill(undefined);
    }
    const other = socket.session;
    if (other !== undefined && other !== session) this.#leaveSocket(other, at.time);
    session.socket = socket;
    session.evidence = evidence;
    session.view = undefined;
    socket.session = session;
    if (evidence === 'descriptor') this.joinedByDescriptor++;
    else if (evidence === 'call') this.joinedByCall++;
    else this.joinedByOrder++;
    const { waiting } = session;
    session.waiting = [];
    this.#waiting -= waiting.length;
    for (const record of waiting) this.#emit(session, socket, record);
  }

  #emit(session: Session, socket: Socket, record: PlainRecord): void {
    const direction = record.egress ? 1 : 0;
    // Without the beginning of the stream any number does that is not every other session's too.
    session.base[direction] ??= socket.base[direction] ?? Math.imul(session.id >>> 4, 0x9e3779b1) >>> 0;
    session.lastTurn = record.turn;
    record.place(socket.cookie, socket.tuple, session.base[direction], session.turnBase);
    if (!socket.inClear && socket.hello === undefined) {
      socket.inClear = true;
      this.#output.inClear(socket.cookie);
    }
    this.#output.plaintext(record);
  }

  #leaveSocket(session: Session, time: MonoNs): void {
    const { socket } = session;
    if (socket === undefined) return;
    socket.session = undefined;
    session.socket = undefined;
    this.#output.closed({
      time,
      tgid: socket.tgid,
      socketCookie: socket.cookie,
      bytesSent: 0,
      bytesReceived: 0,
      turns: session.lastTurn - session.turnBase,
      error: 0,
      tuple: socket.tuple,
    });
  }

  #hold(session: Session, record: TlsDataRecord): void {
    if (session.waiting.length >= MAX_WAITING_RECORDS || this.#waiting >= MAX_WAITING_TOTAL) {
      this.unjoined++;
      return;
    }
    session.waiting.push(new PlainRecord(record, true));
    this.#waiting++;
    if (!record.egress || session.library === 'go') return;
    const thread = this.#threads.get(record.tid);
    if (thread !== undefined) thread.writer = session;
    else {
      this.#threads.set(record.tid, { last: undefined, lastTime: 0, received: undefined, writer: session });
    }
  }

  #dropWaiting(session: Session): void {
    this.unjoined += session.waiting.length;
    this.#waiting -= session.waiting.length;
    session.waiting = [];
  }
}
