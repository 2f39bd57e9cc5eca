/**
 * The way of one request's bytes into a pipeline, the same for every receiver of a network: count, hand on, and turn
 * what the pipeline says into what the client is told.
 *
 * Accounting: `received` are the items of requests that could be read, plus 1 for each that could not (nobody knows
 * how many it held); `sent` what the pipeline accepted; `dropped{malformed,too_large}` what the client is told never to
 * send again because of the request itself; `dropped{refused}` what the client got back to send again, and
 * `dropped{rejected}` what the pipeline refused for good. `refused_requests{code}` counts both by the code of the answer.
 */
import type { Consumer, Settings } from '../component/component.js';
import { PermanentError, RetryableError } from '../component/errors.js';
import type { Origin, Signal } from '../component/signal.js';
import { YoungCollection } from '../memory/young-collection.js';
import { rpcErrorOf } from '../transport/consumer-failure.js';
import { GRPC_STATUS, grpcStatusName, RpcError } from '../transport/grpc-status.js';

/** Of received requests. About as much again is garbage of the sockets. */
const MUCH_GARBAGE_BYTES = 16 * 1024 * 1024;
const SOME_GARBAGE_BYTES = 2 * 1024 * 1024;

/** One for all intakes of a receiver. */
export const requestMemory = (): YoungCollection =>
  new YoungCollection(MUCH_GARBAGE_BYTES, SOME_GARBAGE_BYTES);

/** What a receiver hands on, and how it came. */
export interface Delivery {
  /** Encoded OTLP; belongs to the pipeline from now on. */
  readonly bytes: Uint8Array;
  /** At least one. */
  readonly itemCount: number;
  /** As in a Collector's `transport` label: `grpc`, `http`, … */
  readonly transport: string;
  readonly connection: Origin['connection'];
  readonly metadata?: Origin['metadata'];
}

/** What the client is told when the pipeline refused. */
export class Refusal extends RpcError {
  /** The same bytes will never be accepted. */
  readonly permanent: boolean;

  constructor(error: unknown) {
    const { code, message, retryDelayMs } = rpcErrorOf(error);
    super(code, message, retryDelayMs);
    this.permanent = error instanceof PermanentError;
    this.cause = error;
  }
}

export class Intake {
  readonly signal: Signal;
  readonly #next: Consumer;
  readonly #settings: Settings;
  readonly #young: YoungCollection;
  #heldItems = 0;

  constructor(signal: Signal, next: Consumer, settings: Settings, young: YoungCollection) {
    this.signal = signal;
    this.#next = next;
    this.#settings = settings;
    this.#young = young;
  }

  /** Resolves when the pipeline has accepted the items. Rejects with `Refusal` when it did not. */
  async deliver({ bytes, itemCount, transport, connection, metadata }: Delivery): Promise<void> {
    const { metrics, id } = this.#settings;
    metrics.received(this.signal, itemCount);
    this.#hold(itemCount);
    const origin: Origin = {
      receiver: id,
      ...(connection === undefined ? {} : { connection }),
      ...(metadata === undefined ? {} : { metadata }),
    };
    try {
      await this.#next.consume({ signal: this.signal, bytes, itemCount, origin });
      metrics.sent(this.signal, itemCount);
      this.#countItems(itemCount, transport, 'accepted');
    } catch (error) {
      throw this.#refused(error, itemCount, transport);
    } finally {
      this.#hold(-itemCount);
      this.#young.made(bytes.length);
    }
  }

  /** Counts a request that never got as far as its items. */
  lost(reason: 'malformed' | 'too_large' | 'queue_full' | 'memory_budget', transport: string): void {
    const { metrics } = this.#settings;
    metrics.received(this.signal, 1);
    metrics.dropped(this.signal, 1, reason);
    metrics.count('undecodable_requests', 1, { data_type: this.signal, transport, reason });
  }

  /** Counts a call that was refused before its bytes were looked at, by its code. */
  refusedCall(error: RpcError, transport: string): void {
    if (error.code === GRPC_STATUS.UNAVAILABLE) this.#countRefusal(error, transport);
    else this.lost(error.code === GRPC_STATUS.RESOURCE_EXHAUSTED ? 'too_large' : 'malformed', transport);
  }

  #refused(error: unknown, itemCount: number, transport: string): Refusal {
    const { metrics, logger } = this.#settings;
    const refusal = new Refusal(error);
    metrics.dropped(this.signal, itemCount, error instanceof RetryableError ? 'refused' : 'rejected');
    this.#countRefusal(refusal, transport);
    const expected = error instanceof RetryableError || error instanceof PermanentError;
    this.#countItems(itemCount, transport, expected ? 'refused' : 'failed');
    if (!expected) {
      logger.error('The pipeline failed in an unexpected way. The client has been told.', {
        error: error instanceof Error ? (error.stack ?? error.message) : String(error),
      });
    }
    return refusal;
  }

  #countRefusal(error: RpcError, transport: string): void {
    this.#settings.metrics.count('refused_requests', 1, {
      data_type: this.signal,
      transport,
      code: grpcStatusName(error.code),
    });
  }

  #countItems(items: number, transport: string, outcome: 'accepted' | 'refused' | 'failed'): void {
    this.#settings.metrics.count('transport_items', items, { data_type: this.signal, transport, outcome });
  }

  #hold(items: number): void {
    this.#heldItems += items;
    this.#settings.metrics.held(this.signal, this.#heldItems);
  }
}
