/** The lock of a queue's directory, for a process that may restart the queue's owner while it runs. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type DirectoryLock, DirectoryLockedError, lockDirectory } from '../store/directory-lock.js';

/** A former owner in this process gets this long to let go; more than any shutdown takes. */
const OWN_WAIT_MS = 60_000;
const LOOK_AGAIN_MS = 20;

/**
 * Takes the directory. When this process has it already (a reload: the former exporter is still finishing its requests),
 * waits until it is let go. Rejects with `DirectoryLockedError` when another process has it.
 */
export async function lockQueue(directory: string, waitMs = OWN_WAIT_MS): Promise<DirectoryLock> {
  const end = performance.now() + waitMs;
  for (;;) {
    try {
      return await lockDirectory(directory);
    } catch (error) {
      const isOwn = error instanceof DirectoryLockedError && error.ownerPid === process.pid;
      if (!isOwn || performance.now() >= end) throw error;
      await sleep(LOOK_AGAIN_MS);
    }
  }
}
