import { gunzipSync, inflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import {
  compressionProblem,
  compressorOf,
  levelProblem,
} from '../../../src/pipeline/otlp-export/compress.js';
import { HTTP_DECOMPRESSORS } from '../../../src/transport/decompress.js';
import { tracesRequest } from '../../helpers/otlp/payload.js';
import { seededRandom } from '../../helpers/random.js';

const random = seededRandom(11);
const noise = (bytes: number): Uint8Array =>
  Uint8Array.from({ length: bytes }, () => Math.floor(random() * 256));
/** Pieces of earlier bytes between noise, near and far, short and long. */
function repetitive(bytes: number): Uint8Array {
  const out = noise(bytes);
  for (let at = 100; at < bytes; ) {
    const length = 1 + Math.floor(random() * (random() < 0.1 ? 70_000 : 90));
    const from = Math.floor(random() * at);
    for (let index = 0; index < length && at < bytes; index++) out[at++] = out[from + index]!;
    at += Math.floor(random() * 20);
  }
  return out;
}

const INPUTS: readonly (readonly [string, Uint8Array])[] = [
  ...[0, 1, 3, 4, 5, 11, 12, 13, 16, 17, 60, 61, 255, 256, 257].flatMap(
    (length) =>
      [
        [`${length} zeros`, new Uint8Array(length)],
        [`${length} of noise`, noise(length)],
      ] as const,
  ),
  ['64 KiB of zeros', new Uint8Array(65_536)],
  ['64 KiB and one', new Uint8Array(65_537)],
  ['200 kB of noise', noise(200_000)],
  ['200 kB of repetitions', repetitive(200_000)],
  ['spans', tracesRequest(2000)],
];

describe.each(['gzip', 'zlib', 'deflate', 'snappy', 'x-snappy-framed', 'lz4'] as const)('%s', (name) => {
  it.each(INPUTS)('gives back %s', async (_, input) => {
    const compressed = await compressorOf(name)(input);
    const plain = await HTTP_DECOMPRESSORS[name]!(compressed, 1 << 20);
    expect(Buffer.compare(plain, input)).toBe(0);
  });

  it('makes spans smaller', async () => {
    const spans = tracesRequest(2000);
    expect((await compressorOf(name)(spans)).length).toBeLessThan(spans.length / 3);
  });
});

it('has levels', async () => {
  const spans = tracesRequest(2000);
  const sizes = await Promise.all(
    [-2, 1, 9].map(async (level) => (await compressorOf('gzip', level)(spans)).length),
  );
  expect(sizes).toEqual([...sizes].sort((a, b) => b - a));
  expect(new Set(sizes).size).toBe(3);
  expect(gunzipSync(await compressorOf('gzip', -2)(spans)).equals(spans)).toBe(true);
  expect(inflateSync(await compressorOf('zlib', 9)(spans)).equals(spans)).toBe(true);
});

it('knows which levels there are', () => {
  expect(levelProblem('gzip', 99)).toBe('unsupported parameters {Level:99} for compression type "gzip"');
  expect(levelProblem('snappy', 1)).toBe('unsupported parameters {Level:1} for compression type "snappy"');
  for (const [name, level] of [
    ['gzip', 9],
    ['zlib', -2],
    ['zstd', 22],
    ['lz4', 0],
  ] as const) {
    expect(levelProblem(name, level)).toBeUndefined();
  }
});

it('takes zstd where Node.js has it', async () => {
  if (compressionProblem('zstd') !== undefined) {
    await expect(compressorOf('zstd')(new Uint8Array(1))).rejects.toThrow('needs Node.js 22.15');
    return;
  }
  const spans = tracesRequest(2000);
  const compressed = await compressorOf('zstd')(spans);
  expect(compressed.length).toBeLessThan(spans.length / 3);
  expect(Buffer.compare(await HTTP_DECOMPRESSORS.zstd!(compressed, 1 << 20), spans)).toBe(0);
});
