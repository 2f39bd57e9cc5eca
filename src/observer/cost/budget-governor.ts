/**
 * Holds a CPU budget by leaving things out: first stack samples, then waits below a millisecond, then payload. Turns,
 * bytes and connections are always counted.
 *
 *     used > budget for `OVER` readings in a row        one level up, and look again
 *     used < 70 % of budget for `patience` readings     one level down; if that was too early, wait twice as long next time
 *
 * A reading is a second. Going down slowly and doubling the patience keeps a load that sits at the budget from switching
 * to and fro. Pure: no clock, no I/O.
 */
import { SHED } from '../../receiver/ebpf/abi.gen.js';

/** What is left out at each level, in the kernel's words (`enum shed`). */
export const SHED_LEVELS = [
  { name: 'nothing', mask: 0 },
  { name: 'stacks', mask: SHED.STACKS },
  { name: 'scheduler_detail', mask: SHED.STACKS | SHED.SCHED_DETAIL },
  { name: 'payload', mask: SHED.STACKS | SHED.SCHED_DETAIL | SHED.PAYLOAD },
] as const;

export type ShedLevel = 0 | 1 | 2 | 3;

const OVER = 3;
const ROOM = 0.7;
const PATIENCE = 15;
const LONGEST_PATIENCE = 600;
/** Going up this soon after going down means that it was too early. */
const SOON = 30;

export class BudgetGovernor {
  readonly #cpus: number;
  #level: ShedLevel = 0;
  #over = 0;
  #under = 0;
  #patience = PATIENCE;
  #sinceDown = Number.POSITIVE_INFINITY;

  /** `cpus`: CPUs that may be in use on average, for example 0.5. */
  constructor(cpus: number) {
    this.#cpus = cpus;
  }

  get level(): ShedLevel {
    return this.#level;
  }

  /** Takes a reading, `usedCpus` over the last second. Returns true when the level has changed. */
  reading(usedCpus: number): boolean {
    this.#sinceDown++;
    this.#over = usedCpus > this.#cpus ? this.#over + 1 : 0;
    this.#under = usedCpus < ROOM * this.#cpus ? this.#under + 1 : 0;
    if (this.#over >= OVER && this.#level < 3) {
      if (this.#sinceDown <= SOON) this.#patience = Math.min(2 * this.#patience, LONGEST_PATIENCE);
      return this.#to((this.#level + 1) as ShedLevel);
    }
    if (this.#under >= this.#patience && this.#level > 0) {
      this.#sinceDown = 0;
      return this.#to((this.#level - 1) as ShedLevel);
    }
    if (this.#level === 0 && this.#sinceDown > LONGEST_PATIENCE) this.#patience = PATIENCE;
    return false;
  }

  #to(level: ShedLevel): true {
    this.#level = level;
    this.#over = 0;
    this.#under = 0;
    return true;
  }
}
