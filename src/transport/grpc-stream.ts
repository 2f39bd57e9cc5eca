/** The messages of a call in which the client sends a stream and is answered once. */

import { GRPC_PREFIX_BYTES, type GrpcMessage } from './grpc-message.js';
import { GRPC_STATUS, RpcError } from './grpc-status.js';

/** Cuts the bytes of a stream into its messages, each within a size limit. */
export class GrpcMessageSplitter {
  readonly #maxBytes: number;
  #pieces: Buffer[] = [];
  #size = 0;
  /** Of the message that is not complete, with its prefix; the prefix's size until that is known. */
  #wanted = GRPC_PREFIX_BYTES;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** True when the stream may end here. */
  get isComplete(): boolean {
    return this.#size === 0;
  }

  /** Takes a copy of `chunk[start, end)` and gives the messages that are complete. Throws `RpcError`. */
  push(chunk: Buffer, start: number, end: number): GrpcMessage[] {
    this.#pieces.push(Buffer.from(chunk.subarray(start, end)));
    this.#size += end - start;
    const messages: GrpcMessage[] = [];
    while (this.#size >= this.#wanted) {
      const bytes = this.#pieces.length === 1 ? this.#pieces[0]! : Buffer.concat(this.#pieces, this.#size);
      const length = bytes.readUInt32BE(1);
      if (length > this.#maxBytes) {
        throw new RpcError(
          GRPC_STATUS.RESOURCE_EXHAUSTED,
          `grpc: received message larger than max (${length} vs. ${this.#maxBytes})`,
        );
      }
      this.#wanted = GRPC_PREFIX_BYTES + length;
      this.#pieces = [bytes];
      if (this.#size < this.#wanted) break;
      messages.push({ compressed: bytes[0] === 1, bytes: bytes.subarray(GRPC_PREFIX_BYTES, this.#wanted) });
      const rest = bytes.subarray(this.#wanted);
      this.#pieces = rest.length === 0 ? [] : [rest];
      this.#size = rest.length;
      this.#wanted = GRPC_PREFIX_BYTES;
    }
    return messages;
  }
}
