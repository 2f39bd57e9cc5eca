/**
 * The registry under the names that dashboards and alerts for a Collector use
 * (https://opentelemetry.io/docs/collector/internal-telemetry/): `otelcol_receiver_accepted_spans{receiver,transport}` and
 * so on, without unit and `_total`.
 *
 * What differs: `otelcol_receiver_failed_*` counts what an unexpected error in the pipeline lost (a Collector counts
 * those as refused). Requests that can't be decoded are in `kindling_receiver_undecodable_requests`.
 */
import type { Signal } from '../../component/signal.js';
import type { AccountLine, Sample, Snapshot, Unit } from '../registry.js';
import type { Family, Point } from './family.js';

export type MetricsLevel = 'none' | 'basic' | 'normal' | 'detailed';

const NOUNS: Readonly<Record<Signal, readonly [name: string, words: string]>> = {
  traces: ['spans', 'spans'],
  metrics: ['metric_points', 'metric points'],
  logs: ['log_records', 'log records'],
  profiles: ['profile_samples', 'profile samples'],
};
const isSignal = (unit: Unit): unit is Signal => unit !== 'events';

const RECEIVER_HELP = {
  accepted: 'that the pipeline accepted',
  refused: 'that the pipeline refused',
  failed: 'that a receiver lost by an error of its own',
} as const;

/** Reasons of an exporter that mean "never got into the queue". */
const ENQUEUE_REASONS: ReadonlySet<string> = new Set(['queue_full', 'memory_budget', 'storage_failed']);

export function collectorFamilies(snapshot: Snapshot, level: MetricsLevel): Family[] {
  const book = new Book();
  for (const line of snapshot.accounts) {
    if (!isSignal(line.unit)) continue;
    if (line.component.kind === 'exporter') addExporter(book, snapshot, line, line.unit);
    if (line.component.kind === 'receiver') addReceiver(book, snapshot, line, line.unit);
    if (line.component.kind === 'processor') addProcessor(book, line, line.unit);
  }
  for (const sample of snapshot.samples) {
    if (sample.component.kind === 'exporter') addQueue(book, sample);
    if (sample.component.kind === 'processor') addMemoryLimiter(book, sample);
    if (sample.component.kind === 'connector') addServiceGraph(book, sample);
  }
  const families = book.families();
  return level === 'basic' ? families : [...families, ...batchFamilies(snapshot.samples)];
}

/** Families under construction; points with equal labels (one processor in two pipelines) are added up. */
class Book {
  readonly #families = new Map<
    string,
    { type: 'counter' | 'gauge'; help: string; points: Map<string, Point> }
  >();

  add(
    type: 'counter' | 'gauge',
    name: string,
    help: string,
    labels: Readonly<Record<string, string>>,
    value: number,
  ): void {
    let family = this.#families.get(name);
    if (family === undefined) {
      family = { type, help: `${help}. [Alpha]`, points: new Map() };
      this.#families.set(name, family);
    }
    const key = JSON.stringify(labels);
    family.points.set(key, { labels, value: value + (family.points.get(key)?.value ?? 0) });
  }

  families(): Family[] {
    return [...this.#families].map(([name, { type, help, points }]) => ({
      name: `otelcol_${name}`,
      type,
      help,
      points: [...points.values()],
    }));
  }
}

const SERVICE_GRAPH_HELP: Readonly<Record<string, string>> = {
  total_edges: 'Total number of unique edges',
  expired_edges: 'Number of edges that expired before finding its matching span',
  dropped_spans: 'Number of spans dropped when trying to add edges',
};

function addServiceGraph(book: Book, { component, name, value }: Sample): void {
  const help = SERVICE_GRAPH_HELP[name];
  const type = typeOf(component.id);
  if (help === undefined || (type !== 'service_graph' && type !== 'servicegraph')) return;
  book.add('counter', `connector_servicegraph_${name}`, help, {}, value);
}

const sameInstance = (a: AccountLine['component'], b: AccountLine['component']): boolean =>
  a.kind === b.kind && a.id === b.id && a.instance === b.instance;

/** By transport where the receiver counts that (once a request came); else as a whole. */
function addReceiver(book: Book, snapshot: Snapshot, line: AccountLine, signal: Signal): void {
  const { id } = line.component;
  const [noun, words] = NOUNS[signal];
  const add = (transport: string, outcome: keyof typeof RECEIVER_HELP, value: number): void =>
    book.add(
      'counter',
      `receiver_${outcome}_${noun}`,
      `Number of ${words} ${RECEIVER_HELP[outcome]}`,
      { receiver: id, transport },
      value,
    );
  const own = snapshot.samples.filter(
    ({ component, name }) => name === 'transport_items' && sameInstance(component, line.component),
  );
  if (own.length === 0) {
    // A receiver of requests says nothing before the first one; one of other things has no transport.
    if (
      snapshot.samples.some(
        ({ component, name }) => name === 'transports' && sameInstance(component, line.component),
      )
    )
      return;
    const { refused = 0, rejected = 0, ...others } = line.dropped;
    add('', 'accepted', line.sent);
    add('', 'refused', refused + rejected);
    add(
      '',
      'failed',
      Object.values(others).reduce((sum, items) => sum + items, 0),
    );
    return;
  }
  for (const { labels, value } of own) {
    if (labels.data_type !== signal) continue;
    for (const outcome of ['accepted', 'refused', 'failed'] as const) {
      add(labels.transport ?? '', outcome, labels.outcome === outcome ? value : 0);
    }
  }
}

