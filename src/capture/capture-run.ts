/**
 * Captured packets to exchanges: the same conversations as a live agent has, fed from a file.
 *
 *     packet ─► link layer ─► IP, fragments ─► TCP stream ─► Conversation ─► exchanges
 *                                          └─► UDP ────────►
 *
 * Every conversation is seen from its client, whichever end the capture was made at. Times are ns since the first packet.
 */
import { Conversation, type ConversationEnds, type ConversationShared } from '../protocols/conversation.js';
import type { WireExchange } from '../protocols/exchange.js';
import { IP_PROTOCOL, type IpPacket, IpReader } from './ip.js';
import { knowsLinkType, networkOffset } from './link-layer.js';
import type { Packet } from './packet-file.js';
import { type TakeBytes, TcpStream } from './tcp-stream.js';

export interface CaptureLimits {
  readonly maxConnections: number;
  /** An exchange without a byte on its connection for this long is given up. */
  readonly timeoutNs: number;
  /** A connection without a byte for this long is forgotten. */
  readonly idleNs: number;
}

export const DEFAULT_CAPTURE_LIMITS: CaptureLimits = {
  maxConnections: 65_536,
  timeoutNs: 60e9,
  idleNs: 15 * 60e9,
};

/** A finished exchange and the ends of its connection; `local` is the client. */
export type TakeExchange = (exchange: WireExchange, ends: ConversationEnds) => void;

/** What was read. */
export interface CaptureStats {
  packets: number;
  /** Packets without TCP or UDP in IP, or too short for their headers. */
  packetsIgnored: number;
  /** Packets of a link type that is not known. */
  packetsUnknownLink: number;
  connections: number;
  connectionsEvicted: number;
  fragmentsLost: number;
  /** TCP bytes that are not in the capture. */
  bytesLost: number;
}

const TCP = { fin: 0x01, syn: 0x02, rst: 0x04, ack: 0x10 } as const;
const UDP_IDLE_NS = 120e9;
const SWEEP_NS = 1e9;
const NO_BYTES = Buffer.alloc(0);

/** A segment that acknowledges what was not handed over yet: packets are not always captured in order. */
interface Deferred {
  readonly position: number;
  readonly bytes: Buffer;
  readonly length: number;
  readonly fin: boolean;
  readonly acknowledged: number;
  readonly time: number;
  /** `Flow.packets` when it came. */
  readonly since: number;
}

/** How long a deferred segment waits for what it answers. */
const PATIENCE_PACKETS = 12;
const PATIENCE_NS = 200e6;

interface Flow {
  readonly conversation: Conversation;
  /** Key of the end that is `local` in the conversation. */
  readonly localKey: string;
  readonly key: string;
  readonly udp: boolean;
  readonly sent: TcpStream;
  readonly received: TcpStream;
  readonly takeSent: TakeBytes;
  readonly takeReceived: TakeBytes;
  readonly sentDeferred: Deferred[];
  readonly receivedDeferred: Deferred[];
  packets: number;
  sentEnded: boolean;
  receivedEnded: boolean;
  lastTime: number;
  /** Sequence number of the client's SYN, to tell its repetition from a new connection. */
  syn: number | undefined;
  closed: boolean;
}

export class CaptureRun {
  readonly stats: CaptureStats = {
    packets: 0,
    packetsIgnored: 0,
    packetsUnknownLink: 0,
    connections: 0,
    connectionsEvicted: 0,
    fragmentsLost: 0,
    bytesLost: 0,
  };
  /** Time of the first packet: seconds since 1970 and ns within it. */
  readonly start = { seconds: 0, nanoseconds: 0 };
  readonly #shared: ConversationShared;
  readonly #limits: CaptureLimits;
  readonly #take: TakeExchange;
  readonly #ip = new IpReader();
  readonly #flows = new Map<string, Flow>();
  #now = 0;
  #swept = 0;

  constructor(
    shared: ConversationShared,
    take: TakeExchange,
    limits: CaptureLimits = DEFAULT_CAPTURE_LIMITS,
  ) {
    this.#shared = shared;
    this.#take = take;
    this.#limits = limits;
  }

  /** ns since the first packet, of the last one. */
  get now(): number {
    return this.#now;
  }

