import { describe, expect, it } from 'vitest';
import {
  cut,
  cutStart,
  formatAgo,
  formatNs,
  formatShare,
  printable,
  wrap,
} from '../../../src/explain/format.js';

describe('format', () => {
  it.each([
    [0, '0 ns'],
    [-5, '0 ns'],
    [850, '850 ns'],
    [999.6, '1.00 us'],
    [12_340, '12.3 us'],
    [999_600, '1.00 ms'],
    [4_210_000, '4.21 ms'],
    [118_370_000, '118 ms'],
    [1_240_000_000, '1.24 s'],
    [59_990_000_000, '60.0 s'],
    [125_000_000_000, '2 min 05 s'],
    [7_500_000_000_000, '2 h 05 min'],
  ])('writes %d ns as %s', (ns, text) => expect(formatNs(ns)).toBe(text));

  it.each([
    [0, 100, '0 %'],
    [1, 100_000, '<0.1 %'],
    [42, 1000, '4.2 %'],
    [934, 1000, '93 %'],
    [9999, 10_000, '>99 %'],
    [1, 1, '100 %'],
    [1, 0, '0 %'],
  ])('writes %d of %d as %s', (part, whole, text) => expect(formatShare(part, whole)).toBe(text));

  it.each([
    [3, 'now'],
    [3000, '3 s ago'],
    [150_000, '3 min ago'],
    [3 * 3600e3, '3 h ago'],
  ])('writes %d ms as %s', (ms, text) => expect(formatAgo(ms)).toBe(text));

  it('cuts by characters, at either end', () => {
    expect(cut('abcdef', 6)).toBe('abcdef');
    expect(cut('abcdefg', 6)).toBe('abc...');
    expect(cutStart('/a/b/c/file', 8)).toBe('.../file');
    expect(cut('\u00e9\u00e9\u00e9\u00e9\u00e9', 4)).toBe('\u00e9...');
  });

  it('wraps at blanks but keeps a number and its unit together', () => {
    expect(wrap('it took 109 ms there', 12)).toEqual(['it took', '109 ms there']);
    expect(wrap('waited 109 ms', 10)).toEqual(['waited', '109 ms']);
    expect(wrap('averyverylongword x', 8)).toEqual(['avery...', 'x']);
    expect(wrap('', 8)).toEqual([]);
  });

  it('does not let telemetry control the terminal', () => {
    expect(printable('a\u001b[2Jb\nc\u009b1m\u202ed')).toBe('a?[2Jb?c?1m?d');
  });
});
