/**
 * The LZ4 block format (https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md), as drivers of Cassandra use it:
 *
 *     ┌ token: literals 4 bits, match 4 bits ┬ more of the first … ┬ literals ┬ offset 2 LE ┬ more of the second …
 *
 * Undoes as much as there is of a block: the beginning of one gives the beginning of its content.
 */
export function decompressLz4(bytes: Buffer, start: number, end: number, limit: number): Buffer {
  const out = Buffer.allocUnsafe(limit);
  let to = 0;
  let at = start;
  while (at < end && to < limit) {
    const token = bytes[at++]!;
    let literals = token >>> 4;
    if (literals === 15) {
      let more = 255;
      while (more === 255 && at < end) {
        more = bytes[at++]!;
        literals += more;
      }
    }
    const copied = Math.min(literals, end - at, limit - to);
    bytes.copy(out, to, at, at + copied);
    to += copied;
    at += copied;
    // The last sequence is literals alone.
    if (copied < literals || at + 2 > end) break;
    const offset = bytes.readUInt16LE(at);
    at += 2;
    if (offset === 0 || offset > to) break;
    let match = (token & 15) + 4;
    if (match === 19) {
      let more = 255;
      while (more === 255 && at < end) {
        more = bytes[at++]!;
        match += more;
      }
    }
    // Byte by byte: a match may overlap what it makes.
    for (let i = Math.min(match, limit - to); i > 0; i--, to++) out[to] = out[to - offset]!;
  }
  return out.subarray(0, to);
}
