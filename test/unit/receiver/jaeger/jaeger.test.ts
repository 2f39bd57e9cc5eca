import * as grpc from '@grpc/grpc-js';
import { afterEach, describe, expect, it } from 'vitest';
import { RetryableError } from '../../../../src/component/errors.js';
import { decodeSpans } from '../../../../src/otlp/decode.js';
import { jaegerReceiver } from '../../../../src/receiver/jaeger/factory.js';
import { until } from '../../../helpers/pipeline.js';
import { ask } from '../../../helpers/receivers/ask.js';
import type { ReceiverAnswer, ReceiverCase } from '../../../helpers/receivers/case.js';
import { jaegerProto } from '../../../helpers/receivers/jaeger-proto.js';
import { type RunningApmReceiver, startJaeger } from '../../../helpers/receivers/kindling.js';
import { compactMessage, type ThriftStruct } from '../../../helpers/thrift-writer.js';

const zero = { i64: 0n };
const span = (id: bigint): ThriftStruct => ({
  1: { i64: 1n },
  2: zero,
  3: { i64: id },
  4: zero,
  5: { text: 'op' },
  7: { i32: 1 },
  8: { i64: 1_700_000_000_000_000n },
  9: { i64: 10n },
});
const datagram = (...ids: readonly bigint[]): Buffer =>
  compactMessage('emitBatch', {
    1: { struct: { 1: { struct: { 1: { text: 'shop' } } }, 2: { list: ids.map(span) } } },
  });

let receiver: RunningApmReceiver;
afterEach(() => receiver.stop());

const send = (one: ReceiverCase['ask']): Promise<ReceiverAnswer> =>
  ask({ id: '', receiver: 'jaeger', ask: one }, receiver.ports);
const sendCompact = (body: Uint8Array) => send({ kind: 'udp', port: 'compact', body });
const turns = (condition: () => boolean) => until(condition, 200_000);

describe('the jaeger receiver', () => {
  it('takes datagrams, and counts them with the name of the transport', async () => {
    receiver = await startJaeger();
    await sendCompact(datagram(1n, 2n));
    await turns(() => receiver.sink.batches.length === 1);
    await turns(() => receiver.metrics.sums.has('transport_items traces udp_thrift_compact accepted'));
    expect(receiver.metrics.snapshot()).toEqual({
      'received traces': 2,
      'sent traces': 2,
      'transport_items traces udp_thrift_compact accepted': 2,
    });
    const [batch] = receiver.sink.batches;
    expect(batch?.origin.connection).toMatchObject({
      remoteAddress: '127.0.0.1',
      localPort: receiver.ports.compact,
    });
    expect(decodeSpans(batch!.bytes).map(({ spanId }) => spanId)).toEqual([
      '0000000000000001',
      '0000000000000002',
    ]);
  });

  it('ignores datagrams that are no batch, and counts them', async () => {
    receiver = await startJaeger();
    await sendCompact(Buffer.from('garbage'));
    await sendCompact(compactMessage('emitZipkinBatch', {}));
    await sendCompact(datagram(1n));
    await turns(() => receiver.sink.batches.length === 1);
    await turns(() => receiver.metrics.sums.get('sent traces') === 1);
    expect(receiver.metrics.snapshot()).toMatchObject({
      'dropped traces malformed': 2,
      'received traces': 3,
    });
  });

  it('drops datagrams beyond its queue and its limit of size, and counts them', async () => {
    receiver = await startJaeger({}, { thrift_compact: { queue_size: 2, workers: 1, max_packet_size: 200 } });
    let release = (): void => {};
    receiver.sink.answer = () =>
      new Promise((resolve) => {
        release = resolve;
      });
    for (let id = 1n; id <= 5n; id++) await sendCompact(datagram(id));
    await sendCompact(datagram(...Array.from({ length: 20 }, (_, id) => BigInt(id + 10))));
    const { sums } = receiver.metrics;
    await turns(
      () => sums.get('dropped traces queue_full') === 2 && sums.get('dropped traces too_large') === 1,
    );
    receiver.sink.answer = async () => {};
    release();
    await turns(() => sums.get('sent traces') === 3);
    expect(sums.get('received traces')).toBe(6);
  });

  it('delivers what it has taken before it stops', async () => {
    receiver = await startJaeger();
    let release = (): void => {};
    receiver.sink.answer = () =>
      new Promise((resolve) => {
        release = resolve;
      });
    await sendCompact(datagram(1n));
    await turns(() => receiver.metrics.sums.get('held traces') === 1);
    const stopped = receiver.stop();
    release();
    await stopped;
    expect(receiver.sink.itemCount).toBe(1);
  });

  it('hands the refusal of the pipeline to a gRPC client, and to HTTP in words', async () => {
    receiver = await startJaeger();
    receiver.sink.answer = async () => {
      throw new RetryableError('full', { grpcStatus: 8 });
    };
    const message = jaegerProto({ spans: [{ operationName: 'op' }], process: { serviceName: 'shop' } });
    const answer = await send({ kind: 'grpc', path: '/jaeger.api_v2.CollectorService/PostSpans', message });
    expect(answer.status).toBe(8);
    expect(receiver.metrics.snapshot()).toMatchObject({ 'dropped traces refused': 1 });
  });

  it('answers how much to sample where that is switched on', async () => {
    receiver = await startJaeger({}, { sampling: { rate: 0.25 } });
    const strategy = { strategyType: 'PROBABILISTIC', probabilisticSampling: { samplingRate: 0.25 } };
    const get = async (port: number | undefined, path: string) => {
      const response = await fetch(`http://127.0.0.1:${port}${path}`);
      return { status: response.status, body: await response.text() };
    };
    const { sampling, http } = receiver.ports;
    expect(await get(sampling, '/sampling?service=a')).toEqual({
      status: 200,
      body: JSON.stringify(strategy),
    });
    expect(await get(http, '/api/sampling?service=a')).toEqual({
      status: 200,
      body: JSON.stringify(strategy),
    });
    expect(await get(sampling, '/baggageRestrictions?service=a')).toEqual({ status: 200, body: '[]' });
    expect((await get(sampling, '/sampling')).status).toBe(400);
    const path = '/jaeger.api_v2.SamplingManager/GetSamplingStrategy';
    expect(await send({ kind: 'grpc', path, message: Buffer.alloc(0) })).toEqual({
      status: grpc.status.OK,
      // 2 { 1: 0.25 }
      body: '120909000000000000d03f',
    });
  });
});

