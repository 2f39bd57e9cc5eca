/**
 * The typed face of build/native/kindling.node: loads BPF programs, hands their records over in batches, reads the
 * kernel's counters. The only file that loads the addon.
 *
 * Records cross the boundary in a few fixed ArrayBuffers ("slabs"): the addon's reader thread copies them out of the
 * ring buffer into a free slab and signals it; `onBatch` decodes in place; the slab is free again when it returns.
 * While all slabs are in use the reader waits, the kernel's ring fills and further records are counted as lost
 * (`*_ring_full` in `stats()`), so memory never grows.
 */

import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { UnsupportedError } from '../../component/errors.js';
import type { NativeSymbolizerModule } from '../../observer/symbolizer.js';
import { ABI_HASH, STATS } from './abi.gen.js';

/** A group of BPF programs that answers one question; each loads or fails on its own. */
export type Topic = 'net' | 'sched' | 'cpu' | 'proc' | 'tls';

/**
 * How payloads are seen. `socket`: two socket tracepoints (kernel >= 6.16), no cost for other system calls.
 * `syscall`: the exit of every system call (kernel >= 5.15).
 */
export type NetVariant = 'socket' | 'syscall';

/**
 * Which processes are watched: those that no rule excludes and that a rule includes, or all others too when
 * `selectByDefault` is set. Kernel threads and this process are never watched. A rule by pid or command holds for all
 * threads of the process and is not inherited by its children; a rule by control group holds for all below it.
 */
export interface SelectionRules {
  /** Default true. */
  readonly selectByDefault?: boolean;
  readonly includePids?: readonly number[];
  readonly excludePids?: readonly number[];
  /** Command name of the process (its main thread), at most 15 bytes. */
  readonly includeComms?: readonly string[];
  readonly excludeComms?: readonly string[];
  /** cgroup v2 id: the inode number of the group's directory. */
  readonly includeCgroupIds?: readonly bigint[];
  readonly excludeCgroupIds?: readonly bigint[];
}

/** What a BPF program of ours has cost while the kernel was counting (`Capture.setMetering`), since it was loaded. */
export interface ProgramCost {
  /** A `Topic`, or `selection` for the programs that all topics need. */
  readonly topic: string;
  /** Its function in bpf/programs. */
  readonly program: string;
  /** CPU nanoseconds, all CPUs together. */
  readonly runTimeNs: number;
  readonly runs: number;
}

export interface CaptureOptions {
  /** Payload and connections of TCP sockets. */
  readonly net?: {
    /** Default `auto`: `socket` where the kernel has the hooks, else `syscall`. */
    readonly variant?: 'auto' | NetVariant;
    /** Payload bytes kept per message (direction change of a socket), 0 to 4096. Default 1024. */
    readonly captureBytes?: number;
  };
  /** Off-CPU intervals of every thread. */
  readonly sched?: {
    /** Waits that last longer are reported once while they are still open. Default 200 ms. */
    readonly openWaitMs?: number;
    /** How often open waits are looked for. Default 1000 ms. */
    readonly openWaitIntervalMs?: number;
  };
  /** Stack samples of what runs. */
  readonly cpu?: {
    /** Samples per second and CPU. Default 49. */
    readonly frequencyHz?: number;
  };
  /** Program starts and thread ends. */
  readonly proc?: Record<string, never>;
  /** Plaintext of TLS sessions, at the probes that `addProbe` attaches. Uses `net.captureBytes`. */
  readonly tls?: Record<string, never>;
  readonly rules?: SelectionRules;
  /** Kernel ring buffer shared by all topics: a power of two, at least a page. Default 16 MiB. */
  readonly ringBytes?: number;
  /** Longest time a record waits in the ring. Default 20 ms: each pass wakes two threads, and spans leave in batches. */
  readonly pollMs?: number;
  /** Number and size of the slabs. Default 64 of 128 KiB each: what a stalled owner finds waiting; memory that is touched only then. A slab must hold the largest record (8 KiB is enough). */
  readonly slabCount?: number;
  readonly slabBytes?: number;
}

/**
 * Records back to back, each starting with `struct event_header` and as long as its `size` (a multiple of 8).
 * Valid only during `onBatch`: the same memory is filled again afterwards.
 */
export interface Batch {
  readonly view: DataView;
  readonly bytes: Uint8Array;
  /** The same memory as 32-bit little-endian words. */
  readonly words: Uint32Array;
  /** Bytes filled. */
  readonly length: number;
}

