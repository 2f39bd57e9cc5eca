/**
 * MQTT of one connection. Both ends publish; each counts its packets itself:
 *
 *     QoS 0  PUBLISH                                            one-way
 *     QoS 1  PUBLISH ──► PUBACK                                 by packet identifier
 *     QoS 2  PUBLISH ──► PUBREC, PUBREL ──► PUBCOMP
 *
 * SUBSCRIBE, UNSUBSCRIBE and CONNECT are asked by the client. A PUBLISH of the server is a delivery.
 */
import { ByteCursor } from '../byte-cursor.js';
import type { WireExchange } from '../exchange.js';
import { type Frame, type FrameFormat, FrameReader } from '../frame-reader.js';
import { IdPairing } from '../pairing.js';
import type { Moment, ParserHost, ProtocolParser } from '../protocol.js';
import { HeaderValues } from '../trace-context/header-values.js';
import { MqttDetail } from './detail.js';
import { bodyStart, connectVersion, hasTopic, PACKET, packetLength } from './packets.js';
import { Properties } from './properties.js';
import { reasonName, returnCodeName } from './reasons.js';

/** Bytes of a packet that are kept: topic and properties. */
const KEEP_BYTES = 4096;
/** Topic aliases of one direction that are remembered. */
const MAX_ALIASES = 1024;
const V5 = 5;
const VERSIONS: Readonly<Record<number, string>> = { 3: '3.1', 4: '3.1.1', 5: '5' };

export class MqttParser implements ProtocolParser, FrameFormat {
  readonly keepBytes = KEEP_BYTES;
  readonly #host: ParserHost<MqttDetail>;
  readonly #client: FrameReader;
  readonly #server: FrameReader;
  /** By packet identifier: what the client began, and what the server did. */
  readonly #asked: IdPairing<MqttDetail>;
  readonly #delivered: IdPairing<MqttDetail>;
  readonly #aliases = { client: new Map<number, string>(), server: new Map<number, string>() };
  readonly #cursor = new ByteCursor();
  readonly #context = new HeaderValues();
  readonly #properties = new Properties();
  #connect: WireExchange<MqttDetail> | undefined;
  /** 0: the CONNECT was not seen. */
  #version = 0;
  #clientId = '';

  constructor(host: ParserHost<MqttDetail>) {
    this.#host = host;
    this.#asked = new IdPairing(host);
    this.#delivered = new IdPairing(host);
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
    return packetLength(fromClient, bytes, start, end);
  }

  startsFrame(fromClient: boolean, bytes: Buffer, start: number, end: number): boolean {
    const length = packetLength(fromClient, bytes, start, end);
    if (length <= 0) return false;
    if (bytes[start]! >> 4 !== PACKET.publish) return length <= end - start;
    return hasTopic(bytes, start, end, length, this.#version === V5);
  }

  badFrame(): void {
    this.#host.malformed();
  }

  /** Packets are paired by their identifiers: nothing need be given up. */
  missedFrames(): void {}

  frame(fromClient: boolean, frame: Frame): void {
    const { bytes, start, end } = frame;
    if (end - start < 2) return;
    const type = bytes[start]! >> 4;
    const cursor = this.#cursor.at(bytes, bodyStart(bytes, start), end);
    switch (type) {
      case PACKET.connect:
        this.#connecting(frame, cursor);
        return;
      case PACKET.connack:
        this.#connected(frame, cursor);
        return;
      case PACKET.publish:
        this.#publish(fromClient, frame, cursor);
        return;
      case PACKET.subscribe:
      case PACKET.unsubscribe:
        this.#subscribe(type, frame, cursor);
        return;
      case PACKET.puback:
      case PACKET.pubrec:
      case PACKET.pubcomp:
      case PACKET.suback:
      case PACKET.unsuback:
        this.#answer(fromClient ? this.#delivered : this.#asked, type, frame, cursor);
        return;
      case PACKET.disconnect:
        this.#disconnect(fromClient, frame, cursor);
    }
  }

  #detail(operation: string, type: MqttDetail['type'], topic: string, answer: number): MqttDetail {
    return new MqttDetail(operation, type, topic, answer, this.#clientId, VERSIONS[this.#version]);
  }

  #connecting(frame: Frame, cursor: ByteCursor): void {
    const version = connectVersion(frame.bytes, frame.start, frame.end);
    if (version === 0) {
      this.#host.malformed();
      return;
    }
    this.#version = version;
    cursor.skip(cursor.u16());
    cursor.skip(4);
    // Properties of CONNECT hold no context: a connection is of no trace.
    if (version === V5 && !this.#properties.read(cursor, undefined)) cursor.ok = false;
    this.#clientId = cursor.text(cursor.u16());
    if (this.#connect !== undefined) this.#host.drop(this.#connect, 'not_captured');
    this.#connect = this.#host.begin(this.#detail('connect', 'control', '', PACKET.connack), frame);
  }

  #connected(frame: Frame, cursor: ByteCursor): void {
    cursor.skip(1);
    const code = cursor.u8();
    const exchange = this.#connect;
    if (exchange === undefined) {
      this.#host.missed(this.#missing, 1);
      return;
    }
    this.#connect = undefined;
    if (this.#version === V5) {
      this.#properties.read(cursor, undefined);
      if (this.#properties.assignedClient !== '') this.#clientId = this.#properties.assignedClient;
      fail(exchange.detail, reasonName(code), this.#properties.reason);
    } else fail(exchange.detail, returnCodeName(code), '');
    this.#host.finish(exchange, frame);
  }

  get #missing(): 'joined_in_middle' | 'not_captured' {
    return this.#host.facts.fromStart ? 'not_captured' : 'joined_in_middle';
  }

  #publish(fromClient: boolean, frame: Frame, cursor: ByteCursor): void {
    const { bytes, start, length } = frame;
    const first = bytes[start]!;
    const qos = (first >> 1) & 3;
    const known = cursor.text(cursor.u16());
    const id = qos === 0 ? 0 : cursor.u16();
    if (!cursor.ok) {
      this.#host.missed('not_captured', 1);
      return;
    }
    const pairing = fromClient ? this.#asked : this.#delivered;
    const open = id === 0 ? undefined : pairing.get(id);
    // Sent again because no answer came: the wait began with the first one.
    if ((first & 8) !== 0 && open !== undefined && !open.over) return;
    const body = cursor.pos;
    this.#context.clear();
    const sound =
      this.#version !== 0 && this.#version !== V5 ? false : this.#properties.read(cursor, this.#context);
    // Of a connection whose version is not known, bytes that make sense as properties are some.
    const hasProperties = this.#version === V5 || (sound && cursor.pos > body + 1);
    const topic = hasProperties ? this.#unalias(fromClient, known) : known;
    const answer = qos === 2 ? PACKET.pubcomp : PACKET.puback;
    const detail = fromClient
      ? this.#detail('publish', 'send', topic, answer)
      : this.#detail('deliver', 'process', topic, answer);
    if (!hasProperties || sound) detail.bodyBytes = start + length - (hasProperties ? cursor.pos : body);
    const exchange = id === 0 ? this.#host.begin(detail, frame) : pairing.begin(id, detail, frame);
    exchange.pushed = !fromClient;
    if (hasProperties) exchange.context = this.#context.context();
    if (id === 0) this.#host.finish(exchange, undefined);
  }

  /** A topic may be sent once and called by a number from then on. */
  #unalias(fromClient: boolean, topic: string): string {
    const { topicAlias } = this.#properties;
    if (topicAlias === 0) return topic;
    const aliases = fromClient ? this.#aliases.client : this.#aliases.server;
    if (topic === '') return aliases.get(topicAlias) ?? '';
    if (aliases.size < MAX_ALIASES || aliases.has(topicAlias)) aliases.set(topicAlias, topic);
    return topic;
  }

