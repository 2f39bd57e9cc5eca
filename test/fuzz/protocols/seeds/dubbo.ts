import type { Seed } from '../seed.js';

const u16 = (value: number) => String.fromCharCode((value >> 8) & 0xff, value & 0xff);
const u32 = (value: number) => u16(value >>> 16) + u16(value & 0xffff);

/** A text of Hessian 2, or of JSONB. */
export const hessian = (text: string): string =>
  (text.length < 32
    ? String.fromCharCode(text.length)
    : text.length < 1024
      ? String.fromCharCode(0x30 + (text.length >> 8), text.length & 0xff)
      : `S${u16(text.length)}`) + text;
export const jsonb = (text: string): string =>
  (text.length < 48
    ? String.fromCharCode(0x49 + text.length)
    : `\x79${String.fromCharCode(0x38 + (text.length >> 8), text.length & 0xff)}`) + text;
const sized = (value: string) => u32(value.length) + value;

export const HESSIAN = 2;
export const JSONB = 23;
const message = (flags: number, status: number, id: number, body: string) =>
  `\xda\xbb${String.fromCharCode(flags, status)}${u32(0x9ba91d6c)}${u32(id)}${sized(body)}`;

export interface Call {
  readonly service?: string;
  readonly method?: string;
  readonly types?: string;
  /** Encoded. */
  readonly args?: string;
  readonly attachments?: Record<string, string>;
  readonly oneWay?: boolean;
  readonly serialization?: number;
}

export function call(
  id: number,
  {
    service = 'com.shop.Orders',
    method = 'find',
    types = 'Ljava/lang/String;',
    args,
    attachments = {},
    oneWay = false,
    serialization = HESSIAN,
  }: Call = {},
): string {
  const entries = Object.entries({ path: service, ...attachments }).flat();
  const texts = ['2.0.2', service, '1.0.0', method, types];
  const body =
    serialization === JSONB
      ? texts.map((text) => sized(jsonb(text))).join('') +
        (args ?? sized(jsonb('id'))) +
        sized(`\xa6${entries.map(jsonb).join('')}\xa5`)
      : `${texts.map(hessian).join('') + (args ?? hessian('id'))}H${entries.map(hessian).join('')}Z`;
  return message(0x80 | (oneWay ? 0 : 0x40) | serialization, 0, id, body);
}
export const answer = (
  id: number,
  body = `\x94${hessian('found')}HZ`,
  status = 20,
  serialization = HESSIAN,
): string => message(serialization, status, id, body);
export const exception = (id: number, name: string): string =>
  answer(id, `\x93C${hessian(name)}\x91${hessian('detailMessage')}\x60N`);
export const heartbeat = (id: number, request: boolean): string =>
  message((request ? 0xe0 : 0x20) | HESSIAN, request ? 0 : 20, id, 'N');

export const TRACED = { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' };

export const seeds: readonly Seed[] = [
  {
    repeatFrom: 0,
    steps: [
      ['client', call(1, { attachments: TRACED })],
      ['server', answer(1)],
      ['client', call(2, { serialization: JSONB })],
      ['server', answer(2, `\0\0\0\x02\xbd\x04${sized(jsonb('found'))}`, 20, JSONB)],
    ],
  },
  {
    steps: [
      ['client', heartbeat(1, true)],
      ['server', heartbeat(1, false)],
      ['client', call(2) + call(3, { method: 'tell', oneWay: true }) + call(4, { method: 'fail' })],
      ['server', exception(4, 'java.lang.IllegalStateException') + answer(2)],
      ['client', call(5, { service: 'com.shop.Absent' })],
      ['server', answer(5, hessian('Not found exported service: com.shop.Absent'), 60)],
      ['server', call(9, { method: 'changed' })],
      ['client', answer(9)],
    ],
  },
];
