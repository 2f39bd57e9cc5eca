/**
 * Event loops against a simulation that knows the truth. Without help from the process an event loop can't be explained
 * exactly; what is asserted is that little of what is said is wrong, and that it adds up.
 */
import { describe, expect, it } from 'vitest';
import {
  SIMULATED_PROCESS,
  type SimulationOptions,
  simulateEventLoop,
  spansFor,
} from '../../truth/event-loop.js';
import { classesOf, World } from './join-helpers.js';
import { MS } from './timeline-helpers.js';

interface Score {
  /** Of the time that was given a class: the part that has it in truth. */
  readonly precision: number;
  /** Of all time: the part that was given its true class. */
  readonly recall: number;
  readonly spans: number;
}

function score(options: SimulationOptions): Score {
  const world = new World({ config: { timelineBytes: 16 << 20 } });
  const requests = simulateEventLoop(world, options);
  const end = Math.max(...requests.map((request) => request.end));
  const id = world.ask(end + 3000 * MS, spansFor(requests), SIMULATED_PROCESS);
  world.play(end + 8000 * MS);
  let said = 0;
  let right = 0;
  let all = 0;
  let spans = 0;
  for (const [index, span] of world.spans(id)!.entries()) {
    const classes = classesOf(span);
    const { truth } = requests[index]!;
    all += span.durationNs;
    if (classes === undefined) continue;
    spans++;
    const { unattributed = 0, other: busy = 0, ...rest } = classes;
    expect(Object.values(classes).reduce((sum, ms) => sum + Math.round(ms * MS), 0)).toBe(span.durationNs);
    said += span.durationNs - Math.round(unattributed * MS);
    for (const [name, ns] of Object.entries({ ...truth })) {
      const claimed = (name === 'busy' ? busy : (rest[name as 'cpu'] ?? 0)) * MS;
      right += Math.min(claimed, ns);
    }
  }
  return { precision: right / said, recall: right / all, spans };
}

const base = { requests: 300, timers: false, contexts: true };

describe('an event loop', () => {
  it('is explained exactly when requests follow each other', () => {
    const result = score({ ...base, seed: 1, requests: 60, interval: 200 * MS });
    expect(result.spans).toBe(60);
    expect(result.precision).toBeGreaterThan(0.999);
    expect(result.recall).toBeGreaterThan(0.999);
  });

  it.each([
    ['a light', 20 * MS, 0.99],
    ['a medium', 4 * MS, 0.98],
    // A loop that never waits shows no ticks: when an answer arrived in one is not known.
    ['a heavy', 1.5 * MS, 0.95],
  ])('is explained truly under %s load with contexts', (_name, interval, atLeast) => {
    const result = score({ ...base, seed: 2, interval });
    expect(result.spans).toBe(base.requests);
    expect(result.precision).toBeGreaterThan(atLeast);
    expect(result.recall).toBeGreaterThan(atLeast);
  });

  it('says little wrong when callbacks leave no trace', () => {
    const result = score({ ...base, seed: 3, timers: true, interval: 4 * MS });
    expect(result.precision).toBeGreaterThan(0.95);
  });

  it('says little wrong without contexts on the calls', () => {
    const result = score({ ...base, seed: 4, timers: true, contexts: false, interval: 4 * MS });
    expect(result.precision).toBeGreaterThan(0.95);
  });
});
