/** PostgreSQL: pgbench's read-only transactions. The server refuses to run as root and runs as `postgres` then. */
import { execFileSync } from 'node:child_process';
import { chownSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findTool, freePort, output, startListening, stopChild } from './processes.js';
import { type Load, MissingTool, type Subject } from './subject.js';

const CLIENTS = 8;
/** A log line for one transaction in so many. */
const SAMPLING = 0.1;

export const postgres: Subject = {
  name: 'PostgreSQL',
  spans: false,
  async start() {
    const folders = readdirSync('/usr/lib/postgresql', { withFileTypes: true }).map(({ name }) =>
      join('/usr/lib/postgresql', name, 'bin'),
    );
    const tool = (name: string) => findTool(name, folders);
    const identity = identityOf();
    const folder = mkdtempSync(join(tmpdir(), 'kindling-bench-'));
    chownSync(folder, identity.uid, identity.gid);
    const data = join(folder, 'data');
    const options = { ...identity, cwd: folder };
    await output(tool('initdb'), ['-D', data, '-A', 'trust', '-U', 'bench', '--no-sync'], options);
    const port = await freePort();
    const child = await startListening(
      tool('postgres'),
      [
        '-D',
        data,
        '-p',
        `${port}`,
        '-c',
        'listen_addresses=127.0.0.1',
        '-c',
        `unix_socket_directories=${folder}`,
      ],
      port,
      { ...options, stdio: ['ignore', 'ignore', 'ignore'] },
    );
    const pgbench = tool('pgbench');
    const place = ['-h', '127.0.0.1', '-p', `${port}`, '-U', 'bench', 'postgres'];
    await output(pgbench, ['-i', '-s', '1', '-q', ...place], options);
    return {
      pid: child.pid!,
      include: { commands: ['postgres'] },
      async load(seconds, rate) {
        const log = mkdtempSync(join(folder, 'log-'));
        chownSync(log, identity.uid, identity.gid);
        const speed = rate === undefined ? [] : ['-R', `${rate}`];
        const text = await output(
          pgbench,
          [
            ...['-S', '-n', '-c', `${CLIENTS}`, '-T', `${seconds}`, ...speed],
            ...['--log', `--log-prefix=${log}/t`, `--sampling-rate=${SAMPLING}`, ...place],
          ],
          options,
        );
        return { ...latenciesIn(log), requests: transactionsIn(text) };
      },
      async stop() {
        await stopChild(child, 'SIGINT');
        rmSync(folder, { recursive: true, force: true });
      },
    };
  },
};

function identityOf(): { uid: number; gid: number } {
  if (process.getuid?.() !== 0) return { uid: process.getuid!(), gid: process.getgid!() };
  try {
    const id = (flag: string) =>
      Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8', stdio: 'pipe' }));
    return { uid: id('-u'), gid: id('-g') };
  } catch {
    throw new MissingTool('there is no user postgres, and the server refuses to run as root');
  }
}

function transactionsIn(text: string): number {
  const count = /number of transactions actually processed: (\d+)/.exec(text)?.[1];
  if (count === undefined) throw new Error(`pgbench printed no count:\n${text}`);
  return Number(count);
}

/** Lines of a transaction log: client, transaction, latency (us), … */
function latenciesIn(folder: string): Pick<Load, 'p50Us' | 'p99Us'> {
  const latencies = readdirSync(folder)
    .flatMap((name) => readFileSync(join(folder, name), 'utf8').trim().split('\n'))
    .map((line) => Number(line.split(' ')[2]))
    .filter(Number.isFinite)
    .sort((a, b) => a - b);
  const at = (share: number) => latencies[Math.floor(latencies.length * share)];
  return { p50Us: at(0.5), p99Us: at(0.99) };
}
