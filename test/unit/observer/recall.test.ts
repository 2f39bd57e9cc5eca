import { describe, expect, it } from 'vitest';
import { recall } from '../../../src/observer/recall.js';
import { MAX_RECALL_SAMPLES } from '../../../src/observer/recall-types.js';
import { Timeline } from '../../../src/observer/timeline.js';
import { timeToBigInt } from '../../../src/otlp/time.js';
import { CLOCK, unixTime } from './join-helpers.js';

const symbolizer = {
  user: (tgid: number, addresses: readonly bigint[]) => addresses.map((address) => `u${tgid}:${address}`),
  kernel: (addresses: readonly bigint[]) => addresses.map((address) => `k${address}`),
};
const at = (mono: number): string => String(timeToBigInt(unixTime(mono)));

function timelineWith(times: readonly number[], tgid = 10, tid = 12): Timeline {
  const timeline = new Timeline({ budgetBytes: 32 << 20 });
  for (const time of times) {
    timeline.sample({ tgid, tid, time, comm: '', kernelStack: [9n], userStack: [2n, 1n] });
  }
  return timeline;
}

describe('recall', () => {
  it('gives the samples of a thread in a range, outermost frame first', () => {
    const context = { timeline: timelineWith([1000, 2000, 3000]), clock: CLOCK, symbolizer };
    const answer = recall(context, {
      ranges: [
        { tid: 12, from: at(1500), durationNs: 1600 },
        { tid: 13, from: at(0), durationNs: 9999 },
      ],
    });
    const stack = ['u10:1', 'u10:2', 'k9'];
    expect(answer).toEqual({
      samples: [
        [
          { offsetNs: 500, stack },
          { offsetNs: 1500, stack },
        ],
        [],
      ],
      omitted: 0,
    });
  });

  it('means the thread that had the id last', () => {
    const timeline = timelineWith([1000], 10, 12);
    timeline.sample({
      tgid: 20,
      tid: 12,
      time: 5000,
      kernelStack: [],
      userStack: [1n],
    } as unknown as Parameters<Timeline['sample']>[0]);
    const { samples } = recall(
      { timeline, clock: CLOCK, symbolizer },
      { ranges: [{ tid: 12, from: at(0), durationNs: 9e9 }] },
    );
    expect(samples[0]?.map(({ stack }) => stack)).toEqual([['u20:1']]);
  });

  it('counts what is too much for one answer', () => {
    const times = Array.from({ length: 100 }, (_, index) => 1000 + index);
    const context = { timeline: timelineWith(times), clock: CLOCK, symbolizer };
    const ranges = Array.from({ length: MAX_RECALL_SAMPLES / 100 + 1 }, () => ({
      tid: 12,
      from: at(0),
      durationNs: 9999,
    }));
    const { samples, omitted } = recall(context, { ranges });
    expect(samples.flat()).toHaveLength(MAX_RECALL_SAMPLES);
    expect(omitted).toBe(100);
  });
});
