/** `Agent.emitBatch` over UDP: bounded, counted, and nobody is answered. */
import type { Settings } from '../../component/component.js';
import type { Origin } from '../../component/signal.js';
import { type Intake, Refusal } from '../../pipeline/intake.js';
import { ThriftBinaryReader } from '../../thrift/binary-reader.js';
import { ThriftCompactReader } from '../../thrift/compact-reader.js';
import { ThriftError } from '../../thrift/thrift-error.js';
import type { ByteBudget } from '../../transport/byte-budget.js';
import type { JaegerUdpConfig } from './config.js';
import { readEmitBatch } from './thrift.js';
import { encodeJaegerBatch } from './to-otlp.js';

export type DatagramEncoding = 'binary' | 'compact';

interface Datagram {
  readonly bytes: Buffer;
  readonly connection: Origin['connection'];
}

export class Datagrams {
  readonly #config: JaegerUdpConfig;
  readonly #encoding: DatagramEncoding;
  readonly #intake: Intake;
  readonly #settings: Settings;
  readonly #budget: ByteBudget;
  readonly #waiting: Datagram[] = [];
  #running = 0;
  #onIdle: (() => void)[] = [];

  constructor(
    config: JaegerUdpConfig,
    encoding: DatagramEncoding,
    intake: Intake,
    settings: Settings,
    budget: ByteBudget,
  ) {
    this.#config = config;
    this.#encoding = encoding;
    this.#intake = intake;
    this.#settings = settings;
    this.#budget = budget;
  }

  get transport(): string {
    return `udp_thrift_${this.#encoding}`;
  }

  /** Takes a datagram, or drops it and counts why. */
  take(bytes: Buffer, connection: Origin['connection']): void {
    const { max_packet_size, queue_size, workers } = this.#config;
    if (bytes.length > max_packet_size) this.#intake.lost('too_large', this.transport);
    else if (this.#running >= workers && this.#waiting.length >= queue_size) this.#drop('queue_full');
    else if (!this.#budget.reserve(bytes.length)) this.#drop('memory_budget');
    else if (this.#running < workers) void this.#work({ bytes, connection });
    else this.#waiting.push({ bytes, connection });
  }

  /** Resolves when everything that was taken is settled. */
  idle(): Promise<void> {
    if (this.#running === 0) return Promise.resolve();
    return new Promise((resolve) => this.#onIdle.push(resolve));
  }

  async #work(first: Datagram): Promise<void> {
    this.#running++;
    for (let next: Datagram | undefined = first; next !== undefined; next = this.#waiting.shift()) {
      await this.#deliver(next);
      this.#budget.release(next.bytes.length);
    }
    this.#running--;
    if (this.#running > 0) return;
    for (const resolve of this.#onIdle.splice(0)) resolve();
  }

  /** What the pipeline refuses is lost, and was counted on the way: over UDP there is nobody to send it again. */
  async #deliver({ bytes, connection }: Datagram): Promise<void> {
    try {
      const reader =
        this.#encoding === 'binary' ? new ThriftBinaryReader(bytes) : new ThriftCompactReader(bytes);
      const batch = readEmitBatch(reader);
      if (batch === undefined) throw new ThriftError('not a call of emitBatch');
      const encoded = encodeJaegerBatch(batch, 'thrift');
      if (encoded.itemCount === 0) return;
      await this.#intake.deliver({ ...encoded, transport: this.transport, connection });
    } catch (error) {
      if (error instanceof Refusal) return;
      this.#intake.lost('malformed', this.transport);
      if (error instanceof ThriftError) {
        this.#settings.logger.debug('A datagram is no batch of spans.', { error: error.message });
      } else {
        this.#settings.logger.error('Reading a datagram failed in an unexpected way.', {
          error: error instanceof Error ? (error.stack ?? error.message) : String(error),
        });
      }
    }
  }

  #drop(reason: 'queue_full' | 'memory_budget'): void {
    this.#intake.lost(reason, this.transport);
  }
}
