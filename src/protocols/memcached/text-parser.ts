/**
 * Memcached's text protocol: https://github.com/memcached/memcached/blob/1.6.38/doc/protocol.txt (classic and meta commands).
 *
 *     get a b            VALUE a 0 5 / hello / END            one answer for all keys
 *     mg a v q           (nothing on a miss)                  `q`: only what is worth telling; `mn` answers after them
 */
import type { WireExchange } from '../exchange.js';
import { copyMoment, createMoment } from '../frame-reader.js';
import { OrderedPairing } from '../pairing.js';
import type { MessageExtent, Moment, ParserHost, ProtocolParser } from '../protocol.js';
import { MemcachedDetail } from './detail.js';
import { TextReader } from './text-reader.js';

/** Commands with a block of data, and where its length stands. */
const STORING = new Set(['set', 'add', 'replace', 'append', 'prepend', 'cas']);
const RETRIEVING = new Set(['get', 'gets', 'gat', 'gats']);
const KEYED = new Set(['delete', 'incr', 'decr', 'touch', 'mg', 'ms', 'md', 'ma', 'me']);
const OTHERS = new Set(
  'stats flush_all version verbosity quit mn slabs lru lru_crawler watch cache_memlimit shutdown misbehave debugtime'.split(
    ' ',
  ),
);
export const isTextCommand = (word: string): boolean =>
  STORING.has(word) || RETRIEVING.has(word) || KEYED.has(word) || OTHERS.has(word);

const ERRORS = new Set(['ERROR', 'CLIENT_ERROR', 'SERVER_ERROR']);
const LARGEST_VALUE = 0x4000_0000;

class Extent implements MessageExtent {
  readonly first: Moment = createMoment();
  readonly last: Moment = createMoment();
  length = 0;
  gap = false;
}

export class TextParser implements ProtocolParser {
  readonly #host: ParserHost<MemcachedDetail>;
  readonly #pairing: OrderedPairing<MemcachedDetail>;
  readonly #requests: TextReader;
  readonly #replies: TextReader;
  readonly #request = new Extent();
  readonly #reply = new Extent();
  /** The command whose data is being read. */
  #storing: MemcachedDetail | undefined;
  /** The data belongs to a meta command's answer, which ends with it. */
  #valueEnds = false;
  /** A request that was read belongs to lines of a reply that has begun. */
  #inReply = false;
  #began = false;
  #pipelining = false;
  #beganHere = false;
  #astray = false;
  #serverSpoke = false;

  constructor(host: ParserHost<MemcachedDetail>) {
    this.#host = host;
    this.#pairing = new OrderedPairing(host);
    this.#requests = new TextReader(!host.facts.fromStart);
    this.#replies = new TextReader(!host.facts.fromStart);
  }

  read(fromClient: boolean, bytes: Buffer, start: number, end: number, at: Moment): void {
    const reader = fromClient ? this.#requests : this.#replies;
    const extent = fromClient ? this.#request : this.#reply;
    if (fromClient && this.#serverSpoke) this.#astray = false;
    this.#serverSpoke = !fromClient;
    this.#beganHere = false;
    if (reader.lost) {
      if (!beginsLine(fromClient, bytes, start, end)) return;
      reader.find();
    }
    for (let from = start; from < end; ) {
      const idle = fromClient ? this.#storing === undefined && reader.idle : !this.#inReply && reader.idle;
      if (idle) beginExtent(extent, at, at.offset + from - start);
      const next = reader.read(bytes, from, end);
      extent.length += next - from;
      copyMoment(at, extent.last, at.offset + next - start - 1);
      from = next;
      if (reader.event === 'malformed') {
        this.#host.malformed();
        this.#lose(fromClient, reader);
        return;
      }
      this.#event(fromClient, reader);
      if (reader.lost) return;
    }
  }

  skip(fromClient: boolean, count: number, lost: boolean, at: Moment): void {
    const reader = fromClient ? this.#requests : this.#replies;
    const extent = fromClient ? this.#request : this.#reply;
    if (reader.lost) return;
    extent.gap ||= lost;
    extent.length += count;
    copyMoment(at, extent.last, at.offset + count - 1);
    if (reader.skip(count)) this.#event(fromClient, reader);
    else this.#lose(fromClient, reader);
  }

  #event(fromClient: boolean, reader: TextReader): void {
    if (reader.event === 'line') {
      if (fromClient) this.#command(reader);
      else this.#line(reader);
    } else if (reader.event === 'data') {
      if (fromClient) {
        const detail = this.#storing;
        this.#storing = undefined;
        if (detail !== undefined) this.#begin(detail);
      } else if (this.#valueEnds) {
        this.#valueEnds = false;
        this.#answered();
      }
    }
  }

  // Commands

