/** Telemetry that parity cases run on, as OTLP/JSON: every kind of value, metric and data point. */

type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

const kv = (key: string, value: Json): Json => ({ key, value });
const text = (stringValue: string): Json => ({ stringValue });
const int = (value: number | string): Json => ({ intValue: String(value) });
const double = (doubleValue: number): Json => ({ doubleValue });
const bool = (boolValue: boolean): Json => ({ boolValue });
const list = (...values: Json[]): Json => ({ arrayValue: { values } });
const map = (...values: Json[]): Json => ({ kvlistValue: { values } });

const TIME = '1700000000123456789';
const START = '1699999999000000000';

const resource: Json = {
  attributes: [
    kv('service.name', text('shop')),
    kv('host.name', text('node-1')),
    kv('process.pid', int(4711)),
    kv('k8s.pod.labels', map(kv('app', text('web')), kv('tier', text('front')))),
  ],
};
const scope: Json = { name: 'lib', version: '1.2', attributes: [kv('build', text('x'))] };

/** Attributes of every type. */
const attributes: readonly Json[] = [
  kv('s', text('Hello World')),
  kv('empty', text('')),
  kv('i', int(42)),
  kv('neg', int(-7)),
  kv('d', double(2.5)),
  kv('b', bool(true)),
  kv('l', list(text('a'), int(1), double(1.5), bool(false))),
  kv('words', list(text('pear'), text('apple'), text('fig'))),
  kv('m', map(kv('x', int(1)), kv('y', map(kv('z', text('deep')))))),
  kv('bytes', { bytesValue: 'AQIDBA==' }),
  kv('num', text('123')),
  kv('url', text('https://user:pw@example.com:8443/a/b.html?q=1&r=2#frag')),
  kv('json', text('{"a":1,"b":{"c":[1,2.5,"x",null,true]},"d":"t"}')),
  kv('kv', text('a=1 b="two words" c=3')),
  kv('http.method', text('GET')),
  kv('http.url', text('http://h/p?q')),
  kv('unicode', text('h\u00e9llo \u4e16\u754c')),
  kv('ts', text('2024-03-05T06:07:08Z')),
];

const small: readonly Json[] = [kv('s', text('v')), kv('i', int(1))];

const span = (fields: { readonly [key: string]: Json }): Json => ({
  traceId: '0102030405060708090a0b0c0d0e0f10',
  spanId: '1112131415161718',
  name: 'GET /items/1',
  kind: 2,
  startTimeUnixNano: START,
  endTimeUnixNano: TIME,
  ...fields,
});

const traces: Json = {
  resourceSpans: [
    {
      resource,
      schemaUrl: 'https://schema/1',
      scopeSpans: [
        {
          scope,
          schemaUrl: 'https://schema/2',
          spans: [
            span({
              parentSpanId: '2122232425262728',
              traceState: 'a=1,b=2',
              flags: 257,
              attributes,
              droppedAttributesCount: 3,
              events: [
                { timeUnixNano: TIME, name: 'exception', attributes: small, droppedAttributesCount: 1 },
                { timeUnixNano: START, name: 'log', attributes: [kv('level', text('info'))] },
              ],
              droppedEventsCount: 4,
              links: [
                {
                  traceId: '0102030405060708090a0b0c0d0e0f11',
                  spanId: '3132333435363738',
                  traceState: 'c=3',
                  attributes: small,
                },
              ],
              droppedLinksCount: 5,
              status: { code: 2, message: 'boom' },
            }),
            span({ spanId: '1112131415161719', name: 'root', kind: 3, attributes: small }),
          ],
        },
      ],
    },
    {
      resource: { attributes: [kv('service.name', text('other'))] },
      scopeSpans: [{ scope: {}, spans: [span({})] }],
    },
  ],
};

