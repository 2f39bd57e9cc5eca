import { STAT, STATS } from '../receiver/ebpf/abi.gen.js';
import type { ComponentMetrics } from '../telemetry/metrics.js';
import type { CostReport } from './cost/cost-control.js';
import type { ObserverStats } from './worker-messages.js';

/** Kernel counters that count records that were written. */
const WRITTEN = [
  STAT.NET_DATA_EVENTS,
  STAT.NET_CONNECTION_EVENTS,
  STAT.SCHED_EVENTS,
  STAT.CPU_SAMPLES,
  STAT.PROC_EVENTS,
  STAT.TLS_EVENTS,
] as const;

/** Kernel counters that count records that were not; their names are the reasons. */
const LOST = [
  STAT.NET_DATA_RING_FULL,
  STAT.NET_SOCKET_STATE_FULL,
  STAT.NET_CONNECTION_RING_FULL,
  STAT.SCHED_RING_FULL,
  STAT.SCHED_TASK_STATE_FULL,
  STAT.CPU_RING_FULL,
  STAT.PROC_RING_FULL,
  STAT.TLS_RING_FULL,
  STAT.TLS_STATE_FULL,
  STAT.SCHED_SHED,
  STAT.CPU_SHED,
] as const;

const GAUGE = /_held$|^connections$|_bytes$/;
const CONNECTS_FAILED = /^connects_failed_(.+)$/;
const DETAILS = /^details_(taken|refused|size)_(.+)$/;
const EXCHANGES = /^exchanges_(server|client)_(emitted|lost)(?:_(.+))?$/;

/**
 * Turns the observer's running totals into a component's metrics, in the unit `events`:
 *
 *     received: records the kernel wrote or could not write     sent: records decoded     dropped: by reason
 *
 * and `span_details` (labels `trigger`, `result`: `taken` or `refused`), `span_detail_bytes` (`trigger`), and `exchanges` with labels `side`, `result` and `reason` (see `exchange-counters.ts` for their sum).
 */
export class ObserverMetrics {
  readonly #metrics: ComponentMetrics;
  readonly #seen = new Map<string, number>();

  constructor(metrics: ComponentMetrics) {
    this.#metrics = metrics;
  }

  /** `last`: nothing comes after; what was written and never decoded is lost. */
  update({ kernel, observer, spansDropped, pointsDropped = 0, cost }: ObserverStats, last = false): void {
    const metrics = this.#metrics;
    let written = 0;
    for (const stat of WRITTEN) written += kernel[stat] ?? 0;
    // A record may be decoded in the moment before it is counted.
    const decoded = observer.records ?? 0;
    const unknown = observer.records_unknown ?? 0;
    const malformed = observer.records_malformed ?? 0;
    written = Math.max(written, decoded + unknown + malformed);
    let received = this.#growth('kernel written', written);
    for (const stat of LOST) {
      const { name } = STATS[stat];
      const lost = this.#growth(`kernel ${name}`, kernel[stat] ?? 0);
      received += lost;
      metrics.dropped('events', lost, name);
    }
    metrics.received('events', received);
    // Messages whose loss the kernel has not told of yet, or had no room to note.
    metrics.gauge(
      'turns_unaccounted',
      Math.max(0, (kernel[STAT.NET_TURNS] ?? 0) - (observer.turns_accounted ?? 0)),
    );
    const faults = (kernel[STAT.NET_DATA_FAULT] ?? 0) + (kernel[STAT.TLS_FAULT] ?? 0);
    metrics.count('payload_faults', this.#growth('faults', faults));
    metrics.count('payload_cut', this.#growth('cut', kernel[STAT.NET_PAYLOAD_CUT] ?? 0));
    metrics.count('datagrams', this.#growth('datagrams', kernel[STAT.NET_DATAGRAMS] ?? 0));
    metrics.count('datagrams_sender_unknown', this.#growth('sender', kernel[STAT.NET_PEER_UNKNOWN] ?? 0));
    metrics.count('losses_forgotten', this.#growth('forgotten', kernel[STAT.NET_LOSS_FORGOTTEN] ?? 0));

    metrics.sent('events', this.#growth('decoded', decoded));
    metrics.dropped('events', this.#growth('unknown', unknown), 'unknown_kind');
    metrics.dropped('events', this.#growth('malformed', malformed), 'malformed');
    const rest = written - decoded - unknown - malformed;
    metrics.held('events', last ? 0 : rest);
    if (last) metrics.dropped('events', rest, 'not_drained');

    metrics.received('traces', this.#growth('spans dropped', spansDropped));
    metrics.dropped('traces', this.#growth('spans dropped too', spansDropped), 'pipeline_full');
    const pointsLost = this.#growth('points dropped', pointsDropped);
    if (pointsLost > 0) {
      metrics.received('metrics', pointsLost);
      metrics.dropped('metrics', pointsLost, 'pipeline_full');
    }
    metrics.count('payload_shed', this.#growth('payload shed', kernel[STAT.NET_PAYLOAD_SHED] ?? 0));
    if (cost !== undefined) this.#cost(cost);
    for (const name in observer) this.#one(name, observer[name]!);
  }

  #cost({ bpf, totalCpus, level, shed, restored }: CostReport): void {
    const metrics = this.#metrics;
    for (const { topic, program, cpuNs, runs } of bpf.programs) {
      const labels = { topic, program };
      const key = `${topic}/${program}`;
      metrics.count('bpf.run_time_ns', this.#growth(`time of ${key}`, Math.round(cpuNs)), labels);
      metrics.count('bpf.runs', this.#growth(`runs of ${key}`, runs), labels);
    }
    for (const { service, cpuNs } of bpf.targets) {
      const ns = this.#growth(`target ${service}`, Math.round(cpuNs));
      metrics.count('bpf.target_run_time_ns', ns, { service });
    }
    metrics.gauge('bpf.cpus', bpf.cpus);
    metrics.gauge('budget.used_cpus', totalCpus);
    metrics.gauge('budget.level', level);
    metrics.count('budget.actions', this.#growth('shed', shed), { action: 'shed' });
    metrics.count('budget.actions', this.#growth('restored', restored), { action: 'restored' });
  }

  #one(name: string, value: number): void {
    if (name.startsWith('records') || name === 'turns_accounted') return;
    if (GAUGE.test(name)) {
      this.#metrics.gauge(name, value);
      return;
    }
    const growth = this.#growth(name, value);
    if (growth === 0) return;
    const failed = CONNECTS_FAILED.exec(name);
    if (failed !== null) {
      this.#metrics.count('connects_failed', growth, { reason: failed[1]! });
      return;
    }
    const details = DETAILS.exec(name);
    if (details !== null) {
      const [, what, trigger] = details as unknown as readonly [string, string, string];
      if (what === 'size') this.#metrics.count('span_detail_bytes', growth, { trigger });
      else this.#metrics.count('span_details', growth, { trigger, result: what });
      return;
    }
    const match = EXCHANGES.exec(name);
    if (match === null) this.#metrics.count(name, growth);
    else {
      const labels = { side: match[1]!, result: match[2]!, ...(match[3] ? { reason: match[3] } : {}) };
      this.#metrics.count('exchanges', growth, labels);
    }
  }

  #growth(name: string, total: number): number {
    const before = this.#seen.get(name) ?? 0;
    this.#seen.set(name, total);
    return Math.max(0, total - before);
  }
}
