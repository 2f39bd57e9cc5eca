/** Small ELF files for tests, with code and symbols of their choice. */

export interface ElfImageOptions {
  /** Machine code at address 0x1000. */
  readonly code: Uint8Array;
  /** Functions by name: offset in the code and size. */
  readonly functions: Readonly<Record<string, readonly [offset: number, size: number]>>;
  /** Further sections by name. */
  readonly sections?: Readonly<Record<string, Uint8Array>>;
  readonly buildId?: string;
}

export const CODE_ADDRESS = 0x1000;
/** The code lies in the file where it does not lie in memory. */
export const CODE_OFFSET = 0x200;

/** A 64-bit x86-64 file with one executable segment, a symbol table and a build id. */
export function elfImage({ code, functions, sections = {}, buildId = 'ab12' }: ElfImageOptions): Buffer {
  const note = Buffer.alloc(16 + buildId.length / 2 + 4);
  note.writeUInt32LE(4, 0);
  note.writeUInt32LE(buildId.length / 2, 4);
  note.writeUInt32LE(3, 8);
  note.write('GNU\0', 12, 'latin1');
  note.write(buildId, 16, 'hex');

  let strings = '\0';
  const symbols = [Buffer.alloc(24)];
  for (const [name, [offset, size]] of Object.entries(functions)) {
    const symbol = Buffer.alloc(24);
    symbol.writeUInt32LE(strings.length, 0);
    symbol[4] = 0x12; // global function
    symbol.writeUInt16LE(1, 6);
    symbol.writeBigUInt64LE(BigInt(CODE_ADDRESS + offset), 8);
    symbol.writeBigUInt64LE(BigInt(size), 16);
    symbols.push(symbol);
    strings += `${name}\0`;
  }
  const parts = [
    { name: '', type: 0, link: 0, bytes: Buffer.alloc(0) },
    { name: '.text', type: 1, link: 0, bytes: Buffer.from(code) },
    { name: '.symtab', type: 2, link: 3, bytes: Buffer.concat(symbols) },
    { name: '.strtab', type: 3, link: 0, bytes: Buffer.from(strings, 'latin1') },
    { name: '.note.gnu.build-id', type: 7, link: 0, bytes: note },
    ...Object.entries(sections).map(([name, bytes]) => ({
      name,
      type: 1,
      link: 0,
      bytes: Buffer.from(bytes),
    })),
  ];
  const names = Buffer.from(`${parts.map(({ name }) => name).join('\0')}\0.shstrtab\0`, 'latin1');
  parts.push({ name: '.shstrtab', type: 3, link: 0, bytes: names });

  const table = Buffer.alloc(parts.length * 64);
  const contents: Buffer[] = [];
  let at = CODE_OFFSET;
  for (const [i, { name, type, link, bytes }] of parts.entries()) {
    const entry = table.subarray(i * 64);
    entry.writeUInt32LE(names.indexOf(Buffer.from(`${name}\0`, 'latin1')), 0);
    entry.writeUInt32LE(type, 4);
    entry.writeBigUInt64LE(name === '.text' ? BigInt(CODE_ADDRESS) : 0n, 16);
    entry.writeBigUInt64LE(BigInt(at), 24);
    entry.writeBigUInt64LE(BigInt(bytes.length), 32);
    entry.writeUInt32LE(link, 40);
    contents.push(bytes);
    at += bytes.length;
  }
  const noteAt = CODE_OFFSET + contents.slice(0, 4).reduce((sum, { length }) => sum + length, 0);

  const header = Buffer.alloc(CODE_OFFSET);
  header.write('\x7fELF\x02\x01\x01', 0, 'latin1');
  header.writeUInt16LE(3, 16);
  header.writeUInt16LE(62, 18);
  header.writeBigUInt64LE(64n, 32);
  header.writeBigUInt64LE(BigInt(at), 40);
  header.writeUInt16LE(56, 54);
  header.writeUInt16LE(2, 56);
  header.writeUInt16LE(64, 58);
  header.writeUInt16LE(parts.length, 60);
  header.writeUInt16LE(parts.length - 1, 62);
  writeSegment(header.subarray(64), 1, 5, CODE_OFFSET, CODE_ADDRESS, code.length);
  writeSegment(header.subarray(120), 4, 4, noteAt, 0, note.length);
  return Buffer.concat([header, ...contents, table]);
}

function writeSegment(
  out: Buffer,
  type: number,
  flags: number,
  offset: number,
  address: number,
  size: number,
): void {
  out.writeUInt32LE(type, 0);
  out.writeUInt32LE(flags, 4);
  out.writeBigUInt64LE(BigInt(offset), 8);
  out.writeBigUInt64LE(BigInt(address), 16);
  out.writeBigUInt64LE(BigInt(size), 32);
}

/** The function table of a Go program (layout of Go 1.20 and newer), for `.gopclntab`. */
export function goFunctionTable(
  textStart: number,
  functions: Readonly<Record<string, readonly [offset: number, size: number]>>,
): Buffer {
  const entries = Object.entries(functions).sort(([, [a]], [, [b]]) => a - b);
  const names = Buffer.from(`${entries.map(([name]) => name).join('\0')}\0`, 'latin1');
  const header = Buffer.alloc(72);
  const tableBytes = entries.length * 8 + 8;
  const table = Buffer.alloc(tableBytes);
  const details = Buffer.alloc(entries.length * 16);
  for (const [i, [name, [offset]]] of entries.entries()) {
    table.writeUInt32LE(offset, i * 8);
    table.writeUInt32LE(tableBytes + i * 16, i * 8 + 4);
    details.writeUInt32LE(offset, i * 16);
    details.writeInt32LE(names.indexOf(Buffer.from(`${name}\0`, 'latin1')), i * 16 + 4);
  }
  const [, [lastOffset, lastSize]] = entries.at(-1)!;
  table.writeUInt32LE(lastOffset + lastSize, entries.length * 8);
  header.writeUInt32LE(0xfffffff1, 0);
  header[6] = 1;
  header[7] = 8;
  header.writeBigUInt64LE(BigInt(entries.length), 8);
  header.writeBigUInt64LE(BigInt(textStart), 24);
  header.writeBigUInt64LE(72n, 32);
  header.writeBigUInt64LE(BigInt(72 + names.length), 40);
  header.writeBigUInt64LE(BigInt(72 + names.length), 64);
  return Buffer.concat([header, names, table, details]);
}
