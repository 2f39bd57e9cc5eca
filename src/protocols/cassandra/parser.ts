/**
 * CQL of one connection: a request and its response have the same stream number, which is free for another one after that.
 * From the answer to STARTUP on, version 5 puts messages into frames (`segments.ts`).
 */
import { type Frame, type FrameFormat, FrameReader } from '../frame-reader.js';
import { IdPairing } from '../pairing.js';
import type { Moment, ParserHost, ProtocolParser } from '../protocol.js';
import { type CqlDetail, errorCode } from './detail.js';
import { BodyReader, envelopeLength, FLAG, HEADER_BYTES, hasSegments, OP } from './envelope.js';
import { decompressLz4 } from './lz4.js';
import { type PreparedTexts, readCompression, readRequest } from './requests.js';
import { readResult, skipPrefix } from './responses.js';
import { SegmentReader, segmentHeader } from './segments.js';

const KEEP_BYTES = 8192;
/** Of a compressed body so much is unpacked. */
const UNPACKED = 16 * 1024;

export class CassandraParser implements ProtocolParser, FrameFormat {
  readonly keepBytes = KEEP_BYTES;
  readonly #host: ParserHost<CqlDetail>;
  readonly #pairing: IdPairing<CqlDetail>;
  readonly #texts: PreparedTexts;
  readonly #client: FrameReader;
  readonly #server: FrameReader;
  /** Version 5, after the connection is set up. */
  #segments: { readonly client: SegmentReader; readonly server: SegmentReader } | undefined;
  /** Joined in the middle: it is not known yet whether there are frames. */
  #undecided: boolean;
  #compression = '';
  #keyspace: string | undefined;
  #began = false;

  constructor(host: ParserHost<CqlDetail>, texts: PreparedTexts) {
    this.#host = host;
    this.#texts = texts;
    this.#pairing = new IdPairing(host);
    this.#undecided = !host.facts.fromStart;
    this.#client = new FrameReader(this, true, !host.facts.fromStart);
    this.#server = new FrameReader(this, false, !host.facts.fromStart);
  }

  read(fromClient: boolean, bytes: Buffer, start: number, end: number, at: Moment): void {
    if (this.#undecided) this.#decide(fromClient, bytes, start, end);
    (fromClient ? (this.#segments?.client ?? this.#client) : (this.#segments?.server ?? this.#server)).read(
      bytes,
      start,
      end,
      at,
    );
  }

  skip(fromClient: boolean, count: number, lost: boolean, at: Moment): void {
    (fromClient ? (this.#segments?.client ?? this.#client) : (this.#segments?.server ?? this.#server)).skip(
      count,
      lost,
      at,
    );
  }

  #decide(fromClient: boolean, bytes: Buffer, start: number, end: number): void {
    for (const compressed of [false, true]) {
      if (segmentHeader(bytes, start, end, compressed) <= 0) continue;
      this.#undecided = false;
      this.#startSegments(compressed, true);
      return;
    }
    if (envelopeLength(fromClient, bytes, start, end) > 0) this.#undecided = false;
  }

  #startSegments(compressed: boolean, midstream: boolean): void {
    const malformed = () => this.#host.malformed();
    this.#segments = {
      client: new SegmentReader(true, compressed, this.#client, midstream, malformed),
      server: new SegmentReader(false, compressed, this.#server, midstream, malformed),
    };
  }

  frameLength(fromClient: boolean, bytes: Buffer, start: number, end: number): number {
    return envelopeLength(fromClient, bytes, start, end);
  }

  badFrame(): void {
    this.#host.malformed();
  }

  missedFrames(): void {}

  frame(fromClient: boolean, frame: Frame): void {
    const { bytes, start, end } = frame;
    if (end - start < HEADER_BYTES) {
      this.#host.missed('not_captured', fromClient ? 1 : 0);
      return;
    }
    const flags = bytes[start + 1]!;
    const compressed = (flags & FLAG.compressed) !== 0 && this.#segments === undefined;
    const reader = this.#body(frame, compressed);
    if (fromClient) this.#request(frame, flags, compressed, reader);
    else this.#response(frame, flags, reader);
  }

  /** The body as far as it can be read; undefined when it is compressed with something else than LZ4. */
  #body({ bytes, start, end }: Frame, compressed: boolean): BodyReader | undefined {
    const body = start + HEADER_BYTES;
    if (!compressed) return new BodyReader(bytes, body, end);
    // Joined in the middle the method is not known; nearly everybody uses LZ4.
    if (this.#compression === 'snappy' || body + 4 > end) return undefined;
    const unpacked = bytes.readUInt32BE(body);
    const plain = decompressLz4(bytes, body + 4, end, Math.min(unpacked, UNPACKED));
    return new BodyReader(plain, 0, plain.length);
  }

  #request(frame: Frame, flags: number, compressed: boolean, reader: BodyReader | undefined): void {
    const { bytes, start } = frame;
    const version = bytes[start]! & 0x7f;
    const opcode = bytes[start + 4]!;
    this.#began = true;
    if (opcode === OP.startup && reader !== undefined) {
      this.#compression = readCompression(reader);
    }
    const body = reader ?? new BodyReader(bytes, frame.end, frame.end);
    const { detail, context } = readRequest(
      opcode,
      version,
      flags,
      body,
      reader !== undefined && opcode !== OP.startup,
      this.#keyspace,
      this.#texts,
    );
    if (compressed) detail.compression = this.#compression === '' ? 'lz4' : this.#compression;
    else if (this.#segments !== undefined) detail.compression = this.#compression;
    const exchange = this.#pairing.begin(bytes.readInt16BE(start + 2), detail, frame);
    exchange.context = context;
  }

  #response(frame: Frame, flags: number, reader: BodyReader | undefined): void {
    const { bytes, start } = frame;
    const opcode = bytes[start + 4]!;
    if (opcode === OP.event) return;
    const exchange = this.#pairing.take(bytes.readInt16BE(start + 2));
    if (exchange === undefined) {
      this.#host.missed(this.#began ? 'not_captured' : 'joined_in_middle', 1);
      return;
    }
    const { detail } = exchange;
    if (reader !== undefined) {
      skipPrefix(reader, flags);
      if (opcode === OP.error) {
        const code = reader.int();
        if (!reader.cut) detail.errorCode = errorCode(code);
        detail.errorMessage = reader.text();
      } else if (opcode === OP.result) this.#result(detail, reader);
    }
    const settled = opcode === OP.ready || opcode === OP.authenticate;
    if (settled && detail.opcode === OP.startup && hasSegments(bytes[start]! & 0x7f)) {
      this.#startSegments(this.#compression === 'lz4', false);
    }
    this.#host.finish(exchange, frame);
  }

  #result(detail: CqlDetail, reader: BodyReader): void {
    const { rows, keyspace, prepared } = readResult(reader);
    detail.rows = rows;
    if (keyspace !== '') this.#keyspace = keyspace;
    if (prepared !== '' && detail.text !== undefined) {
      this.#texts.set(prepared, { text: detail.text, cut: detail.cut });
    }
  }
}
