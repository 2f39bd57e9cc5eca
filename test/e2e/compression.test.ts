/** What Kindling's exporters compress, a real Collector can read. */
import { afterEach, describe, expect, it } from 'vitest';
import { otlpGrpcExporter } from '../../src/exporters/otlp_grpc/factory.js';
import { otlpHttpExporter } from '../../src/exporters/otlp_http/factory.js';
import { compressionProblem } from '../../src/pipeline/otlp-export/compress.js';
import {
  collectorMissing,
  freePorts,
  type RunningCollector,
  startCollector,
} from '../helpers/otlp/collector.js';
import { batchOf, SYNCHRONOUS, startExporter } from '../helpers/otlp/exporter-harness.js';
import { tracesRequest } from '../helpers/otlp/payload.js';

const missing = collectorMissing();
if (missing !== undefined) {
  if (process.env.KINDLING_REQUIRE_E2E === '1') throw new Error(missing);
  console.warn(`e2e: compression is not tested with a real Collector: ${missing}`);
}

const has = (name: string): boolean => compressionProblem(name) === undefined;
const HTTP = ['gzip', 'zlib', 'deflate', 'snappy', 'x-snappy-framed', 'lz4', 'zstd'].filter(has);
const GRPC = ['gzip', 'snappy', 'zstd'].filter(has);

let collector: RunningCollector | undefined;
afterEach(async () => collector?.stop());

describe.skipIf(missing !== undefined)('a Collector', () => {
  it('reads every compression', async () => {
    const [grpc = 0, http = 0] = await freePorts(2);
    collector = await startCollector(
      [
        'receivers:',
        `  otlp: {protocols: {grpc: {endpoint: "127.0.0.1:${grpc}"}, http: {endpoint: "127.0.0.1:${http}", compression_algorithms: ["", gzip, zstd, zlib, snappy, deflate, lz4, x-snappy-framed]}}}`,
        'exporters: {debug: {}}',
        'service:',
        '  telemetry: {metrics: {level: none}}',
        '  pipelines: {traces: {receivers: [otlp], exporters: [debug]}}',
      ].join('\n'),
    );
    const batch = batchOf('traces', tracesRequest(2000));
    for (const [factory, port, names] of [
      [otlpHttpExporter, http, HTTP],
      [otlpGrpcExporter, grpc, GRPC],
    ] as const) {
      for (const compression of names) {
        const config = { endpoint: `http://127.0.0.1:${port}`, compression, ...SYNCHRONOUS };
        const { exporter, stop } = await startExporter(factory, config);
        await expect(exporter.consume(batch), `${factory.type} ${compression}`).resolves.toBeUndefined();
        await stop();
      }
    }
  });
});
