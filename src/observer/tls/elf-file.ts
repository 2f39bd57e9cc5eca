/**
 * Function places of a 64-bit little-endian ELF file, looked up by name: no table is built, because of the hundred
 * thousand names in a large program five are wanted.
 *
 * Sources: System V ABI (gABI 4.1), chapters "ELF Header", "Sections", "Symbol Table", "Program Header"; elf(5). Files
 * whose headers lie yield nothing or a wrong place inside the file; nothing is read beyond the limits below.
 */
import type { ByteSource } from './byte-source.js';

const MAX_SECTIONS = 4096;
const MAX_SEGMENTS = 256;
const MAX_STRING_BYTES = 48 << 20;
const MAX_SYMBOL_BYTES = 64 << 20;
const MAX_NAME_BYTES = 1 << 20;
const MAX_NOTE_BYTES = 64 << 10;
/** Occurrences of a name in a string table that are tried: names may be the ends of longer ones. */
const MAX_OCCURRENCES = 64;
const SYMBOL_BYTES = 24;

const EM_X86_64 = 62;
const EM_AARCH64 = 183;
const PT_LOAD = 1;
const PT_NOTE = 4;
const PF_X = 1;
const SHT_SYMTAB = 2;
const SHT_DYNSYM = 11;
const STT_FUNC = 2;

export type Machine = 'x86_64' | 'aarch64';

export interface ElfSection {
  readonly name: string;
  readonly type: number;
  readonly address: number;
  readonly offset: number;
  readonly size: number;
  readonly link: number;
}

/** A function's place; `size` 0 when the file does not say. */
export interface ElfFunction {
  readonly address: number;
  readonly size: number;
}

interface Segment {
  readonly type: number;
  readonly executable: boolean;
  readonly offset: number;
  readonly address: number;
  readonly size: number;
}

export class ElfFile {
  readonly machine: Machine;
  readonly sections: readonly ElfSection[];
  readonly #source: ByteSource;
  readonly #segments: readonly Segment[];

  private constructor(
    source: ByteSource,
    machine: Machine,
    segments: readonly Segment[],
    sections: readonly ElfSection[],
  ) {
    this.#source = source;
    this.machine = machine;
    this.#segments = segments;
    this.sections = sections;
  }

  /** Undefined when `source` is no ELF file of a kind that is known here. */
  static read(source: ByteSource): ElfFile | undefined {
    const header = source.read(0, 64);
    if (header === undefined || header.readUInt32BE(0) !== 0x7f454c46) return undefined;
    const is64Little = header[4] === 2 && header[5] === 1;
    const code = header.readUInt16LE(18);
    const machine = code === EM_X86_64 ? 'x86_64' : code === EM_AARCH64 ? 'aarch64' : undefined;
    if (!is64Little || machine === undefined) return undefined;
    return new ElfFile(source, machine, readSegments(source, header), readSections(source, header));
  }

  section(name: string): ElfSection | undefined {
    return this.sections.find((section) => section.name === name);
  }

  /** GNU build id in lower-case hex; '' when there is none. */
  get buildId(): string {
    for (const { type, offset, size } of this.#segments) {
      if (type !== PT_NOTE || size > MAX_NOTE_BYTES) continue;
      const notes = this.#source.read(offset, size);
      const id = notes === undefined ? '' : buildIdIn(notes);
      if (id !== '') return id;
    }
    return '';
  }

  /** The functions among `names` that the file defines, from its symbol tables. */
  functions(names: readonly string[]): Map<string, ElfFunction> {
    const found = new Map<string, ElfFunction>();
    for (const section of this.sections) {
      if (section.type === SHT_DYNSYM || section.type === SHT_SYMTAB) {
        const missing = names.filter((name) => !found.has(name));
        if (missing.length > 0) this.#lookUp(section, missing, found);
      }
    }
    return found;
  }

  /** Where in the file the byte at `address` of the program is, if it is code. */
  offsetOf(address: number): number | undefined {
    for (const segment of this.#segments) {
      if (segment.type !== PT_LOAD || !segment.executable) continue;
      if (address >= segment.address && address < segment.address + segment.size) {
        const offset = address - segment.address + segment.offset;
        return Number.isSafeInteger(offset) && offset < this.#source.size ? offset : undefined;
      }
    }
    return undefined;
  }

  /** Up to `length` bytes of code at `address`; fewer at the end of the segment, none when it is not code. */
  code(address: number, length: number): Buffer {
    const offset = this.offsetOf(address);
    if (offset === undefined) return Buffer.alloc(0);
    return this.#source.read(offset, Math.min(length, this.#source.size - offset)) ?? Buffer.alloc(0);
  }

