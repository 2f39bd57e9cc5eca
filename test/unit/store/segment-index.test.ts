import { describe, expect, it } from 'vitest';
import { ENTRY_FLAG_ERROR, readSegmentIndex, SegmentIndexBuilder } from '../../../src/store/segment-index.js';

const TRACE_A = '0af7651916cd43dd8448eb211c80319c';
const TRACE_B = '0af7651916cd43de8448eb211c80319c';
const SPAN = '00f067aa0ba902b7';
const bytes = Buffer.from(`ff${TRACE_A}${TRACE_B}${SPAN}`, 'hex');
const AT = { [TRACE_A]: 1, [TRACE_B]: 17 } as const;
const TIMES = { endMs: 1_700_000_000_123.5, durationNs: 121_400_000, flags: ENTRY_FLAG_ERROR };

const build = (): SegmentIndexBuilder => {
  const index = new SegmentIndexBuilder();
  const addEntry = (traceId: keyof typeof AT, service: string): void =>
    index.addEntry({
      bytes,
      traceIdOffset: AT[traceId],
      spanIdOffset: 33,
      service: index.serviceNumber(service),
      ...TIMES,
    });
  index.startRecord(16, 516, 1000);
  index.addTrace(bytes, AT[TRACE_A]);
  index.addTrace(bytes, AT[TRACE_A]);
  addEntry(TRACE_A, 'shop');
  index.startRecord(516, 900, 1001);
  index.addTrace(bytes, AT[TRACE_A]);
  index.addTrace(bytes, AT[TRACE_B]);
  index.addTrace(bytes, AT[TRACE_A]);
  addEntry(TRACE_B, 'inventory \u00e9');
  addEntry(TRACE_A, 'shop');
  return index;
};

describe('segment index', () => {
  it('gives back what was put in, before and after being written', () => {
    const built = build();
    for (const index of [built.view(), readSegmentIndex(built.encode())]) {
      expect(index?.coveredBytes).toBe(900);
      expect(index?.recordCount).toBe(2);
      expect(index?.record(0)).toEqual({ offset: 16, writtenMs: 1000 });
      expect(index?.record(1)).toEqual({ offset: 516, writtenMs: 1001 });
      expect(index?.record(2)).toBeUndefined();
      expect(index?.record(-1)).toBeUndefined();
      expect([...(index?.entries() ?? [])]).toEqual([
        { traceId: TRACE_A, spanId: SPAN, service: 'shop', record: 0, ...TIMES },
        { traceId: TRACE_B, spanId: SPAN, service: 'inventory \u00e9', record: 1, ...TIMES },
        { traceId: TRACE_A, spanId: SPAN, service: 'shop', record: 1, ...TIMES },
      ]);
    }
  });

  it('grows', () => {
    const index = new SegmentIndexBuilder();
    for (let i = 0; i < 5000; i += 1) {
      index.startRecord(i, i + 1, i);
      index.addTrace(bytes, AT[i % 2 === 0 ? TRACE_A : TRACE_B]);
    }
    const read = readSegmentIndex(index.encode());
    expect(read?.recordsOf(TRACE_A)).toEqual(Array.from({ length: 2500 }, (_, i) => 2 * i));
    expect(read?.record(4999)).toEqual({ offset: 4999, writtenMs: 4999 });
  });

  it.each(['0af76519', '0af765191', '0af7651916cd43d', '0af7651916cd43dd', TRACE_A, TRACE_B, 'ffffffff'])(
    'finds the records of %s, built and read alike',
    (prefix) => {
      const built = build();
      const expected = TRACE_A.startsWith(prefix.slice(0, 16))
        ? [0, 1]
        : TRACE_B.startsWith(prefix.slice(0, 16))
          ? [1]
          : [];
      expect(built.view().recordsOf(prefix).sort()).toEqual(expected);
      expect(readSegmentIndex(built.encode())?.recordsOf(prefix).sort()).toEqual(expected);
    },
  );

  it('is refused when any byte is wrong or missing', () => {
    const encoded = build().encode();
    for (let at = 0; at < encoded.length; at += 1) {
      const damaged = Buffer.from(encoded);
      damaged[at] = (damaged[at] ?? 0) ^ 0x10;
      expect(readSegmentIndex(damaged)).toBeUndefined();
      expect(readSegmentIndex(encoded.subarray(0, at))).toBeUndefined();
    }
  });
});
