import { type ConnectionLimits, ConnectionTable, DEFAULT_LIMITS } from '../../src/observer/connections.js';
import { Decoder } from '../../src/observer/decoder.js';
import { toExchange } from '../../src/observer/exchange-builder.js';
import { ExchangeCounters, LOSS_REASONS, type SideCounters } from '../../src/observer/exchange-counters.js';
import { ExchangeLinks } from '../../src/observer/exchange-links.js';
import type { Exchange } from '../../src/observer/types.js';
import { KernelModel, type ModelOptions } from './kernel-model.js';

const nothing = (): void => {};

/** Kernel model, decoder and connection table in a row; collects exchanges. */
export class ExchangeHarness {
  readonly exchanges: Exchange[] = [];
  readonly counters = new ExchangeCounters();
  readonly table: ConnectionTable;
  readonly decoder: Decoder;
  readonly model: KernelModel;
  readonly #links = new ExchangeLinks('test');

  constructor(options: Omit<ModelOptions, 'onRecord'> = {}, limits: Partial<ConnectionLimits> = {}) {
    this.table = new ConnectionTable({ ...DEFAULT_LIMITS, ...limits }, this.counters, {
      opened: (connection, draft) => {
        draft.identity = this.#links.identify(connection, draft, connection.pairing!.role);
      },
      finished: (connection, draft, incomplete) => {
        this.exchanges.push(toExchange(this.exchanges.length + 1, connection, draft, incomplete));
      },
      begun: () => {},
      ended: () => {},
      recognized: (connection) => this.#links.recognized(connection),
      removed: (connection) => this.#links.removed(connection),
    });
    this.decoder = new Decoder({
      netData: (record) => this.table.netData(record),
      netOpen: (record) => this.table.netOpen(record),
      netClose: (record) => this.table.netClose(record),
      wait: nothing,
      sample: nothing,
      exec: nothing,
      exit: nothing,
    });
    this.model = new KernelModel({
      ...options,
      onRecord: (record) => this.decoder.decode(record, record.length),
    });
  }

  connect(port = 40_000, opened = true) {
    return this.model.connect(['10.0.0.1', port], ['10.0.0.2', 8080], opened);
  }

  /** Time passes without events. */
  pass(seconds: number): void {
    this.model.time += seconds * 1e9;
    this.table.advance(this.model.time);
  }
}

export const lostOf = (side: SideCounters): number =>
  LOSS_REASONS.reduce((sum, reason) => sum + side.lost[reason], 0);
