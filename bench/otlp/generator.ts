/**
 * Process that makes the load: on each connection one request after the other, the next as soon as the last is
 * answered. Takes orders over IPC and answers each with its result.
 */
import { type Connection, grpcFrame, openGrpc, openHttp } from './connection.js';
import { Latencies } from './latencies.js';
import type { LoadOrder, LoadResult } from './messages.js';
import { encodeRequests } from './requests.js';

process.on('message', (order: LoadOrder) => void load(order).then((result) => process.send?.(result)));
process.on('disconnect', () => process.exit());

async function load(order: LoadOrder): Promise<LoadResult> {
  const { bodies, bytesPerSpan } = encodeRequests(order);
  const gzip = order.compression === 'gzip';
  const messages = order.protocol === 'grpc' ? bodies.map((body) => grpcFrame(body, gzip)) : bodies;
  const latencies = new Latencies();
  const result = { requests: 0, acceptedSpans: 0, failedRequests: 0, failure: '' };
  const end = performance.now() + order.milliseconds;
  const run = async (connection: Connection, first: number): Promise<void> => {
    for (let turn = first; ; turn++) {
      const start = performance.now();
      if (start >= end) break;
      result.requests++;
      const refusal = await connection
        .send(messages[turn % messages.length]!)
        .catch((error: Error) => error.message);
      if (refusal === '') {
        result.acceptedSpans += order.spansPerRequest;
        latencies.add(performance.now() - start);
      } else {
        result.failedRequests++;
        result.failure = refusal;
      }
    }
    connection.close();
  };
  const open = order.protocol === 'grpc' ? openGrpc : openHttp;
  await Promise.all(
    Array.from({ length: order.connections }, (_, index) => run(open(order.port, gzip), index)),
  );
  return {
    kind: 'loaded',
    ...result,
    p50Ms: latencies.quantile(0.5),
    p99Ms: latencies.quantile(0.99),
    bytesPerSpan,
  };
}
