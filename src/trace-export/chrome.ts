/**
 * The Trace Event Format of chrome://tracing, which the Perfetto UI reads too
 * (https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU): a process for each service, spans as
 * asynchronous events, what threads did as complete events on their rows, wake-ups as arrows.
 */
import type { TraceExplanation } from '../explain/trace-explanation.js';
import { timeDifferenceNs } from '../otlp/time.js';
import { type Segment, threadsOf, waitLabel } from './segments.js';

type Event = Readonly<Record<string, unknown>>;

/** Microseconds, with decimals. */
const us = (ns: number): number => Math.round(ns) / 1000;

export function toChrome(trace: TraceExplanation, segments: readonly Segment[]): object {
  const pids = new Map(trace.services.map((service, index) => [service, index + 1]));
  const events: Event[] = [...pids].map(([name, pid]) => ({
    ph: 'M',
    name: 'process_name',
    pid,
    args: { name },
  }));
  for (const [first] of threadsOf(segments).values()) {
    const { span, tid, threadName } = first!;
    const name = threadName === '' ? `thread ${tid}` : threadName;
    events.push({ ph: 'M', name: 'thread_name', pid: pids.get(span.service), tid, args: { name } });
  }
  for (const { span } of trace.nodes) {
    const ts = timeDifferenceNs(span.start, trace.first.start);
    const common = { cat: 'span', name: span.name, id: span.spanId, pid: pids.get(span.service), tid: 0 };
    const { traceId, spanId, parentSpanId, kind, status, evidence, confidence } = span;
    const args = { traceId, spanId, parentSpanId, kind, status, evidence: evidence.join(), confidence };
    events.push({ ...common, ph: 'b', ts: us(ts), args });
    events.push({ ...common, ph: 'e', ts: us(ts + span.durationNs) });
  }
  const threads = [...threadsOf(segments).values()];
  let arrows = 0;
  for (const segment of segments) {
    const { span, tid, interval, from, to, timeClass } = segment;
    const pid = pids.get(span.service);
    const { syscall, peer, file, lockAddress, wakerThread, wakerProcess } = interval;
    const details = { syscall, peer, file, lockAddress, wakerThread, wakerProcess };
    const known = Object.fromEntries(Object.entries(details).filter(([, text]) => text !== ''));
    const stack = segment.isSampled ? { stack: segment.frames.join(';') } : {};
    events.push({
      ph: 'X',
      cat: timeClass,
      name:
        timeClass === 'cpu' ? (segment.isSampled ? segment.frames.at(-1) : 'on-CPU') : waitLabel(interval),
      pid,
      tid,
      ts: us(from),
      dur: us(to - from),
      args: { span: span.name, spanId: span.spanId, confidence: interval.confidence, ...known, ...stack },
    });
    const waker = wakerSegment(segment, threads);
    if (waker === undefined) continue;
    const arrow = { cat: 'wake', name: 'wakes', id: ++arrows };
    events.push({ ...arrow, ph: 's', pid: pids.get(waker.span.service), tid: waker.tid, ts: us(to) });
    events.push({ ...arrow, ph: 'f', bp: 'e', pid, tid, ts: us(to) });
  }
  return { displayTimeUnit: 'ns', traceEvents: events, otherData: { traceId: trace.traceId } };
}

/** What the thread that ended a wait did at that moment, when that is a part of the trace. */
function wakerSegment(
  { interval, timeClass, to }: Segment,
  threads: readonly Segment[][],
): Segment | undefined {
  const waker = /\((\d+)\)$/.exec(interval.wakerThread);
  if (waker === null || timeClass === 'runqueue') return undefined;
  const tid = Number(waker[1]);
  return threads.find(([first]) => first!.tid === tid)?.find((other) => other.from <= to && to <= other.to);
}
