/** Answers questions about the recent past: CPU samples with names, which spans carry only the hottest of. */
import { timeFromBigInt } from '../otlp/time.js';
import type { MonoClock } from './join-types.js';
import {
  MAX_RECALL_SAMPLES,
  type RecallAnswer,
  type RecalledSample,
  type RecallQuestion,
} from './recall-types.js';
import type { Timeline } from './timeline.js';
import type { Symbolizer } from './types.js';

export interface RecallContext {
  readonly timeline: Timeline;
  readonly clock: MonoClock;
  readonly symbolizer: Symbolizer;
}

/** `question` has been checked: digits, finite numbers, at most `MAX_RECALL_RANGES` ranges. */
export function recall(context: RecallContext, question: RecallQuestion): RecallAnswer {
  const { timeline, clock, symbolizer } = context;
  // Many samples of a process share their stack.
  const names = new Map<string, readonly string[]>();
  let room = MAX_RECALL_SAMPLES;
  let omitted = 0;
  const samples = question.ranges.map(({ tid, from, durationNs }): RecalledSample[] => {
    const tgid = timeline.processOf(tid);
    if (tgid === undefined) return [];
    const { hi, lo } = timeFromBigInt(BigInt(from));
    const start = clock.toMono(hi, lo);
    const found = timeline.samples(tgid, tid, start, start + durationNs);
    omitted += Math.max(0, found.length - room);
    const taken = found.slice(0, room);
    room -= taken.length;
    return taken.map(({ time, userStack, kernelStack }) => {
      const key = `${tgid} ${userStack.join()} ${kernelStack.join()}`;
      let stack = names.get(key);
      if (stack === undefined) {
        stack = [...symbolizer.kernel(kernelStack), ...symbolizer.user(tgid, userStack)].reverse();
        names.set(key, stack);
      }
      return { offsetNs: Math.round(time - start), stack };
    });
  });
  return { samples, omitted };
}
