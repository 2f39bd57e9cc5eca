import * as grpc from '@grpc/grpc-js';
import { afterEach, describe, expect, it } from 'vitest';
import { PermanentError, RetryableError } from '../../../../src/component/errors.js';
import { decodeLogs, decodeMetrics, decodeSpans } from '../../../../src/otlp/decode.js';
import { sw8SpanId, sw8TraceId } from '../../../../src/protocols/trace-context/sw8-ids.js';
import { type RunningApmReceiver, startSkywalking } from '../../../helpers/receivers/kindling.js';
import { skywalkingProto } from '../../../helpers/receivers/skywalking-proto.js';

const TRACE = 'de5980b8fce34a37aab9b4ac3af7eedd.1.16563474296430001';
const SEGMENT = '4f2f27748b8e44ecaf18fe0347194e86.33.16560607369950066';
const PARENT = '4f2f27748b8e44ecaf18fe0347194e87.34.16560607369950067';
const MS = 1_700_000_000_123;

const REFERENCE = {
  refType: 0,
  traceId: TRACE,
  parentTraceSegmentId: PARENT,
  parentSpanId: 2,
  parentService: 'front',
  parentServiceInstance: 'front-1',
  parentEndpoint: '/start',
  networkAddressUsedAtPeer: 'shop:8080',
};
const ENTRY = {
  spanId: 0,
  parentSpanId: -1,
  startTime: MS,
  endTime: MS + 20,
  refs: [REFERENCE],
  operationName: '/books',
  spanType: 0,
  spanLayer: 3,
  componentId: 1,
  tags: [
    { key: 'url', value: 'http://shop/books' },
    { key: 'http.method', value: 'GET' },
    { key: 'http.status_code', value: '200' },
  ],
};
const EXIT = {
  spanId: 1,
  parentSpanId: 0,
  startTime: MS + 5,
  endTime: MS + 9,
  operationName: 'Mysql/query',
  peer: 'db.local:3306',
  spanType: 1,
  spanLayer: 1,
  componentId: 33,
  isError: true,
  tags: [{ key: 'db.type', value: 'sql' }],
  logs: [
    {
      time: MS + 8,
      data: [
        { key: 'event', value: 'error' },
        { key: 'error.kind', value: 'SQLException' },
        { key: 'message', value: 'gone' },
      ],
    },
    { time: MS + 9, data: [{ key: 'a', value: 'b' }] },
  ],
};
const segment = (more: object = {}) => ({
  traceId: TRACE,
  traceSegmentId: SEGMENT,
  service: 'shop',
  serviceInstance: 'shop-1',
  spans: [ENTRY, EXIT],
  ...more,
});

let receiver: RunningApmReceiver;
let client: grpc.Client | undefined;
afterEach(async () => {
  client?.close();
  client = undefined;
  await receiver.stop();
});

const same = (value: Buffer): Buffer => value;
interface Reply {
  readonly code: number;
  readonly text: string;
  readonly bytes: number;
}

function call(path: string, messages: readonly Uint8Array[], isStream: boolean): Promise<Reply> {
  client ??= new grpc.Client(`127.0.0.1:${receiver.ports.grpc}`, grpc.credentials.createInsecure());
  const connected = client;
  return new Promise((resolve) => {
    const done = (error: grpc.ServiceError | null, response?: Buffer): void =>
      resolve(
        error === null
          ? { code: 0, text: '', bytes: response?.length ?? -1 }
          : { code: error.code, text: error.details, bytes: -1 },
      );
    if (!isStream) {
      connected.makeUnaryRequest(path, same, same, Buffer.from(messages[0] ?? []), done);
      return;
    }
    const writer = connected.makeClientStreamRequest(path, same, same, done);
    for (const message of messages) writer.write(Buffer.from(message));
    writer.end();
  });
}
const unary = (name: string, message: Uint8Array) => call(`/skywalking.v3.${name}`, [message], false);
const stream = (name: string, ...messages: readonly Uint8Array[]) =>
  call(`/skywalking.v3.${name}`, messages, true);
const OK = { code: 0, text: '', bytes: 0 };
const spans = () =>
  receiver.sink.batches
    .filter(({ signal }) => signal === 'traces')
    .flatMap(({ bytes }) => decodeSpans(bytes));

