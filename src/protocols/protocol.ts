/**
 * The contract of a wire protocol: what it declares, and the parser it creates for each connection.
 *
 *     segments of a connection ──► Conversation ──► recognise() of every protocol ──► the one that fits
 *                                      └► ProtocolParser.read / skip ──► ParserHost.begin / finish ──► describe()
 *
 * A protocol is a folder `src/protocols/<name>/` and one line in `list.ts`. Everything in it is pure: bytes and times in,
 * exchanges out; no I/O, no clock, no timers. `README.md` beside this file tells how to add one.
 */
import type { WireExchange } from './exchange.js';
import type { ProtocolOptions } from './options.js';
import type { SpanSink } from './span-sink.js';

export type Transport = 'tcp' | 'udp' | 'unix';

/** An end of a connection: the `client` opened it. */
export type Side = 'client' | 'server';

/** How a response finds its request. */
export type PairingRule =
  /** The n-th response answers the n-th request. */
  | 'in_order'
  /** Messages carry an id (stream, correlation id, transaction id). */
  | 'by_id'
  /** Operations that nobody answers, beside or instead of answered ones. */
  | 'one_way';

/** Conventions that a protocol's spans follow (semantic conventions 1.44). */
export type SpanConvention = 'http' | 'database' | 'rpc' | 'messaging' | 'dns' | 'none';

/**
 * What `recognise` answers: how sure it is (1 to 100) that the bytes begin a message of this protocol, positive when the
 * client sent it and negative when the server did; 0 when they do not. Below `DECIDED` more messages are looked at, and
 * what they say adds up.
 */
export type Verdict = number;

export const NOT_OURS: Verdict = 0;
/** Fits so far, but anything might: a prefix too short to tell. */
export const UNDECIDED: Verdict = 5;
/** Two or three fields that fit; other protocols may look the same. */
export const POSSIBLE: Verdict = 40;
/** A structure that hardly occurs by chance. */
export const LIKELY: Verdict = 70;
/** From here on the connection is taken to speak the protocol. */
export const DECIDED: Verdict = 80;
/** A magic number or a grammar that nothing else has. */
export const CERTAIN: Verdict = 98;

/** Bytes of each message that a parser wants to see. The capture is asked for the largest of all that are enabled. */
export interface CaptureNeed {
  readonly head: number;
  /** Last bytes of an operation, where an end can be told from them. */
  readonly tail: number;
}

/** What `docs/protocols.md` says of a protocol. Markdown, one line each. */
export interface ProtocolDocs {
  /** Versions and message types that are parsed. */
  readonly parsed: string;
  /** The span's name, for example `{method}` or `{operation} {collection}`. */
  readonly spanName: string;
  /** Keys that `describe` may set, in the order in which a reader would look for them. */
  readonly attributes: readonly string[];
  /** What makes a span an error. */
  readonly errors: string;
  /** What is not parsed, or not always right, and what happens then. */
  readonly limits: readonly string[];
}

/**
 * `D` is what the protocol knows of one exchange beyond times and sizes (method, statement, topic, status); it is created
 * with the request, completed with the response, and read by `describe`.
 */
export interface Protocol<D extends object = object> {
  /** `lower_snake_case`, the folder's name, and the value of `network.protocol.name` unless `describe` says otherwise. */
  readonly name: string;
  /** As people write it. */
  readonly title: string;
  readonly convention: SpanConvention;
  /** Value of `db.system.name`, `rpc.system.name` or `messaging.system`. */
  readonly system?: string;
  readonly transports: readonly Transport[];
  /** Registered ports. Only a hint: they break ties between weak verdicts and never decide alone. */
  readonly ports: readonly number[];
  readonly pairing: PairingRule;
  /** The server sends first (a greeting). */
  readonly serverFirst: boolean;
  /** Where a trace context travels, in words (`traceparent` header, …); empty when the protocol has no place for one. */
  readonly carriers: readonly string[];
  readonly capture: { readonly request: CaptureNeed; readonly response: CaptureNeed };
  readonly docs: ProtocolDocs;

  /**
   * Do `bytes[start, end)` begin a message of this protocol? `from` is the end that sent them where that is known.
   * Called with the beginnings of operations and datagrams of connections that are not recognised yet, so a rejection
   * takes 200 ns at most: look at the first bytes first. `bytes` may be longer than `end`, and the message too.
   */
  recognise(bytes: Buffer, start: number, end: number, from: Side | undefined): Verdict;

  createParser(host: ParserHost<D>): ProtocolParser;

  /** Says what the exchange was, in the words of the semantic conventions. May be called long after it ended. */
  describe(exchange: WireExchange<D>, span: SpanSink, options: ProtocolOptions): void;
}

/** When and by whom bytes were moved. The object is reused for the next bytes: copy what you keep. */
export interface Moment {
  /** CLOCK_MONOTONIC ns (captures: ns of their own clock). */
  time: number;
  /** Process and thread; 0 when unknown (captures). */
  tgid: number;
  tid: number;
  /** Position in the direction's stream, not wrapped; increases by one for each byte, visible or not. */
  offset: number;
}

