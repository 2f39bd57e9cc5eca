/** Methods, paths, content types, framing, encodings and sizes of OTLP/HTTP. */
import { COMPRESSORS, JSON_REQUESTS, json, largeTraces, proto, SIGNALS, snappyRun } from '../bodies.js';
import type { HttpProbe } from '../probe.js';
import { HTTP_PATHS, http, httpRequest, rawHttp } from '../requests.js';

const JSON_TYPE = 'application/json';

const methods = (): HttpProbe[] =>
  SIGNALS.flatMap((signal) =>
    ['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'post', 'BREW'].map((method) =>
      http(`${method} ${signal}`, { method, target: HTTP_PATHS[signal] }),
    ),
  );

const good = (): HttpProbe[] =>
  SIGNALS.flatMap((signal) => [
    http(`protobuf ${signal}`, { target: HTTP_PATHS[signal], body: proto(signal) }),
    http(`JSON ${signal}`, { target: HTTP_PATHS[signal], type: JSON_TYPE, body: json(signal) }),
    http(`chunked ${signal}`, { target: HTTP_PATHS[signal], body: proto(signal), length: 'chunked' }),
    http(`empty protobuf ${signal}`, { target: HTTP_PATHS[signal], body: '' }),
    http(`empty JSON ${signal}`, { target: HTTP_PATHS[signal], type: JSON_TYPE, body: '' }),
    http(`empty chunked ${signal}`, { target: HTTP_PATHS[signal], body: '', length: 'chunked' }),
    ...['{}', 'null', '[]', '"x"', '1', 'true', '{', '{"', 'x', ' ', '{}{}', '{} x', '\ufeff{}'].map((body) =>
      http(`JSON ${signal} ${JSON.stringify(body)}`, { target: HTTP_PATHS[signal], type: JSON_TYPE, body }),
    ),
    ...[
      '00',
      '07',
      '0a',
      '0a05',
      '0aff',
      '08',
      '0801',
      '0a0108',
      '0b',
      '0c',
      '0affffffffffffffffff01',
      'ffff',
      '1a00',
      '0d00000000',
      '3b3c',
      '0a020a00',
    ].map((hex) =>
      http(`protobuf ${signal} ${hex}`, { target: HTTP_PATHS[signal], body: Buffer.from(hex, 'hex') }),
    ),
    http(`protobuf ${signal} cut`, { target: HTTP_PATHS[signal], body: proto(signal).subarray(0, -1) }),
    http(`JSON of ${signal} as protobuf`, { target: HTTP_PATHS[signal], body: json(signal) }),
    http(`protobuf of ${signal} as JSON`, {
      target: HTTP_PATHS[signal],
      type: JSON_TYPE,
      body: proto(signal),
    }),
  ]);

const PATHS = [
  '/',
  '/v1',
  '/v1/',
  '/v1/trace',
  '/v1/traces/',
  '/v1/traces?x=1',
  '/v1/traces?',
  '/v1/traces#x',
  '//v1/traces',
  '/v1//traces',
  '/v1/./traces',
  '/v1/../v1/traces',
  '/../v1/traces',
  '/v1/traces/..',
  '/v1/traces/.',
  '/V1/traces',
  '/v1/Traces',
  '/v1%2Ftraces',
  '/v1/%74races',
  '/v1/traces%',
  '/v1/traces%00',
  '/v1/traces;x',
  '/v1development/traces',
  '/v1/profiles',
  '/v1development/profiles',
  '/api/traces',
  '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
  'http://localhost/v1/traces',
  'http://localhost',
  '*',
  'v1/traces',
  '/v1/traces x',
];

const paths = (): HttpProbe[] => [
  ...PATHS.map((target) => http(`path ${target}`, { target })),
  ...['/v1/nosuch', '//v1/traces', '/v1//traces?x=1'].map((target) =>
    http(`GET ${target}`, { method: 'GET', target }),
  ),
  ...SIGNALS.map((signal) =>
    http(`only traces ${signal}`, { target: HTTP_PATHS[signal], body: proto(signal) }, { server: 'traces' }),
  ),
  ...[
    '/custom/path',
    'custom/path',
    '/v1/traces',
    '/v1/logs/',
    '/v1/logs',
    '/v1/logs/x',
    '/v1/metrics',
    '/nosuch',
  ].map((target) => http(`path ${target}`, { target, body: '' }, { server: 'options' })),
  http('GET', { method: 'GET', target: '/custom/path' }, { server: 'options' }),
];

