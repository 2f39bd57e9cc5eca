/** Requests for the `jaeger` receiver. */
import { gzipSync } from 'node:zlib';
import {
  binaryMessage,
  binaryStruct,
  compactMessage,
  type ThriftStruct,
  type ThriftValue,
} from '../../thrift-writer.js';
import type { ReceiverCase, Verdict } from '../case.js';
import { jaegerProto } from '../jaeger-proto.js';

const START_US = 1_700_000_000_123_456n;
const THRIFT = { 'content-type': 'application/x-thrift' };

type Tag = readonly [
  key: string,
  value: string | number | bigint | boolean | Uint8Array | { readonly double: number },
];
type Reference = readonly [kind: number, high: bigint, low: bigint, span: bigint];

/** One span as both encodings can say it. */
interface Span {
  readonly high?: bigint;
  readonly low?: bigint;
  readonly id?: bigint;
  readonly parent?: bigint;
  readonly name?: string;
  readonly references?: readonly Reference[];
  readonly start?: bigint;
  readonly duration?: bigint;
  readonly flags?: number;
  readonly tags?: readonly Tag[];
  readonly logs?: readonly (readonly [time: bigint, fields: readonly Tag[]])[];
}

const HIGH = 0x1234_5678_9abc_def0n;
const LOW = 0x0fed_cba9_8765_4321n;
const USUAL = {
  high: HIGH,
  low: LOW,
  id: 0x77n,
  parent: 0n,
  name: 'op',
  start: START_US,
  duration: 1500n,
  flags: 1,
};

const i64 = (value: bigint): ThriftValue => ({ i64: BigInt.asIntN(64, value) });

function thriftTag([key, value]: Tag): ThriftStruct {
  const head = (type: number, field: number, content: ThriftValue): ThriftStruct => ({
    1: { text: key },
    2: { i32: type },
    [field]: content,
  });
  if (typeof value === 'string') return head(0, 3, { text: value });
  if (typeof value === 'boolean') return head(2, 5, { bool: value });
  if (typeof value === 'number' || typeof value === 'bigint') return head(3, 6, i64(BigInt(value)));
  if (value instanceof Uint8Array) return head(4, 7, { bytes: value });
  return head(1, 4, { double: value.double });
}

function thriftSpan(changes: Span): ThriftStruct {
  const span = { ...USUAL, ...changes };
  return {
    1: i64(span.low),
    2: i64(span.high),
    3: i64(span.id),
    4: i64(span.parent),
    5: { text: span.name },
    6:
      span.references === undefined
        ? undefined
        : {
            list: span.references.map(([kind, high, low, id]) => ({
              1: { i32: kind },
              2: i64(low),
              3: i64(high),
              4: i64(id),
            })),
          },
    7: { i32: span.flags },
    8: i64(span.start),
    9: i64(span.duration),
    10: span.tags === undefined ? undefined : { list: span.tags.map(thriftTag) },
    11:
      span.logs === undefined
        ? undefined
        : { list: span.logs.map(([time, fields]) => ({ 1: i64(time), 2: { list: fields.map(thriftTag) } })) },
  };
}

const thriftProcess = (service: string, tags?: readonly Tag[]): ThriftStruct => ({
  1: { text: service },
  2: tags === undefined ? undefined : { list: tags.map(thriftTag) },
});

const thriftBatch = (
  spans: readonly Span[],
  process = thriftProcess('shop', [['hostname', 'h1']]),
): ThriftStruct => ({
  1: { struct: process },
  2: { list: spans.map(thriftSpan) },
});

const bytesOf = (value: bigint, width: number) =>
  Buffer.from(
    BigInt.asUintN(width * 8, value)
      .toString(16)
      .padStart(width * 2, '0'),
    'hex',
  );
const trace = (high: bigint, low: bigint) =>
  Buffer.concat([bytesOf(high, 8), bytesOf(low, 8)]).toString('base64');
const id = (value: bigint) => bytesOf(value, 8).toString('base64');
const moment = (us: bigint) => ({ seconds: String(us / 1_000_000n), nanos: Number(us % 1_000_000n) * 1000 });

function protoTag([key, value]: Tag): object {
  if (typeof value === 'string') return { key, vStr: value };
  if (typeof value === 'boolean') return { key, vType: 1, vBool: value };
  if (typeof value === 'number' || typeof value === 'bigint') return { key, vType: 2, vInt64: String(value) };
  if (value instanceof Uint8Array) return { key, vType: 4, vBinary: Buffer.from(value).toString('base64') };
  return { key, vType: 3, vFloat64: value.double };
}