const times: { readonly [key: string]: Json } = { startTimeUnixNano: START, timeUnixNano: TIME };
const exemplar = (fields: { readonly [key: string]: Json }): Json => ({
  timeUnixNano: TIME,
  traceId: '0102030405060708090a0b0c0d0e0f10',
  spanId: '1112131415161718',
  filteredAttributes: [kv('e', text('x'))],
  ...fields,
});

const metrics: Json = {
  resourceMetrics: [
    {
      resource,
      scopeMetrics: [
        {
          scope,
          metrics: [
            {
              name: 'queue.size',
              description: 'items waiting',
              unit: '1',
              metadata: [kv('owner', text('team'))],
              gauge: {
                dataPoints: [
                  { ...times, asInt: '7', attributes: [kv('queue', text('a')), kv('zone', text('z1'))] },
                  { ...times, asDouble: 2.5, attributes: [kv('queue', text('b')), kv('zone', text('z1'))] },
                  {
                    ...times,
                    asDouble: 4.5,
                    attributes: [kv('queue', text('a')), kv('zone', text('z2'))],
                    flags: 1,
                  },
                ],
              },
            },
            {
              name: 'requests',
              unit: '{request}',
              sum: {
                aggregationTemporality: 2,
                isMonotonic: true,
                dataPoints: [
                  {
                    ...times,
                    asInt: '10',
                    attributes: [kv('code', int(200)), kv('route', text('/a'))],
                    exemplars: [exemplar({ asInt: '3' }), exemplar({ asDouble: 1.5 })],
                  },
                  { ...times, asInt: '5', attributes: [kv('code', int(500)), kv('route', text('/a'))] },
                  { ...times, asInt: '1', attributes: [kv('code', int(500)), kv('route', text('/b'))] },
                ],
              },
            },
            {
              name: 'latency',
              description: 'time',
              unit: 'ms',
              histogram: {
                aggregationTemporality: 1,
                dataPoints: [
                  {
                    ...times,
                    count: '10',
                    sum: 112.5,
                    min: 1,
                    max: 90,
                    bucketCounts: ['1', '2', '3', '4'],
                    explicitBounds: [5, 10, 50],
                    attributes: [kv('route', text('/a')), kv('code', int(200))],
                    exemplars: [exemplar({ asDouble: 12.5 })],
                  },
                  {
                    ...times,
                    count: '4',
                    sum: 20,
                    bucketCounts: ['4', '0', '0', '0'],
                    explicitBounds: [5, 10, 50],
                    attributes: [kv('route', text('/b')), kv('code', int(200))],
                  },
                  { ...times, count: '2', bucketCounts: ['2'], attributes: [kv('route', text('/c'))] },
                ],
              },
            },
            {
              name: 'exp',
              unit: 's',
              exponentialHistogram: {
                aggregationTemporality: 2,
                dataPoints: [
                  {
                    ...times,
                    count: '17',
                    sum: 40.5,
                    min: 0.5,
                    max: 8,
                    scale: 1,
                    zeroCount: '2',
                    zeroThreshold: 0.001,
                    positive: { offset: 1, bucketCounts: ['1', '2', '0', '5'] },
                    negative: { offset: -2, bucketCounts: ['3', '4'] },
                    attributes: [kv('route', text('/a'))],
                  },
                  {
                    ...times,
                    count: '6',
                    scale: 0,
                    zeroCount: '1',
                    positive: { offset: -1, bucketCounts: ['2', '3'] },
                    negative: {},
                    attributes: [kv('route', text('/b'))],
                  },
                ],
              },
            },
            {
              name: 'old',
              unit: 's',
              summary: {
                dataPoints: [
                  {
                    ...times,
                    count: '9',
                    sum: 33.5,
                    quantileValues: [
                      { quantile: 0.5, value: 3 },
                      { quantile: 0.99, value: 7.5 },
                    ],
                    attributes: [kv('route', text('/a'))],
                  },
                ],
              },
            },
            { name: 'nothing' },
          ],
        },
      ],
    },
  ],
};

