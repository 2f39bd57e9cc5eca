import type { Seed } from '../seed.js';

/** A packet of the binary protocol. */
const packet = (
  magic: number,
  opcode: number,
  opaque: number,
  extras: string,
  key: string,
  value = '',
  status = 0,
) => {
  const header = Buffer.alloc(24);
  header[0] = magic;
  header[1] = opcode;
  header.writeUInt16BE(key.length, 2);
  header[4] = extras.length;
  header.writeUInt16BE(status, 6);
  header.writeUInt32BE(extras.length + key.length + value.length, 8);
  header.writeUInt32BE(opaque, 12);
  return header.toString('latin1') + extras + key + value;
};
export const ask = (opcode: number, opaque: number, key = '', extras = '', value = ''): string =>
  packet(0x80, opcode, opaque, extras, key, value);
export const tell = (opcode: number, opaque: number, status = 0, value = '', key = ''): string =>
  packet(0x81, opcode, opaque, '', key, value, status);

export const seeds: readonly Seed[] = [
  {
    repeatFrom: 2,
    steps: [
      ['client', 'set user:1 0 60 5\r\nhello\r\n'],
      ['server', 'STORED\r\n'],
      ['client', 'get user:1 user:2\r\n'],
      ['server', 'VALUE user:1 0 5\r\nhello\r\nEND\r\n'],
    ],
  },
  {
    steps: [
      ['client', 'mg a v q k\r\nmg b v q k\r\nms c 2 q\r\nok\r\nmn\r\n'],
      ['server', 'VA 5 kb\r\nhello\r\nMN\r\n'],
      ['client', 'set x 0 0 1 noreply\r\n1\r\nincr x 1\r\n'],
      ['server', '2\r\n'],
      ['client', 'stats\r\n'],
      ['server', 'STAT pid 1\r\nSTAT uptime 2\r\nEND\r\n'],
      ['client', 'set huge 0 0 1\r\n1\r\n'],
      ['server', 'SERVER_ERROR out of memory storing object\r\n'],
    ],
  },
  {
    repeatFrom: 0,
    steps: [
      ['client', ask(0x01, 1, 'key', '\0\0\0\0\0\0\0\x3c', 'hello') + ask(0x00, 2, 'key')],
      ['server', tell(0x01, 1) + tell(0x00, 2, 0, '\0\0\0\0hello')],
    ],
  },
];
