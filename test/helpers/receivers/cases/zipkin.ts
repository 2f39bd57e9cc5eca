/** Requests for the `zipkin` receiver. */
import { deflateSync, gzipSync } from 'node:zlib';
import { binaryList, type ThriftStruct } from '../../thrift-writer.js';
import type { HttpAsk, ReceiverCase, Verdict } from '../case.js';
import { zipkinProto } from '../zipkin-proto.js';

const TRACE = '4e441824ec2b6a44ffdc9bb9a6453df3';
const V1 = '/api/v1/spans';
const V2 = '/api/v2/spans';

const SPAN = {
  traceId: TRACE,
  id: 'ffdc9bb9a6453df3',
  parentId: '1111111111111111',
  name: 'get /books',
  kind: 'SERVER',
  timestamp: 1_472_470_996_199_000,
  duration: 207_000,
  localEndpoint: { serviceName: 'shop', ipv4: '192.168.99.1', port: 8080 },
  remoteEndpoint: { serviceName: 'cart', ipv4: '10.0.0.7', ipv6: '2001:db8:0:0::c001', port: 9000 },
  tags: { 'http.method': 'GET' },
};

interface Options {
  readonly receiver?: string;
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly verdict?: Verdict;
  readonly statusOnly?: boolean;
}

function post(id: string, body: string | Uint8Array, options: Options = {}): ReceiverCase {
  const { receiver = 'zipkin', path = V2, method, headers = {}, ...rest } = options;
  const ask: HttpAsk = { kind: 'http', path, headers, body, ...(method === undefined ? {} : { method }) };
  return { id, receiver, ask, ...rest };
}

const json = (id: string, value: unknown, options?: Options) => post(id, JSON.stringify(value), options);
/** One v2 span that differs from the usual one. */
const span = (id: string, changes: object, options?: Options) =>
  json(`v2: ${id}`, [{ ...SPAN, ...changes }], options);
const tags = (id: string, changes: object, options?: Options) => span(id, { tags: changes }, options);

const V1_SPAN = {
  traceId: TRACE,
  id: 'ffdc9bb9a6453df3',
  parentId: '1111111111111111',
  name: 'get',
  timestamp: 1_472_470_996_199_000,
  duration: 207_000,
  annotations: [
    {
      timestamp: 1_472_470_996_199_000,
      value: 'cs',
      endpoint: { serviceName: 'front', ipv4: '1.2.3.4', port: 80 },
    },
    { timestamp: 1_472_470_996_300_000, value: 'cache miss', endpoint: { serviceName: 'front' } },
    {
      timestamp: 1_472_470_996_406_000,
      value: 'cr',
      endpoint: { serviceName: 'front', ipv4: '1.2.3.4', port: 80 },
    },
  ],
  binaryAnnotations: [
    { key: 'http.path', value: '/api', endpoint: { serviceName: 'other' } },
    { key: 'http.status_code', value: '200' },
  ],
};
const v1 = (id: string, changes: object, options: Options = {}) =>
  json(`v1: ${id}`, [{ ...V1_SPAN, ...changes }], { path: V1, ...options });
const binary = (id: string, annotations: readonly object[], options?: Options) =>
  v1(id, { binaryAnnotations: annotations }, options);

