/** Every way in which a backend can answer an export. */
import { gzipSync } from 'node:zlib';
import { encodeExportResponse, encodeStatus } from '../../../src/otlp/responses.js';
import { framed } from '../wire/requests.js';
import type { GrpcScript, HttpScript, Script } from './script.js';

const PROTOBUF = 'application/x-protobuf';
const JSON_TYPE = 'application/json';

function response(
  status: number,
  headers: Readonly<Record<string, string>> = {},
  body: Uint8Array | string = '',
  length: number | null = Buffer.byteLength(body),
): Buffer {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const sized = length === null ? '' : `Content-Length: ${length}\r\n`;
  return Buffer.concat([
    Buffer.from(`HTTP/1.1 ${status} x\r\n${lines.join('')}${sized}\r\n`),
    Buffer.from(body),
  ]);
}

const http = (id: string, answer: Buffer, more: Partial<HttpScript> = {}): HttpScript => ({
  id: `HTTP ${id}`,
  protocol: 'http',
  answer,
  ...more,
});

const STATUSES = [
  200, 201, 202, 203, 204, 205, 206, 299, 300, 304, 305, 400, 401, 402, 403, 404, 405, 406, 407, 408, 409,
  410, 411, 412, 413, 414, 415, 416, 417, 418, 421, 422, 423, 424, 425, 426, 428, 429, 431, 451, 499, 500,
  501, 502, 503, 504, 505, 506, 507, 508, 510, 511, 520, 521, 522, 523, 524, 525, 599,
];

const RETRY_AFTER = [
  '0',
  '1',
  '2',
  '-1',
  '1.5',
  'x',
  '',
  ' 1 ',
  '1s',
  'Fri, 31 Dec 1999 23:59:59 GMT',
  '99999999999999999999',
];

const status = (code: number, message: string, retryDelayMs?: number): Uint8Array =>
  encodeStatus(retryDelayMs === undefined ? { code, message } : { code, message, retryDelayMs });

