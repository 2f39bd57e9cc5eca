/**
 * The vocabulary of the observer: the worker thread that owns the kernel's events, the connections, the timeline and
 * the answers to join questions.
 */

import type { ConversationEnds } from '../protocols/conversation.js';
import type { WireExchange } from '../protocols/exchange.js';
import type { UrlTemplate } from '../protocols/http/url-template.js';
import type { AnyProtocol } from '../protocols/protocol.js';
import type { TlsView } from './tls/tls-join.js';
import type { TlsCloseRecord, TlsDataRecord } from './tls/tls-records.js';

/**
 * Nanoseconds of CLOCK_MONOTONIC as a float64. Exact up to 2^53 ns (104 days of uptime), within 8 ns for 3 years.
 * Wall-clock times are converted at the edges, see `clock.ts`.
 */
export type MonoNs = number;

export type Transport = 'tcp' | 'udp' | 'unix';

/**
 * Endpoints of a socket as its owner sees them; addresses as text ("127.0.0.1", "::1"), IPv4 never v4-mapped. Unix
 * sockets: the listener's path at the listener's end ("@name": abstract), '' where there is none or it is not known.
 */
export interface SocketTuple {
  readonly family: 'inet' | 'inet6' | 'unix';
  readonly localAddress: string;
  readonly localPort: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
}

/** A trace context found on the wire (https://www.w3.org/TR/trace-context/). Ids are lower-case hex. */
export interface WireContext {
  readonly traceId: string;
  /** Inbound: the parent of the server span. Outbound: the client span itself. */
  readonly spanId: string;
  readonly sampled: boolean;
  /** Header that carried it, for example `traceparent`. */
  readonly carrier: string;
  /** Vendor state to hand on (`tracestate`), where there was one. */
  readonly state?: string;
}

/** One request and its response on one connection, as seen at one end of it. */
export interface Exchange {
  /** Unique within this run, increasing. */
  readonly id: number;
  /** `http` for HTTP/1.x, else the name of a protocol of `src/protocols/list.ts`. */
  readonly protocol: string;
  /** `server`: this process received the request. `client`: it sent it. */
  readonly role: 'server' | 'client';
  readonly tgid: number;
  /** Thread that moved the first byte of the request (server: read it; client: wrote it). */
  readonly requestTid: number;
  /** Thread that moved the last byte of the response (server: wrote it; client: read it). */
  readonly responseTid: number;
  readonly socketCookie: number;
  readonly tuple: SocketTuple;
  /** First and last byte of the request on this thread's side of the socket. */
  readonly requestStart: MonoNs;
  readonly requestEnd: MonoNs;
  /** First and last byte of the response. */
  readonly responseStart: MonoNs;
  readonly responseEnd: MonoNs;
  readonly requestBytes: number;
  readonly responseBytes: number;
  /** Empty for what is no HTTP. */
  readonly http: {
    readonly method: string;
    /** Target as sent, cut at the query. */
    readonly path: string;
    readonly query: string | undefined;
    readonly host: string | undefined;
    readonly userAgent: string | undefined;
    /** 0 when no response was seen. */
    readonly statusCode: number;
    /** "1.0" or "1.1" */
    readonly version: string;
  };
  /** What it was, where another protocol than HTTP/1.x has parsed it. */
  readonly wire?: {
    readonly exchange: WireExchange;
    readonly protocol: AnyProtocol;
    readonly ends: ConversationEnds;
  };
  readonly context: WireContext | undefined;
  /** HTTP: the template of its path, set once when the exchange ends. */
  urlTemplate?: UrlTemplate | undefined;
  /** Seen in clear inside TLS; absent when the bytes were in clear on the wire. */
  readonly tls?: TlsView | undefined;
  /** Why a part of the truth is missing; absent when nothing is. */
  readonly incomplete: 'gap' | 'no_response' | 'reset' | undefined;
  /** errno that ended the connection before the response was complete. */
  readonly error?: number;
  /**
   * Trace id (16 bytes), span id (8) and parent span id (8, zero = none) of the span that this exchange becomes when
   * no span of an SDK stands for it. See `span-identity.ts`; absent only in hand-made exchanges.
   */
  readonly identity?: Uint8Array | undefined;
}

