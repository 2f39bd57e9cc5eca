/**
 * The Firefox Profiler's processed profile format, version 62 (docs-developer/CHANGELOG-formats.md of firefox-devtools/
 * profiler; the viewer upgrades older versions as it loads them). A sample for each segment, weighted by its length; a
 * marker for each wait.
 */
import type { TraceExplanation } from '../explain/trace-explanation.js';
import { TIME_CLASSES, type TimeClass } from '../observer/types.js';
import { VERSION } from '../version.js';
import { rootedFrames, type Segment, threadsOf, waitLabel } from './segments.js';

const FORMAT_VERSION = 62;
const GECKO_VERSION = 24;
const INTERVAL_MARKER = 1;

/** Colours that the viewer knows. The first category has to be the grey one. */
const CATEGORIES: readonly { readonly timeClass: TimeClass; readonly color: string }[] = (
  [
    ['unattributed', 'grey'],
    ['cpu', 'yellow'],
    ['runqueue', 'orange'],
    ['lock', 'red'],
    ['net', 'blue'],
    ['disk', 'brown'],
    ['sleep', 'purple'],
    ['ipc', 'magenta'],
    ['idle', 'transparent'],
    ['other', 'lightblue'],
  ] as const
).map(([timeClass, color]) => ({ timeClass, color }));
const CATEGORY_OF = Object.fromEntries(
  TIME_CLASSES.map((timeClass) => [timeClass, CATEGORIES.findIndex((one) => one.timeClass === timeClass)]),
) as Record<TimeClass, number>;

const ms = (ns: number): number => Math.round(ns) / 1e6;

/** The tables that all threads share. */
class SharedTables {
  readonly strings = new Map<string, number>();
  readonly #functions = new Map<number, number>();
  readonly #frames = new Map<string, { func: number; category: number; index: number }>();
  readonly #stacks = new Map<string, { frame: number; prefix: number | null; index: number }>();

  string(text: string): number {
    const index = this.strings.get(text) ?? this.strings.size;
    this.strings.set(text, index);
    return index;
  }

