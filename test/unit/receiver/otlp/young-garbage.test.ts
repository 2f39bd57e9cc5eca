import { expect, it, vi } from 'vitest';
import { YoungGarbage } from '../../../../src/receiver/otlp/young-garbage.js';

const MIB = 1024 * 1024;

it('collects after a little when the last time is long ago, and after much in any case', () => {
  let now = 0;
  const collect = vi.fn();
  const garbage = new YoungGarbage(collect, () => now);
  garbage.add(MIB);
  expect(collect).toHaveBeenCalledTimes(0);
  garbage.add(MIB);
  expect(collect).toHaveBeenCalledTimes(1);
  now = 10;
  garbage.add(4 * MIB);
  expect(collect).toHaveBeenCalledTimes(1);
  garbage.add(12 * MIB);
  expect(collect).toHaveBeenCalledTimes(2);
  now = 1000;
  garbage.add(2 * MIB);
  expect(collect).toHaveBeenCalledTimes(3);
});

it('finds the collector of the engine', () => {
  const garbage = new YoungGarbage();
  const before = globalThis.gc;
  garbage.add(16 * MIB);
  expect(globalThis.gc).toBe(before);
});