/** The parent is a reference there. */
function protoSpan(changes: Span, more: object = {}): object {
  const span = { ...USUAL, ...changes };
  const parent: readonly Reference[] = span.parent === 0n ? [] : [[0, span.high, span.low, span.parent]];
  const references = [...parent, ...(span.references ?? [])];
  return {
    traceId: trace(span.high, span.low),
    spanId: id(span.id),
    operationName: span.name,
    references: references.map(([refType, high, low, to]) => ({
      refType,
      traceId: trace(high, low),
      spanId: id(to),
    })),
    flags: span.flags,
    startTime: moment(span.start),
    duration: moment(span.duration),
    tags: span.tags?.map(protoTag) ?? [],
    logs:
      span.logs?.map(([time, fields]) => ({ timestamp: moment(time), fields: fields.map(protoTag) })) ?? [],
    ...more,
  };
}

const protoProcess = (serviceName: string, tags: readonly Tag[] = []) => ({
  serviceName,
  tags: tags.map(protoTag),
});

const POST_SPANS = '/jaeger.api_v2.CollectorService/PostSpans';
const grpc = (name: string, batch: object, options: { verdict?: Verdict } = {}): ReceiverCase => ({
  id: `grpc: ${name}`,
  receiver: 'jaeger',
  ask: { kind: 'grpc', path: POST_SPANS, message: jaegerProto(batch) },
  ...options,
});

interface HttpOptions {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly verdict?: Verdict;
  readonly statusOnly?: boolean;
}

function post(name: string, body: Uint8Array | string, options: HttpOptions = {}): ReceiverCase {
  const { method = 'POST', path = '/api/traces', headers = THRIFT, ...rest } = options;
  return {
    id: `thrift_http: ${name}`,
    receiver: 'jaeger',
    ask: { kind: 'http', method, path, headers, body },
    ...rest,
  };
}

const http = (name: string, batch: ThriftStruct, options?: HttpOptions) =>
  post(name, binaryStruct(batch), options);

/** The same span over HTTP and gRPC. */
const both = (name: string, changes: Span): ReceiverCase[] => [
  http(name, thriftBatch([changes])),
  grpc(name, { spans: [protoSpan(changes)], process: protoProcess('shop', [['hostname', 'h1']]) }),
];
const tags = (name: string, ...list: readonly Tag[]) => both(name, { tags: list });

const udp = (name: string, port: 'compact' | 'binary', body: Uint8Array): ReceiverCase => ({
  id: `${port}: ${name}`,
  receiver: 'jaeger',
  ask: { kind: 'udp', port, body },
});

const RICH: Span = {
  parent: 0x55n,
  tags: [
    ['s', 'x'],
    ['i', -5n],
    ['b', true],
    ['d', { double: 1.5 }],
    ['bin', Buffer.from([1, 2])],
    ['span.kind', 'server'],
  ],
  logs: [
    [
      START_US + 5n,
      [
        ['event', 'hit'],
        ['level', 'info'],
      ],
    ],
  ],
  references: [[1, HIGH, 5n, 6n]],
};