/** What the operating system knows of a process. Read once, kept for a while after its end. */
export interface ProcessInfo {
  readonly tgid: number;
  /** Clock ticks since boot, field 22 of /proc/PID/stat; with `tgid` it names a process for ever. */
  readonly startTicks: number;
  readonly comm: string;
  /** Path of the executable, '' when it could not be read. */
  readonly executable: string;
  readonly commandLine: readonly string[];
  /** `service.name` by the documented rules (OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES, script, jar, executable). */
  readonly serviceName: string;
  /** Other resource attributes known for this process (`service.namespace`, `container.id`, …). */
  readonly resourceAttributes: Readonly<Record<string, string>>;
  /** pid in the innermost pid namespace (NSpid), equal to `tgid` outside containers. */
  readonly namespacePid: number;
}

/** Looks processes up; never throws. Implemented over /proc, and over a recording in replay. */
export interface ProcessTable {
  get(tgid: number): ProcessInfo | undefined;
  /** Name of a thread now ("" when gone). */
  threadName(tgid: number, tid: number): string;
  /** Path of an open file if its inode is still `inode`, else undefined. */
  filePath(tgid: number, fd: number, inode: number): string | undefined;
  /** The process that owns the local end of a TCP connection, by /proc/net/tcp* and /proc/PID/fd; slow path. */
  socketOwner(tuple: SocketTuple): number | undefined;
  /** Drops what is known of a process when it has replaced its image or ended (kept readable for a minute). */
  invalidate(tgid: number, ended: boolean): void;
}

/** Turns addresses into names. Innermost first, one name per address ("[unknown]" included). Never throws. */
export interface Symbolizer {
  user(tgid: number, addresses: readonly bigint[]): string[];
  kernel(addresses: readonly bigint[]): string[];
  /** As `ProcessTable.invalidate`; call it with the same events. */
  invalidate?(tgid: number, ended: boolean): void;
}

/** A wait as the timeline stores it, decoded from `struct sched_wait_event`. Times are MonoNs. */
export interface WaitRecord {
  readonly tgid: number;
  readonly tid: number;
  readonly off: MonoNs;
  /** 0: unknown */
  readonly wake: MonoNs;
  /** Switch-in, or the time of the report while `open`. */
  readonly on: MonoNs;
  readonly onBefore: number;
  readonly open: boolean;
  readonly preempted: boolean;
  readonly syscall: number;
  readonly args: readonly [number, number, number];
  readonly state: number;
  readonly iowait: boolean;
  /** enum fd_kind */
  readonly fdKind: number;
  readonly wakerTgid: number;
  readonly wakerTid: number;
  readonly wakerSyscall: number;
  readonly socket:
    | { readonly cookie: number; readonly tuple: SocketTuple; readonly listening: boolean }
    | undefined;
  readonly file:
    | { readonly inode: number; readonly device: number; readonly fd: number; readonly name: string }
    | undefined;
}

/** A CPU sample, decoded from `struct cpu_sample_event`. */
export interface SampleRecord {
  readonly time: MonoNs;
  readonly tgid: number;
  readonly tid: number;
  readonly comm: string;
  /** Innermost first. */
  readonly kernelStack: readonly bigint[];
  readonly userStack: readonly bigint[];
}

/**
 * One movement of bytes, decoded from `struct net_data_event`. The object and `bytes` are valid only during the call:
 * 160,000 of these a second are affordable because nothing is allocated for one.
 */
