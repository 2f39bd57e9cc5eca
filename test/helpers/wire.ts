/** Runs bytes through a conversation as a capture would: for tests and fuzzing of protocols. */
import {
  Conversation,
  type ConversationEnds,
  type ConversationShared,
} from '../../src/protocols/conversation.js';
import { ProtocolCounters } from '../../src/protocols/counters.js';
import { EndpointMemory } from '../../src/protocols/endpoint-memory.js';
import type { WireExchange } from '../../src/protocols/exchange.js';
import { DEFAULT_PROTOCOL_OPTIONS, type ProtocolOptions } from '../../src/protocols/options.js';
import type { AnyProtocol, Transport } from '../../src/protocols/protocol.js';
import { ProtocolRegistry } from '../../src/protocols/registry.js';
import { SpanFacts } from '../../src/protocols/span-facts.js';
import type { SpanValue } from '../../src/protocols/span-sink.js';

export interface WireOptions {
  readonly transport?: Transport;
  readonly serverPort?: number;
  /** Only these; all of the list when absent. */
  readonly protocols?: readonly AnyProtocol[];
  readonly options?: Partial<ProtocolOptions>;
  /** False: the connection was joined in the middle, its roles are not known. */
  readonly fresh?: boolean;
}

/** What a finished exchange looks like in a test. */
export interface SeenSpan {
  readonly protocol: string;
  readonly name: string;
  readonly kind: string;
  readonly errorType: string | undefined;
  readonly statusMessage: string | undefined;
  readonly attributes: Readonly<Record<string, SpanValue>>;
  readonly exchange: WireExchange;
}

/** A client at 10.0.0.1:40000, a server at 10.0.0.2; each call takes 1 ms. Seen from the client's end. */
export class Wire {
  readonly finished: WireExchange[] = [];
  /** What parsers threw. */
  readonly failures: unknown[] = [];
  readonly counters = new ProtocolCounters();
  readonly conversation: Conversation;
  readonly ends: ConversationEnds;
  readonly #shared: ConversationShared;
  readonly #positions = { client: 1000, server: 5000 };
  time = 1_000_000;

  constructor({
    transport = 'tcp',
    serverPort = 12_345,
    protocols,
    options,
    fresh = true,
  }: WireOptions = {}) {
    this.#shared = {
      registry: new ProtocolRegistry(protocols),
      options: { ...DEFAULT_PROTOCOL_OPTIONS, ...options },
      counters: this.counters,
      memory: new EndpointMemory(),
      failed: (_, error) => this.failures.push(error),
    };
    this.ends = {
      transport,
      localAddress: '10.0.0.1',
      localPort: 40_000,
      remoteAddress: '10.0.0.2',
      remotePort: serverPort,
    };
    this.conversation = new Conversation(this.#shared, this.ends, fresh ? true : undefined, fresh, {
      finished: (exchange) => this.finished.push(exchange),
    });
    if (!fresh) return;
    this.conversation.startAt(true, this.#positions.client);
    this.conversation.startAt(false, this.#positions.server);
  }

  /** The client sends; of `bytes` the first `visible` are captured. */
  client(bytes: string | Uint8Array, visible?: number): this {
    return this.#send('client', bytes, visible);
  }

  server(bytes: string | Uint8Array, visible?: number): this {
    return this.#send('server', bytes, visible);
  }

  /** `count` bytes of that end are missed by the capture. */
  lose(from: 'client' | 'server', count: number): this {
    this.#positions[from] = (this.#positions[from] + count) >>> 0;
    return this;
  }

  end(from: 'client' | 'server'): this {
    this.conversation.end(from === 'client', this.time);
    return this;
  }

  close(reason: 'closed' | 'reset' | 'evicted' | 'shutdown' = 'closed'): this {
    this.conversation.close(reason, this.time);
    return this;
  }

  /** What the exchanges became, seen from `side`. */
  spans(side: 'client' | 'server' = 'client'): SeenSpan[] {
    const { registry, options } = this.#shared;
    return this.finished.map((exchange) => {
      const facts = new SpanFacts().describe(
        registry.get(exchange.protocol)!,
        exchange,
        this.ends,
        side,
        options,
      );
      const { name, kind, errorType, statusMessage } = facts;
      const attributes = Object.fromEntries(facts.attributes);
      return { protocol: facts.protocol, name, kind, errorType, statusMessage, attributes, exchange };
    });
  }

  #send(from: 'client' | 'server', data: string | Uint8Array, visible?: number): this {
    const bytes = typeof data === 'string' ? Buffer.from(data, 'latin1') : Buffer.from(data);
    this.time += 1_000_000;
    const position = this.#positions[from];
    this.#positions[from] = (position + bytes.length) >>> 0;
    this.conversation.data({
      egress: from === 'client',
      position,
      length: bytes.length,
      bytes,
      start: 0,
      end: Math.min(bytes.length, visible ?? bytes.length),
      tail: -1,
      time: this.time,
      tgid: 0,
      tid: 0,
    });
    return this;
  }
}

/** Fails unless every exchange is accounted for: begun + missed = finished + lost + open. */
export function unaccounted(wire: Wire): number {
  let sum = 0;
  for (const name of wire.counters.names) {
    const count = wire.counters.of(name);
    const lost = Object.values(count.lost).reduce((a, b) => a + b, 0);
    sum += count.begun + count.missed - count.finished - lost;
  }
  return sum - wire.conversation.held;
}
