/** Judges facts: which tiers will run and how, what is missing, what that costs. Pure; shared by both outputs. */
import type { LoadError, Probe, Topic } from '../../receiver/ebpf/native.js';
import type { Capability, Facts } from './facts.js';

export type TierName = 'network' | 'scheduler' | 'cpu_stacks' | 'processes' | 'tls';

export interface Tier {
  readonly tier: TierName;
  /** `degraded`: runs, with the `cost` below. */
  readonly state: 'ready' | 'degraded' | 'off';
  /** How the tier sees what it sees; '' when it is off. */
  readonly variant: string;
  /** Why it is off or degraded. */
  readonly reasons: readonly string[];
  /** What the user misses or pays, '' when nothing. */
  readonly cost: string;
}

export interface Check {
  readonly name: string;
  readonly state: 'ok' | 'warn' | 'missing';
  readonly value: string;
  /** What follows from it, '' when nothing. */
  readonly effect: string;
}

export interface Diagnosis {
  /** At least one tier runs. */
  readonly canRun: boolean;
  readonly tiers: readonly Tier[];
  readonly checks: readonly Check[];
}

interface TierText {
  readonly tier: TierName;
  readonly topic: Topic;
  readonly variants: Readonly<Record<string, { readonly text: string; readonly cost?: string }>>;
  readonly costWhenOff: string;
}

/** `variants` in the order of preference; '' is the name of a topic's only variant. */
const TIERS: readonly TierText[] = [
  {
    tier: 'network',
    topic: 'net',
    variants: {
      socket: { text: 'socket tracepoints tcp_sendmsg_locked and skb_copy_datagram_iovec' },
      syscall: {
        text: 'system call exit tracepoint sys_exit',
        cost: 'Each system call of the whole machine gets slower (about 0.3 us). Kernel 6.16 and newer do without.',
      },
    },
    costWhenOff:
      'No request is seen in the kernel: no spans for programs without an SDK, and spans of SDKs are not joined ' +
      'with threads by their trace context.',
  },
  {
    tier: 'scheduler',
    topic: 'sched',
    variants: { '': { text: 'BTF tracepoints sched_switch and sched_waking' } },
    costWhenOff: 'No waits: it is not known how long a span waited for locks, network, disk or a CPU.',
  },
  {
    tier: 'cpu_stacks',
    topic: 'cpu',
    variants: { '': { text: 'perf event on the software CPU clock' } },
    costWhenOff: 'No stacks: spans do not say which code used the CPU.',
  },
  {
    tier: 'processes',
    topic: 'proc',
    variants: { '': { text: 'BTF tracepoints sched_process_exec and sched_process_exit' } },
    costWhenOff:
      'Starts and ends of programs are noticed late: spans of short-lived ones may carry a wrong or no name.',
  },
  {
    tier: 'tls',
    topic: 'tls',
    variants: {
      '': {
        text: 'uprobes on OpenSSL, GnuTLS and Go crypto/tls (about 2 us per call; GnuTLS reads about 13 us)',
      },
    },
    costWhenOff: 'Requests inside TLS are not seen.',
  },
];

/** `probe`: what the addon found, or the reason why it could not be asked. */
export function diagnose(facts: Facts, probe: Probe | Error): Diagnosis {
  const blockers = findBlockers(facts, probe);
  const tiers = TIERS.map((text) => {
    const own = text.topic === 'tls' ? [...blockers, ...tlsBlockers(facts)] : blockers;
    return judgeTier(text, probe, own);
  });
  return {
    canRun: tiers.some((tier) => tier.state !== 'off'),
    tiers,
    checks: [
      addonCheck(probe),
      btfCheck(facts),
      ...capabilityChecks(facts),
      lockdownCheck(facts),
      perfEventCheck(facts, probe),
      bpfSysctlCheck(facts),
      kernelSymbolsCheck(facts),
      ...facts.ports.map(portCheck),
      storeCheck(facts),
    ],
  };
}

/** What stops every tier. */
function findBlockers(facts: Facts, probe: Probe | Error): string[] {
  const blockers: string[] = [];
  if (probe instanceof Error) blockers.push(probe.message);
  if (isOlderThan(facts.kernelRelease, 5, 8))
    blockers.push(`Linux ${facts.kernelRelease} is older than 5.8, the first with the BPF ring buffer.`);
  if (!facts.btf)
    blockers.push('The kernel has no readable BTF at /sys/kernel/btf/vmlinux (CONFIG_DEBUG_INFO_BTF).');
  if (facts.inUserNamespace)
    blockers.push('This process is in a user namespace, whose capabilities do not allow BPF.');
  const { CAP_SYS_ADMIN, CAP_BPF, CAP_PERFMON } = facts.capabilities;
  if (!CAP_SYS_ADMIN && !(CAP_BPF && CAP_PERFMON)) {
    const missing = [!CAP_BPF && 'CAP_BPF', !CAP_PERFMON && 'CAP_PERFMON'].filter(Boolean).join(' and ');
    blockers.push(`${missing} missing: run it as root, or give it these capabilities.`);
  }
  if (facts.lockdown === 'confidentiality')
    blockers.push('Kernel lockdown is in confidentiality mode, in which BPF may not read kernel memory.');
  return blockers;
}

