import { describe, expect, it } from 'vitest';
import { formatByteSize, parseByteSize } from '../../../src/config/byte-size.js';
import { formatDuration, parseDuration } from '../../../src/config/duration.js';

describe('parseDuration', () => {
  it.each([
    ['200ms', 200],
    ['1m30s', 90_000],
    ['1.5h', 5_400_000],
    ['-3s', -3000],
    ['+2s', 2000],
    ['0', 0],
    ['.5s', 500],
    ['1us', 0.001],
    ['250ns', 0.00025],
    ['1h0m0s', 3_600_000],
  ])('reads %s', (text, ms) => {
    expect(parseDuration(text)).toBeCloseTo(ms, 9);
  });

  it.each(['', '5', '1x', 's', '1s2', '1 s', '--1s', '1m 2s', '.s'])('refuses %j', (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });

  it.each(['0s', '250ns', '1.5us', '200ms', '1.5s', '1m30s', '1h0m0s', '-2s', '25h1m0.5s'])(
    'prints %s as Go does',
    (text) => {
      expect(formatDuration(parseDuration(text)!)).toBe(text);
    },
  );
});

describe('parseByteSize', () => {
  it.each([
    ['64KiB', 65_536],
    ['10MB', 10_000_000],
    ['1.5 GiB', 1_610_612_736],
    ['123', 123],
    ['7b', 7],
  ])('reads %s', (text, bytes) => {
    expect(parseByteSize(text)).toBe(bytes);
  });

  it.each(['', 'KiB', '-1KiB', '1XB', '1e99TiB', '99999999999TiB'])('refuses %j', (text) => {
    expect(parseByteSize(text)).toBeUndefined();
  });

  it('prints what it can read back exactly', () => {
    for (const bytes of [0, 1, 1000, 1024, 1536, 65_536, 2 ** 30 * 1.5, 123_456_789]) {
      expect(parseByteSize(formatByteSize(bytes))).toBe(bytes);
    }
    expect(formatByteSize(65_536)).toBe('64KiB');
  });
});
