import type { Seed } from '../seed.js';

const u16 = (value: number) => String.fromCharCode((value >> 8) & 0xff, value & 0xff);
const u32 = (value: number) => u16(value >>> 16) + u16(value & 0xffff);
const u64 = (value: number) => u32(Math.floor(value / 2 ** 32)) + u32(value >>> 0);
const short = (text: string) => String.fromCharCode(text.length) + text;
const long = (text: string) => u32(text.length) + text;
const frame = (type: number, channel: number, payload: string) =>
  `${String.fromCharCode(type)}${u16(channel)}${long(payload)}\xce`;

/** A method frame. */
export const method = (channel: number, classId: number, id: number, fields = ''): string =>
  frame(1, channel, u16(classId) + u16(id) + fields);
export const heartbeat = frame(8, 0, '');
export const greeting = 'AMQP\0\0\x09\x01';

/** Header and body frames of a message; each part of the body is a frame. */
export function message(
  channel: number,
  parts: readonly string[],
  headers: Record<string, string> = {},
): string {
  const size = parts.reduce((sum, part) => sum + part.length, 0);
  const table = Object.entries(headers)
    .map(([name, value]) => `${short(name)}S${long(value)}`)
    .join('');
  const properties = `${short('text/plain')}${long(`${short('n')}I${u32(7)}${table}`)}\x02${short('id-1')}`;
  const header = u16(60) + u16(0) + u64(size) + u16(0x8000 | 0x2000 | 0x1000 | 0x0080) + properties;
  return frame(2, channel, header) + parts.map((part) => frame(3, channel, part)).join('');
}

export const publish = (channel: number, exchange: string, key: string, bits = 0): string =>
  method(channel, 60, 40, u16(0) + short(exchange) + short(key) + String.fromCharCode(bits));
export const deliver = (
  channel: number,
  tag: number,
  exchange: string,
  key: string,
  consumer = 'ctag',
): string => method(channel, 60, 60, `${short(consumer)}${u64(tag)}\0${short(exchange)}${short(key)}`);
export const ack = (channel: number, tag: number, multiple = false): string =>
  method(channel, 60, 80, u64(tag) + (multiple ? '\x01' : '\0'));
export const nack = (channel: number, tag: number, bits = 0): string =>
  method(channel, 60, 120, u64(tag) + String.fromCharCode(bits));
export const reject = (channel: number, tag: number): string => method(channel, 60, 90, `${u64(tag)}\0`);
export const returned = (
  channel: number,
  code: number,
  text: string,
  exchange: string,
  key: string,
): string => method(channel, 60, 50, u16(code) + short(text) + short(exchange) + short(key));
export const declare = (channel: number, queue: string, bits = 0): string =>
  method(channel, 50, 10, u16(0) + short(queue) + String.fromCharCode(bits) + u32(0));
export const declareOk = (channel: number, queue: string): string =>
  method(channel, 50, 11, short(queue) + u32(0) + u32(0));
export const consume = (channel: number, queue: string, tag: string, bits = 0): string =>
  method(channel, 60, 20, u16(0) + short(queue) + short(tag) + String.fromCharCode(bits) + u32(0));
export const consumeOk = (channel: number, tag: string): string => method(channel, 60, 21, short(tag));
export const get = (channel: number, queue: string, bits = 0): string =>
  method(channel, 60, 70, u16(0) + short(queue) + String.fromCharCode(bits));
export const getOk = (channel: number, tag: number, exchange: string, key: string): string =>
  method(channel, 60, 71, `${u64(tag)}\0${short(exchange)}${short(key)}${u32(3)}`);
export const getEmpty = (channel: number): string => method(channel, 60, 72, short(''));
/** `classId` 10: of the connection, 20: of a channel. */
export const close = (
  channel: number,
  classId: number,
  code: number,
  text: string,
  of: readonly [number, number],
): string =>
  method(channel, classId, classId === 10 ? 50 : 40, u16(code) + short(text) + u16(of[0]) + u16(of[1]));
export const closeOk = (channel: number, classId: number): string =>
  method(channel, classId, classId === 10 ? 51 : 41);
export const select = (channel: number): string => method(channel, 85, 10, '\0');
export const selectOk = (channel: number): string => method(channel, 85, 11);
export const open = (channel: number): string => method(channel, 20, 10, short(''));
export const openOk = (channel: number): string => method(channel, 20, 11, u32(0));

/** Greeting, login and tuning. */
export const login: Seed['steps'] = [
  ['client', greeting],
  ['server', method(0, 10, 10, `\0\x09${u32(0)}${long('PLAIN AMQPLAIN')}${long('en_US')}`)],
  ['client', method(0, 10, 11, `${u32(0)}${short('PLAIN')}${long('\0guest\0guest')}${short('en_US')}`)],
  ['server', method(0, 10, 30, u16(2047) + u32(131_072) + u16(60))],
  [
    'client',
    method(0, 10, 31, u16(2047) + u32(131_072) + u16(60)) + method(0, 10, 40, `${short('/')}${short('')}\0`),
  ],
  ['server', method(0, 10, 41, short(''))],
];

const TRACED = { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' };

export const seeds: readonly Seed[] = [
  {
    repeatFrom: 10,
    steps: [
      ...login,
      ['client', open(1)],
      ['server', openOk(1)],
      ['client', declare(1, 'orders')],
      ['server', declareOk(1, 'orders')],
      ['client', publish(1, '', 'orders') + message(1, ['hello'], TRACED)],
      ['client', get(1, 'orders', 1)],
      ['server', getOk(1, 1, '', 'orders') + message(1, ['hello'], TRACED)],
    ],
  },
  {
    steps: [
      ...login,
      ['client', open(1) + open(2)],
      ['server', openOk(1) + openOk(2)],
      ['client', select(1)],
      ['server', selectOk(1)],
      ['client', publish(1, 'shop', 'orders.created', 1) + message(1, ['he', 'llo'])],
      ['client', publish(1, 'shop', 'nobody', 1) + message(1, [])],
      ['server', returned(1, 312, 'NO_ROUTE', 'shop', 'nobody') + message(1, []) + ack(1, 2, true)],
      ['client', consume(2, 'orders', '')],
      [
        'server',
        consumeOk(2, 'ctag') + deliver(2, 1, 'shop', 'orders.created') + message(2, ['hello'], TRACED),
      ],
      ['server', deliver(2, 2, 'shop', 'orders.created') + message(2, ['again']) + heartbeat],
      ['client', ack(2, 1) + reject(2, 2)],
      ['client', declare(2, 'missing', 1)],
      ['server', close(2, 20, 404, "NOT_FOUND - no queue 'missing' in vhost '/'", [50, 10])],
      ['client', closeOk(2, 20) + heartbeat],
      ['client', close(0, 10, 200, 'bye', [0, 0])],
      ['server', closeOk(0, 10)],
    ],
  },
];