/** What stops the uprobes although their programs load. */
function tlsBlockers({ uprobes, capabilities, kernelRelease }: Facts): string[] {
  if (!uprobes) return ['This kernel has no uprobes (CONFIG_UPROBE_EVENTS).'];
  if (!capabilities.CAP_SYS_ADMIN && isOlderThan(kernelRelease, 6, 6))
    return ['Uprobes need CAP_SYS_ADMIN before Linux 6.6.'];
  return [];
}

function judgeTier(text: TierText, probe: Probe | Error, blockers: readonly string[]): Tier {
  const off = (reasons: readonly string[]): Tier => ({
    tier: text.tier,
    state: 'off',
    variant: '',
    reasons,
    cost: text.costWhenOff,
  });
  if (probe instanceof Error) return off(blockers);
  if (text.topic === 'tls' && blockers.length > 0) return off(blockers);
  const reports = probe.topics.filter((report) => report.topic === text.topic);
  const failures: string[] = [];
  for (const [name, variant] of Object.entries(text.variants)) {
    const report = reports.find((r) => r.variant === name);
    if (report !== undefined && report.error === undefined && !isUnavailable(text, name, probe)) {
      const cost = variant.cost ?? '';
      return {
        tier: text.tier,
        state: cost === '' ? 'ready' : 'degraded',
        variant: variant.text,
        reasons: failures,
        cost,
      };
    }
    failures.push(failureText(variant.text, name, text, probe, report?.error));
  }
  return off(blockers.length > 0 ? blockers : failures);
}

/** A program that loads but has nothing to run on. */
function isUnavailable(text: TierText, variant: string, probe: Probe): boolean {
  return (
    missingHooks(text, variant, probe).length > 0 || (text.topic === 'cpu' && !probe.perfEvent.available)
  );
}

function missingHooks(text: TierText, variant: string, probe: Probe): string[] {
  const needed = {
    net:
      variant === 'socket'
        ? (['tcp_sendmsg_locked', 'skb_copy_datagram_iovec'] as const)
        : ['sys_exit' as const],
    sched: ['sched_switch', 'sched_waking'] as const,
    cpu: [] as const,
    proc: ['sched_process_exec', 'sched_process_exit'] as const,
    tls: [] as const,
  }[text.topic];
  return needed.filter((hook) => !probe.hooks[hook]);
}

function failureText(
  what: string,
  variant: string,
  text: TierText,
  probe: Probe,
  error: LoadError | undefined,
): string {
  const hooks = missingHooks(text, variant, probe);
  if (hooks.length > 0) return `Not with ${what}: this kernel has no ${hooks.join(' and no ')}.`;
  if (error !== undefined) {
    const hint = error.hint === '' ? '' : ` ${error.hint}`;
    return `Not with ${what}: ${error.message}${error.name === '' ? '' : ` (${error.name})`}.${hint}`;
  }
  if (text.topic === 'cpu') return `Not with ${what}: it cannot be opened (${probe.perfEvent.name}).`;
  return `Not with ${what}: it was not tried.`;
}

function addonCheck(probe: Probe | Error): Check {
  return probe instanceof Error
    ? { name: 'native addon', state: 'missing', value: 'not loaded', effect: probe.message }
    : { name: 'native addon', state: 'ok', value: `loaded, libbpf ${probe.libbpf}`, effect: '' };
}

function btfCheck(facts: Facts): Check {
  return facts.btf
    ? { name: 'BTF', state: 'ok', value: '/sys/kernel/btf/vmlinux', effect: '' }
    : {
        name: 'BTF',
        state: 'missing',
        value: '/sys/kernel/btf/vmlinux cannot be read',
        effect: 'No tier runs: BPF programs are fitted to the kernel by its type information.',
      };
}

interface CapabilityText {
  readonly capability: Capability;
  readonly need: 'required' | 'useful';
  /** Holding one of these does as well. */
  readonly or: readonly Capability[];
  readonly why: string;
  readonly without: string;
}

