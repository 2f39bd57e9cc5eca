/**
 * Which watched process makes the kernel programs run? The kernel counts the time of a program, not for whom it ran; the
 * records say that. What a topic's programs took is divided among processes by their records of that topic.
 */

/** Topics whose programs run on behalf of a watched process. */
export const SHARED_TOPICS = ['net', 'sched', 'cpu'] as const;
export type SharedTopic = (typeof SHARED_TOPICS)[number];

interface Tally {
  readonly tgid: number;
  net: number;
  sched: number;
  cpu: number;
}

export interface ProcessCost {
  readonly tgid: number;
  /** An estimate: CPU nanoseconds of our kernel programs on its behalf. */
  readonly ns: number;
}

/** Processes counted apart; what comes after is left out until the next interval, and so has no share. */
const MAX_PROCESSES = 4096;

export class ProcessShares {
  readonly #byTgid = new Map<number, Tally>();
  #last: Tally = { tgid: -1, net: 0, sched: 0, cpu: 0 };

  /** One record; called for each, so it does next to nothing. */
  count(tgid: number, topic: SharedTopic): void {
    let tally = this.#last;
    if (tally.tgid !== tgid) {
      const known = this.#byTgid.get(tgid);
      if (known === undefined && this.#byTgid.size >= MAX_PROCESSES) return;
      tally = known ?? { tgid, net: 0, sched: 0, cpu: 0 };
      if (known === undefined) this.#byTgid.set(tgid, tally);
      this.#last = tally;
    }
    tally[topic]++;
  }

  /** Divides the nanoseconds of each topic, largest share first, and starts anew. */
  divide(nsByTopic: Readonly<Record<SharedTopic, number>>): ProcessCost[] {
    const totals = { net: 0, sched: 0, cpu: 0 };
    for (const tally of this.#byTgid.values()) {
      for (const topic of SHARED_TOPICS) totals[topic] += tally[topic];
    }
    const costs: ProcessCost[] = [];
    for (const tally of this.#byTgid.values()) {
      let ns = 0;
      for (const topic of SHARED_TOPICS) {
        if (totals[topic] > 0) ns += (nsByTopic[topic] * tally[topic]) / totals[topic];
      }
      costs.push({ tgid: tally.tgid, ns });
    }
    this.#byTgid.clear();
    this.#last = { tgid: -1, net: 0, sched: 0, cpu: 0 };
    return costs.sort((a, b) => b.ns - a.ns);
  }
}