describe('settings of the jaeger receiver', () => {
  const problems = (protocols: object, more: object = {}) =>
    (jaegerReceiver.config().safeParse({ protocols, ...more }).error?.issues ?? []).map(
      ({ message }) => message,
    );

  it('has the defaults of a Collector', async () => {
    receiver = await startJaeger();
    const config = jaegerReceiver
      .config()
      .parse({ protocols: { grpc: null, thrift_http: null, thrift_binary: null, thrift_compact: null } });
    expect(config).toMatchObject({
      protocols: {
        grpc: { endpoint: 'localhost:14250' },
        thrift_http: { endpoint: 'localhost:14268' },
        thrift_binary: {
          endpoint: 'localhost:6832',
          queue_size: 1000,
          max_packet_size: 65_000,
          workers: 10,
          socket_buffer_size: 0,
        },
        thrift_compact: { endpoint: 'localhost:6831' },
      },
    });
  });

  it('refuses with the sentences of a Collector', async () => {
    receiver = await startJaeger();
    expect(problems({})).toEqual(['must specify at least one protocol when using the Jaeger receiver']);
    expect(problems({ thrift_compact: { endpoint: 'x' } })).toEqual([
      'invalid port number for the Thrift UDP Compact endpoint: endpoint is not formatted correctly: address x: missing port in address',
    ]);
    expect(problems({ grpc: { endpoint: 'x:y' } })).toEqual([
      'invalid port number for the gRPC endpoint: endpoint port is not a number: strconv.ParseInt: parsing "y": invalid syntax',
    ]);
    expect(problems({ thrift_http: { endpoint: 'x:65536' } })).toEqual([
      'invalid port number for the Thrift HTTP endpoint: port number must be between 1 and 65535',
    ]);
    expect(problems({ grpc: null }, { remote_sampling: {} })).toEqual([
      'remote sampling config detected in the Jaeger receiver; use the `jaegerremotesampling` extension instead',
    ]);
  });
});
