/** Vectors in test/fixtures/compressed.json were made by the programs `lz4` 1.9 and `zstd` 1.5. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { decompressLz4, Lz4Error } from '../../../src/transport/lz4.js';
import { decompressZstd, ZstdError } from '../../../src/transport/zstd-fallback.js';
import { seededRandom } from '../../helpers/random.js';

const vectors = JSON.parse(
  readFileSync(new URL('../../fixtures/compressed.json', import.meta.url), 'utf8'),
) as Record<'lz4' | 'lz4Dependent' | 'zstd' | 'zstdMax' | 'sha256', string> & { length: number };

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const bytesOf = (name: 'lz4' | 'lz4Dependent' | 'zstd' | 'zstdMax'): Buffer =>
  Buffer.from(vectors[name], 'base64');

describe.each([
  ['lz4', decompressLz4, Lz4Error],
  ['lz4Dependent', decompressLz4, Lz4Error],
  ['zstd', decompressZstd, ZstdError],
  ['zstdMax', decompressZstd, ZstdError],
] as const)('%s', (name, decompress, error) => {
  const whole = bytesOf(name);

  it('gives what was compressed and leaves the input alone', () => {
    const before = sha256(whole);
    expect(sha256(decompress(whole, vectors.length))).toBe(vectors.sha256);
    expect(sha256(whole)).toBe(before);
  });

  it('takes frames behind each other and skips skippable ones', () => {
    const skippable = Buffer.from([0x51, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);
    const two = Buffer.concat([skippable, whole, whole]);
    expect(decompress(two, 2 * vectors.length)).toHaveLength(2 * vectors.length);
  });

  it('stops at the limit', () => {
    for (const limit of [0, 1, 1000, vectors.length - 1]) {
      let thrown: unknown;
      try {
        decompress(whole, limit);
      } catch (problem) {
        thrown = problem;
      }
      expect(thrown).toBeInstanceOf(error);
      expect((thrown as Lz4Error | ZstdError).tooLarge).toBe(true);
    }
  });

  it('refuses every beginning of it', () => {
    for (let length = 1; length < whole.length; length += 7) {
      expect(() => decompress(whole.subarray(0, length), 1 << 20), `${length} bytes`).toThrow(error);
    }
  });

  it('answers any bytes with output within the limit or an error of its own', () => {
    const random = seededRandom(7);
    for (let round = 0; round < 300; round++) {
      const bytes = Buffer.from(whole);
      for (let change = 0; change < 3; change++) {
        bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
      }
      try {
        expect(decompress(bytes, 20_000).length).toBeLessThanOrEqual(20_000);
      } catch (problem) {
        expect(problem).toBeInstanceOf(error);
      }
    }
  });
});

it('zstd refuses a frame that asks for more memory than a body may have', () => {
  // Window of 2 GiB, one empty raw block.
  const frame = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xa8, 0x01, 0x00, 0x00]);
  expect(() => decompressZstd(frame, 1 << 20)).toThrow('decompressed body too large');
  const after = Buffer.concat([bytesOf('zstd'), frame]);
  expect(() => decompressZstd(after, 1 << 20)).toThrow('decompressed body too large');
});
