/**
 * Packets out of capture files, read as a stream:
 * - pcap, microseconds or nanoseconds, either byte order (draft-ietf-opsawg-pcap-04);
 * - pcapng (draft-ietf-opsawg-pcapng-02): section header, interface description (`if_tsresol`, `if_tsoffset`), enhanced,
 *   simple and obsolete packet blocks; others are passed over;
 * - either of them compressed with gzip.
 *
 * A file that ends in the middle of a packet is read as far as it goes (`truncated`).
 */
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { createGunzip } from 'node:zlib';

/** The file is not a capture, or its structure is broken. */
export class CaptureFileError extends Error {
  override readonly name = 'CaptureFileError';
}

/** Valid until the next one is asked for. */
export interface Packet {
  /** ns since 1970 as two parts: seconds, and ns within the second. */
  seconds: number;
  nanoseconds: number;
  /** LINKTYPE_ number, https://www.tcpdump.org/linktypes.html */
  linkType: number;
  data: Buffer;
  /** Length on the wire; `data` may be cut. */
  length: number;
}

const PCAP_MAGIC = new Map<number, { big: boolean; nano: boolean }>([
  [0xa1b2c3d4, { big: true, nano: false }],
  [0xd4c3b2a1, { big: false, nano: false }],
  [0xa1b23c4d, { big: true, nano: true }],
  [0x4d3cb2a1, { big: false, nano: true }],
]);
const SECTION_HEADER = 0x0a0d0d0a;
const BYTE_ORDER_MAGIC = 0x1a2b3c4d;
const BLOCK = { interface: 1, packet: 2, simple: 3, enhanced: 6 } as const;
const OPTION = { end: 0, tsresol: 9, tsoffset: 14 } as const;
/** Larger packets and blocks are not believed. */
const LARGEST = 64 * 1024 * 1024;
const GZIP = 0x1f8b;

/** Is `path` a capture file, by its first bytes? False when it cannot be read. */
export async function isCaptureFile(path: string): Promise<boolean> {
  try {
    const file = await open(path, 'r');
    try {
      const magic = Buffer.alloc(4);
      const { bytesRead } = await file.read(magic, 0, 4, 0);
      if (bytesRead < 4) return false;
      const word = magic.readUInt32BE(0);
      if (PCAP_MAGIC.has(word) || word === SECTION_HEADER) return true;
      return magic.readUInt16BE(0) === GZIP && /\.(?:pcap|pcapng|cap)\.gz$/i.test(path);
    } finally {
      await file.close();
    }
  } catch {
    return false;
  }
}

export class PacketFile {
  /** The file ended in the middle of a packet. */
  truncated = false;
  readonly #bytes: ByteStream;

  constructor(source: AsyncIterable<Buffer>) {
    this.#bytes = new ByteStream(source);
  }

  /** Opens a file; errors come with the first packet. */
  static open(path: string): PacketFile {
    return new PacketFile(fileChunks(path));
  }

  async *packets(): AsyncGenerator<Packet> {
    const magic = await this.#bytes.take(4);
    if (magic === undefined) throw new CaptureFileError('The file is empty.');
    const word = magic.readUInt32BE(0);
    const pcap = PCAP_MAGIC.get(word);
    if (pcap !== undefined) yield* this.#pcap(pcap.big, pcap.nano);
    else if (word === SECTION_HEADER) yield* this.#pcapng();
    else throw new CaptureFileError('The file is neither pcap nor pcapng.');
  }

  async *#pcap(big: boolean, nano: boolean): AsyncGenerator<Packet> {
    const header = await this.#bytes.take(20);
    if (header === undefined) throw new CaptureFileError('The file ends in its header.');
    // The upper bits hold the length of the frame check sequence.
    const linkType = u32(header, 16, big) & 0xffff;
    const packet = createPacket(linkType);
    for (;;) {
      const record = await this.#bytes.take(16);
      if (record === undefined) break;
      packet.seconds = u32(record, 0, big);
      packet.nanoseconds = u32(record, 4, big) * (nano ? 1 : 1000);
      const captured = u32(record, 8, big);
      packet.length = u32(record, 12, big);
      if (captured > LARGEST) throw new CaptureFileError(`A packet claims ${captured} bytes.`);
      const data = await this.#bytes.take(captured);
      if (data === undefined) break;
      packet.data = data;
      yield packet;
    }
    this.truncated = this.#bytes.left > 0;
  }

  async *#pcapng(): AsyncGenerator<Packet> {
    let big = false;
    let interfaces: Interface[] = [];
    const packet = createPacket(0);
    let type = SECTION_HEADER;
    for (let first = true; ; first = false) {
      if (!first) {
        const next = await this.#bytes.take(4);
        if (next === undefined) break;
        type = u32(next, 0, big);
      }
      const lengthBytes = await this.#bytes.take(4);
      if (lengthBytes === undefined) break;
      let done = 8;
      if (type === SECTION_HEADER) {
        // Its own byte order is behind the length.
        const order = await this.#bytes.take(4);
        if (order === undefined) break;
        if (order.readUInt32BE(0) === BYTE_ORDER_MAGIC) big = true;
        else if (order.readUInt32LE(0) === BYTE_ORDER_MAGIC) big = false;
        else throw new CaptureFileError('A section has no valid byte order.');
        interfaces = [];
        done = 12;
      }
      const length = u32(lengthBytes, 0, big);
      if (length < done + 4 || length > LARGEST || length % 4 !== 0) {
        throw new CaptureFileError(`A block claims ${length} bytes.`);
      }
      const body = await this.#bytes.take(length - done);
      if (body === undefined) break;
      const end = body.length - 4;
      if (type === BLOCK.interface) interfaces.push(readInterface(body, end, big));
      else if (readPacketBlock(type, body, end, big, interfaces, packet)) yield packet;
    }
    this.truncated = this.#bytes.left > 0;
  }
}

