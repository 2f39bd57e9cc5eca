/**
 * Which resource a process' measurements belong to. Processes of one service in one container are one resource: a pool of
 * workers is no pool of series, and a worker that is replaced leaves nothing behind.
 */
import type { MetricsAggregator, ResourceMetrics } from '../../metrics/aggregator.js';
import type { MetricDefinition } from '../../metrics/definition.js';
import { instanceId } from '../../metrics/instance-id.js';
import type { MetricTable } from '../../metrics/metric-table.js';
import type { HistogramSeries, NumberSeries } from '../../metrics/series.js';
import type { AttributesInput } from '../../otlp/attribute-writer.js';
import type { ProcessInfo, ProcessTable } from '../types.js';

/** Entries that one group remembers between two collections. */
const MAX_CACHED = 4096;

/** The metrics of one resource, with room for callers to remember how they found their series. */
export class ServiceGroup {
  readonly #metrics: ResourceMetrics;
  readonly #cache = new Map<string, unknown>();

  constructor(metrics: ResourceMetrics) {
    this.#metrics = metrics;
  }

  /** False when its resource had to make room for another. */
  get alive(): boolean {
    return this.#metrics.alive;
  }

  /** Of the resource. */
  get attributes(): AttributesInput {
    return this.#metrics.attributes;
  }

  numbers(definition: MetricDefinition): MetricTable<NumberSeries> {
    return this.#metrics.numbers(definition);
  }

  histogram(definition: MetricDefinition): MetricTable<HistogramSeries> {
    return this.#metrics.histogram(definition);
  }

  /** What `cache` was given under `key`; each key belongs to one caller and one type. */
  cached<T>(key: string): T | undefined {
    return this.#cache.get(key) as T | undefined;
  }

  cache(key: string, value: object): void {
    if (this.#cache.size >= MAX_CACHED) this.#cache.clear();
    this.#cache.set(key, value);
  }
}

export interface ServiceGroupOptions {
  /** Tells this agent from others, and is the same after a restart. */
  readonly agentId: string;
  /** `host.name` of the resources, '' to leave it out. */
  readonly hostName: string;
}

export class ServiceGroups {
  readonly #options: ServiceGroupOptions;
  readonly #aggregator: MetricsAggregator;
  readonly #processes: ProcessTable;
  readonly #byProcess = new Map<number, ServiceGroup>();
  readonly #byInstance = new Map<string, ServiceGroup>();

  constructor(options: ServiceGroupOptions, aggregator: MetricsAggregator, processes: ProcessTable) {
    this.#options = options;
    this.#aggregator = aggregator;
    this.#processes = processes;
  }

  of(tgid: number): ServiceGroup {
    const known = this.#byProcess.get(tgid);
    if (known?.alive) return known;
    const attributes = this.#resource(this.#processes.get(tgid));
    const instance = String(attributes['service.instance.id']);
    let group = this.#byInstance.get(instance);
    if (!group?.alive) {
      group = new ServiceGroup(this.#aggregator.resource(attributes));
      this.#byInstance.set(instance, group);
    }
    this.#byProcess.set(tgid, group);
    return group;
  }

  /** The process has replaced its image or ended. */
  processChanged(tgid: number): void {
    this.#byProcess.delete(tgid);
  }

  /** After each collection: resources that are idle are gone from the aggregator. */
  forget(): void {
    this.#byProcess.clear();
    this.#byInstance.clear();
  }

  #resource(process: ProcessInfo | undefined): AttributesInput {
    const { hostName, agentId } = this.#options;
    const own = Object.entries(process?.resourceAttributes ?? {}).filter(
      ([key]) => !key.startsWith('process.'),
    );
    const attributes: AttributesInput = {
      'service.name': process?.serviceName ?? 'unknown_service',
      'host.name': hostName || undefined,
      ...Object.fromEntries(own),
    };
    return { ...attributes, 'service.instance.id': instanceId(agentId, attributes) };
  }
}
