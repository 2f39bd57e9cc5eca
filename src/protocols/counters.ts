import { LOSS_REASONS, type LossReason } from './protocol.js';

/** What became of the exchanges of one protocol: `begun + missed = finished + the sum of lost + open`. */
export interface ProtocolCount {
  /** Connections that were recognised as speaking it. */
  connections: number;
  begun: number;
  missed: number;
  finished: number;
  readonly lost: Record<LossReason, number>;
  /** Times that its parser met bytes that are no message. */
  malformed: number;
  /** Times that a connection stopped fitting and was recognised anew. */
  left: number;
  /** Bugs: the parser threw, or kept more than it may; the connection is not parsed any more. */
  failed: number;
}

export class ProtocolCounters {
  /** Connections of which nothing could be made. */
  unrecognised = 0;
  readonly #byName = new Map<string, ProtocolCount>();

  of(name: string): ProtocolCount {
    let count = this.#byName.get(name);
    if (count === undefined) {
      const lost = Object.fromEntries(LOSS_REASONS.map((reason) => [reason, 0])) as Record<
        LossReason,
        number
      >;
      count = { connections: 0, begun: 0, missed: 0, finished: 0, lost, malformed: 0, left: 0, failed: 0 };
      this.#byName.set(name, count);
    }
    return count;
  }

  /** Flat, for statistics: `protocol_<name>_finished`, `protocol_<name>_lost_<reason>`, … Zeros of losses are left out. */
  toRecord(): Record<string, number> {
    const record: Record<string, number> = { connections_unrecognised: this.unrecognised };
    for (const [name, { lost, ...count }] of this.#byName) {
      for (const [key, value] of Object.entries(count)) record[`protocol_${name}_${key}`] = value;
      for (const reason of LOSS_REASONS) {
        if (lost[reason] > 0) record[`protocol_${name}_lost_${reason}`] = lost[reason];
      }
    }
    return record;
  }

  get names(): readonly string[] {
    return [...this.#byName.keys()].sort();
  }
}
