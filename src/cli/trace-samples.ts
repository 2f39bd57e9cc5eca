/** The CPU samples of a trace's threads, as far as the running agent remembers them. */
import { askRecall } from '../control/control-client.js';
import type { TraceExplanation } from '../explain/trace-explanation.js';
import { MAX_RECALL_RANGES, type RecallRange } from '../observer/recall-types.js';
import { timeDifferenceNs, timeToBigInt } from '../otlp/time.js';
import { type PlacedSample, threadKey } from '../trace-export/segments.js';

export interface TraceSamples {
  readonly byThread: Map<string, PlacedSample[]>;
  readonly count: number;
  /** Why there may be none or not all; undefined when nothing is missing. */
  readonly problem: string | undefined;
}

/** Never rejects: a trace can be shown without samples. */
export async function fetchSamples(trace: TraceExplanation, socketPath: string): Promise<TraceSamples> {
  const byThread = new Map<string, PlacedSample[]>();
  const ranges: RecallRange[] = [];
  const keys: string[] = [];
  for (const [key, { tid, from, to }] of threadSpans(trace)) {
    ranges.push({
      tid,
      from: String(timeToBigInt(trace.first.start) + BigInt(Math.round(from))),
      durationNs: to - from,
    });
    keys.push(key);
  }
  if (ranges.length === 0) return { byThread, count: 0, problem: 'no span of this trace tells of a thread' };
  const asked = ranges.slice(0, MAX_RECALL_RANGES);
  try {
    const { samples, omitted } = await askRecall(socketPath, { ranges: asked });
    let count = 0;
    for (const [index, list] of samples.entries()) {
      const origin = Number(BigInt(asked[index]!.from) - timeToBigInt(trace.first.start));
      byThread.set(
        keys[index]!,
        list.map(({ offsetNs, stack }) => ({ at: origin + offsetNs, stack })),
      );
      count += list.length;
    }
    const left = omitted > 0 ? `${omitted} samples were too many to fetch` : undefined;
    return {
      byThread,
      count,
      problem: count === 0 ? 'the agent has no samples of that time (any more)' : left,
    };
  } catch (error) {
    return { byThread, count: 0, problem: (error as Error).message };
  }
}

/** For each thread, from its first to its last told moment. */
function threadSpans(trace: TraceExplanation): Map<string, { tid: number; from: number; to: number }> {
  const threads = new Map<string, { tid: number; from: number; to: number }>();
  for (const { span } of trace.nodes) {
    const start = timeDifferenceNs(span.start, trace.first.start);
    for (const { threadId: tid, count, timeClass, offsetNs, durationNs } of span.intervals) {
      if (tid === undefined || count > 1 || timeClass !== 'cpu') continue;
      const from = start + offsetNs;
      const key = threadKey(span.service, tid);
      const known = threads.get(key) ?? { tid, from, to: from };
      threads.set(key, { tid, from: Math.min(known.from, from), to: Math.max(known.to, from + durationNs) });
    }
  }
  return threads;
}
