import { afterEach, expect, it } from 'vitest';
import { tracesRequest } from '../../../helpers/otlp/payload.js';
import { type RunningReceiver, startReceiver } from '../../../helpers/otlp/receiver-harness.js';
import { exportSpans, SDK_EXPORTERS } from '../../../helpers/otlp/sdk.js';

let receiver: RunningReceiver | undefined;
afterEach(() => receiver?.stop());

const post = (port: number) =>
  fetch(`http://127.0.0.1:${port}/v1/traces`, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-protobuf',
      'X-Tenant': 'blue',
      authorization: 'Bearer secret',
      cookie: 'a=b',
    },
    body: new Uint8Array(tracesRequest(1)),
  });

it('keeps headers with include_metadata, but no credentials', async () => {
  receiver = await startReceiver({ http: { include_metadata: true }, grpc: { include_metadata: true } });
  expect((await post(receiver.httpPort)).status).toBe(200);
  const { metadata } = receiver.sink.batches[0]!.origin;
  expect(metadata).toMatchObject({ 'x-tenant': ['blue'] });
  expect(Object.keys(metadata!)).not.toContain('authorization');
  expect(Object.keys(metadata!)).not.toContain('cookie');
  await exportSpans(SDK_EXPORTERS.gRPC!(receiver), 1);
  expect(receiver.sink.batches[1]!.origin.metadata).toMatchObject({ 'content-type': ['application/grpc'] });
});

it('keeps none without', async () => {
  receiver = await startReceiver();
  expect((await post(receiver.httpPort)).status).toBe(200);
  expect(receiver.sink.batches[0]!.origin).not.toHaveProperty('metadata');
});
