/**
 * One connection: places bytes in the streams of its two directions, finds out what it speaks, and feeds the parser.
 *
 *     segment (direction, position, visible bytes, length)
 *        │  position beyond what was seen: lost bytes      before it: seen already (retransmitted, peeked, overlapping)
 *        ├► undecided: kept (bounded) and shown to `Recognition`
 *        ├► decided: to the parser, in order: read, skip
 *        └► nothing fits: ignored, and looked at again now and then
 *
 * A parser that throws or keeps too much is a bug and costs its own connection only: it is counted (`failed`).
 */
import { StreamCursor } from '../observer/stream-cursor.js';
import type { ProtocolCount, ProtocolCounters } from './counters.js';
import type { EndpointMemory } from './endpoint-memory.js';
import type { WireExchange } from './exchange.js';
import { createMoment } from './frame-reader.js';
import { ExchangeLedger, type ExchangeOutput } from './ledger.js';
import type { ProtocolOptions } from './options.js';
import type {
  AnyProtocol,
  CloseReason,
  ConnectionFacts,
  LossReason,
  MessageExtent,
  Moment,
  ParserHost,
  ProtocolParser,
  Transport,
} from './protocol.js';
import { hintBonus, type Recognised, Recognition } from './recognition.js';
import type { ProtocolRegistry } from './registry.js';

/** What connections share. */
export interface ConversationShared {
  readonly registry: ProtocolRegistry;
  readonly options: ProtocolOptions;
  readonly counters: ProtocolCounters;
  readonly memory: EndpointMemory;
  /** A parser threw: a bug that costs its connection. */
  readonly failed?: (protocol: string, error: unknown) => void;
}

/** The ends of a connection; `local` is the one whose view this is. */
export interface ConversationEnds {
  readonly transport: Transport;
  readonly localAddress: string;
  readonly localPort: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
}

/** Bytes that moved at one end. Valid during the call. */
export interface Segment {
  /** The local end sent them. */
  readonly egress: boolean;
  /** TCP sequence number of the first byte, or any number that grows with each byte and wraps at 2^32. */
  readonly position: number;
  /** `bytes[start, end)` are visible, of `length` bytes. */
  readonly length: number;
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
  /** The operation's last eight bytes are `bytes[tail, tail + 8)`; -1 when they are not known. */
  readonly tail: number;
  readonly time: number;
  readonly tgid: number;
  readonly tid: number;
}

/** Bytes kept while it is not known what they are; what comes after is told as not captured. */
const MAX_PENDING = 32 * 1024;
const MAX_PENDING_PARTS = 128;
/** `malformed` in a row, without a message in between, after which the connection is recognised anew. */
const MAX_MALFORMED = 3;
/** A connection that was not recognised is looked at again after so many segments, and then ever more seldom. */
const LOOK_AGAIN = 64;
/** Times that a connection may be recognised anew. */
const MAX_STARTS = 8;

interface Pending {
  readonly egress: boolean;
  readonly bytes: Buffer;
  readonly unseen: number;
  readonly lost: boolean;
  readonly moment: Moment;
}

export class Conversation {
  readonly ends: ConversationEnds;
  /** The local end is the client; undefined while that is not known. */
  localIsClient: boolean | undefined;
  readonly #shared: ConversationShared;
  readonly #ledger: ExchangeLedger;
  readonly #memoryKey: (localIsClient: boolean) => string;
  readonly #sent = new StreamCursor();
  readonly #received = new StreamCursor();
  readonly #moment = createMoment();
  /** Who opened the connection was seen, not concluded. */
  readonly #sidesKnown: boolean;
  #fresh: boolean;
  #protocol: AnyProtocol | undefined;
  #parser: ProtocolParser | undefined;
  #count: ProtocolCount | undefined;
  #recognition: Recognition | undefined;
  #pending: Pending[] = [];
  #pendingBytes = 0;
  #malformed = 0;
  #starts = 0;
  #ignored = 0;
  #lookAgain = LOOK_AGAIN;
  #lastActivity = 0;
  #becoming:
    | { readonly name: string | undefined; readonly offset: number; readonly carry: unknown }
    | undefined;
  #carried: unknown;
  #closed = false;

