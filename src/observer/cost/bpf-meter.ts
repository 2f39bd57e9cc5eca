/**
 * What our own kernel programs cost, sampled: the kernel's counting is switched on for one second in ten, because it
 * makes each run of each BPF program of the machine some tens of nanoseconds dearer, and what was counted is taken for
 * the whole interval.
 */
import type { ProgramCost } from '../../receiver/ebpf/native.js';
import { ProcessShares, SHARED_TOPICS, type SharedTopic } from './process-shares.js';

/** The part of `Capture` that the meter uses. */
export interface MeteredCapture {
  setMetering(on: boolean): number;
  costs(): readonly ProgramCost[];
}

export interface ProgramReading {
  readonly topic: string;
  readonly program: string;
  /** Estimated totals since the start. */
  readonly cpuNs: number;
  readonly runs: number;
}

export interface BpfReading {
  readonly programs: readonly ProgramReading[];
  /** Estimated totals since the start, by the service that the programs ran for. */
  readonly targets: readonly { readonly service: string; readonly cpuNs: number }[];
  /** CPUs that all our programs used in the last sample. */
  readonly cpus: number;
}

interface Total {
  readonly topic: string;
  readonly program: string;
  cpuNs: number;
  runs: number;
}

/** Seconds from one sample to the next. */
const INTERVAL = 10;
/** Services told one by one; what comes after is "(other)". */
const MAX_TARGETS = 200;
const OTHER = '(other)';

export class BpfMeter {
  readonly #capture: MeteredCapture;
  readonly #shares = new ProcessShares();
  readonly #totals = new Map<string, Total>();
  readonly #targets = new Map<string, number>();
  readonly #serviceOf: (tgid: number) => string;
  #cpus = 0;
  #second = 0;
  #startedNs = -1;
  #before = new Map<string, ProgramCost>();
  #sampledBeforeNs = -1;

  /** `serviceOf` names a process that may have ended. */
  constructor(capture: MeteredCapture, serviceOf: (tgid: number) => string) {
    this.#capture = capture;
    this.#serviceOf = serviceOf;
  }

  /** While true each record is to be given to `count`. */
  get sampling(): boolean {
    return this.#startedNs >= 0;
  }

  /** One record of a process, of a topic's programs. */
  count(tgid: number, topic: SharedTopic): void {
    this.#shares.count(tgid, topic);
  }

  /**
   * Call once a second; `nowNs` is monotonic. Begins or ends a sample when it is time. Returns 0, or the errno why the
   * kernel does not count: then nothing is known and the cost is taken to be 0.
   */
  tick(nowNs: number): number {
    const second = this.#second++;
    if (this.#startedNs >= 0) {
      this.#end(nowNs);
      return 0;
    }
    if (second % INTERVAL !== 0) return 0;
    this.#before = new Map(this.#capture.costs().map((cost) => [keyOf(cost), cost]));
    const errno = this.#capture.setMetering(true);
    if (errno === 0) this.#startedNs = nowNs;
    return errno;
  }

  reading(): BpfReading {
    return {
      programs: [...this.#totals.values()].map((total) => ({ ...total })),
      targets: [...this.#targets].map(([service, cpuNs]) => ({ service, cpuNs })),
      cpus: this.#cpus,
    };
  }

  #end(nowNs: number): void {
    const costs = this.#capture.costs();
    this.#capture.setMetering(false);
    const lastedNs = Math.max(1, nowNs - this.#startedNs);
    const sinceNs = nowNs - (this.#sampledBeforeNs < 0 ? this.#startedNs : this.#sampledBeforeNs);
    const byTopic: Record<SharedTopic, number> = { net: 0, sched: 0, cpu: 0 };
    let all = 0;
    for (const cost of costs) {
      const key = keyOf(cost);
      const ns = cost.runTimeNs - (this.#before.get(key)?.runTimeNs ?? 0);
      const runs = cost.runs - (this.#before.get(key)?.runs ?? 0);
      all += ns;
      const topic = SHARED_TOPICS.find((name) => name === cost.topic);
      if (topic !== undefined) byTopic[topic] += ns;
      this.#addUp(key, cost, (ns * sinceNs) / lastedNs, (runs * sinceNs) / lastedNs);
    }
    this.#cpus = all / lastedNs;
    for (const { tgid, ns } of this.#shares.divide(byTopic)) {
      const service = this.#serviceOf(tgid);
      const target = this.#targets.has(service) || this.#targets.size < MAX_TARGETS ? service : OTHER;
      this.#targets.set(target, (this.#targets.get(target) ?? 0) + (ns * sinceNs) / lastedNs);
    }
    this.#sampledBeforeNs = nowNs;
    this.#startedNs = -1;
  }

  #addUp(key: string, { topic, program }: ProgramCost, cpuNs: number, runs: number): void {
    let total = this.#totals.get(key);
    if (total === undefined) {
      total = { topic, program, cpuNs: 0, runs: 0 };
      this.#totals.set(key, total);
    }
    total.cpuNs += cpuNs;
    total.runs += Math.round(runs);
  }
}

const keyOf = ({ topic, program }: ProgramCost): string => `${topic}/${program}`;
