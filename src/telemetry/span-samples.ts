import { SpanStatusCode } from '@opentelemetry/api';
import type { ReadableSpan, Span, SpanProcessor } from '@opentelemetry/sdk-trace-base';

/** Lower bounds of the latency buckets of a Collector's `tracez`, milliseconds. */
export const LATENCY_BOUNDS_MS = [0, 0.01, 0.1, 1, 10, 100, 1_000, 10_000, 100_000] as const;
/** Spans that each bucket keeps, the newest. */
const KEPT = 10;
/** Span names beyond this many are not kept; names are component ids and signals, so a reload may bring more. */
const MAX_NAMES = 500;

/** What is known of the spans of one name. */
export interface NamedSpans {
  /** Started and not ended, oldest first. */
  readonly running: ReadonlySet<ReadableSpan>;
  /** For each of `LATENCY_BOUNDS_MS` the newest spans that took at least so long, newest last; without errors. */
  readonly latencies: readonly (readonly ReadableSpan[])[];
  readonly errors: readonly ReadableSpan[];
}

interface Entry extends NamedSpans {
  readonly running: Set<ReadableSpan>;
  readonly latencies: ReadableSpan[][];
  readonly errors: ReadableSpan[];
}

/** Keeps a few spans of each name and latency for people to look at; memory is bounded. */
export class SpanSamples implements SpanProcessor {
  readonly #entries = new Map<string, Entry>();

  /** By span name. */
  get byName(): ReadonlyMap<string, NamedSpans> {
    return new Map([...this.#entries].toSorted(([a], [b]) => (a < b ? -1 : 1)));
  }

  onStart(span: Span): void {
    this.#entry(span.name)?.running.add(span);
  }

  onEnd(span: ReadableSpan): void {
    const entry = this.#entry(span.name);
    if (entry === undefined) return;
    entry.running.delete(span);
    const ms = durationMs(span);
    const bucket = LATENCY_BOUNDS_MS.findLastIndex((bound) => ms >= bound);
    const kept =
      span.status.code === SpanStatusCode.ERROR ? entry.errors : entry.latencies[Math.max(0, bucket)]!;
    kept.push(span);
    if (kept.length > KEPT) kept.shift();
  }

  async forceFlush(): Promise<void> {}

  async shutdown(): Promise<void> {
    this.#entries.clear();
  }

  #entry(name: string): Entry | undefined {
    let entry = this.#entries.get(name);
    if (entry === undefined && this.#entries.size < MAX_NAMES) {
      entry = { running: new Set(), latencies: LATENCY_BOUNDS_MS.map(() => []), errors: [] };
      this.#entries.set(name, entry);
    }
    return entry;
  }
}

export const durationMs = ({ duration: [seconds, nanos] }: ReadableSpan): number =>
  seconds * 1000 + nanos / 1e6;
