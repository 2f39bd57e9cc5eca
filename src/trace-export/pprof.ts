/** A pprof profile: nanoseconds on a CPU and off it, with the thread, the span and the trace as labels. */
import { gzipSync } from 'node:zlib';
import type { TraceExplanation } from '../explain/trace-explanation.js';
import { ProfileWriter } from '../pprof/profile-writer.js';
import { type MergedTotal, rootedFrames, type Segment, threadTitle } from './segments.js';

interface Total {
  readonly of: Pick<Segment, 'span' | 'frames'>;
  /** Undefined where a span tells of several at once. */
  readonly thread: string | undefined;
  cpu: number;
  off: number;
}

export function toPprof(
  trace: TraceExplanation,
  segments: readonly Segment[],
  merged: readonly MergedTotal[],
): Uint8Array {
  const totals = new Map<string, Total>();
  const add = (of: Segment | MergedTotal, thread: string | undefined, ns: number): void => {
    const key = JSON.stringify([thread, of.span.spanId, ...rootedFrames(of)]);
    const total = totals.get(key) ?? { of, thread, cpu: 0, off: 0 };
    total[of.timeClass === 'cpu' ? 'cpu' : 'off'] += Math.round(ns);
    totals.set(key, total);
  };
  for (const segment of segments) add(segment, threadTitle(segment), segment.to - segment.from);
  for (const total of merged) add(total, undefined, total.ns);
  const writer = new ProfileWriter();
  for (const { of, thread, cpu, off } of totals.values()) {
    const stack = rootedFrames(of)
      .reverse()
      .map((functionName) => ({ functionName, url: '', lineNumber: -1 }));
    writer.sample(stack, [cpu, off], {
      ...(thread === undefined ? {} : { thread }),
      span_id: of.span.spanId,
      trace_id: trace.traceId,
    });
  }
  const cpu = { type: 'cpu', unit: 'nanoseconds' };
  return gzipSync(
    writer.finish({
      values: [cpu, { type: 'off_cpu', unit: 'nanoseconds' }],
      period: { ...cpu, every: 1 },
      startMs: trace.startMs,
      durationMs: trace.durationNs / 1e6,
    }),
  );
}
