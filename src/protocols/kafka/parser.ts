/**
 * Kafka of one connection: requests have a correlation id that the response repeats; a broker answers the requests of a
 * connection in their order. A Produce with `acks=0` is not answered at all.
 */
import type { WireExchange } from '../exchange.js';
import { type Frame, type FrameFormat, FrameReader, MORE } from '../frame-reader.js';
import { IdPairing } from '../pairing.js';
import type { Moment, ParserHost, ProtocolParser } from '../protocol.js';
import { API, apiOf } from './apis.js';
import { KafkaDetail } from './detail.js';
import { KafkaFacts, type KafkaTopic, textOf } from './facts.js';
import {
  LENGTH_BYTES,
  messageLength,
  type RequestHeader,
  readRequestHeader,
  requestLength,
  skipTags,
} from './header.js';
import { LayoutWalk } from './layout.js';
import type { TopicIds } from './topic-ids.js';

const KEEP_BYTES = 8192;
/** Bytes after the last batch of a message: tagged fields of the partition, the topic and the message. */
const MAX_TRAILER = 3;
/** Topics of one fetch session that are kept. */
const MAX_SESSION_TOPICS = 64;
/** Answered when the other members have come, which is no latency of the broker. */
const WAITS_FOR_OTHERS: ReadonlySet<number> = new Set([API.joinGroup, API.syncGroup]);

export class KafkaParser implements ProtocolParser, FrameFormat {
  readonly keepBytes = KEEP_BYTES;
  readonly #host: ParserHost<KafkaDetail>;
  readonly #pairing: IdPairing<KafkaDetail>;
  readonly #client: FrameReader;
  readonly #server: FrameReader;
  readonly #walk = new LayoutWalk();
  readonly #facts: KafkaFacts;
  /** Topics of the fetch session, and its id; 0 for none. */
  #session = 0;
  #sessionTopics: readonly KafkaTopic[] = [];
  #began = false;
  /** Bytes of the server were not visible: requests before the next response may have been answered there. */
  #missed = false;
  /** After SaslHandshake v0 both ends send tokens that have only a length. */
  #tokens = false;

  constructor(host: ParserHost<KafkaDetail>, ids: TopicIds) {
    this.#host = host;
    this.#pairing = new IdPairing(host);
    this.#facts = new KafkaFacts(ids);
    this.#client = new FrameReader(this, true, !host.facts.fromStart);
    this.#server = new FrameReader(this, false, !host.facts.fromStart);
  }

