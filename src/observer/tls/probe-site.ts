/**
 * Where a function is best probed.
 *
 * A breakpoint costs the kernel little when it can emulate the instruction it stands on (push, nop, call, jmp, jcc), and
 * a dozen times more when it must single-step it (arch/x86/kernel/uprobes.c). Compilers begin functions with the
 * latter: `sub rsp`, `endbr64`, the stack check of Go. So the probe moves on to the first cheap instruction, as long as
 * the arguments are still in their registers. A probe for the return value replaces the return address, which it
 * expects on top of the stack: it may move past instructions only that leave the stack pointer alone.
 *
 *     SSL_read:                              ssl_read_internal:
 *       sub  $0x18, %rsp    single-stepped     push %r13     cheap, and the return address is on top
 *       test %edx, %edx                        push %r12
 *       js   …              cheap, but the return address is not on top any more
 *       mov  %rsp, %rcx     where the inner function puts the count of bytes
 *       call ssl_read_internal ───────────►
 */
import type { X86Instruction } from './x86-instruction.js';
import { readX86 } from './x86-instruction.js';

/** Nanoseconds per hit with the program that runs and its record, measured on Linux 6.18, x86-64 (docs/tls.md). */
export const PRICE_NS = {
  /** Emulated instruction. */
  emulated: 900,
  /** Single-stepped instruction. */
  stepped: 11_500,
  /** A return probe, on top of its entry. */
  returned: 1_200,
} as const;

/** How a function tells how many bytes it moved: values of `enum tls_call`. */
export type CountPlace = 'result' | 'arg3' | 'arg4';

export interface ProbeSite {
  /** Of the probed instruction. */
  readonly address: number;
  readonly priceNs: number;
}

export interface CallSite extends ProbeSite {
  /** A return probe at `address` is right. Its price is part of `priceNs`. */
  readonly count: CountPlace;
}

/** Code of the program at `address`, up to `length` bytes. */
export type ReadCode = (address: number, length: number) => Uint8Array;

const RAX = 0;
const RCX = 1;
const RDX = 2;
const RBX = 3;
const RSP = 4;
const RSI = 6;
const RDI = 7;
const R8 = 8;
const R14 = 14;
const C_ARGUMENTS = [RDI, RSI, RDX] as const;
const GO_ARGUMENTS = [RAX, RBX, RCX, R14] as const;

/** A prologue that is longer is none. */
const MAX_PROLOGUE_BYTES = 128;
/** SSL_read is a wrapper of one function; a wrapper of a wrapper is known from GnuTLS. */
const MAX_CALLS_FOLLOWED = 2;
const MAX_FUNCTION_BYTES = 64 << 10;

/**
 * The place where both a call of the C function at `address` and its return are seen: f(session, buffer, size, …).
 * `count`: how the function itself tells the bytes.
 */
export function findCallSite(read: ReadCode, address: number, count: CountPlace): CallSite {
  return (
    followToCheapSite(read, address, count, 0) ?? {
      address,
      count,
      priceNs: PRICE_NS.stepped + PRICE_NS.returned,
    }
  );
}

function followToCheapSite(
  read: ReadCode,
  start: number,
  count: CountPlace,
  depth: number,
): CallSite | undefined {
  const code = read(start, MAX_PROLOGUE_BYTES);
  const registers = new Registers(C_ARGUMENTS);
  for (let at = 0; at < code.length; ) {
    const instruction = readX86(code, at);
    if (instruction === undefined || !registers.intact) return undefined;
    const next = start + at + instruction.length;
    if (isEmulated(instruction) && registers.stackUntouched) {
      return { address: start + at, count, priceNs: PRICE_NS.emulated + PRICE_NS.returned };
    }
    if (instruction.kind === 'call' || instruction.kind === 'jump') {
      if (depth >= MAX_CALLS_FOLLOWED || registers.saved) return undefined;
      const inner = innerCount(instruction, registers, count);
      return inner && followToCheapSite(read, next + instruction.displacement, inner, depth + 1);
    }
    if (instruction.kind === 'return') return undefined;
    registers.execute(instruction);
    at += instruction.length;
  }
  return undefined;
}

/** How a function tells its count that is called with our arguments in place, if it can be the one that does the work. */
function innerCount(
  instruction: X86Instruction,
  registers: Registers,
  count: CountPlace,
): CountPlace | undefined {
  // A tail call's result is the function's own.
  if (instruction.kind === 'jump') return registers.stackUntouched ? count : undefined;
  // The address of the count is the fourth or fifth argument: a local variable, or the one that was handed in.
  if (registers.holdsAddress(R8)) return 'arg4';
  if (registers.holdsAddress(RCX)) return 'arg3';
  return count === 'arg3' && !registers.wasWritten(RCX) ? 'arg3' : undefined;
}

/** The place where a call of the C function at `address` is seen with its first argument. */
export function findEntrySite(read: ReadCode, address: number): ProbeSite {
  return findFirstEmulated(read, address, [RDI]) ?? { address, priceNs: PRICE_NS.stepped };
}

/**
 * The stack check's jump at the beginning of the Go function at `address`: the arguments are in their registers and
 * the kernel emulates it. Undefined when the function does not begin with a stack check.
 */
export function findGoEntry(read: ReadCode, address: number): ProbeSite | undefined {
  const site = findFirstEmulated(read, address, GO_ARGUMENTS);
  if (site === undefined) return undefined;
  const jump = readX86(read(site.address, 16), 0);
  // `jbe`: what the BPF program takes for "begins again".
  const isStackCheck = jump?.kind === 'branch' && (jump.opcode & 15) === 6;
  return isStackCheck ? site : undefined;
}

