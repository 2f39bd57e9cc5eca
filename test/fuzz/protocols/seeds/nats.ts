import type { Seed } from '../seed.js';

export const INFO = `INFO {"server_id":"NA","version":"2.9.10","proto":1,"headers":true,"max_payload":1048576} \r\n`;
export const CONNECT = `CONNECT {"verbose":false,"pedantic":false,"lang":"javascript","headers":true}\r\n`;
export const TRACED = 'traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

export const pub = (subject: string, payload: string, reply = ''): string =>
  `PUB ${subject}${reply === '' ? '' : ` ${reply}`} ${payload.length}\r\n${payload}\r\n`;
export const msg = (subject: string, sid: string, payload: string, reply = ''): string =>
  `MSG ${subject} ${sid}${reply === '' ? '' : ` ${reply}`} ${payload.length}\r\n${payload}\r\n`;
/** `lines`: headers; the first may be a status. */
const block = (status: string, lines: readonly string[]): string =>
  `NATS/1.0${status === '' ? '' : ` ${status}`}\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`;
export function hpub(subject: string, lines: readonly string[], payload: string, reply = ''): string {
  const head = block('', lines);
  const place = `${subject}${reply === '' ? '' : ` ${reply}`}`;
  return `HPUB ${place} ${head.length} ${head.length + payload.length}\r\n${head}${payload}\r\n`;
}
export function hmsg(
  subject: string,
  sid: string,
  lines: readonly string[],
  payload: string,
  reply = '',
  status = '',
): string {
  const head = block(status, lines);
  const place = `${subject} ${sid}${reply === '' ? '' : ` ${reply}`}`;
  return `HMSG ${place} ${head.length} ${head.length + payload.length}\r\n${head}${payload}\r\n`;
}

const login: Seed['steps'] = [
  ['server', INFO],
  ['client', `${CONNECT}PING\r\n`],
  ['server', 'PONG\r\n'],
];
const INBOX = '_INBOX.JzTY20BRgKO3';

export const seeds: readonly Seed[] = [
  {
    repeatFrom: 4,
    steps: [
      ...login,
      ['client', `SUB ${INBOX}.* 1\r\nSUB orders.> workers 2\r\n`],
      ['client', pub('orders.new', 'hello')],
      ['server', msg('orders.new', '2', 'hello')],
      ['client', pub('shop.price', '{"id":1}', `${INBOX}.1`)],
      ['server', msg(`${INBOX}.1`, '1', '{"price":2}')],
    ],
  },
  {
    repeatFrom: 4,
    steps: [
      ...login,
      ['client', `SUB ${INBOX}.* 1\r\nSUB shop.price 2\r\nSUB ${INBOX}x 3\r\n`],
      ['client', hpub('orders.7.new', [TRACED, 'X: y'], 'hello')],
      ['client', pub('nobody', '', `${INBOX}.2`)],
      ['server', hmsg(`${INBOX}.2`, '1', [], '', '', '503')],
      ['server', hmsg('shop.price', '2', [TRACED], 'ask', '_INBOX.other.1')],
      ['client', pub('_INBOX.other.1', 'told')],
      ['client', pub('$JS.API.CONSUMER.MSG.NEXT.ORDERS.worker', '{"batch":1}', `${INBOX}x`)],
      ['server', msg('orders.new', '3', 'hello', '$JS.ACK.ORDERS.worker.1.1.1.1700000000000000000.0')],
      ['client', pub('$JS.ACK.ORDERS.worker.1.1.1.1700000000000000000.0', '+ACK')],
      ['client', pub('$JS.API.STREAM.INFO.NONE', '', `${INBOX}.3`)],
      [
        'server',
        msg(
          `${INBOX}.3`,
          '1',
          '{"type":"io.nats.jetstream.api.v1.stream_info_response","error":{"code":404,"err_code":10059,"description":"stream not found"}}',
        ),
      ],
      ['server', `-ERR 'Permissions Violation for Publish to "secret"'\r\nPING\r\n`],
      ['client', 'PONG\r\n'],
    ],
  },
];
