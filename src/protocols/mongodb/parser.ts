/**
 * MongoDB of one connection: every message has an id, and an answer the id of what it answers. Answers that announce more
 * (exhaust cursors, the `hello` by which drivers watch a server) are followed by answers to themselves.
 */
import type { WireExchange } from '../exchange.js';
import { type Frame, type FrameFormat, FrameReader } from '../frame-reader.js';
import { IdPairing } from '../pairing.js';
import type { Moment, ParserHost, ProtocolParser } from '../protocol.js';
import { type Command, isBatch, readAnswer, readCommand } from './command.js';
import { unpack } from './compressed.js';
import { MongoDetail } from './detail.js';
import { FLAG, HEADER_BYTES, isPlausible, messageLength, OP, textAt } from './wire.js';

const KEEP_BYTES = 8192;
/** Of a command's document that is kept for its text. */
const MAX_DOCUMENT = 1024;
const MAX_SECTIONS = 64;

/** Cursors that wait for what is to come, of all connections: drivers read one from another connection of their pool. */
export class WaitingCursors {
  readonly #ids = new Set<string>();

  has(id: string): boolean {
    return this.#ids.has(id);
  }

  add(id: string): void {
    if (this.#ids.size >= 4096) {
      for (const oldest of this.#ids) {
        this.#ids.delete(oldest);
        break;
      }
    }
    this.#ids.add(id);
  }
}

/** A message without its header, as far as it can be read. */
interface Content {
  readonly code: number;
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
  /** Position at which it ends on the wire. */
  readonly limit: number;
  readonly compression: string;
}

export class MongoParser implements ProtocolParser, FrameFormat {
  readonly keepBytes = KEEP_BYTES;
  readonly #host: ParserHost<MongoDetail>;
  readonly #pairing: IdPairing<MongoDetail>;
  readonly #client: FrameReader;
  readonly #server: FrameReader;
  readonly #cursors: WaitingCursors;
  #began = false;

  constructor(host: ParserHost<MongoDetail>, cursors: WaitingCursors) {
    this.#host = host;
    this.#cursors = cursors;
    this.#pairing = new IdPairing(host);
    this.#client = new FrameReader(this, true, !host.facts.fromStart);
    this.#server = new FrameReader(this, false, !host.facts.fromStart);
  }

