/** Stacks with their nanoseconds, one a line, as flamegraph.pl and its kin read: `a;b;c 1200`. */
import { type MergedTotal, rootedFrames, type Segment } from './segments.js';

export function toCollapsed(segments: readonly Segment[], merged: readonly MergedTotal[]): string {
  const totals = new Map<string, number>();
  const add = (frames: readonly string[], ns: number): void => {
    const stack = frames.map(plain).join(';');
    totals.set(stack, (totals.get(stack) ?? 0) + ns);
  };
  for (const segment of segments) add(rootedFrames(segment), segment.to - segment.from);
  for (const total of merged) add(rootedFrames(total), total.ns);
  return [...totals].map(([stack, ns]) => `${stack} ${Math.round(ns)}\n`).join('');
}

/** Neither a separator nor the end of a line within a frame. */
const plain = (frame: string): string => frame.replaceAll(';', ':').replace(/[\r\n]+/g, ' ');
