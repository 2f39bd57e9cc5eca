import { describe, expect, it } from 'vitest';
import { Timeline } from '../../../src/observer/timeline.js';
import { file, inetSocket, MS, randomFrom, SYS, wait } from './timeline-helpers.js';

type Seen = [from: number, to: number, kind: string];

function intervals(timeline: Timeline, from: number, to: number, tid = 11): Seen[] {
  const seen: Seen[] = [];
  timeline.visit(10, tid, from, to, (start, end, kind) => seen.push([start / MS, end / MS, kind]));
  return seen;
}

describe('Timeline', () => {
  it('tells nothing about a thread it has never seen', () => {
    const timeline = new Timeline({ budgetBytes: 1 << 20 });
    expect(intervals(timeline, 0, 5 * MS)).toEqual([[0, 5, 'unknown']]);
    expect(timeline.knownUntil(10, 11)).toBe(-1);
  });

  it('splits a wait into blocked and run queue, and fills the gaps with running', () => {
    const timeline = new Timeline({ budgetBytes: 1 << 20 });
    timeline.wait(wait({ off: 10 * MS, wake: 14 * MS, on: 15 * MS, onBefore: 4 * MS }));
    timeline.wait(wait({ off: 18 * MS, on: 20 * MS, onBefore: 3 * MS }));
    expect(intervals(timeline, 0, 25 * MS)).toEqual([
      [0, 6, 'unknown'],
      [6, 10, 'on'],
      [10, 14, 'blocked'],
      [14, 15, 'runqueue'],
      [15, 18, 'on'],
      [18, 20, 'blocked'],
      [20, 25, 'unknown'],
    ]);
    expect(intervals(timeline, 11 * MS, 16 * MS)).toEqual([
      [11, 14, 'blocked'],
      [14, 15, 'runqueue'],
      [15, 16, 'on'],
    ]);
  });

  it('gives a preempted thread to the run queue', () => {
    const timeline = new Timeline({ budgetBytes: 1 << 20 });
    timeline.wait(wait({ off: 10 * MS, on: 15 * MS, preempted: true, state: 0 }));
    expect(intervals(timeline, 10 * MS, 15 * MS)).toEqual([[10, 15, 'runqueue']]);
  });

  it('shows a hole where records are lost', () => {
    const timeline = new Timeline({ budgetBytes: 1 << 20 });
    timeline.wait(wait({ off: 10 * MS, on: 12 * MS, onBefore: MS }));
    // The kernel says that it ran for 2 ms before this one: what was between 12 and 18 is missing.
    timeline.wait(wait({ off: 20 * MS, on: 21 * MS, onBefore: 2 * MS }));
    expect(intervals(timeline, 10 * MS, 21 * MS)).toEqual([
      [10, 12, 'blocked'],
      [12, 18, 'unknown'],
      [18, 20, 'on'],
      [20, 21, 'blocked'],
    ]);
  });

  it('bridges a seam of two clock reads', () => {
    const timeline = new Timeline({ budgetBytes: 1 << 20 });
    timeline.wait(wait({ off: 10 * MS, on: 12 * MS }));
    timeline.wait(wait({ off: 20 * MS, on: 21 * MS, onBefore: 8 * MS - 900 }));
    expect(intervals(timeline, 12 * MS, 20 * MS)).toEqual([[12, 20, 'on']]);
  });

  describe('after the newest record', () => {
    const withRecord = (): Timeline => {
      const timeline = new Timeline({ budgetBytes: 1 << 20 });
      timeline.wait(wait({ off: 10 * MS, on: 12 * MS, onBefore: MS }));
      return timeline;
    };

    it('takes nothing for granted', () => {
      const timeline = withRecord();
      timeline.advance(5000 * MS);
      expect(intervals(timeline, 12 * MS, 20 * MS)).toEqual([[12, 20, 'unknown']]);
    });

    it('runs until the last socket operation', () => {
      const timeline = withRecord();
      timeline.operation({ tgid: 10, tid: 11, time: 17 * MS, socketCookie: 1, egress: true });
      expect(intervals(timeline, 12 * MS, 20 * MS)).toEqual([
        [12, 17, 'on'],
        [17, 20, 'unknown'],
      ]);
      expect(timeline.knownUntil(10, 11)).toBe(17 * MS);
    });

    it('runs until it woke another thread', () => {
      const timeline = withRecord();
      timeline.wait(wait({ tid: 12, off: 1 * MS, wake: 16 * MS, on: 17 * MS, wakerTgid: 10, wakerTid: 11 }));
      expect(intervals(timeline, 12 * MS, 20 * MS)).toEqual([
        [12, 16, 'on'],
        [16, 20, 'unknown'],
      ]);
    });

    it('runs as long as an open wait would have been reported', () => {
      const timeline = withRecord();
      timeline.wait(wait({ tid: 12, off: 1 * MS, on: 900 * MS, wake: 0, open: true }));
      timeline.advance(1315 * MS);
      expect(intervals(timeline, 12 * MS, 20 * MS)).toEqual([
        [12, 15, 'on'],
        [15, 20, 'unknown'],
      ]);
    });

    it('sleeps while the wait is open, and knows when it began', () => {
      const timeline = withRecord();
      timeline.wait(
        wait({ off: 18 * MS, on: 1000 * MS, wake: 0, open: true, onBefore: 6 * MS, syscall: SYS.futex }),
      );
      expect(intervals(timeline, 12 * MS, 30 * MS)).toEqual([
        [12, 18, 'on'],
        [18, 30, 'blocked'],
      ]);
      timeline.advance(1100 * MS);
      expect(timeline.knownUntil(10, 11)).toBe(1100 * MS);
      timeline.wait(wait({ off: 18 * MS, wake: 1200 * MS, on: 1201 * MS, onBefore: 6 * MS }));
      expect(intervals(timeline, 17 * MS, 1201 * MS)).toEqual([
        [17, 18, 'on'],
        [18, 1200, 'blocked'],
        [1200, 1201, 'runqueue'],
      ]);
    });

    it('stops at the report when the thread was seen running after it: the end of the wait is lost', () => {
      const timeline = withRecord();
      timeline.wait(wait({ off: 18 * MS, on: 300 * MS, wake: 0, open: true, onBefore: 6 * MS }));
      timeline.operation({ tgid: 10, tid: 11, time: 400 * MS, socketCookie: 1, egress: true });
      timeline.advance(500 * MS);
      expect(intervals(timeline, 200 * MS, 450 * MS)).toEqual([
        [200, 300, 'blocked'],
        [300, 450, 'unknown'],
      ]);
    });

    it('trusts no silence in a time of losses', () => {
      const timeline = withRecord();
      timeline.lost(14 * MS, 16 * MS);
      timeline.operation({ tgid: 10, tid: 11, time: 17 * MS, socketCookie: 1, egress: true });
      expect(intervals(timeline, 12 * MS, 20 * MS)).toEqual([
        [12, 14, 'on'],
        [14, 20, 'unknown'],
      ]);
      // The next record proves that it ran all the time.
      timeline.wait(wait({ off: 20 * MS, on: 21 * MS, onBefore: 8 * MS }));
      expect(intervals(timeline, 12 * MS, 20 * MS)).toEqual([[12, 20, 'on']]);
    });

    it('waits for the count of losses before it trusts silence', () => {
      const timeline = withRecord();
      timeline.checked(5 * MS);
      timeline.operation({ tgid: 10, tid: 11, time: 17 * MS, socketCookie: 1, egress: true });
      expect(timeline.knownUntil(10, 11)).toBe(12 * MS);
      timeline.checked(15 * MS);
      expect(timeline.knownUntil(10, 11)).toBe(15 * MS);
      timeline.checked(20 * MS);
      expect(timeline.knownUntil(10, 11)).toBe(17 * MS);
    });

    it('ends with the thread, and starts anew with another one of the same id', () => {
      const timeline = withRecord();
      timeline.exit(10, 11, 14 * MS);
      expect(timeline.knownUntil(10, 11)).toBe(Number.POSITIVE_INFINITY);
      expect(intervals(timeline, 12 * MS, 20 * MS)).toEqual([
        [12, 14, 'on'],
        [14, 20, 'unknown'],
      ]);
      timeline.wait(wait({ off: 30 * MS, on: 31 * MS, onBefore: 2 * MS }));
      expect(intervals(timeline, 12 * MS, 31 * MS)).toEqual([
        [12, 14, 'on'],
        [14, 28, 'unknown'],
        [28, 30, 'on'],
        [30, 31, 'blocked'],
      ]);
    });
  });

  it('reads back what a wait was about', () => {
    const timeline = new Timeline({ budgetBytes: 1 << 20 });
    const records = [
      wait({
        off: 1,
        on: 2,
        syscall: SYS.futex,
        args: [0x7f00_1234_5678, 128, 3],
        wakerTgid: 10,
        wakerTid: 12,
      }),
      wait({ off: 3, on: 4, syscall: SYS.read, socket: inetSocket(5, 5432), fdKind: 1 }),
      wait({ off: 5, on: 6, syscall: SYS.fsync, state: 2, iowait: true, file: file('a.log'), fdKind: 2 }),
      wait({ off: 7, on: 8, syscall: -1, state: 0, preempted: true }),
    ];
    for (const record of records) timeline.wait(record);
    const seen: unknown[] = [];
    timeline.visit(10, 11, 1, 8, (_from, _to, kind, record) => {
      if (kind !== 'on') seen.push(record);
    });
    expect(seen).toEqual(records);
  });

  it('forgets the oldest records when memory is full, and says so', () => {
    const timeline = new Timeline({ budgetBytes: 64 * 1024 });
    const count = 5_000;
    for (let index = 0; index < count; index++) {
      const off = (2 * index + 1) * MS;
      timeline.wait(
        wait({
          tid: 11 + (index % 3),
          off,
          on: off + MS,
          onBefore: MS,
          socket: inetSocket(index, index),
          fdKind: 1,
        }),
      );
    }
    expect(timeline.stats().timeline_waits_overwritten).toBeGreaterThan(count / 2);
    expect(intervals(timeline, 0, 10 * MS)).toEqual([[0, 10, 'unknown']]);
    const last = 2 * (count - 1) + 1;
    expect(intervals(timeline, last * MS, (last + 1) * MS, 11 + ((count - 1) % 3))).toEqual([
      [last, last + 1, 'blocked'],
    ]);
  });

  it('forgets the threads that have been quiet longest', () => {
    const timeline = new Timeline({ budgetBytes: 1 << 20, maxThreads: 8 });
    for (let tid = 100; tid < 200; tid++) timeline.wait(wait({ tid, off: tid * MS, on: (tid + 1) * MS }));
    expect(timeline.stats().timeline_threads_held).toBeLessThanOrEqual(8);
    expect(intervals(timeline, 199 * MS, 200 * MS, 199)).toEqual([[199, 200, 'blocked']]);
    expect(intervals(timeline, 100 * MS, 101 * MS, 100)).toEqual([[100, 101, 'unknown']]);
  });

  it('refuses records that contradict the order of time', () => {
    const timeline = new Timeline({ budgetBytes: 1 << 20 });
    timeline.wait(wait({ off: 10 * MS, on: 12 * MS }));
    timeline.wait(wait({ off: 5 * MS, on: 6 * MS }));
    timeline.wait(wait({ off: 20 * MS, on: 19 * MS }));
    timeline.wait(wait({ off: Number.NaN, on: 30 * MS }));
    expect(timeline.stats().timeline_disordered).toBe(3);
    expect(timeline.stats().timeline_waits).toBe(1);
  });

  it('keeps samples and their stacks', () => {
    const timeline = new Timeline({ budgetBytes: 1 << 20 });
    for (let index = 0; index < 4; index++) {
      timeline.sample({
        time: index * MS,
        tgid: 10,
        tid: 11,
        comm: 'x',
        kernelStack: [BigInt(index)],
        userStack: [7n, BigInt(100 + index)],
      });
    }
    expect(timeline.samples(10, 11, 1 * MS, 3 * MS)).toEqual([
      { time: 1 * MS, kernelStack: [1n], userStack: [7n, 101n] },
      { time: 2 * MS, kernelStack: [2n], userStack: [7n, 102n] },
    ]);
  });

  it('gives the operations of a time, and says when some are gone', () => {
    const timeline = new Timeline({ budgetBytes: 16 * 1024 });
    const operation = (time: number) => ({ tgid: 10, tid: 11, time, socketCookie: time, egress: false });
    for (let time = 1; time <= 10; time++) timeline.operation(operation(time));
    expect(timeline.operations(10, 11, 0, 3)?.map(({ time }) => time)).toEqual([1, 2, 3]);
    expect(timeline.operations(10, 11, 4, 6)?.map(({ time }) => time)).toEqual([4, 5, 6]);
    for (let time = 11; time <= 2_000; time++) timeline.operation(operation(time));
    expect(timeline.operations(10, 11, 4, 6)).toBeUndefined();
    expect(timeline.operations(10, 11, 1_999, 2_000)?.map(({ time }) => time)).toEqual([1_999, 2_000]);
  });

  it('tiles every window of random records exactly', () => {
    const random = randomFrom(1);
    for (let round = 0; round < 60; round++) {
      const timeline = new Timeline({ budgetBytes: 1 << (14 + (round % 4)) });
      let now = Math.floor(random() * 1e6);
      for (let index = 0; index < 400; index++) {
        const tid = 11 + Math.floor(random() * 3);
        const off = now + Math.floor(random() * 1e5);
        const on = off + Math.floor(random() * 1e5);
        now = on;
        if (random() < 0.1) continue; // lost
        timeline.wait(
          wait({
            tid,
            off,
            on,
            wake: random() < 0.2 ? 0 : off + Math.floor(random() * (on - off)),
            onBefore: Math.floor(random() * 1e5),
            open: random() < 0.02,
            preempted: random() < 0.2,
          }),
        );
        if (random() < 0.02) timeline.exit(10, tid, now);
        timeline.advance(now);
      }
      for (let query = 0; query < 50; query++) {
        const from = Math.floor(random() * now);
        const to = from + Math.floor(random() * 5e5);
        let cursor = from;
        timeline.visit(10, 11 + (query % 4), from, to, (start, end) => {
          expect(start).toBe(cursor);
          expect(end).toBeGreaterThan(start);
          cursor = end;
        });
        expect(cursor).toBe(to);
      }
    }
  });
});
