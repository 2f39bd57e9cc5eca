import type { Conversation } from '../protocols/conversation.js';
import type { ConnectionPlace } from './exchange-links.js';
import type { ExchangePairing } from './exchange-pairing.js';
import type { ExchangeRecognition } from './exchange-recognition.js';
import type { MonoNs, SocketTuple, Transport } from './types.js';

/**
 * One end of a TCP connection or of a unix stream, or a UDP socket and one of its peers. The two ends of a loopback
 * connection have different cookies.
 */
export class Connection {
  readonly cookie: number;
  readonly transport: Transport;
  tuple: SocketTuple;
  /** Inode number of the network namespace; 0 when not seen. */
  netns = 0;
  /** Unix: cookie and process of the other end, 0 when not known. */
  peerCookie = 0;
  peerTgid = 0;
  /** 0 unknown, 1 client, 2 server */
  role: number;
  /** Its beginning was seen: the first byte of turn 1 is the first byte of the stream. */
  fresh: boolean;
  /** Known by a note on its losses only: its first record will tell whether its beginning was seen. */
  noted = false;
  /** Turns without payload before it was known what it speaks, by parity: even ones, odd ones. */
  readonly shedTurns: [number, number] = [0, 0];
  /** Last turn of which a byte was seen since it is known what the conversation speaks, and its direction; 0: none. */
  visibleTurn = 0;
  visibleEgress = false;
  /** Its bytes are read elsewhere, in clear. */
  setAside = false;
  lastTime: MonoNs = 0;
  /** Last turn seen. */
  lastTurn: number;
  /** Turns up to this one were accounted for by an earlier entry of the table. */
  readonly accountedTurn: number;
  /** Both while a pairing is not proven, neither when the connection is not HTTP. */
  recognition: ExchangeRecognition | undefined;
  pairing: ExchangePairing | undefined;
  /** Looks for every other protocol, and parses it, while there is no pairing. */
  conversation: Conversation | undefined;
  /** Set when the socket is closed and an answer may still be read from its queue. */
  closed: { readonly turns: number; readonly error: number; readonly time: MonoNs } | undefined;
  /** Kept by `ExchangeLinks`. */
  place: ConnectionPlace | undefined;
  /** Neighbours in the order of last use, kept by the table. */
  newer: Connection | undefined;
  older: Connection | undefined;

  /** Which end of the exchanges this is, once that is known. */
  get side(): 'client' | 'server' | undefined {
    if (this.pairing !== undefined) return this.pairing.role;
    const isClient = this.conversation?.localIsClient;
    return isClient === undefined ? undefined : isClient ? 'client' : 'server';
  }

  /** Nobody knows yet what it speaks. */
  get undecided(): boolean {
    return this.pairing === undefined && this.conversation?.protocol === undefined;
  }

  /** The open exchange whose request starts at stream position `offset`. */
  requestAt(offset: number): { readonly identity: Uint8Array | undefined } | undefined {
    return this.pairing?.requestAt(offset) ?? this.conversation?.requestAt(offset);
  }

  constructor(
    cookie: number,
    transport: Transport,
    tuple: SocketTuple,
    role: number,
    fresh: boolean,
    accountedTurn: number,
    recognition: ExchangeRecognition | undefined,
  ) {
    this.cookie = cookie;
    this.transport = transport;
    this.tuple = tuple;
    this.role = role;
    this.fresh = fresh;
    this.accountedTurn = accountedTurn;
    this.lastTurn = accountedTurn;
    this.recognition = recognition;
  }
}
