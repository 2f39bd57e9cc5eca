import { describe, expect, it } from 'vitest';
import { ExponentialBuckets } from '../../../src/metrics/exponential-buckets.js';

/** Bounds of every bucket that has something in it. */
function ranges(buckets: ExponentialBuckets): { above: number; upTo: number; count: number }[] {
  const base = 2 ** (2 ** -buckets.scale);
  return [...buckets.counts].flatMap((count, index) => {
    const place = buckets.offset + index;
    return count === 0 ? [] : [{ above: base ** place, upTo: base ** (place + 1), count }];
  });
}

describe('ExponentialBuckets', () => {
  it('holds one value at the finest scale', () => {
    const buckets = new ExponentialBuckets(160);
    buckets.add(1);
    buckets.add(1);
    expect(buckets).toMatchObject({ scale: 20, offset: -1 });
    expect([...buckets.counts]).toEqual([2]);
  });

  it('puts powers of two into the bucket that ends with them, at every scale', () => {
    for (const most of [2, 4, 10, 160]) {
      const buckets = new ExponentialBuckets(most);
      for (const exponent of [-20, -3, 0, 1, 2, 30]) buckets.add(2 ** exponent);
      for (const { upTo, above } of ranges(buckets)) {
        const inside = [-20, -3, 0, 1, 2, 30].filter(
          (one) => 2 ** one > above * 1.0000001 && 2 ** one <= upTo * 1.0000001,
        );
        expect(inside.length).toBeGreaterThan(0);
      }
      expect([...buckets.counts].reduce((sum, count) => sum + count, 0)).toBe(6);
      expect(buckets.counts.length).toBeLessThanOrEqual(most);
    }
  });

  it('counts every value in a bucket that holds it, whatever the order', () => {
    let seed = 42;
    const random = () => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fff_ffff;
      return seed / 0x8000_0000;
    };
    for (let round = 0; round < 50; round++) {
      const buckets = new ExponentialBuckets(2 + Math.floor(random() * 200));
      const values = Array.from({ length: 300 }, () => 10 ** (12 * random() - 9));
      for (const value of values) buckets.add(value);
      for (const { above, upTo, count } of ranges(buckets)) {
        const inside = values.filter((value) => value > above * (1 - 1e-9) && value <= upTo * (1 + 1e-9));
        expect(inside.length).toBeGreaterThanOrEqual(count);
      }
      expect([...buckets.counts].reduce((sum, count) => sum + count, 0)).toBe(300);
    }
  });

  it('takes the largest and the smallest number into two buckets', () => {
    const buckets = new ExponentialBuckets(2);
    buckets.add(Number.MAX_VALUE);
    buckets.add(Number.MIN_VALUE);
    buckets.add(1);
    expect(buckets.scale).toBe(-10);
    expect([...buckets.counts]).toEqual([2, 1]);
  });

  it('begins anew after clear', () => {
    const buckets = new ExponentialBuckets(4);
    buckets.add(1e-9);
    buckets.add(1e9);
    buckets.clear();
    buckets.add(3);
    expect(buckets.scale).toBe(20);
    expect([...buckets.counts]).toEqual([1]);
  });
});
