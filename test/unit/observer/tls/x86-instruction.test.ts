import { describe, expect, it } from 'vitest';
import { readX86 } from '../../../../src/observer/tls/x86-instruction.js';

/** Bytes and what a disassembler says of them. */
const INSTRUCTIONS: readonly [bytes: string, text: string, kind: string][] = [
  ['f30f1efa', 'endbr64', 'other'],
  ['55', 'push %rbp', 'push'],
  ['4155', 'push %r13', 'push'],
  ['ff75f0', 'pushq -0x10(%rbp)', 'other'],
  ['90', 'nop', 'nop'],
  ['6690', 'xchg %ax,%ax', 'other'],
  ['0f1f440000', 'nopl 0x0(%rax,%rax,1)', 'other'],
  ['66662e0f1f840000000000', 'data16 cs nopw 0x0(%rax,%rax,1)', 'other'],
  ['4883ec18', 'sub $0x18,%rsp', 'other'],
  ['4881ecc0000000', 'sub $0xc0,%rsp', 'other'],
  ['64488b042528000000', 'mov %fs:0x28,%rax', 'other'],
  ['85d2', 'test %edx,%edx', 'other'],
  ['782f', 'js +0x2f', 'branch'],
  ['0f867a030000', 'jbe +0x37a', 'branch'],
  ['4863d2', 'movslq %edx,%rdx', 'other'],
  ['e83dfeffff', 'call -0x1c3', 'call'],
  ['ffd0', 'call *%rax', 'other'],
  ['ff15aabbcc00', 'call *0xccbbaa(%rip)', 'other'],
  ['e966ffffff', 'jmp -0x9a', 'jump'],
  ['eb4d', 'jmp +0x4d', 'jump'],
  ['ff25aabbcc00', 'jmp *0xccbbaa(%rip)', 'return'],
  ['f2e966ffffff', 'bnd jmp -0x9a', 'other'],
  ['c3', 'ret', 'return'],
  ['f3c3', 'repz ret', 'return'],
  ['48b8efcdab8967452301', 'movabs $0x123456789abcdef,%rax', 'other'],
  ['66b83412', 'mov $0x1234,%ax', 'other'],
  ['48c744242000000000', 'movq $0x0,0x20(%rsp)', 'other'],
  ['f6470401', 'testb $0x1,0x4(%rdi)', 'other'],
  ['f7d8', 'neg %eax', 'other'],
  ['f7c700010000', 'test $0x100,%edi', 'other'],
  ['f00fc187e0090000', 'lock xadd %eax,0x9e0(%rdi)', 'other'],
  ['0fbae200', 'bt $0x0,%edx', 'other'],
  ['440f117c2430', 'movups %xmm15,0x30(%rsp)', 'other'],
  ['660f3a0fc108', 'palignr $0x8,%xmm1,%xmm0', 'other'],
  ['660f3800c1', 'pshufb %xmm1,%xmm0', 'other'],
  ['c5f877', 'vzeroupper', 'other'],
  ['c5fe6f06', 'vmovdqu (%rsi),%ymm0', 'other'],
  ['c4e37d39c101', 'vextracti128 $0x1,%ymm0,%xmm1', 'other'],
  ['62f17c48104701', 'vmovups 0x40(%rdi),%zmm0', 'other'],
  ['62f37d483bc101', 'vextracti32x8 $0x1,%zmm0,%ymm1', 'other'],
];

describe('readX86', () => {
  it.each(INSTRUCTIONS)('reads %s: %s', (hex, _, kind) => {
    const bytes = Buffer.from(hex, 'hex');
    const behind = Buffer.concat([Buffer.alloc(3, 0xcc), bytes, Buffer.alloc(15, 0x90)]);
    expect(readX86(behind, 3)).toMatchObject({ length: bytes.length, kind });
  });

  it('knows where a direct call and a short jump go', () => {
    expect(readX86(Buffer.from('e83dfeffff', 'hex'), 0)?.displacement).toBe(-0x1c3);
    expect(readX86(Buffer.from('eb80', 'hex'), 0)?.displacement).toBe(-128);
  });

  it('refuses what is cut off and what does not exist', () => {
    for (const [hex] of INSTRUCTIONS) {
      const bytes = Buffer.from(hex, 'hex');
      const shorter = readX86(bytes.subarray(0, -1), 0);
      // What is left of an instruction with prefixes may be one of its own.
      if (shorter !== undefined) expect(shorter.length).toBeLessThan(bytes.length);
    }
    expect(readX86(Buffer.from('9a', 'hex'), 0)).toBeUndefined();
    expect(readX86(Buffer.alloc(20, 0x66), 0)).toBeUndefined();
  });
});
