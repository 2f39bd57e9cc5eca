/**
 * Messages of the CQL binary protocol, versions 3 to 5 (Apache Cassandra, doc/native_protocol_v5.spec):
 *
 *     ┌ version 1 ┬ flags 1 ┬ stream 2 ┬ opcode 1 ┬ length 4 ┬ body …       all big endian; bit 7 of version: a response
 */

export const OP = {
  error: 0x00,
  startup: 0x01,
  ready: 0x02,
  authenticate: 0x03,
  options: 0x05,
  supported: 0x06,
  query: 0x07,
  result: 0x08,
  prepare: 0x09,
  execute: 0x0a,
  register: 0x0b,
  event: 0x0c,
  batch: 0x0d,
  authChallenge: 0x0e,
  authResponse: 0x0f,
  authSuccess: 0x10,
} as const;

export const FLAG = { compressed: 0x01, tracing: 0x02, payload: 0x04, warnings: 0x08 } as const;

export const HEADER_BYTES = 9;
/** native_transport_max_frame_size is 16 MiB unless told otherwise. */
const LONGEST = 0x1000_0000;
const ALL_FLAGS = 0x1f;

const REQUESTS: ReadonlySet<number> = new Set([
  OP.startup,
  OP.options,
  OP.query,
  OP.prepare,
  OP.execute,
  OP.register,
  OP.batch,
  OP.authResponse,
]);
const RESPONSES: ReadonlySet<number> = new Set([
  OP.error,
  OP.ready,
  OP.authenticate,
  OP.supported,
  OP.result,
  OP.event,
  OP.authChallenge,
  OP.authSuccess,
]);

/** DataStax's servers count on from 0x41; their drivers try those first. */
export const isVersion = (version: number): boolean =>
  (version >= 3 && version <= 6) || version === 0x41 || version === 0x42;

/** Version 5 and what came after it use frames. */
export const hasSegments = (version: number): boolean => version === 5 || version === 6;

/** Length of the message at `start`, header included; 0 when `end` comes before that is known, -1 for none. */
export function envelopeLength(fromClient: boolean, bytes: Buffer, start: number, end: number): number {
  if (!isVersion(bytes[start]! & 0x7f) || bytes[start]! >= 0x80 === fromClient) return -1;
  const visible = end - start;
  if (visible > 1 && bytes[start + 1]! > ALL_FLAGS) return -1;
  if (visible > 4 && !(fromClient ? REQUESTS : RESPONSES).has(bytes[start + 4]!)) return -1;
  if (visible < HEADER_BYTES) return 0;
  // Streams below zero are the server's events.
  if (bytes[start + 2]! >= 0x80 && bytes[start + 4] !== OP.event) return -1;
  const length = bytes.readUInt32BE(start + 5);
  return length > LONGEST ? -1 : length + HEADER_BYTES;
}

/** Reads fields of a body one after the other; what is not visible is undefined, and so is all that follows. */
export class BodyReader {
  readonly bytes: Buffer;
  at: number;
  readonly end: number;
  cut = false;

  constructor(bytes: Buffer, start: number, end: number) {
    this.bytes = bytes;
    this.at = start;
    this.end = end;
  }

  /** Passes over `count` bytes; position of the first, or -1. */
  take(count: number): number {
    if (this.cut || count < 0 || this.at + count > this.end) {
      this.cut = true;
      return -1;
    }
    const start = this.at;
    this.at += count;
    return start;
  }

  byte(): number {
    const at = this.take(1);
    return at < 0 ? 0 : this.bytes[at]!;
  }

  short(): number {
    const at = this.take(2);
    return at < 0 ? 0 : this.bytes.readUInt16BE(at);
  }

  int(): number {
    const at = this.take(4);
    return at < 0 ? 0 : this.bytes.readInt32BE(at);
  }

  /** [string] */
  text(): string {
    const length = this.short();
    const at = this.take(length);
    return at < 0 ? '' : this.bytes.toString('utf8', at, at + length);
  }

  /** [long string], as far as it is visible; then `cut` is set. */
  longText(): string {
    const length = this.int();
    if (this.cut || length < 0) return '';
    const start = this.at;
    const at = this.take(length);
    return this.bytes.toString('utf8', start, at < 0 ? this.end : this.at);
  }

  /** [short bytes] as hex. */
  id(): string {
    const length = this.short();
    const at = this.take(length);
    return at < 0 ? '' : this.bytes.toString('hex', at, at + length);
  }

  /** [value]: negative lengths are null and unset. */
  value(): void {
    const length = this.int();
    if (length > 0) this.take(length);
  }
}
