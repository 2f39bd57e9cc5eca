import type { Seed } from '../seed.js';

const u16 = (value: number) => String.fromCharCode((value >> 8) & 0xff, value & 0xff);
export const text = (value: string): string => u16(value.length) + value;
function length(value: number): string {
  let rest = value;
  let result = '';
  do {
    const more = rest >= 128;
    result += String.fromCharCode((rest % 128) | (more ? 0x80 : 0));
    rest = Math.floor(rest / 128);
  } while (rest > 0);
  return result;
}
export const packet = (type: number, flags: number, body: string): string =>
  String.fromCharCode((type << 4) | flags) + length(body.length) + body;
export const properties = (fields: string): string => length(fields.length) + fields;
export const userProperty = (name: string, value: string): string => `\x26${text(name)}${text(value)}`;
export const alias = (value: number): string => `\x23${u16(value)}`;

export const connect = (level: 4 | 5, client = 'sensor-1'): string =>
  packet(
    1,
    0,
    `${text('MQTT')}${String.fromCharCode(level)}\x02\0\x3c${level === 5 ? properties('\x21\0\x14') : ''}${text(client)}`,
  );
export const connack = (code: number, fields?: string): string =>
  packet(2, 0, `\0${String.fromCharCode(code)}${fields === undefined ? '' : properties(fields)}`);
/** `fields`: the properties of version 5; undefined before. */
export const publish = (
  topic: string,
  payload: string,
  {
    qos = 0,
    id = 0,
    dup = false,
    fields,
  }: { qos?: number; id?: number; dup?: boolean; fields?: string } = {},
): string =>
  packet(
    3,
    (qos << 1) | (dup ? 8 : 0),
    text(topic) + (qos > 0 ? u16(id) : '') + (fields === undefined ? '' : properties(fields)) + payload,
  );
/** 4 PUBACK, 5 PUBREC, 6 PUBREL, 7 PUBCOMP. */
export const answer = (type: 4 | 5 | 6 | 7, id: number, code?: number, reason = ''): string =>
  packet(
    type,
    type === 6 ? 2 : 0,
    u16(id) +
      (code === undefined
        ? ''
        : String.fromCharCode(code) + (reason === '' ? '' : properties(`\x1f${text(reason)}`))),
  );
export const subscribe = (id: number, filters: readonly string[], fields?: string): string =>
  packet(
    8,
    2,
    u16(id) +
      (fields === undefined ? '' : properties(fields)) +
      filters.map((filter) => `${text(filter)}\x01`).join(''),
  );
export const suback = (id: number, codes: readonly number[], fields?: string): string =>
  packet(9, 0, u16(id) + (fields === undefined ? '' : properties(fields)) + String.fromCharCode(...codes));

export const TRACED = userProperty('traceparent', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01');

export const seeds: readonly Seed[] = [
  {
    repeatFrom: 4,
    steps: [
      ['client', connect(4)],
      ['server', connack(0)],
      ['client', subscribe(1, ['home/+/temperature'])],
      ['server', suback(1, [1])],
      ['client', publish('home/1/temperature', '21.5', { qos: 1, id: 2 })],
      ['server', answer(4, 2)],
      ['server', publish('home/1/temperature', '21.5')],
    ],
  },
  {
    repeatFrom: 2,
    steps: [
      ['client', connect(5)],
      ['server', connack(0, `\x12${text('auto-1')}`)],
      ['client', publish('orders/new', 'hello', { qos: 2, id: 1, fields: TRACED + alias(1) })],
      ['server', answer(5, 1)],
      ['client', answer(6, 1)],
      ['server', answer(7, 1)],
      ['client', publish('', 'again', { fields: alias(1) })],
      ['client', subscribe(2, ['a', 'secret'], '') + packet(12, 0, '')],
      ['server', suback(2, [1, 0x87], '') + packet(13, 0, '')],
      ['server', publish('a', 'x', { qos: 1, id: 1, fields: TRACED })],
      ['client', answer(4, 1)],
      ['client', publish('secret', 'x', { qos: 1, id: 3, fields: '' })],
      ['server', answer(4, 3, 0x87, 'no')],
    ],
  },
];
