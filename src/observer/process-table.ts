/**
 * What the operating system knows of processes, read from /proc when it is asked for and kept for a while.
 *
 * Every file below /proc/PID belongs to a process that may be hostile and may vanish between two reads: the worst
 * that follows is a missing answer. Of a process's environment only OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES are
 * looked at; nothing else of it is kept.
 *
 * Thread: one. Reads are synchronous, about 0.1 ms for a new process. A process that is stuck in the kernel while it
 * holds its own memory map can delay whoever reads its command line, as it delays `ps`.
 */
import { statSync } from 'node:fs';
import { parseControlGroups } from './process/control-group.js';
import { LruMap } from './process/lru-map.js';
import { parseOtelEnvironment } from './process/otel-environment.js';
import { readLink, readText, withoutDeleted } from './process/proc-files.js';
import { serviceNameOf } from './process/service-name.js';
import { SocketOwners } from './process/socket-owner.js';
import { type ProcessStat, parseNamespacePid, parseStat } from './process/stat.js';
import type { ProcessInfo, ProcessTable, SocketTuple } from './types.js';

export interface ProcfsOptions {
  /** Where proc is mounted. Default "/proc". */
  readonly root?: string;
  /** Milliseconds, monotonic. Default `performance.now`. */
  readonly now?: () => number;
  /** Processes remembered, ended ones included; the least recently used go first. Default 16384. */
  readonly maxProcesses?: number;
}

/** How long an ended process (and the names of its threads and files) can still be asked about. */
const KEEP_ENDED_MS = 60_000;
/** How long a process is taken to be the same one without looking, should its exit have been missed. */
const REVALIDATE_MS = 30_000;
/** How long "there is no such process" holds, and how often an ended pid is checked for reuse. */
const RECHECK_ENDED_MS = 1_000;
const THREAD_NAME_FRESH_MS = 5_000;

const MAX_COMMAND_LINE_BYTES = 32 << 10;
const MAX_ARGUMENTS = 256;
const MAX_ENVIRONMENT_BYTES = 256 << 10;
const MAX_SMALL_FILE_BYTES = 16 << 10;

interface Entry {
  /** Undefined: there was no such process. */
  info: ProcessInfo | undefined;
  checkedAt: number;
  endedAt: number | undefined;
  /** Has replaced its image since it was read. */
  stale: boolean;
}

interface Remembered {
  value: string;
  at: number;
}

export class ProcfsProcessTable implements ProcessTable {
  readonly #root: string;
  readonly #now: () => number;
  readonly #processes: LruMap<number, Entry>;
  readonly #threadNames: LruMap<string, Remembered>;
  readonly #filePaths: LruMap<string, Remembered>;
  readonly #socketOwners: SocketOwners;

  constructor(options: ProcfsOptions = {}) {
    this.#root = options.root ?? '/proc';
    this.#now = options.now ?? (() => performance.now());
    const limit = options.maxProcesses ?? 16_384;
    this.#processes = new LruMap(limit);
    this.#threadNames = new LruMap(limit);
    this.#filePaths = new LruMap(limit);
    this.#socketOwners = new SocketOwners(this.#root, this.#now);
  }

  get(tgid: number): ProcessInfo | undefined {
    const now = this.#now();
    const entry = this.#processes.get(tgid);
    if (entry === undefined || entry.stale) return this.#load(tgid, now);
    const recheckMs = entry.endedAt === undefined ? REVALIDATE_MS : RECHECK_ENDED_MS;
    if (now - entry.checkedAt >= recheckMs) {
      entry.checkedAt = now;
      const stat = this.#stat(tgid);
      if (stat !== undefined && stat.startTicks !== entry.info?.startTicks) return this.#load(tgid, now);
      if (stat === undefined) entry.endedAt ??= now;
    }
    if (entry.endedAt !== undefined && now - entry.endedAt >= KEEP_ENDED_MS) {
      this.#processes.delete(tgid);
      return undefined;
    }
    return entry.info;
  }

