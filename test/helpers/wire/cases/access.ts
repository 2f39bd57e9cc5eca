/** Who may send: CORS, basic and bearer authentication, memory limits. */
import { json, proto, SIGNALS } from '../bodies.js';
import type { WireProbe } from '../probe.js';
import { framed, GRPC_PATHS, grpc, HTTP_PATHS, type HttpParts, http } from '../requests.js';

type Header = readonly [string, string];
const origin = (value: string): Header => ['Origin', value];
const asks = (method: string): Header => ['Access-Control-Request-Method', method];
const asksFor = (names: string): Header => ['Access-Control-Request-Headers', names];

const ORIGINS = [
  'https://a.example.com',
  'https://A.Example.COM',
  'https://example.com',
  'https://.example.com',
  'https://a.b.example.com',
  'http://a.example.com',
  'https://a.example.com.evil.test',
  'https://a.example.com:8443',
  'http://exact.test',
  'http://EXACT.test',
  'http://exact.test/',
  'http://exact.tes',
  'null',
  '',
  '*',
];
const REQUESTED = [
  'content-type',
  'Content-Type',
  'x-custom',
  'content-type,x-custom',
  'content-type, x-custom',
  'x-custom,content-type',
  'x-other',
  'content-type,x-other',
  'accept',
  'origin',
  '',
  ',',
  'content-type,',
  'x-requested-with',
  'authorization',
];

const cors = (): WireProbe[] => {
  const preflight = (headers: readonly Header[], more: HttpParts = {}): HttpParts => ({
    method: 'OPTIONS',
    type: null,
    headers,
    ...more,
  });
  const at = { server: 'cors' } as const;
  const any = { server: 'any_origin' } as const;
  const good = origin('https://a.example.com');
  return [
    ...ORIGINS.flatMap((value) => [
      http(`preflight of ${JSON.stringify(value)}`, preflight([origin(value), asks('POST')]), at),
      http(`request of ${JSON.stringify(value)}`, { headers: [origin(value)] }, at),
      http(`preflight of ${JSON.stringify(value)}`, preflight([origin(value), asks('POST')]), any),
      http(`request of ${JSON.stringify(value)}`, { headers: [origin(value)] }, any),
    ]),
    ...REQUESTED.flatMap((value) => [
      http(`preflight for ${JSON.stringify(value)}`, preflight([good, asks('POST'), asksFor(value)]), at),
      http(`preflight for ${JSON.stringify(value)}`, preflight([good, asks('POST'), asksFor(value)]), any),
    ]),
    ...['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'post', 'X', ''].map((method) =>
      http(`preflight to ${JSON.stringify(method)}`, preflight([good, asks(method)]), at),
    ),
    http('preflight elsewhere', preflight([good, asks('POST')], { target: '/nosuch' }), at),
    http('preflight without origin', preflight([asks('POST')]), at),
    http('OPTIONS without method', preflight([good]), at),
    http('OPTIONS of nobody', preflight([]), at),
    http('GET', { method: 'GET', headers: [good] }, at),
    http('PUT', { method: 'PUT', headers: [good] }, at),
    http('bad type', { type: 'text/plain', headers: [good] }, at),
    http('garbage', { body: 'garbage', headers: [good] }, at),
    http('elsewhere', { target: '/nosuch', headers: [good] }, at),
    http('without origin', {}, at),
    http('preflight without CORS', preflight([good, asks('POST')])),
    http(
      'preflight with private network',
      preflight([good, asks('POST'), ['Access-Control-Request-Private-Network', 'true']]),
      at,
    ),
    http('preflight of a stranger', preflight([good, asks('POST')]), { server: 'basic' }),
    http('request of a stranger', { headers: [good] }, { server: 'basic' }),
  ];
};

const encode = (text: string): string => Buffer.from(text).toString('base64');
const CREDENTIALS: Readonly<Record<'basic' | 'bearer', readonly string[]>> = {
  basic: [
    `Basic ${encode('user:secret')}`,
    `basic ${encode('user:secret')}`,
    `BASIC ${encode('user:secret')}`,
    `Basic  ${encode('user:secret')}`,
    `Basic ${encode('user:wrong')}`,
    `Basic ${encode('nobody:secret')}`,
    `Basic ${encode('user:')}`,
    `Basic ${encode('user')}`,
    `Basic ${encode(':secret')}`,
    `Basic ${encode('user:secret:more')}`,
    'Basic ',
    'Basic',
    'Basic !!!',
    `Basic ${encode('user:secret').replaceAll('=', '')}`,
    encode('user:secret'),
    'Bearer secret',
    '',
  ],
  bearer: [
    'Bearer secret',
    'bearer secret',
    'Bearer  secret',
    'Bearer wrong',
    'Bearer ',
    'Bearer',
    'secret',
    'Basic secret',
    'Bearer secret x',
    'Bearer secre',
    '',
  ],
};

