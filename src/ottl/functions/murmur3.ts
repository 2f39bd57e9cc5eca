/** MurmurHash3 with seed 0: x86 32 bits and x64 128 bits. Source: Austin Appleby's reference (public domain), smhasher. */

const C1 = 0xcc9e2d51;
const C2 = 0x1b873593;

/** Eight hexadecimal digits, the least significant byte first. */
export function murmur3Of32(text: string): string {
  const bytes = Buffer.from(text);
  let hash = 0;
  const blocks = bytes.length >>> 2;
  for (let block = 0; block < blocks; block++) {
    hash ^= scramble(bytes.readUInt32LE(block * 4));
    hash = Math.imul(rotate(hash, 13), 5) + 0xe6546b64;
  }
  let tail = 0;
  for (let at = bytes.length - 1; at >= blocks * 4; at--) tail = (tail << 8) | bytes[at]!;
  hash ^= scramble(tail) ^ bytes.length;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  const bits = Buffer.alloc(4);
  bits.writeUInt32LE((hash ^ (hash >>> 16)) >>> 0);
  return bits.toString('hex');
}

const scramble = (value: number): number => Math.imul(rotate(Math.imul(value, C1), 15), C2);
const rotate = (value: number, by: number): number => (value << by) | (value >>> (32 - by));

const K1 = 0x87c37b91114253d5n;
const K2 = 0x4cf5ad432745937fn;

/** 32 hexadecimal digits, the least significant byte of each half first. */
export function murmur3Of128(text: string): string {
  const bytes = Buffer.from(text);
  const padded = Buffer.concat([bytes, Buffer.alloc(16)]);
  let h1 = 0n;
  let h2 = 0n;
  const blocks = bytes.length >>> 4;
  for (let block = 0; block < blocks; block++) {
    h1 ^= mix1(padded.readBigUInt64LE(block * 16));
    h1 = u64(u64(rotate64(h1, 27n) + h2) * 5n + 0x52dce729n);
    h2 ^= mix2(padded.readBigUInt64LE(block * 16 + 8));
    h2 = u64(u64(rotate64(h2, 31n) + h1) * 5n + 0x38495ab5n);
  }
  h2 ^= mix2(padded.readBigUInt64LE(blocks * 16 + 8));
  h1 ^= mix1(padded.readBigUInt64LE(blocks * 16));
  const length = BigInt(bytes.length);
  h1 ^= length;
  h2 ^= length;
  h1 = u64(h1 + h2);
  h2 = u64(h2 + h1);
  h1 = finish(h1);
  h2 = finish(h2);
  h1 = u64(h1 + h2);
  h2 = u64(h2 + h1);
  const bits = Buffer.alloc(16);
  bits.writeBigUInt64LE(h1);
  bits.writeBigUInt64LE(h2, 8);
  return bits.toString('hex');
}

const u64 = (value: bigint): bigint => BigInt.asUintN(64, value);
const rotate64 = (value: bigint, by: bigint): bigint => u64((value << by) | (value >> (64n - by)));
const mix1 = (value: bigint): bigint => u64(rotate64(u64(value * K1), 31n) * K2);
const mix2 = (value: bigint): bigint => u64(rotate64(u64(value * K2), 33n) * K1);

function finish(value: bigint): bigint {
  let hash = value ^ (value >> 33n);
  hash = u64(hash * 0xff51afd7ed558ccdn);
  hash ^= hash >> 33n;
  hash = u64(hash * 0xc4ceb9fe1a85ec53n);
  return hash ^ (hash >> 33n);
}
