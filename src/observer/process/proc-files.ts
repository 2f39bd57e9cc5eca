/**
 * Reads of files below /proc, which belong to processes that may be hostile and may vanish between two calls: nothing
 * here throws, and nothing reads more than it was asked for.
 *
 * Format: Linux, Documentation/filesystems/proc.rst.
 */

import { closeSync, openSync, readdirSync, readlinkSync, readSync } from 'node:fs';

/** The first `limitBytes` of a file as UTF-8 text (malformed bytes become U+FFFD), undefined when it cannot be read. */
export function readText(path: string, limitBytes: number): string | undefined {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch {
    return undefined;
  }
  try {
    // Files of /proc have no size and give at most a page or so with each read.
    let buffer = Buffer.allocUnsafe(Math.min(limitBytes, 4096));
    let length = 0;
    for (;;) {
      const count = readSync(fd, buffer, length, buffer.length - length, null);
      length += count;
      if (count === 0 || length === limitBytes) return buffer.toString('utf8', 0, length);
      if (length === buffer.length) {
        const larger = Buffer.allocUnsafe(Math.min(limitBytes, buffer.length * 4));
        buffer.copy(larger, 0, 0, length);
        buffer = larger;
      }
    }
  } catch {
    return undefined;
  } finally {
    closeSync(fd);
  }
}

/** Target of a symbolic link, undefined when it cannot be read. */
export function readLink(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

/** Names in a folder; none when it cannot be read. */
export function readFolder(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

/** What the kernel appends to the path of a file that has no name any more. */
const DELETED = ' (deleted)';

export const withoutDeleted = (path: string): string =>
  path.endsWith(DELETED) ? path.slice(0, -DELETED.length) : path;
