import { Worker } from 'node:worker_threads';
import { expect, it } from 'vitest';
import { SpanBudget } from '../../../src/observer/span-budget.js';

const KIB = 1024;

it('gives room until the budget is under way, and again after a release on the other side', () => {
  const observer = new SpanBudget(10 * KIB);
  const main = new SpanBudget(10 * KIB, observer.memory);
  expect(observer.take(6 * KIB)).toBe(true);
  expect(observer.take(4 * KIB + 1)).toBe(false);
  expect(observer.take(4 * KIB)).toBe(true);
  expect(observer.take(1)).toBe(false);
  main.release(6 * KIB);
  expect(observer.take(6 * KIB)).toBe(true);
});

it('lets a batch pass that is larger than the whole budget, alone', () => {
  const budget = new SpanBudget(10 * KIB);
  expect(budget.take(50 * KIB)).toBe(true);
  expect(budget.take(1)).toBe(false);
  budget.release(50 * KIB);
  expect(budget.take(1)).toBe(true);
});

it('waits for room where that is asked for', async () => {
  const budget = new SpanBudget(10 * KIB);
  expect(budget.take(10 * KIB)).toBe(true);
  const release = `
    const { workerData } = require('node:worker_threads');
    const cells = new Int32Array(workerData);
    Atomics.add(cells, 0, 10);
    Atomics.notify(cells, 0);`;
  const worker = new Worker(release, { eval: true, workerData: budget.memory });
  expect(budget.take(10 * KIB, 10_000)).toBe(true);
  await worker.terminate();
});
