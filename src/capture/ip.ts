/**
 * IPv4 (RFC 791) and IPv6 (RFC 8200) packets, put together from their fragments.
 *
 * Fragments wait in a bounded table; what is not complete when room or time runs out is given up and counted.
 */
import { addressText } from '../observer/socket-tuples.js';

/** A transport segment. Valid until the next call. */
export interface IpPacket {
  /** IANA protocol number. */
  protocol: number;
  source: string;
  destination: string;
  /** The payload that was captured, and its length on the wire. */
  payload: Buffer;
  length: number;
}

export const IP_PROTOCOL = { tcp: 6, udp: 17 } as const;

const MAX_WAITING = 256;
const MAX_FRAGMENTS = 64;
const LONGEST_PACKET = 65_535;
const EXTENSION = { hopByHop: 0, routing: 43, fragment: 44, authentication: 51, destination: 60 } as const;
/** IP in IP, IPv6 in IP, GRE: tunnels are looked into. */
const TUNNEL = { ipip: 4, ipv6: 41 } as const;
const MAX_NESTING = 4;

interface Waiting {
  readonly parts: { readonly offset: number; readonly bytes: Buffer; readonly length: number }[];
  /** -1 until the last fragment came. */
  total: number;
}

export class IpReader {
  /** Fragmented packets that never became complete. */
  fragmentsLost = 0;
  readonly #waiting = new Map<string, Waiting>();
  readonly #packet: IpPacket = {
    protocol: 0,
    source: '',
    destination: '',
    payload: Buffer.alloc(0),
    length: 0,
  };
  readonly #names = new Map<string, string>();

  /** The packet that begins at `data[at]`, `wire` bytes long on the wire; undefined for incomplete or broken ones. */
  read(data: Buffer, at: number, wire: number, depth = 0): IpPacket | undefined {
    const version = (data[at] ?? 0) >> 4;
    if (version === 4) return this.#v4(data, at, wire, depth);
    return version === 6 ? this.#v6(data, at, wire, depth) : undefined;
  }

  #v4(data: Buffer, at: number, wire: number, depth: number): IpPacket | undefined {
    if (at + 20 > data.length) return undefined;
    const header = (data[at]! & 0x0f) * 4;
    // 0: filled in by the network card (segmentation offload).
    const total = data.readUInt16BE(at + 2) || wire;
    if (header < 20 || total < header) return undefined;
    const flags = data.readUInt16BE(at + 6);
    const source = this.#name(data, at + 12, 4);
    const destination = this.#name(data, at + 16, 4);
    const protocol = data[at + 9]!;
    const start = at + header;
    const payload = data.subarray(Math.min(start, data.length), Math.min(data.length, at + total));
    const length = total - header;
    const offset = (flags & 0x1fff) * 8;
    const more = (flags & 0x2000) !== 0;
    if (offset > 0 || more) {
      const key = `${source} ${destination} ${protocol} ${data.readUInt16BE(at + 4)}`;
      const whole = this.#fragment(key, offset, more, payload, length);
      return whole && this.#result(protocol, source, destination, whole, whole.length, depth);
    }
    return this.#result(protocol, source, destination, payload, length, depth);
  }

  #v6(data: Buffer, at: number, wire: number, depth: number): IpPacket | undefined {
    if (at + 40 > data.length) return undefined;
    const payloadLength = data.readUInt16BE(at + 4);
    const total = payloadLength === 0 ? wire : payloadLength + 40;
    const source = this.#name(data, at + 8, 16);
    const destination = this.#name(data, at + 24, 16);
    let next = data[at + 6]!;
    let start = at + 40;
    for (;;) {
      const isOption =
        next === EXTENSION.hopByHop || next === EXTENSION.routing || next === EXTENSION.destination;
      if (!isOption && next !== EXTENSION.fragment && next !== EXTENSION.authentication) break;
      if (start + 8 > data.length) return undefined;
      const type = next;
      next = data[start]!;
      if (type === EXTENSION.fragment) {
        const field = data.readUInt16BE(start + 2);
        const key = `${source} ${destination} ${data.readUInt32BE(start + 4)}`;
        const payload = data.subarray(start + 8, Math.min(data.length, at + total));
        const whole = this.#fragment(key, field & 0xfff8, (field & 1) === 1, payload, at + total - start - 8);
        return whole && this.#result(next, source, destination, whole, whole.length, depth);
      }
      start += type === EXTENSION.authentication ? (data[start + 1]! + 2) * 4 : (data[start + 1]! + 1) * 8;
    }
    if (start > at + total) return undefined;
    const payload = data.subarray(Math.min(start, data.length), Math.min(data.length, at + total));
    return this.#result(next, source, destination, payload, at + total - start, depth);
  }

  #result(
    protocol: number,
    source: string,
    destination: string,
    payload: Buffer,
    length: number,
    depth: number,
  ): IpPacket | undefined {
    if ((protocol === TUNNEL.ipip || protocol === TUNNEL.ipv6) && depth < MAX_NESTING) {
      return this.read(payload, 0, length, depth + 1);
    }
    const packet = this.#packet;
    packet.protocol = protocol;
    packet.source = source;
    packet.destination = destination;
    packet.payload = payload;
    packet.length = length;
    return packet;
  }

  #fragment(key: string, offset: number, more: boolean, bytes: Buffer, length: number): Buffer | undefined {
    // A fragment that was cut by the capture leaves a hole that nothing will fill.
    if (bytes.length < length || offset + length > LONGEST_PACKET) {
      this.fragmentsLost++;
      this.#waiting.delete(key);
      return undefined;
    }
    let waiting = this.#waiting.get(key);
    if (waiting === undefined) {
      if (this.#waiting.size >= MAX_WAITING) {
        this.fragmentsLost++;
        this.#waiting.delete(this.#waiting.keys().next().value!);
      }
      waiting = { parts: [], total: -1 };
      this.#waiting.set(key, waiting);
    }
    waiting.parts.push({ offset, bytes: Buffer.from(bytes), length });
    if (!more) waiting.total = offset + length;
    if (waiting.parts.length > MAX_FRAGMENTS) {
      this.fragmentsLost++;
      this.#waiting.delete(key);
      return undefined;
    }
    const whole = waiting.total < 0 ? undefined : assemble(waiting);
    if (whole !== undefined) this.#waiting.delete(key);
    return whole;
  }

  /** Text of an address; the same few come again and again. */
  #name(data: Buffer, at: number, size: 4 | 16): string {
    const key = data.toString('latin1', at, at + size);
    let name = this.#names.get(key);
    if (name === undefined) {
      if (this.#names.size > 4096) this.#names.clear();
      name =
        size === 4 ? `${data[at]}.${data[at + 1]}.${data[at + 2]}.${data[at + 3]}` : addressText(data, at);
      this.#names.set(key, name);
    }
    return name;
  }
}

/** The payload when no byte is missing. Where fragments overlap the first one counts. */
function assemble({ parts, total }: Waiting): Buffer | undefined {
  const sorted = [...parts].sort((a, b) => a.offset - b.offset);
  const whole = Buffer.alloc(total);
  let reached = 0;
  for (const { offset, bytes } of sorted) {
    if (offset > reached) return undefined;
    const end = Math.min(total, offset + bytes.length);
    if (end <= reached) continue;
    bytes.copy(whole, reached, reached - offset, end - offset);
    reached = end;
  }
  return reached === total ? whole : undefined;
}
