import { describe, expect, it } from 'vitest';
import { MemoryBytes } from '../../../../src/observer/tls/byte-source.js';
import { PRICE_NS } from '../../../../src/observer/tls/probe-site.js';
import { readTlsBinary, type TlsLibrary } from '../../../../src/observer/tls/tls-binary.js';
import { CODE_ADDRESS, CODE_OFFSET, elfImage, goFunctionTable } from '../../../helpers/elf-image.js';

const ALL: ReadonlySet<TlsLibrary> = new Set(['openssl', 'gnutls', 'go']);
const CHEAP = PRICE_NS.emulated + PRICE_NS.returned;
const DEAR = PRICE_NS.stepped + PRICE_NS.returned;

/** Functions one after the other, each padded to 64 bytes; `call NAME` and `jmp NAME` are filled in. */
function program(
  functions: Readonly<Record<string, string>>,
  more: Partial<Parameters<typeof elfImage>[0]> = {},
) {
  const names = Object.keys(functions);
  const code = Buffer.alloc(names.length * 64, 0x90);
  for (const [i, text] of Object.values(functions).entries()) {
    let at = i * 64;
    for (const word of text.trim().split(/\s+/)) {
      const [, opcode, target] = /^(e8|e9):(\w.*)$/.exec(word) ?? [];
      if (opcode === undefined) at += code.write(word, at, 'hex');
      else {
        code.write(opcode, at, 'hex');
        code.writeInt32LE(names.indexOf(target!) * 64 - (at + 5), at + 1);
        at += 5;
      }
    }
  }
  const places = Object.fromEntries(names.map((name, i) => [name, [i * 64, 64] as const]));
  const image = elfImage({ code, functions: places, ...more });
  const offset = (name: string, inner = 0) => CODE_OFFSET + names.indexOf(name) * 64 + inner;
  return { image, offset, binary: () => readTlsBinary(new MemoryBytes(image), ALL) };
}

const RETURN = '31c0 c3';

describe('readTlsBinary', () => {
  it('probes the function that does the work when the exported ones are wrappers of it', () => {
    // Debian's OpenSSL 3.0: the count is at the stack pointer, or where the caller wants it.
    const { binary, offset } = program({
      SSL_read: '4883ec18 64488b042528000000 4889442408 31c0 85d2 7820 4889e1 4863d2 e8:inner 4883c418 c3',
      SSL_read_ex: '4883ec08 e8:inner 31d2 4883c408 c3',
      SSL_free: '4885ff 7410 4155 c3',
      inner: `4155 4154 ${RETURN}`,
    });
    expect(binary()).toMatchObject({
      buildId: 'ab12',
      problem: '',
      probes: [
        { function: 'SSL_read', offset: offset('inner'), cookie: 0x1_0001, priceNs: CHEAP },
        { function: 'SSL_free', offset: offset('SSL_free', 3), programs: ['on_tls_free'] },
      ],
    });
  });

  it('takes the count from the fifth argument of OpenSSL 3.2 and newer', () => {
    const { binary, offset } = program({
      SSL_write: '4883ec18 85d2 7820 4c8d442408 31c9 4863d2 e8:inner 4883c418 c3',
      inner: `55 ${RETURN}`,
    });
    expect(binary()?.probes).toMatchObject([{ offset: offset('inner'), cookie: 0x1_0102, priceNs: CHEAP }]);
  });

  it('goes past endbr64, where the return address is still on top of the stack', () => {
    const { binary, offset } = program({ SSL_read: `f30f1efa 55 4889e5 ${RETURN}` });
    expect(binary()?.probes).toMatchObject([
      { offset: offset('SSL_read', 4), cookie: 0x1_0000, priceNs: CHEAP },
    ]);
  });

  it('stays at the entry, at its price, when an argument was put aside before the first call', () => {
    const { binary, offset } = program({
      SSL_read: '4883ec18 4889742408 e8:helper 4883c418 c3',
      helper: `55 ${RETURN}`,
    });
    expect(binary()?.probes).toMatchObject([{ offset: offset('SSL_read'), cookie: 0x1_0000, priceNs: DEAR }]);
  });

  it('does not take a helper that gets other arguments for the function that does the work', () => {
    const { binary, offset } = program({
      SSL_write: '4883ec18 31f6 e8:helper 4883c418 c3',
      helper: `55 ${RETURN}`,
    });
    expect(binary()?.probes).toMatchObject([{ offset: offset('SSL_write'), priceNs: DEAR }]);
  });

  it('probes GnuTLS once although its functions call each other', () => {
    const { binary } = program({
      gnutls_record_send: '4531c0 31c9 e9:gnutls_record_send2',
      gnutls_record_send2: `4157 ${RETURN}`,
      gnutls_record_recv: `4883ec08 80bfb806000000 4889d1 7440 4883c408 ${RETURN}`,
    });
    expect(binary()?.probes.map(({ function: name, priceNs }) => [name, priceNs])).toEqual([
      ['gnutls_record_recv', DEAR],
      ['gnutls_record_send2', CHEAP],
    ]);
  });

  const GO = {
    'crypto/tls.(*Conn).Read': '493b6610 0f867a030000 55 4889e5 e8:runtime.memmove 5d c3',
    'crypto/tls.(*Conn).Write': '4c8d6424b8 4d3b6610 0f8693070000 55 5d c3',
    'runtime.memmove': 'c3',
  };
  const places = Object.fromEntries(Object.keys(GO).map((name, i) => [name, [i * 64, 64] as const]));

  it.each([
    ['its symbols', {}, CODE_ADDRESS],
    ['the table of its runtime', { functions: {} }, CODE_ADDRESS],
    ['a table that does not say where the code begins', { functions: {} }, 0],
  ])('finds the functions of a Go program by %s', (_, more, textStart) => {
    const sections = { '.gopclntab': goFunctionTable(textStart, places) };
    const { binary, offset } = program(GO, { ...more, sections });
    expect(binary()).toMatchObject({
      problem: '',
      probes: [
        { programs: ['on_go_write'], offset: offset('crypto/tls.(*Conn).Write', 9), cookie: 0x3_0100 },
        { programs: ['on_go_read'], offset: offset('crypto/tls.(*Conn).Read', 4), cookie: 0x3_0000 },
        { programs: ['on_go_copy'], offset: offset('crypto/tls.(*Conn).Read', 14), cookie: 0x3_0000 },
      ],
    });
  });

  it('says so when a Go program is not understood', () => {
    const odd = { ...GO, 'crypto/tls.(*Conn).Write': '55 4889e5 5d c3' };
    const table = goFunctionTable(CODE_ADDRESS, places);
    expect(program(odd, { sections: { '.gopclntab': table } }).binary()).toMatchObject({
      probes: [],
      problem: 'crypto/tls was compiled in a way that is not known',
    });
    table.writeUInt32LE(0xfffffffa, 0);
    expect(program(GO, { functions: {}, sections: { '.gopclntab': table } }).binary()?.problem).toMatch(
      /version/,
    );
  });

  it('finds nothing in what has no TLS', () => {
    expect(program({ main: RETURN }).binary()).toBeUndefined();
    expect(readTlsBinary(new MemoryBytes(Buffer.from('#!/bin/sh\n')), ALL)).toBeUndefined();
    const { image } = program({ SSL_read: `55 ${RETURN}` });
    expect(readTlsBinary(new MemoryBytes(image), new Set(['go']))).toBeUndefined();
  });
});
