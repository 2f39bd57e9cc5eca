/** Everything that the observer measures, collected at an interval of the kernel's clock: a replay sends what the live run did. */
import {
  type AggregatorOptions,
  type AggregatorStats,
  type MetricBatch,
  MetricsAggregator,
} from '../../metrics/aggregator.js';
import type { ProtocolOptions } from '../../protocols/options.js';
import type { MonoClock } from '../join-types.js';
import type { Exchange, MonoNs, NetCloseRecord, NetOpenRecord, ProcessTable } from '../types.js';
import { FormerNames } from './former-names.js';
import { RequestMetrics } from './request-metrics.js';
import { type ServiceGroupOptions, ServiceGroups } from './service-groups.js';
import { TcpMetrics } from './tcp-metrics.js';

export interface MeasurementOptions extends ServiceGroupOptions {
  readonly aggregation: AggregatorOptions;
  readonly intervalNs: number;
  readonly dnsLabels: number;
  readonly spansAreSent: boolean;
  /** Connections that are remembered while they are open. */
  readonly maxConnections: number;
  /** `kindling`: requests under the names of the former collector; see `FormerNames`. */
  readonly naming: 'semconv' | 'kindling' | 'both';
}

export class ObserverMeasurements {
  readonly #options: MeasurementOptions;
  readonly #processes: ProcessTable;
  readonly #clock: MonoClock;
  readonly #requests: RequestMetrics;
  readonly #tcp: TcpMetrics;
  readonly #former: FormerNames | undefined;
  #aggregator: MetricsAggregator | undefined;
  #groups: ServiceGroups | undefined;
  #collectedAt: MonoNs = 0;

  constructor(
    options: MeasurementOptions,
    protocols: ProtocolOptions,
    processes: ProcessTable,
    clock: MonoClock,
  ) {
    this.#options = options;
    this.#processes = processes;
    this.#clock = clock;
    const { dnsLabels, spansAreSent } = options;
    this.#former = options.naming === 'semconv' ? undefined : new FormerNames(protocols);
    this.#tcp = new TcpMetrics(options.maxConnections, (tgid) => this.#groups!.of(tgid), this.#former);
    this.#requests = new RequestMetrics({ protocols, dnsLabels, spansAreSent }, clock);
  }

  /** The wall clock is known from `now` on: everything counts since then. Only the first call matters. */
  begin(now: MonoNs): void {
    if (this.#aggregator !== undefined) return;
    this.#aggregator = new MetricsAggregator(this.#options.aggregation, this.#clock.toUnix(now));
    this.#groups = new ServiceGroups(this.#options, this.#aggregator, this.#processes);
    this.#collectedAt = now;
  }

  exchange(exchange: Exchange): void {
    this.begin(exchange.requestStart);
    const group = this.#groups!.of(exchange.tgid);
    if (this.#options.naming !== 'kindling') this.#requests.record(exchange, group);
    this.#former?.exchange(exchange, group);
  }

  netOpen(record: NetOpenRecord): void {
    this.begin(record.time);
    this.#tcp.opened(record);
  }

  netClose(record: NetCloseRecord): void {
    this.begin(record.time);
    this.#tcp.closed(record);
  }

  processChanged(tgid: number): void {
    this.#groups?.processChanged(tgid);
  }

  /** What is to be sent when it is time, else nothing. */
  advance(watermark: MonoNs): readonly MetricBatch[] {
    if (watermark - this.#collectedAt < this.#options.intervalNs) return NOTHING;
    return this.collect(watermark);
  }

  /** What is left, at the end. Measurements may be as new as the last collection. */
  flush(now: MonoNs): readonly MetricBatch[] {
    return this.collect(Math.max(now, this.#collectedAt) + MICROSECOND);
  }

  collect(now: MonoNs): readonly MetricBatch[] {
    const aggregator = this.#aggregator;
    if (aggregator === undefined) return NOTHING;
    this.#collectedAt = now;
    this.#tcp.collect();
    const batches = aggregator.collect(this.#clock.toUnix(now));
    this.#groups?.forget();
    return batches;
  }

  /** Counters and gauges for the observer's own metrics. */
  stats(): Record<string, number> {
    const stats: Partial<AggregatorStats> = this.#aggregator?.stats() ?? {};
    return {
      metric_series_held: stats.series ?? 0,
      metric_resources_held: stats.resources ?? 0,
      metric_series_bytes: stats.bytes ?? 0,
      metric_measurements_overflowed: stats.overflowed ?? 0,
      metric_series_expired: stats.expired ?? 0,
      metric_resources_evicted: stats.evicted ?? 0,
      requests_waiting_not_timed: this.#requests.waiting,
    };
  }
}

/** More than what a float64 rounds kernel times to. */
const MICROSECOND = 1000;
const NOTHING: readonly MetricBatch[] = [];
