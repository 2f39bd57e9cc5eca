import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'vitest';

/** Debian keeps the servers of PostgreSQL out of the PATH. */
const POSTGRESQL = '/usr/lib/postgresql';
for (const version of existsSync(POSTGRESQL) ? readdirSync(POSTGRESQL) : []) {
  process.env.PATH = `${process.env.PATH}:${POSTGRESQL}/${version}/bin`;
}

/**
 * `it` for tests that need programs of the distribution; skipped, naming what is missing, where there are none. With
 * KINDLING_REQUIRE_KERNEL=1 they run all the same, and fail.
 */
export function itWith(
  tools: readonly string[],
  name: string,
  test: () => Promise<void>,
  timeoutMs?: number,
): void {
  const missing = tools.filter((tool) => !isInstalled(tool));
  if (missing.length === 0 || process.env.KINDLING_REQUIRE_KERNEL === '1') it(name, test, timeoutMs);
  else it.skip(`${name} (needs ${missing.join(', ')})`, test);
}

export function isInstalled(tool: string): boolean {
  try {
    execFileSync('sh', ['-c', `command -v ${tool}`], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Programs and folders of one test; `end()` in `afterEach`. */
export class Workbench {
  readonly #children: ChildProcess[] = [];
  readonly #folders: string[] = [];

  folder(): string {
    const path = mkdtempSync(join(tmpdir(), 'kindling-tools-'));
    this.#folders.push(path);
    return path;
  }

  /** Starts a program that runs until `end()`; what it writes to its standard error is dropped. */
  start(command: string, args: readonly string[]): ChildProcess {
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'ignore'] });
    this.#children.push(child);
    return child;
  }

  async end(): Promise<void> {
    for (const child of this.#children.splice(0)) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill();
      await ended;
    }
    for (const path of this.#folders.splice(0)) rmSync(path, { recursive: true, force: true });
  }
}

/** Does somebody listen on the port? Asks the kernel and not the listener, who would see it. */
export function isListening(port: number): boolean {
  const local = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return ['/proc/net/tcp', '/proc/net/tcp6'].some((table) =>
    readFileSync(table, 'utf8')
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .some(([, address, , state]) => address?.endsWith(local) === true && state === '0A'),
  );
}

/** A TCP port that was free a moment ago. */
export async function freeTcpPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
