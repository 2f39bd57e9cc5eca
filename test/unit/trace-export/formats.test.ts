/** The same trace in each format, read back by what its specification says. */
import { gunzipSync } from 'node:zlib';
import protobuf from 'protobufjs';
import { describe, expect, it } from 'vitest';
import { explainTrace, readSpans, type TraceExplanation } from '../../../src/explain/trace-explanation.js';
import { SpanKind } from '../../../src/otlp/span-constants.js';
import { timeFromMs } from '../../../src/otlp/time.js';
import { TRACE_FORMATS } from '../../../src/trace-export/formats.js';
import {
  mergedTotals,
  NOT_SAMPLED,
  type PlacedSample,
  segmentsOf,
  threadKey,
} from '../../../src/trace-export/segments.js';
import { intervalEvent, LOCK_TRACE_ID, lockTrace, spanBatch } from '../../helpers/enriched-trace.js';

/** Small: fractions of milliseconds are exact. */
const START = 1000;
const MS = 1_000_000;

function explained(batches: readonly Uint8Array[]): TraceExplanation {
  const [spans] = readSpans(batches, () => true).values();
  return explainTrace(spans!)!;
}
const trace = explained(lockTrace(START));
/** The thread of `inventory` runs from 2.6 to 3.5 ms and from 116.2 to 117.2 ms after the trace's start. */
const key = threadKey('inventory', 4701);
const at = (ms: number, ...stack: string[]): PlacedSample => ({ at: ms * MS, stack });
const SAMPLES = new Map([[key, [at(3, 'main', 'parse'), at(60, 'asleep'), at(116.5, 'main', 'reply;now')]]]);

function text(format: string, samples: ReadonlyMap<string, PlacedSample[]> = SAMPLES): string {
  const written = TRACE_FORMATS[format]!(trace, segmentsOf(trace, samples), mergedTotals(trace));
  if (typeof written !== 'string') throw new Error(`${format} is no text`);
  return written;
}

describe('segments', () => {
  it('give a sample the time on a CPU since the one before, and the last one the rest', () => {
    const cpu = segmentsOf(trace, SAMPLES).filter(
      ({ span, timeClass }) => span.service === 'inventory' && timeClass === 'cpu',
    );
    expect(cpu.map(({ from, to, frames }) => [from / MS, to / MS, frames.at(-1)])).toEqual([
      [2.6, 3, 'parse'],
      [3, 3.5, 'reply;now'],
      [116.2, 117.2, 'reply;now'],
    ]);
    expect(cpu.every(({ isSampled }) => isSampled)).toBe(true);
  });

  it('say that nothing was sampled, and why a thread waited', () => {
    const frames = segmentsOf(trace, new Map()).map((segment) => segment.frames.join());
    expect(frames).toContain(NOT_SAMPLED);
    expect(frames).toContain('lock wait, released by stock-clerk (4712)');
    expect(frames).toContain('disk wait for /srv/inventory/shelf.db');
  });

  it('count a moment of a thread once, for the innermost span', () => {
    const traceId = 'a'.repeat(32);
    const span = (spanId: string, parentSpanId: string, startMs: number, durationMs: number) =>
      spanBatch({
        traceId,
        spanId,
        parentSpanId,
        service: 's',
        name: spanId.slice(0, 1),
        kind: SpanKind.internal,
        startMs: START + startMs,
        durationMs,
        breakdown: { cpu: durationMs },
        events: [intervalEvent(timeFromMs(START + startMs), 'cpu', 0, durationMs)],
      });
    const nested = explained([span('1'.repeat(16), '', 0, 10), span('2'.repeat(16), '1'.repeat(16), 2, 3)]);
    const segments = segmentsOf(nested, new Map());
    expect(segments.map(({ span: { name }, from, to }) => [name, from / MS, to / MS])).toEqual([
      ['1', 0, 2],
      ['2', 2, 5],
      ['1', 5, 10],
    ]);
    const only = segmentsOf(nested, new Map(), ({ name }) => name === '1');
    expect(only.map(({ from, to }) => (to - from) / MS)).toEqual([2, 5]);
  });
});

