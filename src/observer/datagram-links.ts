/**
 * The two ends of one datagram on this host: the server's span is the child of the client's.
 *
 * Nothing numbers datagrams the same at both ends, so they are known by their ports and content (which in DNS holds an id
 * of the client's choice). Either end's record may come first: a datagram over the loopback interface may be read before
 * the call that sent it has returned. A socket that is not connected or bound does not know its own address; where both
 * ends name an address, they have to agree. A server's exchange is therefore held for a moment when it has ended.
 */
import { crc32 } from 'node:zlib';
import { PARENT_ID, SPAN_ID, TRACE_ID } from './span-identity.js';
import type { MonoNs, NetDataRecord, SocketTuple } from './types.js';

interface Seen {
  readonly role: 'client' | 'server';
  readonly identity: Uint8Array;
  readonly time: MonoNs;
  readonly client: string;
  readonly server: string;
}

const MAX_SEEN = 4096;
/** Longer than a datagram waits in a queue of the receiver's that is not stuck. */
const MAX_AGE_NS = 1e9;

export class DatagramLinks {
  /** Ends whose other end was not seen, oldest first. */
  readonly #seen = new Map<string, Seen>();

  /** One end of the request in `record` has the span `identity`, which is changed when the other end is known. */
  meet(role: 'client' | 'server', tuple: SocketTuple, record: NetDataRecord, identity: Uint8Array): void {
    const local = known(tuple.localAddress);
    const isClient = role === 'client';
    const end: Seen = {
      role,
      identity,
      time: record.time,
      client: isClient ? local : tuple.remoteAddress,
      server: isClient ? tuple.remoteAddress : local,
    };
    const ports = isClient
      ? `${tuple.localPort} ${tuple.remotePort}`
      : `${tuple.remotePort} ${tuple.localPort}`;
    const key = `${ports} ${crc32(record.bytes.subarray(record.payloadStart, record.payloadEnd))}`;
    const other = this.#seen.get(key);
    if (other !== undefined && isOther(end, other)) {
      this.#seen.delete(key);
      if (isClient) link(end, other, identity);
      else link(other, end, identity);
      return;
    }
    this.#seen.delete(key);
    this.#seen.set(key, end);
    if (this.#seen.size <= MAX_SEEN) return;
    const oldest = this.#seen.keys().next().value;
    if (oldest !== undefined) this.#seen.delete(oldest);
  }
}

/** "" where the socket does not know it. */
const known = (address: string): string => (address === '0.0.0.0' || address === '::' ? '' : address);

const agree = (a: string, b: string): boolean => a === '' || b === '' || a === b;

const isOther = (end: Seen, other: Seen): boolean =>
  other.role !== end.role &&
  Math.abs(other.time - end.time) <= MAX_AGE_NS &&
  agree(other.client, end.client) &&
  agree(other.server, end.server);

/** `later`: the identity that nobody has used yet takes the trace of the other. */
function link(client: Seen, server: Seen, later: Uint8Array): void {
  const earlier = later === client.identity ? server.identity : client.identity;
  for (let i = TRACE_ID.start; i < TRACE_ID.end; i++) later[i] = earlier[i]!;
  for (let i = 0; i < 8; i++) {
    server.identity[PARENT_ID.start + i] = client.identity[SPAN_ID.start + i]!;
  }
}