/** Where a uprobe goes. */
export interface ProbePlace {
  /** Function in bpf/programs/tls; whether it runs at entry or at return follows from it. */
  readonly program: TlsProgram;
  /** The file as this process sees it (`/proc/self/fd/N` for one it holds open). */
  readonly path: string;
  /** In the file, bytes. */
  readonly offset: number;
  /** See `enum tls_call` in bpf/abi/config.h. */
  readonly cookie: number;
  /** Only this process. Default: all that map the file. */
  readonly pid?: number;
}

export type TlsProgram =
  | 'on_tls_call'
  | 'on_tls_return'
  | 'on_tls_free'
  | 'on_go_write'
  | 'on_go_read'
  | 'on_go_copy';

/** What became of one requested topic. */
export interface TopicReport {
  readonly topic: Topic;
  /** Hook variant in use or last tried: `socket` or `syscall` for net, else ''. */
  readonly variant: string;
  readonly attached: boolean;
  readonly error: LoadError | undefined;
}

export interface LoadError {
  /** Positive errno, 0 when the cause was not a system call. */
  readonly errno: number;
  /** Name of the errno, for example `EPERM`. */
  readonly name: string;
  /** The step that failed and what the kernel or libbpf said about it. */
  readonly message: string;
  /** What to do about it, '' when nothing better is known than the message. */
  readonly hint: string;
  /** End of the verifier's log, '' when the verifier was not reached. */
  readonly verifierLog: string;
}

/** Difference of two clocks as one unsigned 64-bit number of nanoseconds: `hi * 2^32 + lo`. */
export interface ClockOffset {
  readonly hi: number;
  readonly lo: number;
  /** The true value is at most this far away. */
  readonly errorNs: number;
}

/** What this machine offers; everything `kindling doctor` prints about the kernel. */
export interface Probe {
  readonly kernelRelease: string;
  readonly machine: string;
  /** /sys/kernel/btf/vmlinux exists and can be read. */
  readonly btf: boolean;
  /** Effective capabilities of this process. */
  readonly capabilities: Readonly<Record<CapabilityName, boolean>>;
  /** Tracepoints that the kernel's BTF names. */
  readonly hooks: Readonly<Record<HookName, boolean>>;
  /** The net variant that `auto` takes. */
  readonly netVariant: NetVariant;
  /** Test load (verifier included) of each topic and variant, without attaching it. */
  readonly topics: readonly TopicReport[];
  /** A software CPU clock event can be opened. */
  readonly perfEvent: { readonly available: boolean; readonly errno: number; readonly name: string };
  /** /proc/sys/kernel/unprivileged_bpf_disabled, -1 when unreadable. */
  readonly unprivilegedBpfDisabled: number;
  /** `none`, `integrity`, `confidentiality`, or '' when the kernel does not say. */
  readonly lockdown: string;
  /** Version of the libbpf in use, for example "1.1". */
  readonly libbpf: string;
}

export type CapabilityName =
  | 'CAP_BPF'
  | 'CAP_PERFMON'
  | 'CAP_SYS_ADMIN'
  | 'CAP_SYS_PTRACE'
  | 'CAP_NET_ADMIN'
  | 'CAP_SYS_RESOURCE';

export type HookName =
  | 'tcp_sendmsg_locked'
  | 'skb_copy_datagram_iovec'
  | 'sys_exit'
  | 'inet_sock_set_state'
  | 'sched_switch'
  | 'sched_waking'
  | 'sched_process_exec'
  | 'sched_process_exit'
  | 'task_rename';

interface NativeOptions {
  readonly netVariant: '' | 'auto' | NetVariant;
  readonly captureBytes: number;
  readonly sched: boolean;
  readonly openWaitMs: number;
  readonly openWaitIntervalMs: number;
  readonly cpuFrequencyHz: number;
  readonly proc: boolean;
  readonly tls: boolean;
  readonly ringBytes: number;
  readonly pollMs: number;
  readonly rules: Required<SelectionRules>;
}

interface NativeCapture {
  readonly report: readonly TopicReport[];
  release(slab: number): void;
  drainedUpTo(): number;
  readStats(into: Float64Array): void;
  ringUsedBytes(): number;
  setRules(rules: Required<SelectionRules>): void;
  addProbe(program: string, path: string, offset: number, cookie: number, pid: number): number;
  removeProbes(handles: readonly number[]): void;
  setShed(mask: number): void;
  setMetering(on: boolean): number;
  readCosts(): ProgramCost[];
  detach(): number;
  close(): void;
}

interface NativeAddon extends NativeSymbolizerModule {
  readonly abiHash: string;
  readonly Capture: new (
    options: NativeOptions,
    slabs: readonly ArrayBuffer[],
    onSlab: (slab: number, bytes: number) => void,
  ) => NativeCapture;
  probe(): Probe;
  clockOffset(): ClockOffset;
}

