/** Metrics of SkyWalking's agents as OTLP: those of JVMs with the names of the Collector's translator. */
import type { AttributesInput } from '../../otlp/attribute-writer.js';
import { MetricsWriter, type NumberPointInput, Temporality } from '../../otlp/metrics-writer.js';
import type { Time64 } from '../../otlp/time.js';
import type { ClrMetric, JvmMetric, Label, Meter, OfInstance } from './model.js';
import { timeOfMs } from './segments-to-otlp.js';

export interface EncodedMetrics {
  readonly bytes: Uint8Array;
  readonly itemCount: number;
}

const SCOPE = 'runtime_metrics';
const POOLS = ['code_cache', 'newgen', 'oldgen', 'survivor', 'permgen', 'metaspace'] as const;
const HEAP_POOLS: ReadonlySet<string> = new Set(['newgen', 'oldgen', 'survivor']);
const GC_NAMES = ['young', 'old'] as const;
const MEMORY = ['init', 'used', 'committed', 'max'] as const;
const THREAD_STATES = ['new', 'runnable', 'blocked', 'waiting', 'timedWaiting', 'terminated'] as const;

/** Points of one time; int unless it says otherwise. */
class Points {
  readonly #writer = new MetricsWriter();

  begin(service: string, instance: string, scope: string): void {
    this.#writer.resource({
      'service.name': service || undefined,
      'service.instance.id': instance || undefined,
    });
    this.#writer.scope(scope);
  }

  gauge(name: string, unit: string, points: readonly NumberPointInput[]): void {
    if (points.length > 0) this.#writer.gauge({ name, unit }, points);
  }

  /** What happened since the report before. */
  delta(name: string, unit: string, points: readonly NumberPointInput[]): void {
    if (points.length === 0) return;
    this.#writer.sum({ name, unit, temporality: Temporality.delta, isMonotonic: true }, points);
  }

  get writer(): MetricsWriter {
    return this.#writer;
  }

  finish(): EncodedMetrics {
    const { itemCount } = this.#writer;
    return { bytes: this.#writer.finish(), itemCount };
  }
}

const int = (time: Time64, asInt: bigint | number, attributes?: AttributesInput): NumberPointInput => ({
  time,
  asInt,
  attributes,
});

export function encodeJvmMetrics({
  metrics,
  service,
  serviceInstance,
}: OfInstance<JvmMetric>): EncodedMetrics {
  const points = new Points();
  for (const metric of metrics) {
    points.begin(service, serviceInstance, SCOPE);
    writeJvm(points, metric);
  }
  return points.finish();
}

function writeJvm(points: Points, metric: JvmMetric): void {
  const time = timeOfMs(metric.time);
  const ofGc = (value: 'count' | 'time') =>
    metric.gc.map((gc) => int(time, gc[value], { 'jvm.gc.name': GC_NAMES[gc.phrase] ?? String(gc.phrase) }));
  points.delta('sw.jvm.gc.count', '1', ofGc('count'));
  points.delta('sw.jvm.gc.duration', 'ms', ofGc('time'));
  for (const kind of MEMORY) {
    const pools = metric.memoryPool.map((pool) => {
      const name = POOLS[pool.type] ?? String(pool.type);
      return int(time, pool[kind], {
        'jvm.memory.pool.name': name,
        'jvm.memory.type': memoryType(HEAP_POOLS.has(name)),
      });
    });
    const whole = metric.memory.map((memory) =>
      int(time, memory[kind], { 'jvm.memory.type': memoryType(memory.isHeap) }),
    );
    points.gauge(`jvm.memory.${kind}`, 'By', pools);
    points.gauge(`sw.jvm.memory.${kind}`, 'By', whole);
  }
  const { thread, cpu, clazz } = metric;
  if (thread !== undefined) {
    const states = THREAD_STATES.map((state) =>
      int(time, thread[state] ?? 0n, { 'thread.state': state === 'timedWaiting' ? 'timed_waiting' : state }),
    );
    const daemon = int(time, thread.daemon ?? 0n, { 'thread.daemon': true });
    points.gauge('jvm.thread.count', '{thread}', [...states, daemon]);
  }
  if (cpu !== undefined) {
    points.gauge('jvm.cpu.recent_utilization', '1', [{ time, asDouble: cpu.usagePercent / 100 }]);
  }
  if (clazz === undefined) return;
  points.gauge('jvm.class.count', '{class}', [int(time, clazz.loaded)]);
}