  /** `fresh`: the connection's opening was seen. `memoryKey`: what its server is known by, seen from either role. */
  constructor(
    shared: ConversationShared,
    ends: ConversationEnds,
    localIsClient: boolean | undefined,
    fresh: boolean,
    output: ExchangeOutput,
    memoryKey?: (localIsClient: boolean) => string,
  ) {
    this.#shared = shared;
    this.ends = ends;
    this.localIsClient = localIsClient;
    this.#fresh = fresh;
    this.#sidesKnown = localIsClient !== undefined;
    this.#ledger = new ExchangeLedger(output, (name) => shared.counters.of(name));
    this.#memoryKey =
      memoryKey ??
      ((client) =>
        client ? `${ends.remoteAddress} ${ends.remotePort}` : `${ends.localAddress} ${ends.localPort}`);
  }

  /** What it speaks, once that is known. */
  get protocol(): string | undefined {
    return this.#protocol?.name;
  }

  /** It speaks nothing that is known, and nobody will look again. */
  get hopeless(): boolean {
    return this.#protocol === undefined && this.#starts >= MAX_STARTS;
  }

  /** Exchanges that are neither finished nor lost yet. */
  get held(): number {
    return this.#ledger.held;
  }

  /** The first byte of a direction will be at `position`: what is missing before the first segment is known then. */
  startAt(egress: boolean, position: number): void {
    (egress ? this.#sent : this.#received).begin(position);
  }

  /** The open exchange whose request begins at `offset` of its stream. */
  requestAt(offset: number): WireExchange | undefined {
    return this.#ledger.requestAt(offset);
  }

  data(segment: Segment): void {
    if (this.#closed) return;
    this.#segment(segment);
    this.#ledger.settle();
  }

  #segment(segment: Segment): void {
    this.#lastActivity = segment.time;
    const cursor = segment.egress ? this.#sent : this.#received;
    cursor.begin(segment.position);
    const distance = cursor.distance(segment.position);
    let { start, length } = segment;
    const moment = this.#moment;
    placeMoment(moment, segment, cursor.offset);
    if (distance > 0) {
      this.#unseen(segment.egress, distance, true, moment);
      cursor.advance(distance);
      moment.offset = cursor.offset;
    } else if (distance < 0) {
      if (-distance >= length) return;
      start = Math.min(start - distance, segment.end);
      length += distance;
    }
    if (length === 0 && this.ends.transport !== 'udp') return;
    const visible = Math.min(segment.end - start, length);
    cursor.advance(length);
    if (this.#parser === undefined)
      this.#undecided(segment.egress, segment.bytes, start, visible, length, moment);
    else {
      if (visible > 0) this.#read(segment.egress, segment.bytes, start, start + visible, moment);
      if (length > visible) {
        moment.offset = cursor.offset - (length - visible);
        this.#unseen(segment.egress, length - visible, false, moment);
      }
    }
    if (segment.tail >= 0 && this.#parser?.operationEnd !== undefined) {
      moment.offset = cursor.offset - 1;
      this.#guard(() =>
        this.#parser?.operationEnd?.(this.#fromClient(segment.egress), segment.bytes, segment.tail, moment),
      );
    }
  }

  /** That end will send no more. */
  end(egress: boolean, time: number): void {
    if (this.#closed || this.#parser?.end === undefined) return;
    const moment = this.#at(egress, time);
    this.#guard(() => this.#parser?.end?.(this.#fromClient(egress), moment));
  }

  /** `count` requests with their responses went by of which no byte was visible. Counted where each run is a message. */
  hiddenExchanges(count: number): void {
    if (this.#count === undefined || this.#protocol?.pairing !== 'in_order') return;
    this.#count.missed += count;
    this.#count.lost.not_captured += count;
  }

  /** Messages of this conversation were lost, nobody knows which: what stays unanswered may have been answered. */
  missedMessages(): void {
    this.#ledger.doubt();
  }

  /** Everything that is open fails with `error`, an errno; the conversation goes on. */
  fail(error: number, time: number): void {
    this.#ledger.close('reset', time, error);
  }

  /** The last call: everything that is open ends. `error`: errno that ended the connection, 0 for none. */
  close(reason: CloseReason, time: number, error = 0): void {
    if (this.#closed) return;
    if (this.#parser === undefined) this.#lastGuess();
    const moment = this.#at(false, time);
    if (this.#parser?.close !== undefined) this.#guard(() => this.#parser?.close?.(reason, moment));
    this.#closed = true;
    this.#ledger.close(reason, time, error);
    this.#parser = undefined;
    if (this.#recognition !== undefined && this.#starts === 0) this.#shared.counters.unrecognised++;
  }

  /** Ends exchanges of which nothing was heard for `timeoutNs`. Call about once a second. */
  sweep(now: number, timeoutNs: number): void {
    if (this.#ledger.held === 0) return;
    // A datagram says nothing of the exchanges of others.
    if (this.ends.transport === 'udp') this.#ledger.timeOut(now, now - timeoutNs);
    else if (now - this.#lastActivity >= timeoutNs) this.#ledger.timeOut(now);
  }

  #at(egress: boolean, time: number): Moment {
    const moment = this.#moment;
    moment.time = time;
    moment.tgid = 0;
    moment.tid = 0;
    moment.offset = (egress ? this.#sent : this.#received).offset;
    return moment;
  }

  #fromClient(egress: boolean): boolean {
    return egress === this.localIsClient;
  }

  #read(egress: boolean, bytes: Buffer, start: number, end: number, at: Moment): void {
    const parser = this.#parser!;
    try {
      parser.read(this.#fromClient(egress), bytes, start, end, at);
    } catch (error) {
      this.#fail(error);
      return;
    }
    if (this.#becoming !== undefined) {
      const rest = Math.min(end, Math.max(start, start + this.#becoming.offset - at.offset));
      this.#change();
      if (rest === end) return;
      const moment = { ...at, offset: at.offset + rest - start };
      if (this.#parser === undefined) this.#undecided(egress, bytes, rest, end - rest, end - rest, moment);
      else this.#read(egress, bytes, rest, end, moment);
    } else if (this.#malformed >= MAX_MALFORMED) this.#leave();
  }

  #unseen(egress: boolean, count: number, lost: boolean, at: Moment): void {
    if (this.#parser === undefined) {
      this.#hold(egress, NOTHING, 0, 0, count, lost, at);
      return;
    }
    this.#guard(() => this.#parser?.skip(this.#fromClient(egress), count, lost, at));
  }

  #guard(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#fail(error);
      return;
    }
    if (this.#becoming !== undefined) this.#change();
    else if (this.#malformed >= MAX_MALFORMED) this.#leave();
  }

  #undecided(
    egress: boolean,
    bytes: Buffer,
    start: number,
    visible: number,
    length: number,
    at: Moment,
  ): void {
    if (this.#recognition === undefined && !this.#startLooking()) return;
    const recognition = this.#recognition!;
    const { localPort, remotePort } = this.ends;
    const known = this.#known();
    const bonus = (protocol: AnyProtocol) => hintBonus(protocol, localPort, remotePort, known);
    this.#hold(egress, bytes, start, start + visible, length - visible, false, at);
    let found = recognition.look(egress, bytes, start, start + visible, this.localIsClient, bonus);
    if (found === undefined && (recognition.exhausted || this.#pendingBytes >= MAX_PENDING)) {
      found = recognition.best(bonus);
      if (found === undefined) {
        this.#ignore();
        return;
      }
    }
    if (found !== undefined) this.#decide(found);
  }

  /** Begins to look at a connection, now or again; false while it is not time for that. */
  #startLooking(): boolean {
    if (this.#starts >= MAX_STARTS) return false;
    if (this.#starts > 0 && this.#ignored++ < this.#lookAgain) {
      return false;
    }
    this.#recognition = new Recognition(this.#shared.registry.of(this.ends.transport));
    return true;
  }

  #ignore(): void {
    if (this.#starts === 0) this.#shared.counters.unrecognised++;
    this.#starts++;
    this.#ignored = 0;
    this.#lookAgain *= 2;
    this.#recognition = undefined;
    this.#dropPending();
    this.#fresh = false;
  }

  #hold(
    egress: boolean,
    bytes: Buffer,
    start: number,
    end: number,
    unseen: number,
    lost: boolean,
    at: Moment,
  ) {
    if (this.#recognition === undefined) {
      if (lost || unseen > 0) this.#fresh = false;
      return;
    }
    const room = Math.min(end, start + MAX_PENDING - this.#pendingBytes);
    if (this.#pending.length >= MAX_PENDING_PARTS) {
      this.#pendingBytes = MAX_PENDING;
      return;
    }
    const kept = Buffer.from(bytes.subarray(start, Math.max(start, room)));
    this.#pendingBytes += kept.length;
    const cut = end - start - kept.length;
    this.#pending.push({ egress, bytes: kept, unseen: unseen + cut, lost, moment: { ...at } });
  }

  #dropPending(): void {
    this.#pending = [];
    this.#pendingBytes = 0;
  }

  #known(): string | undefined {
    const { memory } = this.#shared;
    if (this.localIsClient !== undefined) return memory.get(this.#memoryKey(this.localIsClient));
    return memory.get(this.#memoryKey(true)) ?? memory.get(this.#memoryKey(false));
  }

  #lastGuess(): void {
    if (this.#recognition === undefined) return;
    const { localPort, remotePort } = this.ends;
    const known = this.#known();
    const found = this.#recognition.best((protocol) => hintBonus(protocol, localPort, remotePort, known));
    if (found !== undefined) this.#decide(found);
  }

  #decide({ protocol, localIsClient }: Recognised): void {
    this.localIsClient ??= localIsClient;
    this.#shared.memory.learn(this.#memoryKey(this.localIsClient), protocol.name);
    this.#shared.counters.of(protocol.name).connections++;
    this.#recognition = undefined;
    const pending = this.#pending;
    this.#dropPending();
    this.#start(protocol);
    for (const part of pending) {
      const { egress, bytes, unseen, lost, moment } = part;
      if (this.#parser === undefined) return;
      if (bytes.length > 0) this.#read(egress, bytes, 0, bytes.length, moment);
      if (unseen === 0 || this.#parser === undefined) continue;
      moment.offset += bytes.length;
      this.#unseen(egress, unseen, lost, moment);
    }
  }

  #start(protocol: AnyProtocol): void {
    this.#protocol = protocol;
    this.#count = this.#shared.counters.of(protocol.name);
    this.#malformed = 0;
    this.#starts++;
    try {
      this.#parser = protocol.createParser(this.#host(protocol));
    } catch (error) {
      this.#fail(error);
    }
  }

  #change(): void {
    const { name, carry } = this.#becoming!;
    this.#becoming = undefined;
    this.#parser = undefined;
    const next = name === undefined ? undefined : this.#shared.registry.get(name);
    this.#carried = carry;
    if (next !== undefined) {
      this.#shared.counters.of(next.name).connections++;
      this.#start(next);
      return;
    }
    this.#ledger.abandon('not_captured');
    this.#protocol = undefined;
    // A protocol that is not in the list (WebSocket): nothing more is to be found here.
    if (name !== undefined) this.#starts = MAX_STARTS;
    if (this.#starts < MAX_STARTS) {
      this.#recognition = new Recognition(this.#shared.registry.of(this.ends.transport));
    }
  }

  /** It does not fit any more. */
  #leave(): void {
    this.#count!.left++;
    this.#parser = undefined;
    this.#ledger.abandon('malformed');
    this.#shared.memory.forget(this.#memoryKey(this.localIsClient === true));
    this.#protocol = undefined;
    this.#fresh = false;
    this.#malformed = 0;
    if (!this.#sidesKnown) this.localIsClient = undefined;
    if (this.#starts < MAX_STARTS) {
      this.#recognition = new Recognition(this.#shared.registry.of(this.ends.transport));
    }
  }

  #fail(error: unknown): void {
    this.#shared.failed?.(this.#protocol?.name ?? '', error);
    this.#count!.failed++;
    this.#parser = undefined;
    this.#becoming = undefined;
    this.#starts = MAX_STARTS;
    this.#ledger.abandon('malformed');
  }

  #host(protocol: AnyProtocol): ParserHost<object> {
    const ledger = this.#ledger;
    const count = this.#count!;
    const { name } = protocol;
    const carried = this.#carried;
    this.#carried = undefined;
    const { transport, localAddress, localPort, remoteAddress, remotePort } = this.ends;
    const facts: ConnectionFacts = {
      transport,
      serverAddress: this.localIsClient ? remoteAddress : localAddress,
      serverPort: this.localIsClient ? remotePort : localPort,
      fromStart: this.#fresh,
      carried,
    };
    return {
      facts,
      options: this.#shared.options,
      begin: (detail: object, request: MessageExtent) => {
        this.#malformed = 0;
        return ledger.begin(count, name, detail, request);
      },
      finish: (exchange: WireExchange, response: MessageExtent | undefined, incomplete?: 'gap' | 'reset') => {
        this.#malformed = 0;
        ledger.finish(exchange, response, incomplete);
      },
      drop: (exchange: WireExchange, reason: LossReason) => ledger.drop(exchange, reason),
      missed: (reason: LossReason, missed: number) => {
        count.missed += missed;
        count.lost[reason] += missed;
      },
      malformed: () => {
        count.malformed++;
        this.#malformed++;
      },
      become: (next: string | undefined, offset: number, carry?: unknown) => {
        this.#becoming = { name: next, offset, carry };
      },
    };
  }
}

const NOTHING = Buffer.alloc(0);

function placeMoment(moment: Moment, { time, tgid, tid }: Segment, offset: number): void {
  moment.time = time;
  moment.tgid = tgid;
  moment.tid = tid;
  moment.offset = offset;
}
