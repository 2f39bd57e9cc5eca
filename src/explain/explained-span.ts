/** A span as a human wants to see it: read once from OTLP, with what Kindling wrote on it (src/semconv.ts) in place. */
import { TIME_CLASSES, type TimeClass } from '../observer/types.js';
import type { Attributes, AttributeValue } from '../otlp/any-value.js';
import { SpanFlags, StatusCode, spanKindName } from '../otlp/span-constants.js';
import { type Time64, timeDifferenceNs } from '../otlp/time.js';
import type { SpanEvent, SpanView } from '../otlp/trace-view.js';
import {
  ATTR_CONFIDENCE,
  ATTR_CPU_SAMPLES,
  ATTR_EVIDENCE,
  ATTR_HOT_STACK,
  ATTR_HOT_STACK_SAMPLES,
  ATTR_SOURCE,
  ATTR_THREADS,
  EVENT_CONFIDENCE,
  EVENT_COUNT,
  EVENT_DURATION,
  EVENT_EVIDENCE,
  EVENT_FILE_PATH,
  EVENT_LOCK_ADDRESS,
  EVENT_LOCK_TIMED_OUT,
  EVENT_MAX_DURATION,
  EVENT_NAMES,
  EVENT_REASON,
  EVENT_SYSCALL,
  EVENT_THREAD_ID,
  EVENT_THREAD_NAME,
  EVENT_WAKER_PROCESS,
  EVENT_WAKER_THREAD,
  timeAttribute,
} from '../semconv.js';

/** Nanoseconds that a span spent in one class. */
export interface TimeShare {
  readonly timeClass: TimeClass;
  readonly ns: number;
}

/** One stretch of a thread's time inside a span, or several short ones told together; from a span event. */
export interface Interval {
  readonly timeClass: TimeClass;
  /** From the start of the span. Of several stretches: of the first. */
  readonly offsetNs: number;
  /** Of several stretches: of all together. */
  readonly durationNs: number;
  /** How many stretches, and the longest of them. */
  readonly count: number;
  readonly maxDurationNs: number;
  readonly threadId: number | undefined;
  readonly threadName: string;
  /** "address:port" of `net.wait`. */
  readonly peer: string;
  readonly file: string;
  readonly lockAddress: string;
  /** A wait for a lock that a timer ended. */
  readonly timedOut: boolean;
  /** "name (tid)" of the thread that ended the wait, and its process; '' for the process of the span itself. */
  readonly wakerThread: string;
  readonly wakerProcess: string;
  readonly syscall: string;
  /** Why the class, where that is not clear from the class: `page_fault`, `event_loop_busy`, ... */
  readonly reason: string;
  readonly confidence: number | undefined;
  readonly evidence: string;
}

export interface HotStack {
  /** Outermost first. */
  readonly frames: readonly string[];
  readonly samples: number;
  readonly totalSamples: number;
}

export interface ExplainedSpan {
  readonly traceId: string;
  readonly spanId: string;
  /** '' for a root. */
  readonly parentSpanId: string;
  /** Undefined when the sender does not say. */
  readonly parentIsRemote: boolean | undefined;
  readonly service: string;
  readonly name: string;
  readonly kind: ReturnType<typeof spanKindName>;
  readonly start: Time64;
  readonly durationNs: number;
  readonly status: 'unset' | 'ok' | 'error';
  readonly statusMessage: string;
  /** `kernel`: built from what the kernel saw; `sdk`: sent by the application. */
  readonly source: 'sdk' | 'kernel';
  /** Largest first, without zeros; empty when the span was not joined with anything. */
  readonly breakdown: readonly TimeShare[];
  /** In the order of time. */
  readonly intervals: readonly Interval[];
  readonly hotStack: HotStack | undefined;
  readonly confidence: number | undefined;
  readonly evidence: readonly string[];
  readonly threads: readonly number[];
  readonly attributes: Attributes;
  readonly resource: Attributes;
}

const CLASS_OF_EVENT: ReadonlyMap<string, TimeClass> = new Map(
  TIME_CLASSES.map((timeClass) => [EVENT_NAMES[timeClass], timeClass]),
);