  /** The whole section, or undefined when it is larger than `limit` or not there. */
  bytes(section: ElfSection, limit: number): Buffer | undefined {
    return section.size > limit ? undefined : this.#source.read(section.offset, section.size);
  }

  #lookUp(table: ElfSection, names: readonly string[], found: Map<string, ElfFunction>): void {
    const strings = this.sections[table.link];
    const text = strings && this.bytes(strings, MAX_STRING_BYTES);
    if (text === undefined) return;
    const wanted = new Map<number, string>();
    for (const name of names) {
      const needle = Buffer.from(`${name}\0`, 'latin1');
      let at = text.indexOf(needle);
      for (let i = 0; at >= 0 && i < MAX_OCCURRENCES; i++) {
        wanted.set(at, name);
        at = text.indexOf(needle, at + 1);
      }
    }
    if (wanted.size === 0) return;
    const symbols = this.bytes(table, MAX_SYMBOL_BYTES);
    if (symbols === undefined) return;
    for (let at = 0; at + SYMBOL_BYTES <= symbols.length; at += SYMBOL_BYTES) {
      const name = wanted.get(symbols.readUInt32LE(at));
      if (name === undefined || found.has(name)) continue;
      const isFunction = (symbols[at + 4]! & 15) === STT_FUNC;
      const isDefined = symbols.readUInt16LE(at + 6) !== 0;
      const address = u64(symbols, at + 8);
      if (isFunction && isDefined && address !== 0) found.set(name, { address, size: u64(symbols, at + 16) });
    }
  }
}

/** Exact below 2^53; larger numbers are rounded and lie outside every file. */
export function u64(bytes: Buffer, at: number): number {
  return bytes.readUInt32LE(at + 4) * 0x1_0000_0000 + bytes.readUInt32LE(at);
}

function readSegments(source: ByteSource, header: Buffer): Segment[] {
  const count = header.readUInt16LE(56);
  if (header.readUInt16LE(54) !== 56 || count > MAX_SEGMENTS) return [];
  const table = source.read(u64(header, 32), count * 56);
  if (table === undefined) return [];
  return Array.from({ length: count }, (_, i) => ({
    type: table.readUInt32LE(i * 56),
    executable: (table.readUInt32LE(i * 56 + 4) & PF_X) !== 0,
    offset: u64(table, i * 56 + 8),
    address: u64(table, i * 56 + 16),
    size: u64(table, i * 56 + 32),
  }));
}

function readSections(source: ByteSource, header: Buffer): ElfSection[] {
  const count = header.readUInt16LE(60);
  if (header.readUInt16LE(58) !== 64 || count > MAX_SECTIONS) return [];
  const table = source.read(u64(header, 40), count * 64);
  if (table === undefined) return [];
  const namesAt = header.readUInt16LE(62) * 64;
  const hasNames = namesAt < table.length && u64(table, namesAt + 32) <= MAX_NAME_BYTES;
  const names = hasNames ? source.read(u64(table, namesAt + 24), u64(table, namesAt + 32)) : undefined;
  return Array.from({ length: count }, (_, i) => ({
    name: names === undefined ? '' : textAt(names, table.readUInt32LE(i * 64)),
    type: table.readUInt32LE(i * 64 + 4),
    address: u64(table, i * 64 + 16),
    offset: u64(table, i * 64 + 24),
    size: u64(table, i * 64 + 32),
    link: table.readUInt32LE(i * 64 + 40),
  }));
}

function textAt(bytes: Buffer, at: number): string {
  const end = bytes.indexOf(0, at);
  return at >= bytes.length || end < 0 ? '' : bytes.toString('latin1', at, Math.min(end, at + 256));
}

function buildIdIn(notes: Buffer): string {
  for (let at = 0; at + 12 <= notes.length; ) {
    const nameSize = notes.readUInt32LE(at);
    const textSize = notes.readUInt32LE(at + 4);
    const textAt = at + 12 + Math.ceil(nameSize / 4) * 4;
    if (textAt + textSize > notes.length) return '';
    const isGnu = nameSize === 4 && notes.toString('latin1', at + 12, at + 15) === 'GNU';
    if (isGnu && notes.readUInt32LE(at + 8) === 3) return notes.toString('hex', textAt, textAt + textSize);
    at = textAt + Math.ceil(textSize / 4) * 4;
  }
  return '';
}