  read(fromClient: boolean, bytes: Buffer, start: number, end: number, at: Moment): void {
    (fromClient ? this.#client : this.#server).read(bytes, start, end, at);
  }

  skip(fromClient: boolean, count: number, lost: boolean, at: Moment): void {
    (fromClient ? this.#client : this.#server).skip(count, lost, at);
  }

  frameLength(_: boolean, bytes: Buffer, start: number, end: number): number {
    return messageLength(bytes, start, end);
  }

  startsFrame(fromClient: boolean, bytes: Buffer, start: number, end: number): boolean {
    if (messageLength(bytes, start, end) <= 0 || !isPlausible(bytes, start, end)) return false;
    return fromClient === (bytes.readInt32LE(start + 8) === 0);
  }

  badFrame(): void {
    this.#host.malformed();
  }

  missedFrames(): void {}

  frame(fromClient: boolean, frame: Frame): void {
    if (frame.end - frame.start < HEADER_BYTES || !isPlausible(frame.bytes, frame.start, frame.end)) {
      if (frame.end - frame.start < HEADER_BYTES) this.#host.missed('not_captured', fromClient ? 1 : 0);
      else this.#host.malformed();
      return;
    }
    const content = contentOf(frame);
    if (fromClient) this.#request(frame, content);
    else this.#response(frame, content);
  }

  #request(frame: Frame, content: Content): void {
    this.#began = true;
    const id = frame.bytes.readInt32LE(frame.start + 4);
    const { code, bytes, start, end } = content;
    switch (code) {
      case OP.msg: {
        const flags = end - start >= 4 ? bytes.readUInt32LE(start) : 0;
        const { detail, command } = readMessage(content);
        if ((flags & FLAG.moreToCome) !== 0) {
          this.#host.finish(this.#host.begin(detail, frame), undefined);
          return;
        }
        const exchange = this.#pairing.begin(id, detail, frame);
        exchange.waiting =
          command !== undefined &&
          (command.waits || (command.cursor !== '' && this.#cursors.has(command.cursor)));
        break;
      }
      case OP.query:
        this.#pairing.begin(id, readQuery(content), frame);
        break;
      case OP.getMore:
        this.#pairing.begin(id, readLegacy(content, 'getMore'), frame);
        break;
      case OP.insert:
      case OP.update:
      case OP.delete:
      case OP.killCursors:
        this.#host.finish(this.#host.begin(readLegacy(content, LEGACY[code] ?? ''), frame), undefined);
        break;
      default:
        this.#host.malformed();
    }
  }

  #response(frame: Frame, content: Content): void {
    const to = frame.bytes.readInt32LE(frame.start + 8);
    const exchange = this.#pairing.take(to);
    if (exchange === undefined) {
      // Answers to themselves of a stream that was given up are no loss.
      if (to !== 0) this.#host.missed(this.#began ? 'not_captured' : 'joined_in_middle', 1);
      return;
    }
    const { code, bytes, start, end } = content;
    if (code === OP.msg) {
      const flags = end - start >= 4 ? bytes.readUInt32LE(start) : 0;
      const document = bodyAt(content);
      if (document >= 0) this.#answer(exchange, bytes, document, end);
      if ((flags & FLAG.moreToCome) !== 0) {
        exchange.waiting = true;
        exchange.responseGrew(frame.first, frame.last, frame.length);
        this.#pairing.add(frame.bytes.readInt32LE(frame.start + 4), exchange);
        return;
      }
    } else if (code === OP.reply && end - start >= 20) {
      exchange.detail.rows = exchange.detail.command === 'find' ? bytes.readInt32LE(start + 16) : -1;
      if (end - start > 24) this.#answer(exchange, bytes, start + 20, end);
    }
    this.#host.finish(exchange, frame);
  }

  #answer({ detail }: WireExchange<MongoDetail>, bytes: Buffer, start: number, end: number): void {
    if (start + 4 > end) return;
    const { code, message, rows, cursor } = readAnswer(bytes, start, end);
    detail.errorCode = code;
    detail.errorMessage = message;
    if (rows >= 0) detail.rows = Math.max(0, detail.rows) + rows;
    if (cursor !== '' && detail.opensWaiting) this.#cursors.add(cursor);
  }
}

const LEGACY: Readonly<Record<number, string>> = {
  [OP.insert]: 'insert',
  [OP.update]: 'update',
  [OP.delete]: 'delete',
  [OP.killCursors]: 'killCursors',
};

function contentOf(frame: Frame): Content {
  const { bytes, start, end, length } = frame;
  const code = bytes.readInt32LE(start + 12);
  if (code !== OP.compressed) {
    return { code, bytes, start: start + HEADER_BYTES, end, limit: start + length, compression: '' };
  }
  const inside = unpack(frame);
  if (inside === undefined) return { code: OP.msg, bytes, start: end, end, limit: end, compression: '?' };
  return { ...inside, limit: inside.start + inside.length };
}

/** Position of the document of kind 0; -1 when it is not visible. */
function bodyAt({ bytes, start, end }: Content): number {
  let at = start + 4;
  for (let i = 0; i < MAX_SECTIONS && at + 5 <= end; i++) {
    if (bytes[at] === 0) return at + 1;
    const size = bytes.readInt32LE(at + 1);
    if (bytes[at] !== 1 || size < 5) return -1;
    at += 1 + size;
  }
  return -1;
}

function readMessage(content: Content): { detail: MongoDetail; command: Command | undefined } {
  const { bytes, end, compression } = content;
  const document = bodyAt(content);
  const command = document < 0 ? undefined : readCommand(bytes, document, end);
  const detail = new MongoDetail(command?.name ?? '', command?.collection ?? '', command?.database ?? '');
  detail.compression = compression;
  if (command === undefined) return { detail, command };
  const length = document + 4 <= end ? bytes.readInt32LE(document) : 0;
  const stop = Math.min(end, document + Math.min(MAX_DOCUMENT, Math.max(0, length)));
  detail.document = Buffer.from(bytes.subarray(document, stop));
  detail.opensWaiting = command.opensWaiting;
  detail.batch = command.batch > 0 ? command.batch : countSections(content);
  return { detail, command };
}

/** Documents in sections of kind 1 (`documents`, `updates`, `deletes`); 0 when not all are visible. */
function countSections({ bytes, start, end, limit }: Content): number {
  let count = 0;
  let at = start + 4;
  for (let i = 0; i < MAX_SECTIONS && at + 5 <= end; i++) {
    const size = bytes.readInt32LE(at + 1);
    if (size < 5 || at + 1 + size > limit) return count;
    const next = at + 1 + size;
    if (bytes[at] === 1) {
      const name = textAt(bytes, at + 5, Math.min(end, next));
      if (isBatch(name)) {
        if (next > end) return 0;
        for (let document = at + 6 + name.length; document + 4 <= next; count++) {
          const length = bytes.readInt32LE(document);
          if (length < 5) return 0;
          document += length;
        }
      }
    }
    at = next;
  }
  return count;
}

function readQuery({ bytes, start, end, compression }: Content): MongoDetail {
  const name = textAt(bytes, start + 4, end);
  const dot = name.indexOf('.');
  const database = dot < 0 ? name : name.slice(0, dot);
  const collection = dot < 0 ? '' : name.slice(dot + 1);
  const document = start + 4 + Buffer.byteLength(name) + 9;
  const visible = document + 4 < end;
  const command = collection === '$cmd' && visible ? readCommand(bytes, document, end) : undefined;
  const detail =
    command === undefined
      ? new MongoDetail('find', collection, database)
      : new MongoDetail(command.name, command.collection, database);
  detail.compression = compression;
  if (command !== undefined) {
    detail.document = Buffer.from(bytes.subarray(document, Math.min(end, document + MAX_DOCUMENT)));
  }
  return detail;
}

/** Zero, then the collection; killCursors has none. */
function readLegacy({ bytes, start, end, compression }: Content, command: string): MongoDetail {
  // OP_INSERT has flags in place of the zero.
  const name = command === 'killCursors' ? '' : textAt(bytes, start + 4, end);
  const dot = name.indexOf('.');
  const detail = new MongoDetail(
    command,
    dot < 0 ? '' : name.slice(dot + 1),
    dot < 0 ? name : name.slice(0, dot),
  );
  detail.compression = compression;
  return detail;
}
