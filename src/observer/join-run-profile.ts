/**
 * The profile of a request whose thread ran from its first byte to its last: one class, one interval. Only the times
 * differ between two such requests of a thread, so the rest is encoded once and copied.
 *
 * The bytes are those that `encodeProfile` gives for the same breakdown; a test compares them.
 */
import type { Time64 } from '../otlp/time.js';
import { beginSpanEvent, putEventAttribute, putSpanAttribute } from '../otlp/trace-writer.js';
import { WireWriter } from '../otlp/wire-writer.js';
import {
  ATTR_CONFIDENCE,
  ATTR_EVIDENCE,
  ATTR_THREADS,
  ATTR_TRIGGER,
  EVENT_CONFIDENCE,
  EVENT_COUNT,
  EVENT_DURATION,
  EVENT_EVIDENCE,
  EVENT_MAX_DURATION,
  EVENT_NAMES,
  EVENT_THREAD_ID,
  EVENT_THREAD_NAME,
  timeAttribute,
} from '../semconv.js';
import { MIN_EVENT_NS, type ProfileContext } from './join-profile.js';
import type { Trigger } from './triggers/trigger-types.js';
import type { Exchange, MonoNs } from './types.js';

/** As long as the process table itself takes a thread's name to be fresh. */
const FRESH_NS = 5e9;
const TIME_ON_CPU = timeAttribute('cpu');
const MAX_TEMPLATES = 4096;

interface RunTemplate {
  readonly tgid: number;
  readonly until: MonoNs;
  /** Span attributes after the time on a CPU. */
  readonly span: Uint8Array;
  /** Event attributes after the duration, of an interval that is told by itself and of one that is merged. */
  readonly told: Uint8Array;
  readonly merged: Uint8Array;
}

/** What the runs of each thread have in common, for one kind of evidence. */
export class RunTemplates {
  readonly #confidence: number;
  readonly #evidence: string;
  readonly #byThread = new Map<number, RunTemplate>();

  constructor(confidence: number, evidence: string) {
    this.#confidence = confidence;
    this.#evidence = evidence;
  }

  of(context: ProfileContext, tgid: number, tid: number, now: MonoNs): RunTemplate {
    const known = this.#byThread.get(tid);
    if (known !== undefined && known.tgid === tgid && now < known.until) return known;
    const template: RunTemplate = {
      tgid,
      until: now + FRESH_NS,
      span: encoded((writer) => {
        putSpanAttribute(writer, timeAttribute('unattributed'), 0);
        putSpanAttribute(writer, ATTR_CONFIDENCE, { double: this.#confidence });
        putSpanAttribute(writer, ATTR_EVIDENCE, this.#evidence);
        putSpanAttribute(writer, ATTR_THREADS, [tid]);
      }),
      told: encoded((writer) => {
        const name = context.processes.threadName(tgid, tid);
        putEventAttribute(writer, EVENT_THREAD_ID, tid);
        putEventAttribute(writer, EVENT_THREAD_NAME, name || undefined);
        this.#putSource(writer);
      }),
      merged: encoded((writer) => this.#putSource(writer)),
    };
    if (this.#byThread.size >= MAX_TEMPLATES) this.#byThread.clear();
    this.#byThread.set(tid, template);
    return template;
  }

  #putSource(writer: WireWriter): void {
    putEventAttribute(writer, EVENT_CONFIDENCE, { double: this.#confidence });
    putEventAttribute(writer, EVENT_EVIDENCE, this.#evidence);
  }
}

/** The bytes are those of the context's writer: valid until the next call. `durationNs` is a whole number above 0. */
export function encodeRun(
  context: ProfileContext,
  { tgid, requestTid, requestStart }: Exchange,
  templates: RunTemplates,
  durationNs: number,
  clock: { toUnix(mono: MonoNs): Time64 },
  trigger: Trigger | undefined,
): Uint8Array {
  const { writer } = context;
  const template = templates.of(context, tgid, requestTid, requestStart);
  writer.reset();
  putSpanAttribute(writer, TIME_ON_CPU, durationNs);
  writer.raw(template.span);
  if (trigger === undefined) return writer.bytes.subarray(0, writer.pos);
  const before = writer.pos;
  putSpanAttribute(writer, ATTR_TRIGGER, trigger);
  const mark = beginSpanEvent(writer, clock.toUnix(requestStart), EVENT_NAMES.cpu);
  putEventAttribute(writer, EVENT_DURATION, durationNs);
  if (durationNs >= MIN_EVENT_NS) writer.raw(template.told);
  else {
    putEventAttribute(writer, EVENT_COUNT, 1);
    putEventAttribute(writer, EVENT_MAX_DURATION, durationNs);
    writer.raw(template.merged);
  }
  writer.close(mark);
  context.details.wrote(trigger, writer.pos - before);
  return writer.bytes.subarray(0, writer.pos);
}

function encoded(write: (writer: WireWriter) => void): Uint8Array {
  const writer = new WireWriter(256);
  write(writer);
  return writer.finish();
}