  #subscribe(type: number, frame: Frame, cursor: ByteCursor): void {
    const id = cursor.u16();
    if (this.#version === V5) this.#properties.read(cursor, undefined);
    const filter = cursor.text(cursor.u16());
    const detail =
      type === PACKET.subscribe
        ? this.#detail('subscribe', 'control', filter, PACKET.suback)
        : this.#detail('unsubscribe', 'control', filter, PACKET.unsuback);
    this.#asked.begin(id, detail, frame);
  }

  #answer(pairing: IdPairing<MqttDetail>, type: number, frame: Frame, cursor: ByteCursor): void {
    const id = cursor.u16();
    const exchange = pairing.get(id);
    const { detail } = exchange ?? {};
    const received = type === PACKET.pubrec && detail?.answer === PACKET.pubcomp;
    if (exchange === undefined || detail === undefined || (detail.answer !== type && !received)) {
      this.#host.missed(this.#missing, 1);
      return;
    }
    this.#readReason(type, detail, frame, cursor);
    if (received && detail.errorCode === '') {
      // PUBREL and PUBCOMP follow.
      exchange.responseGrew(frame.first, frame.last, frame.length);
      return;
    }
    pairing.take(id);
    this.#host.finish(exchange, frame);
  }

  #readReason(type: number, detail: MqttDetail, frame: Frame, cursor: ByteCursor): void {
    const isSubscription = type === PACKET.suback || type === PACKET.unsuback;
    if (this.#version !== V5 && !isSubscription) return;
    if (!isSubscription) {
      // The code is left out when it is 0, the properties when there are none.
      if (cursor.left === 0) return;
      const code = cursor.u8();
      const text = cursor.left > 0 && this.#properties.read(cursor, undefined) ? this.#properties.reason : '';
      fail(detail, reasonName(code), text);
      return;
    }
    if (this.#version === V5) this.#properties.read(cursor, undefined);
    if (type === PACKET.unsuback && this.#version !== V5) return;
    const text = this.#version === V5 ? this.#properties.reason : '';
    for (let at = cursor.pos; cursor.ok && at < frame.end; at++) {
      const name = reasonName(frame.bytes[at]!);
      if (name === '') continue;
      fail(detail, name, text);
      return;
    }
  }

  /** The server says why it ends the connection (MQTT 5). */
  #disconnect(fromClient: boolean, frame: Frame, cursor: ByteCursor): void {
    if (fromClient || this.#version !== V5 || cursor.left === 0) return;
    const name = reasonName(cursor.u8());
    if (name === '') return;
    const exchange = this.#host.begin(this.#detail('disconnect', 'control', '', 0), frame);
    exchange.pushed = true;
    fail(exchange.detail, name, this.#properties.read(cursor, undefined) ? this.#properties.reason : '');
    this.#host.finish(exchange, undefined);
  }
}

function fail(detail: MqttDetail, code: string, text: string): void {
  if (code === '') return;
  detail.errorCode = code;
  detail.errorText = text;
}
