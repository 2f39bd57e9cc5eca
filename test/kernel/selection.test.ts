/** Which processes are seen: rules by pid, command and control group, at start and while the programs run. */

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmdirSync, statSync, writeFileSync } from 'node:fs';
import { createServer, get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { closeSessionsAfterEach, describeKernel, runProgram, Session, waitUntil } from '../helpers/kernel.js';
import { buildProgram } from '../helpers/programs.js';

const children = new Set<ChildProcess>();

/** Two threads' worth of steady switching: a process that sleeps 5 ms again and again until it is ended. */
async function startTicker(): Promise<ChildProcess & { pid: number }> {
  const child = spawn(buildProgram('ticker'), { stdio: ['ignore', 'pipe', 'inherit'] });
  children.add(child);
  await new Promise((resolve) => child.stdout.once('data', resolve));
  return child as ChildProcess & { pid: number };
}

/** Where cgroup v2 is mounted, '' when it is not. */
function cgroupRoot(): string {
  const mount = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' '))
    .find(([, , type]) => type === 'cgroup2');
  return mount?.[1] ?? '';
}

const watched = (session: Session, pid: number) => session.of('sched_wait').some((wait) => wait.tgid === pid);

/** Waits until `pid` has been seen. */
const seen = (session: Session, pid: number) => waitUntil(() => watched(session, pid));

/** Runs another program to its end as proof that records flow, then says whether `pid` has been seen. */
async function unseenWhileOthersAre(session: Session, pid: number): Promise<boolean> {
  const from = session.records.length;
  const other = await runProgram('sleep', ['60']);
  await session.settle();
  const later = session.records.slice(from);
  expect(later.some((record) => record.tgid === other.pid)).toBe(true);
  return !later.some((record) => record.tgid === pid);
}

describeKernel('selection', () => {
  closeSessionsAfterEach();
  afterEach(() => {
    for (const child of children) child.kill();
    children.clear();
  });

  it('watches every process by default, and never this one', async () => {
    const session = new Session({ net: {}, sched: {}, cpu: {}, proc: {} });
    const server = createServer((_, response) => response.end('x')).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) =>
      get({ port, host: '127.0.0.1' }, (response) => response.resume().on('end', resolve)),
    );
    server.close();
    const ticker = await startTicker();
    await seen(session, ticker.pid);
    await session.settle();
    expect(session.records.some((record) => record.tgid === process.pid)).toBe(false);
    expect(
      session.of('net_data').some((r) => r.tuple.localPort === port || r.tuple.remotePort === port),
    ).toBe(false);
  });

  it('watches all threads of an included pid, and nothing else', async () => {
    const [one, other] = [await startTicker(), await startTicker()];
    const session = new Session({ sched: {}, rules: { selectByDefault: false, includePids: [one.pid] } });
    await waitUntil(() => new Set(session.of('sched_wait').map((wait) => wait.tid)).size === 2);
    await session.settle();
    expect(session.records.every((record) => record.tgid === one.pid)).toBe(true);
    expect(other.exitCode).toBe(null);
  });

  it('leaves an excluded pid out', async () => {
    const ticker = await startTicker();
    const session = new Session({ sched: {}, rules: { excludePids: [ticker.pid] } });
    expect(await unseenWhileOthersAre(session, ticker.pid)).toBe(true);
    expect(watched(session, ticker.pid)).toBe(false);
  });

  it('lets an exclusion by command win over an inclusion by pid', async () => {
    const ticker = await startTicker();
    const session = new Session({
      sched: {},
      rules: { includePids: [ticker.pid], excludeComms: ['ticker'] },
    });
    expect(await unseenWhileOthersAre(session, ticker.pid)).toBe(true);
  });

  it('judges a process anew when it becomes another program', async () => {
    const session = new Session({
      sched: {},
      proc: {},
      rules: { selectByDefault: false, includeComms: ['sleep'] },
    });
    // The shell is not watched; after the exec the same process is.
    const child = spawn('/bin/sh', ['-c', 'sleep 0.01; exec "$0" 30', buildProgram('sleep')]);
    const { pid } = child;
    await new Promise((resolve) => child.once('close', resolve));
    await session.settle();
    const exec = session.of('proc_exec').filter((record) => record.tgid === pid);
    expect(exec).toHaveLength(1);
    expect(exec[0]).toMatchObject({ comm: 'sleep', parentTgid: process.pid });
    expect(session.of('sched_wait').some((wait) => wait.tgid === pid)).toBe(true);
    expect(session.of('sched_wait').filter((wait) => wait.tgid === pid && wait.off < exec[0]!.time)).toEqual(
      [],
    );
  });

  it('follows a control group and the groups below it', async () => {
    const root = cgroupRoot();
    expect(root, 'needs a mounted cgroup2 hierarchy').not.toBe('');
    const outer = `${root}/kindling-test-${process.pid}`;
    const inner = `${outer}/inner`;
    mkdirSync(inner, { recursive: true });
    try {
      const [inside, outside] = [await startTicker(), await startTicker()];
      writeFileSync(`${inner}/cgroup.procs`, String(inside.pid));
      const id = statSync(outer, { bigint: true }).ino;
      const session = new Session({ sched: {}, rules: { selectByDefault: false, includeCgroupIds: [id] } });
      await seen(session, inside.pid);
      await session.settle();
      expect(watched(session, outside.pid)).toBe(false);
      session.capture.setRules({ excludeCgroupIds: [id] });
      await seen(session, outside.pid);
      expect(await unseenWhileOthersAre(session, inside.pid)).toBe(true);
      session.close();
      const ended = new Promise((resolve) => inside.once('close', resolve));
      inside.kill();
      await ended;
    } finally {
      rmdirSync(inner);
      rmdirSync(outer);
    }
  });

  it('follows new rules while it runs', async () => {
    const [one, other] = [await startTicker(), await startTicker()];
    const session = new Session({ sched: {}, rules: { selectByDefault: false, includePids: [one.pid] } });
    await seen(session, one.pid);
    expect(watched(session, other.pid)).toBe(false);
    session.capture.setRules({ selectByDefault: true, excludePids: [one.pid] });
    await seen(session, other.pid);
    expect(await unseenWhileOthersAre(session, one.pid)).toBe(true);
    session.capture.setRules({ selectByDefault: false, includePids: [one.pid, other.pid] });
    const from = session.records.length;
    await waitUntil(() => session.records.slice(from).some((record) => record.tgid === one.pid));
  });

  it('refuses rules that the kernel could not hold', () => {
    const session = new Session({ sched: {} });
    expect(() => session.capture.setRules({ includePids: [0] })).toThrow(/includePids/);
    expect(() => session.capture.setRules({ includeComms: ['sixteen bytes is'] })).toThrow(/1 to 15 bytes/);
    const tooMany = Array.from({ length: 5000 }, (_, i) => i + 1);
    expect(() => session.capture.setRules({ includePids: tooMany })).toThrow(/rules/);
  });
});
