import { afterEach, describe, expect, it } from 'vitest';
import { RetryableError } from '../../../../src/component/errors.js';
import { decodeSpans } from '../../../../src/otlp/decode.js';
import { ask } from '../../../helpers/receivers/ask.js';
import type { HttpAsk, ReceiverAnswer } from '../../../helpers/receivers/case.js';
import { type RunningApmReceiver, startZipkin } from '../../../helpers/receivers/kindling.js';

const SPAN = {
  traceId: '0123456789abcdef',
  id: 'fedcba9876543210',
  name: 'get',
  timestamp: 1_700_000_000_000_001,
  duration: 5,
};

let receiver: RunningApmReceiver;
afterEach(() => receiver.stop());

const post = (body: unknown, one: Partial<HttpAsk> = {}): Promise<ReceiverAnswer> =>
  ask(
    {
      id: '',
      receiver: 'zipkin',
      ask: { kind: 'http', path: '/api/v2/spans', body: JSON.stringify(body), ...one },
    },
    receiver.ports,
  );

describe('the zipkin receiver', () => {
  it('counts what it took, with the name of the encoding', async () => {
    receiver = await startZipkin();
    expect(await post([SPAN, SPAN])).toEqual({ status: 202 });
    expect(receiver.metrics.snapshot()).toEqual({
      'received traces': 2,
      'sent traces': 2,
      'transport_items traces http_v2_json accepted': 2,
    });
    const [batch] = receiver.sink.batches;
    expect(batch).toMatchObject({ signal: 'traces', itemCount: 2, origin: { receiver: 'zipkin' } });
    expect(batch?.origin.connection?.remotePort).toBeGreaterThan(0);
    expect(decodeSpans(batch!.bytes)[0]).toMatchObject({
      traceId: '00000000000000000123456789abcdef',
      startTimeUnixNano: 1_700_000_000_000_001_000n,
      endTimeUnixNano: 1_700_000_000_000_006_000n,
    });
  });

  it('counts what can not be read, and what the pipeline refused', async () => {
    receiver = await startZipkin();
    expect((await post([{ ...SPAN, id: 'q' }])).status).toBe(400);
    receiver.sink.answer = async () => {
      throw new RetryableError('full');
    };
    expect(await post([SPAN])).toMatchObject({ status: 500, body: '"Internal Server Error"' });
    expect(receiver.metrics.snapshot()).toMatchObject({
      'received traces': 2,
      'dropped traces malformed': 1,
      'dropped traces refused': 1,
      'transport_items traces http_v2_json refused': 1,
    });
  });

  it('refuses bodies beyond its limit without reading them, and counts them', async () => {
    receiver = await startZipkin({ max_request_body_size: 1000 });
    const answer = await post([{ ...SPAN, name: 'x'.repeat(5000) }]);
    expect(answer).toMatchObject({ status: 400, body: 'http: request body too large\n' });
    expect(receiver.metrics.snapshot()).toMatchObject({ 'dropped traces too_large': 1 });
    expect(await post([SPAN])).toEqual({ status: 202 });
  });

  it('refuses what does not fit into its memory, for now', async () => {
    receiver = await startZipkin({ max_in_flight_mib: 1 });
    const answer = await post([{ ...SPAN, name: 'x'.repeat(2 * 1024 * 1024) }]);
    expect(answer).toMatchObject({ status: 503, body: 'data refused due to high memory usage\n' });
    expect(await post([SPAN])).toEqual({ status: 202 });
  });

  it('answers a null among annotations, which cuts the connection of a Collector', async () => {
    receiver = await startZipkin();
    const answer = await post([{ ...SPAN, annotations: [null] }]);
    expect(answer).toMatchObject({ status: 400, body: 'valid annotation timestamp required\n' });
  });

  it('keeps attributes of the process whichever span of a service has them', async () => {
    receiver = await startZipkin();
    const localEndpoint = { serviceName: 'shop' };
    await post([
      { ...SPAN, localEndpoint },
      { ...SPAN, localEndpoint, tags: { 'k8s.pod.name': 'p', __proto__x: '1' } },
    ]);
    const [first] = decodeSpans(receiver.sink.batches[0]!.bytes);
    expect(first?.resource.attributes).toEqual({ 'service.name': 'shop', 'k8s.pod.name': 'p' });
  });

  it('keeps headers with include_metadata', async () => {
    receiver = await startZipkin({ include_metadata: true });
    await post([SPAN], { headers: { 'x-tenant': 'a', authorization: 'secret' } });
    expect(receiver.sink.batches[0]?.origin.metadata).toMatchObject({ 'x-tenant': ['a'] });
    expect(receiver.sink.batches[0]?.origin.metadata).not.toHaveProperty('authorization');
  });
});
