import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { diagnose } from '../../../src/cli/doctor/diagnosis.js';
import {
  collectFacts,
  type Facts,
  isInUserNamespace,
  parseCapabilities,
} from '../../../src/cli/doctor/facts.js';
import { type DoctorReport, runDoctor } from '../../../src/cli/doctor.js';
import { UnsupportedError } from '../../../src/component/errors.js';
import type { LoadError, Probe, TopicReport } from '../../../src/receiver/ebpf/native.js';

const ALL = parseCapabilities('CapEff:\t000001ffffffffff\n');
const NONE = parseCapabilities('CapEff:\t0000000000000000\n');

const FACTS: Facts = {
  kernelRelease: '6.18.44',
  arch: 'x64',
  node: 'v20.20.2',
  uid: 0,
  inUserNamespace: false,
  capabilities: ALL,
  btf: true,
  lockdown: 'none',
  unprivilegedBpfDisabled: 2,
  perfEventParanoid: 2,
  uprobes: true,
  kptrRestrict: 1,
  ports: [
    { port: 4317, state: 'free' },
    { port: 4318, state: 'free' },
  ],
  stores: [{ path: '/var/lib/kindling/store', writable: true }],
};

const loaded = (topic: TopicReport['topic'], variant = ''): TopicReport => ({
  topic,
  variant,
  attached: false,
  error: undefined,
});
const failed = (report: TopicReport, error: Partial<LoadError>): TopicReport => ({
  ...report,
  error: { errno: 22, name: 'EINVAL', message: 'load failed', hint: '', verifierLog: '', ...error },
});

const PROBE: Probe = {
  kernelRelease: '6.18.44',
  machine: 'x86_64',
  btf: true,
  capabilities: {
    CAP_BPF: true,
    CAP_PERFMON: true,
    CAP_SYS_ADMIN: true,
    CAP_SYS_PTRACE: true,
    CAP_NET_ADMIN: true,
    CAP_SYS_RESOURCE: true,
  },
  hooks: {
    tcp_sendmsg_locked: true,
    skb_copy_datagram_iovec: true,
    sys_exit: true,
    inet_sock_set_state: true,
    sched_switch: true,
    sched_waking: true,
    sched_process_exec: true,
    sched_process_exit: true,
    task_rename: true,
  },
  netVariant: 'socket',
  topics: [
    loaded('net', 'socket'),
    loaded('net', 'syscall'),
    loaded('sched'),
    loaded('cpu'),
    loaded('proc'),
    loaded('tls'),
  ],
  perfEvent: { available: true, errno: 0, name: '' },
  unprivilegedBpfDisabled: 2,
  lockdown: 'none',
  libbpf: '1.1',
};

const run = async (facts: Facts, probe: () => Probe, json = false) => {
  let text = '';
  const code = await runDoctor({
    json,
    native: { probe },
    facts,
    out: (part) => {
      text += part;
    },
  });
  return { code, text };
};

const tierOf = (facts: Facts, probe: Probe | Error, name: string) =>
  diagnose(facts, probe).tiers.find((tier) => tier.tier === name);
const checkOf = (facts: Facts, probe: Probe | Error, name: string) =>
  diagnose(facts, probe).checks.find((check) => check.name === name);

describe('runDoctor', () => {
  it('finds everything in order', async () => {
    const { code, text } = await run(FACTS, () => PROBE);
    expect(code).toBe(0);
    expect(text).toContain('Linux 6.18.44 x64, Node.js v20.20.2, root\n');
    expect(text).toContain(
      '  network     ready     socket tracepoints tcp_sendmsg_locked and skb_copy_datagram_iovec\n',
    );
    expect(text).toContain('  ok       port 4317               free\n');
    expect(text).toMatch(/\n\nKindling can run with everything it has\.\n$/);
    expect(text).not.toMatch(/ (off|degraded|warn|missing) /);
  });

  it('prints one JSON document', async () => {
    const { code, text } = await run(FACTS, () => PROBE, true);
    const report = JSON.parse(text) as DoctorReport;
    expect(code).toBe(0);
    expect(report.canRun).toBe(true);
    expect(report.probe).toEqual(JSON.parse(JSON.stringify(PROBE)));
    expect(report.facts).toEqual(FACTS);
    expect(report.tiers).toHaveLength(5);
  });

  it('says when the kernel has no uprobes for TLS, and runs the rest', async () => {
    const { code, text } = await run({ ...FACTS, uprobes: false }, () => PROBE);
    expect(code).toBe(0);
    expect(text).toMatch(/TLS +off .*CONFIG_UPROBE_EVENTS/);
  });

  it('is of use without the addon and without privileges', async () => {
    const facts = { ...FACTS, uid: 1000, capabilities: NONE };
    const { code, text } = await run(facts, () => {
      throw new UnsupportedError('The native addon is not built: run "npm run build".');
    });
    expect(code).toBe(1);
    expect(text).toContain('user 1000\n');
    expect(text).toContain(
      'What stops all of it\n  The native addon is not built: run "npm run build".\n' +
        '  CAP_BPF and CAP_PERFMON missing: run it as root, or give it these capabilities.\n',
    );
    expect(text).toContain('  missing  CAP_PERFMON ');
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(110);
    const json = await run(
      facts,
      () => {
        throw new UnsupportedError('not built');
      },
      true,
    );
    expect((JSON.parse(json.text) as DoctorReport).probe).toBeNull();
  });

  it('reads this machine', async () => {
    const { text } = await run(await collectFacts([0], [process.cwd()]), () => PROBE, true);
    const { facts } = JSON.parse(text) as DoctorReport;
    expect(facts.node).toBe(process.version);
    expect(facts.ports).toEqual([{ port: 0, state: 'free' }]);
    expect(facts.stores).toEqual([{ path: process.cwd(), writable: true }]);
  });
});

