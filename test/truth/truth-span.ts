/** What a program of test/truth/programs wrote down about one span, and what the agent says about it. */
import { TIME_CLASSES, type TimeClass } from '../../src/observer/types.js';
import {
  ATTR_CONFIDENCE,
  ATTR_EVIDENCE,
  EVENT_COUNT,
  EVENT_DURATION,
  EVENT_NAMES,
  EVENT_REASON,
  EVENT_THREAD_ID,
  timeAttribute,
} from '../../src/semconv.js';

export type Operation = 'burn' | 'lock' | 'sleep' | 'read' | 'call';

/** Times are CLOCK_MONOTONIC ns. */
export interface TruthStep {
  readonly op: Operation;
  readonly from: number;
  readonly to: number;
  /** By the thread's own clock; absent where a thread serves several requests by turns. */
  readonly cpu?: number;
  /** Ready and not running, by /proc/thread-self/schedstat. */
  readonly runqueue?: number;
}

export const SERVER = 2;
export const CLIENT = 3;

export interface TruthSpan {
  readonly trace: string;
  readonly span: string;
  /** `SERVER` or `CLIENT`. */
  readonly kind: number;
  readonly tid: number;
  readonly start: number;
  readonly end: number;
  readonly cpu?: number;
  readonly runqueue?: number;
  readonly steps: readonly TruthStep[];
}

/** An interval of a span event; `from` and `to` are ns after the span's start. */
export interface ToldInterval {
  readonly from: number;
  readonly to: number;
  readonly timeClass: TimeClass;
  readonly tid: number | undefined;
  readonly reason: string | undefined;
}

export interface ToldSpan {
  readonly evidence: string;
  readonly confidence: number;
  readonly durationNs: number;
  readonly totals: Readonly<Record<TimeClass, number>>;
  readonly intervals: readonly ToldInterval[];
}

interface JsonAttribute {
  readonly key: string;
  readonly value: {
    readonly intValue?: string | number;
    readonly doubleValue?: number;
    readonly stringValue?: string;
  };
}

/** A span of OTLP/JSON, as far as it is read here. */
export interface JsonSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes?: readonly JsonAttribute[];
  readonly events?: readonly {
    readonly name: string;
    readonly timeUnixNano: string;
    readonly attributes?: readonly JsonAttribute[];
  }[];
}

const CLASS_OF_EVENT = new Map(
  TIME_CLASSES.map((timeClass) => [EVENT_NAMES[timeClass] as string, timeClass]),
);

/** Undefined when the agent wrote nothing on the span. */
export function toldSpan(span: JsonSpan): ToldSpan | undefined {
  const attributes = toMap(span.attributes);
  const evidence = attributes.get(ATTR_EVIDENCE);
  if (evidence === undefined) return undefined;
  const start = BigInt(span.startTimeUnixNano);
  const intervals: ToldInterval[] = [];
  for (const { name, timeUnixNano, attributes: list } of span.events ?? []) {
    const timeClass = CLASS_OF_EVENT.get(name);
    const of = toMap(list);
    // A merged event has no place in time; its total is in the attributes.
    if (timeClass === undefined || of.has(EVENT_COUNT)) continue;
    const from = Number(BigInt(timeUnixNano) - start);
    const tid = of.get(EVENT_THREAD_ID);
    intervals.push({
      from,
      to: from + Number(of.get(EVENT_DURATION)),
      timeClass,
      tid: tid === undefined ? undefined : Number(tid),
      reason: of.get(EVENT_REASON) as string | undefined,
    });
  }
  const totals = Object.fromEntries(
    TIME_CLASSES.map((timeClass) => [timeClass, Number(attributes.get(timeAttribute(timeClass)) ?? 0)]),
  ) as Record<TimeClass, number>;
  return {
    evidence: String(evidence),
    confidence: Number(attributes.get(ATTR_CONFIDENCE)),
    durationNs: Number(BigInt(span.endTimeUnixNano) - start),
    totals,
    intervals,
  };
}

const toMap = (attributes: readonly JsonAttribute[] = []): Map<string, string | number | undefined> =>
  new Map(
    attributes.map(({ key, value }) => [key, value.stringValue ?? value.intValue ?? value.doubleValue]),
  );
