/**
 * Lengths of x86-64 instructions, and what a few of them do: enough to walk through a function without losing the
 * beginning of an instruction. Knows legacy, VEX and EVEX encodings of 64-bit mode; refuses what it does not know.
 *
 * Source: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2, chapter 2 and appendix A.
 */

/** What an instruction does, as far as a probe's place depends on it. */
export type X86Kind =
  /** One that the kernel emulates at a breakpoint instead of single-stepping it (arch/x86/kernel/uprobes.c). */
  'push' | 'nop' | 'call' | 'jump' | 'branch' | 'return' | 'other';

export interface X86Instruction {
  readonly length: number;
  readonly kind: X86Kind;
  /** Of direct calls, jumps and branches: relative to the instruction's end. */
  readonly displacement: number;
  /** 1: one-byte opcodes, 2: 0F, 3: 0F 38, 4: 0F 3A; VEX and EVEX as the legacy map they stand for. */
  readonly map: number;
  readonly opcode: number;
  readonly rexW: boolean;
  readonly vector: boolean;
  /** -1: there is no ModRM byte. */
  readonly mod: number;
  /** Register numbers 0 (rax) to 15; `rm` is one only when `mod` is 3. */
  readonly reg: number;
  readonly rm: number;
}

const MAX_LENGTH = 15;

/** The instruction at `at`, or undefined when it is cut off or not known. */
export function readX86(code: Uint8Array, at: number): X86Instruction | undefined {
  let next = at;
  let operand16 = false;
  let repeat = 0;
  let rex = 0;
  let vector = false;
  let map = 1;
  const end = Math.min(code.length, at + MAX_LENGTH);
  const byte = (i: number) => (i < end ? code[i]! : -1);

  for (; isPrefix(byte(next)); next++) {
    if (byte(next) === 0x66) operand16 = true;
    else if (byte(next) === 0xf2 || byte(next) === 0xf3) repeat = byte(next);
  }
  const prefixes = next - at;
  if ((byte(next) & 0xf0) === 0x40) rex = byte(next++);
  let opcode = byte(next++);
  if (rex === 0 && (opcode === 0xc4 || opcode === 0xc5 || opcode === 0x62)) {
    const form = opcode;
    const first = byte(next);
    // Inverted bits of the extended registers; for the two-byte form only one of them.
    rex = 0x40 | (first & 0x80 ? 0 : 4) | (form !== 0xc5 && !(first & 0x20) ? 1 : 0);
    map = form === 0xc5 ? 2 : (first & (form === 0x62 ? 7 : 31)) + 1;
    next += form === 0xc5 ? 1 : form === 0xc4 ? 2 : 3;
    opcode = byte(next++);
    vector = true;
  } else if (opcode === 0x0f) {
    opcode = byte(next++);
    map = 2;
    if (opcode === 0x38 || opcode === 0x3a) {
      map = opcode === 0x38 ? 3 : 4;
      opcode = byte(next++);
    }
  }
  if (opcode < 0 || map > 4) return undefined;

  let mod = -1;
  let reg = 0;
  let rm = 0;
  if (vector ? !(map === 2 && opcode === 0x77) : hasModRm(map, opcode)) {
    const modRm = byte(next++);
    if (modRm < 0) return undefined;
    mod = modRm >> 6;
    reg = ((modRm >> 3) & 7) | (rex & 4 ? 8 : 0);
    rm = (modRm & 7) | (rex & 1 ? 8 : 0);
    if (mod !== 3 && (modRm & 7) === 4) {
      const sib = byte(next++);
      if (mod === 0 && (sib & 7) === 5) next += 4;
    } else if (mod === 0 && (modRm & 7) === 5) next += 4;
    next += mod === 1 ? 1 : mod === 2 ? 4 : 0;
  } else if (map === 1 && opcode >= 0x50 && opcode <= 0x5f) {
    rm = (opcode & 7) | (rex & 1 ? 8 : 0);
  } else if (map === 1 && opcode >= 0xb0 && opcode <= 0xbf) {
    rm = (opcode & 7) | (rex & 1 ? 8 : 0);
  }
  const rexW = (rex & 8) !== 0;
  const immediate = immediateBytes(map, opcode, reg, operand16, rexW);
  if (immediate < 0) return undefined;
  const immediateAt = next;
  next += immediate;
  if (next > end) return undefined;

  const kind = vector ? 'other' : kindOf(map, opcode, prefixes, repeat, rex, mod, reg);
  let displacement = 0;
  if (kind === 'call' || kind === 'jump' || kind === 'branch') {
    displacement = immediate === 1 ? (code[immediateAt]! << 24) >> 24 : readInt32(code, immediateAt);
  }
  return { length: next - at, kind, displacement, map, opcode, rexW, vector, mod, reg, rm };
}

function isPrefix(byte: number): boolean {
  switch (byte) {
    case 0x26:
    case 0x2e:
    case 0x36:
    case 0x3e:
    case 0x64:
    case 0x65:
    case 0x66:
    case 0x67:
    case 0xf0:
    case 0xf2:
    case 0xf3:
      return true;
    default:
      return false;
  }
}