export interface NetDataRecord {
  readonly time: MonoNs;
  readonly tgid: number;
  readonly tid: number;
  readonly socketCookie: number;
  readonly position: number;
  readonly length: number;
  readonly turn: number;
  readonly egress: boolean;
  readonly continuation: boolean;
  readonly noMemory: boolean;
  /** Less payload was kept than the rules allow, or none, because there was no room or no time for more. */
  readonly shed: boolean;
  /** Repeats the last bytes of the operation before, see `CaptureRule.tailBytes`: nothing moved. */
  readonly repeatsTail: boolean;
  /** UDP: the record is one datagram, `tuple` names its peer, `position` and `turn` number datagrams. */
  readonly transport: Transport;
  /** 0 unknown, 1 client, 2 server */
  readonly role: number;
  readonly tuple: SocketTuple;
  /** The captured payload is `bytes[payloadStart, payloadEnd)`, the tail `bytes[tailStart, tailStart + 8)`. */
  readonly bytes: Buffer;
  readonly payloadStart: number;
  readonly payloadEnd: number;
  readonly tailStart: number;
}

/**
 * Receives what the decoder reads, in the ring's order. The timeline and the join implement the lower half, the
 * connection table the upper half.
 */
export interface EventSink {
  netData(record: NetDataRecord): void;
  netOpen(record: NetOpenRecord): void;
  netClose(record: NetCloseRecord): void;
  netUnix?(record: NetUnixRecord): void;
  netTurns?(record: NetTurnsRecord): void;
  netError?(record: NetErrorRecord): void;
  tlsData?(record: TlsDataRecord): void;
  tlsClose?(record: TlsCloseRecord): void;
  wait(record: WaitRecord): void;
  sample(record: SampleRecord): void;
  exec(record: { time: MonoNs; tgid: number; parentTgid: number; comm: string }): void;
  exit(record: { time: MonoNs; tgid: number; tid: number; exitCode: number; last: boolean }): void;
}

export interface NetOpenRecord {
  readonly time: MonoNs;
  readonly tgid: number;
  readonly tid: number;
  readonly socketCookie: number;
  /** 0: accepted, or not seen */
  readonly connectStart: MonoNs;
  readonly role: number;
  readonly tuple: SocketTuple;
  /** The connection is older than the programs: found in the process, without its beginning. */
  readonly existing?: boolean;
  /** Inode number of the network namespace. */
  readonly netns?: number;
}

/** A unix stream socket is seen for the first time, just before its first byte. */
export interface NetUnixRecord {
  readonly time: MonoNs;
  readonly tgid: number;
  readonly tid: number;
  readonly socketCookie: number;
  /** Cookie of the other end, 0 when that is closed. */
  readonly peerCookie: number;
  /** Process that connected, or that listens; 0 when not known. */
  readonly peerTgid: number;
  readonly role: number;
  readonly tuple: SocketTuple;
}

/** A socket has had so many turns; the records of some were lost. */
export interface NetTurnsRecord {
  readonly time: MonoNs;
  readonly tgid: number;
  readonly socketCookie: number;
  readonly turns: number;
  readonly transport: Transport;
  readonly tuple: SocketTuple;
}

/** An operation on a UDP or unix socket failed, or (error 0) a unix stream ended. */
export interface NetErrorRecord {
  readonly time: MonoNs;
  readonly tgid: number;
  readonly tid: number;
  readonly socketCookie: number;
  /** errno; 0: end of stream */
  readonly error: number;
  readonly egress: boolean;
  readonly transport: Transport;
  readonly tuple: SocketTuple;
}

export interface NetCloseRecord {
  readonly time: MonoNs;
  readonly tgid: number;
  readonly socketCookie: number;
  readonly bytesSent: number;
  readonly bytesReceived: number;
  readonly turns: number;
  /** errno, 0 none */
  readonly error: number;
  readonly tuple: SocketTuple;
  /** It was never established: connect() failed, or was given up (`error` 0). */
  readonly unconnected?: boolean;
  /** When connect() was called; 0: accepted, or not seen. */
  readonly connectStart?: MonoNs;
  /** Thread that connected it or moved data last. */
  readonly tid?: number;
}

/** What a thread was doing, as words that users see. They sum, with `unattributed`, to a span's duration. */
export const TIME_CLASSES = [
  'cpu',
  'runqueue',
  'lock',
  'net',
  'disk',
  'sleep',
  'ipc',
  'idle',
  'other',
  'unattributed',
] as const;
export type TimeClass = (typeof TIME_CLASSES)[number];