const i64 = (value: bigint) => ({ i64: value });
const THRIFT_HOST = {
  struct: {
    1: { i32: 0x0102_0304 },
    2: { i16: 8080 },
    3: { text: 'thrifty' },
    4: { bytes: Buffer.from('20010db8000000000000000000000001', 'hex') },
  },
};
const THRIFT: ThriftStruct = {
  1: i64(0x1234n),
  3: { text: 'op' },
  4: i64(-2n),
  5: i64(7n),
  6: {
    list: [
      { 1: i64(1_472_470_996_199_000n), 2: { text: 'sr' }, 3: THRIFT_HOST },
      { 1: i64(1_472_470_996_200_000n), 2: { text: 'note' } },
    ],
  },
  8: {
    list: [
      { 1: { text: 'b' }, 2: { bytes: Buffer.from([1]) }, 3: { i32: 0 }, 4: THRIFT_HOST },
      { 1: { text: 'bytes' }, 2: { bytes: Buffer.from([1, 2, 255]) }, 3: { i32: 1 } },
      { 1: { text: 'i16' }, 2: { bytes: Buffer.from([255, 254]) }, 3: { i32: 2 } },
      { 1: { text: 'i32' }, 2: { bytes: Buffer.from([0, 0, 1, 0]) }, 3: { i32: 3 } },
      {
        1: { text: 'i64' },
        2: { bytes: Buffer.from([255, 255, 255, 255, 255, 255, 255, 254]) },
        3: { i32: 4 },
      },
      { 1: { text: 'double' }, 2: { bytes: Buffer.from([63, 248, 0, 0, 0, 0, 0, 0]) }, 3: { i32: 5 } },
      { 1: { text: 'text' }, 2: { bytes: Buffer.from('hello') }, 3: { i32: 6 } },
      { 1: { text: 'short' }, 2: { bytes: Buffer.from([1]) }, 3: { i32: 4 } },
      { 1: { text: 'odd' }, 2: { bytes: Buffer.from([1]) }, 3: { i32: 9 } },
      { 1: { text: 'error' }, 2: { bytes: Buffer.from([1]) }, 3: { i32: 0 } },
    ],
  },
  10: i64(1_472_470_996_199_000n),
  11: i64(207_000n),
  12: i64(-1n),
};
const thrift = (id: string, spans: readonly ThriftStruct[], options: Options = {}) =>
  post(`v1 thrift: ${id}`, binaryList(spans), {
    path: V1,
    headers: { 'content-type': 'application/x-thrift' },
    ...options,
  });

const hex = (text: string) => Buffer.from(text, 'hex').toString('base64');
const PROTO = {
  traceId: hex(TRACE),
  id: hex('ffdc9bb9a6453df3'),
  parentId: hex('1111111111111111'),
  name: 'op',
  kind: 'CLIENT',
  timestamp: 1_472_470_996_199_000,
  duration: 207_000,
  localEndpoint: { serviceName: 'shop', ipv4: hex('c0a86301'), port: 8080 },
  remoteEndpoint: { serviceName: 'cart', ipv6: hex('20010db80000000000000000c0010001'), port: 9 },
  annotations: [{ timestamp: 1_472_470_996_200_000, value: 'hit' }],
  tags: { a: '1', 'k8s.pod.name': 'p' },
};
const proto = (id: string, changes: object, options: Options = {}) =>
  post(`v2 protobuf: ${id}`, zipkinProto([{ ...PROTO, ...changes }]), {
    headers: { 'content-type': 'application/x-protobuf' },
    ...options,
  });