/** All calls of the function at `target` in the function at `address`, `size` bytes long. */
export function findCalls(read: ReadCode, address: number, size: number, target: number): ProbeSite[] {
  const code = read(address, Math.min(size, MAX_FUNCTION_BYTES));
  const calls: ProbeSite[] = [];
  for (let at = 0; at < code.length; ) {
    const instruction = readX86(code, at);
    if (instruction === undefined) break;
    const next = address + at + instruction.length;
    if (instruction.kind === 'call' && next + instruction.displacement === target) {
      calls.push({ address: address + at, priceNs: PRICE_NS.emulated });
    }
    at += instruction.length;
  }
  return calls;
}

function findFirstEmulated(
  read: ReadCode,
  address: number,
  needed: readonly number[],
): ProbeSite | undefined {
  const code = read(address, MAX_PROLOGUE_BYTES);
  const registers = new Registers(needed);
  for (let at = 0; at < code.length && registers.intact; ) {
    const instruction = readX86(code, at);
    if (instruction === undefined || instruction.kind === 'return') return undefined;
    if (isEmulated(instruction)) return { address: address + at, priceNs: PRICE_NS.emulated };
    registers.execute(instruction);
    at += instruction.length;
  }
  return undefined;
}

const isEmulated = ({ kind }: X86Instruction): boolean => kind !== 'other' && kind !== 'return';

/** What is in the registers, as far as it matters. An instruction that is not known spoils everything. */
class Registers {
  /** All needed arguments are where the caller put them. */
  intact = true;
  stackUntouched = true;
  /** An argument was put aside: it is needed after the next call, so that call does not do the work alone. */
  saved = false;
  readonly #needed: readonly number[];
  readonly #written = new Set<number>();
  readonly #addresses = new Set<number>();

  constructor(needed: readonly number[]) {
    this.#needed = needed;
  }

  /** It holds an address on the stack, or the fourth argument. */
  holdsAddress(register: number): boolean {
    return this.#addresses.has(register);
  }

  wasWritten(register: number): boolean {
    return this.#written.has(register);
  }

  execute(instruction: X86Instruction): void {
    const { map, opcode, mod, reg, kind } = instruction;
    if (kind === 'branch' || kind === 'nop') return;
    if (kind === 'push') {
      this.stackUntouched = false;
      return;
    }
    if (map === 1) this.#executeOneByte(instruction);
    else if (map === 2 && opcode === 0x1e && mod === 3)
      return; // endbr64
    else if (map === 2 && (opcode === 0x1f || opcode === 0x18))
      return; // nop, prefetch
    else if (map === 2 && (opcode & 0xf0) === 0x40)
      this.#write(reg); // cmov
    else if (map === 2 && (opcode & 0xf6) === 0xb6)
      this.#write(reg); // movzx, movsx
    else if (map === 2 && VECTOR_MOVES.has(opcode)) return;
    else if (map === 2 && opcode === 0xba && (reg & 7) === 4)
      return; // bt
    else this.#spoil();
  }

  #executeOneByte({ opcode, mod, reg, rm, rexW }: X86Instruction): void {
    const operation = (opcode >> 3) & 7;
    if (opcode < 0x40) {
      // add, or, adc, sbb, and, sub, xor; cmp writes nothing.
      if (operation === 7) return;
      if ((opcode & 7) >= 4) this.#write(RAX);
      else if ((opcode & 2) !== 0) this.#write(reg);
      else if (mod === 3) this.#write(rm);
      return;
    }
    switch (opcode) {
      case 0x63: // movsxd; `movslq %edx, %rdx` widens the size
        if (mod === 3) this.#read(rm, reg);
        if (mod !== 3 || rm !== reg) this.#write(reg);
        return;
      case 0x80:
      case 0x81:
      case 0x83:
        if ((reg & 7) !== 7 && mod === 3) this.#write(rm);
        return;
      case 0x84:
      case 0x85: // test
      case 0xa8:
      case 0xa9:
      case 0x90:
        return;
      case 0x88:
      case 0x89: // mov to r/m
        this.#read(reg, mod === 3 ? rm : -1);
        if (mod === 3) this.#copy(reg, rm);
        return;
      case 0x8a:
      case 0x8b: // mov from r/m
        if (mod === 3) {
          this.#read(rm, reg);
          this.#copy(rm, reg);
        } else this.#write(reg);
        return;
      case 0x8d: {
        this.#write(reg);
        const onStack = mod !== 3 && (rm === RSP || rm === 5);
        if (onStack && rexW) this.#addresses.add(reg);
        return;
      }
      case 0xc6:
      case 0xc7:
        if (mod === 3) this.#write(rm);
        return;
      case 0xf6:
      case 0xf7:
        if ((reg & 7) > 1) this.#spoil();
        return;
      default:
        if (opcode >= 0xb0 && opcode <= 0xbf) this.#write(rm);
        else this.#spoil();
    }
  }

  #copy(from: number, to: number): void {
    this.#write(to);
    if (from === RSP || from === RCX || this.#addresses.has(from)) this.#addresses.add(to);
  }

  #read(register: number, into: number): void {
    if (register !== into && this.#needed.includes(register)) this.saved = true;
  }

  #write(register: number): void {
    this.#written.add(register);
    this.#addresses.delete(register);
    if (register === RSP) this.stackUntouched = false;
    if (this.#needed.includes(register)) this.intact = false;
  }

  #spoil(): void {
    this.intact = false;
  }
}

/** movups, movaps, movd, movdqa, movq, xorps, pxor: between vector registers and memory. */
const VECTOR_MOVES = new Set([0x10, 0x11, 0x28, 0x29, 0x57, 0x6f, 0x7f, 0xd6, 0xef]);