/** Reads a span completely. Throws `MalformedError` when its bytes are broken. */
export const explainSpan = (span: SpanView): ExplainedSpan => {
  const attributes = span.attributes();
  const resource = span.resource.attributes();
  const known = (span.flags & SpanFlags.hasIsRemote) !== 0;
  return {
    traceId: span.traceId,
    spanId: span.spanId,
    parentSpanId: span.parentSpanId,
    parentIsRemote: known ? (span.flags & SpanFlags.isRemote) !== 0 : undefined,
    service: text(resource['service.name']) || '(no service.name)',
    name: span.name,
    kind: spanKindName(span.kind),
    start: span.startTime,
    durationNs: Math.max(0, span.durationNs),
    status:
      span.statusCode === StatusCode.error ? 'error' : span.statusCode === StatusCode.ok ? 'ok' : 'unset',
    statusMessage: span.statusMessage,
    source: attributes[ATTR_SOURCE] === 'kernel' ? 'kernel' : 'sdk',
    breakdown: readBreakdown(attributes),
    intervals: readIntervals(span.events(), span.startTime),
    hotStack: readHotStack(attributes),
    confidence: number(attributes[ATTR_CONFIDENCE]),
    evidence: text(attributes[ATTR_EVIDENCE])
      .split(',')
      .map((word) => word.trim())
      .filter((word) => word !== ''),
    threads: list(attributes[ATTR_THREADS])
      .map(number)
      .filter((tid) => tid !== undefined),
    attributes,
    resource,
  };
};

/** True when Kindling joined the span with what the kernel saw. */
export const isEnriched = (span: ExplainedSpan): boolean => span.breakdown.length > 0;

const readBreakdown = (attributes: Attributes): TimeShare[] =>
  TIME_CLASSES.map((timeClass) => ({ timeClass, ns: number(attributes[timeAttribute(timeClass)]) ?? 0 }))
    .filter((share) => share.ns > 0)
    .sort((a, b) => b.ns - a.ns);

const readIntervals = (events: readonly SpanEvent[], start: Time64): Interval[] => {
  const intervals: Interval[] = [];
  for (const event of events) {
    const timeClass = CLASS_OF_EVENT.get(event.name);
    const durationNs = number(event.attributes[EVENT_DURATION]);
    if (timeClass === undefined || durationNs === undefined) continue;
    const { attributes } = event;
    intervals.push({
      timeClass,
      offsetNs: timeDifferenceNs(event.time, start),
      durationNs,
      count: number(attributes[EVENT_COUNT]) ?? 1,
      maxDurationNs: number(attributes[EVENT_MAX_DURATION]) ?? durationNs,
      threadId: number(attributes[EVENT_THREAD_ID]),
      threadName: text(attributes[EVENT_THREAD_NAME]),
      peer: readPeer(attributes),
      file: text(attributes[EVENT_FILE_PATH]),
      lockAddress: text(attributes[EVENT_LOCK_ADDRESS]),
      wakerThread: text(attributes[EVENT_WAKER_THREAD]),
      wakerProcess: text(attributes[EVENT_WAKER_PROCESS]),
      timedOut: attributes[EVENT_LOCK_TIMED_OUT] === true,
      syscall: text(attributes[EVENT_SYSCALL]),
      reason: text(attributes[EVENT_REASON]),
      confidence: number(attributes[EVENT_CONFIDENCE]),
      evidence: text(attributes[EVENT_EVIDENCE]),
    });
  }
  return intervals.sort((a, b) => a.offsetNs - b.offsetNs);
};

const readPeer = (attributes: Attributes): string => {
  const address = text(attributes['network.peer.address']);
  const port = number(attributes['network.peer.port']);
  if (address === '') return '';
  const host = address.includes(':') ? `[${address}]` : address;
  return port === undefined ? address : `${host}:${port}`;
};

const readHotStack = (attributes: Attributes): HotStack | undefined => {
  const frames = text(attributes[ATTR_HOT_STACK])
    .split(';')
    .filter((frame) => frame !== '');
  if (frames.length === 0) return undefined;
  return {
    frames,
    samples: number(attributes[ATTR_HOT_STACK_SAMPLES]) ?? 0,
    totalSamples: number(attributes[ATTR_CPU_SAMPLES]) ?? 0,
  };
};

const text = (value: AttributeValue | undefined): string => (typeof value === 'string' ? value : '');
const number = (value: AttributeValue | undefined): number | undefined =>
  typeof value === 'number' ? value : typeof value === 'bigint' ? Number(value) : undefined;
const list = (value: AttributeValue | undefined): readonly AttributeValue[] =>
  Array.isArray(value) ? value : [];