describe('the formats', () => {
  it('collapsed: frames without separators, nanoseconds, merged totals included', () => {
    const lines = Object.fromEntries(
      text('collapsed')
        .trim()
        .split('\n')
        .map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
    );
    expect(lines['inventory;GET /stock/{id};main;parse']).toBe(0.4 * MS);
    expect(lines['inventory;GET /stock/{id};main;reply:now']).toBe(1.5 * MS);
    expect(lines['inventory;GET /stock/{id};disk wait, 9 short stretches']).toBe(0.7 * MS);
    // Shop: 1.4 + 118.37 + 0.91 ms; inventory: 113.81 ms in events of their own and 0.7 ms merged.
    expect(Object.values(lines).reduce((sum, ns) => sum + ns, 0)).toBeCloseTo(235.19 * MS, -1);
  });

  it('pprof: read back with its schema', () => {
    const bytes = TRACE_FORMATS.pprof!(trace, segmentsOf(trace, SAMPLES), mergedTotals(trace));
    const { root } = protobuf.parse(`syntax = "proto3";
      message Profile { repeated ValueType sample_type = 1; repeated Sample sample = 2; repeated Location location = 4;
        repeated Function function = 5; repeated string string_table = 6; int64 time_nanos = 9; int64 duration_nanos = 10; }
      message ValueType { int64 type = 1; int64 unit = 2; }
      message Sample { repeated uint64 location_id = 1; repeated int64 value = 2; repeated Label label = 3; }
      message Label { int64 key = 1; int64 str = 2; }
      message Location { uint64 id = 1; repeated Line line = 4; }
      message Line { uint64 function_id = 1; }
      message Function { uint64 id = 1; int64 name = 2; }`);
    const Profile = root.lookupType('Profile');
    const profile = Profile.toObject(Profile.decode(gunzipSync(bytes as Uint8Array)), { longs: Number }) as {
      stringTable: string[];
      sampleType: { type: number; unit: number }[];
      sample: { locationId: number[]; value: number[]; label: { key: number; str: number }[] }[];
      location: { id: number; line: { functionId: number }[] }[];
      function: { id: number; name: number }[];
    };
    const string = (index: number): string => profile.stringTable[index]!;
    expect(profile.stringTable[0]).toBe('');
    expect(profile.sampleType.map(({ type, unit }) => `${string(type)} ${string(unit)}`)).toEqual([
      'cpu nanoseconds',
      'off_cpu nanoseconds',
    ]);
    const nameOf = (location: number): string => {
      const { functionId } = profile.location.find(({ id }) => id === location)!.line[0]!;
      return string(profile.function.find(({ id }) => id === functionId)!.name);
    };
    const samples = profile.sample.map(({ locationId, value, label }) => ({
      stack: locationId.map(nameOf),
      value,
      label: Object.fromEntries(label.map((one) => [string(one.key), string(one.str)])),
    }));
    expect(samples).toContainEqual({
      stack: ['parse', 'main', 'GET /stock/{id}', 'inventory'],
      value: [0.4 * MS, 0],
      label: { thread: 'inventory: node (4701)', span_id: '00f067aa0ba902ba', trace_id: LOCK_TRACE_ID },
    });
    expect(samples).toContainEqual(
      expect.objectContaining({
        stack: ['lock wait, released by stock-clerk (4712)', 'GET /stock/{id}', 'inventory'],
        value: [0, 109.2 * MS],
      }),
    );
  });

  it('speedscope: stacks point to frames, weights fill the range', () => {
    const file = JSON.parse(text('speedscope')) as {
      $schema: string;
      shared: { frames: { name: string }[] };
      profiles: {
        type: string;
        unit: string;
        startValue: number;
        endValue: number;
        samples: number[][];
        weights: number[];
      }[];
    };
    expect(file.$schema).toBe('https://www.speedscope.app/file-format-schema.json');
    expect(file.profiles).toHaveLength(2);
    for (const { type, unit, startValue, endValue, samples, weights } of file.profiles) {
      expect([type, unit]).toEqual(['sampled', 'nanoseconds']);
      expect(weights).toHaveLength(samples.length);
      expect(weights.reduce((sum, weight) => sum + weight, startValue)).toBeCloseTo(endValue, 3);
      for (const index of samples.flat()) expect(file.shared.frames[index]?.name).toBeTypeOf('string');
    }
  });

  it('chrome: complete events on named threads, spans that begin and end', () => {
    const { traceEvents } = JSON.parse(text('chrome')) as {
      traceEvents: {
        ph: string;
        pid: number;
        tid?: number;
        ts?: number;
        dur?: number;
        name: string;
        id?: string;
        args?: Record<string, unknown>;
      }[];
    };
    const of = (phase: string) => traceEvents.filter(({ ph }) => ph === phase);
    expect(of('M').map(({ args }) => args?.name)).toEqual(['load', 'shop', 'inventory', 'node', 'node']);
    expect(of('b').map(({ id }) => id)).toEqual(of('e').map(({ id }) => id));
    expect(of('b')).toHaveLength(4);
    const lock = of('X').find(({ name }) => name.startsWith('lock wait'));
    expect(lock).toMatchObject({ pid: 3, tid: 4701, ts: 3500, dur: 109_200 });
    expect(lock?.args).toMatchObject({ lockAddress: '0x7f12ab340010', spanId: '00f067aa0ba902ba' });
    expect(of('X').find(({ name }) => name === 'parse')?.args?.stack).toBe('main;parse');
  });

  it('firefox: columns of one length, indices within their tables', () => {
    type Table = { length: number } & Record<string, (number | null)[]>;
    const profile = JSON.parse(text('firefox')) as {
      meta: {
        preprocessedProfileVersion: number;
        categories: { name: string; color: string }[];
        markerSchema: { name: string }[];
      };
      shared: Record<'stackTable' | 'frameTable' | 'funcTable', Table> & { stringArray: string[] };
      threads: {
        name: string;
        samples: Table & { weightType: string };
        markers: Table & { data: { type: string; cause: string }[] };
      }[];
    };
    const { stackTable, frameTable, funcTable, stringArray } = profile.shared;
    expect(profile.meta.preprocessedProfileVersion).toBe(62);
    expect(profile.meta.categories[0]?.color).toBe('grey');
    const tables = [
      stackTable,
      frameTable,
      funcTable,
      ...profile.threads.flatMap(({ samples, markers }) => [samples, markers as Table]),
    ];
    for (const { length, ...columns } of tables) {
      for (const column of Object.values(columns))
        if (Array.isArray(column)) expect(column).toHaveLength(length);
    }
    expect(stackTable.prefix!.every((prefix, index) => prefix === null || prefix < index)).toBe(true);
    const nameOf = (stack: number): string =>
      stringArray[funcTable.name![frameTable.func![stackTable.frame![stack]!]!]!]!;
    const inventory = profile.threads[1]!;
    expect(inventory.samples.stack!.map((stack) => nameOf(stack!))).toContain('parse');
    expect(inventory.samples.weightType).toBe('tracing-ms');
    expect(inventory.samples.weight!.reduce<number>((sum, weight) => sum + weight!, 0)).toBeCloseTo(
      113.81,
      3,
    );
    expect(inventory.markers.data.map(({ cause }) => cause)).toContain(
      'lock wait, released by stock-clerk (4712)',
    );
    expect(
      inventory.markers.data.every(({ type }) => profile.meta.markerSchema.some(({ name }) => name === type)),
    ).toBe(true);
  });

  it('json: the trace and its segments', () => {
    const { trace_id, segments } = JSON.parse(text('json')) as { trace_id: string; segments: object[] };
    expect(trace_id).toBe(LOCK_TRACE_ID);
    expect(segments).toContainEqual({
      span_id: '00f067aa0ba902ba',
      service: 'inventory',
      thread_id: 4701,
      thread_name: 'node',
      class: 'cpu',
      offset_ns: 2.6 * MS,
      duration_ns: 0.4 * MS,
      stack: ['main', 'parse'],
      sampled: true,
    });
  });
});
