/**
 * Keeps watch over one gRPC connection as grpc-go's server does: closes idle and old connections gracefully, finds dead
 * peers by PING, and sends away clients that ping too often.
 *
 * Source: grpc-go, package keepalive, ServerParameters and EnforcementPolicy;
 * https://github.com/grpc/proposal/blob/master/A8-client-side-keepalive.md (two strikes, "too_many_pings").
 */
import type { Http2Connection } from './http2/connection.js';
import { H2_ERROR } from './http2/protocol.js';

/** Times in milliseconds; 0 means unlimited. */
export interface GrpcKeepaliveOptions {
  /** Close a connection without calls after this time. */
  readonly maxConnectionIdleMs: number;
  /** Close a connection that is this old (with up to 10 % of jitter, so that clients don't return all at once). */
  readonly maxConnectionAgeMs: number;
  /** How long running calls may go on after `maxConnectionAgeMs`. */
  readonly maxConnectionAgeGraceMs: number;
  /** Ping a connection that has been silent for this long. */
  readonly timeMs: number;
  /** Cut the connection when the ping is not answered within this time. */
  readonly timeoutMs: number;
  /** Shortest interval between a client's pings. */
  readonly minPingIntervalMs: number;
  /** Whether a client may ping while it has no call. */
  readonly permitWithoutStream: boolean;
}

export interface GrpcKeepalive {
  /** The client sent a PING. */
  pinged(): void;
  streamOpened(): void;
  streamClosed(): void;
  /** Clears all timers; when the connection is gone. */
  stop(): void;
}

/** Pings that come too early before the client is sent away. */
const MAX_PING_STRIKES = 2;
/** grpc-go: without calls, and where that is not permitted, pings may come this often. */
const IDLE_PING_INTERVAL_MS = 2 * 60 * 60 * 1000;

/** Starts at once. The caller reports streams and pings, and calls `stop` when the connection is gone. */
export function keepGrpcConnectionAlive(
  connection: Http2Connection,
  options: GrpcKeepaliveOptions,
): GrpcKeepalive {
  const timers = new Map<string, NodeJS.Timeout>();
  let openStreams = 0;
  let strikes = 0;
  let lastPingAt = Number.NEGATIVE_INFINITY;
  let lastActiveAt = performance.now();

  const arm = (name: string, delayMs: number, action: () => void): void => {
    clearTimeout(timers.get(name));
    if (delayMs <= 0 || delayMs > 0x7fff_ffff) return;
    timers.set(name, setTimeout(action, delayMs).unref());
  };
  const disarm = (name: string): void => {
    clearTimeout(timers.get(name));
    timers.delete(name);
  };
  const closeGracefully = (): void => {
    if (!connection.closed) connection.close();
  };
  const armIdle = (): void => arm('idle', options.maxConnectionIdleMs, closeGracefully);

  const pingWhenSilent = (): void => {
    const silentMs = performance.now() - lastActiveAt;
    if (silentMs < options.timeMs) {
      arm('ping', options.timeMs - silentMs, pingWhenSilent);
      return;
    }
    arm('pong', options.timeoutMs, () => connection.destroy());
    connection.ping(() => {
      disarm('pong');
      lastActiveAt = performance.now();
    });
    arm('ping', options.timeMs, pingWhenSilent);
  };

  armIdle();
  arm('ping', options.timeMs, pingWhenSilent);
  const ageMs = options.maxConnectionAgeMs * (1 + (Math.random() - 0.5) / 5);
  arm('age', ageMs, () => {
    closeGracefully();
    arm('grace', options.maxConnectionAgeGraceMs, () => connection.destroy());
  });

  return {
    pinged() {
      const now = performance.now();
      const idle = openStreams === 0 && !options.permitWithoutStream;
      const minimumMs = idle ? IDLE_PING_INTERVAL_MS : options.minPingIntervalMs;
      if (now - lastPingAt < minimumMs) strikes += 1;
      lastPingAt = now;
      lastActiveAt = now;
      if (strikes > MAX_PING_STRIKES) connection.abort(H2_ERROR.ENHANCE_YOUR_CALM, 'too_many_pings');
    },
    streamOpened() {
      openStreams += 1;
      lastActiveAt = performance.now();
      if (openStreams === 1) disarm('idle');
    },
    streamClosed() {
      openStreams -= 1;
      lastActiveAt = performance.now();
      // Answering a call forgives: such pings measure the path (BDP estimation), they don't hold an idle connection.
      strikes = 0;
      lastPingAt = Number.NEGATIVE_INFINITY;
      if (openStreams === 0) armIdle();
    },
    stop() {
      for (const timer of timers.values()) clearTimeout(timer);
      timers.clear();
    },
  };
}
