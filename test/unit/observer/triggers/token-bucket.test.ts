import { describe, expect, it } from 'vitest';
import { TokenBucket } from '../../../../src/observer/triggers/token-bucket.js';

const S = 1e9;

/** How many of `asked` pass at one moment. */
function passed(bucket: TokenBucket, now: number, asked = 1000): number {
  let count = 0;
  for (let i = 0; i < asked; i++) if (bucket.take(now)) count++;
  return count;
}

describe('TokenBucket', () => {
  it('lets a burst through, then its rate', () => {
    const bucket = new TokenBucket(10);
    expect(passed(bucket, 5 * S)).toBe(10);
    expect(passed(bucket, 5.05 * S)).toBe(0);
    expect(passed(bucket, 5.1 * S)).toBe(1);
    expect(passed(bucket, 5.6 * S)).toBe(5);
  });

  it('saves no more than a burst', () => {
    const bucket = new TokenBucket(10, 3);
    expect(passed(bucket, 0)).toBe(3);
    expect(passed(bucket, 3600 * S)).toBe(3);
  });

  it('begins with what it is given, and counts time from the first question', () => {
    const bucket = new TokenBucket(1 / 60, 1, 0);
    expect(bucket.take(1e6 * S)).toBe(false);
    expect(bucket.take((1e6 + 59) * S)).toBe(false);
    expect(bucket.take((1e6 + 61) * S)).toBe(true);
    expect(bucket.take((1e6 + 61) * S)).toBe(false);
  });

  it('gains nothing from a clock that goes back and forth', () => {
    const bucket = new TokenBucket(1, 1);
    expect(bucket.take(10 * S)).toBe(true);
    expect(bucket.take(2 * S)).toBe(false);
    expect(bucket.take(10 * S)).toBe(false);
    expect(bucket.take(11 * S)).toBe(true);
  });

  it('never lets more through than rate times time and one burst, whatever the times', () => {
    const bucket = new TokenBucket(7, 4);
    let now = 0;
    let count = 0;
    for (let i = 1; i < 20_000; i++) {
      now += ((i * 7919) % 97) * 1e6;
      if (bucket.take(now)) count++;
    }
    const most = 4 + (7 * now) / S;
    expect(count).toBeLessThanOrEqual(most);
    expect(count).toBeGreaterThan(0.9 * most);
  });

  it('lets nothing through at a rate of zero', () => {
    expect(passed(new TokenBucket(0, 1, 0), 1e15)).toBe(0);
  });
});
