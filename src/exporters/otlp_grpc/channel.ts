/**
 * How calls reach the server: over our own client on plain TCP, and over `@grpc/grpc-js` for everything that it does
 * better than we need to (TLS, proxies, unix sockets). Why two: docs/decisions/0009.
 */
import type { ChannelCredentials, Metadata } from '@grpc/grpc-js';
import type { Batch } from '../../component/signal.js';
import { compressGzip } from '../../pipeline/otlp-export/compress.js';
import type { GrpcResult } from '../../transport/grpc-call.js';
import { GrpcClient } from '../../transport/grpc-client.js';
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
  readonly compression: 'gzip' | 'none';
}

export const USER_AGENT = 'kindling';
/** Variables in which grpc-js looks for a proxy. */
const PROXIES = ['grpc_proxy', 'https_proxy', 'http_proxy'];

export function openChannel(options: ChannelOptions, environment: NodeJS.ProcessEnv): Channel {
  const { host, port } = splitHostPort(options.target);
  const isPlain =
    !options.credentials._isSecure() && !/^\w+:\/*\D/.test(options.target) && /^\d+$/.test(port);
  const hasProxy = PROXIES.some((name) => (environment[name] ?? '') !== '');
  if (!isPlain || hasProxy) return new GrpcJsChannel(options);
  return new PlainChannel(options, host, Number(port));
}

class PlainChannel implements Channel {
  readonly #client: GrpcClient;
  readonly #compression: ChannelOptions['compression'];

  constructor({ target, compression }: ChannelOptions, host: string, port: number) {
    this.#compression = compression;
    this.#client = new GrpcClient({ authority: target, connect: { host, port }, userAgent: USER_AGENT });
  }

  async unary(path: string, batch: Batch, metadata: Metadata, timeoutMs: number): Promise<GrpcResult> {
    const common = { path, metadata: pairsOf(metadata), timeoutMs };
    if (this.#compression === 'none') {
      const message = batch.parts ?? [batch.bytes];
      return this.#client.unary({ ...common, message, encoding: 'identity' });
    }
    const compressed = await compressGzip(batch.bytes).catch((error: Error) => error);
    if (compressed instanceof Error) return { code: GRPC_STATUS.INTERNAL, message: compressed.message };
    return this.#client.unary({ ...common, message: [compressed], encoding: 'gzip' });
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
