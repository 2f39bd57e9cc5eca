/**
 * The addon's symbolizer on real programs: each is compiled, started, and asked for the address of its own function.
 * Needs the built addon, a C compiler and root (other processes' memory maps).
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chownSync,
  copyFileSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Worker } from 'node:worker_threads';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { AddonSymbolizer, type NativeSymbolizerModule } from '../../../src/observer/symbolizer.js';
import { loadAddon } from '../../../src/receiver/ebpf/native.js';

const addon = (): NativeSymbolizerModule => loadAddon();

const PROGRAM = `
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
static __attribute__((noinline)) int hidden(int x) { return x * 3 + 1; }
__attribute__((noinline)) int visible(int x) { return hidden(x) + 1; }
int main(int argc, char **argv) {
  void *code = mmap(0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  printf("%llx %llx %llx %llx\\n", (unsigned long long)hidden, (unsigned long long)visible,
         (unsigned long long)qsort, (unsigned long long)code);
  fflush(stdout);
  return visible(getchar()) == argc;
}
`;

const folder = mkdtempSync(join(tmpdir(), 'kindling-symbolizer-'));
const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function compile(name: string, flags: readonly string[]): string {
  const source = join(folder, 'program.c');
  const binary = join(folder, name);
  writeFileSync(source, PROGRAM);
  execFileSync('cc', ['-O1', '-o', binary, source, ...flags]);
  return binary;
}

/** Starts the program and waits until it has printed its addresses. */
async function start(binary: string, options = {}): Promise<{ pid: number; addresses: bigint[] }> {
  const child = spawn(binary, [], { stdio: ['pipe', 'pipe', 'inherit'], ...options });
  children.push(child);
  const [line] = (await once(createInterface(child.stdout!), 'line')) as [string];
  return { pid: child.pid ?? 0, addresses: line.split(' ').map((text) => BigInt(`0x${text}`)) };
}

/** Not as a stack: each address is innermost. */
const namesOf = (symbolizer: AddonSymbolizer, pid: number, addresses: readonly bigint[]) =>
  addresses.map((address) => symbolizer.user(pid, [address + 1n])[0]);

