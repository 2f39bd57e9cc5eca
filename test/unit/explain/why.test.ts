import { describe, expect, it } from 'vitest';
import { describeChain, hotFunction, readableFrames, summarize } from '../../../src/explain/phrases.js';
import { explainTrace, readSpans, type TraceExplanation } from '../../../src/explain/trace-explanation.js';
import { SpanKind } from '../../../src/otlp/span-constants.js';
import { timeFromMs } from '../../../src/otlp/time.js';
import { EVENT_FILE_PATH, EVENT_REASON, EVENT_SYSCALL } from '../../../src/semconv.js';
import {
  intervalEvent,
  LOCK_TRACE_ID,
  lockTrace,
  type SpanSketch,
  spanBatch,
} from '../../helpers/enriched-trace.js';

const TRACE = LOCK_TRACE_ID;
const START = 1_700_000_000_000;
const span = (id: number, parent: number, more: Partial<SpanSketch> = {}): SpanSketch => ({
  traceId: TRACE,
  spanId: id.toString(16).padStart(16, '0'),
  ...(parent === 0 ? {} : { parentSpanId: parent.toString(16).padStart(16, '0') }),
  service: 'shop',
  name: 'GET /a',
  kind: SpanKind.server,
  startMs: START,
  durationMs: 100,
  ...more,
});
const explain = (batches: Uint8Array[]): TraceExplanation => {
  const trace = explainTrace(readSpans(batches, () => true).get(TRACE) ?? []);
  if (trace === undefined) throw new Error('no spans');
  return trace;
};
const why = (...sketches: SpanSketch[]): string => describeChain(explain(sketches.map(spanBatch)).why);

describe('explainWhy', () => {
  it('follows the waiting through client and server to the lock and who held it', () => {
    const trace = explain(lockTrace(START));
    expect(describeChain(trace.why)).toBe(
      'GET /stock/{id} in shop waited 118 ms (98 %) for GET /stock/{id} in inventory, which waited 109 ms (94 %) ' +
        'for a lock that stock-clerk (4712) of inventory (4701) released',
    );
    expect(summarize(trace.why)).toBe('90 % lock in inventory: stock-clerk (4712)');
  });

  it('starts at the outermost span that serves a request, not at the client in front of it', () => {
    expect(explain(lockTrace(START)).entry.span).toMatchObject({ service: 'shop', kind: 'server' });
  });

  it('names the function when the time went to the CPU', () => {
    expect(
      why(span(1, 0, { breakdown: { cpu: 97, idle: 3 }, hotStack: 'main;JS:*slow file:///srv/a.mjs:7:3' })),
    ).toBe('GET /a in shop ran on the CPU for 97.0 ms (97 %), mostly in slow (a.mjs:7)');
  });

  it('names the file when the time went to the disk', () => {
    const events = [
      intervalEvent(timeFromMs(START), 'disk', 5, 80, {
        [EVENT_FILE_PATH]: '/srv/x.db',
        [EVENT_SYSCALL]: 'fsync',
      }),
    ];
    expect(why(span(1, 0, { breakdown: { cpu: 20, disk: 80 }, events }))).toContain(
      'waited 80.0 ms (80 %) for the disk: /srv/x.db',
    );
  });

  it('blames the CPU, not a call that ran beside it', () => {
    expect(
      why(
        span(1, 0, { breakdown: { cpu: 90, net: 10 } }),
        span(2, 1, { name: 'GET', kind: SpanKind.client, durationMs: 95 }),
      ),
    ).toContain('ran on the CPU for 90.0 ms');
  });

  it('adds many small calls of one kind up', () => {
    const calls = Array.from({ length: 9 }, (_, i) =>
      span(i + 2, 1, {
        name: 'SELECT',
        kind: SpanKind.client,
        service: 'shop',
        startMs: START + 10 * i,
        durationMs: 9.5,
      }),
    );
    expect(why(span(1, 0, { breakdown: { cpu: 10, idle: 90 } }), ...calls)).toContain(
      'waited 85.5 ms (86 %) for 9 calls of SELECT in shop',
    );
  });

  it('mentions a second class that is large too', () => {
    expect(why(span(1, 0, { breakdown: { cpu: 53, runqueue: 47 } }))).toBe(
      'GET /a in shop ran on the CPU for 53.0 ms (53 %); another 47.0 ms (47 %) went to waiting for a CPU',
    );
  });

  it('names the server that a client without a better name asked', () => {
    const call = {
      name: 'GET',
      kind: SpanKind.client,
      attributes: { 'server.address': 'db', 'server.port': 5432 },
    };
    expect(why(span(1, 0, { breakdown: { idle: 100 } }), span(2, 1, { ...call, durationMs: 99 }))).toContain(
      'waited 99.0 ms (99 %) for GET db:5432 in shop',
    );
  });

  it('abridges long chains', () => {
    const chain = Array.from({ length: 12 }, (_, i) =>
      span(i + 1, i, { name: `hop ${i}`, durationMs: 100 - i }),
    );
    const text = why(...chain);
    expect(text).toContain('hop 0 in shop waited');
    expect(text).toContain('and so on through 7 more spans');
    expect(text).not.toContain('hop 5');
  });

  it('says that an event loop was busy with other work', () => {
    const events = [intervalEvent(timeFromMs(START), 'other', 5, 80, { [EVENT_REASON]: 'event_loop_busy' })];
    expect(why(span(1, 0, { breakdown: { cpu: 20, other: 80 }, events }))).toContain(
      'could not go on for 80.0 ms (80 %), because its event loop was busy with other work',
    );
  });

  it('does not name a holder of a lock that nobody gave', () => {
    const events = [
      {
        ...intervalEvent(timeFromMs(START), 'lock', 5, 80),
        attributes: { duration_ns: 80e6, 'lock.timed_out': true },
      },
    ];
    expect(why(span(1, 0, { breakdown: { cpu: 20, lock: 80 }, events }))).toContain(
      'gave up when the time was over',
    );
  });

  it('says so when nothing is known', () => {
    expect(why(span(1, 0))).toBe('GET /a in shop took 100 ms, of which the kernel has no detail');
  });

  it('does not claim a wait for the network when the span has not waited', () => {
    const text = why(
      span(1, 0, { breakdown: { sleep: 100 } }),
      span(2, 1, { kind: SpanKind.client, durationMs: 99 }),
    );
    expect(text).toBe('GET /a in shop slept 100 ms (100 %) in a timer');
  });
});

describe('frames', () => {
  it('are named as in the source, without the machinery around them', () => {
    const frames = [
      '_start',
      'node::LoadEnvironment(node::Environment*)',
      'JS:~processTicksAndRejections node:internal/process/task_queues:67:35',
      'JS:*run node:async_hooks:332:14',
      'JS:*cosineSimilarity file:///srv/demo/shop.mjs:40:27',
      'JS:^ /srv/app/index.js:3:1',
      'compress_block',
    ];
    expect(readableFrames(frames)).toEqual([
      'cosineSimilarity (shop.mjs:40)',
      '(anonymous) (index.js:3)',
      'compress_block',
    ]);
    expect(readableFrames(['_start', 'uv_run'])).toEqual(['_start', 'uv_run']);
    expect(hotFunction(undefined)).toBe('');
  });
});
