/** What V8's profilers give (https://chromedevtools.github.io/devtools-protocol/v8/), as pprof profiles. */
import type { HeapProfiler, Profiler } from 'node:inspector';
import { ProfileWriter } from '../../pprof/profile-writer.js';

/** Time in which the thread did nothing is no CPU time. */
const IDLE = '(idle)';

/** Samples and CPU nanoseconds. `startMs` is since the epoch. */
export function cpuProfileToPprof(
  profile: Profiler.Profile,
  startMs: number,
  intervalUs: number,
): Uint8Array {
  const parents = new Map<number, number>();
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  for (const { id, children = [] } of profile.nodes) for (const child of children) parents.set(child, id);
  const totals = new Map<number, { count: number; us: number }>();
  for (const [index, id] of (profile.samples ?? []).entries()) {
    const total = totals.get(id) ?? { count: 0, us: 0 };
    total.count++;
    // The clock can step back a little between two samples.
    total.us += Math.max(0, profile.timeDeltas?.[index] ?? 0);
    totals.set(id, total);
  }
  const writer = new ProfileWriter();
  for (const [leaf, { count, us }] of totals) {
    const stack = [];
    for (let id: number | undefined = leaf; id !== undefined; id = parents.get(id)) {
      const frame = nodes.get(id)?.callFrame;
      if (frame !== undefined && frame.functionName !== '(root)') stack.push(frame);
    }
    if (stack.length === 0 || stack[0]?.functionName === IDLE) continue;
    writer.sample(stack, [count, us * 1000]);
  }
  return writer.finish({
    values: [
      { type: 'samples', unit: 'count' },
      { type: 'cpu', unit: 'nanoseconds' },
    ],
    period: { type: 'cpu', unit: 'nanoseconds', every: intervalUs * 1000 },
    startMs,
    durationMs: (profile.endTime - profile.startTime) / 1000,
  });
}

/** Bytes that are alive (V8's estimate from its samples), by where they were allocated since sampling began. */
export function heapProfileToPprof(
  { head }: HeapProfiler.SamplingHeapProfile,
  nowMs: number,
  intervalBytes: number,
): Uint8Array {
  const writer = new ProfileWriter();
  const visit = (node: HeapProfiler.SamplingHeapProfileNode, above: readonly Frame[]): void => {
    const stack = node.callFrame.functionName === '(root)' ? above : [node.callFrame, ...above];
    if (node.selfSize > 0 && stack.length > 0) {
      writer.sample(stack, [node.selfSize]);
    }
    for (const child of node.children) visit(child, stack);
  };
  visit(head, []);
  return writer.finish({
    values: [{ type: 'inuse_space', unit: 'bytes' }],
    period: { type: 'space', unit: 'bytes', every: intervalBytes },
    startMs: nowMs,
    durationMs: 0,
  });
}

type Frame = HeapProfiler.SamplingHeapProfileNode['callFrame'];
