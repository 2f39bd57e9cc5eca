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
import { SpanFacts } from '../../src/protocols/span-facts.js';
import { Capture, type CaptureOptions } from '../../src/receiver/ebpf/native.js';
import { waitUntil } from './kernel.js';

const nothing = (): void => {};

/** An exchange of another protocol than HTTP/1.x, as the span that it becomes. */
export interface LiveSpan {
  readonly side: 'client' | 'server';
  readonly serverPort: number;
  readonly protocol: string;
  readonly name: string;
  readonly kind: string;
  readonly errorType: string | undefined;
  readonly incomplete: string | undefined;
}

/** A capture whose records become exchanges in this process; close it with `using`. */
export class LiveExchanges {
  readonly exchanges: Exchange[] = [];
  /** Of all protocols but HTTP/1.x. */
  readonly spans: LiveSpan[] = [];
  readonly counters = new ExchangeCounters();
  readonly table: ConnectionTable;
  readonly capture: Capture;

  /** Of protocols other than HTTP/1.x. */
  readonly protocols = new ProtocolCounters();

  /** `withSpans`: what is no HTTP/1.x is described, too, and ends in `spans`; else it is only counted. */
  constructor(options: CaptureOptions, withSpans = false) {
    const registry = new ProtocolRegistry(PROTOCOLS.filter(({ name }) => name !== 'http1'));
    const facts = new SpanFacts();
    const wires: ConversationShared = {
      registry,
      options: DEFAULT_PROTOCOL_OPTIONS,
      counters: this.protocols,
      memory: new EndpointMemory(),
      failed: (protocol, error) => {
        throw new Error(`The parser of ${protocol} failed`, { cause: error });
      },
    };
    const output: ConnectionOutput = {
      opened: nothing,
      finished: (connection, draft, incomplete) => {
        this.exchanges.push(toExchange(this.exchanges.length + 1, connection, draft, incomplete));
      },
      begun: () => {},
      ended: (connection, exchange) => {
        if (!withSpans) return;
        const { ends } = connection.conversation!;
        const side = connection.side ?? 'client';
        const { protocol, name, kind, errorType } = facts.describe(
          registry.get(exchange.protocol)!,
          exchange,
          ends,
          side,
          DEFAULT_PROTOCOL_OPTIONS,
        );
        const serverPort = side === 'client' ? ends.remotePort : ends.localPort;
        const { incomplete } = exchange;
        this.spans.push({ side, serverPort, protocol, name, kind, errorType, incomplete });
      },
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