const TYPES = [
  'application/x-protobuf; charset=utf-8',
  'APPLICATION/X-PROTOBUF',
  'application/x-protobuf;',
  'application/x-protobuf; a',
  'application/x-protobuf ; a=b',
  'application/x-protobuf; a=b; a=b',
  'application/x-protobuf,application/json',
  'application/protobuf',
  'application/vnd.google.protobuf',
  'application/octet-stream',
  'application/grpc',
  'application/x-www-form-urlencoded',
  'text/plain',
  'text/json',
  'multipart/form-data; boundary=x',
  'application',
  'application/',
  '/',
  '',
  ';',
  'x y',
];
const JSON_TYPES = [
  'application/json; charset=utf-8',
  'application/json;charset=UTF-8',
  'Application/JSON',
  'application/json; charset="utf-8"',
  'application/json; charset',
  'application/json; =x',
  'application/json; charset=utf-16',
  'application/json+otlp',
  ' application/json ',
];

const contentTypes = (): HttpProbe[] => [
  http('no content type', { type: null }),
  ...TYPES.map((type) => http(`content type ${JSON.stringify(type)}`, { type })),
  ...JSON_TYPES.map((type) => http(`content type ${JSON.stringify(type)}`, { type, body: json('traces') })),
  http('two content types', { headers: [['Content-Type', JSON_TYPE]] }),
  http('Accept of another type', { headers: [['Accept', JSON_TYPE]] }),
  http('Accept of nothing', { headers: [['Accept', 'text/html']] }),
  http('Accept-Encoding gzip', { headers: [['Accept-Encoding', 'gzip']] }),
];

const encodings = (): HttpProbe[] => {
  const plain = proto('traces');
  const names = Object.keys(COMPRESSORS).filter((name) => name !== 'raw deflate');
  return [
    ...names.flatMap((encoding) => {
      const whole = COMPRESSORS[encoding]!(plain);
      const change = (at: number): Buffer => {
        const copy = Buffer.from(whole);
        copy[at] = copy[at]! ^ 0xff;
        return copy;
      };
      const of = (id: string, body: Buffer | string) => http(`${encoding} ${id}`, { encoding, body });
      return [
        of('whole', whole),
        http(`${encoding} JSON`, { encoding, type: JSON_TYPE, body: COMPRESSORS[encoding]!(json('traces')) }),
        http(`${encoding} chunked`, { encoding, body: whole, length: 'chunked' }),
        of('empty', ''),
        of('not compressed', plain),
        of('garbage', Buffer.from('garbage!garbage!')),
        http(`${encoding} garbage JSON`, { encoding, type: JSON_TYPE, body: 'garbage!' }),
        of('cut in two', whole.subarray(0, whole.length >> 1)),
        of('without its last byte', whole.subarray(0, -1)),
        of('first byte only', whole.subarray(0, 1)),
        of('first byte changed', change(0)),
        of('a byte in the middle changed', change(whole.length >> 1)),
        of('last byte changed', change(whole.length - 1)),
        of('with garbage behind', Buffer.concat([whole, Buffer.from('garbage')])),
        of('twice behind each other', Buffer.concat([whole, whole])),
        of('of nothing', COMPRESSORS[encoding]!(Buffer.alloc(0))),
        of('of garbage', COMPRESSORS[encoding]!(Buffer.from('07', 'hex'))),
      ];
    }),
    http('raw deflate', { encoding: 'deflate', body: COMPRESSORS['raw deflate']!(plain) }),
    http('framed snappy as snappy', { encoding: 'snappy', body: COMPRESSORS['x-snappy-framed']!(plain) }),
    http('snappy block as framed', { encoding: 'x-snappy-framed', body: COMPRESSORS.snappy!(plain) }),
    ...[
      'br',
      'identity',
      'GZIP',
      'Gzip',
      'x-gzip',
      'compress',
      'gzip, gzip',
      'gzip,gzip',
      'gzip ',
      'none',
      '*',
      'gzip;q=1',
      'zstandard',
    ].map((encoding) =>
      http(`encoding ${JSON.stringify(encoding)}`, { encoding, body: COMPRESSORS.gzip!(plain) }),
    ),
    http('encoding ""', { encoding: '' }),
    http('encoding "br" JSON', { encoding: 'br', type: JSON_TYPE, body: json('traces') }),
    http('encoding "br" text', { encoding: 'br', type: 'text/plain' }),
    http('encoding "br" GET', { method: 'GET', encoding: 'br' }),
    http('encoding "br" elsewhere', { target: '/nosuch', encoding: 'br' }),
    http('gzip twice', {
      encoding: 'gzip',
      headers: [['Content-Encoding', 'gzip']],
      body: COMPRESSORS.gzip!(COMPRESSORS.gzip!(plain)),
    }),
    ...['gzip', 'zstd', ''].map((encoding) =>
      http(
        `encoding ${JSON.stringify(encoding)}`,
        { target: '/custom/path', encoding, body: encoding === '' ? plain : COMPRESSORS[encoding]!(plain) },
        { server: 'options' },
      ),
    ),
  ];
};

