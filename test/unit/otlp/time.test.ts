import { describe, expect, test } from 'vitest';
import {
  addNs,
  compareTime,
  timeDifferenceNs,
  timeFromBigInt,
  timeFromHrTime,
  timeFromMs,
  timeToBigInt,
  timeToIso,
  timeToMs,
  timeToNumber,
} from '../../../src/otlp/time.js';
import { randomTime } from './support/models.js';
import { Random } from './support/random.js';

const NOW = 1_767_225_600_123_456_789n;

describe('Time64', () => {
  test('holds every 64-bit value exactly', () => {
    const random = new Random(1);
    for (let round = 0; round < 500; round++) {
      const time = randomTime(random);
      const ns = timeToBigInt(time);
      expect(timeFromBigInt(ns)).toEqual(time);
      expect(timeToNumber(time)).toBe(Number(ns));
      expect(timeToMs(time)).toBeCloseTo(Number(ns / 1000n) / 1000, 2);
      const step = random.int(-(2 ** 45), 2 ** 45);
      const later = ns + BigInt(step);
      if (later >= 0n && later < 2n ** 64n) {
        const moved = addNs(time, step);
        expect(timeToBigInt(moved)).toBe(later);
        expect(timeDifferenceNs(moved, time)).toBe(step);
        expect(Math.sign(compareTime(moved, time))).toBe(Math.sign(step));
      }
    }
  });

  test('differences are exact where numbers of nanoseconds since the epoch are not', () => {
    const time = timeFromBigInt(NOW);
    expect(timeDifferenceNs(timeFromBigInt(NOW + 1n), time)).toBe(1);
    expect(timeDifferenceNs(time, timeFromBigInt(NOW + 1n))).toBe(-1);
    expect(Number(NOW + 1n) - Number(NOW)).not.toBe(1);
  });

  test('is made of milliseconds, seconds and nanoseconds', () => {
    expect(timeToBigInt(timeFromMs(1_767_225_600_123, 456_789))).toBe(NOW);
    expect(timeToBigInt(timeFromHrTime([1_767_225_600, 123_456_789]))).toBe(NOW);
    expect(timeToBigInt(timeFromMs(0.5))).toBe(500_000n);
    expect(timeFromMs(-1)).toEqual({ hi: 0, lo: 0 });
    for (const ms of [0, 1, 4294, 4295, 1_767_225_600_000, 8_640_000_000_000]) {
      expect(timeToBigInt(timeFromMs(ms))).toBe(BigInt(ms) * 1_000_000n);
      expect(timeToMs(timeFromMs(ms))).toBe(ms);
    }
  });

  test('prints as RFC 3339 with nanoseconds', () => {
    expect(timeToIso(timeFromBigInt(NOW))).toBe('2026-01-01T00:00:00.123456789Z');
    expect(timeToIso({ hi: 0, lo: 0 })).toBe('1970-01-01T00:00:00.000000000Z');
    expect(timeToIso({ hi: 0xffff_ffff, lo: 0xffff_ffff })).toBe('2554-07-21T23:34:33.709551615Z');
  });
});