const auth = (): WireProbe[] =>
  (['basic', 'bearer'] as const).flatMap((server) => [
    ...CREDENTIALS[server].flatMap((value): WireProbe[] => [
      http(`HTTP ${JSON.stringify(value)}`, { headers: [['Authorization', value]] }, { server }),
      grpc(`gRPC ${JSON.stringify(value)}`, { headers: [['authorization', value]] }, { server }),
    ]),
    http('HTTP without', {}, { server }),
    http('HTTP JSON without', { type: 'application/json', body: json('traces') }, { server }),
    http('HTTP text without', { type: 'text/plain' }, { server }),
    http('HTTP no type without', { type: null }, { server }),
    http('HTTP GET without', { method: 'GET' }, { server }),
    http('HTTP elsewhere without', { target: '/nosuch' }, { server }),
    http('HTTP garbage without', { body: 'garbage' }, { server }),
    http('HTTP unknown encoding without', { encoding: 'br' }, { server }),
    http('HTTP redirect without', { target: '//v1/traces' }, { server }),
    http('HTTP other header', { headers: [['X-Authorization', 'Bearer secret']] }, { server }),
    http(
      'HTTP two',
      {
        headers: [
          ['Authorization', CREDENTIALS[server][0]!],
          ['Authorization', 'x'],
        ],
      },
      { server },
    ),
    http(
      'HTTP two, the second is right',
      {
        headers: [
          ['Authorization', 'x'],
          ['Authorization', CREDENTIALS[server][0]!],
        ],
      },
      { server },
    ),
    grpc('gRPC without', {}, { server }),
    grpc('gRPC elsewhere without', { path: '/x/y' }, { server }),
    grpc('gRPC garbage without', { data: [framed(Buffer.from('07', 'hex'))] }, { server }),
    grpc('gRPC no message without', { data: [] }, { server }),
    grpc('gRPC unknown encoding without', { encoding: 'br', data: [framed(proto('traces'), 1)] }, { server }),
    grpc(
      'gRPC two',
      {
        headers: [
          ['authorization', CREDENTIALS[server][0]!],
          ['authorization', 'x'],
        ],
      },
      { server },
    ),
    grpc(
      'gRPC two, the second is right',
      {
        headers: [
          ['authorization', 'x'],
          ['authorization', CREDENTIALS[server][0]!],
        ],
      },
      { server },
    ),
  ]);

const params = (): WireProbe[] => [
  ...[
    '?token=secret',
    '?token=wrong',
    '?token=',
    '?Token=secret',
    '?token=secret&token=x',
    '?token=x&token=secret',
    '',
  ].map((query) => http(`query ${query}`, { target: `/v1/traces${query}` }, { server: 'param' })),
  http('header', { headers: [['token', 'secret']] }, { server: 'param' }),
  http(
    'header and query',
    { target: '/v1/traces?token=x', headers: [['token', 'secret']] },
    { server: 'param' },
  ),
  grpc('gRPC header', { headers: [['token', 'secret']] }, { server: 'param' }),
  grpc('gRPC without', {}, { server: 'param' }),
];

const limits = (): WireProbe[] =>
  SIGNALS.filter((signal) => signal !== 'profiles').flatMap((signal) => [
    http(`${signal}`, { target: HTTP_PATHS[signal], body: proto(signal) }, { server: 'limited' }),
    http(
      `JSON ${signal}`,
      { target: HTTP_PATHS[signal], type: 'application/json', body: json(signal) },
      { server: 'limited' },
    ),
    http(`empty ${signal}`, { target: HTTP_PATHS[signal], body: '' }, { server: 'limited' }),
    http(`garbage ${signal}`, { target: HTTP_PATHS[signal], body: 'garbage' }, { server: 'limited' }),
    grpc(
      `gRPC ${signal}`,
      { path: GRPC_PATHS[signal], data: [framed(proto(signal))] },
      { server: 'limited' },
    ),
    grpc(
      `gRPC empty ${signal}`,
      { path: GRPC_PATHS[signal], data: [framed(Buffer.alloc(0))] },
      { server: 'limited' },
    ),
  ]);

export const access = (): WireProbe[] => [...cors(), ...auth(), ...params(), ...limits()];
