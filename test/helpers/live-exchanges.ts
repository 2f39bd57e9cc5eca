import { type ConnectionOutput, ConnectionTable, DEFAULT_LIMITS } from '../../src/observer/connections.js';
import { Decoder } from '../../src/observer/decoder.js';
import { toExchange } from '../../src/observer/exchange-builder.js';
import { ExchangeCounters } from '../../src/observer/exchange-counters.js';
import type { Exchange } from '../../src/observer/types.js';
import type { ConversationShared } from '../../src/protocols/conversation.js';
import { ProtocolCounters } from '../../src/protocols/counters.js';
import { EndpointMemory } from '../../src/protocols/endpoint-memory.js';
import { PROTOCOLS } from '../../src/protocols/list.js';
import { DEFAULT_PROTOCOL_OPTIONS } from '../../src/protocols/options.js';
import { ProtocolRegistry } from '../../src/protocols/registry.js';
import { Capture, type CaptureOptions } from '../../src/receiver/ebpf/native.js';
import { waitUntil } from './kernel.js';

const nothing = (): void => {};

/** A capture whose records become exchanges in this process; close it with `using`. */
export class LiveExchanges {
  readonly exchanges: Exchange[] = [];
  readonly counters = new ExchangeCounters();
  readonly table: ConnectionTable;
  readonly capture: Capture;

  /** Of protocols other than HTTP/1.x, which are only counted. */
  readonly protocols = new ProtocolCounters();

  constructor(options: CaptureOptions) {
    const wires: ConversationShared = {
      registry: new ProtocolRegistry(PROTOCOLS.filter(({ name }) => name !== 'http1')),
      options: DEFAULT_PROTOCOL_OPTIONS,
      counters: this.protocols,
      memory: new EndpointMemory(),
    };
    const output: ConnectionOutput = {
      opened: nothing,
      finished: (connection, draft, incomplete) => {
        this.exchanges.push(toExchange(this.exchanges.length + 1, connection, draft, incomplete));
      },
      begun: () => {},
      ended: () => {},
      recognized: nothing,
      removed: nothing,
    };
    this.table = new ConnectionTable(DEFAULT_LIMITS, this.counters, output, wires);
    const { table } = this;
    const decoder = new Decoder({
      netData: (record) => table.netData(record),
      netOpen: (record) => table.netOpen(record),
      netClose: (record) => table.netClose(record),
      netUnix: (record) => table.netUnix(record),
      netTurns: (record) => table.netTurns(record),
      netError: (record) => table.netError(record),
      wait: nothing,
      sample: nothing,
      exec: nothing,
      exit: nothing,
    });
    this.capture = Capture.open(options, (batch) => decoder.decode(batch.bytes, batch.length));
  }

  of(role: Exchange['role']): Exchange[] {
    return this.exchanges.filter((exchange) => exchange.role === role);
  }

  /** Waits until everything that has happened before now has arrived. */
  async settle(): Promise<void> {
    const now = Number(process.hrtime.bigint());
    await waitUntil(() => this.capture.drainedUpTo() >= now);
    this.table.advance(now);
  }

  [Symbol.dispose](): void {
    this.capture.close();
  }
}