describe('tiers', () => {
  it('fall back to the system call variant, with its cost and the reason', () => {
    const probe: Probe = {
      ...PROBE,
      hooks: { ...PROBE.hooks, tcp_sendmsg_locked: false },
      netVariant: 'syscall',
      topics: PROBE.topics.filter((report) => report.variant !== 'socket'),
    };
    expect(tierOf(FACTS, probe, 'network')).toMatchObject({
      state: 'degraded',
      variant: 'system call exit tracepoint sys_exit',
      reasons: [expect.stringContaining('has no tcp_sendmsg_locked')],
      cost: expect.stringContaining('system call'),
    });
    expect(diagnose(FACTS, probe).canRun).toBe(true);
  });

  it('are off one by one, with what the kernel said', () => {
    const probe: Probe = {
      ...PROBE,
      topics: PROBE.topics.map((report) =>
        report.topic === 'sched'
          ? failed(report, { name: 'EACCES', message: 'the verifier refused it', hint: 'Report this.' })
          : report,
      ),
    };
    expect(tierOf(FACTS, probe, 'scheduler')).toMatchObject({
      state: 'off',
      variant: '',
      reasons: [expect.stringMatching(/the verifier refused it \(EACCES\)\. Report this\.$/)],
      cost: expect.stringContaining('No waits'),
    });
    expect(diagnose(FACTS, probe).canRun).toBe(true);
  });

  it('need a perf event for stacks', () => {
    const probe: Probe = { ...PROBE, perfEvent: { available: false, errno: 1, name: 'EPERM' } };
    expect(tierOf(FACTS, probe, 'cpu_stacks')).toMatchObject({
      state: 'off',
      reasons: [expect.stringContaining('EPERM')],
    });
    expect(checkOf(FACTS, probe, 'perf events')?.state).toBe('warn');
  });

  it.each<[string, Partial<Facts>, RegExp]>([
    ['an old kernel', { kernelRelease: '5.4.0-42-generic' }, /older than 5\.8/],
    ['no BTF', { btf: false }, /BTF/],
    ['lockdown', { lockdown: 'confidentiality' }, /lockdown/],
    ['a user namespace', { inUserNamespace: true }, /user namespace/],
    ['no capabilities', { capabilities: NONE }, /CAP_BPF and CAP_PERFMON missing/],
    ['one capability', { capabilities: { ...NONE, CAP_BPF: true } }, /^CAP_PERFMON missing/],
  ])('are all off because of %s', (_, facts, reason) => {
    const probe = { ...PROBE, topics: PROBE.topics.map((report) => failed(report, { name: 'EPERM' })) };
    const diagnosis = diagnose({ ...FACTS, ...facts }, probe);
    expect(diagnosis.canRun).toBe(false);
    for (const tier of diagnosis.tiers) expect(tier.reasons).toEqual([expect.stringMatching(reason)]);
  });

  it('believe the test load more than a guess', () => {
    expect(diagnose({ ...FACTS, lockdown: 'confidentiality' }, PROBE).canRun).toBe(true);
  });
});

describe('checks', () => {
  it('name what a missing capability costs', () => {
    const facts = { ...FACTS, capabilities: { ...NONE, CAP_SYS_ADMIN: true } };
    expect(checkOf(facts, PROBE, 'CAP_BPF')).toMatchObject({
      state: 'ok',
      value: expect.stringContaining('(by CAP_SYS_ADMIN)'),
    });
    expect(checkOf(facts, PROBE, 'CAP_SYS_PTRACE')).toMatchObject({
      state: 'warn',
      effect: expect.stringContaining('no names'),
    });
  });

  it('name what occupied ports and unwritable folders cost', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const facts = { ...(await collectFacts([port], ['/proc/nowhere/store'])) };
    server.close();
    expect(checkOf(facts, PROBE, `port ${port}`)).toMatchObject({ state: 'warn', value: 'in use' });
    expect(checkOf({ ...facts, stores: [{ path: '/x', writable: false }] }, PROBE, 'store')).toMatchObject({
      state: 'warn',
      effect: expect.stringContaining('not kept'),
    });
  });
});

describe('facts', () => {
  it('parse capability sets', () => {
    expect(parseCapabilities('CapPrm:\t0\nCapEff:\t000000c000000000\n')).toMatchObject({
      CAP_BPF: true,
      CAP_PERFMON: true,
      CAP_SYS_ADMIN: false,
    });
    expect(parseCapabilities('')).toEqual(NONE);
  });

  it('tell the initial user namespace from others', () => {
    expect(isInUserNamespace('         0          0 4294967295\n')).toBe(false);
    expect(isInUserNamespace('         0       1000          1\n')).toBe(true);
    expect(isInUserNamespace('')).toBe(false);
  });
});