  threadName(tgid: number, tid: number): string {
    const now = this.#now();
    const key = `${tgid}:${tid}`;
    const known = this.#threadNames.get(key);
    if (known && now - known.at < THREAD_NAME_FRESH_MS) return known.value;
    const name = readText(`${this.#root}/${tgid}/task/${tid}/comm`, MAX_SMALL_FILE_BYTES)?.replace(/\n$/, '');
    if (name !== undefined) {
      this.#threadNames.set(key, { value: name, at: now });
      return name;
    }
    return known && now - known.at < KEEP_ENDED_MS ? known.value : '';
  }

  filePath(tgid: number, fd: number, inode: number): string | undefined {
    const now = this.#now();
    const key = `${tgid}:${fd}:${inode}`;
    const link = `${this.#root}/${tgid}/fd/${fd}`;
    // The descriptor may be closed and opened anew between two of these; only then do the inodes differ.
    const before = inodeOf(link);
    const target = before === inode ? readLink(link) : undefined;
    if (target !== undefined && inodeOf(link) === inode) {
      const path = withoutDeleted(target);
      this.#filePaths.set(key, { value: path, at: now });
      return path;
    }
    // Often the file is closed right after the wait that someone asks about. A descriptor that is now another file
    // says nothing about the old one either: the same number, descriptor and process within a minute are the same file.
    const known = this.#filePaths.get(key);
    return known && now - known.at < KEEP_ENDED_MS ? known.value : undefined;
  }

  socketOwner(tuple: SocketTuple): number | undefined {
    return this.#socketOwners.find(tuple);
  }

  invalidate(tgid: number, ended: boolean): void {
    const entry = this.#processes.get(tgid);
    if (entry === undefined) return;
    if (!ended) entry.stale = true;
    else entry.endedAt ??= this.#now();
  }

  /** Reads everything. The start time is read before and after, so that no two processes are ever mixed. */
  #load(tgid: number, now: number): ProcessInfo | undefined {
    const stat = this.#stat(tgid);
    let info = stat && this.#read(tgid, stat);
    const after = this.#stat(tgid);
    if (after?.startTicks !== stat?.startTicks) info = undefined;
    this.#processes.set(tgid, {
      info,
      checkedAt: now,
      endedAt: info === undefined ? now : undefined,
      stale: false,
    });
    return info;
  }

  #stat(tgid: number): ProcessStat | undefined {
    const text = readText(`${this.#root}/${tgid}/stat`, MAX_SMALL_FILE_BYTES);
    return text === undefined ? undefined : parseStat(text);
  }

  #read(tgid: number, stat: ProcessStat): ProcessInfo {
    const folder = `${this.#root}/${tgid}`;
    const executable = withoutDeleted(readLink(`${folder}/exe`) ?? '');
    const commandLine = parseCommandLine(readText(`${folder}/cmdline`, MAX_COMMAND_LINE_BYTES) ?? '');
    const environment = parseOtelEnvironment(readText(`${folder}/environ`, MAX_ENVIRONMENT_BYTES) ?? '');
    const groups = parseControlGroups(readText(`${folder}/cgroup`, MAX_SMALL_FILE_BYTES) ?? '');
    const status = readText(`${folder}/status`, MAX_SMALL_FILE_BYTES) ?? '';
    const resourceAttributes = { ...environment.resourceAttributes };
    if (groups.containerId !== undefined) resourceAttributes['container.id'] = groups.containerId;
    return {
      tgid,
      startTicks: stat.startTicks,
      comm: stat.comm,
      executable,
      commandLine,
      serviceName: serviceNameOf({
        declared: environment.serviceName,
        commandLine,
        executable,
        comm: stat.comm,
        workingDirectory: readLink(`${folder}/cwd`) ?? '',
        systemdUnit: groups.systemdUnit,
      }),
      resourceAttributes,
      namespacePid: parseNamespacePid(status) ?? tgid,
    };
  }
}

/** Arguments separated, and usually ended, by NUL; programs that rewrite them pad with more. */
function parseCommandLine(text: string): string[] {
  const whole = text.replace(/\0+$/, '');
  return whole === '' ? [] : whole.split('\0', MAX_ARGUMENTS);
}

function inodeOf(path: string): number | undefined {
  try {
    return statSync(path).ino;
  } catch {
    return undefined;
  }
}
