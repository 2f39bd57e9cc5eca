import { describe, expect, it } from 'vitest';
import { ENTRY_FLAG_ERROR, readSegmentIndex, SegmentIndexBuilder } from '../../../src/store/segment-index.js';

const TRACE_A = '0af7651916cd43dd8448eb211c80319c';
const TRACE_B = '0af7651916cd43de8448eb211c80319c';
const entry = (traceId: string, service: string) => ({
  traceId,
  spanId: '00f067aa0ba902b7',
  endMs: 1_700_000_000_123.5,
  durationNs: 121_400_000,
  service,
  flags: ENTRY_FLAG_ERROR,
});

const build = (): SegmentIndexBuilder => {
  const index = new SegmentIndexBuilder();
  index.startRecord(16, 516, 1000);
  index.addTrace(TRACE_A);
  index.addTrace(TRACE_A);
  index.addEntry(entry(TRACE_A, 'shop'));
  index.startRecord(516, 900, 1001);
  index.addTrace(TRACE_B);
  index.addTrace(TRACE_A);
  index.addEntry(entry(TRACE_B, 'inventory \u00e9'));
  return index;
};

describe('segment index', () => {
  it('is the same after being written and read', () => {
    const built = build();
    const read = readSegmentIndex(built.encode());
    expect(read?.records).toEqual(built.records);
    expect(read?.entries).toEqual(built.entries);
    expect(read?.coveredBytes).toBe(900);
  });

  it.each([
    '0af76519',
    '0af765191',
    '0af7651916cd43d',
    '0af7651916cd43dd',
    TRACE_A,
    TRACE_B,
    'ffffffff',
  ])('finds the records of %s, built and read alike', (prefix) => {
    const built = build();
    const expected = [
      ...(TRACE_A.startsWith(prefix.slice(0, 16)) ? [0, 1] : []),
      ...(TRACE_B.startsWith(prefix.slice(0, 16)) ? [1] : []),
    ].sort();
    expect([...built.recordsOf(prefix)].sort()).toEqual(expected);
    expect([...(readSegmentIndex(built.encode())?.recordsOf(prefix) ?? [])].sort()).toEqual(expected);
  });

  it('is refused when any byte is wrong or missing', () => {
    const bytes = build().encode();
    for (let at = 0; at < bytes.length; at += 1) {
      const damaged = Buffer.from(bytes);
      damaged[at] = (damaged[at] ?? 0) ^ 0x10;
      expect(readSegmentIndex(damaged)).toBeUndefined();
      expect(readSegmentIndex(bytes.subarray(0, at))).toBeUndefined();
    }
  });
});
