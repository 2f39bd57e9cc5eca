/**
 * Redis of one connection: commands are answered in order, except that subscribers are also sent what they did not ask for
 * (https://redis.io/docs/latest/develop/interact/pubsub/, RESP3 pushes) and are answered once for each channel.
 */
import { copyMoment, createMoment } from '../frame-reader.js';
import { OrderedPairing } from '../pairing.js';
import type { MessageExtent, Moment, ParserHost, ProtocolParser } from '../protocol.js';
import { BLOCKING, CONTAINERS, PUSHES, SUBSCRIBING } from './commands.js';
import { RedisDetail } from './detail.js';
import { isLetter, isMark, RespReader } from './resp-reader.js';

class Extent implements MessageExtent {
  readonly first: Moment = createMoment();
  readonly last: Moment = createMoment();
  length = 0;
  gap = false;
}

const NAME = /^[A-Z][A-Z0-9._-]{0,31}$/;
/** Names of commands that one connection may bring; others are `_OTHER`. */
const MAX_NAMES = 256;

export class RedisParser implements ProtocolParser {
  readonly #host: ParserHost<RedisDetail>;
  readonly #pairing: OrderedPairing<RedisDetail>;
  readonly #requests: RespReader;
  readonly #replies: RespReader;
  readonly #request = new Extent();
  readonly #reply = new Extent();
  readonly #names = new Map<string, string>();
  #database: string | undefined;
  /** The connection has subscribed, or is a monitor. */
  #subscribed = false;
  #monitor = false;
  /** Commands since MULTI; -1 outside. */
  #queued = -1;
  /** CLIENT REPLY */
  #replying: 'on' | 'off' | 'skip' = 'on';
  /** The connection has become a stream to a replica. */
  #replica = false;
  #began = false;
  /** Replies of requests that were dropped may still come: nothing is paired until the client sends after a reply. */
  #astray = false;
  #serverSpoke = false;
  /** Commands follow each other without waiting for replies. */
  #pipelining = false;
  /** A command ended in the bytes that are being read. */
  #beganHere = false;

  constructor(host: ParserHost<RedisDetail>) {
    this.#host = host;
    this.#pairing = new OrderedPairing(host);
    this.#requests = new RespReader(true, !host.facts.fromStart);
    this.#replies = new RespReader(false, !host.facts.fromStart);
    this.#database = host.facts.fromStart ? '0' : undefined;
  }

