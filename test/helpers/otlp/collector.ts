import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const BINARY = fileURLToPath(new URL('../../../build/otelcol/otelcol', import.meta.url));

/** Why there is no Collector to test with; undefined when there is one. */
export const collectorMissing = (): string | undefined =>
  existsSync(BINARY)
    ? undefined
    : 'build/otelcol/otelcol is missing; scripts/otelcol/build.sh builds it (needs Go)';

/** A real OpenTelemetry Collector in a process of its own. */
export interface RunningCollector {
  readonly directory: string;
  /** Ends it as a service manager would, so that everything it holds is flushed. */
  stop(): Promise<void>;
  /** What it has printed until now. */
  output(): string;
  /** What it has written to a file in `directory`. */
  read(name: string): Promise<string>;
}

/**
 * Starts a Collector with `config` (YAML; `DIRECTORY` in it stands for a directory of its own) and waits until it is
 * ready. Rejects with its output when it ends before.
 */
export async function startCollector(
  config: string,
  { binary = BINARY, args = [] }: { readonly binary?: string; readonly args?: readonly string[] } = {},
): Promise<RunningCollector> {
  const directory = await mkdtemp(join(tmpdir(), 'kindling-otelcol-'));
  const path = join(directory, 'config.yaml');
  await writeFile(path, config.replaceAll('DIRECTORY', directory));
  const child = spawn(binary, ['--config', path, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const ended = once(child, 'exit');
  while (!output.includes('Everything is ready')) {
    if (child.exitCode !== null) throw new Error(`the Collector ended:\n${output}`);
    await Promise.race([ended, once(child.stderr, 'data')]);
  }
  return {
    directory,
    output: () => output,
    read: (name) => readFile(join(directory, name), 'utf8'),
    stop: async () => {
      await end(child, ended);
      await rm(directory, { recursive: true });
    },
  };
}

async function end(child: ChildProcess, ended: Promise<unknown>): Promise<void> {
  if (child.exitCode === null) child.kill('SIGTERM');
  const killed = new AbortController();
  sleep(10_000, undefined, { signal: killed.signal, ref: false }).then(
    () => child.kill('SIGKILL'),
    () => {},
  );
  await ended;
  killed.abort();
}

/** Ports that nobody used a moment ago: the Collector does not say which one it got for port 0. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => {
    const address = server.address();
    if (typeof address !== 'object' || address === null) throw new Error('not a TCP server');
    return address.port;
  });
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
