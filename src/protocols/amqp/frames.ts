/**
 * Frames of AMQP 0-9-1 (section 4.2.3):
 *
 *     ┌ type 1 ┬ channel 2 ┬ size 4 ┬ payload … ┬ 0xCE ┐        the client begins with "AMQP" 0 0 9 1
 */
import { BAD, MORE } from '../frame-reader.js';
import { senderOf } from './methods.js';

export const FRAME = { method: 1, header: 2, body: 3, heartbeat: 8 } as const;
export const FRAME_HEADER = 7;
export const FRAME_END = 0xce;
/** Header and end. */
export const FRAME_EXTRA = FRAME_HEADER + 1;
export const GREETING_BYTES = 8;
const LETTER_A = 0x41;
/** RabbitMQ's frame_max is 128 KiB unless configured. */
const LARGEST_FRAME = 0x0100_0000;

/** Length of the frame at `start`, MORE, or BAD. */
export function amqpLength(bytes: Buffer, start: number, end: number): number {
  const type = bytes[start]!;
  if (type === LETTER_A) return isGreeting(bytes, start, end) ? GREETING_BYTES : BAD;
  if (type !== FRAME.method && type !== FRAME.header && type !== FRAME.body && type !== FRAME.heartbeat)
    return BAD;
  if (end - start < FRAME_HEADER) return MORE;
  const size = bytes.readUInt32BE(start + 3);
  if (size > LARGEST_FRAME || (type === FRAME.heartbeat && size !== 0)) return BAD;
  return size + FRAME_EXTRA;
}

const GREETING = Buffer.from('AMQP\0\0\x09\x01', 'latin1');

/** The whole greeting, or what there is of it. */
export function isGreeting(bytes: Buffer, start: number, end: number): boolean {
  const stop = Math.min(end - start, GREETING_BYTES);
  for (let i = 0; i < stop; i++) if (bytes[start + i] !== GREETING[i]) return false;
  return true;
}

/** Who sends the frame at `start`: 1 the client, -1 the server, 2 either, 0: it is none. Looks at all that is visible. */
export function frameSender(bytes: Buffer, start: number, end: number): 1 | -1 | 2 | 0 {
  const length = amqpLength(bytes, start, end);
  if (length <= 0) return 0;
  if (bytes[start] === LETTER_A) return 1;
  if (start + length <= end && bytes[start + length - 1] !== FRAME_END) return 0;
  const channel = (bytes[start + 1]! << 8) | bytes[start + 2]!;
  const payload = start + FRAME_HEADER;
  switch (bytes[start]) {
    case FRAME.method: {
      if (end - payload < 4 || length < FRAME_EXTRA + 4) return 0;
      const id = bytes.readUInt32BE(payload);
      const packed = ((id >>> 16) << 16) | (id & 0xffff);
      const connection = id >>> 16 === 10;
      return connection === (channel === 0) ? senderOf(packed) : 0;
    }
    case FRAME.header:
      return channel > 0 && end - payload >= 4 && bytes.readUInt32BE(payload) === 60 << 16 ? 2 : 0;
    case FRAME.body:
      return channel > 0 && length > FRAME_EXTRA ? 2 : 0;
    default:
      return channel === 0 ? 2 : 0;
  }
}