/** Same relative place from src/receiver/ebpf (tests, tsx) and dist/receiver/ebpf (the build). */
const ADDON_PATH = fileURLToPath(new URL('../../../build/native/kindling.node', import.meta.url));

/**
 * Loads the addon; cheap after the first call (Node caches it per thread).
 * Throws UnsupportedError when it is not built, cannot be loaded, or was built from another ABI.
 */
export function loadAddon(): NativeAddon {
  let addon: NativeAddon;
  try {
    addon = createRequire(import.meta.url)(ADDON_PATH) as NativeAddon;
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    const text = cause instanceof Error ? cause.message.split('\n')[0] : String(cause);
    throw new UnsupportedError(
      code === 'MODULE_NOT_FOUND'
        ? `The native addon is not built: ${ADDON_PATH} is missing. Run "npm run build".`
        : `The native addon cannot be loaded: ${text}. Is libbpf (libbpf.so.1) installed?`,
      { cause },
    );
  }
  if (addon.abiHash !== ABI_HASH) {
    throw new UnsupportedError(
      `The native addon was built from another version of bpf/abi (${addon.abiHash}, expected ${ABI_HASH}). Run "npm run build".`,
    );
  }
  return addon;
}

/** Never loads or attaches anything for good; needs no privileges, but says less without. */
export function probe(): Probe {
  return loadAddon().probe();
}

/** CLOCK_REALTIME minus CLOCK_MONOTONIC, the narrowest of five readings. Changes when the wall clock is set. */
export function clockOffset(): ClockOffset {
  return loadAddon().clockOffset();
}

/**
 * A running capture. Use from the thread that opened it; keeps that thread's event loop alive until closed.
 *
 *     const capture = Capture.open({ net: {}, sched: {} }, (batch) => decode(batch, sink));
 *     for (const topic of capture.report) if (topic.error) warn(topic);
 *     …
 *     capture.close();
 */
export class Capture {
  /** One entry per requested topic; two for a `net` that had to fall back to its other variant. */
  readonly report: readonly TopicReport[];
  readonly #native: NativeCapture;
  readonly #stats = new Float64Array(STATS.length);
  #closed = false;

  /**
   * Loads and attaches what `options` name. A topic that fails is reported in `report` and the others run.
   * `onBatch` is called on this thread, about every `pollMs` while there are records; it must not keep the batch.
   * An exception of `onBatch` becomes an uncaught exception of this thread; the slab is released all the same.
   *
   * Throws UnsupportedError when nothing can run here (no addon, no permission for BPF, no BTF) and RangeError or
   * TypeError for options outside the documented ranges.
   */
  static open(options: CaptureOptions, onBatch: (batch: Batch) => void): Capture {
    return new Capture(options, onBatch);
  }

