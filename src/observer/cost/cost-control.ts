/**
 * The agent's own cost, watched once a second: kernel programs (sampled) and the process itself, and the governor that
 * holds the configured budget.
 */
import type { Logger } from '../../telemetry/logger.js';
import { BpfMeter, type BpfReading, type MeteredCapture } from './bpf-meter.js';
import { BudgetGovernor, SHED_LEVELS, type ShedLevel } from './budget-governor.js';
import type { SharedTopic } from './process-shares.js';

export interface GovernedCapture extends MeteredCapture {
  setShed(mask: number): void;
}

export interface CostOptions {
  /** CPUs that the agent and its kernel programs may use together; 0: any. */
  readonly cpus: number;
}

/** Sent to the main thread with the other statistics. */
export interface CostReport {
  readonly bpf: BpfReading;
  /** CPUs in use over the last second: this process, and with it the kernel programs. */
  readonly agentCpus: number;
  readonly totalCpus: number;
  readonly level: ShedLevel;
  /** Since the start: how often something was left out, and given back. */
  readonly shed: number;
  readonly restored: number;
}

export class CostControl {
  readonly #capture: GovernedCapture;
  readonly #meter: BpfMeter;
  readonly #governor: BudgetGovernor | undefined;
  readonly #budget: number;
  readonly #log: Logger;
  #agentNs: number;
  #atNs: number;
  #agentCpus = 0;
  #shed = 0;
  #restored = 0;
  #metered = true;

  /** `nowNs` monotonic, `agentNs` CPU time of the whole process. `serviceOf`: see `BpfMeter`. */
  constructor(
    capture: GovernedCapture,
    options: CostOptions,
    serviceOf: (tgid: number) => string,
    log: Logger,
    start: { nowNs: number; agentNs: number },
  ) {
    this.#capture = capture;
    this.#meter = new BpfMeter(capture, serviceOf);
    this.#governor = options.cpus > 0 ? new BudgetGovernor(options.cpus) : undefined;
    this.#budget = options.cpus;
    this.#log = log;
    this.#agentNs = start.agentNs;
    this.#atNs = start.nowNs;
  }

  /** See `BpfMeter.count`. */
  count(tgid: number, topic: SharedTopic): void {
    if (this.#meter.sampling) this.#meter.count(tgid, topic);
  }

  /** Call once a second. */
  tick(nowNs: number, agentNs: number): void {
    const lastedNs = nowNs - this.#atNs;
    if (lastedNs <= 0) return;
    this.#agentCpus = (agentNs - this.#agentNs) / lastedNs;
    this.#agentNs = agentNs;
    this.#atNs = nowNs;
    if (this.#metered) {
      const errno = this.#meter.tick(nowNs);
      if (errno !== 0) {
        this.#metered = false;
        this.#log.warn(
          'The kernel does not count what BPF programs cost; the budget covers the agent alone.',
          {
            errno,
          },
        );
      }
    }
    this.#govern();
  }

  report(): CostReport {
    const bpf = this.#meter.reading();
    return {
      bpf,
      agentCpus: this.#agentCpus,
      totalCpus: this.#agentCpus + bpf.cpus,
      level: this.#governor?.level ?? 0,
      shed: this.#shed,
      restored: this.#restored,
    };
  }

  #govern(): void {
    const governor = this.#governor;
    if (governor === undefined) return;
    const before = governor.level;
    const used = this.#agentCpus + this.#meter.reading().cpus;
    if (!governor.reading(used)) return;
    const { name, mask } = SHED_LEVELS[governor.level];
    this.#capture.setShed(mask);
    const fields = { used_cpus: Number(used.toFixed(3)), budget_cpus: this.#budget, level: governor.level };
    if (governor.level > before) {
      this.#shed++;
      this.#log.warn('Over the CPU budget: less is observed.', { ...fields, left_out: name });
    } else {
      this.#restored++;
      this.#log.info('Within the CPU budget again: more is observed.', {
        ...fields,
        given_back: SHED_LEVELS[before].name,
      });
    }
  }
}
