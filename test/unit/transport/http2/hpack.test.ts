/** HPACK against the examples of RFC 7541, appendix C, and against everything that is not HPACK. */
import { describe, expect, it } from 'vitest';
import { HpackDecoder } from '../../../../src/transport/http2/hpack-decoder.js';
import { encodeHeaders } from '../../../../src/transport/http2/hpack-encoder.js';
import { decodeHuffman } from '../../../../src/transport/http2/huffman.js';
import { H2_ERROR, Http2Error } from '../../../../src/transport/http2/protocol.js';

const hex = (text: string): Buffer => Buffer.from(text.replace(/\s/g, ''), 'hex');
const plain = (decoder: HpackDecoder, block: Uint8Array): Record<string, string> => ({
  ...decoder.decode(block).headers,
});

const REQUESTS = [
  { ':method': 'GET', ':scheme': 'http', ':path': '/', ':authority': 'www.example.com' },
  {
    ':method': 'GET',
    ':scheme': 'http',
    ':path': '/',
    ':authority': 'www.example.com',
    'cache-control': 'no-cache',
  },
  {
    ':method': 'GET',
    ':scheme': 'https',
    ':path': '/index.html',
    ':authority': 'www.example.com',
    'custom-key': 'custom-value',
  },
];

describe('decoding', () => {
  it.each([
    [
      'C.3, plain texts',
      [
        '828684410f7777772e6578616d706c652e636f6d',
        '828684be58086e6f2d6361636865',
        '828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565',
      ],
    ],
    [
      'C.4, Huffman texts',
      [
        '828684418cf1e3c2e5f23a6ba0ab90f4ff',
        '828684be5886a8eb10649cbf',
        '828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf',
      ],
    ],
  ])('reads three requests on one connection: %s', (_, blocks) => {
    const decoder = new HpackDecoder(4096);
    expect(blocks.map((block) => plain(decoder, hex(block)))).toEqual(REQUESTS);
  });

  it('forgets the oldest headers when the table is full, and all when it is told to', () => {
    const decoder = new HpackDecoder(1 << 20);
    const long = (name: string): Buffer =>
      Buffer.concat([
        Buffer.of(0x40, 1),
        Buffer.from(name),
        Buffer.of(0x7f, 0xd1, 0x0e),
        Buffer.alloc(2000, 'v'),
      ]);
    decoder.decode(long('a'));
    decoder.decode(long('b'));
    expect(Object.keys(plain(decoder, Buffer.of(0xbe, 0xbf)))).toEqual(['b', 'a']);
    decoder.decode(long('c'));
    expect(Object.keys(plain(decoder, Buffer.of(0xbe, 0xbf)))).toEqual(['c', 'b']);
    expect(() => decoder.decode(Buffer.of(0xc0))).toThrow(Http2Error);
    expect(plain(decoder, Buffer.of(0x20, 0x82))).toEqual({ ':method': 'GET' });
    expect(() => decoder.decode(Buffer.of(0xbe))).toThrow(Http2Error);
  });

  it.each([
    ['number 0', '80'],
    ['a number beyond the table', 'be'],
    ['a cut integer', 'ff'],
    ['an endless integer', 'ffffffffffffff01'],
    ['a cut text', '4005 61'],
    ['a block without value', '400161'],
    ['a table larger than ours', '3fe2ff01'],
    ['a table size behind a header', '8220'],
    ['Huffman with the end in the middle', '4084ffffffff0161'],
    ['Huffman with padding of a whole byte', '4082 1fff 0161'],
    ['Huffman with padding of zeros', '4081180161'],
  ])('refuses %s', (_, block) => {
    const failure = (() => {
      try {
        return new HpackDecoder(4096).decode(hex(block));
      } catch (error) {
        return error;
      }
    })();
    expect(failure).toBeInstanceOf(Http2Error);
    expect(failure).toMatchObject({ code: H2_ERROR.COMPRESSION_ERROR });
  });

  it('bounds what a small block can become', () => {
    const decoder = new HpackDecoder(1000);
    expect(() => decoder.decode(Buffer.alloc(100, 0x82))).toThrow('too many headers');
  });

  it.each([
    [[['Upper', 'x']], 'bad name'],
    [[['a b', 'x']], 'bad name'],
    [[['a', 'x\ny']], 'bad value of a'],
    [[['connection', 'close']], 'connection does not belong'],
    [[['te', 'gzip']], 'te does not belong'],
    [
      [
        ['a', 'x'],
        [':path', '/'],
      ],
      ':path out of place',
    ],
    [
      [
        [':path', '/'],
        [':path', '/'],
      ],
      ':path out of place',
    ],
  ] as [[string, string][], string][])('marks the message %j', (headers, problem) => {
    expect(new HpackDecoder(4096).decode(encodeHeaders(headers)).problem).toContain(problem);
  });
});

it('joins what is repeated, and has names that objects have', () => {
  const decoded = new HpackDecoder(4096).decode(
    encodeHeaders([
      ['a', '1'],
      ['__proto__', 'x'],
      ['a', '2'],
    ]),
  );
  expect(Object.entries(decoded.headers)).toEqual([
    ['a', '1, 2'],
    ['__proto__', 'x'],
  ]);
});

it('encodes so that it decodes to the same, long texts and secrets too', () => {
  const headers: [string, string][] = [
    [':method', 'POST'],
    [':path', '/opentelemetry.proto.collector.trace.v1.TraceService/Export'],
    ['authorization', 'Bearer s3cret'],
    ['x-long', 'v'.repeat(20_000)],
    ['x-latin', 'M\u00fcller'],
    ['x-empty', ''],
  ];
  const block = encodeHeaders(headers);
  const decoded = new HpackDecoder(65_536).decode(block);
  expect(decoded.problem).toBeUndefined();
  expect(Object.entries(decoded.headers)).toEqual(headers);
  // Never indexed: number 23 of the static table behind the pattern 0001.
  expect(block.includes(Buffer.of(0x1f, 23 - 15))).toBe(true);
});

it('decodes every symbol of the Huffman code', () => {
  // RFC 7541, appendix B: '0' is 00000, 'z' is 1111011, '{' is 111111111111110, byte 249 is 1111111111111111111111111110.
  const bits = `00000${'1111011'}${'111111111111110'}${'1111111111111111111111111110'}`;
  const padded = bits.padEnd(Math.ceil(bits.length / 8) * 8, '1');
  const bytes = Buffer.from(padded.match(/.{8}/g)!.map((byte) => Number.parseInt(byte, 2)));
  expect(decodeHuffman(bytes, 0, bytes.length)).toBe('0z{\u00f9');
});