  read(fromClient: boolean, bytes: Buffer, start: number, end: number, at: Moment): void {
    if (this.#replica) return;
    const reader = fromClient ? this.#requests : this.#replies;
    const extent = fromClient ? this.#request : this.#reply;
    if (reader.lost) {
      // More of a reply that nobody waits for any more is not looked at.
      const awaited = fromClient || this.#pairing.size > 0 || this.#subscribed || !this.#began;
      if (!awaited || !beginsValue(fromClient, bytes, start, end)) return;
      reader.find();
    }
    if (fromClient && this.#serverSpoke) this.#astray = false;
    this.#serverSpoke = !fromClient;
    this.#beganHere = false;
    for (let from = start; from < end; ) {
      if (reader.idle) beginExtent(extent, at, at.offset + from - start);
      const next = reader.read(bytes, from, end);
      this.#grow(fromClient, extent, next - from, at, at.offset + next - start - 1);
      from = next;
      if (reader.event === 'malformed') {
        this.#host.malformed();
        reader.lose();
        this.#lostPlace(fromClient);
        return;
      }
      if (reader.event === 'value') this.#value(fromClient);
      if (this.#replica) return;
    }
  }

  skip(fromClient: boolean, count: number, lost: boolean, at: Moment): void {
    if (this.#replica) return;
    const reader = fromClient ? this.#requests : this.#replies;
    const extent = fromClient ? this.#request : this.#reply;
    if (reader.lost) return;
    const began = !reader.idle;
    if (!began) beginExtent(extent, at, at.offset);
    extent.gap ||= lost;
    const named = fromClient && !lost && !reader.idle && reader.cut();
    const kept = reader.skip(count);
    // Of lost bytes between two values nobody knows what they were.
    if (began || !lost) this.#grow(fromClient, extent, count, at, at.offset + count - 1);
    if (!kept) {
      // The command's name was visible: that is a request like any other.
      if (named) this.#command();
      else this.#lostPlace(fromClient);
    } else if (reader.event === 'value') this.#value(fromClient);
  }

  #grow(fromClient: boolean, extent: Extent, count: number, at: Moment, last: number): void {
    extent.length += count;
    copyMoment(at, extent.last, last);
    if (fromClient) return;
    const first = this.#pairing.first;
    if (first !== undefined && first.responseStart === 0 && !this.#subscribed) {
      first.responseGrew(extent.first, extent.last, 0);
    }
  }

  #value(fromClient: boolean): void {
    if (fromClient) this.#command();
    else this.#answer();
  }

  // Commands

  #command(): void {
    const { strings, elements } = this.#requests;
    const [name] = strings;
    if (name === undefined || this.#requests.type === '') {
      this.#host.malformed();
      return;
    }
    let command = this.#nameOf(name);
    let skipped = 1;
    if (CONTAINERS.has(command) && strings[1] !== undefined) {
      command = `${command} ${this.#nameOf(strings[1])}`;
      skipped = 2;
    }
    this.#pipelining ||= this.#beganHere;
    this.#beganHere = true;
    this.#began = true;
    const args = strings.slice(skipped);
    const detail = new RedisDetail(command, args, Math.max(0, elements - skipped), this.#database);
    if (this.#astray) {
      this.#host.missed('not_captured', 1);
      return;
    }
    const silent = this.#isSilent(command, args);
    if (silent) {
      this.#host.finish(this.#host.begin(detail, this.#request), undefined);
      return;
    }
    const exchange = this.#pairing.begin(detail, this.#request);
    if (SUBSCRIBING.has(command)) {
      this.#subscribed = true;
      detail.answers = Math.max(1, detail.argCount);
    }
    exchange.waiting =
      BLOCKING.has(command) || ((command === 'XREAD' || command === 'XREADGROUP') && hasWord(args, 'BLOCK'));
    this.#transaction(command, detail);
    if (command === 'SELECT') this.#database = args[0]?.toString('latin1') ?? this.#database;
    if (command === 'MONITOR') this.#monitor = true;
    if (command === 'PSYNC' || command === 'SYNC') {
      exchange.waiting = true;
      this.#replica = true;
    }
  }

  #transaction(command: string, detail: RedisDetail): void {
    if (command === 'MULTI') this.#queued = 0;
    else if (command === 'EXEC' || command === 'DISCARD') {
      detail.batch = Math.max(0, this.#queued);
      this.#queued = -1;
    } else if (this.#queued >= 0) this.#queued++;
  }

  /** `CLIENT REPLY OFF` and `SKIP`: nobody answers. */
  #isSilent(command: string, args: readonly Buffer[]): boolean {
    if (command === 'CLIENT REPLY') {
      const mode = args[0]?.toString('latin1').toLowerCase();
      this.#replying = mode === 'off' ? 'off' : mode === 'skip' ? 'skip' : 'on';
      return this.#replying !== 'on';
    }
    if (this.#replying === 'on') return false;
    if (this.#replying === 'skip') this.#replying = 'on';
    return true;
  }

  #nameOf(bytes: Buffer): string {
    const raw = bytes.toString('latin1');
    const known = this.#names.get(raw);
    if (known !== undefined) return known;
    const upper = raw.toUpperCase();
    const name = NAME.test(upper) && this.#names.size < MAX_NAMES ? upper : '_OTHER';
    if (this.#names.size < MAX_NAMES) this.#names.set(raw, name);
    return name;
  }

  // Replies

  #answer(): void {
    const { type, strings, error } = this.#replies;
    const exchange = this.#pairing.first;
    const mayBePush = type === '>' || (type === '*' && this.#subscribed);
    if (mayBePush) {
      const kind = strings[0]?.toString('latin1') ?? '';
      if (PUSHES.has(kind)) return;
      const confirmed = kind.toUpperCase();
      if (SUBSCRIBING.has(confirmed)) {
        // UNSUBSCRIBE without names is answered once for each channel that there was.
        if (exchange?.detail.command !== confirmed) return;
      } else if (type === '>') return;
    }
    if (this.#monitor && type === '+' && isDigit(strings[0]?.[0])) return;
    if (this.#astray) return;
    if (exchange === undefined) {
      this.#host.missed(this.#began ? 'not_captured' : 'joined_in_middle', 1);
      return;
    }
    const { detail } = exchange;
    if (error !== undefined && detail.error === '') {
      detail.error = error;
      // The database that was selected is not.
      if (detail.command === 'SELECT' && this.#database === detail.args[0]?.toString('latin1')) {
        this.#database = detail.database;
      }
    }
    detail.answers = error === undefined ? detail.answers - 1 : 0;
    if (detail.answers > 0) exchange.responseGrew(this.#reply.first, this.#reply.last, this.#reply.length);
    else this.#pairing.finish(this.#reply);
  }

  // Lost bytes

  #lostPlace(fromClient: boolean): void {
    if (fromClient) return;
    if (this.#pipelining && this.#pairing.size > 1) {
      // Nobody knows whose the next reply is, until the client sends again after the server has been found.
      this.#pairing.dropAll('not_captured');
      this.#astray = true;
      return;
    }
    // One after the other: what is out of sight answered every command but the last, and that one too if it is alone.
    do {
      const exchange = this.#pairing.shift();
      if (exchange === undefined) return;
      if (exchange.responseStart !== 0) this.#host.finish(exchange, this.#reply);
      else this.#host.drop(exchange, 'not_captured');
    } while (this.#pairing.size > 1);
  }
}

function beginExtent(extent: Extent, at: Moment, offset: number): void {
  copyMoment(at, extent.first, offset);
  extent.length = 0;
  extent.gap = false;
}

function beginsValue(fromClient: boolean, bytes: Buffer, start: number, end: number): boolean {
  const first = bytes[start]!;
  if (fromClient && isLetter(first)) return false;
  if (!isMark(first) || (fromClient && first !== 0x2a)) return false;
  if (end - start < 2) return false;
  const second = bytes[start + 1]!;
  if (first === 0x2b || first === 0x2d) return isLetter(second);
  return second === 0x2d || isDigit(second) || first === 0x5f || first === 0x23 || first === 0x2c;
}

function hasWord(args: readonly Buffer[], upper: string): boolean {
  return args.some((arg) => arg.length === upper.length && arg.toString('latin1').toUpperCase() === upper);
}

const isDigit = (value: number | undefined): boolean => value !== undefined && value >= 0x30 && value <= 0x39;
