/** Batches in pieces leave as one message, whether or not grpc-js compresses it. */
import { afterEach, expect, it } from 'vitest';
import { otlpGrpcExporter } from '../../../../src/exporters/otlp_grpc/factory.js';
import { MergedBatch } from '../../../../src/pipeline/merged-batch.js';
import { type RunningExporter, SYNCHRONOUS, startExporter } from '../../../helpers/otlp/exporter-harness.js';
import { tracesRequest } from '../../../helpers/otlp/payload.js';
import { type RunningReceiver, startReceiver } from '../../../helpers/otlp/receiver-harness.js';

let receiver: RunningReceiver | undefined;
let sender: RunningExporter | undefined;

afterEach(async () => {
  await sender?.stop();
  await receiver?.stop();
});

it.each(['none', 'gzip'])('arrives byte by byte with compression %s', async (compression) => {
  receiver = await startReceiver();
  sender = await startExporter(otlpGrpcExporter, {
    endpoint: `http://127.0.0.1:${receiver.grpcPort}`,
    compression,
    ...SYNCHRONOUS,
  });
  // The second piece is larger than any frame, the third is empty.
  const parts = [tracesRequest(3), tracesRequest(5, 100_000), new Uint8Array(0), tracesRequest(1)];
  const whole = Buffer.concat(parts);

  await sender.exporter.consume(new MergedBatch({ signal: 'traces', origin: { receiver: 'a' } }, parts, 9));

  expect(receiver.sink.batches).toHaveLength(1);
  expect(Buffer.compare(Buffer.from(receiver.sink.batches[0]!.bytes), whole)).toBe(0);
  expect(receiver.sink.itemCount).toBe(9);
});

it('gives its bytes in one piece to whoever asks, and keeps only those', () => {
  const parts = [tracesRequest(1), tracesRequest(2)];
  const batch = new MergedBatch({ signal: 'traces', origin: { receiver: 'a' } }, parts, 3);
  expect(batch.parts).toBe(parts);
  expect(Buffer.concat(parts).equals(batch.bytes)).toBe(true);
  expect(batch.parts).toEqual([batch.bytes]);
});
