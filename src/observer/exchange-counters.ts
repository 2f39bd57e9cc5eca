/**
 * Exact accounting of exchanges. For each side, at any moment:
 *
 *     requests that happened = emitted + the sum of lost{reason} + held
 *
 * A request happened when at least one byte of it or of its response moved while the kernel programs were attached.
 * `held` are those that wait for their response, in `ConnectionTable.held`. The sum holds for any pattern of lost
 * records, because `turn` in the kernel's records counts messages that were lost with their records; it does not hold
 * for requests that were pipelined in bytes that were not captured and whose responses were not captured either.
 */

/** Why a request that happened never became an exchange. */
export const LOSS_REASONS = [
  /** The records that held its head, or its response's head, did not fit into the ring buffer. */
  'ring_full',
  /** The connection was dropped from the table to make room. */
  'evicted',
  /** The bytes are not HTTP/1.x, or the message ended before its head did. */
  'malformed',
  /** Its head was not in the captured part of an operation. */
  'not_captured',
  /** The request began before the programs were attached. */
  'joined_in_middle',
  /** It was under way when the agent stopped. */
  'shutdown',
] as const;
export type LossReason = (typeof LOSS_REASONS)[number];

export interface SideCounters {
  emitted: number;
  readonly lost: Record<LossReason, number>;
}

export class ExchangeCounters {
  readonly server: SideCounters = createSide();
  readonly client: SideCounters = createSide();
  /** Connections that stopped being HTTP/1.x in an orderly way (`Upgrade`, `CONNECT`). */
  upgraded = 0;
  /** Connections whose bytes stopped being HTTP/1.x. */
  left = 0;
  /** Responses that no request asked for (408 before the server closes an idle connection). */
  unsolicited = 0;

  /** Flat, for statistics: `exchanges_server_emitted`, `exchanges_server_lost_ring_full`, … */
  toRecord(): Record<string, number> {
    const record: Record<string, number> = {
      connections_upgraded: this.upgraded,
      connections_left_http: this.left,
      responses_unsolicited: this.unsolicited,
    };
    for (const side of ['server', 'client'] as const) {
      record[`exchanges_${side}_emitted`] = this[side].emitted;
      for (const reason of LOSS_REASONS) record[`exchanges_${side}_lost_${reason}`] = this[side].lost[reason];
    }
    return record;
  }
}

function createSide(): SideCounters {
  return {
    emitted: 0,
    lost: { ring_full: 0, evicted: 0, malformed: 0, not_captured: 0, joined_in_middle: 0, shutdown: 0 },
  };
}
