/** speedscope's own format (src/lib/file-format-spec.ts of speedscope): one sampled profile for each thread. */
import type { TraceExplanation } from '../explain/trace-explanation.js';
import { rootedFrames, type Segment, threadsOf, threadTitle } from './segments.js';

export function toSpeedscope(trace: TraceExplanation, segments: readonly Segment[]): object {
  const frames = new Map<string, number>();
  const indexOf = (name: string): number => {
    const index = frames.get(name) ?? frames.size;
    frames.set(name, index);
    return index;
  };
  const profiles = [...threadsOf(segments).values()].map((thread) => {
    const startValue = thread[0]!.from;
    const samples: number[][] = [];
    const weights: number[] = [];
    let cursor = startValue;
    const add = (stack: number[], until: number): void => {
      if (until <= cursor) return;
      samples.push(stack);
      weights.push(until - cursor);
      cursor = until;
    };
    for (const segment of thread) {
      // Of what a thread did for others nothing is known here.
      add([], segment.from);
      add(rootedFrames(segment).map(indexOf), segment.to);
    }
    return {
      type: 'sampled',
      name: threadTitle(thread[0]!),
      unit: 'nanoseconds',
      startValue,
      endValue: cursor,
      samples,
      weights,
    };
  });
  return {
    $schema: 'https://www.speedscope.app/file-format-schema.json',
    name: `trace ${trace.traceId}`,
    exporter: 'kindling',
    activeProfileIndex: 0,
    shared: { frames: [...frames.keys()].map((name) => ({ name })) },
    profiles,
  };
}