export function jaegerCases(): readonly ReceiverCase[] {
  const calls = { 1: { struct: thriftBatch([RICH, { id: 0x78n, high: 0n }]) } };
  return [
    ...both('plain', {}),
    ...both('rich', RICH),
    ...both('64-bit trace id', { high: 0n }),
    ...both('ids with the highest bit', { high: -1n, low: -2n, id: -3n, parent: -4n }),
    ...both('zero ids', { high: 0n, low: 0n, id: 0n }),
    ...both('start at 0', { start: 0n }),
    http('negative duration', thriftBatch([{ duration: -1500n }])),
    ...['client', 'server', 'producer', 'consumer', 'internal', 'SERVER', 'odd', ''].flatMap((kind) =>
      tags(`kind ${kind}`, ['span.kind', kind]),
    ),
    ...tags('kind is a number', ['span.kind', 3]),
    ...tags('error', ['error', true]),
    ...tags('error false', ['error', false]),
    ...tags('error is a text', ['error', 'true']),
    ...tags(
      'error with description',
      ['error', true],
      ['otel.status_description', 'why'],
      ['http.status_message', 'http'],
    ),
    ...tags(
      'error with HTTP message',
      ['error', true],
      ['http.status_message', 'http'],
      ['http.status_code', 500],
    ),
    ...tags(
      'error and status',
      ['error', true],
      ['otel.status_code', 'OK'],
      ['otel.status_description', 'why'],
    ),
    ...['OK', 'ERROR', 'ok', 'UNSET', '2'].flatMap((code) =>
      tags(`status ${code}`, ['otel.status_code', code], ['otel.status_description', 'why']),
    ),
    ...tags('status is a number', ['otel.status_code', 2]),
    ...tags('description alone', ['otel.status_description', 'why']),
    ...[200, 302, 399, 400, 404, 500, 600, 42].flatMap((code) =>
      tags(`HTTP ${code}`, ['http.status_code', code], ['http.status_message', 'm']),
    ),
    ...tags('HTTP 404 of a server', ['http.status_code', 404], ['span.kind', 'server']),
    ...tags('HTTP 404 of a client', ['http.status_code', 404], ['span.kind', 'client']),
    ...tags('HTTP 500 as text', ['http.status_code', '500']),
    ...tags('HTTP garbage', ['http.status_code', 'x']),
    ...tags('HTTP with a fraction', ['http.status_code', { double: 500 }]),
    ...tags('newer HTTP status', ['http.response.status_code', 500]),
    ...tags('scope', ['otel.scope.name', 'lib'], ['otel.scope.version', '1']),
    ...tags('scope version alone', ['otel.scope.version', '1']),
    ...tags('library', ['otel.library.name', 'lib'], ['otel.library.version', '1']),
    ...tags('trace state', ['w3c.tracestate', 'a=1']),
    ...tags('a key twice', ['k', '1'], ['k', '2']),
    ...both('child of', { references: [[0, HIGH, LOW, 0x99n]] }),
    ...both('follows from', { references: [[1, HIGH, LOW, 0x99n]] }),
    ...both('both', {
      references: [
        [1, HIGH, LOW, 0x99n],
        [0, HIGH, LOW, 0x98n],
        [0, HIGH, LOW, 0x97n],
      ],
    }),
    ...both('child of another trace', { references: [[0, 1n, 2n, 0x99n]] }),
    ...both('parent and reference', { parent: 0x99n, references: [[1, HIGH, LOW, 0x99n]] }),
    ...both('odd reference', { references: [[7, HIGH, LOW, 0x99n]] }),
    ...both('logs', {
      logs: [
        [START_US, [['event', 'a']]],
        [
          START_US + 1n,
          [
            ['message', 'no event'],
            ['n', 1],
          ],
        ],
        [START_US + 2n, []],
        [START_US + 3n, [['event', 5]]],
      ],
    }),
    http(
      'process tags',
      thriftBatch(
        [{}],
        thriftProcess('shop', [
          ['hostname', 'h'],
          ['jaeger.version', 'Node-1'],
          ['ip', '1.2.3.4'],
          ['i', 7n],
          ['b', true],
        ]),
      ),
    ),
    grpc('process tags', {
      spans: [protoSpan({})],
      process: protoProcess('shop', [
        ['hostname', 'h'],
        ['jaeger.version', 'Go-2'],
        ['i', 7n],
        ['b', true],
      ]),
    }),
    http(
      'host.name wins',
      thriftBatch(
        [{}],
        thriftProcess('shop', [
          ['hostname', 'h'],
          ['host.name', 'w'],
          ['jaeger.version', 'x'],
          ['opencensus.exporterversion', 'y'],
        ]),
      ),
    ),
    http('no service name', thriftBatch([{}], thriftProcess('', [['a', 'b']]))),
    http('no service name, no tags', thriftBatch([{}], thriftProcess(''))),
    http(
      'name that stands for none',
      thriftBatch([{}], thriftProcess('OTLPResourceNoServiceName', [['a', 'b']])),
    ),
    grpc('name that stands for none', {
      spans: [protoSpan({})],
      process: protoProcess('OTLPResourceNoServiceName', [['a', 'b']]),
    }),
    grpc('no process', { spans: [protoSpan({})] }),
    grpc('process of spans', {
      spans: [
        protoSpan({}),
        protoSpan({ id: 2n }, { process: protoProcess('other') }),
        protoSpan({ id: 3n }, { process: protoProcess('other') }),
      ],
      process: protoProcess('shop'),
    }),
    grpc('scopes', {
      spans: [
        protoSpan({ tags: [['otel.scope.name', 'a']] }),
        protoSpan({ id: 2n }),
        protoSpan({ id: 3n, tags: [['otel.scope.name', 'a']] }),
      ],
      process: protoProcess('shop'),
    }),
    grpc('flags and warnings', {
      spans: [protoSpan({ flags: 3 }, { warnings: ['w'], processId: 'p' })],
      process: protoProcess('shop'),
    }),
    grpc('unknown type of tag', {
      spans: [protoSpan({}, { tags: [{ key: 'k', vType: 9, vStr: 'x' }] })],
      process: protoProcess('shop'),
    }),
    grpc('nanoseconds', {
      spans: [
        protoSpan(
          {},
          { startTime: { seconds: '1700000000', nanos: 123456789 }, duration: { seconds: '1', nanos: 1 } },
        ),
      ],
      process: protoProcess('shop'),
    }),
    grpc('empty', {}),
    grpc('no spans', { process: protoProcess('shop') }),
    grpc('bad trace id', { spans: [protoSpan({}, { traceId: 'AQID' })] }),
    grpc('short trace id', { spans: [protoSpan({}, { traceId: id(5n) })] }),
    grpc('bad span id', { spans: [protoSpan({}, { spanId: 'AQID' })] }),
    grpc('refused for good', { spans: [protoSpan({})] }, { verdict: 'permanent' }),
    grpc('refused for now', { spans: [protoSpan({})] }, { verdict: 'transient' }),
    {
      id: 'grpc: garbage',
      receiver: 'jaeger',
      ask: { kind: 'grpc', path: POST_SPANS, message: Buffer.from('garbage') },
      statusOnly: true,
    },
    {
      id: 'grpc: sampling',
      receiver: 'jaeger',
      ask: {
        kind: 'grpc',
        path: '/jaeger.api_v2.SamplingManager/GetSamplingStrategy',
        message: Buffer.alloc(0),
      },
    },
    {
      id: 'grpc: unknown method',
      receiver: 'jaeger',
      ask: { kind: 'grpc', path: '/jaeger.api_v2.CollectorService/Nothing', message: Buffer.alloc(0) },
    },
    http('several spans', thriftBatch([{}, { id: 2n }, { id: 3n }])),
    http('no spans', thriftBatch([])),
    http('query', thriftBatch([{}]), { path: '/api/traces?format=jaeger.thrift' }),
    http('the other content type', thriftBatch([{}]), {
      headers: { 'content-type': 'application/vnd.apache.thrift.binary; charset=x' },
    }),
    post('gzip', gzipSync(binaryStruct(thriftBatch([{}]))), {
      headers: { ...THRIFT, 'content-encoding': 'gzip' },
    }),
    http('JSON', thriftBatch([{}]), { headers: { 'content-type': 'application/json' } }),
    http('markup', thriftBatch([{}]), { headers: { 'content-type': "a'b&c" } }),
    http('no content type', thriftBatch([{}]), { headers: {} }),
    http('bad parameter', thriftBatch([{}]), { headers: { 'content-type': 'application/x-thrift; a' } }),
    post('empty', '', { statusOnly: true }),
    post('garbage', 'garbage', { statusOnly: true }),
    post('no process', binaryStruct({ 2: { list: [] } }), { statusOnly: true }),
    post(
      'span without times',
      binaryStruct({
        1: { struct: thriftProcess('a') },
        2: { list: [{ 1: i64(1n), 2: i64(1n), 3: i64(1n), 4: i64(0n), 5: { text: 'x' }, 7: { i32: 1 } }] },
      }),
      { statusOnly: true },
    ),
    http('GET', thriftBatch([]), { method: 'GET' }),
    http('another path', thriftBatch([{}]), { path: '/api/v1/spans' }),
    http('sampling', thriftBatch([{}]), { path: '/api/sampling?service=a', method: 'GET' }),
    http('refused for good', thriftBatch([{}]), { verdict: 'permanent' }),
    http('refused for now', thriftBatch([{}]), { verdict: 'transient' }),
    udp('batch', 'compact', compactMessage('emitBatch', calls)),
    udp('batch', 'binary', binaryMessage('emitBatch', calls)),
    udp('old client', 'binary', binaryMessage('emitBatch', calls, false)),
  ];
}
