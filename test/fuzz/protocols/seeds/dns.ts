import type { Seed } from '../seed.js';

const hex = (text: string) => Buffer.from(text.replace(/\s/g, ''), 'hex');

const NAME = '04 73686f70 04 74657374 00';
const QUERY = hex(`1234 0100 0001 0000 0000 0001 ${NAME} 0001 0001 00 0029 04d0 00000000 0000`);
const ANSWER = hex(
  `1234 8180 0001 0002 0000 0000 ${NAME} 0001 0001 c00c 0005 0001 0000003c 0006 03 777777 c00c 03 777777 c00c 0001 0001 0000003c 0004 0a000002`,
);
const MISSING = hex(`1235 8183 0001 0000 0000 0000 ${NAME} 001c 0001`);
const QUERY6 = hex(`1235 0100 0001 0000 0000 0000 ${NAME} 001c 0001`);
const framed = (bytes: Buffer) =>
  Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 0xff]), bytes]);

export const seeds: readonly Seed[] = [
  {
    transport: 'udp',
    repeatFrom: 0,
    steps: [
      ['client', QUERY],
      ['client', QUERY6],
      ['server', MISSING],
      ['server', ANSWER],
    ],
  },
  {
    repeatFrom: 0,
    steps: [
      ['client', framed(QUERY)],
      ['server', framed(ANSWER)],
      ['client', Buffer.concat([framed(QUERY6), framed(QUERY)])],
      ['server', Buffer.concat([framed(ANSWER), framed(MISSING)])],
    ],
  },
];
