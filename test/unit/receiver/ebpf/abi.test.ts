/** Three readers of bpf/abi/events.h agree: the BPF compiler's BTF (abi.gen.ts), the host's C compiler, and this one. */

import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { EVENT_HEADER, NET_DATA_EVENT, STAT, STATS } from '../../../../src/receiver/ebpf/abi.gen.js';
import { buildProgram } from '../../../helpers/programs.js';
import { readRecords } from '../../../helpers/records.js';

const fixture = (name: string) => fileURLToPath(new URL(`../../../fixtures/abi/${name}`, import.meta.url));

function decode(bytes: Buffer): unknown {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const records = readRecords({ view, bytes, length: bytes.length });
  return JSON.parse(
    JSON.stringify(records, (_, value) => (typeof value === 'bigint' ? `0x${value.toString(16)}` : value)),
  );
}

describe('abi', () => {
  it('means the same to the C compiler of this machine as to the one that wrote the sample', () => {
    const bytes = execFileSync(buildProgram('abi-sample'));
    if (process.env.UPDATE_GOLDEN === '1') writeFileSync(fixture('sample.bin'), bytes);
    expect(bytes.equals(readFileSync(fixture('sample.bin')))).toBe(true);
  });

  it('reads one record of every kind from its bytes', () => {
    const records = decode(readFileSync(fixture('sample.bin')));
    if (process.env.UPDATE_GOLDEN === '1') {
      writeFileSync(fixture('sample.json'), `${JSON.stringify(records, null, 2)}\n`);
    }
    expect(records).toEqual(JSON.parse(readFileSync(fixture('sample.json'), 'utf8')));
  });

  it('starts every record with its header and keeps records 8-byte aligned', () => {
    expect(EVENT_HEADER.size).toBe(16);
    expect(NET_DATA_EVENT.offset.hdr).toBe(0);
    expect(NET_DATA_EVENT.size % 8).toBe(0);
  });

  it('has a help text for every counter', () => {
    expect(STATS).toHaveLength(STAT.COUNT);
    for (const { name, help } of STATS) {
      expect(name).toMatch(/^[a-z_]+$/);
      expect(help).toMatch(/\.$/);
    }
  });
});
