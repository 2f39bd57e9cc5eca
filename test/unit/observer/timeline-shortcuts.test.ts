import { describe, expect, it } from 'vitest';
import { Timeline } from '../../../src/observer/timeline.js';
import { randomFrom, wait } from './timeline-helpers.js';

const US = 1000;

/** A thread with lost records, preemptions, a socket operation now and then, in a ring that overwrites its beginning. */
function randomTimeline(random: () => number): { timeline: Timeline; end: number } {
  const timeline = new Timeline({ budgetBytes: 1 << 15 });
  const pick = (most: number): number => Math.floor(random() * most);
  let now = 1000 * US;
  for (let index = 0; index < 300; index++) {
    const run = pick(40) * US;
    const off = now + run;
    const on = off + (1 + pick(20)) * US;
    if (random() < 0.5 && run > 0) {
      const record = { tgid: 10, tid: 11, time: now + pick(run), socketCookie: pick(3), egress: true };
      timeline.operation(record);
    }
    if (random() < 0.1) {
      timeline.sample({ time: now, tgid: 10, tid: 11, comm: 'a', kernelStack: [], userStack: [1n] });
    }
    if (random() < 0.9) timeline.wait(wait({ off, on, onBefore: random() < 0.1 ? 0 : run }));
    now = on;
  }
  if (random() < 0.3)
    timeline.wait(wait({ off: now + 5 * US, on: now + 90 * US, open: true, onBefore: 5 * US }));
  if (random() < 0.2) timeline.exit(10, 11, now + 10 * US);
  timeline.advance(now + 200 * US);
  return { timeline, end: now + 250 * US };
}

describe('shortcuts of Timeline', () => {
  it('say what the long way says, for random threads and times', () => {
    const random = randomFrom(11);
    let ran = 0;
    let sampled = 0;
    let used = 0;
    for (let round = 0; round < 60; round++) {
      const { timeline, end } = randomTimeline(random);
      for (let look = 0; look < 100; look++) {
        const from = 900 * US + Math.floor(random() * (end - 900 * US));
        const to = from + 1 + Math.floor(random() * 30 * US);
        const kinds = new Set<string>();
        timeline.visit(10, 11, from, to, (_from, _to, kind) => kinds.add(kind));
        const onlyOn = kinds.size === 1 && kinds.has('on');
        expect(timeline.ranThroughout(10, 11, from, to)).toBe(onlyOn);
        const samples = timeline.samples(10, 11, from, to).length > 0;
        expect(timeline.isSampled(10, 11, from, to)).toBe(samples);
        const operations = timeline.operations(10, 11, from, to);
        const usesTwo = timeline.usedSocket(10, 11, from, to, (cookie) => cookie === 2);
        if (operations !== undefined) expect(usesTwo).toBe(operations.some((one) => one.socketCookie === 2));
        if (onlyOn) ran++;
        if (samples) sampled++;
        if (usesTwo) used++;
      }
    }
    for (const count of [ran, sampled, used]) expect(count).toBeGreaterThan(50);
  });

  it('know nothing of a thread that was never seen', () => {
    const timeline = new Timeline({ budgetBytes: 1 << 15 });
    expect(timeline.ranThroughout(10, 11, 0, 1)).toBe(false);
    expect(timeline.usedSocket(10, 11, 0, 1, () => true)).toBe(false);
  });
});