interface Interface {
  readonly linkType: number;
  readonly snapLength: number;
  /** Units of a timestamp in a second. */
  readonly perSecond: bigint;
  readonly offsetSeconds: bigint;
}

const createPacket = (linkType: number): Packet => ({
  seconds: 0,
  nanoseconds: 0,
  linkType,
  data: Buffer.alloc(0),
  length: 0,
});

function readInterface(body: Buffer, end: number, big: boolean): Interface {
  if (end < 8) throw new CaptureFileError('An interface block is too short.');
  let perSecond = 1_000_000n;
  let offsetSeconds = 0n;
  for (let at = 8; at + 4 <= end; ) {
    const code = u16(body, at, big);
    const length = u16(body, at + 2, big);
    const value = at + 4;
    if (code === OPTION.end || value + length > end) break;
    if (code === OPTION.tsresol && length >= 1) {
      const resolution = body[value]!;
      const exponent = BigInt(resolution & 0x7f);
      perSecond = resolution >= 0x80 ? 2n ** exponent : 10n ** exponent;
    } else if (code === OPTION.tsoffset && length >= 8) {
      offsetSeconds = big ? body.readBigInt64BE(value) : body.readBigInt64LE(value);
    }
    at = value + ((length + 3) & ~3);
  }
  return { linkType: u16(body, 0, big), snapLength: u32(body, 4, big), perSecond, offsetSeconds };
}

/** False for blocks that hold no packet, or one of an interface that was not described. */
function readPacketBlock(
  type: number,
  body: Buffer,
  end: number,
  big: boolean,
  interfaces: readonly Interface[],
  packet: Packet,
): boolean {
  const isSimple = type === BLOCK.simple;
  if (type !== BLOCK.enhanced && type !== BLOCK.packet && !isSimple) return false;
  const header = isSimple ? 4 : 20;
  if (end < header) return false;
  // The obsolete packet block has a 16-bit interface and a drop count where the enhanced one has 32 bits.
  const index = isSimple ? 0 : type === BLOCK.packet ? u16(body, 0, big) : u32(body, 0, big);
  const source = interfaces[index];
  if (source === undefined) return false;
  packet.linkType = source.linkType;
  packet.length = u32(body, isSimple ? 0 : 16, big);
  const captured = isSimple
    ? Math.min(packet.length, source.snapLength === 0 ? packet.length : source.snapLength)
    : u32(body, 12, big);
  packet.data = body.subarray(header, Math.min(end, header + captured));
  if (isSimple) return true; // no time: that of the packet before
  const units = (BigInt(u32(body, 4, big)) << 32n) | BigInt(u32(body, 8, big));
  const { perSecond, offsetSeconds } = source;
  packet.seconds = Number(units / perSecond + offsetSeconds);
  packet.nanoseconds = Number(((units % perSecond) * 1_000_000_000n) / perSecond);
  return true;
}

const u16 = (bytes: Buffer, at: number, big: boolean) =>
  big ? bytes.readUInt16BE(at) : bytes.readUInt16LE(at);
const u32 = (bytes: Buffer, at: number, big: boolean) =>
  big ? bytes.readUInt32BE(at) : bytes.readUInt32LE(at);

async function* fileChunks(path: string): AsyncGenerator<Buffer> {
  const raw = createReadStream(path, { highWaterMark: 1 << 20 });
  const start = await open(path, 'r');
  const magic = Buffer.alloc(2);
  try {
    await start.read(magic, 0, 2, 0);
  } finally {
    await start.close();
  }
  yield* magic.readUInt16BE(0) === GZIP ? raw.pipe(createGunzip({ chunkSize: 1 << 18 })) : raw;
}

/** Takes exact numbers of bytes from a stream of chunks. */
class ByteStream {
  readonly #source: AsyncIterator<Buffer>;
  #chunk: Buffer = Buffer.alloc(0);
  #at = 0;
  #ended = false;

  constructor(source: AsyncIterable<Buffer>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** Bytes that are left behind the last `take` that failed. */
  get left(): number {
    return this.#chunk.length - this.#at;
  }

  /** The next `count` bytes, or undefined when there are not so many. */
  async take(count: number): Promise<Buffer | undefined> {
    if (this.left < count && !(await this.#fill(count))) return undefined;
    const taken = this.#chunk.subarray(this.#at, this.#at + count);
    this.#at += count;
    return taken;
  }

  async #fill(count: number): Promise<boolean> {
    const parts = [this.#chunk.subarray(this.#at)];
    let length = parts[0]!.length;
    while (length < count && !this.#ended) {
      const { value, done } = await this.#source.next();
      if (done === true) {
        this.#ended = true;
        break;
      }
      parts.push(value);
      length += value.length;
    }
    this.#chunk = parts.length === 1 ? parts[0]! : Buffer.concat(parts, length);
    this.#at = 0;
    return length >= count;
  }
}
