/**
 * How much of what the agent says about spans is true, and how much of the truth it says.
 *
 * A moment of a span is right when an event covers it whose class the program's step at that moment allows and, where
 * the class is a thread's own, whose thread is the one that executed the step. Between its steps a request runs or
 * waits for a CPU.
 */
import { TIME_CLASSES, type TimeClass } from '../../src/observer/types.js';
import {
  CLIENT,
  type Operation,
  type ToldInterval,
  type ToldSpan,
  type TruthSpan,
  type TruthStep,
} from './truth-span.js';

/** How a runtime executes requests. */
export type Model = 'threads' | 'event_loop' | 'goroutines';

export interface Rules {
  readonly model: Model;
  /** The runtime has a lock that every thread needs to run: any step may wait for it. */
  readonly globalLock: boolean;
}

/** Nanoseconds: of all spans, told, and of that right. */
export interface Score {
  spans: number;
  toldSpans: number;
  durationNs: number;
  toldNs: number;
  rightNs: number;
  /** Nanoseconds told wrongly, by what the program did and what was said. */
  readonly wrong: Map<string, number>;
  /** |told - true| of each class with an exact truth, ns, each span one. */
  readonly errors: Map<TimeClass, { error: number; truth: number }[]>;
  /** Told spans by their evidence: how sure on average, and how right. */
  readonly byEvidence: Map<string, { spans: number; confidence: number; toldNs: number; rightNs: number }>;
}

export const newScore = (): Score => ({
  spans: 0,
  toldSpans: 0,
  durationNs: 0,
  toldNs: 0,
  rightNs: 0,
  wrong: new Map(),
  errors: new Map(),
  byEvidence: new Map(),
});

type Moment = Operation | 'between';

const RUNNING: readonly TimeClass[] = ['cpu', 'runqueue'];
/** A loop that waits for a lock within a tick, such as for the threads that collect garbage, does so for its request. */
const TICKING: readonly TimeClass[] = [...RUNNING, 'lock'];
const OF_THREAD: Record<Moment, readonly TimeClass[]> = {
  between: RUNNING,
  burn: RUNNING,
  lock: [...RUNNING, 'lock'],
  sleep: [...RUNNING, 'sleep'],
  read: [...RUNNING, 'disk'],
  call: [...RUNNING, 'net'],
};
/** On a loop, a request that waits may also wait for the loop; what the loop runs meanwhile is another's. */
const OF_LOOP: Record<Moment, readonly TimeClass[]> = {
  between: [...TICKING, 'other'],
  burn: TICKING,
  lock: TICKING,
  sleep: ['idle', 'other', 'runqueue'],
  read: [...TICKING, 'disk', 'other'],
  call: ['net', 'other', 'runqueue'],
};
/** The begin and the end of an asynchronous step run on the loop. */
const LOOP_EDGE_NS = 1_000_000;
/** One clock reads before, the other after the switch; the program reads its own in between. */
const SEAM_NS = 20_000;

/** Adds one span; `told` is undefined when the agent said nothing about it. */
export function addSpan(score: Score, truth: TruthSpan, told: ToldSpan | undefined, rules: Rules): void {
  score.spans++;
  score.durationNs += truth.end - truth.start;
  if (told === undefined) return;
  score.toldSpans++;
  let toldNs = 0;
  let rightNs = 0;
  for (const interval of told.intervals) {
    for (const { moment, from, to } of momentsOf(truth, interval)) {
      toldNs += to - from;
      if (isRight(truth, interval, moment, from, to, rules)) rightNs += to - from;
      else {
        const key = `${moment} told as ${interval.timeClass}${interval.reason ? `/${interval.reason}` : ''}`;
        score.wrong.set(key, (score.wrong.get(key) ?? 0) + to - from);
      }
    }
  }
  score.toldNs += toldNs;
  score.rightNs += rightNs;
  const evidence = score.byEvidence.get(told.evidence) ?? { spans: 0, confidence: 0, toldNs: 0, rightNs: 0 };
  evidence.confidence = (evidence.confidence * evidence.spans + told.confidence) / (evidence.spans + 1);
  evidence.spans++;
  evidence.toldNs += toldNs;
  evidence.rightNs += rightNs;
  score.byEvidence.set(told.evidence, evidence);
  if (rules.model === 'threads') addErrors(score, truth, told, rules);
}

