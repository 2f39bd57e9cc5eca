import type { Seed } from '../seed.js';

const hex = (text: string) => Buffer.from(text.replace(/\s/g, ''), 'hex');

const PREFACE = '505249202a20485454502f322e300d0a0d0a534d0d0a0d0a';
const SETTINGS = '000000040000000000';
/** `:method POST`, `:scheme http`, a literal `:path`, literal `content-type: application/grpc`, never indexed. */
const CALL =
  '838604102f73686f702e4f72646572732f476574' +
  '0f10106170706c69636174696f6e2f67727063'.replace('0f10', '1f10');
/** `:status 200`, `content-type: application/grpc`. */
const ANSWER = '88' + '1f10106170706c69636174696f6e2f67727063';
/** `grpc-status: 0`, never indexed. */
const TRAILERS = '100b677270632d7374617475730130';

const frame = (type: number, flags: number, stream: number, payload: string) => {
  const body = hex(payload);
  const head = Buffer.alloc(9);
  head.writeUIntBE(body.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, body]);
};

const requests = (stream: number): Seed['steps'] => [
  ['client', Buffer.concat([frame(1, 4, stream, CALL), frame(0, 1, stream, '00 00000003 616263')])],
  [
    'server',
    Buffer.concat([
      frame(1, 4, stream, ANSWER),
      frame(0, 0, stream, '00 00000002 6f6b'),
      frame(1, 5, stream, TRAILERS),
    ]),
  ],
];

export const seeds: readonly Seed[] = [
  {
    steps: [
      ['client', hex(PREFACE + SETTINGS)],
      ['server', hex(SETTINGS + '000000040100000000')],
      ['client', hex('000000040100000000')],
      ...requests(1),
      ...requests(3),
      ...requests(5),
    ],
  },
  {
    steps: [
      ['client', hex(`${PREFACE}${SETTINGS}0000030105000000018286 84`)],
      ['client', hex('000003010500000003828684')],
      ['server', hex(`${SETTINGS}00000101040000000388 000005000100000003 68656c6c6f`)],
      ['server', hex('000001010500000001 8d')],
      ['client', hex('000004030000000003 00000008')],
      ['server', hex('000008070000000000 0000000300000000')],
    ],
  },
  {
    steps: [
      [
        'client',
        'GET /up HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n',
      ],
      ['server', 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n'],
      ['client', hex(PREFACE + SETTINGS)],
      ['server', hex(`${SETTINGS}000001010500000001 88`)],
    ],
  },
];
