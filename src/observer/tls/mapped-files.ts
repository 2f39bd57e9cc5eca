/**
 * The files whose code a process maps: /proc/PID/maps (proc_pid_maps(5)). The text is the process's own doing as far as
 * names go; what it says is only used to find the links in /proc/PID/map_files, which the kernel vouches for.
 */
import { readText } from '../process/proc-files.js';

export interface MappedFile {
  /** Device and inode as the maps name them, and the path as the process sees it. */
  readonly key: string;
  readonly path: string;
  /** Name in /proc/PID/map_files. */
  readonly range: string;
}

const MAX_MAPS_BYTES = 4 << 20;
const MAX_FILES = 4096;

/** Undefined when there is no such process or nothing may be read of it. */
export function readMappedFiles(root: string, pid: number): MappedFile[] | undefined {
  const text = readText(`${root}/${pid}/maps`, MAX_MAPS_BYTES);
  return text === undefined ? undefined : parseMappedFiles(text);
}

/** Each file once, in the order of its first executable mapping. Lines that make no sense are left out. */
export function parseMappedFiles(text: string): MappedFile[] {
  const files = new Map<string, MappedFile>();
  for (let at = 0; at < text.length && files.size < MAX_FILES; ) {
    let end = text.indexOf('\n', at);
    if (end < 0) end = text.length;
    // "7f1c2a000000-7f1c2a021000 r-xp 00001000 fe:01 1234   /usr/lib/libfoo.so": most lines are not executable.
    const flags = text.indexOf(' ', at) + 1;
    if (flags > 0 && flags + 4 <= end && text[flags + 2] === 'x') {
      const match = LINE.exec(text.slice(at, end));
      if (match !== null) {
        const [, range = '', device = '', inode = '', path = ''] = match;
        const key = `${device} ${inode} ${path}`;
        if (!files.has(key)) files.set(key, { key, path: path.replace(/ \(deleted\)$/, ''), range });
      }
    }
    at = end + 1;
  }
  return [...files.values()];
}

const LINE = /^([0-9a-f]+-[0-9a-f]+) ..x. [0-9a-f]+ ([0-9a-f]+:[0-9a-f]+) ([1-9][0-9]*) +(\/.*)$/;
