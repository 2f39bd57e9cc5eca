/**
 * Keepalive of a gRPC client: finds out by PING that a server is gone which nobody said goodbye for
 * (https://github.com/grpc/proposal/blob/master/A8-client-side-keepalive.md).
 */
import type { Http2Connection } from './http2/connection.js';

/** Times in milliseconds. */
export interface GrpcPingOptions {
  /** Between two pings. */
  readonly timeMs: number;
  /** Without an answer within this time the connection is cut, and its calls end as unavailable. */
  readonly timeoutMs: number;
  /** Ping also while no call runs. */
  readonly permitWithoutStream: boolean;
}

/** Pings until the function that it gives is called. */
export function pingRegularly(connection: Http2Connection, options: GrpcPingOptions): () => void {
  let deadline: NodeJS.Timeout | undefined;
  const ping = (): void => {
    // The answer to the one before is still on its way.
    if (deadline !== undefined) return;
    if (connection.openStreams === 0 && !options.permitWithoutStream) return;
    deadline = setTimeout(() => connection.destroy(), options.timeoutMs);
    connection.ping(() => {
      clearTimeout(deadline);
      deadline = undefined;
    });
  };
  const timer = setInterval(ping, options.timeMs).unref();
  return () => {
    clearInterval(timer);
    clearTimeout(deadline);
  };
}
