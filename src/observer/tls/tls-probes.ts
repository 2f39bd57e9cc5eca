/**
 * The probes in the files of TLS libraries: each file is looked at once, each is probed once for all processes that map
 * it (or once for each, when only chosen processes may be touched), and left alone again when nobody uses it.
 *
 * Attaching and detaching are system calls of some 30 us to a few ms; reading a large program takes some 50 ms, once.
 */
import type { ProbePlace } from '../../receiver/ebpf/native.js';
import type { Logger } from '../../telemetry/logger.js';
import { LruMap } from '../process/lru-map.js';
import { OpenFile } from './byte-source.js';
import { type MappedFile, readMappedFiles } from './mapped-files.js';
import { readTlsBinary, type TlsBinary, type TlsLibrary, type TlsProbe } from './tls-binary.js';

/** What attaches; `Capture` is one. */
export interface ProbeHost {
  /** Returns a handle; throws when the kernel refuses. */
  addProbe(place: ProbePlace): number;
  /** Returns before they are gone. */
  removeProbes(handles: readonly number[]): void;
}

export interface TlsProbeOptions {
  readonly libraries: readonly TlsLibrary[];
  /** A library whose calls cost more each is not probed. */
  readonly maxProbeCostNs: number;
  /** Every process gets its own probes, so that no other one is touched. */
  readonly perProcess: boolean;
  /** Where proc is mounted. Default "/proc". */
  readonly root?: string;
}

/** Files remembered with what is known of them. */
const MAX_FILES = 4096;
/** How long a file without users keeps its probes. */
const KEEP_UNUSED_MS = 60_000;

interface Target {
  /** Of the file; with `pid` when probes are per process. */
  readonly key: string;
  readonly handles: number[];
  readonly users: Set<number>;
  unusedSince: number | undefined;
}

/** What is known of a file. */
interface Known {
  readonly identity: string;
  /** Undefined: nothing to probe. */
  readonly binary: TlsBinary | undefined;
  readonly probes: readonly TlsProbe[];
}

export class TlsProbes {
  /** Files that were read to find TLS functions. */
  filesRead = 0;
  attachFailures = 0;
  refused = 0;
  readonly #host: ProbeHost;
  readonly #options: TlsProbeOptions;
  readonly #log: Logger;
  readonly #root: string;
  readonly #libraries: ReadonlySet<TlsLibrary>;
  /** By device, inode and path in the maps. */
  readonly #known = new LruMap<string, Known>(MAX_FILES);
  /** By build id: the same library in a hundred containers is read once. */
  readonly #byIdentity = new LruMap<string, Known>(MAX_FILES);
  readonly #targets = new Map<string, Target>();
  readonly #targetsOf = new Map<number, Set<Target>>();

  constructor(host: ProbeHost, options: TlsProbeOptions, log: Logger) {
    this.#host = host;
    this.#options = options;
    this.#log = log;
    this.#root = options.root ?? '/proc';
    this.#libraries = new Set(options.libraries);
  }