describe('the skywalking receiver', () => {
  it('takes segments of a stream, and answers with no commands when it ends', async () => {
    receiver = await startSkywalking();
    const encoded = skywalkingProto('SegmentObject', segment());
    expect(await stream('TraceSegmentReportService/collect', encoded, encoded, encoded)).toEqual(OK);
    expect(receiver.metrics.snapshot()).toEqual({
      'received traces': 6,
      'sent traces': 6,
      'transport_items traces grpc accepted': 6,
    });
  });

  it('maps ids, parents, kinds, peers, components, layers and errors', async () => {
    receiver = await startSkywalking();
    await unary(
      'TraceSegmentReportService/collectInSync',
      skywalkingProto('SegmentCollection', { segments: [segment()] }),
    );
    const [entry, exit] = spans();
    expect(entry).toMatchObject({
      traceId: 'de5980b8fde34a371be41bcd5e2fd4dd',
      spanId: sw8SpanId(SEGMENT, 0),
      parentSpanId: sw8SpanId(PARENT, 2),
      name: '/books',
      kind: 2,
      startTimeUnixNano: BigInt(MS) * 1_000_000n,
      status: { code: 1, message: 'SUCCESS' },
      attributes: {
        url: 'http://shop/books',
        'http.url': 'http://shop/books',
        'url.full': 'http://shop/books',
        'http.request.method': 'GET',
        'http.response.status_code': 200,
        'sw8.segment_id': SEGMENT,
        'sw8.span_id': 0,
        'sw8.layer': 'Http',
        'sw8.component_id': 1,
      },
      links: [
        {
          traceId: sw8TraceId(TRACE),
          spanId: sw8SpanId(PARENT, 2),
          attributes: {
            'parent.service': 'front',
            'parent.service.instance': 'front-1',
            'parent.endpoint': '/start',
            'network.AddressUsedAtPeer': 'shop:8080',
            refType: 'CrossProcess',
            'sw8.trace_id': TRACE,
            'sw8.parent_segment_id': PARENT,
            'sw8.parent_span_id': 2,
          },
        },
      ],
      resource: {
        attributes: { 'service.name': 'shop', 'service.instance.id': 'shop-1', 'sw8.trace_id': TRACE },
      },
    });
    expect(exit).toMatchObject({
      parentSpanId: entry?.spanId,
      kind: 3,
      status: { code: 2, message: 'ERROR' },
      attributes: {
        'db.type': 'sql',
        'db.system': 'sql',
        'db.system.name': 'mysql',
        'server.address': 'db.local',
        'server.port': 3306,
        'sw8.layer': 'Database',
      },
    });
    expect(exit?.events.map(({ name }) => name)).toEqual(['exception', 'logs']);
    expect(exit?.events[0]?.attributes).toMatchObject({
      'exception.type': 'SQLException',
      'exception.message': 'gone',
    });
  });

  it('makes producers and consumers of messaging, and no parent of several references', async () => {
    receiver = await startSkywalking();
    const message = { spanLayer: 4, refs: [REFERENCE, { ...REFERENCE, parentSpanId: 5 }] };
    const local = { ...EXIT, spanId: 2, spanType: 2, isError: false, logs: [], tags: [] };
    const all = [{ ...ENTRY, ...message }, { ...EXIT, spanLayer: 4 }, local];
    await stream(
      'TraceSegmentReportService/collect',
      skywalkingProto('SegmentObject', segment({ spans: all })),
    );
    expect(spans().map(({ kind }) => kind)).toEqual([5, 4, 1]);
    expect(spans()[0]).toMatchObject({ parentSpanId: '', links: [{}, {}] });
  });

  it('goes on after a message that is no segment and one that is refused, and counts both', async () => {
    receiver = await startSkywalking();
    let calls = 0;
    receiver.sink.answer = async () => {
      if (calls++ === 0) throw new RetryableError('full');
    };
    const good = skywalkingProto('SegmentObject', segment());
    const broken = Buffer.from('ffffff', 'hex');
    expect(await stream('TraceSegmentReportService/collect', good, broken, good)).toEqual(OK);
    expect(receiver.metrics.snapshot()).toMatchObject({
      'received traces': 5,
      'sent traces': 2,
      'dropped traces refused': 2,
      'dropped traces malformed': 1,
    });
  });

  it('tells a unary caller what the pipeline said, in a code that leaves the connection alone', async () => {
    receiver = await startSkywalking();
    const message = skywalkingProto('SegmentCollection', { segments: [segment()] });
    receiver.sink.answer = async () => {
      throw new RetryableError('full', { grpcStatus: grpc.status.UNAVAILABLE });
    };
    expect((await unary('TraceSegmentReportService/collectInSync', message)).code).toBe(grpc.status.ABORTED);
    receiver.sink.answer = async () => {
      throw new PermanentError('no');
    };
    expect((await unary('TraceSegmentReportService/collectInSync', message)).code).toBe(
      grpc.status.INVALID_ARGUMENT,
    );
  });

  it.each([
    'ManagementService/keepAlive',
    'ManagementService/reportInstanceProperties',
    'ConfigurationDiscoveryService/fetchConfigurations',
    'ProfileTask/getProfileTaskCommands',
    'ProfileTask/reportTaskFinish',
  ])('answers %s with no commands', async (name) => {
    receiver = await startSkywalking();
    expect(await unary(name, new Uint8Array(0))).toEqual(OK);
    expect(await call(`/${name}`, [new Uint8Array(0)], false)).toEqual(OK);
  });

  it('answers streams of events and profiles, and knows no others', async () => {
    receiver = await startSkywalking();
    expect(await stream('EventService/collect', Buffer.from([1]))).toEqual(OK);
    expect(await stream('ProfileTask/collectSnapshot')).toEqual(OK);
    expect((await unary('Nothing/at', new Uint8Array(0))).code).toBe(grpc.status.UNIMPLEMENTED);
  });

  it('makes metrics of what JVMs report', async () => {
    receiver = await startSkywalking();
    const collection = {
      service: 'shop',
      serviceInstance: 'shop-1',
      metrics: [
        {
          time: MS,
          cpu: { usagePercent: 50 },
          memory: [{ isHeap: true, init: 1, max: 4, used: 2, committed: 3 }],
          memoryPool: [{ type: 1, init: 5, max: 8, used: 6, committed: 7 }],
          gc: [{ phrase: 0, count: 3, time: 12 }],
          thread: { liveCount: 9, daemonCount: 4, runnableCount: 2 },
        },
      ],
    };
    expect(
      await unary('JVMMetricReportService/collect', skywalkingProto('JVMMetricCollection', collection)),
    ).toEqual(OK);
    const [group] = decodeMetrics(receiver.sink.batches[0]!.bytes).resourceMetrics;
    const metrics = new Map(group?.scopeMetrics[0]?.metrics.map((metric) => [metric.name, metric]));
    expect(group?.scopeMetrics[0]?.scope.name).toBe('runtime_metrics');
    expect(metrics.get('sw.jvm.gc.count')?.sum).toMatchObject({
      aggregationTemporality: 1,
      dataPoints: [{ asInt: 3n, attributes: { 'jvm.gc.name': 'young' } }],
    });
    expect(metrics.get('jvm.memory.used')?.gauge?.dataPoints).toMatchObject([
      { asInt: 6n, attributes: { 'jvm.memory.pool.name': 'newgen', 'jvm.memory.type': 'heap' } },
    ]);
    expect(metrics.get('jvm.cpu.recent_utilization')?.gauge?.dataPoints).toMatchObject([{ asDouble: 0.5 }]);
    expect(metrics.get('jvm.thread.count')?.gauge?.dataPoints).toHaveLength(7);
    expect(receiver.sink.batches[0]?.itemCount).toBe(1 + 1 + 4 * 2 + 7 + 1);
  });

  it('makes metrics of what the CLR reports', async () => {
    receiver = await startSkywalking();
    const collection = { service: 's', metrics: [{ time: MS, gc: { gen0: 1, gen1: 2, gen2: 3, heap: 99 } }] };
    await unary('CLRMetricReportService/collect', skywalkingProto('CLRMetricCollection', collection));
    expect(receiver.sink.batches[0]).toMatchObject({ signal: 'metrics', itemCount: 4 });
  });

  it('puts the meters of a report together: the first says whose they are', async () => {
    receiver = await startSkywalking();
    const first = {
      service: 'shop',
      serviceInstance: 'i',
      timestamp: MS,
      singleValue: { name: 'one', value: 1.5, labels: [{ name: 'l', value: 'v' }] },
    };
    const second = {
      histogram: {
        name: 'two',
        values: [
          { bucket: 0, isNegativeInfinity: true, count: 1 },
          { bucket: 10, count: 2 },
          { bucket: 20, count: 3 },
        ],
      },
    };
    await stream(
      'MeterReportService/collect',
      skywalkingProto('MeterData', first),
      skywalkingProto('MeterData', second),
    );
    expect(receiver.sink.batches).toHaveLength(1);
    const [group, ...others] = decodeMetrics(receiver.sink.batches[0]!.bytes).resourceMetrics;
    expect(others).toEqual([]);
    expect(group?.resource.attributes).toEqual({ 'service.name': 'shop', 'service.instance.id': 'i' });
    expect(group?.scopeMetrics[0]?.metrics).toMatchObject([
      { name: 'one', gauge: { dataPoints: [{ asDouble: 1.5, attributes: { l: 'v' } }] } },
      {
        name: 'two',
        histogram: { dataPoints: [{ count: 6n, bucketCounts: [1n, 2n, 3n], explicitBounds: [10, 20] }] },
      },
    ]);
  });

  it('puts logs into their trace', async () => {
    receiver = await startSkywalking();
    const first = {
      timestamp: MS,
      service: 'shop',
      serviceInstance: 'i',
      endpoint: '/books',
      body: { text: { text: 'broken' } },
      traceContext: { traceId: TRACE, traceSegmentId: SEGMENT, spanId: 123 },
      tags: { data: [{ key: 'level', value: 'ERROR' }] },
    };
    const second = { timestamp: MS, body: { text: { text: 'plain' } } };
    await stream(
      'LogReportService/collect',
      skywalkingProto('LogData', first),
      skywalkingProto('LogData', second),
    );
    const [one, two] = receiver.sink.batches.map(({ bytes }) => decodeLogs(bytes).resourceLogs[0]);
    expect(one?.scopeLogs[0]?.logRecords[0]).toMatchObject({
      body: 'broken',
      severityNumber: 17,
      severityText: 'ERROR',
      traceId: 'de5980b8fde34a371be41bcd5e2fd4dd',
      spanId: 'e9c455a82542306a',
      attributes: { endpoint: '/books', 'sw8.trace_id': TRACE },
    });
    expect(two?.resource.attributes).toEqual({ 'service.name': 'shop', 'service.instance.id': 'i' });
    expect(two?.scopeLogs[0]?.logRecords[0]).toMatchObject({ body: 'plain', traceId: '' });
  });

  it('takes segments as JSON, one or several, with names or numbers of enums', async () => {
    receiver = await startSkywalking();
    const post = async (path: string, body: string) => {
      const response = await fetch(`http://127.0.0.1:${receiver.ports.http}${path}`, {
        method: 'POST',
        body,
      });
      return response.status;
    };
    const named = segment({ spans: [{ ...ENTRY, spanType: 'Entry', spanLayer: 'Http' }] });
    expect(await post('/v3/segments', JSON.stringify([named, segment()]))).toBe(200);
    expect(await post('/v3/segment', JSON.stringify(segment()))).toBe(200);
    expect(spans().map(({ kind }) => kind)).toEqual([2, 2, 3, 2, 3]);
    expect(await post('/v3/segments', '[{"spans":[{"spanType":"No"}]}]')).toBe(400);
    expect(await post('/v3/segments', 'garbage')).toBe(400);
    expect(await post('/v3/nothing', '')).toBe(404);
    expect(await post('/v3/management/keepAlive', '{}')).toBe(200);
    expect(receiver.metrics.snapshot()).toMatchObject({ 'sent traces': 5, 'dropped traces malformed': 2 });
  });

  it('refuses a message beyond the limit', async () => {
    receiver = await startSkywalking({}, { grpc: { max_recv_msg_size_mib: 1 } });
    const large = skywalkingProto('SegmentObject', segment({ service: 'x'.repeat(2 * 1024 * 1024) }));
    expect((await stream('TraceSegmentReportService/collect', large)).code).toBe(
      grpc.status.RESOURCE_EXHAUSTED,
    );
    expect(receiver.metrics.snapshot()).toMatchObject({ 'dropped traces too_large': 1 });
  });
});
