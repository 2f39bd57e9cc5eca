/** Runs the built agent (`bin/kindling`) as a user does, for whole-system tests. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const READY = 'Everything is ready. Begin running and processing data.';

/** A child process with its output kept, and a way to wait for a line of it. */
export interface Running {
  readonly child: ChildProcess;
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** Resolves when `text` has appeared on stderr; rejects with all output when the process ends first. */
  waitFor(text: string): Promise<void>;
  /** Sends `signal` unless it has ended, and gives the exit code (null after SIGKILL). */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

/** Children that have not ended. */
const running = new Set<ChildProcess>();

/** Kills what a failed test left running; for `afterEach`. */
export async function killLeftovers(): Promise<void> {
  for (const child of running) {
    child.kill('SIGKILL');
    await once(child, 'close');
  }
}

export function run(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Running {
  const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  let err = '';
  const watchers = new Set<() => void>();
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text;
    for (const watcher of watchers) watcher();
  });
  const ended = once(child, 'close') as Promise<[number | null]>;
  running.add(child);
  void ended.then(() => running.delete(child));
  return {
    child,
    stdout: () => out,
    stderr: () => err,
    waitFor: (text) =>
      new Promise((resolve, reject) => {
        const look = () => {
          if (!err.includes(text)) return;
          watchers.delete(look);
          resolve();
        };
        watchers.add(look);
        ended.then(([code]) => reject(new Error(`ended with ${code} before "${text}":\n${err}\n${out}`)));
        look();
      }),
    async stop(signal = 'SIGTERM') {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      return (await ended)[0];
    },
  };
}

/**
 * Starts the agent with a configuration given as text and waits until it is ready. `within` is a command that becomes
 * the one that is given to it: `ip netns exec NAME`.
 */
export async function startAgent(
  config: string,
  args: readonly string[] = [],
  { within = [], env = {} }: { within?: readonly string[]; env?: NodeJS.ProcessEnv } = {},
): Promise<Running> {
  const directory = temporaryDirectory();
  const file = join(directory, 'config.yaml');
  writeFileSync(file, config);
  const [command = '', ...rest] = [...within, 'bin/kindling', '--config', file, ...args];
  const agent = run(command, rest, env);
  await agent.waitFor(READY);
  return agent;
}

const directories: string[] = [];

/** A directory that `removeTemporaryDirectories` removes. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'kindling-test-'));
  directories.push(directory);
  return directory;
}

export function removeTemporaryDirectories(): void {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
}

/** A loopback port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

/** Polls until `look` gives something, or fails with `what` after `timeoutMs`. */
export async function eventually<T>(
  what: string,
  timeoutMs: number,
  look: () => Promise<T | undefined>,
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (Date.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
