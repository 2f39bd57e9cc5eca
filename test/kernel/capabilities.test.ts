/**
 * The agent with fewer rights than root has: what `kindling doctor` says of them is what then works. Programs under watch
 * belong to another user.
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { get as httpGet } from 'node:http';
import { get as httpsGet } from 'node:https';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import {
  killLeftovers,
  removeTemporaryDirectories,
  run,
  startAgent,
  temporaryDirectory,
} from '../helpers/agent.js';
import { describeKernel } from '../helpers/kernel.js';
import { TestCertificate } from '../helpers/tls-certificate.js';

const ENOUGH = ['bpf', 'perfmon', 'sys_ptrace', 'dac_read_search', 'checkpoint_restore', 'syslog'];
const REQUESTS = 5;
const execute = promisify(execFile);

/** A command in front of another one that takes it all capabilities but these. */
const withRights = (names: readonly string[]): string[] => {
  const set = ['-all', ...names.map((name) => `+${name}`)].join(',');
  return ['setpriv', `--bounding-set=${set}`, `--inh-caps=${set}`, '--no-new-privs'];
};

interface Report {
  readonly canRun: boolean;
  readonly tiers: readonly { readonly tier: string; readonly state: string }[];
  readonly checks: readonly { readonly name: string; readonly state: string }[];
}

async function doctor(names: readonly string[]): Promise<Report> {
  const [command = '', ...args] = [...withRights(names), 'bin/kindling', 'doctor', '--json'];
  const { stdout } = await execute(command, args).catch((error: { stdout: string }) => error);
  return JSON.parse(stdout);
}

const stateOf = ({ checks }: Report, name: string): string | undefined =>
  checks.find((check) => check.name === name)?.state;
const tierOf = ({ tiers }: Report, name: string): string | undefined =>
  tiers.find(({ tier }) => tier === name)?.state;

interface Target {
  readonly pid: number;
  readonly http: number;
  readonly https: number;
  end(): void;
}

/** A server of another user (nobody), over HTTP and HTTPS. */
async function startTarget(certificate: TestCertificate): Promise<Target> {
  const [key, cert] = [certificate.key, certificate.cert].map((path) => readFileSync(path, 'utf8'));
  const script = `
    const answer = (request, response) => response.end('ok');
    const plain = require('node:http').createServer(answer).listen(0, '127.0.0.1', () => {
      const options = ${JSON.stringify({ key, cert })};
      const tls = require('node:https').createServer(options, answer).listen(0, '127.0.0.1', () =>
        console.log(JSON.stringify({ pid: process.pid, http: plain.address().port, https: tls.address().port })));
    });
    process.stdin.on('end', () => process.exit()).resume();`;
  const user = ['--reuid=65534', '--regid=65534', '--clear-groups'];
  const child = spawn('setpriv', [...user, process.execPath, '-e', script], {
    stdio: ['pipe', 'pipe', 'inherit'],
    cwd: '/',
  });
  const [line] = await new Promise<string[]>((resolve) =>
    child.stdout.once('data', (text: Buffer) => resolve(text.toString().split('\n'))),
  );
  return { ...JSON.parse(line!), end: () => child.stdin.end() };
}

const fetchOnce = (get: typeof httpGet | typeof httpsGet, url: string): Promise<void> =>
  new Promise((resolve, reject) => {
    get(url, { rejectUnauthorized: false, agent: false } as object, (response) => {
      response.resume().on('end', resolve);
    }).on('error', reject);
  });

interface Seen {
  readonly plain: number;
  readonly encrypted: number;
  readonly executables: ReadonlySet<string | undefined>;
}

