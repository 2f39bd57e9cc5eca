import type { Moment, ParserHost, ProtocolParser } from '../protocol.js';
import { BinaryParser, REQUEST_MAGIC, RESPONSE_MAGIC } from './binary-parser.js';
import type { MemcachedDetail } from './detail.js';
import { TextParser } from './text-parser.js';

/** The first byte of a connection tells which of the two protocols it speaks, and it goes on with that. */
export class MemcachedParser implements ProtocolParser {
  readonly #host: ParserHost<MemcachedDetail>;
  #parser: ProtocolParser | undefined;

  constructor(host: ParserHost<MemcachedDetail>) {
    this.#host = host;
  }

  read(fromClient: boolean, bytes: Buffer, start: number, end: number, at: Moment): void {
    this.#parser ??= this.#choose(bytes[start]!);
    this.#parser.read(fromClient, bytes, start, end, at);
  }

  skip(fromClient: boolean, count: number, lost: boolean, at: Moment): void {
    this.#parser?.skip(fromClient, count, lost, at);
  }

  #choose(first: number): ProtocolParser {
    const binary = first === REQUEST_MAGIC || first === RESPONSE_MAGIC;
    return binary ? new BinaryParser(this.#host) : new TextParser(this.#host);
  }
}
