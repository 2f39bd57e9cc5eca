/** Builds captures: frames of Ethernet, IPv4 and IPv6, TCP and UDP, and the files around them. */

export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

export interface Frame {
  /** ns since 1970 beyond `BASE_SECONDS`. */
  readonly time: number;
  readonly data: Buffer;
  /** Length on the wire where the frame is cut. */
  readonly length?: number;
}

export const BASE_SECONDS = 1_777_000_000;

export const FLAG = { fin: 1, syn: 2, rst: 4, psh: 8, ack: 16 } as const;

const isV6 = (address: string) => address.includes(':');

function addressBytes(address: string): Buffer {
  if (!isV6(address)) return Buffer.from(address.split('.').map(Number));
  const [head = '', tail = ''] = address.split('::');
  const groups = (text: string) => (text === '' ? [] : text.split(':'));
  const before = groups(head);
  const after = groups(tail);
  const missing = 8 - before.length - after.length;
  const all = [...before, ...new Array<string>(missing).fill('0'), ...after];
  const bytes = Buffer.alloc(16);
  for (const [i, group] of all.entries()) bytes.writeUInt16BE(Number.parseInt(group, 16), 2 * i);
  return bytes;
}

export function ipPacket(from: string, to: string, protocol: number, payload: Buffer): Buffer {
  if (isV6(from)) {
    const header = Buffer.alloc(40);
    header[0] = 0x60;
    header.writeUInt16BE(payload.length, 4);
    header[6] = protocol;
    header[7] = 64;
    addressBytes(from).copy(header, 8);
    addressBytes(to).copy(header, 24);
    return Buffer.concat([header, payload]);
  }
  return ipv4Fragment(from, to, protocol, payload, 0, 0, false);
}

export function ipv4Fragment(
  from: string,
  to: string,
  protocol: number,
  payload: Buffer,
  id: number,
  offset: number,
  more: boolean,
): Buffer {
  const header = Buffer.alloc(20);
  header[0] = 0x45;
  header.writeUInt16BE(20 + payload.length, 2);
  header.writeUInt16BE(id, 4);
  header.writeUInt16BE((more ? 0x2000 : 0) | (offset >> 3), 6);
  header[8] = 64;
  header[9] = protocol;
  addressBytes(from).copy(header, 12);
  addressBytes(to).copy(header, 16);
  return Buffer.concat([header, payload]);
}

export function tcpSegment(
  from: Endpoint,
  to: Endpoint,
  sequence: number,
  acknowledged: number,
  flags: number,
  payload: Buffer,
): Buffer {
  const header = Buffer.alloc(20);
  header.writeUInt16BE(from.port, 0);
  header.writeUInt16BE(to.port, 2);
  header.writeUInt32BE(sequence >>> 0, 4);
  header.writeUInt32BE(acknowledged >>> 0, 8);
  header[12] = 0x50;
  header[13] = flags;
  return ipPacket(from.address, to.address, 6, Buffer.concat([header, payload]));
}

export function udpDatagram(from: Endpoint, to: Endpoint, payload: Buffer): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt16BE(from.port, 0);
  header.writeUInt16BE(to.port, 2);
  header.writeUInt16BE(8 + payload.length, 4);
  return ipPacket(from.address, to.address, 17, Buffer.concat([header, payload]));
}

/** Ethernet around an IP packet, with VLAN tags. */
export function ethernet(ip: Buffer, ...vlans: number[]): Buffer {
  const type = ip[0]! >> 4 === 6 ? 0x86dd : 0x0800;
  const header = Buffer.alloc(14 + 4 * vlans.length);
  let at = 12;
  for (const vlan of vlans) {
    header.writeUInt16BE(0x8100, at);
    header.writeUInt16BE(vlan, at + 2);
    at += 4;
  }
  header.writeUInt16BE(type, at);
  return Buffer.concat([header, ip]);
}

/** A TCP connection that writes its IP packets into `packets`. 1 ms between two of them. */
export class TcpModel {
  readonly packets: { time: number; ip: Buffer }[] = [];
  readonly #ends: { client: Endpoint; server: Endpoint };
  readonly #next = { client: 1000, server: 0xffff_fff0 };
  time: number;

  constructor(client: Endpoint, server: Endpoint, time = 0) {
    this.#ends = { client, server };
    this.time = time;
  }

  open(): this {
    this.#packet('client', FLAG.syn, '');
    this.#next.client++;
    this.#packet('server', FLAG.syn | FLAG.ack, '');
    this.#next.server++;
    return this.#packet('client', FLAG.ack, '');
  }