const sizes = (): HttpProbe[] => {
  const small = { server: 'small' } as const;
  const over = largeTraces(2000);
  return [
    http('body below the limit', { body: largeTraces(500) }, small),
    http('body above the limit', { body: over }, small),
    http('chunked body above the limit', { body: over, length: 'chunked' }, small),
    http('JSON above the limit', { type: JSON_TYPE, body: `{"x":"${'x'.repeat(2000)}"}` }, small),
    http('JSON with its end above the limit', { type: JSON_TYPE, body: `{}${' '.repeat(2000)}` }, small),
    http('text above the limit', { type: 'text/plain', body: over }, small),
    http('body above the limit elsewhere', { target: '/nosuch', body: over }, small),
    http('GET with a body above the limit', { method: 'GET', body: over }, small),
    ...['gzip', 'zlib', 'deflate', 'snappy', 'x-snappy-framed', 'zstd', 'lz4'].flatMap((encoding) => [
      http(`${encoding} above the limit`, { encoding, body: COMPRESSORS[encoding]!(over) }, small),
      http(
        `${encoding} JSON above the limit`,
        {
          encoding,
          type: JSON_TYPE,
          body: COMPRESSORS[encoding]!(Buffer.from(JSON.stringify(JSON_REQUESTS.traces).padEnd(3000))),
        },
        small,
      ),
      http(
        `${encoding} below the limit`,
        { encoding, body: COMPRESSORS[encoding]!(largeTraces(300)) },
        small,
      ),
    ]),
    http('snappy of many', { encoding: 'snappy', body: snappyRun(2000) }, small),
    http('snappy of some', { encoding: 'snappy', body: snappyRun(500) }, small),
    http('21 MB', { body: Buffer.alloc(21 << 20, 'x') }),
    http('21 MB of zeros in gzip', { encoding: 'gzip', body: COMPRESSORS.gzip!(Buffer.alloc(21 << 20)) }),
  ];
};