/**
 * Parses both directions of one connection.
 *
 * Every byte of a direction is told of exactly once and in order: `read` for those that are visible, `skip` for those
 * that are not. The first byte may be in the middle of a message. Of a datagram protocol each `read` (with the `skip`
 * that follows it) is one datagram.
 *
 * A parser keeps no reference to `bytes`, allocates nothing for a byte, keeps at most `MAX_PARSER_BYTES` of them, and
 * does not throw. When it has lost its place it passes over bytes until a message begins that it recognises; when what
 * it reads is no message it says so (`ParserHost.malformed`) and does the same.
 */
export interface ProtocolParser {
  /**
   * `bytes[start, end)` were sent by the client or by the server. The parser takes all of them.
   * `at` belongs to the first of them; only `at.offset` changes from byte to byte.
   */
  read(fromClient: boolean, bytes: Buffer, start: number, end: number, at: Moment): void;

  /** `count` bytes exist that nobody will show: not captured, or (`lost`) missed by the capture. */
  skip(fromClient: boolean, count: number, lost: boolean, at: Moment): void;

  /**
   * An operation (a send or receive system call) ended. `bytes[tail, tail + 8)` are its last eight bytes (zero before its
   * start). Called only where the kernel shows operations; needed by parsers whose `capture.tail` is not 0.
   */
  operationEnd?(fromClient: boolean, bytes: Buffer, tail: number, at: Moment): void;

  /** That end will send no more (FIN). */
  end?(fromClient: boolean, at: Moment): void;

  /** The connection is over, or is forgotten. Finish what this completes; the host ends what is left open. */
  close?(reason: CloseReason, at: Moment): void;
}

export type CloseReason = 'closed' | 'reset' | 'evicted' | 'shutdown';

/** Bytes that one parser may keep, of both directions together. */
export const MAX_PARSER_BYTES = 256 * 1024;

/** Why an exchange that happened was not reported. */
export const LOSS_REASONS = [
  /** The connection was dropped from the table to make room. */
  'evicted',
  /** Its bytes make no sense. */
  'malformed',
  /** Its beginning was not visible: not captured, or missed by the capture. */
  'not_captured',
  /** Its request was before the first byte that was seen. */
  'joined_in_middle',
  /** More exchanges were open on one connection than the limit allows. */
  'over_limit',
  /** It was under way when the agent stopped. */
  'shutdown',
] as const;
export type LossReason = (typeof LOSS_REASONS)[number];

/** The connection, as its parser may know it. */
export interface ConnectionFacts {
  readonly transport: Transport;
  readonly serverAddress: string;
  readonly serverPort: number;
  /** The first byte of the connection (or, after `become`, of the new protocol) is the first one that is told of. */
  readonly fromStart: boolean;
  /** What the parser before this one handed over to it (`ParserHost.become`). */
  readonly carried: unknown;
}

/** First and last byte of a message. `Frame` of `frame-reader.ts` is one. */
export interface MessageExtent {
  readonly first: Moment;
  readonly last: Moment;
  /** Bytes on the wire. */
  readonly length: number;
  /** Some of its bytes were missed by the capture. */
  readonly gap: boolean;
}

/**
 * What a parser reports to. Counts so that at any moment
 *
 *     exchanges begun + missed = finished + lost{reason} + open
 */
export interface ParserHost<D extends object> {
  readonly facts: ConnectionFacts;
  readonly options: ProtocolOptions;

  /** A request was read as far as `detail` needs it. The exchange is open until `finish` or `drop`. */
  begin(detail: D, request: MessageExtent): WireExchange<D>;

  /** The response ended (or, without one, the operation): reports the exchange. Does nothing for one that is over. */
  finish(exchange: WireExchange<D>, response: MessageExtent | undefined, incomplete?: 'gap' | 'reset'): void;

  /** An exchange that can't be reported. Does nothing for one that is over. */
  drop(exchange: WireExchange<D>, reason: LossReason): void;

  /** `count` exchanges that happened but never began here. */
  missed(reason: LossReason, count: number): void;

  /** Bytes that are no message. After a few in a row without `begin` or `finish` the connection is recognised anew. */
  malformed(): void;

  /**
   * From the byte at `offset` (of the direction that is being read) on the connection speaks something else: the protocol
   * of that name (`http2` after `h2c`, `tls` after STARTTLS), or what the bytes look like when it is undefined. This parser
   * gets no more calls. Exchanges that are open stay open for a named protocol, whose parser gets `carry` as
   * `ConnectionFacts.carried`; otherwise they end.
   */
  become(name: string | undefined, offset: number, carry?: unknown): void;
}

/** A protocol of the list, whatever its detail. */
// biome-ignore lint/suspicious/noExplicitAny: the list holds protocols of different details; each only sees its own.
export type AnyProtocol = Protocol<any>;