  packet(packet: Packet): void {
    const { stats, start } = this;
    if (stats.packets++ === 0) {
      start.seconds = packet.seconds;
      start.nanoseconds = packet.nanoseconds;
    }
    const time = (packet.seconds - start.seconds) * 1e9 + packet.nanoseconds - start.nanoseconds;
    this.#now = Math.max(this.#now, time);
    const offset = networkOffset(packet.linkType, packet.data);
    if (offset < 0) {
      if (knowsLinkType(packet.linkType)) stats.packetsIgnored++;
      else stats.packetsUnknownLink++;
      return;
    }
    const ip = this.#ip.read(packet.data, offset, Math.max(packet.length, packet.data.length) - offset);
    stats.fragmentsLost = this.#ip.fragmentsLost;
    if (ip === undefined) return;
    if (ip.protocol === IP_PROTOCOL.tcp && ip.payload.length >= 20) this.#tcp(ip, time);
    else if (ip.protocol === IP_PROTOCOL.udp && ip.payload.length >= 8) this.#udp(ip, time);
    else stats.packetsIgnored++;
    if (this.#now - this.#swept >= SWEEP_NS) this.#sweep();
  }

  /** The capture is over: everything that is open ends as if its connection did. */
  finish(): void {
    for (const flow of this.#flows.values()) this.#close(flow, 'closed');
    this.#flows.clear();
  }

  #tcp(ip: IpPacket, time: number): void {
    const { payload } = ip;
    const sourcePort = payload.readUInt16BE(0);
    const destinationPort = payload.readUInt16BE(2);
    const sequence = payload.readUInt32BE(4);
    const header = (payload[12]! >> 4) * 4;
    const flags = payload[13]!;
    if (header < 20 || header > ip.length) {
      this.stats.packetsIgnored++;
      return;
    }
    const source = `${ip.source} ${sourcePort}`;
    const destination = `${ip.destination} ${destinationPort}`;
    const syn = (flags & TCP.syn) !== 0;
    const ack = (flags & TCP.ack) !== 0;
    let flow = this.#find(`t ${source} ${destination}`) ?? this.#find(`t ${destination} ${source}`);
    if (flow !== undefined && syn && !ack && isNewConnection(flow, source, sequence)) {
      this.#remove(flow);
      flow = undefined;
    }
    if (flow === undefined) {
      if ((flags & TCP.rst) !== 0) return;
      // The end that is not known to be the server is taken for the client until the bytes tell.
      const serverSpeaks = syn && ack;
      flow = this.#create(false, ip, sourcePort, destinationPort, serverSpeaks, syn);
    }
    const egress = flow.localKey === source;
    const stream = egress ? flow.sent : flow.received;
    flow.lastTime = this.#now;
    flow.packets++;
    if (flow.closed) return;
    let position = sequence;
    if (syn) {
      position = (sequence + 1) >>> 0;
      if (!ack) flow.syn = sequence;
      if (!stream.known) {
        stream.start(position);
        flow.conversation.startAt(egress, position);
      }
    }
    const length = ip.length - header;
    const fin = (flags & TCP.fin) !== 0;
    const bytes = header < payload.length ? payload.subarray(header) : NO_BYTES;
    const acknowledged = payload.readUInt32BE(8);
    const other = egress ? flow.received : flow.sent;
    const queue = egress ? flow.sentDeferred : flow.receivedDeferred;
    if ((length > 0 || fin) && ack && (queue.length > 0 || other.isBehind(acknowledged))) {
      const since = flow.packets;
      queue.push({ position, bytes: Buffer.from(bytes), length, fin, acknowledged, time, since });
    } else {
      // What it acknowledges was received before it was sent.
      if (ack && !syn) other.acknowledged(acknowledged, time, egress ? flow.takeReceived : flow.takeSent);
      stream.segment(position, bytes, length, fin, time, egress ? flow.takeSent : flow.takeReceived);
    }
    if (flow.sentDeferred.length > 0 || flow.receivedDeferred.length > 0) this.#settle(flow, false);
    this.#checkEnds(flow, time);
    if ((flags & TCP.rst) !== 0) this.#close(flow, 'reset');
  }

  /** Hands over deferred segments whose turn has come; all of them when `last`. */
  #settle(flow: Flow, last: boolean): void {
    const { sentDeferred, receivedDeferred } = flow;
    for (;;) {
      if (this.#release(flow, true) || this.#release(flow, false)) continue;
      const first = older(sentDeferred[0], receivedDeferred[0]);
      if (first === undefined) return;
      // Each waits for the other, so neither comes late: what they acknowledge is not in the capture.
      const mutual = sentDeferred.length > 0 && receivedDeferred.length > 0;
      const patient = flow.packets - first.since < PATIENCE_PACKETS && this.#now - first.time < PATIENCE_NS;
      if (!last && !mutual && patient) return;
      if (first === sentDeferred[0]) flow.received.giveUp(first.acknowledged, first.time, flow.takeReceived);
      else flow.sent.giveUp(first.acknowledged, first.time, flow.takeSent);
    }
  }

  #release(flow: Flow, egress: boolean): boolean {
    const queue = egress ? flow.sentDeferred : flow.receivedDeferred;
    const other = egress ? flow.received : flow.sent;
    const first = queue[0];
    if (first === undefined || other.isBehind(first.acknowledged)) return false;
    queue.shift();
    const stream = egress ? flow.sent : flow.received;
    const take = egress ? flow.takeSent : flow.takeReceived;
    stream.segment(first.position, first.bytes, first.length, first.fin, first.time, take);
    return true;
  }

