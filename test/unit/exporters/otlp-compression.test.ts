/** What exporters make of `compression`, seen at the receiver. */
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { otlpGrpcExporter } from '../../../src/exporters/otlp_grpc/factory.js';
import { otlpHttpExporter } from '../../../src/exporters/otlp_http/factory.js';
import { compressionProblem } from '../../../src/pipeline/otlp-export/compress.js';
import { batchOf, SYNCHRONOUS, startExporter } from '../../helpers/otlp/exporter-harness.js';
import { tracesRequest } from '../../helpers/otlp/payload.js';
import { type RunningReceiver, startReceiver } from '../../helpers/otlp/receiver-harness.js';

const BATCH = batchOf('traces', tracesRequest(500));
const pem = (name: string): string => fileURLToPath(new URL(`../../fixtures/tls/${name}`, import.meta.url));
const hasZstd = compressionProblem('zstd') === undefined;

let receiver: RunningReceiver | undefined;
const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
  await receiver?.stop();
  receiver = undefined;
});

async function sentOver(
  factory: typeof otlpGrpcExporter,
  config: Record<string, unknown>,
): Promise<Readonly<Record<string, readonly string[]>>> {
  const running = await startExporter(factory, { ...SYNCHRONOUS, ...config });
  stops.push(running.stop);
  await running.exporter.consume(BATCH);
  const batch = receiver!.sink.batches.at(-1)!;
  expect(Buffer.compare(batch.bytes, BATCH.bytes)).toBe(0);
  return batch.origin.metadata ?? {};
}

describe('otlp_http', () => {
  const names = ['gzip', 'zlib', 'deflate', 'snappy', 'x-snappy-framed', 'lz4', ...(hasZstd ? ['zstd'] : [])];

  it.each(names)('compresses with %s', async (compression) => {
    receiver = await startReceiver({ http: { include_metadata: true } });
    const endpoint = `http://127.0.0.1:${receiver.httpPort}`;
    const headers = await sentOver(otlpHttpExporter, { endpoint, compression });
    expect(headers['content-encoding']).toEqual([compression]);
    expect(Number(headers['content-length']?.[0])).toBeLessThan(BATCH.bytes.length / 2);
  });

  it.each(['none', ''])('leaves bodies as they are with "%s"', async (compression) => {
    receiver = await startReceiver({ http: { include_metadata: true } });
    const endpoint = `http://127.0.0.1:${receiver.httpPort}`;
    const headers = await sentOver(otlpHttpExporter, { endpoint, compression });
    expect([headers['content-encoding'], headers['content-length']]).toEqual([
      undefined,
      [String(BATCH.bytes.length)],
    ]);
  });

  it('compresses as hard as compression_params say', async () => {
    receiver = await startReceiver({ http: { include_metadata: true } });
    const endpoint = `http://127.0.0.1:${receiver.httpPort}`;
    const sizes: number[] = [];
    for (const level of [1, 9]) {
      const config = { endpoint, compression: 'gzip', compression_params: { level } };
      const headers = await sentOver(otlpHttpExporter, config);
      sizes.push(Number(headers['content-length']?.[0]));
    }
    expect(sizes[1]).toBeLessThan(sizes[0]!);
  });
});

describe('otlp_grpc', () => {
  const names = ['gzip', 'snappy', ...(hasZstd ? ['zstd'] : [])];

  it.each(names)('compresses with %s, over plain text and TLS', async (compression) => {
    receiver = await startReceiver({ grpc: { include_metadata: true } });
    const plain = { endpoint: `127.0.0.1:${receiver.grpcPort}`, tls: { insecure: true } };
    expect((await sentOver(otlpGrpcExporter, { ...plain, compression }))['grpc-encoding']).toEqual([
      compression,
    ]);
    await receiver.stop();

    const tls = { cert_file: pem('server.pem'), key_file: pem('server.key') };
    receiver = await startReceiver({ grpc: { include_metadata: true, tls } });
    const secure = {
      endpoint: `https://127.0.0.1:${receiver.grpcPort}`,
      tls: { ca_file: pem('ca.pem'), server_name_override: 'collector.test' },
    };
    expect((await sentOver(otlpGrpcExporter, { ...secure, compression }))['grpc-encoding']).toEqual([
      compression,
    ]);
  });

  it('refuses what gRPC servers do not know', async () => {
    const starting = startExporter(otlpGrpcExporter, { endpoint: '127.0.0.1:1', compression: 'lz4' });
    await expect(starting).rejects.toThrow('unsupported compression type "lz4"');
  });

  it('refuses snappy where it has no connection of its own', async () => {
    const starting = startExporter(otlpGrpcExporter, { endpoint: 'unix:///tmp/x', compression: 'snappy' });
    await expect(starting).rejects.toThrow(/compression type "snappy" needs a direct connection/);
  });
});

it.skipIf(hasZstd)('refuses zstd on a Node.js without it', () => {
  const parsed = otlpHttpExporter.config().safeParse({ endpoint: 'http://x', compression: 'zstd' });
  expect(parsed.error?.issues.map(({ message }) => message)).toEqual([
    'compression type "zstd" needs Node.js 22.15 or later',
  ]);
});