const memoryType = (isHeap: boolean): string => (isHeap ? 'heap' : 'non_heap');

export function encodeClrMetrics({
  metrics,
  service,
  serviceInstance,
}: OfInstance<ClrMetric>): EncodedMetrics {
  const points = new Points();
  for (const { time: ms, cpu, gc, thread } of metrics) {
    const time = timeOfMs(ms);
    points.begin(service, serviceInstance, SCOPE);
    if (cpu !== undefined)
      points.gauge('sw.clr.cpu.utilization', '1', [{ time, asDouble: cpu.usagePercent / 100 }]);
    if (gc !== undefined) {
      const collections = (['gen0', 'gen1', 'gen2'] as const).map((heap) =>
        int(time, gc[heap], { 'dotnet.gc.heap.generation': heap }),
      );
      points.delta('sw.clr.gc.count', '1', collections);
      points.gauge('sw.clr.gc.heap_memory', 'By', [int(time, gc.heap)]);
    }
    if (thread === undefined) continue;
    for (const kind of ['available', 'max'] as const) {
      points.gauge(`sw.clr.thread_pool.${kind}`, '{thread}', [
        int(time, thread[`${kind}CompletionPort`] ?? 0, { 'thread.kind': 'completion_port' }),
        int(time, thread[`${kind}Worker`] ?? 0, { 'thread.kind': 'worker' }),
      ]);
    }
  }
  return points.finish();
}

/** Meters of one report; `nowMs` for those without a time. Only the first one says whose they are. */
export function encodeMeters(meters: readonly Meter[], nowMs: number): EncodedMetrics {
  const points = new Points();
  let service = '';
  let instance = '';
  let ms = 0n;
  for (const meter of meters) {
    const isNew = points.writer.itemCount === 0;
    const changes = meter.service !== '' && (meter.service !== service || meter.serviceInstance !== instance);
    service = meter.service || service;
    instance = meter.serviceInstance || instance;
    if (meter.timestamp > 0n) ms = meter.timestamp;
    if (isNew || changes) points.begin(service, instance, 'meter');
    writeMeter(points, meter, timeOfMs(ms > 0n ? ms : BigInt(Math.floor(nowMs))));
  }
  return points.finish();
}

function writeMeter(points: Points, { single, histogram }: Meter, time: Time64): void {
  if (single !== undefined) {
    points.gauge(single.name, '', [{ time, asDouble: single.value, attributes: labelsOf(single.labels) }]);
  }
  if (histogram === undefined) return;
  // Buckets are named by their lower bounds: that of the next one is the upper bound of each.
  const sorted = [...histogram.values].sort((a, b) => lowerBound(a) - lowerBound(b));
  const counts = sorted.map(({ count }) => Number(count));
  const hasBelow = sorted[0]?.isNegativeInfinity === true;
  const bounds = sorted.filter((_, index) => index > 0 || !hasBelow).map(({ bucket }) => bucket);
  const metric = { name: histogram.name, unit: '', temporality: Temporality.delta };
  points.writer.histogram(metric, [
    {
      time,
      attributes: labelsOf(histogram.labels),
      count: counts.reduce((sum, count) => sum + count, 0),
      bucketCounts: hasBelow ? counts : [0, ...counts],
      explicitBounds: bounds,
    },
  ]);
}

const lowerBound = ({
  bucket,
  isNegativeInfinity,
}: {
  bucket: number;
  isNegativeInfinity: boolean;
}): number => (isNegativeInfinity ? Number.NEGATIVE_INFINITY : bucket);

const labelsOf = (labels: readonly Label[]): AttributesInput =>
  Object.fromEntries(labels.map(({ name, value }) => [name, value]));