  #udp(ip: IpPacket, time: number): void {
    const { payload } = ip;
    const sourcePort = payload.readUInt16BE(0);
    const destinationPort = payload.readUInt16BE(2);
    const length = Math.min(payload.readUInt16BE(4) || ip.length, ip.length) - 8;
    if (length < 0) {
      this.stats.packetsIgnored++;
      return;
    }
    const source = `${ip.source} ${sourcePort}`;
    const destination = `${ip.destination} ${destinationPort}`;
    const flow =
      this.#find(`u ${source} ${destination}`) ??
      this.#find(`u ${destination} ${source}`) ??
      this.#create(true, ip, sourcePort, destinationPort, false, false);
    flow.lastTime = this.#now;
    const egress = flow.localKey === source;
    const stream = egress ? flow.sent : flow.received;
    const bytes = payload.subarray(8, Math.min(payload.length, 8 + length));
    const take = egress ? flow.takeSent : flow.takeReceived;
    take(stream.next, bytes, length, time);
    stream.next = (stream.next + length) >>> 0;
  }

  #find(key: string): Flow | undefined {
    return this.#flows.get(key);
  }

  #create(
    udp: boolean,
    ip: IpPacket,
    sourcePort: number,
    destinationPort: number,
    serverSpeaks: boolean,
    opened: boolean,
  ): Flow {
    const { maxConnections } = this.#limits;
    if (this.#flows.size >= maxConnections) {
      const oldest = this.#flows.values().next().value;
      if (oldest !== undefined) {
        this.stats.connectionsEvicted++;
        this.#close(oldest, 'evicted');
        this.#flows.delete(oldest.key);
      }
    }
    this.stats.connections++;
    const local = serverSpeaks
      ? { address: ip.destination, port: destinationPort }
      : { address: ip.source, port: sourcePort };
    const remote = serverSpeaks
      ? { address: ip.source, port: sourcePort }
      : { address: ip.destination, port: destinationPort };
    const ends: ConversationEnds = {
      transport: udp ? 'udp' : 'tcp',
      localAddress: local.address,
      localPort: local.port,
      remoteAddress: remote.address,
      remotePort: remote.port,
    };
    const conversation: Conversation = new Conversation(
      this.#shared,
      ends,
      opened ? true : undefined,
      opened || udp,
      {
        finished: (exchange) =>
          this.#take(exchange, conversation.localIsClient === false ? reversed(ends) : ends),
      },
    );
    const take =
      (egress: boolean): TakeBytes =>
      (position, bytes, length, time) =>
        conversation.data({
          egress,
          position,
          length,
          bytes,
          start: 0,
          end: Math.min(bytes.length, length),
          tail: -1,
          time,
          tgid: 0,
          tid: 0,
        });
    const localKey = `${local.address} ${local.port}`;
    const flow: Flow = {
      conversation,
      localKey,
      key: `${udp ? 'u' : 't'} ${localKey} ${remote.address} ${remote.port}`,
      udp,
      sent: new TcpStream(),
      received: new TcpStream(),
      takeSent: take(true),
      takeReceived: take(false),
      sentDeferred: [],
      receivedDeferred: [],
      packets: 0,
      sentEnded: false,
      receivedEnded: false,
      lastTime: this.#now,
      syn: undefined,
      closed: false,
    };
    this.#flows.set(flow.key, flow);
    return flow;
  }

  #checkEnds(flow: Flow, time: number): void {
    if (flow.sent.ended && !flow.sentEnded) {
      flow.sentEnded = true;
      flow.conversation.end(true, time);
    }
    if (flow.received.ended && !flow.receivedEnded) {
      flow.receivedEnded = true;
      flow.conversation.end(false, time);
    }
    if (flow.sentEnded && flow.receivedEnded) this.#close(flow, 'closed');
  }

  #close(flow: Flow, reason: 'closed' | 'reset' | 'evicted'): void {
    if (flow.closed) return;
    flow.closed = true;
    const time = Math.max(flow.lastTime, 0);
    if (!flow.udp) {
      this.#settle(flow, true);
      flow.received.flush(flow.takeReceived);
      flow.sent.flush(flow.takeSent);
    }
    this.stats.bytesLost += flow.sent.lostBytes + flow.received.lostBytes;
    flow.conversation.close(reason, time);
  }

  #remove(flow: Flow): void {
    this.#close(flow, 'closed');
    this.#flows.delete(flow.key);
  }

  #sweep(): void {
    this.#swept = this.#now;
    const { timeoutNs, idleNs } = this.#limits;
    for (const flow of this.#flows.values()) {
      const quiet = this.#now - flow.lastTime;
      if (quiet >= (flow.udp ? UDP_IDLE_NS : idleNs)) this.#remove(flow);
      else if (!flow.closed) flow.conversation.sweep(this.#now, timeoutNs);
    }
  }
}

function older(a: Deferred | undefined, b: Deferred | undefined): Deferred | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return a.since <= b.since ? a : b;
}

/** A SYN on ports that are in use begins a new connection, unless it is the first one's, sent again. */
function isNewConnection(flow: Flow, source: string, sequence: number): boolean {
  if (flow.closed) return true;
  if (flow.syn === undefined) return flow.sent.known;
  return flow.syn !== sequence || flow.localKey !== source;
}

const reversed = (ends: ConversationEnds): ConversationEnds => ({
  transport: ends.transport,
  localAddress: ends.remoteAddress,
  localPort: ends.remotePort,
  remoteAddress: ends.localAddress,
  remotePort: ends.localPort,
});
