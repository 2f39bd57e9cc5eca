/**
 * How calls reach the server: over our own client, and over `@grpc/grpc-js` for everything that it does better than we need
 * to (proxies, unix sockets, credentials from the environment). Why two: docs/decisions/0009.
 */
import type { ConnectionOptions } from 'node:tls';
import type { ChannelCredentials, Metadata } from '@grpc/grpc-js';
import type { Batch } from '../../component/signal.js';
import { type Compress, compressorOf } from '../../pipeline/otlp-export/compress.js';
import type { GrpcResult } from '../../transport/grpc-call.js';
import { GrpcClient } from '../../transport/grpc-client.js';
import type { GrpcPingOptions } from '../../transport/grpc-ping.js';
import { GRPC_STATUS } from '../../transport/grpc-status.js';
import { splitHostPort } from './config.js';
import { GrpcJsChannel } from './grpc-js-channel.js';

export interface Channel {
  /** Never rejects. `timeoutMs` 0: no limit. */
  unary(path: string, batch: Batch, metadata: Metadata, timeoutMs: number): Promise<GrpcResult>;
  close(): void;
}

export interface ChannelOptions {
  /** As the official configuration resolved it: `host:port`, or a name with a scheme that grpc-js knows. */
  readonly target: string;
  readonly credentials: ChannelCredentials;
  /** The same for our own client; of credentials from the environment they are not known. */
  readonly tls?: ConnectionOptions | undefined;
  readonly compression: GrpcCompression;
  readonly keepalive?: GrpcPingOptions | undefined;
}

/** What servers in Go know; snappy is the framed kind. */
export type GrpcCompression = 'gzip' | 'none' | 'snappy' | 'zstd';

export const USER_AGENT = 'kindling';
/** Variables in which grpc-js looks for a proxy. */
const PROXIES = ['grpc_proxy', 'https_proxy', 'http_proxy'];

export function openChannel(options: ChannelOptions, environment: NodeJS.ProcessEnv): Channel {
  const { host, port } = splitHostPort(options.target);
  const isDirect = !/^\w+:\/*\D/.test(options.target) && /^\d+$/.test(port);
  const isKnown = options.tls !== undefined || !options.credentials._isSecure();
  const hasProxy = PROXIES.some((name) => (environment[name] ?? '') !== '');
  if (!isDirect || !isKnown || hasProxy) return grpcJsChannel(options);
  return new OwnChannel(options, host, Number(port));
}

function grpcJsChannel({ compression, ...options }: ChannelOptions): Channel {
  if (compression === 'gzip' || compression === 'none') return new GrpcJsChannel({ ...options, compression });
  throw new Error(
    `compression type "${compression}" needs a direct connection (no proxy, no unix socket) and \`tls:\` in the file or no TLS`,
  );
}

class OwnChannel implements Channel {
  readonly #client: GrpcClient;
  readonly #compression: GrpcCompression;
  readonly #compress: Compress | undefined;

  constructor({ target, compression, tls, keepalive }: ChannelOptions, host: string, port: number) {
    this.#compression = compression;
    this.#compress =
      compression === 'none'
        ? undefined
        : compressorOf(compression === 'snappy' ? 'x-snappy-framed' : compression);
    this.#client = new GrpcClient({
      authority: target,
      connect: { host, port },
      userAgent: USER_AGENT,
      tls,
      keepalive,
    });
  }

  async unary(path: string, batch: Batch, metadata: Metadata, timeoutMs: number): Promise<GrpcResult> {
    const common = { path, metadata: pairsOf(metadata), timeoutMs };
    if (this.#compression === 'none' || this.#compress === undefined) {
      const message = batch.parts ?? [batch.bytes];
      return this.#client.unary({ ...common, message, encoding: 'identity' });
    }
    const compressed = await this.#compress(batch.bytes).catch((error: Error) => error);
    if (compressed instanceof Error) return { code: GRPC_STATUS.INTERNAL, message: compressed.message };
    return this.#client.unary({ ...common, message: [compressed], encoding: this.#compression });
  }

  close(): void {
    this.#client.close();
  }
}

/** As on the wire: binary values in base64. */
const pairsOf = (metadata: Metadata): (readonly [string, string])[] =>
  Object.entries(metadata.toHttp2Headers()).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value]).map((one) => [name, String(one)] as const),
  );
