import type { MonoNs } from '../types.js';

/**
 * Plaintext that moved through a TLS session, decoded from `struct tls_data_event`. The object and `bytes` are valid
 * only during the call.
 */
export interface TlsDataRecord {
  /** When the call returned, or was found to move its bytes (Go). */
  readonly time: MonoNs;
  /** When it was entered. */
  readonly start: MonoNs;
  readonly tgid: number;
  readonly tid: number;
  /** Names the session for ever. */
  readonly session: number;
  /** 0: the library was not asked. */
  readonly socketCookie: number;
  readonly position: number;
  readonly length: number;
  readonly turn: number;
  readonly egress: boolean;
  /** enum tls_library */
  readonly library: number;
  /** As in `NetDataRecord`. */
  readonly bytes: Buffer;
  readonly payloadStart: number;
  readonly payloadEnd: number;
  readonly tailStart: number;
}

export interface TlsCloseRecord {
  readonly time: MonoNs;
  readonly tgid: number;
  readonly session: number;
  /** Last turn, lost ones included. */
  readonly turns: number;
}
