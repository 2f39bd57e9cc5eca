/**
 * One writer for each directory. A lock is a file `lock.N` that names its owner by process id and start time (field 22
 * of /proc/PID/stat) on this boot, so that neither SIGKILL nor a reused process id blocks a restart.
 *
 * The owner is the one named in the file with the highest N, if it lives. Whoever finds it dead (or its lock released)
 * links a complete file to the next number: link(2) fails when the name exists, so of several that try at once one wins,
 * and nobody ever sees a half-written lock. The winner then looks again and gives way should there be a higher number
 * after all (its first look may have been long ago). Numbers only grow, and only lower ones are removed: with a single
 * name that is removed and made again, a slow process can remove a lock that is not the one it found stale.
 *
 * Only processes of the own pid namespace can be seen: agents in different containers must not share a directory.
 */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { link, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Another live process writes to the directory. */
export class DirectoryLockedError extends Error {
  override readonly name = 'DirectoryLockedError';
  readonly ownerPid: number;

  constructor(folder: string, ownerPid: number) {
    super(
      `The directory ${folder} is being written by another process (pid ${ownerPid}). ` +
        'Stop that one, or give this one another `directory`.',
    );
    this.ownerPid = ownerPid;
  }
}

export interface DirectoryLock {
  /** Lets others in. Safe to call twice. */
  release(): Promise<void>;
}

interface Owner {
  readonly pid: number;
  readonly startTicks: string;
  readonly bootId: string;
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
  const self: Owner = {
    pid: process.pid,
    startTicks: probe.startTicks(process.pid) ?? '',
    bootId: probe.bootId(),
  };
  await removeOldDrafts(folder);
  const draft = join(folder, `${DRAFT_PREFIX}${randomUUID()}`);
  await writeFile(draft, JSON.stringify(self), { flag: 'wx', mode: 0o644 });
  try {
    // Each failed round means that somebody else made progress.
    for (let round = 0; round < MAX_ROUNDS; round += 1) {
      const highest = (await listLocks(folder)).at(-1) ?? 0;
      const owner = await readOwner(folder, highest);
      if (owner !== undefined && isAlive(owner, probe)) throw new DirectoryLockedError(folder, owner.pid);
      const mine = highest + 1;
      if (!(await tryLink(draft, lockPath(folder, mine)))) continue;
      const locks = await listLocks(folder);
      if (locks.at(-1) !== mine) {
        await rm(lockPath(folder, mine), { force: true });
        continue;
      }
      for (const old of locks) if (old < mine) await rm(lockPath(folder, old), { force: true });
      return { release: () => release(folder, mine) };
    }
    throw new Error(`The lock of the directory ${folder} keeps changing hands.`);
  } finally {
    await rm(draft, { force: true });
  }
};

/** The live process that writes to `folder`, or undefined. For readers, which only want to say so. */
export const readLockOwner = async (
  folder: string,
  probe: ProcessProbe = procProbe,
): Promise<number | undefined> => {
  const owner = await readOwner(folder, (await listLocks(folder)).at(-1) ?? 0);
  return owner !== undefined && isAlive(owner, probe) ? owner.pid : undefined;
};

const DRAFT_PREFIX = 'lock-draft.';
const OLD_DRAFT_MS = 60_000;
const MAX_ROUNDS = 64;
const LOCK_NAME = /^lock\.(\d{10})$/;

const lockPath = (folder: string, number: number): string =>
  join(folder, `lock.${String(number).padStart(10, '0')}`);

/** Numbers of the locks in `folder`, lowest first. */
const listLocks = async (folder: string): Promise<number[]> =>
  (await readdir(folder))
    .map((name) => LOCK_NAME.exec(name)?.[1])
    .filter((digits) => digits !== undefined)
    .map(Number)
    .sort((a, b) => a - b);

const tryLink = async (from: string, to: string): Promise<boolean> => {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
};

/** Empties the lock instead of removing it, so that the numbers go on from there. It is ours as long as it exists. */
const release = async (folder: string, number: number): Promise<void> => {
  try {
    await truncate(lockPath(folder, number));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
};

/** A process that died between writing its draft and removing it leaves one behind. */
const removeOldDrafts = async (folder: string): Promise<void> => {
  for (const name of await readdir(folder)) {
    if (!name.startsWith(DRAFT_PREFIX)) continue;
    const path = join(folder, name);
    const age = await stat(path).then(
      (found) => Date.now() - found.mtimeMs,
      () => 0,
    );
    if (age > OLD_DRAFT_MS) await rm(path, { force: true });
  }
};

const readOwner = async (folder: string, number: number): Promise<Owner | undefined> => {
  const text = await readText(lockPath(folder, number));
  return text === undefined ? undefined : parseOwner(text);
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
    const { pid, startTicks, bootId } = value as Record<string, unknown>;
    if (typeof pid !== 'number' || !Number.isInteger(pid) || pid <= 0) return undefined;
    if (typeof startTicks !== 'string' || typeof bootId !== 'string') return undefined;
    return { pid, startTicks, bootId };
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
