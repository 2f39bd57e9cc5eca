import { describe, expect, it } from 'vitest';
import { breakDown } from '../../../src/observer/breakdown.js';
import { encodeProfile, type ProfileContext } from '../../../src/observer/join-profile.js';
import { encodeRun, RunTemplates } from '../../../src/observer/join-run-profile.js';
import { Timeline } from '../../../src/observer/timeline.js';
import type { Trigger } from '../../../src/observer/triggers/trigger-types.js';
import type { Exchange, ProcessTable } from '../../../src/observer/types.js';
import { WireWriter } from '../../../src/otlp/wire-writer.js';
import { MS, wait } from './timeline-helpers.js';

const START = 1000 * MS;
const clock = { toUnix: (mono: number) => ({ hi: 400_000_000, lo: mono }) };

const wrote: [Trigger, number][] = [];

function contextOf(timeline: Timeline, threadName: string): ProfileContext {
  const processes: ProcessTable = {
    get: () => undefined,
    threadName: () => threadName,
    filePath: () => undefined,
    socketOwner: () => undefined,
    invalidate: () => {},
  };
  const symbolizer = { user: () => [], kernel: () => [] };
  return {
    timeline,
    architecture: 'x64',
    processes,
    symbolizer,
    maxEvents: 64,
    details: { wrote: (trigger, bytes) => wrote.push([trigger, bytes]) },
    writer: new WireWriter(64),
  };
}

describe('encodeRun', () => {
  it.each([
    [1, 'node'],
    [9_999, 'node'],
    [10_000, 'node'],
    [400_000, ''],
    [70 * MS, 'a thread name'],
  ])('gives the bytes of encodeProfile for a run of %d ns of "%s"', (durationNs, threadName) => {
    const timeline = new Timeline({ budgetBytes: 1 << 16 });
    timeline.wait(wait({ off: START - 2 * MS, on: START - MS }));
    timeline.wait(wait({ off: START + 80 * MS, on: START + 81 * MS, onBefore: 81 * MS }));
    const context = contextOf(timeline, threadName);
    const to = START + durationNs;
    const piece = { tgid: 10, tid: 11, from: START, to, confidence: 0.99, evidence: 'kernel,same_thread' };
    const breakdown = breakDown(START, durationNs, [piece], timeline, 'x64');
    expect(breakdown.totals.cpu).toBe(durationNs);
    for (const trigger of ['all', 'slow', undefined] as const) {
      wrote.length = 0;
      const expected = encodeProfile(context, breakdown, START, clock.toUnix(START), trigger).slice();

      const exchange = { tgid: 10, requestTid: 11, requestStart: START } as Exchange;
      const templates = new RunTemplates(0.99, 'kernel,same_thread');
      for (const _ of ['made', 'from the template']) {
        expect(encodeRun(context, exchange, templates, durationNs, clock, trigger)).toEqual(expected);
      }
      // All three took the same detail, or none did.
      expect(wrote.map(([name]) => name)).toEqual(trigger === undefined ? [] : [trigger, trigger, trigger]);
      expect(new Set(wrote.map(([, bytes]) => bytes)).size).toBe(trigger === undefined ? 0 : 1);
    }
  });
});
