/**
 * Memcached's binary protocol: https://github.com/memcached/memcached/wiki/BinaryProtocolRevamped
 *
 *     ┌ magic ┬ opcode ┬ key length 2 ┬ extras 1 ┬ type 1 ┬ vbucket or status 2 ┬ body length 4 ┬ opaque 4 ┬ cas 8 ┬ body …
 *
 * Answers come in order; those of quiet commands only when there is something to tell.
 */
import { type Frame, type FrameFormat, FrameReader } from '../frame-reader.js';
import { OrderedPairing } from '../pairing.js';
import type { Moment, ParserHost, ProtocolParser } from '../protocol.js';
import { MemcachedDetail } from './detail.js';

export const BINARY_HEADER = 24;
export const REQUEST_MAGIC = 0x80;
export const RESPONSE_MAGIC = 0x81;
const LONGEST_BODY = 0x4000_0000;
const QUIT = 0x07;
const QUIT_QUIET = 0x17;
const STAT = 0x10;

const NAMES: readonly (string | undefined)[] =
  'get set add replace delete incr decr quit flush_all get noop version get get append prepend stats set add replace delete incr decr quit flush_all append prepend verbosity touch gat gat'.split(
    ' ',
  );
const LATER: ReadonlyMap<number, string> = new Map([
  [0x20, 'sasl_list'],
  [0x21, 'sasl_auth'],
  [0x22, 'sasl_step'],
  [0x23, 'gat'],
  [0x24, 'gat'],
]);
const QUIET = new Set([0x09, 0x0d, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x18, 0x19, 0x1a, 0x1e, 0x24]);
/** Key not found, key exists, not stored, authentication goes on: answers, not errors. */
const OUTCOMES = new Set([0x00, 0x01, 0x02, 0x05, 0x21]);

const nameOf = (opcode: number): string => NAMES[opcode] ?? LATER.get(opcode) ?? '_OTHER';

/** Length of the packet at `start`, 0 when its header goes on behind `end`, -1 when it is none. */
export function binaryLength(magic: number, bytes: Buffer, start: number, end: number): number {
  if (bytes[start] !== magic) return -1;
  if (end - start < BINARY_HEADER) return 0;
  const body = bytes.readUInt32BE(start + 8);
  const needed = bytes.readUInt16BE(start + 2) + bytes[start + 4]!;
  return bytes[start + 5] !== 0 || needed > body || body > LONGEST_BODY ? -1 : BINARY_HEADER + body;
}

export class BinaryParser implements ProtocolParser, FrameFormat {
  readonly keepBytes = 512;
  readonly #host: ParserHost<MemcachedDetail>;
  readonly #pairing: OrderedPairing<MemcachedDetail>;
  readonly #client: FrameReader;
  readonly #server: FrameReader;
  #began = false;

  constructor(host: ParserHost<MemcachedDetail>) {
    this.#host = host;
    this.#pairing = new OrderedPairing(host);
    this.#client = new FrameReader(this, true, !host.facts.fromStart);
    this.#server = new FrameReader(this, false, !host.facts.fromStart);
  }

  read(fromClient: boolean, bytes: Buffer, start: number, end: number, at: Moment): void {
    (fromClient ? this.#client : this.#server).read(bytes, start, end, at);
  }

  skip(fromClient: boolean, count: number, lost: boolean, at: Moment): void {
    (fromClient ? this.#client : this.#server).skip(count, lost, at);
  }

  frameLength(fromClient: boolean, bytes: Buffer, start: number, end: number): number {
    return binaryLength(fromClient ? REQUEST_MAGIC : RESPONSE_MAGIC, bytes, start, end);
  }

  badFrame(): void {
    this.#host.malformed();
  }

  /** Opcode and opaque tell whose the next response is: nothing need be given up. */
  missedFrames(): void {}

  frame(fromClient: boolean, frame: Frame): void {
    const { bytes, start, end } = frame;
    if (end - start < BINARY_HEADER) return;
    const opcode = bytes[start + 1]!;
    const opaque = bytes.readUInt32BE(start + 12);
    if (!fromClient) {
      this.#response(frame, opcode, opaque);
      return;
    }
    this.#began = true;
    if (opcode === QUIT || opcode === QUIT_QUIET) return;
    const keyLength = bytes.readUInt16BE(start + 2);
    const keyStart = start + BINARY_HEADER + bytes[start + 4]!;
    const key = bytes.toString('latin1', Math.min(keyStart, end), Math.min(keyStart + keyLength, end));
    this.#pairing.begin(
      new MemcachedDetail(nameOf(opcode), key, keyLength > 0 ? 1 : 0, QUIET.has(opcode), opcode, opaque),
      frame,
    );
  }

  #response(frame: Frame, opcode: number, opaque: number): void {
    if (opcode === QUIT) return;
    if (!this.#skipTo(opcode, opaque)) {
      this.#host.missed(this.#began ? 'not_captured' : 'joined_in_middle', 1);
      return;
    }
    const exchange = this.#pairing.first!;
    const status = frame.bytes.readUInt16BE(frame.start + 6);
    if (opcode === STAT && status === 0 && frame.bytes.readUInt16BE(frame.start + 2) > 0) {
      if (!exchange.over) exchange.responseGrew(frame.first, frame.last, frame.length);
      return;
    }
    if (!OUTCOMES.has(status)) exchange.detail.errorCode = `0x${status.toString(16).padStart(4, '0')}`;
    this.#pairing.finish(frame);
  }

  /** Ends what stands before the request that is answered: quiet ones succeeded, the answers of others were missed. */
  #skipTo(opcode: number, opaque: number): boolean {
    const first = this.#pairing.first?.detail;
    if (first === undefined) return false;
    if (first.opcode === opcode && first.opaque === opaque) return true;
    if (!this.#pairing.some((detail) => detail.opcode === opcode && detail.opaque === opaque)) return false;
    for (let exchange = this.#pairing.first; exchange !== undefined; exchange = this.#pairing.first) {
      const { detail } = exchange;
      if (detail.opcode === opcode && detail.opaque === opaque) return true;
      if (detail.quiet) this.#pairing.finish(undefined);
      else this.#host.drop(this.#pairing.shift()!, 'not_captured');
    }
    return false;
  }
}