describe('symbolizer', () => {
  it.each([
    ['pie', ['-pie', '-fPIE']],
    ['fixed', ['-no-pie']],
    ['fixed elsewhere', ['-no-pie', '-Wl,-Ttext-segment=0x10000000']],
    ['one segment', ['-Wl,-z,noseparate-code']],
    ['static', ['-static']],
    ['static pie', ['-static-pie']],
  ])('names the functions of a program linked %s', async (name, flags) => {
    const { pid, addresses } = await start(compile(name.replaceAll(' ', '-'), flags));
    const names = namesOf(new AddonSymbolizer(addon()), pid, addresses);
    expect(names.slice(0, 2)).toEqual(['hidden', 'visible']);
    // A non-PIE program takes the address of its own stub.
    if (!flags.includes('-no-pie')) expect(names[2]).toMatch(/qsort$/);
  });

  it('gives file and address where symbols are stripped', async () => {
    const { pid, addresses } = await start(compile('stripped', ['-s']));
    const [hidden, visible] = namesOf(new AddonSymbolizer(addon()), pid, addresses);
    expect(hidden).toMatch(/^\[stripped\]\+0x[0-9a-f]+$/);
    expect(visible).toMatch(/^\[stripped\]\+0x[0-9a-f]+$/);
  });

  it('reads the file that is mapped, not the one that has its name now', async () => {
    const binary = compile('upgraded', []);
    const { pid, addresses } = await start(binary);
    const other = compile('upgraded-new', ['-Dhidden=renamed', '-Dvisible=moved', '-O0']);
    renameSync(other, binary);
    expect(namesOf(new AddonSymbolizer(addon()), pid, addresses).slice(0, 2)).toEqual(['hidden', 'visible']);
  });

  it('reads deleted files, and keeps names after the process has ended', async () => {
    const binary = compile('deleted', []);
    const { pid, addresses } = await start(binary);
    rmSync(binary);
    const symbolizer = new AddonSymbolizer(addon());
    expect(namesOf(symbolizer, pid, addresses)[0]).toBe('hidden');
    const child = children[0]!;
    child.stdin?.end();
    await once(child, 'exit');
    symbolizer.invalidate(pid, true);
    expect(namesOf(symbolizer, pid, addresses)[0]).toBe('hidden');
    symbolizer.invalidate(pid, false);
    expect(namesOf(symbolizer, pid, addresses)[0]).toBe('[unknown]');
  });

  it('shares the symbols of equal files', async () => {
    const first = compile('shared-a', []);
    const second = join(folder, 'shared-b');
    copyFileSync(first, second);
    const symbolizer = new AddonSymbolizer(addon());
    for (const binary of [first, second]) {
      const { pid, addresses } = await start(binary);
      expect(namesOf(symbolizer, pid, addresses.slice(0, 1))).toEqual(['hidden']);
    }
    expect(symbolizer.stats()).toMatchObject({ files: 1, fileLoads: 1, processes: 2 });
  });

  it('names generated code of Node.js', async () => {
    const child = spawn(
      process.execPath,
      [
        '--perf-basic-prof',
        '--interpreted-frames-native-stack',
        '-e',
        'function hotHandler(n) { let x = 0; for (let i = 0; i < n; i++) x += Math.sqrt(i); return x; }' +
          'for (let i = 0; i < 200; i++) hotHandler(1e4); console.log("ready"); process.stdin.resume();',
      ],
      // V8 leaves a log in the working directory.
      { stdio: ['pipe', 'pipe', 'inherit'], cwd: folder },
    );
    children.push(child);
    await once(createInterface(child.stdout!), 'line');
    const map = `/tmp/perf-${child.pid}.map`;
    const line = readFileSync(map, 'utf8')
      .split('\n')
      .findLast((text) => text.includes('hotHandler'));
    const symbolizer = new AddonSymbolizer(addon());
    const names = namesOf(symbolizer, child.pid ?? 0, [BigInt(`0x${line?.split(' ')[0]}`)]);
    rmSync(map);
    expect(names).toEqual(['hotHandler [eval]:1']);
    expect(symbolizer.stats()).toMatchObject({ perfMaps: 1, perfMapMalformedLines: 0 });
  });

  it('believes a perf map of the user of the process, and no other', async () => {
    const { pid, addresses } = await start(compile('generating', []));
    const code = addresses[3]!;
    const map = `/tmp/perf-${pid}.map`;
    writeFileSync(map, `${code.toString(16)} 1000 generated code\n`);
    const own = new AddonSymbolizer(addon());
    const ownNames = namesOf(own, pid, [code]);
    chownSync(map, 65534, 65534);
    const foreign = new AddonSymbolizer(addon());
    const foreignNames = namesOf(foreign, pid, [code]);
    rmSync(map);
    expect(ownNames).toEqual(['generated code']);
    expect(own.stats().perfMapsRefused).toBe(0);
    expect(foreignNames).toEqual(['[anon]']);
    expect(foreign.stats().perfMapsRefused).toBe(1);
  });

  it('names kernel functions', () => {
    const line = readFileSync('/proc/kallsyms', 'utf8')
      .split('\n')
      .find((text) => text.endsWith(' T tcp_sendmsg'));
    const address = BigInt(`0x${line?.split(' ')[0] ?? '0'}`);
    const symbolizer = new AddonSymbolizer(addon());
    expect(symbolizer.kernel([address + 4n])).toEqual([address === 0n ? '[kernel]' : 'tcp_sendmsg']);
    expect(symbolizer.kernel([])).toEqual([]);
  });

  it('works in a worker thread, and refuses wrong arguments', async () => {
    const worker = new Worker(
      `const { parentPort, workerData } = require('node:worker_threads');
       const { Symbolizer } = require(workerData);
       const symbolizer = new Symbolizer({ maxFiles: 4 });
       const errors = [() => symbolizer.user('1'), () => symbolizer.user(1, [1n]), () => symbolizer.kernel(1)].map((f) => {
         try { f(); return 'none'; } catch (error) { return error.name; }
       });
       parentPort.postMessage({ names: symbolizer.user(process.pid, new BigUint64Array([8n, 0n])), errors });`,
      { eval: true, workerData: new URL('../../../build/native/kindling.node', import.meta.url).pathname },
    );
    const [message] = (await once(worker, 'message')) as [{ names: string[]; errors: string[] }];
    await worker.terminate();
    expect(message.names).toEqual(['[unknown]', '[unknown]']);
    expect(message.errors).toEqual(['TypeError', 'TypeError', 'TypeError']);
  });
});
