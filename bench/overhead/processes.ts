/** Programs that the overhead benchmark starts, and the CPU time of process trees. */
import { type ChildProcess, execFile, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { MissingTool } from './subject.js';

/** USER_HZ, fixed on x86-64 and arm64. */
const TICK_NS = 1e7;

/** The path of a program in PATH or one of `folders`. Throws MissingTool. */
export function findTool(name: string, folders: readonly string[] = []): string {
  for (const folder of [...(process.env.PATH ?? '').split(delimiter), ...folders]) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // The next one.
    }
  }
  throw new MissingTool(`${name} is not installed`);
}

export async function output(
  program: string,
  args: readonly string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv; uid?: number; gid?: number } = {},
): Promise<string> {
  const { stdout } = await promisify(execFile)(program, args, { ...options, maxBuffer: 1 << 28 });
  return stdout;
}

/** Starts a program whose first line of output is a port; stdin stays open as long as we live. */
export async function startWithPort(
  program: string,
  args: readonly string[],
): Promise<{ child: ChildProcess; port: number }> {
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const [line] = (await once(child.stdout!.setEncoding('utf8'), 'data')) as [string];
  return { child, port: Number(line.trim()) };
}

/** Starts a daemon and waits until its port answers. */
export async function startListening(
  program: string,
  args: readonly string[],
  port: number,
  options: SpawnOptions = {},
): Promise<ChildProcess> {
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'inherit'], ...options });
  const ended = once(child, 'exit').then(([code]) => {
    throw new MissingTool(`${program} ended with ${code}`);
  });
  ended.catch(() => {});
  await Promise.race([ended, answers(port)]);
  return child;
}

export async function stopChild(child: ChildProcess, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const closed = once(child, 'close');
  child.kill(signal);
  await closed;
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const { createServer } = await import('node:net');
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/** CPU time of a process, of its living descendants and of those it has waited for. */
export function treeCpuNs(root: number): number {
  const children = childrenByParent();
  const ended = statOf(root);
  let sum = ended === undefined ? 0 : (Number(ended[13]) + Number(ended[14])) * TICK_NS;
  for (const queue = [root]; queue.length > 0; ) {
    const pid = queue.pop()!;
    sum += cpuNs(pid);
    queue.push(...(children.get(pid) ?? []));
  }
  return sum;
}

/** CPU time of all threads that live now. */
export function cpuNs(pid: number): number {
  const tasks = `/proc/${pid}/task`;
  try {
    return readdirSync(tasks).reduce(
      (sum, tid) => sum + Number(readFileSync(`${tasks}/${tid}/schedstat`, 'utf8').split(' ')[0]),
      0,
    );
  } catch {
    return 0; // It has ended meanwhile: then its parent has waited for it.
  }
}

export const rssMiB = (pid: number): number =>
  Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;

/** Fields of /proc/PID/stat after the command name (proc(5)): the parent's pid is [1], cutime and cstime [13] and [14]. */
function statOf(pid: number): string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}

function childrenByParent(): Map<number, number[]> {
  const children = new Map<number, number[]>();
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    const parent = Number.isInteger(pid) ? Number(statOf(pid)?.[1]) : Number.NaN;
    if (!Number.isInteger(parent)) continue;
    const siblings = children.get(parent);
    if (siblings === undefined) children.set(parent, [pid]);
    else siblings.push(pid);
  }
  return children;
}

async function answers(port: number): Promise<void> {
  for (;;) {
    const socket = connect(port, '127.0.0.1');
    const reached = await new Promise<boolean>((resolve) => {
      socket.on('connect', () => resolve(true)).on('error', () => resolve(false));
    });
    socket.destroy();
    if (reached) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