/** Runs the agent with these rights, sends requests over both, and says what it made of them. */
async function observe(names: readonly string[], target: Target): Promise<Seen> {
  const path = join(temporaryDirectory(), 'spans.json');
  const config = {
    receivers: { ebpf: { targets: { default: 'none', include: { pids: [target.pid] } } } },
    exporters: { file: { path } },
    service: {
      telemetry: { metrics: { level: 'none' } },
      pipelines: { traces: { receivers: ['ebpf'], exporters: ['file'] } },
    },
  };
  const agent = await startAgent(JSON.stringify(config), [], { within: withRights(names) });
  // A first connection, for the libraries of the process to be looked at.
  await fetchOnce(httpsGet, `https://127.0.0.1:${target.https}/first`);
  await new Promise((resolve) => setTimeout(resolve, 2000));
  for (let i = 0; i < REQUESTS; i++) {
    await fetchOnce(httpGet, `http://127.0.0.1:${target.http}/plain`);
    await fetchOnce(httpsGet, `https://127.0.0.1:${target.https}/encrypted`);
  }
  expect(await agent.stop()).toBe(0);
  const resources = readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .flatMap((line) => JSON.parse(line).resourceSpans);
  const textOf = (list: { key: string; value: { stringValue?: string } }[], key: string) =>
    list.find((attribute) => attribute.key === key)?.value.stringValue;
  const paths = resources
    .flatMap(({ scopeSpans }) => scopeSpans)
    .flatMap(({ spans }) => spans)
    .map(({ attributes }) => textOf(attributes, 'url.path'));
  return {
    plain: paths.filter((one) => one === '/plain').length,
    encrypted: paths.filter((one) => one === '/encrypted').length,
    executables: new Set(
      resources.map(({ resource }) => textOf(resource.attributes, 'process.executable.path')),
    ),
  };
}

describeKernel('rights', () => {
  let certificate: TestCertificate;
  let target: Target;
  beforeAll(async () => {
    certificate = new TestCertificate();
    target = await startTarget(certificate);
  });
  afterAll(() => {
    target.end();
    certificate[Symbol.dispose]();
  });
  afterEach(async () => {
    await killLeftovers();
    removeTemporaryDirectories();
  });

  it('six capabilities do for everything but cost and senders on UDP', async () => {
    const report = await doctor(ENOUGH);
    for (const { tier, state } of report.tiers) expect([tier, state]).toEqual([tier, 'ready']);
    expect(stateOf(report, 'CAP_NET_ADMIN')).toBe('warn');
    expect(await observe(ENOUGH, target)).toEqual({
      plain: REQUESTS,
      encrypted: REQUESTS,
      executables: new Set([process.execPath]),
    });
  });

  it('without CAP_SYS_PTRACE requests are seen, names and TLS of other users are not', async () => {
    const names = ENOUGH.filter((name) => name !== 'sys_ptrace');
    const report = await doctor(names);
    expect(stateOf(report, 'CAP_SYS_PTRACE')).toBe('warn');
    expect(report.canRun).toBe(true);
    expect(await observe(names, target)).toEqual({
      plain: REQUESTS,
      encrypted: 0,
      executables: new Set([undefined]),
    });
  });

  it('CAP_BPF and CAP_PERFMON alone see requests', async () => {
    const names = ['bpf', 'perfmon'];
    expect(tierOf(await doctor(names), 'network')).toBe('ready');
    expect(await observe(names, target)).toMatchObject({ plain: REQUESTS });
  });

  it.each(['bpf', 'perfmon'])('without %s nothing runs, and both say so', async (name) => {
    const names = ENOUGH.filter((one) => one !== name);
    const report = await doctor(names);
    expect(report.canRun).toBe(false);
    expect(stateOf(report, `CAP_${name.toUpperCase()}`)).toBe('missing');
    const config = { receivers: { ebpf: {} }, exporters: { nop: {} } };
    const pipelines = { traces: { receivers: ['ebpf'], exporters: ['nop'] } };
    const yaml = `yaml:${JSON.stringify({ ...config, service: { telemetry: { metrics: { level: 'none' } }, pipelines } })}`;
    const [command = '', ...args] = [...withRights(names), 'bin/kindling', '--config', yaml];
    const agent = run(command, args);
    await agent.waitFor('no receiver can run on this machine');
    if (agent.child.exitCode === null) await once(agent.child, 'close');
    expect(agent.child.exitCode).toBe(1);
    expect(agent.stderr()).toContain('CAP_BPF and CAP_PERFMON');
    expect(agent.stderr()).not.toContain('thread ended');
  });
});