interface Stretch {
  readonly moment: Moment;
  readonly from: number;
  readonly to: number;
}

/** The interval, cut at the borders of the program's steps; what is outside of the span belongs to nobody. */
function momentsOf(truth: TruthSpan, { from, to }: ToldInterval): Stretch[] {
  const stretches: Stretch[] = [];
  let cursor = from;
  const add = (until: number, moment: Moment): void => {
    const end = Math.min(until, to);
    if (end <= cursor) return;
    stretches.push({ moment, from: cursor, to: end });
    cursor = end;
  };
  for (const step of stepsOf(truth)) {
    add(step.from - truth.start, 'between');
    add(step.to - truth.start, step.op);
  }
  add(to, 'between');
  return stretches;
}

/** A call is one step as a whole. */
const stepsOf = ({ kind, start, end, steps }: TruthSpan): readonly TruthStep[] =>
  kind === CLIENT ? [{ op: 'call', from: start, to: end }] : steps;

function isRight(
  truth: TruthSpan,
  { timeClass, tid }: ToldInterval,
  moment: Moment,
  from: number,
  to: number,
  { model, globalLock }: Rules,
): boolean {
  if (model === 'threads') {
    if (tid !== undefined && tid !== truth.tid) return false;
    if (globalLock && timeClass === 'lock') return true;
    // A border of a step within a wait of its neighbour: the clocks are read apart.
    return OF_THREAD[moment].includes(timeClass) || to - from <= SEAM_NS;
  }
  if (OF_LOOP[moment].includes(timeClass) || to - from <= SEAM_NS) return true;
  if (model === 'goroutines') return OF_THREAD[moment].includes(timeClass);
  const step = stepsOf(truth).find(
    (other) => other.from - truth.start <= from && to <= other.to - truth.start,
  );
  if (step === undefined || !TICKING.includes(timeClass)) return false;
  return from - (step.from - truth.start) <= LOOP_EDGE_NS || step.to - truth.start - to <= LOOP_EDGE_NS;
}

const WAIT_OF: Record<Operation, TimeClass | undefined> = {
  burn: undefined,
  lock: 'lock',
  sleep: 'sleep',
  call: 'net',
  read: 'disk',
};

/** Only what the program knows exactly. */
function addErrors(score: Score, truth: TruthSpan, { totals }: ToldSpan, rules: Rules): void {
  const { cpu, runqueue } = truth;
  if (cpu === undefined || runqueue === undefined) return;
  const expected = new Map<TimeClass, number>([
    ['cpu', cpu],
    ['runqueue', runqueue],
  ]);
  if (!rules.globalLock) {
    for (const { op, from, to, ...step } of truth.steps) {
      const timeClass = WAIT_OF[op];
      if (timeClass === undefined) continue;
      const waited = Math.max(0, to - from - (step.cpu ?? 0) - (step.runqueue ?? 0));
      expected.set(timeClass, (expected.get(timeClass) ?? 0) + waited);
    }
  }
  for (const [timeClass, ns] of expected) {
    const list = score.errors.get(timeClass) ?? [];
    list.push({ error: Math.abs(totals[timeClass] - ns), truth: ns });
    score.errors.set(timeClass, list);
  }
}

const FREE_NS = 100_000;
const FREE_SHARE = 0.01;

/** Share of spans whose error in the class is at most 1 % or 100 us, and the error that 99 of 100 do not exceed. */
export function classErrors(
  score: Score,
): { timeClass: TimeClass; within: number; p50: number; p99: number }[] {
  return TIME_CLASSES.flatMap((timeClass) => {
    const list = score.errors.get(timeClass);
    if (list === undefined) return [];
    const errors = list.map(({ error }) => error).sort((a, b) => a - b);
    const within = list.filter(({ error, truth }) => error <= Math.max(FREE_NS, truth * FREE_SHARE)).length;
    return [
      {
        timeClass,
        within: within / list.length,
        p50: errors[errors.length >> 1]!,
        p99: errors[Math.floor(errors.length * 0.99)]!,
      },
    ];
  });
}

export const precision = ({ toldNs, rightNs }: { toldNs: number; rightNs: number }): number =>
  toldNs === 0 ? 1 : rightNs / toldNs;
export const recall = ({ durationNs, rightNs }: Score): number =>
  durationNs === 0 ? 0 : rightNs / durationNs;
