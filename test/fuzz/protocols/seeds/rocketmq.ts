import type { Seed } from '../seed.js';

const u16 = (value: number) => String.fromCharCode((value >> 8) & 0xff, value & 0xff);
const u32 = (value: number) => u16(value >>> 16) + u16(value & 0xffff);

export interface Command {
  readonly code: number;
  readonly opaque: number;
  /** 1 response, 2 one-way. */
  readonly flag?: number;
  readonly fields?: Record<string, string>;
  readonly remark?: string;
  readonly body?: string;
}

const frame = (type: number, header: string, body: string) =>
  `${u32(4 + header.length + body.length)}${String.fromCharCode(type)}${u32(header.length).slice(1)}${header}${body}`;

/** As Java clients write it. */
export function json({ code, opaque, flag = 0, fields = {}, remark, body = '' }: Command): string {
  const header = {
    code,
    extFields: fields,
    flag,
    language: 'JAVA',
    opaque,
    ...(remark === undefined ? {} : { remark }),
    serializeTypeCurrentRPC: 'JSON',
    version: 477,
  };
  return frame(0, JSON.stringify(header), body);
}

export function binary({ code, opaque, flag = 0, fields = {}, remark = '', body = '' }: Command): string {
  const list = Object.entries(fields)
    .map(([key, value]) => u16(key.length) + key + u32(value.length) + value)
    .join('');
  const header = `${u16(code)}\0${u16(477)}${u32(opaque)}${u32(flag)}${u32(remark.length)}${remark}${u32(list.length)}${list}`;
  return frame(1, header, body);
}

export const properties = (values: Record<string, string>): string =>
  Object.entries(values)
    .map(([name, value]) => `${name}\u0001${value}\u0002`)
    .join('');
export const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
/** Fields of SEND_MESSAGE_V2. */
export const message = (topic: string, values: Record<string, string> = {}): Record<string, string> => ({
  a: 'producers',
  b: topic,
  e: '1',
  i: properties({ UNIQ_KEY: '7F00', WAIT: 'true', ...values }),
  m: 'false',
});
export const pull = (topic: string, sysFlag = '2'): Record<string, string> => ({
  consumerGroup: 'workers',
  topic,
  queueId: '1',
  sysFlag,
  suspendTimeoutMillis: '15000',
});

export const seeds: readonly Seed[] = [
  {
    repeatFrom: 0,
    steps: [
      [
        'client',
        binary({
          code: 310,
          opaque: 1,
          fields: message('orders', { traceparent: TRACEPARENT }),
          body: 'hello',
        }),
      ],
      ['server', binary({ code: 0, opaque: 1, flag: 1, fields: { msgId: '7F00', queueId: '1' } })],
    ],
  },
  {
    repeatFrom: 0,
    steps: [
      ['client', json({ code: 105, opaque: 2, fields: { topic: 'orders' } })],
      [
        'server',
        json({
          code: 17,
          opaque: 2,
          flag: 1,
          remark: 'No topic route info in name server for the topic: orders',
        }),
      ],
      [
        'client',
        json({ code: 11, opaque: 3, fields: pull('orders') }) +
          json({ code: 15, opaque: 4, flag: 2, fields: pull('orders') }),
      ],
      ['server', json({ code: 40, opaque: 1, flag: 2, fields: { consumerGroup: 'workers' } })],
      ['server', json({ code: 19, opaque: 3, flag: 1 })],
    ],
  },
];