export function zipkinCases(): readonly ReceiverCase[] {
  return [
    span('plain', {}),
    ...['CLIENT', 'PRODUCER', 'CONSUMER', '', 'ODD'].map((kind) => span(`kind ${kind}`, { kind })),
    span('kind absent, internal', { kind: undefined, tags: { 'span.kind': 'internal' } }),
    span('kind absent, server in lower case', { kind: undefined, tags: { 'span.kind': 'server' } }),
    span('kind and tag', { tags: { 'span.kind': 'internal' } }),
    span('64-bit trace id', { traceId: 'ffdc9bb9a6453df3' }),
    span('short ids', { traceId: '1', id: '2', parentId: '3' }),
    span('ids in upper case', { traceId: TRACE.toUpperCase(), id: 'FFDC9BB9A6453DF3' }),
    span('parent is itself', { parentId: SPAN.id }),
    span('parent zero', { parentId: '0000000000000000' }),
    span('no parent', { parentId: undefined }),
    span('shared, debug', { shared: true, debug: true }),
    span('no timestamp', { timestamp: undefined }),
    span('timestamp 0', { timestamp: 0 }),
    span('no duration', { duration: undefined }),
    span('no name', { name: undefined }),
    span('no endpoints', { localEndpoint: undefined, remoteEndpoint: undefined }),
    span('empty endpoints', { localEndpoint: {}, remoteEndpoint: { serviceName: '' } }),
    span('local ipv6', { localEndpoint: { serviceName: 'shop', ipv6: '::ffff:10.1.2.3' } }),
    span('local without name', {
      localEndpoint: { ipv4: '10.1.2.3', port: 1 },
      tags: { 'service.version': '1' },
    }),
    tags('error true', { error: 'true' }),
    tags('error text', { error: 'it broke' }),
    tags('error empty', { error: '' }),
    tags('error false', { error: 'false' }),
    ...['STATUS_CODE_OK', 'STATUS_CODE_ERROR', 'STATUS_CODE_UNSET', 'OK', 'ERROR', 'Error', 'Ok', '2'].map(
      (code) => tags(`status ${code}`, { 'otel.status_code': code, 'otel.status_description': 'why' }),
    ),
    tags('description alone', { 'otel.status_description': 'why' }),
    tags('http status', { 'http.status_code': '500', 'grpc.status_code': '2' }),
    tags('resource', {
      'service.version': '1.2',
      'service.namespace': 'ns',
      'service.instance.id': 'i',
      'host.name': 'h',
      'k8s.pod.name': 'p',
      'container.id': 'c',
      'process.pid': '12',
      'os.type': 'linux',
      'cloud.region': 'r',
      'telemetry.sdk.name': 's',
      'deployment.environment': 'prod',
      'faas.id': 'f',
      'opencensus.starttime': 'x',
      own: '1',
    }),
    tags('name from elsewhere', { 'otlp.service.name.source': 'k8s.deployment.name' }),
    tags('library', { 'otel.library.name': 'lib', 'otel.library.version': '1' }),
    tags('scope', { 'otel.scope.name': 'lib', 'otel.scope.version': '1' }),
    tags('library without name', { 'otel.library.version': '1' }),
    tags('tracestate', { 'w3c.tracestate': 'a=1,b=2' }),
    tags('link', {
      'otlp.link.0': `${TRACE}|1111111111111111|a=b|{"s":"x","i":1,"d":1.5,"b":true,"n":null,"l":[1]}|3`,
    }),
    tags('links', {
      'otlp.link.0': `${TRACE}|1111111111111111||{}|0`,
      'otlp.link.1': `${TRACE}|2222222222222222||{"a":"b|c"}|0`,
      'otlp.link.3': 'beyond a hole',
    }),
    tags('link too short', { 'otlp.link.0': 'abc' }),
    tags('link without ids', { 'otlp.link.0': '|||{}|0' }),
    tags('link with a bad trace id', { 'otlp.link.0': 'zz|1111111111111111||{}|0' }),
    tags('link with a bad span id', { 'otlp.link.0': `${TRACE}|zzzzzzzzzzzzzzzz||{}|0` }),
    tags('link with bad JSON', { 'otlp.link.0': `${TRACE}|1111111111111111||nope|0` }, { statusOnly: true }),
    tags('link with a bad count', { 'otlp.link.0': `${TRACE}|1111111111111111||{}|x` }),
    span('annotations', {
      annotations: [
        { timestamp: 1_472_470_996_238_000, value: 'plain' },
        { timestamp: 1_472_470_996_238_001, value: 'name|{"a":"x","n":7}|2' },
        { timestamp: 1_472_470_996_238_002, value: 'two|parts' },
        { timestamp: 1_472_470_996_238_003, value: 'bars|{"a":"x|y"}|0' },
        { timestamp: 1_472_470_996_238_004, value: '' },
      ],
    }),
    span(
      'annotation with bad JSON',
      { annotations: [{ timestamp: 1, value: 'a|b|c' }] },
      { statusOnly: true },
    ),
    span('annotation with a list', { annotations: [{ timestamp: 1, value: 'a|[1]|0' }] }),
    span('annotation without time', { annotations: [{ value: 'a' }] }),
    span('annotation with time 0', { annotations: [{ timestamp: 0, value: 'a' }] }),
    tags('numbers as they are', { i: '12', d: '1.5', b: 'true', neg: '-3', empty: '' }),
    tags(
      'numbers parsed',
      {
        i: '12',
        d: '1.5',
        b: 'true',
        f: 'false',
        neg: '-3',
        big: '99999999999999999999',
        nine: '9223372036854775807',
        e: '1e5',
        empty: '',
        map: '{"a":1}',
        list: '[1]',
      },
      { receiver: 'zipkin/tags' },
    ),
    json('v2: several services', [
      SPAN,
      { ...SPAN, id: '1', localEndpoint: { serviceName: 'a' } },
      { ...SPAN, id: '2', tags: { 'otel.library.name': 'l' } },
      { ...SPAN, id: '3', localEndpoint: undefined },
      { ...SPAN, id: '4', localEndpoint: { serviceName: 'b' }, tags: { 'k8s.pod.name': 'p' } },
      null,
    ]),
    json('v2: empty list', []),
    json('v2: null', null),
    json('v2: any path', [SPAN], { path: '/nosuch?x=1' }),
    json('v2: any method', [SPAN], { method: 'PUT' }),
    json('v2: any content type', [SPAN], { headers: { 'content-type': 'text/html' } }),
    post('v2: gzip', gzipSync(JSON.stringify([SPAN])), { headers: { 'content-encoding': 'gzip' } }),
    post('v2: deflate', deflateSync(JSON.stringify([SPAN])), { headers: { 'content-encoding': 'deflate' } }),
    post('v2: corrupt gzip', 'this is no gzip at all', { headers: { 'content-encoding': 'gzip' } }),
    post('v2: unknown encoding', 'nope', { headers: { 'content-encoding': 'br' } }),
    post('v2: no body', '', {}),
    post('v2: GET', '', { method: 'GET' }),
    post('v2: truncated', '[{"traceId":', {}),
    post('v2: garbage', 'garbage', {}),
    json('v2: object', SPAN),
    json('v2: string', 'x', { statusOnly: true }),
    json('v2: list of numbers', [1], { statusOnly: true }),
    span('no id', { id: undefined }),
    span('empty id', { id: '' }),
    span('id zero', { id: '0' }),
    span('bad id', { id: 'zz' }),
    span('long id', { id: '11112222333344445' }),
    span('no trace id', { traceId: undefined }),
    span('empty trace id', { traceId: '' }),
    span('bad trace id', { traceId: 'xyz' }),
    span('long trace id', { traceId: `${TRACE}00` }),
    span('bad parent', { parentId: 'q' }),
    span('name is a number', { name: 1 }, { statusOnly: true }),
    span('negative timestamp', { timestamp: -1 }, { statusOnly: true }),
    span('timestamp is a string', { timestamp: '1' }, { statusOnly: true }),
    span('timestamp with a fraction', { timestamp: 1.5 }, { statusOnly: true }),
    span('port too large', { localEndpoint: { serviceName: 'a', port: 70_000 } }, { statusOnly: true }),
    span('bad address', { localEndpoint: { serviceName: 'a', ipv4: '1.2.3' } }),
    span('tag is a number', { tags: { a: 1 } }, { statusOnly: true }),
    span('refused for good', {}, { verdict: 'permanent' }),
    span('refused for now', {}, { verdict: 'transient' }),
    v1('plain', {}),
    ...['sr', 'ss', 'ms', 'mr', 'ws'].map((value) =>
      v1(`kind ${value}`, {
        annotations: [
          { timestamp: 1_472_470_996_199_000, value, endpoint: { serviceName: 's', ipv6: '::1' } },
        ],
      }),
    ),
    v1('no time but annotations', { timestamp: undefined, duration: undefined }),
    v1('no time at all', { timestamp: undefined, annotations: [] }),
    v1('64-bit trace id', { traceId: '1111222233334444' }),
    v1('unknown service', { annotations: [], binaryAnnotations: [] }),
    v1('service of a binary annotation', { annotations: [] }),
    binary('local component', [{ key: 'lc', value: 'worker' }]),
    v1('local component as service', {
      annotations: [],
      binaryAnnotations: [{ key: 'lc', value: 'worker' }],
    }),
    ...[
      ['error', 'true'],
      ['error', ''],
      ['http.status_code', '404'],
      ['http.status_code', '302'],
      ['http.status_code', 'x'],
      ['otel.status_code', '2'],
      ['otel.status_code', '1'],
      ['otel.status_code', 'ERROR'],
      ['census.status_code', '0'],
      ['census.status_code', '5'],
    ].map(([key, value]) =>
      binary(`${key} ${value}`, [
        { key, value },
        { key: 'census.status_description', value: 'census' },
        { key: 'otel.status_description', value: 'otel' },
        { key: 'http.status_message', value: 'http' },
      ]),
    ),
    binary(
      'numbers parsed',
      [
        { key: 'i', value: '12' },
        { key: 'http.status_code', value: '500' },
        { key: 'd', value: '1.5' },
      ],
      { receiver: 'zipkin/tags' },
    ),
    json(
      'v1: two endpoints',
      [
        V1_SPAN,
        { ...V1_SPAN, id: '2222222222222222', annotations: [] },
        { ...V1_SPAN, id: '3333333333333333' },
      ],
      { path: `${V1}?x` },
    ),
    json('v1: within a path', [V1_SPAN], { path: `/zipkin${V1}/more` }),
    json('v1: empty list', [], { path: V1 }),
    v1('bad trace id', { traceId: '12' }),
    v1('trace id zero', { traceId: '0000000000000000' }),
    v1('trace id not hex', { traceId: 'zzzzzzzzzzzzzzzz' }),
    v1('bad id', { id: '1' }),
    v1('id zero', { id: '0000000000000000' }),
    v1('bad parent', { parentId: '1' }),
    v1('name is a number', { name: 1 }, { statusOnly: true }),
    post('v1: garbage', 'garbage', { path: V1 }),
    post('v1: no body', '', { path: V1 }),
    json('v1: object', V1_SPAN, { path: V1 }),
    thrift('plain', [THRIFT]),
    thrift('almost nothing', [{ 1: i64(1n), 4: i64(2n) }]),
    thrift('negative time', [{ 1: i64(1n), 4: i64(2n), 10: i64(-5n) }]),
    thrift('none', []),
    post('v1 thrift: garbage', 'garbage', {
      path: V1,
      headers: { 'content-type': 'application/x-thrift' },
      statusOnly: true,
    }),
    post('v1 thrift: cut', binaryList([THRIFT]).subarray(0, 40), {
      path: V1,
      headers: { 'content-type': 'application/x-thrift' },
      statusOnly: true,
    }),
    post('v1 thrift: no body', '', { path: V1, headers: { 'content-type': 'application/x-thrift' } }),
    proto('plain', {}),
    proto(
      'debug by header',
      {},
      { headers: { 'content-type': 'application/x-protobuf', 'x-b3-flags': '1' } },
    ),
    proto('no time', { timestamp: 0, duration: 0 }),
    proto('no kind', { kind: 0, tags: { 'span.kind': 'internal' } }),
    proto('short trace id', { traceId: hex('ffdc9bb9a6453df3') }),
    proto('no id', { id: '' }),
    proto('short id', { id: hex('ff') }),
    proto('short parent', { parentId: hex('ff') }),
    proto('no parent', { parentId: '' }),
    proto('parent zero', { parentId: hex('0000000000000000') }),
    proto('odd address', { localEndpoint: { serviceName: 'a', ipv4: hex('010203') } }),
    proto('port too large', { localEndpoint: { serviceName: 'a', port: 70_000 } }),
    post('v2 protobuf: empty', '', { headers: { 'content-type': 'application/x-protobuf' } }),
    post('v2 protobuf: garbage', 'garbage', {
      headers: { 'content-type': 'application/x-protobuf' },
      statusOnly: true,
    }),
    post('v2 protobuf: type with a parameter', zipkinProto([PROTO]), {
      headers: { 'content-type': 'application/x-protobuf; a=b' },
      statusOnly: true,
    }),
  ];
}
