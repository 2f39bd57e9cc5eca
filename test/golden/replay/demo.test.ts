/**
 * A recording of the demo application through the whole agent, without privileges: the same bytes each time, every span
 * accounted for, each slow endpoint explained by its true cause. The summary is committed; UPDATE_GOLDEN=1 rewrites it.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { dispatch } from '../../../src/main.js';
import { decodeSpans } from '../../../src/otlp/decode.js';
import { fromJson } from '../../../src/otlp/json-reader.js';
import { TIME_CLASSES, type TimeClass } from '../../../src/observer/types.js';
import { ATTR_CONFIDENCE, timeAttribute } from '../../../src/semconv.js';
import { removeTemporaryDirectories, temporaryDirectory } from '../../helpers/agent.js';

const RECORDING = fileURLToPath(new URL('../../fixtures/demo.recording', import.meta.url));
const GOLDEN = fileURLToPath(new URL('./demo.json', import.meta.url));

/** Runs `kindling replay` in this process and gives the lines that the `file` exporter wrote. */
async function replay(): Promise<{ lines: string[]; log: string }> {
  const path = join(temporaryDirectory(), 'traces.jsonl');
  const config = `yaml:${JSON.stringify({
    receivers: { ebpf: {} },
    processors: { trace_profiling: {} },
    exporters: { file: { path } },
    service: { pipelines: { traces: { receivers: ['ebpf'], processors: ['trace_profiling'], exporters: ['file'] } } },
  })}`;
  let log = '';
  const io = { env: {}, out: () => {}, err: (text: string) => (log += text) };
  const code = await dispatch(['replay', RECORDING, '--config', config], io);
  expect(code, log).toBe(0);
  const lines = existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n') : [];
  return { lines, log };
}

const spansOf = (lines: readonly string[]) => lines.flatMap((line) => decodeSpans(fromJson('traces', line)));

describe('the recording of the demo', () => {
  afterAll(removeTemporaryDirectories);

  it('replays to the same spans each time, explained', { timeout: 60_000 }, async () => {
    const first = await replay();
    const second = await replay();
    expect(first.lines.length).toBeGreaterThan(0);
    expect([...second.lines].sort()).toEqual([...first.lines].sort());

    const spans = spansOf(first.lines);
    for (const span of spans) {
      if (span.attributes[ATTR_CONFIDENCE] === undefined) continue;
      const total = TIME_CLASSES.reduce((sum, name) => sum + Number(span.attributes[timeAttribute(name)] ?? 0), 0);
      expect(total, span.name).toBe(Number(span.endTimeUnixNano - span.startTimeUnixNano));
    }

    const summary = summarise(spans);
    if (process.env.UPDATE_GOLDEN === '1') writeFileSync(GOLDEN, `${JSON.stringify(summary, null, 2)}\n`);
    expect(summary).toEqual(JSON.parse(readFileSync(GOLDEN, 'utf8')));
  });
});

/** Per service, kind and path: spans, how many were explained, and how often each class was the largest. */
function summarise(spans: ReturnType<typeof spansOf>): object {
  const rows: Record<string, { spans: number; explained: number; largest: Partial<Record<TimeClass, number>> }> = {};
  for (const span of spans) {
    const { attributes } = span;
    const url = String(attributes['url.path'] ?? attributes['url.full'] ?? '');
    const path = url.replace(/^http:\/\/[^/]+/, '').replace(/\d+/g, '{id}');
    const key = `${span.resource.attributes['service.name']} ${span.kind} ${path}`;
    rows[key] ??= { spans: 0, explained: 0, largest: {} };
    const row = rows[key];
    row.spans++;
    if (attributes[ATTR_CONFIDENCE] === undefined) continue;
    row.explained++;
    const spent = (name: TimeClass) => Number(attributes[timeAttribute(name)] ?? 0);
    const largest = TIME_CLASSES.reduce((a, b) => (spent(b) > spent(a) ? b : a));
    row.largest[largest] = (row.largest[largest] ?? 0) + 1;
  }
  return Object.fromEntries(Object.entries(rows).sort(([a], [b]) => (a < b ? -1 : 1)));
}
