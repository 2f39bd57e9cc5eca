/**
 * The way of one request's bytes into a pipeline, the same for gRPC and HTTP: check, count, hand on, and turn what the
 * pipeline says into what the client is told.
 *
 * Accounting: `received` are the items of requests that could be read, plus 1 for each that could not (nobody knows
 * how many it held); `sent` what the pipeline accepted; `dropped{malformed,too_large}` what the client is told never to
 * send again because of the request itself; `dropped{refused}` what the client got back to send again, and
 * `dropped{rejected}` what the pipeline refused for good. `refused_requests{code}` counts both by the code of the answer.
 */
import type { Consumer, Settings } from '../../component/component.js';
import { PermanentError, RetryableError } from '../../component/errors.js';
import type { Origin, Signal } from '../../component/signal.js';
import type { YoungCollection } from '../../memory/young-collection.js';
import { MalformedError } from '../../otlp/malformed-error.js';
import { encodeExportResponse } from '../../otlp/responses.js';
import { validate } from '../../otlp/validate.js';
import { rpcErrorOf } from '../../transport/consumer-failure.js';
import { GRPC_STATUS, grpcStatusName, type RpcError } from '../../transport/grpc-status.js';

export type OtlpProtocol = 'grpc' | 'http';

/** An empty `partial_success`, which is how a Collector spells "all accepted". */
export const EXPORT_RESPONSE = encodeExportResponse();

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

  /**
   * Takes one encoded `Export…ServiceRequest`; the bytes belong to the pipeline from now on. Resolves when the
   * pipeline has accepted them. Rejects with `MalformedError` when they are not what they should be, and with
   * `RpcError` when the pipeline refused.
   */
  async accept(
    bytes: Uint8Array,
    protocol: OtlpProtocol,
    connection: Origin['connection'],
    metadata?: Origin['metadata'],
  ): Promise<void> {
    const { metrics, id } = this.#settings;
    let itemCount: number;
    try {
      itemCount = validate(this.signal, bytes);
    } catch (error) {
      if (error instanceof MalformedError) this.lost('malformed', protocol);
      throw error;
    }
    // Accepted without a trace, as a Collector does: there is nothing to keep.
    if (itemCount === 0) return;
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
      this.#countItems(itemCount, protocol, 'accepted');
    } catch (error) {
      throw this.#refused(error, itemCount, protocol);
    } finally {
      this.#hold(-itemCount);
      this.#young.made(bytes.length);
    }
  }

  /** Counts a request that never got as far as its items. */
  lost(reason: 'malformed' | 'too_large', protocol: OtlpProtocol): void {
    const { metrics } = this.#settings;
    metrics.received(this.signal, 1);
    metrics.dropped(this.signal, 1, reason);
    metrics.count('undecodable_requests', 1, { data_type: this.signal, transport: protocol, reason });
  }

  /** Counts a call that was refused before its bytes were looked at, by its code. */
  refusedCall(error: RpcError, protocol: OtlpProtocol): void {
    if (error.code === GRPC_STATUS.UNAVAILABLE) this.#countRefusal(error, protocol);
    else this.lost(error.code === GRPC_STATUS.RESOURCE_EXHAUSTED ? 'too_large' : 'malformed', protocol);
  }

  #refused(error: unknown, itemCount: number, protocol: OtlpProtocol): RpcError {
    const { metrics, logger } = this.#settings;
    const refusal = rpcErrorOf(error);
    metrics.dropped(this.signal, itemCount, error instanceof RetryableError ? 'refused' : 'rejected');
    this.#countRefusal(refusal, protocol);
    const expected = error instanceof RetryableError || error instanceof PermanentError;
    this.#countItems(itemCount, protocol, expected ? 'refused' : 'failed');
    if (!expected) {
      logger.error('The pipeline failed in an unexpected way. The client has been told.', {
        error: error instanceof Error ? (error.stack ?? error.message) : String(error),
      });
    }
    return refusal;
  }

  #countRefusal(error: RpcError, protocol: OtlpProtocol): void {
    this.#settings.metrics.count('refused_requests', 1, {
      data_type: this.signal,
      transport: protocol,
      code: grpcStatusName(error.code),
    });
  }

  #countItems(items: number, transport: OtlpProtocol, outcome: 'accepted' | 'refused' | 'failed'): void {
    this.#settings.metrics.count('transport_items', items, { data_type: this.signal, transport, outcome });
  }

  #hold(items: number): void {
    this.#heldItems += items;
    this.#settings.metrics.held(this.signal, this.#heldItems);
  }
}