function kindOf(
  map: number,
  opcode: number,
  prefixes: number,
  repeat: number,
  rex: number,
  mod: number,
  reg: number,
): X86Kind {
  if (map === 2) return opcode >= 0x80 && opcode <= 0x8f && prefixes === 0 ? 'branch' : 'other';
  if (map !== 1) return 'other';
  if (opcode === 0xc3 || opcode === 0xc2) return 'return';
  // An indirect jump ends the walk as a return does, though the kernel steps through it.
  if (opcode === 0xff && mod >= 0 && (reg & 7) === 4) return 'return';
  // `notrack`, `bnd` and their like: the kernel does not emulate what has prefixes.
  if (prefixes > 0 || repeat !== 0) return 'other';
  if (opcode >= 0x50 && opcode <= 0x57 && (rex === 0 || rex === 0x41)) return 'push';
  if (rex !== 0) return 'other';
  if (opcode === 0x90) return 'nop';
  if (opcode === 0xe8) return 'call';
  if (opcode === 0xe9 || opcode === 0xeb) return 'jump';
  return opcode >= 0x70 && opcode <= 0x7f ? 'branch' : 'other';
}

function hasModRm(map: number, opcode: number): boolean {
  if (map > 2) return true;
  if (map === 1) {
    if (opcode < 0x40) return (opcode & 7) < 4;
    if (opcode < 0x80) return opcode === 0x63 || opcode === 0x69 || opcode === 0x6b;
    if (opcode < 0xc0) return opcode < 0x90;
    if (opcode < 0xe0)
      return (
        opcode === 0xc0 ||
        opcode === 0xc1 ||
        opcode === 0xc6 ||
        opcode === 0xc7 ||
        (opcode & 0xf4) === 0xd0 ||
        opcode >= 0xd8
      );
    return opcode === 0xf6 || opcode === 0xf7 || opcode >= 0xfe;
  }
  if (opcode >= 0x80 && opcode <= 0x8f) return false;
  if (opcode >= 0x30 && opcode <= 0x37) return false;
  if (opcode >= 0xc8 && opcode <= 0xcf) return false;
  switch (opcode) {
    case 0x05:
    case 0x06:
    case 0x07:
    case 0x08:
    case 0x09:
    case 0x0b:
    case 0x77:
    case 0xa0:
    case 0xa1:
    case 0xa2:
    case 0xa8:
    case 0xa9:
    case 0xaa:
      return false;
    default:
      return true;
  }
}

/** -1: no such instruction in 64-bit mode. */
function immediateBytes(map: number, opcode: number, reg: number, operand16: boolean, rexW: boolean): number {
  const full = operand16 && !rexW ? 2 : 4;
  if (map === 4) return 1;
  if (map === 3) return 0;
  if (map === 2) {
    if (opcode >= 0x80 && opcode <= 0x8f) return 4;
    if (opcode >= 0x70 && opcode <= 0x73) return 1;
    if (opcode === 0xa4 || opcode === 0xac || opcode === 0xba || opcode === 0xc2) return 1;
    return opcode >= 0xc4 && opcode <= 0xc6 ? 1 : 0;
  }
  if (opcode < 0x40) {
    if ((opcode & 7) === 4) return 1;
    if ((opcode & 7) === 5) return full;
    return (opcode & 7) < 4 ? 0 : -1;
  }
  if (opcode >= 0x70 && opcode <= 0x7f) return 1;
  if (opcode >= 0xb0 && opcode <= 0xb7) return 1;
  if (opcode >= 0xb8 && opcode <= 0xbf) return rexW ? 8 : full;
  if (opcode >= 0xe0 && opcode <= 0xe7) return 1;
  switch (opcode) {
    case 0x60:
    case 0x61:
    case 0x9a:
    case 0xd4:
    case 0xd5:
    case 0xd6:
    case 0xea:
    case 0x82:
    case 0xce:
      return -1;
    case 0x68:
    case 0x69:
    case 0x81:
    case 0xa9:
    case 0xc7:
      return full;
    case 0xe8:
    case 0xe9:
      return 4;
    case 0x6a:
    case 0x6b:
    case 0x80:
    case 0x83:
    case 0xa8:
    case 0xc0:
    case 0xc1:
    case 0xc6:
    case 0xcd:
    case 0xeb:
      return 1;
    case 0xa0:
    case 0xa1:
    case 0xa2:
    case 0xa3:
      return 8;
    case 0xc2:
    case 0xca:
      return 2;
    case 0xc8:
      return 3;
    case 0xf6:
      return (reg & 7) < 2 ? 1 : 0;
    case 0xf7:
      return (reg & 7) < 2 ? full : 0;
    default:
      return 0;
  }
}

function readInt32(code: Uint8Array, at: number): number {
  return code[at]! | (code[at + 1]! << 8) | (code[at + 2]! << 16) | (code[at + 3]! << 24);
}
