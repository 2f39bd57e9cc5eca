import { expect, it } from 'vitest';
import { ObserverClock } from '../../../src/observer/clock.js';
import { addNs, timeFromMs, timeToBigInt } from '../../../src/otlp/time.js';

const OFFSET = timeFromMs(Date.UTC(2026, 0, 1), 123);

it('converts both ways, exactly', () => {
  const clock = new ObserverClock();
  clock.measured(1e9, OFFSET, 50);
  for (const mono of [1e9, 5_000_000_123, 86_400e9]) {
    const unix = clock.toUnix(mono);
    expect(timeToBigInt(unix)).toBe(timeToBigInt(OFFSET) + BigInt(mono));
    expect(clock.toMono(unix.hi, unix.lo)).toBe(mono);
  }
});

it('uses the offset of the moment when the wall clock was set', () => {
  const clock = new ObserverClock();
  clock.measured(1e9, OFFSET, 50);
  clock.measured(10e9, addNs(OFFSET, 3600e9), 50);
  expect(timeToBigInt(clock.toUnix(9e9))).toBe(timeToBigInt(OFFSET) + 9_000_000_000n);
  expect(timeToBigInt(clock.toUnix(11e9))).toBe(timeToBigInt(OFFSET) + 3_611_000_000_000n);
  const before = clock.toUnix(9e9);
  const after = clock.toUnix(11e9);
  expect(clock.toMono(before.hi, before.lo)).toBe(9e9);
  expect(clock.toMono(after.hi, after.lo)).toBe(11e9);
});

it('takes no step for what is only an error of the measurement', () => {
  const clock = new ObserverClock();
  clock.measured(1e9, OFFSET, 50);
  clock.measured(2e9, addNs(OFFSET, 400), 500);
  expect(clock.toUnix(3e9)).toEqual(addNs(OFFSET, 3e9));
});
