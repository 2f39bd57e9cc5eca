/**
 * `/debug/tracez`: how many spans of the agent itself there are of each name and latency, and those that were kept. Query
 * parameters are those of a Collector (go.opentelemetry.io/contrib/zpages): `zspanname`, `ztype` (0 running, 1 by latency,
 * 2 errors) and `zlatencybucket`.
 */
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';
import { formatDuration } from '../../config/duration.js';
import {
  durationMs,
  LATENCY_BOUNDS_MS,
  type NamedSpans,
  type SpanSamples,
} from '../../telemetry/span-samples.js';
import { type Cell, escapeHtml, htmlTable, link } from './html.js';

const KINDS = ['running', 'latency', 'error'] as const;

export function tracezPage(samples: SpanSamples, query: URLSearchParams): string {
  const { byName } = samples;
  const name = query.get('zspanname');
  const overview = `${htmlTable(
    [
      'Span Name',
      'Running',
      ...LATENCY_BOUNDS_MS.map((bound) => `[>${formatDuration(bound)}]`),
      'Error Samples',
    ],
    [...byName].map(([spanName, spans]) => row(spanName, spans)),
  )}<p>A number is how many spans are kept, at most ten of each kind.</p>\n`;
  const chosen = name === null ? undefined : byName.get(name);
  if (name === null || chosen === undefined) return overview;
  const kind = KINDS[Number(query.get('ztype') ?? '0')] ?? 'running';
  const bucket = Number(query.get('zlatencybucket') ?? '0');
  const spans =
    kind === 'running'
      ? [...chosen.running]
      : kind === 'error'
        ? chosen.errors
        : (chosen.latencies[bucket] ?? []);
  const title = `${name}, ${kind}${kind === 'latency' ? ` from ${formatDuration(LATENCY_BOUNDS_MS[bucket] ?? 0)}` : ''}`;
  const rows = spans.toReversed().map(cells);
  return `${overview}<h2>${escapeHtml(title)}</h2>\n${htmlTable(['Start', 'Duration', 'Trace', 'Span', 'Status', 'Attributes'], rows)}`;
}

function row(name: string, { running, latencies, errors }: NamedSpans): Cell[] {
  const to = (type: number, count: number, bucket?: number): Cell => {
    const query = new URLSearchParams({ zspanname: name, ztype: String(type) });
    if (bucket !== undefined) query.set('zlatencybucket', String(bucket));
    return count === 0 ? '0' : link(`tracez?${query}`, String(count));
  };
  return [
    name,
    to(0, running.size),
    ...latencies.map((spans, bucket) => to(1, spans.length, bucket)),
    to(2, errors.length),
  ];
}

function cells(span: ReadableSpan): Cell[] {
  const [seconds, nanos] = span.startTime;
  const { traceId, spanId } = span.spanContext();
  return [
    new Date(seconds * 1000 + nanos / 1e6).toISOString(),
    span.ended ? formatDuration(durationMs(span)) : 'running',
    traceId,
    spanId,
    span.status.message ?? 'ok',
    Object.entries(span.attributes)
      .map(([key, value]) => `${key}=${String(value)}`)
      .join(' '),
  ];
}