  client(payload: string | Buffer, size = 1448): this {
    return this.#data('client', payload, size);
  }

  server(payload: string | Buffer, size = 1448): this {
    return this.#data('server', payload, size);
  }

  close(): this {
    this.#packet('client', FLAG.fin | FLAG.ack, '');
    this.#next.client++;
    this.#packet('server', FLAG.fin | FLAG.ack, '');
    this.#next.server++;
    return this.#packet('client', FLAG.ack, '');
  }

  reset(from: 'client' | 'server'): this {
    return this.#packet(from, FLAG.rst | FLAG.ack, '');
  }

  #data(from: 'client' | 'server', payload: string | Buffer, size: number): this {
    const bytes = typeof payload === 'string' ? Buffer.from(payload, 'latin1') : payload;
    for (let at = 0; at < bytes.length; at += size) {
      const part = bytes.subarray(at, at + size);
      this.#packet(from, FLAG.psh | FLAG.ack, part);
      this.#next[from] = (this.#next[from] + part.length) >>> 0;
    }
    return this.#packet(from === 'client' ? 'server' : 'client', FLAG.ack, '');
  }

  #packet(from: 'client' | 'server', flags: number, payload: string | Buffer): this {
    const to = from === 'client' ? 'server' : 'client';
    const ip = tcpSegment(
      this.#ends[from],
      this.#ends[to],
      this.#next[from],
      (flags & FLAG.ack) === 0 ? 0 : this.#next[to],
      flags,
      Buffer.from(payload),
    );
    this.time += 1_000_000;
    this.packets.push({ time: this.time, ip });
    return this;
  }
}

/** A pcap file. */
export function pcapFile(
  frames: readonly Frame[],
  { linkType = 1, big = false, nano = false, snap = 65_535 } = {},
): Buffer {
  const put = (target: Buffer, value: number, at: number) =>
    big ? target.writeUInt32BE(value, at) : target.writeUInt32LE(value, at);
  const header = Buffer.alloc(24);
  put(header, nano ? 0xa1b23c4d : 0xa1b2c3d4, 0);
  if (big) header.writeUInt32BE(0x00020004, 4);
  else header.writeUInt32LE(0x00040002, 4);
  put(header, snap, 16);
  put(header, linkType, 20);
  const parts: Buffer[] = [header];
  for (const { time, data, length } of frames) {
    const record = Buffer.alloc(16);
    put(record, BASE_SECONDS + Math.floor(time / 1e9), 0);
    put(record, nano ? time % 1e9 : Math.floor((time % 1e9) / 1000), 4);
    const cut = data.subarray(0, snap);
    put(record, cut.length, 8);
    put(record, length ?? data.length, 12);
    parts.push(record, cut);
  }
  return Buffer.concat(parts);
}

/** A pcapng file with one interface, nanoseconds. */
export function pcapngFile(frames: readonly Frame[], { linkType = 1, big = false } = {}): Buffer {
  const u32 = (...values: number[]) => {
    const bytes = Buffer.alloc(4 * values.length);
    for (const [i, value] of values.entries()) {
      if (big) bytes.writeUInt32BE(value >>> 0, 4 * i);
      else bytes.writeUInt32LE(value >>> 0, 4 * i);
    }
    return bytes;
  };
  const u16 = (...values: number[]) => {
    const bytes = Buffer.alloc(2 * values.length);
    for (const [i, value] of values.entries()) {
      if (big) bytes.writeUInt16BE(value, 2 * i);
      else bytes.writeUInt16LE(value, 2 * i);
    }
    return bytes;
  };
  const block = (type: number, body: Buffer) => {
    const padded = Buffer.concat([body, Buffer.alloc((4 - (body.length % 4)) % 4)]);
    const length = padded.length + 12;
    return Buffer.concat([u32(type, length), padded, u32(length)]);
  };
  const parts = [
    block(0x0a0d0d0a, Buffer.concat([u32(0x1a2b3c4d), u16(1, 0), u32(0xffff_ffff, 0xffff_ffff)])),
    block(5, Buffer.alloc(12)),
    block(1, Buffer.concat([u16(linkType, 0), u32(0), u16(9, 1), Buffer.from([9, 0, 0, 0]), u16(0, 0)])),
  ];
  for (const { time, data, length } of frames) {
    const units = BigInt(BASE_SECONDS) * 1_000_000_000n + BigInt(time);
    const head = u32(
      0,
      Number(units >> 32n),
      Number(units & 0xffff_ffffn),
      data.length,
      length ?? data.length,
    );
    parts.push(block(6, Buffer.concat([head, data])));
  }
  return Buffer.concat(parts);
}
