import { describe, expect, it } from 'vitest';
import { TIME_CLASSES, type TimeClass } from '../../src/observer/types.js';
import { addSpan, classErrors, newScore, precision, type Rules, recall } from '../truth/score.js';
import { SERVER, type ToldInterval, type ToldSpan, type TruthSpan, toldSpan } from '../truth/truth-span.js';

const MS = 1_000_000;
const THREADS: Rules = { model: 'threads', globalLock: false };
const LOOP: Rules = { model: 'event_loop', globalLock: false };

/** Burns 2 ms, sleeps 6 ms, runs 2 ms. */
const truth: TruthSpan = {
  trace: 't',
  span: 's',
  kind: SERVER,
  tid: 7,
  start: 100 * MS,
  end: 110 * MS,
  cpu: 4 * MS,
  runqueue: 0,
  steps: [
    { op: 'burn', from: 100 * MS, to: 102 * MS, cpu: 2 * MS, runqueue: 0 },
    { op: 'sleep', from: 102 * MS, to: 108 * MS, cpu: 0, runqueue: 0 },
  ],
};

const interval = (from: number, to: number, timeClass: TimeClass, tid = 7): ToldInterval => ({
  from: from * MS,
  to: to * MS,
  timeClass,
  tid,
  reason: undefined,
});

function told(...intervals: ToldInterval[]): ToldSpan {
  const totals = Object.fromEntries(TIME_CLASSES.map((timeClass) => [timeClass, 0])) as Record<
    TimeClass,
    number
  >;
  for (const { timeClass, from, to } of intervals) totals[timeClass] += to - from;
  return { evidence: 'e', confidence: 0.9, durationNs: 10 * MS, totals, intervals };
}

function scoreOf(what: ToldSpan | undefined, rules = THREADS) {
  const score = newScore();
  addSpan(score, truth, what, rules);
  return score;
}

describe('the score of the truth programs', () => {
  it('is full when every step is told as what it was', () => {
    const score = scoreOf(told(interval(0, 2, 'cpu'), interval(2, 8, 'sleep'), interval(8, 10, 'cpu')));
    expect([precision(score), recall(score)]).toEqual([1, 1]);
    expect(classErrors(score).map(({ timeClass, within }) => [timeClass, within])).toEqual([
      ['cpu', 1],
      ['runqueue', 1],
      ['sleep', 1],
    ]);
  });

  it('takes what is missing from recall only', () => {
    const score = scoreOf(told(interval(0, 2, 'cpu')));
    expect([precision(score), recall(score)]).toEqual([1, 0.2]);
    expect(scoreOf(undefined)).toMatchObject({ spans: 1, toldSpans: 0, toldNs: 0, durationNs: 10 * MS });
  });

  it('cuts an interval at the steps and names what is wrong in it', () => {
    const score = scoreOf(told(interval(0, 10, 'sleep')));
    expect(precision(score)).toBe(0.6);
    expect(Object.fromEntries(score.wrong)).toEqual({
      'burn told as sleep': 2 * MS,
      'between told as sleep': 2 * MS,
    });
    expect(classErrors(score)[0]).toMatchObject({ timeClass: 'cpu', within: 0, p50: 4 * MS });
  });

  it('does not accept another thread', () => {
    expect(precision(scoreOf(told(interval(0, 2, 'cpu', 8))))).toBe(0);
  });

  it('accepts a wait for the global lock anywhere, where there is one', () => {
    const waiting = told(interval(0, 2, 'lock'));
    expect(precision(scoreOf(waiting))).toBe(0);
    expect(precision(scoreOf(waiting, { model: 'threads', globalLock: true }))).toBe(1);
  });

  it('lets a loop run for a request at the edges of its waits only', () => {
    expect(precision(scoreOf(told(interval(2, 3, 'cpu')), LOOP))).toBe(1);
    expect(precision(scoreOf(told(interval(4, 6, 'cpu')), LOOP))).toBe(0);
    expect(precision(scoreOf(told(interval(2, 8, 'idle')), LOOP))).toBe(1);
  });

  it('reads spans as the agent writes them', () => {
    const int = (key: string, intValue: number) => ({ key, value: { intValue: String(intValue) } });
    const read = toldSpan({
      traceId: 't',
      spanId: 's',
      startTimeUnixNano: '1700000000000000000',
      endTimeUnixNano: '1700000000010000000',
      attributes: [
        int('kindling.time.cpu_ns', 4 * MS),
        { key: 'kindling.join.evidence', value: { stringValue: 'traceparent' } },
        { key: 'kindling.join.confidence', value: { doubleValue: 0.95 } },
      ],
      events: [
        {
          name: 'cpu.on',
          timeUnixNano: '1700000000002000000',
          attributes: [int('duration_ns', MS), int('thread.os_id', 7)],
        },
        {
          name: 'cpu.on',
          timeUnixNano: '1700000000003000000',
          attributes: [int('duration_ns', 9), int('count', 3)],
        },
        { name: 'exception', timeUnixNano: '1700000000003000000' },
      ],
    });
    expect(read).toMatchObject({ evidence: 'traceparent', confidence: 0.95, durationNs: 10 * MS });
    expect(read?.intervals).toEqual([interval(2, 3, 'cpu')]);
    expect(read?.totals.cpu).toBe(4 * MS);
    expect(
      toldSpan({ traceId: 't', spanId: 's', startTimeUnixNano: '0', endTimeUnixNano: '1' }),
    ).toBeUndefined();
  });
});
