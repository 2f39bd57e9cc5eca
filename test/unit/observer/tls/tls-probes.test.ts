import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseMappedFiles } from '../../../../src/observer/tls/mapped-files.js';
import { TlsDiscovery } from '../../../../src/observer/tls/tls-discovery.js';
import { type TlsProbeOptions, TlsProbes } from '../../../../src/observer/tls/tls-probes.js';
import type { ProbePlace } from '../../../../src/receiver/ebpf/native.js';
import { NOP_LOGGER } from '../../../../src/telemetry/logger.js';
import { elfImage } from '../../../helpers/elf-image.js';

const LIBRARY = elfImage({
  code: Buffer.from('5531c0c3', 'hex'),
  functions: { SSL_read: [0, 4], SSL_write: [0, 4] },
});

let root: string;
const placed = new Map<number, ProbePlace>();
let handles = 0;
let refuse = false;
const host = {
  addProbe: (place: ProbePlace) => {
    if (refuse) throw new Error('not permitted');
    placed.set(++handles, place);
    return handles;
  },
  removeProbes: (gone: readonly number[]) => {
    for (const handle of gone) placed.delete(handle);
  },
};

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'kindling-proc-'));
  writeFileSync(join(root, 'libssl.so.3'), LIBRARY);
  writeFileSync(join(root, 'program'), 'no ELF file');
  placed.clear();
  refuse = false;
});

afterEach(() => rmSync(root, { recursive: true }));

/** A process that maps the program and, if so wanted, the library. */
function process(pid: number, files: readonly string[]): void {
  mkdirSync(join(root, `${pid}`, 'map_files'), { recursive: true });
  let maps = '';
  for (const [i, file] of files.entries()) {
    const range = `${(i + 1).toString(16)}000-${(i + 2).toString(16)}000`;
    maps += `${range} r-xp 00000000 fe:01 ${100 + file.length}  /lib/${file} (deleted)\n`;
    symlinkSync(join(root, file), join(root, `${pid}`, 'map_files', range));
  }
  writeFileSync(join(root, `${pid}`, 'maps'), maps);
}

const probesWith = (options: Partial<TlsProbeOptions> = {}) =>
  new TlsProbes(
    host,
    { libraries: ['openssl', 'gnutls', 'go'], maxProbeCostNs: 20_000, perProcess: false, root, ...options },
    NOP_LOGGER,
  );

describe('TlsProbes', () => {
  it('probes a file once for all processes that map it, and reads it once', () => {
    const probes = probesWith();
    for (const pid of [1, 2, 3]) {
      process(pid, ['program', 'libssl.so.3']);
      expect(probes.scan(pid, 0)).toBe(true);
      expect(probes.uses(pid)).toBe(true);
    }
    expect([...placed.values()].map(({ program }) => program)).toEqual([
      'on_tls_call',
      'on_tls_return',
      'on_tls_call',
      'on_tls_return',
    ]);
    for (const { path, pid } of placed.values()) {
      expect(path).toMatch(/^\/proc\/self\/fd\/\d+$/);
      expect(pid).toBeUndefined();
    }
    expect(probes.filesRead).toBe(2);
    expect(probes.attached).toEqual({ files: 1, probes: 4 });
  });

  it('removes the probes a minute after the last process that used them', () => {
    const probes = probesWith();
    for (const pid of [1, 2]) process(pid, ['libssl.so.3']);
    probes.scan(1, 0);
    probes.scan(2, 0);
    probes.forget(1, 0);
    probes.sweep(100_000);
    expect(placed.size).toBe(4);
    probes.forget(2, 100_000);
    probes.sweep(150_000);
    expect(placed.size).toBe(4);
    probes.sweep(160_000);
    expect(placed.size).toBe(0);
    expect(probes.attached).toEqual({ files: 0, probes: 0 });
  });

  it('touches only the process itself when that is wanted', () => {
    const probes = probesWith({ perProcess: true });
    process(1, ['libssl.so.3']);
    process(2, ['libssl.so.3']);
    probes.scan(1, 0);
    probes.scan(2, 0);
    expect([...placed.values()].map(({ pid }) => pid)).toEqual([1, 1, 1, 1, 2, 2, 2, 2]);
    probes.forget(1, 0);
    probes.sweep(0);
    expect([...placed.values()].map(({ pid }) => pid)).toEqual([2, 2, 2, 2]);
  });

  it('leaves a library alone that costs too much, and one that the kernel refuses', () => {
    const dear = probesWith({ maxProbeCostNs: 500 });
    process(1, ['libssl.so.3']);
    dear.scan(1, 0);
    expect(dear.refused).toBe(1);
    refuse = true;
    const refused = probesWith();
    refused.scan(1, 0);
    refused.scan(1, 0);
    expect(refused.attachFailures).toBe(1);
    expect(placed.size).toBe(0);
  });

  it('knows a process that is gone', () => {
    expect(probesWith().scan(77, 0)).toBe(false);
  });
});

