/** MQTT 3.1, 3.1.1 and 5. */
import {
  CERTAIN,
  LIKELY,
  NOT_OURS,
  POSSIBLE,
  type Protocol,
  type Side,
  UNDECIDED,
  type Verdict,
} from '../protocol.js';
import { CONTEXT_HEADERS } from '../trace-context/carriers.js';
import { describeMqtt, MQTT_ATTRIBUTES, type MqttDetail } from './detail.js';
import { bodyStart, connectVersion, hasTopic, PACKET, packetLength } from './packets.js';
import { MqttParser } from './parser.js';

export const mqttProtocol: Protocol<MqttDetail> = {
  name: 'mqtt',
  title: 'MQTT',
  convention: 'messaging',
  system: 'mqtt',
  transports: ['tcp', 'unix'],
  ports: [1883],
  pairing: 'by_id',
  serverFirst: false,
  carriers: CONTEXT_HEADERS.map((name) => `user property \`${name}\` (MQTT 5)`),
  capture: { request: { head: 1024, tail: 0 }, response: { head: 1024, tail: 0 } },
  docs: {
    parsed:
      'MQTT 3.1, 3.1.1 and 5: connecting, messages of QoS 0, 1 and 2 in both directions, subscriptions, topic aliases, reason codes',
    spanName:
      '`publish {topic}`, `deliver {topic}`, `subscribe {filter}`, `connect`; what looks like an id in a topic is `{id}`',
    attributes: MQTT_ATTRIBUTES,
    errors:
      'return and reason codes by name (`not_authorized`, `quota_exceeded`), of any filter of a subscription too; what the server gives as its reason to disconnect; `no_response`, `reset`',
    limits: [
      'Pings are no exchanges; MQTT over WebSocket and MQTT-SN are not parsed.',
      'A delivery of QoS 0 ends with its last byte, one of QoS 1 or 2 when it is acknowledged, which most clients do after their application took it.',
      'Of a subscription to many filters the first one is shown.',
      'Topics behind an alias that was agreed on before the connection was joined are not known.',
    ],
  },

  recognise,
  createParser: (host) => new MqttParser(host),
  describe: describeMqtt,
};

function recognise(bytes: Buffer, start: number, end: number, from: Side | undefined): Verdict {
  const type = bytes[start]! >> 4;
  if (type === 0 || type === PACKET.auth) return NOT_OURS;
  const clientOnly = CLIENT_TYPES[type] === 1;
  const serverOnly = SERVER_TYPES[type] === 1;
  const fromClient = from === undefined ? !serverOnly : from === 'client';
  const length = packetLength(fromClient, bytes, start, end);
  if (length < 0) return NOT_OURS;
  if (length === 0) return type === PACKET.connect && from !== 'server' ? UNDECIDED : NOT_OURS;
  const sign = fromClient ? 1 : -1;
  if (type === PACKET.connect) {
    if (connectVersion(bytes, start, end) !== 0) return CERTAIN;
    return end - start < 15 && NAME.startsWith(bytes.toString('latin1', bodyStart(bytes, start), end))
      ? UNDECIDED
      : NOT_OURS;
  }
  const next = start + length;
  // What follows has to be a packet, too.
  const fits = next === end || (next < end && packetLength(fromClient, bytes, next, end) >= 0);
  switch (type) {
    case PACKET.publish: {
      if (!hasTopic(bytes, start, end, length, false)) return NOT_OURS;
      const sure = fits ? LIKELY : next > end ? POSSIBLE : 0;
      return from === undefined ? Math.min(sure, UNDECIDED) : sign * sure;
    }
    case PACKET.subscribe:
    case PACKET.unsubscribe:
      return fits && isPrintable(bytes, start, end) ? LIKELY : NOT_OURS;
    case PACKET.connack:
      return fits && bytes[bodyStart(bytes, start)]! <= 1 ? -POSSIBLE : NOT_OURS;
    default:
      if (!fits || length > 64) return NOT_OURS;
      return clientOnly || serverOnly || from !== undefined ? sign * 30 : UNDECIDED;
  }
}

const NAME = '\0\x04MQTT';
const CLIENT_TYPES = Uint8Array.from([0, 1, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 1, 0, 0, 0]);
const SERVER_TYPES = Uint8Array.from([0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 1, 0, 0]);

/** Does the packet hold a filter: some letters in a row behind its identifier? */
function isPrintable(bytes: Buffer, start: number, end: number): boolean {
  const from = bodyStart(bytes, start) + 2;
  // Of version 5 there are properties before the filter; most clients send none.
  for (const at of [from, from + 1]) {
    if (at + 3 > end) continue;
    const size = bytes.readUInt16BE(at);
    if (size === 0 || at + 2 + size > end) continue;
    let printable = true;
    for (let i = at + 2; i < at + 2 + size; i++) if (bytes[i]! < 0x20 || bytes[i] === 0x7f) printable = false;
    if (printable) return true;
  }
  return false;
}
