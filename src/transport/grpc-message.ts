/**
 * Collects the one message of a unary call from the DATA frames of its stream, within a size limit.
 *
 *     +------------+----------------+-----------+
 *     | compressed | length (u32be) | message   |     Length-Prefixed-Message of
 *     | 1 byte     | 4 bytes        | length    |     https://github.com/grpc/grpc/blob/v1.66.0/doc/PROTOCOL-HTTP2.md
 *     +------------+----------------+-----------+
 */
import { GRPC_STATUS, RpcError } from './grpc-status.js';

export const GRPC_PREFIX_BYTES = 5;

export interface GrpcMessage {
  readonly compressed: boolean;
  /** May be a view of the received chunk; nobody else writes into it. */
  readonly bytes: Buffer;
}

export class GrpcMessageCollector {
  readonly #maxBytes: number;
  #chunks: Buffer[] = [];
  #receivedBytes = 0;
  /** Of prefix and message; undefined until the prefix is complete. */
  #expectedBytes: number | undefined;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get receivedBytes(): number {
    return this.#receivedBytes;
  }

  /** Takes ownership of `chunk`. Throws `RpcError` when the call must be refused. */
  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#receivedBytes += chunk.length;
    if (this.#expectedBytes === undefined && this.#receivedBytes >= GRPC_PREFIX_BYTES) {
      const length = this.#prefix().readUInt32BE(1);
      if (length > this.#maxBytes) {
        throw new RpcError(
          GRPC_STATUS.RESOURCE_EXHAUSTED,
          `grpc: received message larger than max (${length} vs. ${this.#maxBytes})`,
        );
      }
      this.#expectedBytes = GRPC_PREFIX_BYTES + length;
    }
    if (this.#expectedBytes !== undefined && this.#receivedBytes > this.#expectedBytes) {
      throw new RpcError(
        GRPC_STATUS.INTERNAL,
        'cardinality violation: received multiple request messages for non-client-streaming RPC',
      );
    }
  }

  /** The message, once the client has half-closed. Throws `RpcError` when there is none or it is cut. */
  finish(): GrpcMessage {
    if (this.#receivedBytes === 0) {
      throw new RpcError(
        GRPC_STATUS.INTERNAL,
        'cardinality violation: received no request message from non-client-streaming RPC',
      );
    }
    if (this.#receivedBytes !== this.#expectedBytes) {
      throw new RpcError(GRPC_STATUS.INTERNAL, 'unexpected EOF');
    }
    const all =
      this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks, this.#receivedBytes);
    this.#chunks = [];
    const flag = all[0]!;
    if (flag > 1) {
      throw new RpcError(GRPC_STATUS.INTERNAL, `grpc: received unexpected payload format ${flag}`);
    }
    return { compressed: flag === 1, bytes: all.subarray(GRPC_PREFIX_BYTES) };
  }

  /** The first five bytes; joins chunks when a client cut them apart. */
  #prefix(): Buffer {
    const first = this.#chunks[0]!;
    if (first.length >= GRPC_PREFIX_BYTES) return first;
    const joined = Buffer.concat(this.#chunks);
    this.#chunks = [joined];
    return joined;
  }
}
