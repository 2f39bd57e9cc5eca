/**
 * Helpers of the kernel tests: they load BPF for real, so they need root (or the capabilities) and a kernel with BTF.
 *
 * Without, every suite is skipped and says why; with KINDLING_REQUIRE_KERNEL=1 it fails instead, so that a machine
 * meant to run them can't pass by skipping.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { afterEach, describe } from 'vitest';
import { STATS } from '../../src/receiver/ebpf/abi.gen.js';
import { Capture, type CaptureOptions, type NetVariant, probe } from '../../src/receiver/ebpf/native.js';
import { buildProgram } from './programs.js';
import { type EventRecord, readRecords } from './records.js';

/** Why the kernel tests can't run here; undefined when they can. */
function findObstacle(): string | undefined {
  try {
    const broken = probe().topics.filter(
      (topic) => topic.error !== undefined && !['socket', 'message'].includes(topic.variant),
    );
    return broken[0]?.error === undefined ? undefined : `${broken[0].topic}: ${broken[0].error.message}`;
  } catch (error) {
    return (error as Error).message;
  }
}

/** The net variants whose hooks this kernel has. */
export function netVariants(): NetVariant[] {
  try {
    return probe().hooks.tcp_sendmsg_locked ? ['socket', 'syscall'] : ['syscall'];
  } catch {
    return ['socket', 'syscall']; // `describeKernel` says why neither runs
  }
}

/** `describe` for suites that load BPF. */
export function describeKernel(name: string, suite: () => void): void {
  const obstacle = findObstacle();
  if (obstacle === undefined || process.env.KINDLING_REQUIRE_KERNEL === '1') {
    describe(name, suite);
  } else {
    console.warn(`SKIPPED ${name}: ${obstacle}`);
    describe.skip(`${name} (${obstacle})`, suite);
  }
}

/** What a test program says about itself, see test/programs/truth.h. */
export interface Truth {
  readonly pid: number;
  readonly tid: number;
  readonly start: number;
  readonly end: number;
  readonly [more: string]: number;
}

/** Runs a test program to its end and returns its last line of output. */
export async function runProgram(name: string, args: readonly string[] = []): Promise<Truth> {
  const child = spawn(buildProgram(name), args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (data: Buffer) => {
    output += data.toString();
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  if (code !== 0) throw new Error(`${name} ended with ${code}`);
  return JSON.parse(output.trim().split('\n').at(-1)!) as Truth;
}

/** A Node process that runs `script` (CommonJS) and whose `process.send(x)` arrives through `message()`. */
export class NodeChild {
  readonly process: ChildProcess;
  readonly #messages: unknown[] = [];
  readonly #waiting: ((message: unknown) => void)[] = [];

  constructor(script: string, argv0 = 'node') {
    this.process = spawn(process.execPath, ['-e', script], {
      argv0,
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.process.on('message', (message) => {
      const next = this.#waiting.shift();
      if (next) next(message);
      else this.#messages.push(message);
    });
  }

  get pid(): number {
    return this.process.pid!;
  }

  async message<T>(): Promise<T> {
    if (this.#messages.length > 0) return this.#messages.shift() as T;
    return new Promise<unknown>((resolve) => this.#waiting.push(resolve)) as Promise<T>;
  }

  send(message: object): void {
    this.process.send(message);
  }

  async end(): Promise<void> {
    if (this.process.exitCode !== null) return;
    const ended = new Promise((resolve) => this.process.once('exit', resolve));
    this.process.kill();
    await ended;
  }
}

/** A capture whose records are kept decoded. Closed by itself after the test. */
export class Session {
  readonly capture: Capture;
  readonly records: EventRecord[] = [];

  constructor(options: CaptureOptions) {
    this.capture = Capture.open(options, (batch) => {
      this.records.push(...readRecords(batch));
    });
    open.add(this);
    const failed = this.capture.report.find((topic) => !topic.attached);
    if (failed !== undefined) {
      this.close();
      throw new Error(`${failed.topic}: ${failed.error?.message}\n${failed.error?.verifierLog}`);
    }
  }

  /** Waits until everything that has happened before now has arrived. */
  async settle(): Promise<void> {
    const now = Number(process.hrtime.bigint());
    await waitUntil(() => this.capture.drainedUpTo() >= now);
  }

  /** The kernel counters by name. */
  stats(): Record<string, number> {
    const values = this.capture.stats();
    return Object.fromEntries(STATS.map(({ name }, index) => [name, values[index]!]));
  }

  /** The records of one kind, in order. */
  of<K extends EventRecord['kind']>(kind: K): Extract<EventRecord, { kind: K }>[] {
    return this.records.filter((record): record is Extract<EventRecord, { kind: K }> => record.kind === kind);
  }

  close(): void {
    open.delete(this);
    this.capture.close();
  }
}

const open = new Set<Session>();

/** Closes what a test has left open. Called once per suite file. */
export function closeSessionsAfterEach(): void {
  afterEach(() => {
    for (const session of open) session.close();
  });
}

export async function waitUntil(condition: () => boolean, timeoutMs = 20_000): Promise<void> {
  const end = Date.now() + timeoutMs;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`timed out after ${timeoutMs} ms: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
