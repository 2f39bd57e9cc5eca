/**
 * Reads what `kindling doctor` reports and the addon does not know, or cannot say when it is not built. Changes nothing
 * on the machine; the ports are opened for a moment and closed again.
 */
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { arch, release } from 'node:os';
import { dirname, resolve } from 'node:path';

/** Capabilities that Kindling has a use for, and their bits (Linux, include/uapi/linux/capability.h). */
export const CAPABILITY_BITS = {
  CAP_DAC_READ_SEARCH: 2,
  CAP_NET_ADMIN: 12,
  CAP_SYS_PTRACE: 19,
  CAP_SYS_ADMIN: 21,
  CAP_SYS_RESOURCE: 24,
  CAP_SYSLOG: 34,
  CAP_PERFMON: 38,
  CAP_BPF: 39,
  CAP_CHECKPOINT_RESTORE: 40,
} as const;
export type Capability = keyof typeof CAPABILITY_BITS;

export interface PortFact {
  readonly port: number;
  /** `free`, `in use`, or the error code of the attempt. */
  readonly state: string;
}

export interface StoreFact {
  /** Absolute. */
  readonly path: string;
  readonly writable: boolean;
}

/** Everything that was found out. Numbers of sysctls are undefined when they cannot be read. */
export interface Facts {
  readonly kernelRelease: string;
  readonly arch: string;
  readonly node: string;
  readonly uid: number;
  /** In a user namespace capabilities do not count for BPF. */
  readonly inUserNamespace: boolean;
  readonly capabilities: Readonly<Record<Capability, boolean>>;
  readonly btf: boolean;
  /** `none`, `integrity`, `confidentiality`; undefined: the kernel does not say. */
  readonly lockdown: string | undefined;
  readonly unprivilegedBpfDisabled: number | undefined;
  readonly perfEventParanoid: number | undefined;
  /** The kernel has uprobes (CONFIG_UPROBE_EVENTS). */
  readonly uprobes: boolean;
  readonly kptrRestrict: number | undefined;
  readonly ports: readonly PortFact[];
  readonly stores: readonly StoreFact[];
}

/** `stores`: folders that the on-disk store may use, best first. */
export async function collectFacts(ports: readonly number[], stores: readonly string[]): Promise<Facts> {
  return {
    kernelRelease: release(),
    arch: arch(),
    node: process.version,
    uid: process.geteuid?.() ?? -1,
    inUserNamespace: isInUserNamespace(readFile('/proc/self/uid_map')),
    capabilities: parseCapabilities(readFile('/proc/self/status')),
    btf: isReadable('/sys/kernel/btf/vmlinux'),
    lockdown: /\[(\w+)\]/.exec(readFile('/sys/kernel/security/lockdown'))?.[1],
    unprivilegedBpfDisabled: readNumber('/proc/sys/kernel/unprivileged_bpf_disabled'),
    uprobes: readFile('/sys/bus/event_source/devices/uprobe/type') !== '',
    perfEventParanoid: readNumber('/proc/sys/kernel/perf_event_paranoid'),
    kptrRestrict: readNumber('/proc/sys/kernel/kptr_restrict'),
    ports: await Promise.all(ports.map(probePort)),
    stores: stores.map((path) => ({ path: resolve(path), writable: isWritable(resolve(path)) })),
  };
}

/** The effective set, `CapEff` of /proc/self/status. */
export function parseCapabilities(status: string): Record<Capability, boolean> {
  const mask = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`);
  const has = (bit: number) => ((mask >> BigInt(bit)) & 1n) === 1n;
  const entries = Object.entries(CAPABILITY_BITS).map(([name, bit]) => [name, has(bit)]);
  return Object.fromEntries(entries) as Record<Capability, boolean>;
}

/** The initial namespace maps all ids to themselves. */
export function isInUserNamespace(uidMap: string): boolean {
  return uidMap !== '' && !/^\s*0\s+0\s+4294967295\s*$/.test(uidMap);
}

function readFile(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function readNumber(path: string): number | undefined {
  const text = readFile(path).trim();
  return /^-?\d+$/.test(text) ? Number(text) : undefined;
}

function isReadable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}

/** Whether the folder, or the nearest one above it that exists, may be written to. */
function isWritable(path: string): boolean {
  let folder = path;
  while (!existsSync(folder) && folder !== dirname(folder)) folder = dirname(folder);
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function probePort(port: number): Promise<PortFact> {
  return new Promise((done) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      done({ port, state: error.code === 'EADDRINUSE' ? 'in use' : (error.code ?? error.message) });
    });
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      server.close(() => done({ port, state: 'free' }));
    });
  });
}
