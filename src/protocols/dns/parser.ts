/**
 * DNS of one client and one server: a datagram is a message; over TCP each has its length before it (RFC 1035 section
 * 4.2.2). Responses are found by id; a query that is repeated is one exchange.
 */
import type { WireExchange } from '../exchange.js';
import {
  copyMoment,
  createMoment,
  type Frame,
  type FrameFormat,
  FrameReader,
  MORE,
} from '../frame-reader.js';
import { IdPairing } from '../pairing.js';
import type { MessageExtent, Moment, ParserHost, ProtocolParser } from '../protocol.js';
import { HEADER_BYTES, nameEnd, readAnswers, readHeader, readName } from './message.js';

/** An exchange of DNS. */
export interface DnsDetail {
  readonly opcode: number;
  readonly name: string;
  readonly type: number;
  /** -1 until a response was seen. */
  rcode: number;
  truncated: boolean;
  answers: readonly string[];
}

/** Multicast DNS (RFC 6762): questions are asked of everybody, and nobody has to answer. */
const MDNS_PORT = 5353;
const LONGEST_MESSAGE = 65_535;
const KEEP_BYTES = 4096;
const MAX_ANSWERED = 32;
/** IXFR and AXFR answer with many messages. */
const TRANSFERS = new Set([251, 252]);

class Datagram implements MessageExtent {
  readonly first = createMoment();
  readonly last = createMoment();
  length = 0;
  readonly gap = false;
}

export class DnsParser implements ProtocolParser, FrameFormat {
  readonly keepBytes = KEEP_BYTES;
  readonly #host: ParserHost<DnsDetail>;
  readonly #queries: IdPairing<DnsDetail>;
  readonly #readers: { readonly client: FrameReader; readonly server: FrameReader } | undefined;
  readonly #datagram = new Datagram();
  /** Names of the last queries that were answered, by id. */
  readonly #answered = new Map<number, string>();
  #began = false;

  constructor(host: ParserHost<DnsDetail>) {
    this.#host = host;
    this.#queries = new IdPairing(host);
    if (host.facts.transport === 'udp') return;
    const midstream = !host.facts.fromStart;
    this.#readers = {
      client: new FrameReader(this, true, midstream),
      server: new FrameReader(this, false, midstream),
    };
  }

  read(fromClient: boolean, bytes: Buffer, start: number, end: number, at: Moment): void {
    if (this.#readers !== undefined) {
      (fromClient ? this.#readers.client : this.#readers.server).read(bytes, start, end, at);
      return;
    }
    const datagram = this.#datagram;
    copyMoment(at, datagram.first, at.offset);
    copyMoment(at, datagram.last, at.offset + end - start - 1);
    datagram.length = end - start;
    if (this.#host.facts.serverPort === MDNS_PORT) return;
    this.#message(bytes, start, end, datagram);
  }

  skip(fromClient: boolean, count: number, lost: boolean, at: Moment): void {
    if (this.#readers === undefined) return; // the rest of a datagram that was not captured
    (fromClient ? this.#readers.client : this.#readers.server).skip(count, lost, at);
  }

  frameLength(_: boolean, bytes: Buffer, start: number, end: number): number {
    if (end - start < 2) return MORE;
    const length = bytes.readUInt16BE(start);
    return length >= HEADER_BYTES && length <= LONGEST_MESSAGE ? length + 2 : -1;
  }

  startsFrame(_: boolean, bytes: Buffer, start: number, end: number): boolean {
    if (end - start < HEADER_BYTES + 2) return false;
    return dnsKind(bytes, start + 2, end, end - start === bytes.readUInt16BE(start) + 2) !== 0;
  }

  frame(_: boolean, frame: Frame): void {
    this.#message(frame.bytes, frame.start + 2, frame.end, frame);
  }

  badFrame(): void {
    this.#host.malformed();
  }

  missedFrames(): void {}

  #message(bytes: Buffer, start: number, end: number, extent: MessageExtent): void {
    if (end - start < HEADER_BYTES) {
      this.#host.malformed();
      return;
    }
    const header = readHeader(bytes, start);
    const question = start + HEADER_BYTES;
    const questionEnd = header.questions === 0 ? question : nameEnd(bytes, question, end) + 4;
    if (header.questions > 0 && (questionEnd < question + 5 || questionEnd > end)) {
      this.#host.malformed();
      return;
    }
    const name = header.questions === 0 ? '' : readName(bytes, start, question, end);
    if (name === undefined) {
      this.#host.malformed();
      return;
    }
    const type = header.questions === 0 ? 0 : bytes.readUInt16BE(questionEnd - 4);
    if (!header.response) {
      const open = this.#queries.get(header.id);
      // Sent again because no answer came: the wait began with the first one.
      if (open !== undefined && !open.over && open.detail.name === name && open.detail.type === type) return;
      this.#began = true;
      const { opcode } = header;
      this.#queries.begin(
        header.id,
        { opcode, name, type, rcode: -1, truncated: false, answers: [] },
        extent,
      );
      return;
    }
    const exchange = this.#queries.get(header.id);
    if (exchange === undefined) {
      // Both the query and its repetition were answered.
      if (this.#answered.get(header.id) === name) return;
      this.#host.missed(this.#began ? 'not_captured' : 'joined_in_middle', 1);
      return;
    }
    this.#answer(exchange, bytes, start, questionEnd, end, extent);
    if (TRANSFERS.has(exchange.detail.type) && header.rcode === 0) {
      // More messages may follow; the end of the connection or of the silence ends it.
      exchange.waiting = true;
      exchange.responseGrew(extent.first, extent.last, extent.length);
      return;
    }
    this.#queries.take(header.id);
    this.#remember(header.id, name);
    this.#host.finish(exchange, extent);
  }

  #remember(id: number, name: string): void {
    const answered = this.#answered;
    answered.delete(id);
    answered.set(id, name);
    if (answered.size <= MAX_ANSWERED) return;
    const oldest = answered.keys().next().value;
    if (oldest !== undefined) answered.delete(oldest);
  }

  #answer(
    { detail }: WireExchange<DnsDetail>,
    bytes: Buffer,
    start: number,
    records: number,
    end: number,
    _extent: MessageExtent,
  ): void {
    const { rcode, truncated, answers } = readHeader(bytes, start);
    detail.rcode = rcode;
    detail.truncated = truncated;
    if (detail.answers.length === 0) {
      detail.answers = readAnswers(bytes, start, records, answers, end, detail.type);
    }
  }
}