  /** Files with probes, and probes. */
  get attached(): { files: number; probes: number } {
    let probes = 0;
    for (const { handles } of this.#targets.values()) probes += handles.length;
    return { files: this.#targets.size, probes };
  }

  /** True when the process uses a probed file. */
  uses(pid: number): boolean {
    return this.#targetsOf.has(pid);
  }

  /** Looks at what the process maps and attaches what is missing. False when it is gone or can't be looked at. */
  scan(pid: number, now: number): boolean {
    const files = readMappedFiles(this.#root, pid);
    if (files === undefined) return false;
    const used = new Set<Target>();
    for (const file of files) {
      const known = this.#known.get(file.key) ?? this.#learn(pid, file);
      if (known === undefined || known.probes.length === 0) continue;
      const target = this.#attach(pid, file, known);
      if (target === undefined) continue;
      target.users.add(pid);
      target.unusedSince = undefined;
      used.add(target);
    }
    const before = this.#targetsOf.get(pid);
    if (used.size > 0) this.#targetsOf.set(pid, used);
    else this.#targetsOf.delete(pid);
    for (const target of before ?? []) if (!used.has(target)) this.#leave(target, pid, now);
    return true;
  }

  /** The process has ended or replaced its image. */
  forget(pid: number, now: number): void {
    for (const target of this.#targetsOf.get(pid) ?? []) this.#leave(target, pid, now);
    this.#targetsOf.delete(pid);
  }

  /** Detaches what nobody has used for a minute. Call about once a second. */
  sweep(now: number): void {
    for (const target of this.#targets.values()) {
      if (target.unusedSince === undefined || now - target.unusedSince < KEEP_UNUSED_MS) continue;
      this.#host.removeProbes(target.handles);
      this.#targets.delete(target.key);
      this.#log.debug('TLS probes removed: nobody uses the file.', { file: target.key });
    }
  }

  #leave(target: Target, pid: number, now: number): void {
    target.users.delete(pid);
    // Probes of one process end with it.
    if (target.users.size === 0) target.unusedSince = this.#options.perProcess ? -Infinity : now;
  }

  #open(pid: number, file: MappedFile): OpenFile | undefined {
    // The link is the mapped file itself, also in another mount namespace and after it was deleted.
    return (
      OpenFile.open(`${this.#root}/${pid}/map_files/${file.range}`) ??
      OpenFile.open(`${this.#root}/${pid}/root${file.path}`)
    );
  }

  #learn(pid: number, file: MappedFile): Known | undefined {
    using open = this.#open(pid, file);
    // Gone meanwhile: the next process that maps it is asked again.
    if (open === undefined) return undefined;
    let known = this.#byIdentity.get(open.identity);
    if (known === undefined) {
      this.filesRead++;
      const binary = readTlsBinary(open, this.#libraries);
      known = {
        identity: open.identity,
        binary,
        probes: binary === undefined ? [] : this.#choose(file, binary),
      };
      this.#byIdentity.set(open.identity, known);
    }
    this.#known.set(file.key, known);
    return known;
  }

  /** Leaves out libraries of which a call would cost too much: half a conversation is worth nothing. */
  #choose(file: MappedFile, binary: TlsBinary): TlsProbe[] {
    const { path } = file;
    if (binary.problem !== '') {
      this.#log.warn('TLS of a program stays unread.', { file: path, reason: binary.problem });
    }
    const refused = new Set<TlsLibrary>();
    for (const probe of binary.probes) {
      // Once per session, not per call.
      if (probe.programs[0] === 'on_tls_free' || probe.priceNs <= this.#options.maxProbeCostNs) continue;
      if (!refused.has(probe.library)) {
        this.#log.warn('TLS of a library stays unread: a probe would cost more than allowed.', {
          file: path,
          function: probe.function,
          cost_us: probe.priceNs / 1000,
          allowed_us: this.#options.maxProbeCostNs / 1000,
        });
      }
      refused.add(probe.library);
    }
    this.refused += refused.size;
    return binary.probes.filter(({ library }) => !refused.has(library));
  }

  #attach(pid: number, file: MappedFile, known: Known): Target | undefined {
    const key = this.#options.perProcess ? `${known.identity} ${pid}` : known.identity;
    const attached = this.#targets.get(key);
    if (attached !== undefined) return attached;
    using open = this.#open(pid, file);
    // Another file may have taken the name.
    if (open?.identity !== known.identity) return undefined;
    const target: Target = { key, handles: [], users: new Set(), unusedSince: undefined };
    try {
      for (const { programs, offset, cookie } of known.probes) {
        for (const program of programs) {
          const place = { program, path: `/proc/self/fd/${open.fd}`, offset, cookie };
          target.handles.push(this.#host.addProbe(this.#options.perProcess ? { ...place, pid } : place));
        }
      }
    } catch (error) {
      this.attachFailures++;
      this.#host.removeProbes(target.handles);
      this.#log.warn('TLS of a program stays unread: the kernel refused a probe.', {
        file: file.path,
        error: error instanceof Error ? error.message : String(error),
      });
      // Not again for every process.
      this.#known.set(file.key, { ...known, probes: [] });
      return undefined;
    }
    this.#targets.set(key, target);
    this.#log.info('Reading TLS in clear.', {
      file: file.path,
      build_id: known.binary?.buildId ?? '',
      pid,
      ...Object.fromEntries(known.probes.map((probe) => [`${probe.function}_us`, probe.priceNs / 1000])),
    });
    return target;
  }
}
