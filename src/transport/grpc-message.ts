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

/**
 * Memory taken in advance for a message of which little has arrived. The prefix is a promise of the client's, and one that
 * promises megabytes and sends nothing must not cost them.
 */
const ADVANCE_BYTES = 256 * 1024;

const TWO_REQUESTS = 'cardinality violation: received multiple request messages for non-client-streaming RPC';
export const TWO_RESPONSES =
  'cardinality violation: expected <EOF> for non server-streaming RPCs, but received another message';

export interface GrpcMessage {
  readonly compressed: boolean;
  /** Nobody else has these bytes. */
  readonly bytes: Buffer;
}

export class GrpcMessageCollector {
  readonly #maxBytes: number;
  readonly #surplus: string;
  #prefix: Buffer | undefined;
  #prefixBytes = 0;
  #flag = 0;
  /** Of the message; -1 until the prefix is complete. */
  #length = -1;
  #message = NO_BYTES;
  #messageBytes = 0;

  /** `surplus`: what to say of a second message. */
  constructor(maxBytes: number, surplus = TWO_REQUESTS) {
    this.#maxBytes = maxBytes;
    this.#surplus = surplus;
  }

  /** Takes a copy of `chunk[start, end)`. Throws `RpcError` when the call must be refused. */
  push(chunk: Buffer, start: number, end: number): void {
    let at = start;
    if (this.#length < 0) {
      at = this.#readPrefix(chunk, start, end);
      if (this.#length < 0) return;
    }
    const total = this.#messageBytes + end - at;
    if (total > this.#length) {
      throw new RpcError(GRPC_STATUS.INTERNAL, this.#surplus);
    }
    if (total > this.#message.length) this.#grow(total);
    chunk.copy(this.#message, this.#messageBytes, at, end);
    this.#messageBytes = total;
  }

  /** The message, once the client has half-closed. Throws `RpcError` when there is none or it is cut. */
  finish(): GrpcMessage {
    if (this.#length < 0) {
      throw new RpcError(GRPC_STATUS.UNKNOWN, 'EOF');
    }
    if (this.#messageBytes !== this.#length) {
      throw new RpcError(GRPC_STATUS.UNKNOWN, 'unexpected EOF');
    }
    if (this.#flag > 1) {
      throw new RpcError(GRPC_STATUS.INTERNAL, `grpc: received unexpected payload format ${this.#flag}`);
    }
    const bytes = this.#message;
    this.#message = NO_BYTES;
    return { compressed: this.#flag === 1, bytes };
  }

  /** Gives where the message goes on. */
  #readPrefix(chunk: Buffer, start: number, end: number): number {
    if (this.#prefixBytes === 0 && end - start >= GRPC_PREFIX_BYTES) {
      this.#expect(chunk[start]!, chunk.readUInt32BE(start + 1));
      return start + GRPC_PREFIX_BYTES;
    }
    this.#prefix ??= Buffer.alloc(GRPC_PREFIX_BYTES);
    const until = Math.min(end, start + GRPC_PREFIX_BYTES - this.#prefixBytes);
    chunk.copy(this.#prefix, this.#prefixBytes, start, until);
    this.#prefixBytes += until - start;
    if (this.#prefixBytes === GRPC_PREFIX_BYTES) this.#expect(this.#prefix[0]!, this.#prefix.readUInt32BE(1));
    return until;
  }

  #expect(flag: number, length: number): void {
    if (length > this.#maxBytes) {
      throw new RpcError(
        GRPC_STATUS.RESOURCE_EXHAUSTED,
        `grpc: received message larger than max (${length} vs. ${this.#maxBytes})`,
      );
    }
    this.#flag = flag;
    this.#length = length;
  }

  #grow(wanted: number): void {
    const size = Math.min(this.#length, Math.max(4 * wanted, ADVANCE_BYTES));
    const larger = Buffer.allocUnsafeSlow(size);
    this.#message.copy(larger, 0, 0, this.#messageBytes);
    this.#message = larger;
  }
}

const NO_BYTES = Buffer.alloc(0);