/**
 * Do `bytes[start, end)` begin a DNS message? 1: a query, -1: a response, 0: no. `whole`: it ends at `end`, so everything
 * it announces has to be there.
 */
export function dnsKind(bytes: Buffer, start: number, end: number, whole: boolean): number {
  if (end - start < HEADER_BYTES + 5) return 0;
  const flags = bytes.readUInt16BE(start + 2);
  const opcode = (flags >> 11) & 0x0f;
  // QUERY, IQUERY, STATUS, NOTIFY, UPDATE; the bit that must be zero.
  if (opcode > 5 || opcode === 3 || (flags & 0x0040) !== 0) return 0;
  if (bytes.readUInt16BE(start + 4) !== 1) return 0;
  const response = (flags & 0x8000) !== 0;
  const answers = bytes.readUInt16BE(start + 6);
  const authorities = bytes.readUInt16BE(start + 8);
  const additionals = bytes.readUInt16BE(start + 10);
  // A query has nothing but its question and options; updates and notifications are rare and carry more.
  if (
    !response &&
    opcode === 0 &&
    (answers > 0 || authorities > 1 || additionals > 3 || (flags & 0x040f) !== 0)
  ) {
    return 0;
  }
  if (answers > 512 || authorities > 512 || additionals > 512) return 0;
  const name = nameEnd(bytes, start + HEADER_BYTES, end);
  if (name < 0 || name + 4 > end || bytes[start + HEADER_BYTES]! >= 0xc0) return 0;
  const type = bytes.readUInt16BE(name);
  const dnsClass = bytes.readUInt16BE(name + 2) & 0x7fff;
  if (type === 0 || type > 1024 || !(dnsClass === 1 || dnsClass === 3 || dnsClass === 4 || dnsClass >= 254)) {
    return 0;
  }
  if (dnsClass > 255) return 0;
  const records = answers + authorities + additionals;
  if (whole && records === 0 && name + 4 !== end) return 0;
  if (whole && records > 0 && end - name - 4 < records * 11) return 0;
  return response ? -1 : 1;
}