function httpScripts(): HttpScript[] {
  const proto = { 'Content-Type': PROTOBUF };
  const asJson = { 'Content-Type': JSON_TYPE };
  return [
    ...STATUSES.map((code) =>
      http(`${code}`, response(code, {}, '', code === 204 || code === 304 ? null : 0)),
    ),
    ...[429, 503, 502, 504, 500, 400].flatMap((code) =>
      RETRY_AFTER.map((after) =>
        http(`${code} Retry-After ${JSON.stringify(after)}`, response(code, { 'Retry-After': after })),
      ),
    ),
    ...[400, 429, 500, 503].flatMap((code) => [
      http(`${code} with a status`, response(code, proto, status(3, 'the reason'))),
      http(`${code} with a status of RetryInfo`, response(code, proto, status(14, 'the reason', 2000))),
      http(`${code} with an empty status`, response(code, proto, status(3, ''))),
      http(`${code} with a status in JSON`, response(code, asJson, '{"code":3,"message":"the reason"}')),
      http(`${code} with a status that is no protobuf`, response(code, proto, '<html>')),
      http(
        `${code} with a page`,
        response(code, { 'Content-Type': 'text/html' }, '<html><body>Sorry</body></html>'),
      ),
      http(`${code} with a text`, response(code, { 'Content-Type': 'text/plain' }, 'the reason')),
      http(`${code} with a status without a type`, response(code, {}, status(3, 'the reason'))),
    ]),
    http('200 partial success', response(200, proto, encodeExportResponse({ rejected: 1, message: 'one' }))),
    http(
      '200 partial success without a text',
      response(200, proto, encodeExportResponse({ rejected: 1, message: '' })),
    ),
    http(
      '200 partial success of nothing',
      response(200, proto, encodeExportResponse({ rejected: 0, message: 'a warning' })),
    ),
    http(
      '200 partial success of too many',
      response(200, proto, encodeExportResponse({ rejected: 99, message: 'all' })),
    ),
    http('202 partial success', response(202, proto, encodeExportResponse({ rejected: 1, message: 'one' }))),
    http(
      '200 partial success in JSON',
      response(200, asJson, '{"partialSuccess":{"rejectedSpans":"1","errorMessage":"one"}}'),
    ),
    http(
      '200 partial success with a charset',
      response(
        200,
        { 'Content-Type': `${PROTOBUF}; charset=x` },
        encodeExportResponse({ rejected: 1, message: 'one' }),
      ),
    ),
    http(
      '200 partial success without a type',
      response(200, {}, encodeExportResponse({ rejected: 1, message: 'one' })),
    ),
    http('200 partial success of a page', response(200, { 'Content-Type': 'text/html' }, '<html>')),
    http('200 garbage', response(200, proto, 'garbage!')),
    http('200 garbage in JSON', response(200, asJson, '{"partialSuccess":')),
    http('200 garbage as JSON of another shape', response(200, asJson, '{"partialSuccess":7}')),
    http('200 empty JSON', response(200, asJson, '{}')),
    http('200 of 100 kB', response(200, proto, Buffer.alloc(100_000))),
    http(
      '200 in gzip',
      response(
        200,
        { ...proto, 'Content-Encoding': 'gzip' },
        gzipSync(encodeExportResponse({ rejected: 1, message: 'one' })),
      ),
    ),
    http(
      '200 in chunks',
      Buffer.concat([
        response(200, { ...proto, 'Transfer-Encoding': 'chunked' }, '', null),
        Buffer.from('2\r\n'),
        Buffer.from(encodeExportResponse()),
        Buffer.from('\r\n0\r\n\r\n'),
      ]),
    ),
    http(
      '200 in chunks that break off',
      response(200, { ...proto, 'Transfer-Encoding': 'chunked' }, '5\r\nab', null),
      { close: 'end' },
    ),
    http('200 that breaks off', response(200, proto, 'ab', 100), { close: 'end' }),
    http('200 that is reset', response(200, proto, 'ab', 100), { close: 'reset' }),
    http('200 until the end', response(200, proto, '', null), { close: 'end' }),
    http('400 that breaks off', response(400, proto, 'ab', 100), { close: 'end' }),
    http('503 that breaks off', response(503, proto, 'ab', 100), { close: 'end' }),
    http('500 until the end', response(500, proto, status(3, 'the reason'), null), { close: 'end' }),
    http('100 and 200', Buffer.concat([Buffer.from('HTTP/1.1 100 Continue\r\n\r\n'), response(200)])),
    http(
      '103 and 503',
      Buffer.concat([Buffer.from('HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n'), response(503)]),
    ),
    http('200 and close', response(200, { Connection: 'close' }), { close: 'end' }),
    http('nothing and close', Buffer.alloc(0), { close: 'end' }),
    http('nothing and reset', Buffer.alloc(0), { close: 'reset' }),
    http('half a head', Buffer.from('HTTP/1.1 200 O'), { close: 'end' }),
    http('garbage', Buffer.from('garbage garbage\r\n\r\n'), { close: 'end' }),
    http('HTTP/1.0 200', Buffer.from('HTTP/1.0 200 OK\r\nContent-Type: application/x-protobuf\r\n\r\n'), {
      close: 'end',
    }),
    http('301 without a place', response(301)),
    http('302 to itself', response(302, { Location: '/v1/traces' })),
    http('307 to itself', response(307, { Location: '/v1/traces' })),
    http('308 to itself', response(308, { Location: '/v1/traces' })),
    http('303 to itself', response(303, { Location: '/v1/traces' })),
    http('307 to nowhere', response(307, { Location: 'http://127.0.0.1:1/' })),
    http('silence', Buffer.alloc(0), { config: 'timeout: 2s' }),
    http('503 without retries', response(503), { config: 'retry_on_failure: {enabled: false}' }),
    http(
      '503 with the status of a limit',
      response(503, proto, status(14, 'data refused due to high memory usage')),
    ),
  ];
}

const HEAD = [
  [':status', '200'],
  ['content-type', 'application/grpc'],
] as const;
const OK = [['grpc-status', '0']] as const;

const grpc = (id: string, parts: Omit<GrpcScript, 'id' | 'protocol'>): GrpcScript => ({
  id: `gRPC ${id}`,
  protocol: 'grpc',
  ...parts,
});

const failed = (code: number | string, more: readonly (readonly [string, string])[] = []) => ({
  headers: [...HEAD, ['grpc-status', String(code)] as const, ...more],
});
const details = (code: number, retryDelayMs?: number): readonly [string, string] => [
  'grpc-status-details-bin',
  Buffer.from(status(code, 'boom', retryDelayMs)).toString('base64'),
];

