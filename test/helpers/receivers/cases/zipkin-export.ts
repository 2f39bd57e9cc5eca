/** Spans for the `zipkin` exporter, each sent as JSON and as protobuf. */

export interface ExportCase {
  readonly id: string;
  /** OTLP/JSON. */
  readonly request: object;
}

const text = (value: string) => ({ stringValue: value });
const map = (values: Readonly<Record<string, object>>) =>
  Object.entries(values).map(([key, value]) => ({ key, value }));

const SPAN = {
  traceId: '4e441824ec2b6a44ffdc9bb9a6453df3',
  spanId: 'ffdc9bb9a6453df3',
  parentSpanId: '1111111111111111',
  name: 'GET /Books',
  kind: 2,
  startTimeUnixNano: '1472470996199000600',
  endTimeUnixNano: '1472470996406001200',
};

function one(
  id: string,
  span: object,
  resource: Readonly<Record<string, object>> = { 'service.name': text('Shop') },
  scope: object = {},
): ExportCase {
  return {
    id,
    request: {
      resourceSpans: [
        { resource: { attributes: map(resource) }, scopeSpans: [{ scope, spans: [{ ...SPAN, ...span }] }] },
      ],
    },
  };
}

const attributes = (id: string, values: Readonly<Record<string, object>>) =>
  one(id, { attributes: map(values) });

export const zipkinExportCases = (): readonly ExportCase[] => [
  one('plain', {}),
  ...[0, 1, 3, 4, 5].map((kind) => one(`kind ${kind}`, { kind })),
  one('64-bit trace id', { traceId: '0000000000000000ffdc9bb9a6453df3' }),
  one('root', { parentSpanId: '' }),
  one('trace state', { traceState: 'a=1' }),
  one('no time', { startTimeUnixNano: '0', endTimeUnixNano: '0' }),
  one('no start', { startTimeUnixNano: '0', endTimeUnixNano: '5000' }),
  one('no duration', { endTimeUnixNano: SPAN.startTimeUnixNano }),
  one('short duration', { endTimeUnixNano: '1472470996199000700' }),
  one('no name', { name: '' }),
  one('ok', { status: { code: 1 } }),
  one('error', { status: { code: 2, message: 'broken' }, attributes: map({ error: text('no') }) }),
  one('error attribute without error', { attributes: map({ error: { boolValue: false } }) }),
  one('no resource', {}, {}),
  one('faas', {}, { 'faas.name': text('fn'), 'cloud.resource_id': text('arn') }),
  one('deployment', {}, { 'k8s.deployment.name': text('d'), 'process.executable.name': text('p') }),
  one('executable', {}, { 'process.executable.name': text('p'), 'host.name': text('h') }),
  one(
    'scope',
    {},
    { 'service.name': text('s') },
    { name: 'lib', version: '1', attributes: map({ of: text('scope') }) },
  ),
  attributes('values', {
    s: text('x'),
    i: { intValue: '-5' },
    d: { doubleValue: 1.5 },
    whole: { doubleValue: 3 },
    b: { boolValue: true },
    bytes: { bytesValue: 'AQI=' },
    list: { arrayValue: { values: [text('a'), { intValue: '1' }] } },
    map: { kvlistValue: { values: map({ z: text('1'), a: { boolValue: false } }) } },
    empty: {},
  }),
  attributes('http status', { 'http.response.status_code': { intValue: '503' } }),
  attributes('both http statuses', {
    'http.response.status_code': { intValue: '503' },
    'http.status_code': { intValue: '500' },
  }),
  attributes('endpoints', {
    'network.local.address': text('10.0.0.1'),
    'net.host.port': { intValue: '80' },
    'service.peer.name': text('Cart'),
    'network.peer.address': text('2001:db8::1'),
    'net.peer.port': { intValue: '443' },
  }),
  attributes('old endpoints', {
    'net.host.ip': text('10.0.0.1'),
    'peer.service': text('old'),
    'net.peer.ip': text('10.0.0.2'),
  }),
  attributes('bad endpoints', { 'network.peer.address': text('somewhere'), 'net.peer.port': text('http') }),
  attributes('peer port alone', { 'net.peer.port': { intValue: '443' } }),
  one('events', {
    events: [
      { timeUnixNano: '1472470996199000700', name: 'plain' },
      {
        timeUnixNano: '1472470996199001499',
        name: 'rich',
        attributes: map({ b: text('<&>'), a: { intValue: '7' } }),
        droppedAttributesCount: 2,
      },
    ],
  }),
  one('links', {
    links: [
      {
        traceId: SPAN.traceId,
        spanId: SPAN.spanId,
        traceState: 'x=y',
        attributes: map({ a: { doubleValue: 0.5 } }),
      },
      { traceId: SPAN.traceId, spanId: '2222222222222222', droppedAttributesCount: 1 },
    ],
  }),
];
