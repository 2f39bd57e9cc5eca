import { describe, expect, it } from 'vitest';
import { buildSpanTree, flattenTree } from '../../../src/explain/span-tree.js';
import { readSpans } from '../../../src/explain/trace-explanation.js';
import { SpanKind } from '../../../src/otlp/span-constants.js';
import { type SpanSketch, spanBatch } from '../../helpers/enriched-trace.js';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const sketch = (spanId: number, parent: number | undefined, more: Partial<SpanSketch> = {}): SpanSketch => ({
  traceId: TRACE,
  spanId: spanId.toString(16).padStart(16, '0'),
  ...(parent === undefined ? {} : { parentSpanId: parent.toString(16).padStart(16, '0') }),
  service: 'shop',
  name: `span ${spanId}`,
  kind: SpanKind.internal,
  startMs: 1_700_000_000_000 + spanId,
  durationMs: 10,
  ...more,
});
const outline = (...sketches: SpanSketch[]): string[] =>
  flattenTree(buildSpanTree(readSpans(sketches.map(spanBatch), () => true).get(TRACE) ?? [])).map(
    ({ span, depth }) => `${'-'.repeat(depth)}${span.name}`,
  );

describe('buildSpanTree', () => {
  it('puts children below parents by start time, whatever order they came in', () => {
    expect(outline(sketch(4, 2), sketch(3, 1), sketch(2, 1), sketch(1, undefined))).toEqual([
      'span 1',
      '-span 2',
      '--span 4',
      '-span 3',
    ]);
  });

  it('makes a root of a span whose parent never came', () => {
    expect(outline(sketch(2, 9), sketch(3, 2))).toEqual(['span 2', '-span 3']);
  });

  it('keeps one copy of a span, the enriched one', () => {
    const plain = sketch(1, undefined, { name: 'plain', attributes: { a: 1, b: 2, c: 3 } });
    const enriched = sketch(1, undefined, { name: 'enriched', breakdown: { cpu: 10 } });
    expect(outline(plain, enriched, plain)).toEqual(['enriched']);
    expect(outline(enriched, plain)).toEqual(['enriched']);
  });

  it('puts the server below the client that shares its id, as Zipkin does', () => {
    const client = sketch(2, 1, { name: 'client', kind: SpanKind.client, service: 'shop' });
    const server = sketch(2, 1, { name: 'server', kind: SpanKind.server, service: 'stock' });
    const inner = sketch(3, 2, { name: 'inner', service: 'stock' });
    expect(outline(server, inner, client, sketch(1, undefined))).toEqual([
      'span 1',
      '-client',
      '--server',
      '---inner',
    ]);
  });

  it('survives spans that are their own ancestors', () => {
    expect(outline(sketch(1, 1))).toEqual(['span 1']);
    const circle = outline(sketch(1, 3), sketch(2, 1), sketch(3, 2));
    expect(circle.map((line) => line.replaceAll('-', '')).sort()).toEqual(['span 1', 'span 2', 'span 3']);
  });

  it('survives very deep trees', () => {
    const deep = Array.from({ length: 20_000 }, (_, i) => sketch(i + 1, i === 0 ? undefined : i));
    expect(outline(...deep).length).toBe(20_000);
  });
});