  #command(reader: TextReader): void {
    const words = reader.line.split(' ').filter((word) => word !== '');
    const command = words[0]?.toLowerCase() ?? '';
    const key = words[1] ?? '';
    if (STORING.has(command)) {
      this.#store(reader, new MemcachedDetail(command, key, 1, words.at(-1) === 'noreply'), Number(words[4]));
    } else if (RETRIEVING.has(command)) {
      const first = command.startsWith('gat') ? 2 : 1;
      this.#begin(new MemcachedDetail(command, words[first] ?? '', words.length - first, false));
    } else if (command.length === 2 && KEYED.has(command)) {
      const detail = metaDetail(command, words);
      if (command === 'ms') this.#store(reader, detail, Number(words[2]));
      else this.#begin(detail);
    } else if (KEYED.has(command)) {
      this.#begin(new MemcachedDetail(command, key, 1, words.at(-1) === 'noreply'));
    } else if (command === 'quit') return;
    else if (OTHERS.has(command)) {
      this.#begin(new MemcachedDetail(command, '', 0, words.at(-1) === 'noreply'));
    } else if (/^[a-z_]{1,32}$/.test(command)) this.#begin(new MemcachedDetail('_OTHER', '', 0, false));
    else {
      this.#host.malformed();
      reader.lose();
    }
  }

  #store(reader: TextReader, detail: MemcachedDetail, length: number): void {
    if (!Number.isInteger(length) || length < 0 || length > LARGEST_VALUE) {
      // The server answers CLIENT_ERROR.
      this.#begin(detail);
      return;
    }
    this.#storing = detail;
    reader.expectData(length + 2);
  }

  #begin(detail: MemcachedDetail): void {
    this.#pipelining ||= this.#beganHere;
    this.#beganHere = true;
    this.#began = true;
    if (this.#astray) {
      this.#host.missed('not_captured', 1);
      return;
    }
    // `noreply` of the classic commands: nobody answers, whatever happens.
    if (detail.quiet && detail.command.length !== 2) {
      this.#host.finish(this.#host.begin(detail, this.#request), undefined);
      return;
    }
    this.#pairing.begin(detail, this.#request);
  }

  // Replies

  #line(reader: TextReader): void {
    const { line } = reader;
    const word = line.split(' ', 1)[0]!;
    const exchange = this.#awaited(word, line);
    if (exchange === undefined) {
      if (!this.#astray && !this.#inReply)
        this.#host.missed(this.#began ? 'not_captured' : 'joined_in_middle', 1);
      if (word === 'VALUE' || word === 'VA') this.#expectValue(reader, line, word);
      this.#inReply = word === 'VALUE' || word === 'STAT';
      return;
    }
    if (!exchange.over) exchange.responseGrew(this.#reply.first, this.#reply.last, 0);
    this.#inReply = true;
    if (ERRORS.has(word)) exchange.detail.errorCode = word;
    else if (word === 'VALUE' || word === 'VA') {
      this.#expectValue(reader, line, word);
      return;
    } else if (word === 'STAT' || word === 'ITEM') return;
    this.#answered();
  }

  #expectValue(reader: TextReader, line: string, word: string): void {
    const length = Number(line.split(' ')[word === 'VA' ? 1 : 3]);
    this.#valueEnds = word === 'VA';
    if (Number.isInteger(length) && length >= 0 && length <= LARGEST_VALUE) reader.expectData(length + 2);
    else {
      this.#host.malformed();
      this.#lose(false, reader);
    }
  }

  /** The request that a line answers; quiet ones before it have been passed over in silence. */
  #awaited(word: string, line: string): WireExchange<MemcachedDetail> | undefined {
    for (let first = this.#pairing.first; first !== undefined; first = this.#pairing.first) {
      const { detail } = first;
      if (!detail.quiet || this.#inReply || ERRORS.has(word)) return first;
      const answers =
        detail.tag !== '' ? line.split(' ').includes(detail.tag) : word !== 'MN' && word.length === 2;
      if (answers) return first;
      this.#pairing.finish(undefined);
    }
    return undefined;
  }

  #answered(): void {
    this.#inReply = false;
    this.#pairing.finish(this.#reply);
  }

  // Lost bytes

  #lose(fromClient: boolean, reader: TextReader): void {
    reader.lose();
    if (fromClient) {
      const detail = this.#storing;
      this.#storing = undefined;
      if (detail !== undefined) this.#begin(detail);
      return;
    }
    const begun = this.#inReply;
    this.#inReply = false;
    this.#valueEnds = false;
    if (this.#pipelining && this.#pairing.size > 1) {
      this.#pairing.dropAll('not_captured');
      this.#astray = true;
      return;
    }
    // One after the other: what is out of sight answered every command but the last, and that one too if it is alone.
    do {
      const exchange = this.#pairing.shift();
      if (exchange === undefined) return;
      if (begun || exchange.responseStart !== 0) this.#host.finish(exchange, this.#reply);
      else this.#host.drop(exchange, 'not_captured');
    } while (this.#pairing.size > 1);
  }
}

/** `mg key flags*`: `q` quiet, `O…` a tag, `k` answers with the key. */
function metaDetail(command: string, words: readonly string[]): MemcachedDetail {
  const flags = words.slice(command === 'ms' ? 3 : 2);
  const quiet = flags.includes('q');
  const opaque = flags.find((flag) => flag.startsWith('O'));
  const tag = opaque ?? (flags.includes('k') ? `k${words[1] ?? ''}` : '');
  return new MemcachedDetail(command, words[1] ?? '', 1, quiet, -1, 0, tag);
}

function beginExtent(extent: Extent, at: Moment, offset: number): void {
  copyMoment(at, extent.first, offset);
  extent.length = 0;
  extent.gap = false;
}

export const REPLY =
  /^(?:VALUE |END\r|STORED\r|NOT_STORED\r|EXISTS\r|NOT_FOUND\r|DELETED\r|TOUCHED\r|OK\r|STAT |VERSION |ERROR\r|CLIENT_ERROR |SERVER_ERROR |HD[ \r]|VA \d|EN\r|NS[ \r]|EX[ \r]|NF[ \r]|MN\r|\d{1,20}\r\n)/;

function beginsLine(fromClient: boolean, bytes: Buffer, start: number, end: number): boolean {
  const text = bytes.toString('latin1', start, Math.min(end, start + 24));
  return fromClient ? isTextCommand(/^[a-z_]+/.exec(text)?.[0] ?? '') : REPLY.test(text);
}
