/**
 * One writer for each directory. The lock is a file that names its owner by process id and start time (field 22 of
 * /proc/PID/stat) on this boot, so that neither SIGKILL nor a reused process id blocks a restart.
 *
 * Taking it is `link(2)` of a complete file to the name `lock`, which fails when the name exists: nobody ever sees a
 * half-written lock. A lock of a dead owner is moved aside by `rename(2)`; of two processes that try, one wins, and the
 * one that moved a fresh lock by mistake (it read the old one before the other replaced it) notices by the content and
 * puts it back. Only processes of the own pid namespace can be seen: agents in different containers must not share a
 * directory.
 */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { lockPath } from './layout.js';

/** Another live process writes to the directory. */
export class DirectoryLockedError extends Error {
  override readonly name = 'DirectoryLockedError';
  readonly ownerPid: number;

  constructor(folder: string, ownerPid: number) {
    super(
      `The store ${folder} is being written by another process (pid ${ownerPid}). ` +
        'Stop that one, or give this one another `directory`.',
    );
    this.ownerPid = ownerPid;
  }
}

export interface DirectoryLock {
  /** Removes the lock if it is still ours. Safe to call twice. */
  release(): Promise<void>;
}

interface Owner {
  readonly pid: number;
  readonly startTicks: string;
  readonly bootId: string;
  readonly token: string;
}

/** How `lockDirectory` asks about a process; replaced in tests. */
export interface ProcessProbe {
  /** A text that changes when the process id is used again; undefined when no such process lives. */
  startTicks(pid: number): string | undefined;
  bootId(): string;
}

/** Rejects with `DirectoryLockedError`, or with the file system's error when `folder` can't be written. */
export const lockDirectory = async (
  folder: string,
  probe: ProcessProbe = procProbe,
): Promise<DirectoryLock> => {
  const path = lockPath(folder);
  const self: Owner = {
    pid: process.pid,
    startTicks: probe.startTicks(process.pid) ?? '',
    bootId: probe.bootId(),
    token: randomUUID(),
  };
  const draft = join(folder, `lock.${self.token}`);
  await writeFile(draft, JSON.stringify(self), { flag: 'wx', mode: 0o644 });
  try {
    // Each failed round means that somebody else made progress; a handful is far more than can happen.
    for (let round = 0; round < 8; round += 1) {
      if (await tryLink(draft, path)) return { release: () => release(path, self.token) };
      const text = await readText(path);
      if (text === undefined) continue;
      const owner = parseOwner(text);
      if (owner !== undefined && isAlive(owner, probe)) throw new DirectoryLockedError(folder, owner.pid);
      await moveAside(path, join(folder, `lock.stale.${self.token}`), text);
    }
    throw new Error(`The lock of the store ${folder} keeps changing hands.`);
  } finally {
    await rm(draft, { force: true });
  }
};

/** The live process that writes to `folder`, or undefined. For readers, which only want to say so. */
export const readLockOwner = async (
  folder: string,
  probe: ProcessProbe = procProbe,
): Promise<number | undefined> => {
  const text = await readText(lockPath(folder));
  const owner = text === undefined ? undefined : parseOwner(text);
  return owner !== undefined && isAlive(owner, probe) ? owner.pid : undefined;
};

const tryLink = async (from: string, to: string): Promise<boolean> => {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
};

const moveAside = async (path: string, aside: string, expected: string): Promise<void> => {
  try {
    await rename(path, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  if ((await readText(aside)) !== expected) await tryLink(aside, path);
  await rm(aside, { force: true });
};

const release = async (path: string, token: string): Promise<void> => {
  const text = await readText(path);
  if (text !== undefined && parseOwner(text)?.token === token) await rm(path, { force: true });
};

const readText = async (path: string): Promise<string | undefined> => {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
};

const parseOwner = (text: string): Owner | undefined => {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null) return undefined;
    const { pid, startTicks, bootId, token } = value as Record<string, unknown>;
    if (typeof pid !== 'number' || !Number.isInteger(pid) || pid <= 0) return undefined;
    if (typeof startTicks !== 'string' || typeof bootId !== 'string' || typeof token !== 'string')
      return undefined;
    return { pid, startTicks, bootId, token };
  } catch {
    return undefined;
  }
};

const isAlive = (owner: Owner, probe: ProcessProbe): boolean =>
  owner.bootId === probe.bootId() && probe.startTicks(owner.pid) === owner.startTicks;

const procProbe: ProcessProbe = {
  startTicks(pid) {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
      // The command name is in parentheses and may hold blanks: count fields after the last ')'. Field 3 is the state.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      const dead = fields[0] === 'Z' || fields[0] === 'X';
      return dead ? undefined : fields[19];
    } catch {
      return undefined;
    }
  },
  bootId() {
    try {
      return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
    } catch {
      return '';
    }
  },
};
