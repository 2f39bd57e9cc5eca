/** Methods, headers, framing, encodings and sizes of OTLP/gRPC. */
import { COMPRESSORS, json, largeTraces, proto, SIGNALS } from '../bodies.js';
import type { GrpcProbe } from '../probe.js';
import { framed, GRPC_PATHS, grpc } from '../requests.js';

const GARBAGE = [
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
  '0a020a00',
  '0a051203120107',
  '0a0712051203120107',
  '0a0912071205120308ffff',
  '0a081206120412020a00',
  '0a0912071205120312010a',
  '0a0a12081206120412020a01',
];

const messages = (): GrpcProbe[] =>
  SIGNALS.flatMap((signal) => {
    const path = GRPC_PATHS[signal];
    return [
      grpc(`${signal}`, { path, data: [framed(proto(signal))] }),
      grpc(`${signal} empty`, { path, data: [framed(Buffer.alloc(0))] }),
      grpc(`${signal} as JSON`, { path, data: [framed(json(signal))] }),
      grpc(`${signal} cut`, { path, data: [framed(proto(signal).subarray(0, -1))] }),
      ...GARBAGE.map((hex) => grpc(`${signal} ${hex}`, { path, data: [framed(Buffer.from(hex, 'hex'))] })),
      grpc(`only traces ${signal}`, { path, data: [framed(proto(signal))] }, { server: 'traces' }),
    ];
  });

const TRACES = '/opentelemetry.proto.collector.trace.v1.TraceService';
const PATHS = [
  '/',
  '//',
  '/x',
  '/x/y',
  '/nosuch.Service/Export',
  `${TRACES}/Nosuch`,
  `${TRACES}/export`,
  `${TRACES}/`,
  TRACES,
  `${TRACES}/Export/`,
  `${TRACES}/Export/x`,
  `${TRACES}/Export?x`,
  `/x${TRACES}/Export`,
  `/${TRACES}/Export`,
  TRACES.slice(1),
  `${TRACES.slice(1)}/Export`,
  '/grpc.health.v1.Health/Check',
  '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo',
  '/v1/traces',
  '/opentelemetry.proto.collector.profiles.v1.ProfilesService/Export',
];

const TYPES = [
  'application/grpc+proto',
  'application/grpc+json',
  'application/grpc+',
  'application/grpc;charset=utf-8',
  'application/grpc; charset=utf-8',
  'application/grpc ',
  'application/grpc-web',
  'application/grpc-web+proto',
  'application/grpcx',
  'APPLICATION/GRPC',
  'application/x-protobuf',
  'application/json',
  'text/plain',
  '',
];

const heads = (): GrpcProbe[] => [
  ...PATHS.map((path) => grpc(`path ${path}`, { path })),
  ...['GET', 'PUT', 'HEAD', 'OPTIONS', 'DELETE', 'post', 'PATCH'].map((method) =>
    grpc(`method ${method}`, { method }),
  ),
  grpc('GET elsewhere', { method: 'GET', path: '/x' }),
  grpc('GET without a type', { method: 'GET', type: null, data: [] }),
  ...TYPES.map((type) => grpc(`content type ${JSON.stringify(type)}`, { type })),
  grpc('no content type', { type: null }),
  grpc('content type of a path that is not there', { type: 'text/plain', path: '/x/y' }),
  grpc('no te', { te: null }),
  grpc('te: gzip', { te: 'gzip' }),
  ...[
    '1n',
    '0S',
    '1H',
    '10S',
    '99999999H',
    '999999999S',
    '10',
    'S',
    '-1S',
    '1.5S',
    '1s',
    '',
    '10 S',
    '+1S',
    '00000001S',
    '1d',
  ].map((timeout) =>
    grpc(`grpc-timeout ${JSON.stringify(timeout)}`, { headers: [['grpc-timeout', timeout]] }),
  ),
  grpc('two grpc-timeouts', {
    headers: [
      ['grpc-timeout', '10S'],
      ['grpc-timeout', '1n'],
    ],
  }),
  grpc('connection header', { headers: [['connection', 'keep-alive']] }),
  grpc('host header', { headers: [['host', 'other']] }),
  grpc('binary metadata', { headers: [['x-bin', 'AAEC']] }),
  grpc('binary metadata that is no base64', { headers: [['x-bin', '!!!']] }),
  grpc('reserved metadata', {
    headers: [
      ['grpc-status', '5'],
      ['grpc-message', 'x'],
      ['grpc-trace-bin', 'AA'],
    ],
  }),
  grpc('metadata with spaces', { headers: [['x-a', ' a b ']] }),
  grpc('upper case header', { headers: [['X-Upper', 'a']] }),
  grpc('unknown pseudo-header', { headers: [[':x', 'a']] }),
  grpc('metadata of 5 kB', { headers: [['x-large', 'x'.repeat(5000)]] }),
  grpc('metadata of 12 kB', { headers: [['x-large', 'x'.repeat(12_000)]] }),
  grpc('user-agent', { headers: [['user-agent', 'a b/c']] }),
  grpc('grpc-accept-encoding gzip', { headers: [['grpc-accept-encoding', 'gzip']] }),
];

