/**
 * Packets of MQTT 3.1, 3.1.1 and 5 (https://docs.oasis-open.org/mqtt/mqtt/v5.0/mqtt-v5.0.html chapters 2 and 3):
 *
 *     ┌ type 4 bits, flags 4 bits ┬ remaining length, 1 to 4 bytes of 7 bits ┬ … ┐
 */
import { BAD, MORE } from '../frame-reader.js';

export const PACKET = {
  connect: 1,
  connack: 2,
  publish: 3,
  puback: 4,
  pubrec: 5,
  pubrel: 6,
  pubcomp: 7,
  subscribe: 8,
  suback: 9,
  unsubscribe: 10,
  unsuback: 11,
  pingreq: 12,
  pingresp: 13,
  disconnect: 14,
  auth: 15,
} as const;

/** By type: who sends it (1 client, 2 server, 3 both), flags that it must have, least and most remaining length. */
const SENDERS = [0, 1, 2, 3, 3, 3, 3, 3, 1, 2, 1, 2, 1, 2, 3, 3] as const;
const FLAGS = [-1, 0, 0, -1, 0, 0, 2, 0, 2, 0, 2, 0, 0, 0, 0, 0] as const;
const LEAST = [0, 10, 2, 3, 2, 2, 2, 2, 5, 3, 4, 2, 0, 0, 0, 0] as const;
const LARGEST = 0x0fff_ffff;
const ACK = 70_000;
const MOST = [
  0,
  LARGEST,
  ACK,
  LARGEST,
  ACK,
  ACK,
  ACK,
  ACK,
  LARGEST,
  ACK,
  LARGEST,
  ACK,
  0,
  0,
  ACK,
  ACK,
] as const;

/** Length of the packet at `start`, MORE or BAD. */
export function packetLength(fromClient: boolean, bytes: Buffer, start: number, end: number): number {
  const first = bytes[start]!;
  const type = first >> 4;
  const flags = first & 0x0f;
  if ((SENDERS[type]! & (fromClient ? 1 : 2)) === 0) return BAD;
  if (type === PACKET.publish ? (flags & 0x06) === 0x06 : flags !== FLAGS[type]) return BAD;
  let remaining = 0;
  for (let i = 1; i <= 4; i++) {
    if (start + i >= end) return MORE;
    const byte = bytes[start + i]!;
    remaining += (byte & 0x7f) * 2 ** (7 * (i - 1));
    if (byte >= 0x80) continue;
    if (remaining < LEAST[type]! || remaining > MOST[type]!) return BAD;
    return 1 + i + remaining;
  }
  return BAD;
}

/** Position behind the remaining length of a whole header. */
export function bodyStart(bytes: Buffer, start: number): number {
  let at = start + 1;
  while (bytes[at]! >= 0x80 && at < start + 4) at++;
  return at + 1;
}

/** Does the topic of the PUBLISH at `start` look like one? Longest visible part counts. */
export function hasTopic(
  bytes: Buffer,
  start: number,
  end: number,
  length: number,
  aliases: boolean,
): boolean {
  const body = bodyStart(bytes, start);
  if (body + 2 > end) return false;
  const size = bytes.readUInt16BE(body);
  const needed = body + 2 + size + ((bytes[start]! & 0x06) === 0 ? 0 : 2);
  if (needed > start + length || (size === 0 && !aliases)) return false;
  const stop = Math.min(end, body + 2 + size);
  for (let at = body + 2; at < stop; at++) {
    const value = bytes[at]!;
    // No control characters, and no wildcards: those are for filters.
    if (value < 0x20 || value === 0x23 || value === 0x2b || value === 0x7f) return false;
  }
  return true;
}

/** `MQTT` or `MQIsdp` and the version behind it; 0 when the CONNECT at `start` is none. */
export function connectVersion(bytes: Buffer, start: number, end: number): number {
  const body = bodyStart(bytes, start);
  if (body + 9 > end) return 0;
  const name = bytes.toString('latin1', body + 2, body + 2 + bytes.readUInt16BE(body));
  if (name === 'MQTT') return bytes[body + 6] === 4 || bytes[body + 6] === 5 ? bytes[body + 6]! : 0;
  return name === 'MQIsdp' && bytes[body + 8] === 3 ? 3 : 0;
}