  private constructor(options: CaptureOptions, onBatch: (batch: Batch) => void) {
    const addon = loadAddon();
    const slabBytes = checkInteger('slabBytes', options.slabBytes ?? 128 * 1024, 8192, 1 << 24);
    const slabCount = checkInteger('slabCount', options.slabCount ?? 64, 2, 256);
    if (slabBytes % 8 !== 0) throw new RangeError('slabBytes must be a multiple of 8');
    const slabs = Array.from({ length: slabCount }, () => new ArrayBuffer(slabBytes));
    const views = slabs.map((slab) => ({
      view: new DataView(slab),
      bytes: new Uint8Array(slab),
      words: new Uint32Array(slab),
    }));
    const onSlab = (slab: number, length: number) => {
      if (this.#closed) return;
      try {
        onBatch({ ...views[slab]!, length });
      } finally {
        if (!this.#closed) this.#native.release(slab);
      }
    };
    try {
      this.#native = new addon.Capture(toNativeOptions(options), slabs, onSlab);
    } catch (cause) {
      if (cause instanceof Error && 'errno' in cause) throw new UnsupportedError(cause.message, { cause });
      throw cause;
    }
    this.report = this.#native.report;
  }

  /**
   * CLOCK_MONOTONIC nanoseconds T: every record that was committed before T has been given to `onBatch`, and `onBatch`
   * has returned. 0 before the first drain. Not before time T means "not known yet", never "nothing there".
   */
  drainedUpTo(): number {
    return this.#native.drainedUpTo();
  }

  /** The kernel counters, summed over CPUs, in the order of `STATS`. The array is filled anew by each call. */
  stats(): Float64Array {
    this.#native.readStats(this.#stats);
    return this.#stats;
  }

  /** Bytes of records in the ring buffer that the reader has not taken yet. */
  ringUsedBytes(): number {
    return this.#native.ringUsedBytes();
  }

  /** Replaces all rules. Threads follow at their next event. Throws RangeError or TypeError for malformed rules. */
  setRules(rules: SelectionRules): void {
    this.#native.setRules(toNativeRules(rules));
  }

  /** What the programs leave out from now on: `SHED` values, ored. */
  setShed(mask: number): void {
    if (!this.#closed) this.#native.setShed(mask);
  }

  /**
   * Makes the kernel count what all BPF programs of the machine take, or stop; costs each run some tens of nanoseconds.
   * Returns 0, or the errno why it does not (EPERM without CAP_SYS_ADMIN).
   */
  setMetering(on: boolean): number {
    return this.#closed ? 0 : this.#native.setMetering(on);
  }

  /** See `ProgramCost`. */
  costs(): readonly ProgramCost[] {
    return this.#closed ? [] : this.#native.readCosts();
  }

  /**
   * Attaches one of the uprobe programs of bpf/programs/tls. Returns a handle for `removeProbes`; every probe goes with
   * the capture. Throws UnsupportedError when the kernel refuses or the topic `tls` is not loaded. About 30 us.
   */
  addProbe(place: ProbePlace): number {
    const { program, path, offset, cookie, pid = -1 } = place;
    try {
      return this.#native.addProbe(program, path, offset, cookie, pid);
    } catch (cause) {
      if (cause instanceof Error && 'errno' in cause) throw new UnsupportedError(cause.message, { cause });
      throw cause;
    }
  }

  /** Detaches probes; they go on for the moment that the kernel takes. Unknown handles are ignored. */
  removeProbes(handles: readonly number[]): void {
    if (!this.#closed) this.#native.removeProbes(handles);
  }

  /**
   * Ends the programs while the reader goes on. Returns CLOCK_MONOTONIC nanoseconds: once `drainedUpTo()` has reached
   * it, every record that there will ever be has been given to `onBatch`. For a shutdown that loses nothing. Idempotent.
   */
  detach(): number {
    return this.#native.detach();
  }

  /** Detaches every program, stops the reader thread, frees everything. `onBatch` is not called any more. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#native.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

function toNativeOptions(options: CaptureOptions): NativeOptions {
  const ringBytes = checkInteger('ringBytes', options.ringBytes ?? 16 << 20, 4096, 1 << 30);
  if ((ringBytes & (ringBytes - 1)) !== 0) throw new RangeError('ringBytes must be a power of two');
  return {
    netVariant: options.net === undefined ? '' : (options.net.variant ?? 'auto'),
    captureBytes: checkInteger('net.captureBytes', options.net?.captureBytes ?? 1024, 0, 4096),
    sched: options.sched !== undefined,
    openWaitMs: checkInteger('sched.openWaitMs', options.sched?.openWaitMs ?? 200, 1, 3_600_000),
    openWaitIntervalMs: checkInteger(
      'sched.openWaitIntervalMs',
      options.sched?.openWaitIntervalMs ?? 1000,
      10,
      3_600_000,
    ),
    cpuFrequencyHz:
      options.cpu === undefined ? 0 : checkInteger('cpu.frequencyHz', options.cpu.frequencyHz ?? 49, 1, 1000),
    proc: options.proc !== undefined,
    tls: options.tls !== undefined,
    ringBytes,
    pollMs: checkInteger('pollMs', options.pollMs ?? 20, 1, 1000),
    rules: toNativeRules(options.rules ?? {}),
  };
}

function toNativeRules(rules: SelectionRules): Required<SelectionRules> {
  const pids = (name: string, list: readonly number[] = []) =>
    list.map((pid) => checkInteger(name, pid, 1, 0x7fff_ffff));
  const comms = (name: string, list: readonly string[] = []) => {
    for (const comm of list) {
      if (comm === '' || Buffer.byteLength(comm) > 15) {
        throw new RangeError(
          `${name}: "${comm}" must be 1 to 15 bytes long, as the kernel keeps command names`,
        );
      }
    }
    return list;
  };
  return {
    selectByDefault: rules.selectByDefault ?? true,
    includePids: pids('includePids', rules.includePids),
    excludePids: pids('excludePids', rules.excludePids),
    includeComms: comms('includeComms', rules.includeComms),
    excludeComms: comms('excludeComms', rules.excludeComms),
    includeCgroupIds: rules.includeCgroupIds ?? [],
    excludeCgroupIds: rules.excludeCgroupIds ?? [],
  };
}

function checkInteger(name: string, value: number, min: number, max: number): number {
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new RangeError(`${name} must be an integer from ${min} to ${max}, not ${value}`);
  }
  return value;
}