function grpcScripts(): GrpcScript[] {
  const partial = (rejected: number, message: string) => ({
    headers: HEAD,
    body: framed(encodeExportResponse({ rejected, message })),
    trailers: OK,
  });
  return [
    ...Array.from({ length: 17 }, (_, code) => code).flatMap((code) => [
      grpc(
        `${code}`,
        code === 0
          ? { headers: HEAD, body: framed(encodeExportResponse()), trailers: OK }
          : failed(code, [['grpc-message', 'boom']]),
      ),
      ...(code === 0
        ? []
        : [
            grpc(`${code} with RetryInfo`, failed(code, [['grpc-message', 'boom'], details(code, 2000)])),
            grpc(`${code} in trailers`, {
              headers: HEAD,
              body: Buffer.alloc(0),
              trailers: [
                ['grpc-status', String(code)],
                ['grpc-message', 'boom'],
              ],
            }),
          ]),
    ]),
    ...['17', '99', '-1', 'x', ''].map((code) =>
      grpc(`status ${JSON.stringify(code)}`, failed(code, [['grpc-message', 'boom']])),
    ),
    grpc('14 without a text', failed(14)),
    grpc('14 with an encoded text', failed(14, [['grpc-message', 'a%20b%C3%A9%zz']])),
    grpc(
      '14 with details that are none',
      failed(14, [
        ['grpc-message', 'boom'],
        ['grpc-status-details-bin', '!!!'],
      ]),
    ),
    grpc('14 with details of another code', failed(14, [['grpc-message', 'boom'], details(3)])),
    grpc('14 with RetryInfo of no time', failed(14, [['grpc-message', 'boom'], details(14, 0)])),
    grpc('8 with RetryInfo of no time', failed(8, [['grpc-message', 'boom'], details(8, 0)])),
    grpc('8 of a limit', failed(8, [['grpc-message', 'grpc: received message larger than max (5 vs. 4)']])),
    grpc('14 without retries', {
      ...failed(14, [['grpc-message', 'boom']]),
      config: 'retry_on_failure: {enabled: false}',
    }),
    grpc('partial success', partial(1, 'one')),
    grpc('partial success without a text', partial(1, '')),
    grpc('partial success of nothing', partial(0, 'a warning')),
    grpc('partial success of too many', partial(99, 'all')),
    grpc('an empty message', { headers: HEAD, body: framed(Buffer.alloc(0)), trailers: OK }),
    grpc('no message', { headers: HEAD, body: Buffer.alloc(0), trailers: OK }),
    grpc('OK in trailers alone', failed(0)),
    grpc('garbage', { headers: HEAD, body: framed(Buffer.from('garbage!')), trailers: OK }),
    grpc('a cut message', { headers: HEAD, body: framed(Buffer.from('ab'), 0, 100), trailers: OK }),
    grpc('two messages', {
      headers: HEAD,
      body: Buffer.concat([framed(Buffer.alloc(0)), framed(Buffer.alloc(0))]),
      trailers: OK,
    }),
    grpc('a message above 4 MiB', {
      headers: HEAD,
      body: framed(Buffer.alloc(16), 0, 5 << 20),
      trailers: OK,
    }),
    grpc('gzip', {
      headers: [...HEAD, ['grpc-encoding', 'gzip']],
      body: framed(gzipSync(encodeExportResponse({ rejected: 1, message: 'one' })), 1),
      trailers: OK,
    }),
    grpc('an encoding that nobody knows', {
      headers: [...HEAD, ['grpc-encoding', 'br']],
      body: framed(Buffer.from('x'), 1),
      trailers: OK,
    }),
    grpc('no status', { headers: HEAD, body: framed(Buffer.alloc(0)), trailers: [['x-a', 'b']] }),
    grpc('no trailers', { headers: HEAD }),
    ...[204, 301, 400, 401, 403, 404, 405, 413, 429, 431, 500, 501, 502, 503, 504].map((code) =>
      grpc(`HTTP ${code}`, {
        headers: [
          [':status', String(code)],
          ['content-type', 'text/html'],
        ],
      }),
    ),
    grpc('HTTP 503 with a page', {
      headers: [
        [':status', '503'],
        ['content-type', 'text/html'],
      ],
      body: Buffer.from('<html>'),
      trailers: [['x-a', 'b']],
    }),
    grpc('HTTP 200 with a page', {
      headers: [
        [':status', '200'],
        ['content-type', 'text/html'],
      ],
      body: Buffer.from('<html>'),
      trailers: [['x-a', 'b']],
    }),
    grpc('HTTP 200 without a type', {
      headers: [
        [':status', '200'],
        ['grpc-status', '0'],
      ],
    }),
    ...Array.from({ length: 14 }, (_, code) => grpc(`reset ${code}`, { reset: code })),
    grpc('GOAWAY', { close: 'goaway' }),
    grpc('the end of the connection', { close: 'end' }),
    grpc('silence', { config: 'timeout: 2s' }),
  ];
}

export const exportScripts = (): Script[] => [...httpScripts(), ...grpcScripts()];