  /** The stack's index; `frames` outermost first, at least one. */
  stack(frames: readonly string[], category: number): number {
    let prefix: number | null = null;
    for (const name of frames) {
      const frame = this.#frame(name, category);
      const key = `${prefix} ${frame}`;
      let stack = this.#stacks.get(key);
      if (stack === undefined) {
        stack = { frame, prefix, index: this.#stacks.size };
        this.#stacks.set(key, stack);
      }
      prefix = stack.index;
    }
    return prefix!;
  }

  #frame(name: string, category: number): number {
    const text = this.string(name);
    let func = this.#functions.get(text);
    if (func === undefined) {
      func = this.#functions.size;
      this.#functions.set(text, func);
    }
    const key = `${func} ${category}`;
    let frame = this.#frames.get(key);
    if (frame === undefined) {
      frame = { func, category, index: this.#frames.size };
      this.#frames.set(key, frame);
    }
    return frame.index;
  }

  toJson(): object {
    const frames = [...this.#frames.values()];
    const stacks = [...this.#stacks.values()];
    const names = [...this.#functions.keys()];
    const all = <T>(rows: readonly unknown[], value: T): T[] => rows.map(() => value);
    return {
      stringArray: [...this.strings.keys()],
      stackTable: {
        length: stacks.length,
        frame: stacks.map(({ frame }) => frame),
        prefix: stacks.map(({ prefix }) => prefix),
      },
      frameTable: {
        length: frames.length,
        address: all(frames, -1),
        inlineDepth: all(frames, 0),
        category: frames.map(({ category }) => category),
        subcategory: all(frames, 0),
        func: frames.map(({ func }) => func),
        nativeSymbol: all(frames, null),
        innerWindowID: all(frames, 0),
        line: all(frames, null),
        column: all(frames, null),
      },
      funcTable: {
        length: names.length,
        name: names,
        isJS: all(names, false),
        relevantForJS: all(names, false),
        resource: all(names, -1),
        source: all(names, null),
        lineNumber: all(names, null),
        columnNumber: all(names, null),
      },
      resourceTable: { length: 0, lib: [], name: [], host: [], type: [] },
      nativeSymbols: { length: 0, libIndex: [], address: [], name: [], functionSize: [] },
      sources: { length: 0, id: [], filename: [], startLine: [], startColumn: [], sourceMapURL: [] },
    };
  }
}

export function toFirefox(trace: TraceExplanation, segments: readonly Segment[]): object {
  const shared = new SharedTables();
  const threads = [...threadsOf(segments).values()].map((thread) =>
    threadToJson(thread, shared, trace.services.indexOf(thread[0]!.span.service) + 1),
  );
  return {
    meta: {
      version: GECKO_VERSION,
      preprocessedProfileVersion: FORMAT_VERSION,
      interval: 1,
      startTime: trace.startMs,
      processType: 0,
      product: `trace ${trace.traceId}`,
      importedFrom: `kindling ${VERSION}`,
      stackwalk: 1,
      debug: false,
      symbolicated: true,
      usesOnlyOneStackType: true,
      sourceCodeIsNotOnSearchfox: true,
      pausedRanges: [],
      extensions: { length: 0, baseURL: [], id: [], name: [] },
      categories: CATEGORIES.map(({ timeClass, color }) => ({
        name: timeClass,
        color,
        subcategories: ['Other'],
      })),
      sampleUnits: { time: 'ms', eventDelay: 'ms', threadCPUDelta: '\u00b5s' },
      markerSchema: [
        {
          name: 'Wait',
          display: ['marker-chart', 'marker-table', 'timeline-overview'],
          tooltipLabel: '{marker.name}',
          chartLabel: '{marker.data.cause}',
          tableLabel: '{marker.name}: {marker.data.cause}',
          fields: [
            { key: 'cause', label: 'Cause', format: 'string' },
            { key: 'span', label: 'Span', format: 'string' },
            { key: 'syscall', label: 'System call', format: 'string' },
            { key: 'waker', label: 'Ended by', format: 'string' },
          ],
        },
      ],
    },
    libs: [],
    pages: [],
    counters: [],
    profilerOverhead: [],
    shared: shared.toJson(),
    threads,
  };
}

function threadToJson(segments: readonly Segment[], shared: SharedTables, pid: number): object {
  const first = segments[0]!;
  const waits = segments.filter(({ timeClass }) => timeClass !== 'cpu');
  let before = 0;
  const timeDeltas = segments.map(({ from }) => {
    const delta = ms(from - before);
    before = from;
    return delta;
  });
  return {
    name: first.threadName === '' ? `thread ${first.tid}` : first.threadName,
    processName: first.span.service,
    processType: 'default',
    isMainThread: false,
    pid: String(pid),
    tid: String(first.tid),
    processStartupTime: 0,
    processShutdownTime: null,
    registerTime: 0,
    unregisterTime: null,
    pausedRanges: [],
    showMarkersInTimeline: true,
    samples: {
      length: segments.length,
      stack: segments.map((segment) => shared.stack(rootedFrames(segment), CATEGORY_OF[segment.timeClass])),
      timeDeltas,
      weight: segments.map(({ from, to }) => ms(to - from)),
      weightType: 'tracing-ms',
      // Microseconds on a CPU since the sample before.
      threadCPUDelta: segments.map(({ timeClass, from, to }) =>
        timeClass === 'cpu' ? Math.round((to - from) / 1000) : 0,
      ),
    },
    markers: {
      length: waits.length,
      name: waits.map(({ timeClass }) => shared.string(timeClass)),
      category: waits.map(({ timeClass }) => CATEGORY_OF[timeClass]),
      phase: waits.map(() => INTERVAL_MARKER),
      startTime: waits.map(({ from }) => ms(from)),
      endTime: waits.map(({ to }) => ms(to)),
      data: waits.map(({ span, interval }) => ({
        type: 'Wait',
        cause: waitLabel(interval),
        span: span.name,
        syscall: interval.syscall,
        waker: interval.wakerThread,
      })),
    },
  };
}
