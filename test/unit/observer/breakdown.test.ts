import { describe, expect, it } from 'vitest';
import { breakDown, type Piece } from '../../../src/observer/breakdown.js';
import { Timeline } from '../../../src/observer/timeline.js';
import { TIME_CLASSES } from '../../../src/observer/types.js';
import { FD, file, inetSocket, MS, randomFrom, SYS, wait } from './timeline-helpers.js';

const piece = (from: number, to: number, overrides: Partial<Piece> = {}): Piece => ({
  tgid: 10,
  tid: 11,
  from,
  to,
  confidence: 0.95,
  evidence: 'traceparent,same_thread',
  ...overrides,
});

const nonZero = (totals: Readonly<Record<string, number>>): Record<string, number> =>
  Object.fromEntries(Object.entries(totals).filter(([, value]) => value > 0));

describe('breakDown', () => {
  /** One request of 100 ms: 20 lock, 30 net, 10 sleep, 15 disk of 15.5, a preemption of 0.5, the rest on the CPU. */
  function oneRequest(): Timeline {
    const timeline = new Timeline({ budgetBytes: 1 << 20 });
    const base = { onBefore: 0 };
    const at = 1000 * MS;
    timeline.wait(
      wait({ ...base, off: at - 5 * MS, on: at, syscall: SYS.read, fdKind: 1, socket: inetSocket(1, 9) }),
    );
    timeline.wait(wait({ off: at + 5 * MS, on: at + 5.5 * MS, preempted: true, state: 0, onBefore: 5 * MS }));
    timeline.wait(wait({ off: at + 10 * MS, on: at + 30 * MS, syscall: SYS.futex, onBefore: 4.5 * MS }));
    timeline.wait(
      wait({
        off: at + 31 * MS,
        wake: at + 60.9 * MS,
        on: at + 61 * MS,
        syscall: SYS.recvfrom,
        fdKind: FD.socket,
        socket: inetSocket(2, 5432),
        onBefore: 1 * MS,
      }),
    );
    timeline.wait(
      wait({ off: at + 65 * MS, on: at + 75 * MS, syscall: SYS.clock_nanosleep, onBefore: 4 * MS }),
    );
    timeline.wait(
      wait({
        off: at + 80 * MS,
        on: at + 95 * MS,
        syscall: SYS.fsync,
        state: 2,
        iowait: true,
        fdKind: FD.file,
        file: file('x'),
        onBefore: 5 * MS,
      }),
    );
    timeline.wait(wait({ off: at + 101 * MS, on: at + 120 * MS, syscall: SYS.read, onBefore: 6 * MS }));
    return timeline;
  }

  it('gives every nanosecond of a blocking request to its class', () => {
    const start = 1000 * MS;
    const { totals, slices } = breakDown(
      start,
      100 * MS,
      [piece(start, start + 100 * MS)],
      oneRequest(),
      'x64',
    );
    expect(nonZero(totals)).toEqual({
      cpu: (5 + 4.5 + 1 + 4 + 5 + 5) * MS,
      runqueue: 0.6 * MS,
      lock: 20 * MS,
      net: 29.9 * MS,
      sleep: 10 * MS,
      disk: 15 * MS,
    });
    expect(slices.map(({ timeClass }) => timeClass)).toEqual(
      'cpu runqueue cpu lock cpu net runqueue cpu sleep cpu disk cpu'.split(' '),
    );
  });

  it('leaves what no piece covers unattributed', () => {
    const start = 990 * MS;
    const { totals } = breakDown(start, 120 * MS, [piece(1000 * MS, 1010 * MS)], oneRequest(), 'x64');
    expect(nonZero(totals)).toEqual({ cpu: 9.5 * MS, runqueue: 0.5 * MS, unattributed: 110 * MS });
  });

  it('explains a moment once: the first piece wins', () => {
    const start = 1000 * MS;
    const pieces = [
      piece(start + 2 * MS, start + 4 * MS, { as: { timeClass: 'net', reason: 'x' } }),
      piece(start, start + 8 * MS),
      piece(start + 1 * MS, start + 10 * MS, { tid: 99, as: { timeClass: 'idle', reason: 'y' } }),
    ];
    const { totals } = breakDown(start, 10 * MS, pieces, oneRequest(), 'x64');
    expect(nonZero(totals)).toEqual({ cpu: 5.5 * MS, net: 2 * MS, runqueue: 0.5 * MS, idle: 2 * MS });
  });

  it('cuts fractions of nanoseconds without losing any', () => {
    const timeline = new Timeline({ budgetBytes: 1 << 20 });
    for (let index = 0; index < 10; index++) {
      timeline.wait(wait({ off: index + 0.3, on: index + 0.7, onBefore: 0.6, syscall: SYS.futex }));
    }
    const { totals } = breakDown(0.4, 9, [piece(0, 10)], timeline, 'x64');
    expect(Object.values(totals).reduce((sum, value) => sum + value)).toBe(9);
    for (const value of Object.values(totals)) expect(Number.isInteger(value)).toBe(true);
  });

  it('handles a span without duration', () => {
    const { totals, slices } = breakDown(5, 0, [piece(0, 10)], oneRequest(), 'x64');
    expect(nonZero(totals)).toEqual({});
    expect(slices).toEqual([]);
  });

  it('loses a class to unattributed when records are lost, and gives none a wrong one', () => {
    const random = randomFrom(7);
    for (let round = 0; round < 200; round++) {
      const complete = new Timeline({ budgetBytes: 1 << 18 });
      const lossy = new Timeline({ budgetBytes: 1 << 18 });
      let now = 1_000;
      let lastOn = 0;
      const count = 40;
      for (let index = 0; index < count; index++) {
        const run = 10_000 + Math.floor(random() * 50_000);
        const off = now + run;
        const on = off + 10_000 + Math.floor(random() * 50_000);
        const kinds = [SYS.futex, SYS.clock_nanosleep, SYS.epoll_wait, SYS.wait4];
        const record = wait({
          off,
          on,
          wake: off + Math.floor(random() * (on - off)) + 1,
          onBefore: off - (lastOn || now),
          syscall: kinds[Math.floor(random() * kinds.length)]!,
        });
        complete.wait(record);
        if (random() > 0.2 || index === count - 1) lossy.wait(record);
        lastOn = on;
        now = on;
      }
      const from = Math.floor(random() * now * 0.3);
      const duration = Math.floor(random() * (now - from));
      const truth = breakDown(from, duration, [piece(from, from + duration)], complete, 'x64');
      const seen = breakDown(from, duration, [piece(from, from + duration)], lossy, 'x64');
      for (const timeClass of TIME_CLASSES) {
        if (timeClass === 'unattributed') continue;
        expect(seen.totals[timeClass]).toBeLessThanOrEqual(truth.totals[timeClass]);
      }
      expect(Object.values(seen.totals).reduce((sum, value) => sum + value)).toBe(duration);
    }
  });

  it('sums to the duration for random threads, pieces and times', () => {
    const random = randomFrom(3);
    const anyOf = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)]!;
    for (let round = 0; round < 300; round++) {
      const timeline = new Timeline({ budgetBytes: 1 << 17 });
      let now = random() * 1e6;
      for (let index = 0; index < 120; index++) {
        const off = now + random() * 5e4;
        const on = off + random() * 5e4;
        now = on;
        timeline.wait(
          wait({
            tid: 11 + Math.floor(random() * 3),
            off,
            on,
            wake: anyOf([0, off - 5, off + (on - off) * random(), on, on + 10]),
            onBefore: random() * 6e4,
            preempted: random() < 0.1,
            state: anyOf([0, 1, 2, 0x102, 4]),
            iowait: random() < 0.2,
            syscall: anyOf([-1, ...Object.values(SYS)]),
            fdKind: Math.floor(random() * 8),
            socket: random() < 0.5 ? inetSocket(1, 2) : undefined,
            args: [random() * 3, Math.floor(random() * 3), 0],
            open: random() < 0.05,
          }),
        );
        if (random() < 0.05) timeline.lost(now - 1e5, now);
      }
      timeline.advance(now);
      const pieces: Piece[] = [];
      for (let index = 0; index < 12; index++) {
        const from = random() * now;
        pieces.push(
          piece(from, from + random() * 3e5 - 2e4, {
            tid: 10 + Math.floor(random() * 4),
            ...(random() < 0.3 ? { as: { timeClass: 'net', reason: 'x' } } : {}),
          }),
        );
      }
      const start = random() * now;
      const duration = Math.floor(random() * 1e6);
      const { totals, slices } = breakDown(start, duration, pieces, timeline, 'x64');
      let sum = 0;
      for (const value of Object.values(totals)) {
        expect(value).toBeGreaterThanOrEqual(0);
        expect(Number.isInteger(value)).toBe(true);
        sum += value;
      }
      expect(sum).toBe(duration);
      let cursor = 0;
      for (const slice of slices) {
        expect(slice.from).toBe(cursor);
        expect(slice.to).toBeGreaterThan(slice.from);
        cursor = slice.to;
      }
      expect(cursor).toBe(duration);
    }
  });
});
