import { Client, type Metadata } from '@grpc/grpc-js';
import type { Batch } from '../../component/signal.js';
import type { GrpcResult } from '../../transport/grpc-call.js';
import { type Channel, type ChannelOptions, USER_AGENT } from './channel.js';

interface GrpcJsOptions extends Omit<ChannelOptions, 'compression'> {
  readonly compression: 'gzip' | 'none';
}

import { piecewise } from './piecewise.js';

/** Numbers of grpc-js's `compressionAlgorithms`. */
const COMPRESSION = { none: 0, gzip: 2 } as const;

/**
 * Calls over `@grpc/grpc-js`, on which the official exporters stand. Their transport between the two is left out: it
 * copies each request once more and gives up beyond 30 exports at a time, which are bounded by
 * `sending_queue.num_consumers` here.
 */
export class GrpcJsChannel implements Channel {
  readonly #client: Client;
  readonly #compression: GrpcJsOptions['compression'];

  constructor({ target, credentials, compression, keepalive }: GrpcJsOptions) {
    this.#compression = compression;
    this.#client = new Client(target, credentials, {
      'grpc.default_compression_algorithm': COMPRESSION[compression],
      'grpc.primary_user_agent': USER_AGENT,
      ...(keepalive === undefined
        ? {}
        : {
            'grpc.keepalive_time_ms': keepalive.timeMs,
            'grpc.keepalive_timeout_ms': keepalive.timeoutMs,
            'grpc.keepalive_permit_without_calls': keepalive.permitWithoutStream ? 1 : 0,
          }),
    });
  }

  unary(path: string, batch: Batch, metadata: Metadata, timeoutMs: number): Promise<GrpcResult> {
    return new Promise((resolve) => {
      this.#client.makeUnaryRequest(
        path,
        this.#serialize,
        (bytes: Buffer) => bytes,
        batch,
        metadata,
        timeoutMs === 0 ? {} : { deadline: Date.now() + timeoutMs },
        (error, response) => {
          if (error === null) {
            resolve({ code: 0, message: '', response });
            return;
          }
          const [details] = error.metadata?.get('grpc-status-details-bin') ?? [];
          resolve({
            code: error.code,
            message: error.details,
            details: details instanceof Buffer ? details : undefined,
          });
        },
      );
    });
  }

  close(): void {
    this.#client.close();
  }

  /** Compressing needs the bytes in one piece; sending plain does not. */
  readonly #serialize = (batch: Batch): Buffer => {
    if (this.#compression === 'none' && batch.parts !== undefined && batch.parts.length > 1) {
      return piecewise(batch.parts);
    }
    const { buffer, byteOffset, byteLength } = batch.bytes;
    return Buffer.from(buffer, byteOffset, byteLength);
  };
}
