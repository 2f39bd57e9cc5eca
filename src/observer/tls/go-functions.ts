/**
 * Function places of a Go program that was stripped, from the table that the Go runtime itself needs.
 *
 * Source: Go, src/internal/abi/symtab.go, src/runtime/symtab.go (pcHeader, functab, _func), src/debug/gosym/pclntab.go;
 * layouts of Go 1.18 and 1.20 and newer. Older ones are refused: their calling convention or table is another one.
 */
import type { ElfFile, ElfFunction } from './elf-file.js';
import { u64 } from './elf-file.js';

const MAGIC_1_18 = 0xfffffff0;
const MAGIC_1_20 = 0xfffffff1;
const MAX_TABLE_BYTES = 128 << 20;
const MAX_FUNCTIONS = 4_000_000;
const MAX_OCCURRENCES = 64;

export const isGoProgram = (elf: ElfFile): boolean => tableSection(elf) !== undefined;

const tableSection = (elf: ElfFile) => elf.section('.gopclntab') ?? elf.section('.data.rel.ro.gopclntab');

/** The functions among `names`; undefined when the table is of an unknown version, too large, or makes no sense. */
export function readGoFunctions(
  elf: ElfFile,
  names: readonly string[],
): Map<string, ElfFunction> | undefined {
  const section = tableSection(elf);
  const table = section && elf.bytes(section, MAX_TABLE_BYTES);
  if (table === undefined || table.length < 72) return undefined;
  const magic = table.readUInt32LE(0);
  if ((magic !== MAGIC_1_18 && magic !== MAGIC_1_20) || table[7] !== 8) return undefined;
  const count = u64(table, 8);
  // Programs of Go 1.26 and newer do not tell: their code begins where the section does.
  const textStart = u64(table, 24) || (elf.section('.text')?.address ?? 0);
  const namesAt = u64(table, 32);
  const namesEnd = u64(table, 40);
  const functionsAt = u64(table, 64);
  const isSane =
    textStart !== 0 &&
    count <= MAX_FUNCTIONS &&
    namesAt <= namesEnd &&
    namesEnd <= table.length &&
    functionsAt + count * 8 + 4 <= table.length;
  if (!isSane) return undefined;

  const wanted = findNames(table.subarray(namesAt, namesEnd), names);
  const found = new Map<string, ElfFunction>();
  if (wanted.size === 0) return found;
  for (let i = 0; i < count; i++) {
    const entry = functionsAt + i * 8;
    const details = functionsAt + table.readUInt32LE(entry + 4);
    if (details + 8 > table.length) return undefined;
    const name = wanted.get(table.readInt32LE(details + 4));
    if (name === undefined) continue;
    const start = table.readUInt32LE(entry);
    const end = table.readUInt32LE(entry + 8);
    found.set(name, { address: textStart + start, size: Math.max(0, end - start) });
  }
  return found;
}

/** Name offset to name. */
function findNames(text: Buffer, names: readonly string[]): Map<number, string> {
  const wanted = new Map<number, string>();
  for (const name of names) {
    const needle = Buffer.from(`${name}\0`, 'latin1');
    let at = text.indexOf(needle);
    for (let i = 0; at >= 0 && i < MAX_OCCURRENCES; i++) {
      if (at === 0 || text[at - 1] === 0) wanted.set(at, name);
      at = text.indexOf(needle, at + 1);
    }
  }
  return wanted;
}