const record = (fields: { readonly [key: string]: Json }): Json => ({
  timeUnixNano: TIME,
  observedTimeUnixNano: START,
  severityNumber: 9,
  severityText: 'INFO',
  body: text('user alice logged in from 10.0.0.1'),
  ...fields,
});

const logs: Json = {
  resourceLogs: [
    {
      resource,
      schemaUrl: 'https://schema/1',
      scopeLogs: [
        {
          scope,
          logRecords: [
            record({
              attributes,
              traceId: '0102030405060708090a0b0c0d0e0f10',
              spanId: '1112131415161718',
              flags: 1,
              droppedAttributesCount: 2,
              eventName: 'user.login',
            }),
            record({
              body: map(kv('msg', text('hi')), kv('n', int(3)), kv('in', map(kv('x', bool(true))))),
              severityNumber: 17,
              severityText: 'ERROR',
              attributes: small,
            }),
            record({ body: list(text('a'), int(2)), severityNumber: 0 }),
            { body: int(5) },
          ],
        },
      ],
    },
  ],
};

/** One log record with attributes of every type: for what makes a value from values. */
const value: Json = {
  resourceLogs: [{ resource, scopeLogs: [{ scope, logRecords: [record({ attributes })] }] }],
};

/** Traces of their own: slow, failed, short, of another service, with events. */
const sampling: Json = {
  resourceSpans: [
    {
      resource,
      scopeSpans: [
        {
          scope,
          spans: [
            ...[1, 2, 3, 4, 5, 6].map((n) =>
              span({
                traceId: `${n}1020304050607080900010203040506`.padEnd(32, '0').slice(0, 32),
                spanId: `${n}112131415161718`,
                endTimeUnixNano: String(BigInt(START) + BigInt(n) * 400_000_000n),
                attributes: n % 2 === 0 ? attributes : small,
                traceState: n === 3 ? 'a=1' : '',
                flags: n === 4 ? 1 : 0,
                status: n === 5 ? { code: 2 } : n === 6 ? { code: 1 } : {},
                events: n === 2 ? [{ timeUnixNano: TIME, name: 'log' }] : [],
              }),
            ),
            span({ traceId: '21020304050607080900010203040506', spanId: '2112131415161719', name: 'child' }),
          ],
        },
      ],
    },
    {
      resource: { attributes: [kv('service.name', text('other'))] },
      scopeSpans: [
        { scope: {}, spans: [span({ traceId: '71020304050607080900010203040506', name: 'other' })] },
      ],
    },
  ],
};

/** Profiles with a dictionary, one sample without anything, and references beyond the tables. */
const profiles: Json = {
  resourceProfiles: [
    {
      resource: {
        attributes: [
          { keyStrindex: 6, value: { stringValueStrindex: 7 } },
          { keyStrindex: 6, value: list({ stringValueStrindex: 3 }, int(1)) },
        ],
      },
      schemaUrl: 'https://schema/1',
      scopeProfiles: [
        {
          scope: { name: 'lib', version: '1.2', attributes: [{ keyStrindex: 4, value: text('x') }] },
          profiles: [
            {
              profileId: '0102030405060708090a0b0c0d0e0f10',
              timeUnixNano: TIME,
              durationNano: '1000000000',
              period: '10000000',
              sampleType: { typeStrindex: 1, unitStrindex: 2 },
              droppedAttributesCount: 3,
              attributeIndices: [1, 2, 9],
              samples: [
                { stackIndex: 1, values: ['5', '-6'], attributeIndices: [1, 3, 9], linkIndex: 1 },
                { values: ['7'], timestampsUnixNano: [TIME] },
                {},
              ],
            },
            { profileId: '1102030405060708090a0b0c0d0e0f10' },
          ],
        },
      ],
    },
    { resource: {}, scopeProfiles: [{ scope: {}, profiles: [{}] }] },
  ],
  dictionary: {
    stringTable: ['', 'cpu', 'nanoseconds', 'main', 'thread.name', 'app.c', 'service.name', 'shop'],
    mappingTable: [
      {},
      {
        memoryStart: '4096',
        memoryLimit: '8192',
        fileOffset: '16',
        filenameStrindex: 5,
        attributeIndices: [1, 2],
      },
    ],
    locationTable: [
      {},
      {
        mappingIndex: 1,
        address: '4100',
        lines: [{ functionIndex: 1, line: '12', column: '3' }, { line: '13' }],
      },
    ],
    functionTable: [{}, { nameStrindex: 3, systemNameStrindex: 3, filenameStrindex: 5, startLine: '10' }],
    linkTable: [{}, { traceId: '0102030405060708090a0b0c0d0e0f10', spanId: '1112131415161718' }],
    stackTable: [{}, { locationIndices: [1] }],
    attributeTable: [
      {},
      { keyStrindex: 4, value: text('worker') },
      { keyStrindex: 1, value: int(3), unitStrindex: 2 },
      { keyStrindex: 99, value: map(kv('x', double(1.5))) },
    ],
  },
};