const encodings = (): GrpcProbe[] => {
  const plain = proto('traces');
  const of = (id: string, encoding: string | undefined, data: readonly Buffer[]) =>
    grpc(id, encoding === undefined ? { data } : { encoding, data });
  const known = { gzip: 'gzip', snappy: 'x-snappy-framed', zstd: 'zstd' } as const;
  return [
    ...Object.entries(known).flatMap(([encoding, name]) => {
      const compress = COMPRESSORS[name]!;
      const whole = compress(plain);
      const change = (at: number): Buffer => {
        const copy = Buffer.from(whole);
        copy[at] = copy[at]! ^ 0xff;
        return copy;
      };
      return [
        of(`${encoding}`, encoding, [framed(whole, 1)]),
        of(`${encoding} not flagged`, encoding, [framed(plain)]),
        of(`${encoding} flagged without grpc-encoding`, undefined, [framed(whole, 1)]),
        of(`${encoding} flagged as identity`, 'identity', [framed(whole, 1)]),
        of(`${encoding} not compressed`, encoding, [framed(plain, 1)]),
        of(`${encoding} garbage`, encoding, [framed(Buffer.from('garbage!garbage!'), 1)]),
        of(`${encoding} empty`, encoding, [framed(Buffer.alloc(0), 1)]),
        of(`${encoding} cut in two`, encoding, [framed(whole.subarray(0, whole.length >> 1), 1)]),
        of(`${encoding} without its last byte`, encoding, [framed(whole.subarray(0, -1), 1)]),
        of(`${encoding} first byte changed`, encoding, [framed(change(0), 1)]),
        of(`${encoding} last byte changed`, encoding, [framed(change(whole.length - 1), 1)]),
        of(`${encoding} with garbage behind`, encoding, [
          framed(Buffer.concat([whole, Buffer.from('garbage')]), 1),
        ]),
        of(`${encoding} of nothing`, encoding, [framed(compress(Buffer.alloc(0)), 1)]),
        of(`${encoding} of garbage`, encoding, [framed(compress(Buffer.from('0f', 'hex')), 1)]),
      ];
    }),
    of('snappy block', 'snappy', [framed(COMPRESSORS.snappy!(plain), 1)]),
    ...[
      'deflate',
      'zlib',
      'lz4',
      'br',
      'GZIP',
      'gzip, gzip',
      'gzip,identity',
      'x-snappy-framed',
      '',
      'identity',
      'unknown',
    ].flatMap((encoding) => [
      of(`encoding ${JSON.stringify(encoding)}`, encoding, [framed(COMPRESSORS.gzip!(plain), 1)]),
      of(`encoding ${JSON.stringify(encoding)} not flagged`, encoding, [framed(plain)]),
    ]),
    grpc('unknown encoding elsewhere', { encoding: 'br', path: '/x/y' }),
  ];
};

const sizes = (): GrpcProbe[] => {
  const small = { server: 'small' } as const;
  const over = largeTraces(1_100_000);
  return [
    grpc('message below the limit', { data: [framed(largeTraces(1_000_000))] }, small),
    grpc('message above the limit', { data: [framed(over)] }, small),
    grpc('message above the limit elsewhere', { path: '/x/y', data: [framed(over)] }, small),
    ...Object.entries({ gzip: 'gzip', snappy: 'x-snappy-framed', zstd: 'zstd' }).map(([encoding, name]) =>
      grpc(
        `${encoding} above the limit as sent`,
        { encoding, data: [framed(name === 'gzip' ? over : COMPRESSORS[name]!(over), 1)] },
        small,
      ),
    ),
    grpc(
      'gzip above the limit as decompressed',
      { encoding: 'gzip', data: [framed(COMPRESSORS.gzip!(over), 1)] },
      small,
    ),
    grpc(
      'gzip bomb',
      { encoding: 'gzip', data: [framed(COMPRESSORS.gzip!(Buffer.alloc(64 << 20)), 1)] },
      small,
    ),
    grpc('promise above the limit', { data: [framed(Buffer.from('ab'), 0, 1 << 20)] }, small),
    grpc('promise above the limit by one', { data: [framed(Buffer.from('ab'), 0, (1 << 20) + 1)] }, small),
    grpc('promise of 4 GB', { data: [framed(Buffer.from('ab'), 0, 0xffff_ffff)] }),
  ];
};

const framing = (): GrpcProbe[] => {
  const whole = framed(proto('traces'));
  const bytes = Array.from(whole, (byte) => Buffer.from([byte]));
  return [
    grpc('no message', { data: [] }),
    grpc('an empty frame', { data: [Buffer.alloc(0)] }),
    grpc('one byte', { data: [Buffer.alloc(1)] }),
    grpc('four bytes', { data: [Buffer.alloc(4)] }),
    grpc('a cut message', { data: [whole.subarray(0, -1)] }),
    grpc('a prefix alone', { data: [whole.subarray(0, 5)] }),
    grpc('a byte too many', { data: [whole, Buffer.alloc(1)] }),
    grpc('two messages', { data: [whole, whole] }),
    grpc('two empty messages', { data: [framed(Buffer.alloc(0)), framed(Buffer.alloc(0))] }),
    grpc('one byte at a time', { data: bytes }),
    grpc('flag 2', { data: [framed(proto('traces'), 2)] }),
    grpc('flag 255', { data: [framed(proto('traces'), 255)] }),
    grpc('flag 2 with gzip', { encoding: 'gzip', data: [framed(proto('traces'), 2)] }),
    grpc('garbage', { data: [Buffer.from('garbage!garbage!')] }),
    grpc('the message without prefix', { data: [proto('traces')] }),
  ];
};

export const grpcRequests = (): GrpcProbe[] => [
  ...messages(),
  ...heads(),
  ...encodings(),
  ...sizes(),
  ...framing(),
];
