import { describe, expect, it } from 'vitest';
import { BudgetGovernor, SHED_LEVELS } from '../../../../src/observer/cost/budget-governor.js';

/** Gives `count` readings; the levels after each change. */
function readings(governor: BudgetGovernor, usedCpus: number, count: number): number[] {
  const levels: number[] = [];
  for (let i = 0; i < count; i++) if (governor.reading(usedCpus)) levels.push(governor.level);
  return levels;
}

describe('BudgetGovernor', () => {
  it('leaves out stacks, then scheduler detail, then payload, and nothing more', () => {
    const governor = new BudgetGovernor(0.5);
    expect(readings(governor, 0.6, 100)).toEqual([1, 2, 3]);
    expect(SHED_LEVELS.map(({ name }) => name)).toEqual(['nothing', 'stacks', 'scheduler_detail', 'payload']);
    expect(SHED_LEVELS.map(({ mask }) => mask)).toEqual([0, 1, 3, 7]);
  });

  it('does nothing about a short burst, nor at the budget', () => {
    const governor = new BudgetGovernor(0.5);
    for (let i = 0; i < 50; i++) {
      expect(readings(governor, 5, 2)).toEqual([]);
      expect(readings(governor, 0.5, 1)).toEqual([]);
    }
  });

  it('gives everything back when the load has fallen', () => {
    const governor = new BudgetGovernor(0.5);
    readings(governor, 1, 20);
    expect(readings(governor, 0.1, 200)).toEqual([2, 1, 0]);
  });

  it('stays where it is between the budget and the room below it', () => {
    const governor = new BudgetGovernor(0.5);
    readings(governor, 1, 3);
    expect(readings(governor, 0.4, 1000)).toEqual([]);
    expect(governor.level).toBe(1);
  });

  it('waits longer each time when giving back was too early', () => {
    const governor = new BudgetGovernor(0.5);
    const changes: number[] = [];
    // What is observed at level 0 costs too much, what is observed at level 1 costs next to nothing.
    for (let second = 0; second < 2000; second++) {
      if (governor.reading(governor.level === 0 ? 0.9 : 0.1)) changes.push(second);
    }
    const first = changes.slice(0, 4);
    expect(first[1]! - first[0]!).toBe(15);
    expect(first[3]! - first[2]!).toBe(30);
    expect(changes.length).toBeLessThan(20);
  });
});
