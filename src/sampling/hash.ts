/** FNV-1a of 32 bits over the seed (little endian) and the bytes: what all instances with the same seed agree on. */
export function seededHash(bytes: Uint8Array, seed: number): number {
  let hash = 0x811c9dc5;
  for (let shift = 0; shift < 32; shift += 8) hash = step(hash, (seed >>> shift) & 0xff);
  for (const byte of bytes) hash = step(hash, byte);
  return hash >>> 0;
}

const step = (hash: number, byte: number): number => Math.imul(hash ^ byte, 0x01000193);
