import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  DirectoryLockedError,
  lockDirectory,
  type ProcessProbe,
  readLockOwner,
} from '../../../src/store/directory-lock.js';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kindling-lock-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** A machine on which our own process runs since tick `ticks`. */
const machine = (ticks: string | undefined, boot = 'boot-1'): ProcessProbe => ({
  startTicks: () => ticks,
  bootId: () => boot,
});

describe('lockDirectory', () => {
  it('refuses a second owner, names the first, and lets go', async () => {
    const lock = await lockDirectory(folder);
    const refusal = lockDirectory(folder);
    await expect(refusal).rejects.toBeInstanceOf(DirectoryLockedError);
    await expect(refusal).rejects.toMatchObject({ ownerPid: process.pid });
    expect(await readLockOwner(folder)).toBe(process.pid);
    await lock.release();
    await lock.release();
    expect(await readLockOwner(folder)).toBeUndefined();
    await (await lockDirectory(folder)).release();
    expect(await readdir(folder)).toEqual(['lock.0000000002']);
  });

  it('takes over from a process that is gone', async () => {
    await lockDirectory(folder, machine('100'));
    const lock = await lockDirectory(folder, machine(undefined));
    await lock.release();
    expect(await readdir(folder)).toEqual(['lock.0000000002']);
  });

  it('takes over when the process id belongs to another process now', async () => {
    await lockDirectory(folder, machine('100'));
    await expect(lockDirectory(folder, machine('100'))).rejects.toThrow('another process');
    await (await lockDirectory(folder, machine('200'))).release();
  });

  it('takes over after a reboot', async () => {
    await lockDirectory(folder, machine('100', 'boot-1'));
    await (await lockDirectory(folder, machine('100', 'boot-2'))).release();
  });

  it.each(['', '{', '[]', '{"pid":"1"}', '{"pid":-1,"startTicks":"","bootId":""}'])(
    'takes over a lock that says %j',
    async (text) => {
      await writeFile(join(folder, 'lock.0000000007'), text);
      await (await lockDirectory(folder)).release();
    },
  );

  it('has one winner when many try at once over a stale lock', async () => {
    await writeFile(join(folder, 'lock.0000000003'), '{}');
    const results = await Promise.allSettled(Array.from({ length: 24 }, () => lockDirectory(folder)));
    expect(results.filter((result) => result.status === 'fulfilled').length).toBe(1);
    expect(await readdir(folder)).toEqual(['lock.0000000004']);
  });

  it('leaves the lock of a successor alone', async () => {
    const first = await lockDirectory(folder, machine('100'));
    await lockDirectory(folder, machine('200'));
    await first.release();
    expect(await readLockOwner(folder, machine('200'))).toBe(process.pid);
  });

  it('says what is wrong with a directory that is not there', async () => {
    await expect(lockDirectory(join(folder, 'missing'))).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