const CAPABILITIES: readonly CapabilityText[] = [
  {
    capability: 'CAP_BPF',
    need: 'required',
    or: ['CAP_SYS_ADMIN'],
    why: 'all tiers: load BPF programs and maps',
    without: 'No tier runs.',
  },
  {
    capability: 'CAP_PERFMON',
    need: 'required',
    or: ['CAP_SYS_ADMIN'],
    why: 'all tiers: attach to tracepoints, read kernel memory, sample stacks',
    without: 'No tier runs.',
  },
  {
    capability: 'CAP_SYS_PTRACE',
    need: 'useful',
    or: [],
    why: 'names: executable, environment, open files and memory maps of other users',
    without: 'Services of other users are named by command only; their stacks and files have no names.',
  },
  {
    capability: 'CAP_DAC_READ_SEARCH',
    need: 'useful',
    or: [],
    why: 'symbols: read programs and perf maps that only their owner may read',
    without: 'Programs that only their owner may read have no function names.',
  },
  {
    capability: 'CAP_CHECKPOINT_RESTORE',
    need: 'useful',
    or: ['CAP_SYS_ADMIN'],
    why: 'symbols: programs that were deleted or replaced while they run',
    without: 'Programs that were upgraded since their start have no function names.',
  },
  {
    capability: 'CAP_SYSLOG',
    need: 'useful',
    or: [],
    why: 'symbols: addresses of kernel functions',
    without: 'Kernel frames are all called [kernel].',
  },
  {
    capability: 'CAP_NET_ADMIN',
    need: 'useful',
    or: ['CAP_SYS_ADMIN'],
    why: 'UDP: senders of datagrams that arrive on unconnected sockets',
    without: 'Clients of servers on UDP have no address.',
  },
  {
    capability: 'CAP_SYS_ADMIN',
    need: 'useful',
    or: [],
    why: 'cost: run times of its own BPF programs; TLS before Linux 6.6',
    without: "The budget covers the agent's process alone.",
  },
];

function capabilityChecks(facts: Facts): Check[] {
  return CAPABILITIES.map(({ capability, need, or, why, without }) => {
    const substitute = or.find((other) => facts.capabilities[other]);
    const held = facts.capabilities[capability];
    if (held || substitute !== undefined) {
      const value = held ? why : `${why} (by ${substitute})`;
      return { name: capability, state: 'ok', value, effect: '' };
    }
    return { name: capability, state: need === 'required' ? 'missing' : 'warn', value: why, effect: without };
  });
}

function lockdownCheck(facts: Facts): Check {
  const blocked = facts.lockdown === 'confidentiality';
  return {
    name: 'kernel lockdown',
    state: blocked ? 'missing' : 'ok',
    value: facts.lockdown ?? 'not reported',
    effect: blocked ? 'No tier runs: BPF may not read kernel memory.' : '',
  };
}

function perfEventCheck(facts: Facts, probe: Probe | Error): Check {
  const paranoid = `kernel.perf_event_paranoid=${facts.perfEventParanoid ?? 'unknown'}`;
  const name = 'perf events';
  if (probe instanceof Error) return { name, state: 'ok', value: `${paranoid}, not tried`, effect: '' };
  return probe.perfEvent.available
    ? { name, state: 'ok', value: `software CPU clock, ${paranoid}`, effect: '' }
    : {
        name,
        state: 'warn',
        value: `software CPU clock refused (${probe.perfEvent.name}), ${paranoid}`,
        effect: 'No stacks. Needs CAP_PERFMON; container runtimes often filter perf_event_open.',
      };
}

function bpfSysctlCheck(facts: Facts): Check {
  const value = facts.unprivilegedBpfDisabled;
  return {
    name: 'unprivileged BPF',
    state: 'ok',
    value: `kernel.unprivileged_bpf_disabled=${value ?? 'unknown'}${value === 0 ? ' (allowed for everyone)' : ''}`,
    effect: '',
  };
}

function kernelSymbolsCheck(facts: Facts): Check {
  const hidden = facts.kptrRestrict === 2;
  return {
    name: 'kernel symbols',
    state: hidden ? 'warn' : 'ok',
    value: `kernel.kptr_restrict=${facts.kptrRestrict ?? 'unknown'}`,
    effect: hidden ? 'Kernel frames are all called [kernel]; 1 shows them to privileged processes.' : '',
  };
}

function portCheck({ port, state }: Facts['ports'][number]): Check {
  const name = `port ${port}`;
  if (state === 'free') return { name, state: 'ok', value: 'free', effect: '' };
  return {
    name,
    state: 'warn',
    value: state,
    effect:
      state === 'in use'
        ? 'Another receiver (a Collector, or Kindling itself) listens here: stop it or change `receivers.otlp`.'
        : 'It cannot be opened: change `receivers.otlp`.',
  };
}

function storeCheck(facts: Facts): Check {
  const name = 'store';
  const usable = facts.stores.find((store) => store.writable);
  if (usable !== undefined) return { name, state: 'ok', value: usable.path, effect: '' };
  return {
    name,
    state: 'warn',
    value: `${facts.stores.map((store) => store.path).join(', ') || 'no folder'} cannot be written to`,
    effect: 'Recent traces are not kept: `kindling traces` has nothing to show.',
  };
}

/** "6.18.44-generic" compared by its first two numbers; unknown forms count as new. */
function isOlderThan(release: string, major: number, minor: number): boolean {
  const match = /^(\d+)\.(\d+)/.exec(release);
  if (!match) return false;
  const found = Number(match[1]);
  return found < major || (found === major && Number(match[2]) < minor);
}