const framing = (): HttpProbe[] => {
  const one = httpRequest({});
  const head = (text: string): string => text.replaceAll('\n', '\r\n');
  const body = proto('traces');
  const withBody = (text: string): Buffer => Buffer.concat([Buffer.from(head(text)), body]);
  const common = `Content-Type: application/x-protobuf\nContent-Length: ${body.length}\n`;
  return [
    rawHttp('three requests on a connection', [one, one, one]),
    rawHttp('a request after a refused one', [httpRequest({ type: 'text/plain' }), one]),
    rawHttp('a request after one with garbage', [httpRequest({ body: 'garbage' }), one]),
    rawHttp('a request after one elsewhere', [httpRequest({ target: '/nosuch' }), one]),
    rawHttp('a request after GET', [httpRequest({ method: 'GET' }), one]),
    rawHttp('a request after an unknown encoding', [httpRequest({ encoding: 'br' }), one]),
    rawHttp('a request after one too large', [httpRequest({ body: largeTraces(2000) }), one], {
      server: 'small',
    }),
    rawHttp('two requests without keep-alive', [httpRequest({ target: '/custom/path' }), one], {
      server: 'options',
    }),
    http('Connection: close', { headers: [['Connection', 'close']] }),
    http('Connection: keep-alive', { headers: [['Connection', 'keep-alive']] }),
    rawHttp('Connection: close and another', [httpRequest({ headers: [['Connection', 'close']] }), one]),
    http('HTTP/1.0', { version: '1.0' }),
    http('HTTP/1.0 with keep-alive', { version: '1.0', headers: [['Connection', 'keep-alive']] }),
    rawHttp('HTTP/1.0 and another', [httpRequest({ version: '1.0' }), one]),
    rawHttp('HTTP/1.0 with keep-alive and another', [
      httpRequest({ version: '1.0', headers: [['Connection', 'keep-alive']] }),
      one,
    ]),
    http('HTTP/1.2', { version: '1.2' }),
    http('HTTP/2.0', { version: '2.0' }),
    http('HTTP/0.9', { version: '0.9' }),
    http('no Host', { host: null }),
    http('empty Host', { host: '' }),
    http('bad Host', { host: 'a b' }),
    http('two Hosts', { headers: [['Host', 'other']] }),
    http('no length', { length: 'none' }),
    http('length 0 and a body', { length: 0 }),
    http('length too short', { length: body.length - 1 }),
    http('length too long', { length: body.length + 1 }, { cut: true }),
    http('length -1', { length: -1 }),
    http('two lengths', { headers: [['Content-Length', '3']] }),
    http('length and chunked', { length: 'chunked', headers: [['Content-Length', String(body.length)]] }),
    http('gzip as transfer encoding', { length: 'none', headers: [['Transfer-Encoding', 'gzip']] }),
    http('Expect: 100-continue', { headers: [['Expect', '100-continue']] }),
    http('Expect: other', { headers: [['Expect', 'other']] }),
    http('Upgrade to h2c', {
      headers: [
        ['Connection', 'Upgrade, HTTP2-Settings'],
        ['Upgrade', 'h2c'],
        ['HTTP2-Settings', 'AAMAAABkAARAAAAAAAIAAAAA'],
      ],
    }),
    http('Upgrade to websocket', {
      headers: [
        ['Connection', 'Upgrade'],
        ['Upgrade', 'websocket'],
      ],
    }),
    http('headers of 30 kB', { headers: [['X-Large', 'x'.repeat(30_000)]] }),
    http('headers of 500 kB', { headers: [['X-Large', 'x'.repeat(500_000)]] }),
    http('headers of 2 MB', { headers: [['X-Large', 'x'.repeat(2_000_000)]] }),
    http('3000 headers', {
      headers: Array.from({ length: 3000 }, (_, index) => [`X-${index}`, 'x'] as const),
    }),
    rawHttp('garbage', ['garbage\r\n\r\n']),
    rawHttp('a TLS hello', [Buffer.from('16030100a5010000a10303', 'hex')], { cut: true }),
    rawHttp('an HTTP/2 preface', ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n']),
    rawHttp('nothing', [''], { cut: true }),
    rawHttp('half a head', ['POST /v1/traces HT'], { cut: true }),
    rawHttp('a head alone', [head(`POST /v1/traces HTTP/1.1\nHost: x\n${common}\n`)], { cut: true }),
    rawHttp('line feeds alone', [
      Buffer.concat([Buffer.from(`POST /v1/traces HTTP/1.1\nHost: x\n${common}\n`), body]),
    ]),
    rawHttp('a space before the colon', [withBody(`POST /v1/traces HTTP/1.1\nHost : x\n${common}\n`)]),
    rawHttp('a header without colon', [withBody(`POST /v1/traces HTTP/1.1\nHost: x\nbroken\n${common}\n`)]),
    rawHttp('a folded header', [withBody(`POST /v1/traces HTTP/1.1\nHost: x\nX-A: a\n b\n${common}\n`)]),
    rawHttp('an empty header name', [withBody(`POST /v1/traces HTTP/1.1\nHost: x\n: a\n${common}\n`)]),
    rawHttp('empty lines first', [withBody(`\n\nPOST /v1/traces HTTP/1.1\nHost: x\n${common}\n`)]),
    rawHttp('a chunk of a bad size', [
      head(
        `POST /v1/traces HTTP/1.1\nHost: x\nContent-Type: application/x-protobuf\nTransfer-Encoding: chunked\n\nzz\nab\n0\n\n`,
      ),
    ]),
    rawHttp(
      'chunks that end too early',
      [
        head(
          `POST /v1/traces HTTP/1.1\nHost: x\nContent-Type: application/x-protobuf\nTransfer-Encoding: chunked\n\n5\nab`,
        ),
      ],
      { cut: true },
    ),
    rawHttp('chunks with trailers', [
      head(
        `POST /v1/traces HTTP/1.1\nHost: x\nContent-Type: application/json\nTransfer-Encoding: chunked\n\n2\n{}\n0\nX-A: b\n\n`,
      ),
    ]),
  ];
};

export const httpRequests = (): HttpProbe[] => [
  ...methods(),
  ...good(),
  ...paths(),
  ...contentTypes(),
  ...encodings(),
  ...sizes(),
  ...framing(),
];