function addExporter(book: Book, snapshot: Snapshot, line: AccountLine, signal: Signal): void {
  const { id } = line.component;
  const [noun, words] = NOUNS[signal];
  const where = snapshot.samples.find(
    ({ component, name }) => name === 'endpoint_info' && sameInstance(component, line.component),
  );
  const labels = { exporter: id, ...where?.labels };
  let failed = 0;
  let notQueued = 0;
  for (const [reason, items] of Object.entries(line.dropped)) {
    if (ENQUEUE_REASONS.has(reason)) notQueued += items;
    else failed += items;
  }
  book.add('counter', `exporter_sent_${noun}`, `Number of ${words} sent`, labels, line.sent);
  book.add(
    'counter',
    `exporter_send_failed_${noun}`,
    `Number of ${words} that could not be sent`,
    labels,
    failed,
  );
  book.add(
    'counter',
    `exporter_enqueue_failed_${noun}`,
    `Number of ${words} that found the queue full`,
    { exporter: id },
    notQueued,
  );
}

function addProcessor(book: Book, line: AccountLine, signal: Signal): void {
  const { id } = line.component;
  // A Collector's batch processor has metrics of its own instead.
  if (typeOf(id) === 'batch') return;
  const labels = { processor: id, otel_signal: signal };
  book.add('counter', 'processor_incoming_items', 'Number of items that came in', labels, line.received);
  book.add('counter', 'processor_outgoing_items', 'Number of items that went out', labels, line.sent);
}

function addQueue(book: Book, { component, name, labels, value }: Sample): void {
  const help = {
    queue_size: 'Batches in the sending queue, in units of its sizer',
    queue_capacity: 'Most that the sending queue holds, in units of its sizer',
    in_flight_requests: 'Requests that wait for their answer',
  }[name];
  if (help === undefined) return;
  const all = { exporter: component.id, data_type: labels.data_type ?? '' };
  book.add('gauge', `exporter_${name}`, help, all, value);
}

function addMemoryLimiter(book: Book, { component, name, labels, value }: Sample): void {
  if (typeOf(component.id) !== 'memory_limiter' || !(name === 'accepted' || name === 'refused')) return;
  const [noun, words] = NOUNS[(labels.signal ?? 'traces') as Signal];
  const help = `Number of ${words} that the memory limiter ${name}`;
  book.add('counter', `processor_memory_limiter_${name}_${noun}`, help, { processor: component.id }, value);
}

/** Upper bounds of the histogram of batch sizes, as a Collector has them. */
export const BATCH_SIZE_BOUNDS = [
  10, 25, 50, 75, 100, 250, 500, 750, 1000, 2000, 3000, 4000, 5000, 6000, 7000, 8000, 9000, 10_000, 20_000,
  30_000, 50_000, 100_000,
] as const;

function batchFamilies(samples: readonly Sample[]): Family[] {
  const own = samples.filter(
    ({ component }) => component.kind === 'processor' && typeOf(component.id) === 'batch',
  );
  const ids = [...new Set(own.map(({ component }) => component.id))];
  const sum = (id: string, name: string, le?: string): number =>
    own
      .filter(
        (one) => one.component.id === id && one.name === name && (le === undefined || one.labels.le === le),
      )
      .reduce((total, { value }) => total + value, 0);
  const family = (name: string, type: Family['type'], help: string, points: readonly Point[]): Family => ({
    name: `otelcol_processor_batch_${name}`,
    type,
    help: `${help}. [Alpha]`,
    points,
  });
  const perId = (value: (id: string) => number): Point[] =>
    ids.map((id) => ({ labels: { processor: id }, value: value(id) }));
  const sizes = ids.flatMap((id): Point[] => {
    let below = 0;
    const buckets = BATCH_SIZE_BOUNDS.map((bound) => {
      below += sum(id, 'batch_send_size', String(bound));
      return { labels: { processor: id, le: String(bound) }, value: below, suffix: '_bucket' };
    });
    const count = sum(id, 'batch_send_size');
    const labels = { processor: id };
    return [
      ...buckets,
      { labels: { ...labels, le: '+Inf' }, value: count, suffix: '_bucket' },
      { labels, value: sum(id, 'batch_send_size_sum'), suffix: '_sum' },
      { labels, value: count, suffix: '_count' },
    ];
  });
  return [
    family('batch_send_size', 'histogram', 'Items in the batches that were handed on', sizes),
    family(
      'batch_size_trigger_send',
      'counter',
      'Number of batches that were full',
      perId((id) => sum(id, 'batch_size_trigger_send')),
    ),
    family(
      'timeout_trigger_send',
      'counter',
      'Number of batches whose time was over',
      perId((id) => sum(id, 'timeout_trigger_send')),
    ),
    family(
      'metadata_cardinality',
      'gauge',
      'Batches that are filled at the same time',
      perId((id) => sum(id, 'metadata_cardinality')),
    ),
  ];
}

const typeOf = (id: string): string => id.split('/', 1)[0]!;