const nothing: Json = {};

/** Values at the edges of how numbers, texts and times are printed. */
const edges: Json = {
  resourceMetrics: [
    {
      resource: {
        attributes: [
          kv('d', double(1e21)),
          kv('e', double(1e-7)),
          kv('f', double(123456789)),
          kv('tab', text('a\tb\nc')),
        ],
      },
      scopeMetrics: [
        {
          scope: {},
          metrics: [
            {
              name: 'numbers',
              gauge: {
                dataPoints: [
                  0,
                  -0.5,
                  1e20,
                  1e21,
                  1e-5,
                  0.0001,
                  123456,
                  1234567,
                  1e300,
                  5e-324,
                  'NaN',
                  'Infinity',
                  '-Infinity',
                ].map((asDouble) => ({ asDouble })),
              },
            },
            {
              name: 'ints',
              sum: { dataPoints: [{ asInt: '9223372036854775807' }, { asInt: '-9223372036854775808' }, {}] },
            },
            {
              name: 'times',
              gauge: {
                dataPoints: [
                  { timeUnixNano: '1', asInt: '1' },
                  { timeUnixNano: '1700000000000000000', asInt: '1' },
                  { timeUnixNano: '1700000000100000000', asInt: '1' },
                  { timeUnixNano: '18446744073709551615', asInt: '1' },
                  { timeUnixNano: '9223372036854775808', asInt: '1' },
                ],
              },
            },
            {
              name: 'wide',
              exponentialHistogram: {
                dataPoints: [
                  { scale: 20, count: '1', positive: { offset: 100000, bucketCounts: ['1'] } },
                  { scale: -9, count: '1', positive: { offset: 0, bucketCounts: ['1'] } },
                  {
                    scale: 3,
                    count: '2',
                    zeroCount: '1',
                    negative: { offset: -900, bucketCounts: ['0', '1'] },
                  },
                ],
              },
            },
          ],
        },
      ],
    },
  ],
};

/** Spans and log records with numbers of enums that have no name, and hardly anything else. */
const odd: Json = {
  resourceSpans: [
    {
      scopeSpans: [
        {
          spans: [
            { kind: 17, status: { code: 9 } },
            { kind: 5, status: { code: 1, message: 'm' } },
          ],
        },
        {},
      ],
    },
    {},
  ],
};
const oddLogs: Json = {
  resourceLogs: [
    {
      scopeLogs: [
        {
          logRecords: [1, 2, 3, 4, 5, 10, 16, 17, 24, 25, 99].map((severityNumber) => ({ severityNumber })),
        },
      ],
    },
  ],
};

export const INPUTS: Readonly<Record<string, Json>> = {
  traces,
  metrics,
  logs,
  value,
  sampling,
  profiles,
  nothing,
  edges,
  odd,
  oddLogs,
};