  read(fromClient: boolean, bytes: Buffer, start: number, end: number, at: Moment): void {
    (fromClient ? this.#client : this.#server).read(bytes, start, end, at);
  }

  skip(fromClient: boolean, count: number, lost: boolean, at: Moment): void {
    (fromClient ? this.#client : this.#server).skip(count, lost, at);
  }

  frameLength(fromClient: boolean, bytes: Buffer, start: number, end: number): number {
    if (fromClient && !this.#tokens) return requestLength(bytes, start, end);
    return messageLength(bytes, start, end, this.#tokens ? 0 : LENGTH_BYTES);
  }

  startsFrame(fromClient: boolean, bytes: Buffer, start: number, end: number): boolean {
    if (fromClient)
      return requestLength(bytes, start, end) > 0 && readRequestHeader(bytes, start, end) !== undefined;
    const length = messageLength(bytes, start, end, LENGTH_BYTES);
    if (length <= MORE || end - start < 8) return false;
    // Before a request was seen there is no id to find: a message that is all there will do.
    if (!this.#began) return length === end - start;
    return this.#pairing.get(bytes.readInt32BE(start + LENGTH_BYTES)) !== undefined;
  }

  badFrame(fromClient: boolean): void {
    this.#host.malformed();
    this.missedFrames(fromClient);
  }

  missedFrames(fromClient: boolean): void {
    if (!fromClient) this.#missed = true;
  }

  frame(fromClient: boolean, frame: Frame): void {
    if (fromClient) this.#request(frame);
    else this.#response(frame);
  }

  #request(frame: Frame): void {
    const { bytes, start, end } = frame;
    const header = readRequestHeader(bytes, start, end);
    if (header === undefined) {
      // Not enough of it is visible, or it is a token.
      if (!this.#tokens) this.#unread(frame);
      return;
    }
    this.#tokens = header.key === API.saslHandshake && header.version === 0;
    this.#began = true;
    const facts = this.#facts;
    facts.reset();
    this.#walkRequest(header, frame);
    const detail = new KafkaDetail(
      header.key,
      header.version,
      textOf(bytes, header.clientStart, header.clientEnd),
    );
    detail.topics = facts.topics;
    detail.group = facts.group !== '' ? facts.group : facts.keyType === 0 ? facts.key : '';
    if (facts.groups > 1) detail.group = '';
    if (header.key === API.produce) this.#produce(detail, frame.start + frame.length);
    if (header.key === API.fetch) this.#fetch(detail);
    if (header.key === API.produce && facts.acks === 0) {
      const exchange = this.#host.begin(detail, frame);
      exchange.context = facts.records?.context;
      this.#host.finish(exchange, undefined);
      return;
    }
    const exchange = this.#pairing.begin(header.correlation, detail, frame);
    exchange.context = facts.records?.context;
    exchange.waiting =
      WAITS_FOR_OTHERS.has(header.key) ||
      ((header.key === API.fetch || header.key === API.shareFetch) && facts.wait > 0 && facts.least > 0);
  }

  #unread(frame: Frame): void {
    if (frame.end - frame.start < frame.length && frame.end - frame.start < 16) {
      this.#host.missed('not_captured', 1);
    } else this.#host.malformed();
  }

  #walkRequest({ api, version, body }: RequestHeader, { bytes, start, end, length }: Frame): void {
    if (api?.knows(version) !== true || body > end) return;
    const flexible = version >= api.flexible;
    this.#walk.run(api.request(version), flexible, bytes, body, end, start + length, this.#facts);
  }

  #produce(detail: KafkaDetail, limit: number): void {
    const { records, recordCount } = this.#facts;
    if (this.#sawBatches(limit)) detail.records = recordCount;
    detail.compression = records?.compression ?? '';
    detail.tombstone = records?.tombstone ?? false;
  }

  /** The headers of all batches were visible: the whole message, or a single batch that goes on to its end. */
  #sawBatches(limit: number): boolean {
    const { batches, recordsEnd } = this.#facts;
    return this.#walk.result === 'whole' || (batches === 1 && limit - recordsEnd <= MAX_TRAILER);
  }

  /** Requests of a session (KIP-227) name only what is different from the one before. */
  #fetch(detail: KafkaDetail): void {
    const { session, epoch, forgotten } = this.#facts;
    detail.session = session;
    if (session === 0 || epoch <= 0) return;
    detail.incremental = true;
    if (session !== this.#session) return;
    const topics = new Map(this.#sessionTopics.map((topic) => [topic.id || topic.name, topic]));
    for (const topic of forgotten) topics.delete(topic.id || topic.name);
    for (const topic of detail.topics) topics.set(topic.id || topic.name, topic);
    this.#sessionTopics = [...topics.values()].slice(0, MAX_SESSION_TOPICS);
    detail.topics = this.#sessionTopics;
  }

  #response(frame: Frame): void {
    const { bytes, start, end, length } = frame;
    if (end - start < 8) {
      this.#missed = true;
      return;
    }
    const correlation = bytes.readInt32BE(start + LENGTH_BYTES);
    const exchange = this.#pairing.get(correlation);
    if (exchange === undefined) {
      if (!this.#tokens) this.#host.missed(this.#began ? 'not_captured' : 'joined_in_middle', 1);
      return;
    }
    if (this.#missed) this.#dropBefore(exchange);
    this.#missed = false;
    this.#pairing.take(correlation);
    const { detail } = exchange;
    const api = apiOf(detail.key);
    if (api?.knows(detail.version) === true) {
      const flexible = detail.version >= api.flexible;
      // The response to ApiVersions has none: it comes before the client knows what the broker understands.
      const tagged = flexible && detail.key !== API.apiVersions;
      const body = tagged ? skipTags(bytes, start + 8, end, start + length) : start + 8;
      if (body >= 0 && body <= end) {
        this.#facts.reset();
        this.#walk.run(api.response(detail.version), flexible, bytes, body, end, start + length, this.#facts);
        this.#answer(detail, start + length);
      }
    }
    this.#host.finish(exchange, frame);
  }

  #answer(detail: KafkaDetail, limit: number): void {
    const facts = this.#facts;
    detail.error = facts.error;
    if (detail.key === API.produce && detail.error === 0) detail.offset = facts.offset;
    if (detail.key !== API.fetch && detail.key !== API.shareFetch) return;
    const { topics, batches, recordCount, records } = facts;
    if (detail.key === API.fetch && !detail.incremental && facts.session !== 0) {
      this.#session = facts.session;
      this.#sessionTopics = detail.topics;
    }
    // Of several topics only those with news are in the answer.
    if (topics.length === 1 && detail.topics.length !== 1) detail.topics = topics;
    if (this.#sawBatches(limit)) {
      detail.records = batches === 0 ? 0 : recordCount;
      // The partition that had news.
      if (batches === 1 && topics.length === 1) detail.topics = topics;
    }
    detail.compression = records?.compression ?? '';
    detail.tombstone = records?.tombstone ?? false;
  }

  /** The broker answers in order: what was asked before has been answered out of sight. */
  #dropBefore(exchange: WireExchange<KafkaDetail>): void {
    const missed: number[] = [];
    for (const [correlation, open] of this.#pairing.entries()) {
      if (open === exchange) break;
      this.#host.drop(open, 'not_captured');
      missed.push(correlation);
    }
    for (const correlation of missed) this.#pairing.take(correlation);
  }
}
