/** Raw requests that a Collector and Kindling are sent, and what of their answers is kept. */
import type { Signal } from '../../../src/component/signal.js';

/** Receivers of the configuration in servers.ts. */
export type ServerName =
  | 'plain'
  | 'traces'
  | 'small'
  | 'options'
  | 'cors'
  | 'any_origin'
  | 'basic'
  | 'bearer'
  | 'param'
  | 'limited'
  | 'to_http';

/** What the backend behind the exporter says; `ok` unless given. */
export interface BackendAnswer {
  /** gRPC code, of the HTTP backend the status. */
  readonly code: number;
  readonly message?: string;
  /** RetryInfo, of the HTTP backend Retry-After. */
  readonly retrySeconds?: number;
  /** Rejected items of a partial success. */
  readonly rejected?: number;
}

interface Probe {
  /** Unique within a group; says what is asked. */
  readonly id: string;
  readonly server: ServerName;
  readonly backend?: BackendAnswer;
}

export interface HttpProbe extends Probe {
  readonly protocol: 'http';
  /** Whole requests as they go on the wire, one after the other on one connection; each gets its answer first. */
  readonly requests: readonly Buffer[];
  /** Close the sending side after the last byte: the request is never finished. */
  readonly cut?: boolean;
}

export interface GrpcProbe extends Probe {
  readonly protocol: 'grpc';
  /** Pseudo-headers first. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Contents of DATA frames. */
  readonly data: readonly Buffer[];
}

export type WireProbe = HttpProbe | GrpcProbe;

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Decoded by content type; left out when empty. */
  readonly body?: unknown;
}

export interface GrpcAnswer {
  readonly status: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Of `grpc-status-details-bin`. */
  readonly details?: unknown;
  readonly response?: unknown;
  /** RST_STREAM before the answer was complete. */
  readonly reset?: number;
}

/** An answer, or how the connection ended without one. */
export interface WireAnswer {
  readonly http?: readonly (HttpAnswer | 'closed')[];
  readonly grpc?: GrpcAnswer;
  /** What reached the backend: `as sent`, OTLP/JSON, or nothing. */
  readonly forwarded?: unknown;
}

export type WireAnswers = Readonly<Record<string, WireAnswer>>;

/** The signal whose path or service a probe names, for decoding. */
export function signalOf(path: string): Signal {
  return (['metrics', 'logs', 'profiles'] as const).find((signal) => path.includes(signal)) ?? 'traces';
}
