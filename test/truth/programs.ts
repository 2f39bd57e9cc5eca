/** The programs whose truth is known, how to start them, and what is expected of the agent. */
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Rules } from './score.js';

export interface TruthProgram {
  readonly name: string;
  readonly rules: Rules;
  /** Least precision and recall, 0...1. */
  readonly precision: number;
  readonly recall: number;
  /** Why it cannot run here; undefined when it can. */
  missing(): string | undefined;
  /** Builds what has to be built; gives the command and its arguments. */
  command(): readonly [string, ...string[]];
}

const SOURCES = fileURLToPath(new URL('./programs/', import.meta.url));
const BUILD = fileURLToPath(new URL('../../build/truth/', import.meta.url));
const HEADERS = fileURLToPath(new URL('../programs/', import.meta.url));

function without(command: string, ...args: string[]): string | undefined {
  try {
    execFileSync(command, args, { stdio: 'ignore' });
    return undefined;
  } catch {
    return `there is no ${command}`;
  }
}

function build(command: string, ...args: string[]): void {
  mkdirSync(BUILD, { recursive: true });
  execFileSync(command, args, { stdio: ['ignore', 'inherit', 'inherit'], cwd: SOURCES });
}

export const PROGRAMS: readonly TruthProgram[] = [
  {
    name: 'c-threads',
    rules: { model: 'threads', globalLock: false },
    precision: 0.9999,
    recall: 0.97,
    missing: () => without('cc', '--version'),
    command: () => {
      const flags = ['-D_GNU_SOURCE', '-O1', '-g', '-fno-omit-frame-pointer', '-pthread', `-I${HEADERS}`];
      build('cc', ...flags, '-o', `${BUILD}threads`, 'threads.c');
      return [`${BUILD}threads`];
    },
  },
  {
    name: 'python-threads',
    rules: { model: 'threads', globalLock: true },
    precision: 0.9999,
    recall: 0.97,
    missing: () => without('/usr/bin/python3', '--version'),
    command: () => ['/usr/bin/python3', `${SOURCES}threads.py`],
  },
  {
    name: 'node',
    rules: { model: 'event_loop', globalLock: false },
    precision: 0.95,
    recall: 0.3,
    missing: () => undefined,
    command: () => [process.execPath, `${SOURCES}event-loop.mjs`],
  },
];