describe('TlsDiscovery', () => {
  it('looks at a process when it starts, when its libraries are loaded, and when it speaks TLS', () => {
    let now = 0;
    const probes = probesWith();
    const discovery = new TlsDiscovery(probes, () => now);
    process(5, ['libssl.so.3']);
    discovery.exec(5);
    expect(placed.size).toBe(0); // not begun
    discovery.begin({ selectByDefault: false }, root);

    process(1, ['program']);
    discovery.exec(1);
    rmSync(join(root, '1'), { recursive: true });
    process(1, ['program', 'libssl.so.3']);
    now += 200;
    discovery.work();
    expect(probes.uses(1)).toBe(true);

    process(2, ['program']);
    discovery.handshake(2);
    rmSync(join(root, '2'), { recursive: true });
    process(2, ['libssl.so.3']);
    discovery.handshake(2);
    expect(probes.uses(2)).toBe(false); // too soon
    now += 1000;
    discovery.handshake(2);
    expect(probes.uses(2)).toBe(true);
  });

  it('begins with the processes that the rules name', () => {
    for (const [pid, command] of [
      [11, 'nginx'],
      [12, 'curl'],
      [13, 'other'],
    ] as const) {
      process(pid, ['libssl.so.3']);
      writeFileSync(join(root, `${pid}`, 'comm'), `${command}\n`);
    }
    const probes = probesWith();
    const discovery = new TlsDiscovery(probes, () => 0);
    discovery.begin({ selectByDefault: false, includePids: [13], includeComms: ['nginx'] }, root);
    discovery.work();
    expect([11, 12, 13].map((pid) => probes.uses(pid))).toEqual([true, false, true]);
  });

  it('bounds what a storm of short processes costs, and counts what it leaves out', () => {
    const probes = probesWith();
    const discovery = new TlsDiscovery(probes, () => 0);
    discovery.begin({ selectByDefault: false }, root);
    process(1, ['program']);
    for (let pid = 100; pid < 6100; pid++) {
      discovery.exec(pid);
    }
    expect(discovery.stats().tls_scans_skipped).toBeGreaterThan(1000);
    for (let pid = 100; pid < 6100; pid++) discovery.ended(pid);
    process(1, ['libssl.so.3'].slice(1));
    discovery.work();
    expect(placed.size).toBe(0);
  });
});

describe('parseMappedFiles', () => {
  it('names each file with code once', () => {
    const files = parseMappedFiles(
      [
        '00400000-00452000 r--p 00000000 fe:01 1234   /usr/bin/a b',
        '00452000-00460000 r-xp 00052000 fe:01 1234   /usr/bin/a b',
        '00470000-00480000 r-xp 00062000 fe:01 1234   /usr/bin/a b',
        '7f00-7f01 r-xp 00000000 00:00 0 [vdso]',
        '7f02-7f03 r-xp 00000000 fe:01 99   /lib/x.so (deleted)',
        'nonsense',
        'x r-xp y',
      ].join('\n'),
    );
    expect(files).toEqual([
      { key: 'fe:01 1234 /usr/bin/a b', path: '/usr/bin/a b', range: '00452000-00460000' },
      { key: 'fe:01 99 /lib/x.so (deleted)', path: '/lib/x.so', range: '7f02-7f03' },
    ]);
  });
});
