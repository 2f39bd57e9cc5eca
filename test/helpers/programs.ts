/** Compiles the C programs of test/programs. */

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const PROGRAMS = fileURLToPath(new URL('../programs/', import.meta.url));
const BUILD = fileURLToPath(new URL('../../build/test-programs/', import.meta.url));

/** Compiles test/programs/<name>.c when it is newer than its binary. Returns the binary's path. */
export function buildProgram(name: string): string {
  const source = `${PROGRAMS}${name}.c`;
  const binary = `${BUILD}${name}`;
  mkdirSync(BUILD, { recursive: true });
  const newest = Math.max(
    ...readdirSync(PROGRAMS)
      .filter((file) => file.endsWith('.h') || file === `${name}.c`)
      .map((file) => statSync(PROGRAMS + file).mtimeMs),
  );
  if (!existsSync(binary) || statSync(binary).mtimeMs < newest) {
    const headers = fileURLToPath(new URL('../../bpf/abi', import.meta.url));
    // Under another name until it is whole: test files run side by side.
    const unfinished = `${binary}.${process.pid}`;
    // Frame pointers: stacks are walked by them.
    const flags = [
      '-D_GNU_SOURCE',
      '-O1',
      '-g',
      '-fno-omit-frame-pointer',
      '-no-pie',
      '-fno-pie',
      '-Wall',
      '-Wextra',
      '-Werror',
    ];
    execFileSync('cc', [...flags, '-pthread', `-I${headers}`, '-o', unfinished, source]);
    renameSync(unfinished, binary);
  }
  return binary;
}
